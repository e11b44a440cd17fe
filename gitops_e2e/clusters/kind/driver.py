"""pytest-kind's KindCluster, in a process of its own: `python -m gitops_e2e.clusters.kind.driver create|delete`.

The request is JSON on standard input. The current directory is where pytest-kind puts its folder `.pytest-kind`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

MODULE = "gitops_e2e.clusters.kind.driver"
EXTRA_MISSING = "pytest-kind is not installed"
"""What is said, on standard error, where that is so."""


@dataclass(frozen=True)
class Request:
    """Which cluster, by which commands. `config` is kind's file, `image` the node's, both for `create` alone."""

    name: str
    kind: str
    kubectl: str
    kubeconfig: str
    image: str | None = None
    config: str | None = None

    def to_json(self) -> str:
        """The request as JSON."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Request:
        """The request that `to_json` wrote."""
        return Request(**json.loads(text))


def main(verb: str) -> int:
    """Do it; the exit code."""
    try:
        from pytest_kind import KindCluster  # noqa: PLC0415 - GPL, and an extra: nothing else may need it
    except ImportError as error:
        sys.stderr.write(f"{EXTRA_MISSING}: {error}\n")
        return 1
    request = Request.from_json(sys.stdin.read())
    commands = {"kind_path": Path(request.kind), "kubectl_path": Path(request.kubectl)}  # no str: it asks if they exist
    for command in commands.values():
        if not command.is_file():  # it would download an old one
            sys.stderr.write(f"there is no command {command}\n")
            return 1
    cluster = KindCluster(request.name, Path(request.kubeconfig), image=request.image, **commands)
    if verb == "create":
        cluster.create(config_file=request.config)
    else:
        cluster.delete()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
