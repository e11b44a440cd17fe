"""Warnings that controllers and the kubelet report as Events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from gitops_e2e.kube import Manifest, Resource
from gitops_e2e.pipeline.reading import time_of
from gitops_e2e.watching import Fact

EVENTS = Resource("v1", "Event", "events", namespaced=True)

_NEWS = timedelta(minutes=1)


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """A warning when it is first reported; not its repetitions, nor those from before anybody looked."""
    if before or after is None or after.get("type") != "Warning" or datetime.now(UTC) - _reported(after) > _NEWS:
        return
    about = after.get("involvedObject", {})
    text = f"{about.get('kind')} {about.get('name')}: {after.get('reason')}: {after.get('message', '').strip()}"
    yield Fact("warning", text, {"reason": after.get("reason"), "kind": about.get("kind"), "name": about.get("name")})


def _reported(event: Manifest) -> datetime:
    stamps = (event.get("lastTimestamp"), event.get("eventTime"), event["metadata"].get("creationTimestamp"))
    return next((found for stamp in stamps if (found := time_of(stamp))), datetime.now(UTC))
