"""`python -m benchmarks [NAME,NAME…]`: prints each figure as a line of JSON, and all else on standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from benchmarks.catalogue import chosen
from benchmarks.figure import Benchmark
from gitops_e2e.errors import HarnessError
from gitops_e2e.progress import say


def main(only: str = "") -> int:
    """Measure; the exit code. A figure that cannot be measured does not hide the others."""
    try:
        benchmarks = chosen(only)
    except HarnessError as error:
        say(str(error))
        return 2
    errors = run(benchmarks)
    if errors:
        raise ExceptionGroup("some figures could not be measured", errors)
    return 0


def run(benchmarks: Mapping[Benchmark, frozenset[str]]) -> list[Exception]:
    """Print the figures that are wanted; gives what kept others from being measured."""
    errors: list[Exception] = []
    for benchmark, wanted in benchmarks.items():
        try:
            for figure in benchmark.measure():
                if figure.name in wanted:
                    print(figure.as_json(), flush=True)
        except Exception as error:  # noqa: BLE001 - given to the caller, with the others
            say(f"  ✗ {', '.join(benchmark.names)}: {error}")
            errors.append(error)
    return errors


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
