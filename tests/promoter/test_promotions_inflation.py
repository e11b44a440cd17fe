"""Steps of tasks stand in the place of the tasks, under aliases of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.promoter.promotions.inflation import InflationFailed, inflate

RECORDED = Path(__file__).parent / "recordings/objects/after-first-rollback"


def _task(variables: list[dict[str, str]], *steps: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"vars": variables, "steps": list(steps)}}


def _no_task(_kind: str, _name: str) -> dict[str, Any]:
    raise AssertionError("no task is referred to")


def test_recorded_promotion_is_inflated_from_its_stage_and_task() -> None:
    stages, tasks, promotions = (
        json.loads((RECORDED / f"{kind}.json").read_text()) for kind in ("stages", "promotiontasks", "promotions")
    )
    by_name = {task["metadata"]["name"]: task for task in tasks}
    templates = {stage["metadata"]["name"]: stage["spec"]["promotionTemplate"]["spec"]["steps"] for stage in stages}
    for promotion in promotions:
        spec = promotion["spec"]
        assert inflate(templates[spec["stage"]], [], lambda _kind, name: by_name[name]) == spec["steps"]


def test_step_without_alias_is_numbered_by_its_place_tasks_counted() -> None:
    task = _task([], {"uses": "x"}, {"uses": "y", "as": "named"}, {"uses": "z"})
    steps = inflate([{"task": {"name": "t"}}, {"uses": "a"}, {"uses": "b", "as": "b"}], [], lambda *_: task)
    assert [step["as"] for step in steps] == ["task-1::step-1", "task-1::named", "task-1::step-3", "step-2", "b"]


def test_kind_of_the_task_is_asked_for() -> None:
    asked = []

    def find(kind: str, name: str) -> dict[str, Any]:
        asked.append((kind, name))
        return _task([], {"uses": "x"})

    inflate([{"task": {"name": "a"}}, {"task": {"name": "b", "kind": "ClusterPromotionTask"}}], [], find)
    assert asked == [("PromotionTask", "a"), ("ClusterPromotionTask", "b")]


def test_plain_step_keeps_all_it_has() -> None:
    step = {"uses": "x", "config": {"a": 1}, "if": "${{ true }}", "vars": [{"name": "v", "value": "1"}]}
    assert inflate([step], [], _no_task) == [{**step, "as": "step-1"}]


def test_variables_are_put_in_the_order_in_which_later_ones_win() -> None:
    task = _task(
        [{"name": "default", "value": "t"}, {"name": "overridden", "value": "t"}, {"name": "promoted", "value": "t"}],
        {"uses": "x", "vars": [{"name": "own", "value": "s"}]},
    )
    reference = {"task": {"name": "t"}, "vars": [{"name": "overridden", "value": "r"}]}
    promoted = [{"name": "promoted", "value": "p"}, {"name": "default", "value": ""}]
    (step,) = inflate([reference], promoted, lambda *_: task)
    assert [(variable["name"], variable["value"]) for variable in step["vars"]] == [
        ("default", "t"),
        ("overridden", "t"),
        ("overridden", "r"),
        ("own", "s"),
    ]


@pytest.mark.parametrize(
    ("reference_vars", "promotion_vars", "fails"),
    [
        ([], [], True),
        ([{"name": "v", "value": ""}], [], True),
        ([{"name": "v", "value": "r"}], [], False),
        ([], [{"name": "v", "value": "p"}], False),
    ],
)
def test_variable_without_default_has_to_be_given(
    reference_vars: list[dict[str, str]], promotion_vars: list[dict[str, str]], *, fails: bool
) -> None:
    task = _task([{"name": "v"}], {"uses": "x"})
    reference = {"task": {"name": "t"}, "as": "go", "vars": reference_vars}
    if not fails:
        inflate([reference], promotion_vars, lambda *_: task)
        return
    with pytest.raises(InflationFailed) as failure:
        inflate([reference], promotion_vars, lambda *_: task)
    assert failure.value.what == (
        'failed to inflate Promotion steps: inflate tasks steps for task "t" ("go"): missing value for variable "v"'
    )
