"""`make report`: makes the pages and files of the last run anew, from what was recorded of it."""

from __future__ import annotations

import sys
from pathlib import Path

from gitops_e2e.errors import HarnessError
from gitops_e2e.evidence.redaction import Redactor
from gitops_e2e.progress import say
from gitops_e2e.report.publication import publish
from gitops_e2e.report.run_folder import RunFolder


def main(reports: Path) -> int:
    """Publish the last run in the folder; the exit code."""
    try:
        folder, redact = RunFolder.last(reports), Redactor.of_environment()
        say(f"  report: {publish(folder, folder.read(redact), redact)}")
    except (HarnessError, OSError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "reports")))
