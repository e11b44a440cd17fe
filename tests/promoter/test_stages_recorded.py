"""Every recorded change of a Stage's status, made again by the part of the engine that is in charge of it.

Each case starts from the recorded status before, and has to end at the recorded status after, to the field.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.runtime import parse_time
from gitops_e2e.promoter.runtime.statuses import merge_patch
from gitops_e2e.promoter.stages import health, promotion_queue, readiness
from gitops_e2e.promoter.stages.draft import Draft
from gitops_e2e.promoter.stages.health import HealthUnknown
from tests.promoter.conformance import RECORDINGS, Conformance, Different, behaviour

_UNKNOWN = behaviour("health: unknown, or not there yet", "3.6", "→ Progressing/Unknown")
HEALTH = {  # by the reason of the condition
    "ActivePromotion": behaviour("health: while a promotion runs", "3.6", "a Promotion is current"),
    "NoFreight": behaviour("health: of a stage without freight", "3.6", "never promoted"),
    "LastPromotionErrored": behaviour("health: after a failed promotion", "3.6", "last Promotion not Succeeded"),
    "Healthy": behaviour("health: healthy applications", "3.6", "checks → Healthy"),
    "Progressing": _UNKNOWN,
    "Unknown": _UNKNOWN,
}
_RUNS = behaviour("promotions: one is let run", "3.4", "Else top item non-terminal")
_ENDED = behaviour("promotions: one has ended", "3.4", "currentPromotion set, and it is not the top item")


def recorded(name: str) -> list[Manifest]:
    return [json.loads(line) for line in (RECORDINGS / "sequences" / f"{name}.jsonl").read_text().splitlines()]


STAGES = recorded("stages")
PROMOTIONS = recorded("promotions")
READ = {108: 106, 110: 108, 155: 153, 157: 154}
"""By line those changes that begin from an older status: the controller's cache was behind. It writes only what
it changes of what it read (behaviour file, 1.2), so the rest is as it was meanwhile."""


def changes() -> Iterator[tuple[int, Manifest, Manifest]]:
    """Consecutive statuses of the same Stage, with the line of the later one."""
    known: dict[str, Manifest] = {}
    for line, row in enumerate(STAGES):
        before = known.get(row["name"])
        known[row["name"]] = row
        if before is not None and row["event"] == "MODIFIED":
            yield line, before, row


def queue_changes() -> Iterator[Any]:
    for line, before, after in changes():
        if not is_control_flow(after) and current(before) != current(after):
            mark = _RUNS if current(after) else _ENDED
            yield pytest.param(line, before, after, id=f"line {line + 1}", marks=mark)


def health_changes() -> Iterator[Any]:
    for line, before, after in changes():
        moved = (before["status"] or {}).get("health") != after["status"].get("health")
        if moved and not is_control_flow(after) and current(before) == current(after):
            reason = next(one["reason"] for one in after["status"]["conditions"] if one["type"] == "Healthy")
            yield pytest.param(line, before, after, id=f"line {line + 1}", marks=HEALTH[reason])


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


@pytest.mark.parametrize(("line", "before", "after"), list(queue_changes()))
def test_what_becomes_of_promotions(line: int, before: Manifest, after: Manifest, conformance: Conformance) -> None:
    read = STAGES[READ[line]] if line in READ else before
    made = draft(read)
    promotion_queue.synchronize(made, promotions_at(read, after))
    readiness.summarize(made)
    conformance.same(written(before, read, made), after["status"])


@pytest.mark.parametrize(("line", "before", "after"), list(health_changes()))
def test_health_by_the_applications(line: int, before: Manifest, after: Manifest, conformance: Conformance) -> None:
    assert line not in READ
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
    conformance.same(made.status, after["status"])


def written(before: Manifest, read: Manifest, made: Draft) -> Manifest:
    """The status once the difference to what was read is written."""
    return merged(before["status"], merge_patch(read["status"], made.status))


def merged(value: Manifest, patch: Manifest) -> Manifest:
    """A JSON merge patch carried out (RFC 7396)."""
    changed = {
        key: merged(value.get(key) or {}, change) if isinstance(change, dict) else change
        for key, change in patch.items()
    }
    return {key: entry for key, entry in {**value, **changed}.items() if entry is not None}


@pytest.mark.parametrize("field", ["reason", "message", "name"])
def test_one_changed_field_is_seen(field: str) -> None:
    line, before, after = next(iter(queue_changes())).values
    changed = json.loads(json.dumps(after))
    changed["status"]["conditions"][1 if field != "name" else 0][field] = "something else"
    with pytest.raises(Different):
        test_what_becomes_of_promotions(line, before, changed, Conformance())


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
