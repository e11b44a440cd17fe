"""What is told of what a run stood on."""

from __future__ import annotations

from datetime import UTC, datetime

from gitops_e2e.report.book import Book
from gitops_e2e.report.encoding import Line, decode_text, encode
from gitops_e2e.report.page import page
from gitops_e2e.report.record import RunBegin, RunRecord, Surroundings
from gitops_e2e.report.summary import summary


def test_the_head_of_the_page_says_what_was_not_run() -> None:
    run = RunRecord(
        RunBegin("2026-11-25T23-10-49Z", datetime(2026, 11, 25, tzinfo=UTC), "", "pytest features/"),
        surroundings=Surroundings("node", "e2e-1", {"Kubernetes": "v1.34.4"}, ("Grafana", "chart argo-cd 9.3.4")),
    )
    book = Book.of(run)
    head = page(run, book, {}).partition("</dl>")[0]
    assert "<dt>Not run here</dt><dd>Grafana, chart argo-cd 9.3.4</dd>" in head
    assert summary(run, book, {})["not_run"] == ["Grafana", "chart argo-cd 9.3.4"]
    assert decode_text(encode(Line(surroundings=run.surroundings), str)).surroundings == run.surroundings
