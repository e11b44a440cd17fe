"""A run in a few numbers and names, for other programs and for the index of runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gitops_e2e.report.book import BAD, Book, Case
from gitops_e2e.report.history import Story
from gitops_e2e.report.junit import message
from gitops_e2e.report.record import RunRecord


def summary(run: RunRecord, book: Book, stories: Mapping[str, Story]) -> dict[str, Any]:
    """The summary, as plain values. Scenarios are by their stable ids; times are ISO 8601, durations seconds."""
    surroundings = run.surroundings
    return {
        "run": run.begin.name,
        "started": run.begin.started.isoformat(),
        "ended": ended(run).isoformat(),
        "seconds": round((ended(run) - run.begin.started).total_seconds(), 1),
        "complete": run.end is not None and not run.end.reason,
        "reason": run.end.reason if run.end else "the run was killed",
        "exit_code": run.end.exit_code if run.end else None,
        "commit": run.begin.commit,
        "provider": surroundings.provider if surroundings else "",
        "versions": dict(surroundings.versions) if surroundings else {},
        "not_run": list(surroundings.not_run) if surroundings else [],
        "counts": dict(book.counts),
        "scenarios": [_case(case, stories.get(case.id, Story(()))) for case in book.cases],
    }


def ended(run: RunRecord) -> datetime:
    """When the run ended, or as far as is known when it was killed."""
    if run.end:
        return run.end.ended
    return max([each.started + timedelta(seconds=each.seconds) for each in run.scenarios] or [run.begin.started])


def _case(case: Case, story: Story) -> dict[str, Any]:
    since = story.broken_since if case.status in BAD else None
    return {
        "id": case.id,
        "feature": case.feature.name,
        "rule": case.rule.name if case.rule else "",
        "name": case.name,
        "values": list(case.values),
        "where": f"{case.uri}:{case.line}",
        "status": case.status,
        "seconds": round(case.seconds, 3),
        "attempts": len(case.attempts),
        "message": message(case) if case.status in BAD else "",
        "change": story.change if case.attempts else "",
        "flaky": story.is_flaky,
        "broken_since": {"run": since.run, "commit": since.commit} if since else None,
    }
