"""Every recorded change of a Stage's status, made again by the part of the engine that is in charge of it.

Each case starts from the recorded status before, and has to end at the recorded status after, to the field;
only transition times and new ids are left out.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.runtime import parse_time
from gitops_e2e.promoter.stages import health, promotion_queue, readiness
from gitops_e2e.promoter.stages.draft import Draft
from gitops_e2e.promoter.stages.health import HealthUnknown

RECORDINGS = Path(__file__).parent / "recordings"


def recorded(name: str) -> list[Manifest]:
    return [json.loads(line) for line in (RECORDINGS / "sequences" / f"{name}.jsonl").read_text().splitlines()]


STAGES = recorded("stages")
PROMOTIONS = recorded("promotions")
# Here the real controller worked on a status that it had read too early: it says something that was over.
STALE = {108, 110, 155, 157}


def changes() -> Iterator[tuple[int, Manifest, Manifest]]:
    """Consecutive statuses of the same Stage, with the line of the later one."""
    known: dict[str, Manifest] = {}
    for line, row in enumerate(STAGES):
        before = known.get(row["name"])
        known[row["name"]] = row
        if before is not None and row["event"] == "MODIFIED" and line not in STALE:
            yield line, before, row


def queue_changes() -> Iterator[Any]:
    for line, before, after in changes():
        if not is_control_flow(after) and current(before) != current(after):
            yield pytest.param(before, after, id=f"line {line + 1}")


def health_changes() -> Iterator[Any]:
    for line, before, after in changes():
        moved = (before["status"] or {}).get("health") != after["status"].get("health")
        if moved and not is_control_flow(after) and current(before) == current(after):
            yield pytest.param(before, after, id=f"line {line + 1}")


def is_control_flow(row: Manifest) -> bool:
    return bool((row["status"] or {}).get("freightSummary") == "N/A")


def current(row: Manifest) -> Any:
    return (row["status"] or {}).get("currentPromotion")


def draft(row: Manifest) -> Draft:
    stage = {
        "metadata": {"name": row["name"], "namespace": row["namespace"], "generation": 1},
        "spec": {"requestedFreight": [{"origin": {"kind": "Warehouse", "name": "demo"}, "sources": {}}]},
        "status": row["status"],
    }
    return Draft.of(stage)


def comparable(status: Manifest) -> Manifest:
    """The status with its conditions in no order, without the times at which they appeared."""
    conditions = [{**entry, "lastTransitionTime": "T"} for entry in status.get("conditions", [])]
    return {**status, "conditions": sorted(conditions, key=lambda entry: str(entry["type"]))}


def promotions_at(before: Manifest, after: Manifest) -> list[Manifest]:
    """The Promotion that the change is about, as it was then, and the one before it."""
    name = (current(after) or current(before))["name"]
    states = [row["status"] for row in PROMOTIONS if row["name"] == name and row["status"]]
    if current(after) is None:
        states = states[-1:]
    else:
        message = next(entry for entry in after["status"]["conditions"] if entry["type"] == "Promoting")["message"]
        phase = re.fullmatch(r'Promotion ".*" is currently (\w+)', message)
        assert phase
        freight = current(after).get("freight")
        states = [one for one in states if one["phase"] == phase[1] and one.get("freight") == freight]
    last = (after["status"] if current(after) else before["status"]).get("lastPromotion")
    earlier = [{"metadata": {"name": last["name"]}, "status": last["status"]}] if last else []
    return [{"metadata": {"name": name}, "status": states[0]}, *earlier]


@pytest.mark.parametrize(("before", "after"), list(queue_changes()))
def test_what_becomes_of_promotions(before: Manifest, after: Manifest) -> None:
    made = draft(before)
    promotion_queue.synchronize(made, promotions_at(before, after))
    readiness.summarize(made)
    assert comparable(made.status) == comparable(after["status"])


@pytest.mark.parametrize(("before", "after"), list(health_changes()))
def test_health_by_the_applications(before: Manifest, after: Manifest) -> None:
    made = draft(before)
    found = {
        (application["Namespace"], application["Name"]): as_argo_cd_has_it(application)
        for check in after["status"]["health"].get("output", [])
        for application in check["applicationStatuses"]
    }
    try:
        health.assess(made, lambda key: found.get((key.namespace, key.name)), moment(after))
        readiness.summarize(made)
    except HealthUnknown as unknown:
        readiness.summarize_error(made, unknown.what)
    assert comparable(made.status) == comparable(after["status"])


def as_argo_cd_has_it(recorded_application: Manifest) -> Manifest:
    """An Application with the recorded status, and with the fields that the output leaves out."""
    application = copy.deepcopy(recorded_application)
    status = {key: value for key, value in application.items() if key not in {"Name", "Namespace"}}
    status["health"]["lastTransitionTime"] = "2026-11-23T11:56:39Z"
    status["sync"]["comparedTo"] = {"destination": {}}
    operation = status["operationState"]
    operation["startedAt"] = "2026-11-23T11:56:21Z"
    operation["operation"]["sync"] |= {"revision": "1", "prune": True}
    if "syncResult" in operation:
        operation["syncResult"]["resources"] = [{"kind": "Service"}]
        operation["syncResult"]["source"]["path"] = "."
    return {"spec": {"source": {"repoURL": "http://10.231.0.2:3080/git/demo.git"}}, "status": status}


def moment(after: Manifest) -> datetime:
    """A moment at which the recorded finding was right."""
    text = json.dumps(after["status"]["health"])
    finished = re.findall(r'"finishedAt": "([^"]+)"', text)
    if "completed less than 10s ago" in text:
        return parse_time(finished[0])
    return datetime(2030, 1, 1, tzinfo=UTC)


def test_there_is_something_to_compare() -> None:
    assert len(list(queue_changes())) > 40
    assert len(list(health_changes())) > 40
