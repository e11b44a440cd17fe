"""From the record of a run to its pages and files; from all runs to their index."""

from __future__ import annotations

from pathlib import Path

from gitops_e2e.report.book import Book
from gitops_e2e.report.encoding import redacted_json
from gitops_e2e.report.history import HISTORY, recall
from gitops_e2e.report.junit import junit
from gitops_e2e.report.messages import messages
from gitops_e2e.report.page import page
from gitops_e2e.report.record import Redact, RunRecord
from gitops_e2e.report.run_folder import RunFolder
from gitops_e2e.report.site import site
from gitops_e2e.report.summary import summary

SUMMARY = "summary.json"


def publish(folder: RunFolder, run: RunRecord, redact: Redact) -> Path:
    """Write the page of a run, as its folder has it, and the files beside it, and the index of all; gives the page."""
    book = Book.of(run)
    reports = folder.path.parent
    stories = recall(reports / HISTORY, run.begin.name)
    _write(folder.path / "messages.ndjson", "".join(line + "\n" for line in messages(run, book)))
    _write(folder.path / "junit.xml", junit(run, book))
    _write(folder.path / SUMMARY, redacted_json(summary(run, book, stories), redact))
    _write(folder.path / "index.html", page(run, book, stories))
    _write(reports / "index.html", site(sorted(reports.glob(f"*/{SUMMARY}"))))
    return folder.path / "index.html"


def _write(file: Path, text: str) -> None:
    """Write the file whole or not at all: somebody may be reading the one that is there."""
    partial = file.with_name(f".partial-{file.name}")
    partial.write_text(text)
    partial.replace(file)
