"""The index of all runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gitops_e2e.report.book import BAD
from gitops_e2e.report.rendering import WORDS, environment


def site(summaries: Sequence[Path]) -> str:
    """The HTML, made from the runs' summaries, the newest run first."""
    runs: list[dict[str, Any]] = [json.loads(file.read_text()) for file in reversed(summaries)]
    for run in runs:
        run["began"] = datetime.fromisoformat(run["started"])
        run["bad"] = sum(run["counts"].get(status, 0) for status in BAD)
        run["ran"] = sum(run["counts"].values()) - run["counts"].get("not run", 0)
    return environment().get_template("runs.html.j2").render(runs=runs, words=WORDS)
