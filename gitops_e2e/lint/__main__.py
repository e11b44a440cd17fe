"""`python -m gitops_e2e.lint`: checks the checkout in the working directory; exit code 1 where it finds something."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gitops_e2e.cache import Cache
from gitops_e2e.environment import refuse_unknown
from gitops_e2e.errors import HarnessError
from gitops_e2e.lint.linting import lint
from gitops_e2e.progress import say
from gitops_e2e.toolchain import Toolchain


def main() -> int:
    """Print what there is to mend; the exit code."""
    try:
        refuse_unknown(os.environ)
        findings = lint(Path.cwd(), Toolchain(Cache.of_user()))
    except HarnessError as error:
        say(str(error))
        return 2
    for finding in findings:
        print(finding)  # noqa: T201 - this is what it is for
    if findings:
        say(f"  ✗ {len(findings)} to mend")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
