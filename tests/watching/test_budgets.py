from __future__ import annotations

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.watching import Budgets


def test_what_is_overridden_changes_and_nothing_else() -> None:
    budgets = Budgets.parse(["rollout_settled=90", "component_ready = 1.5"])
    assert (budgets.rollout_settled, budgets.component_ready) == (90, 1.5)
    assert budgets.pods_gone == Budgets().pods_gone


def test_without_overrides() -> None:
    assert Budgets.parse([]) == Budgets()


@pytest.mark.parametrize("text", ["rollout_setled=90", "rollout-settled=90"])
def test_a_name_that_is_nearly_right_gets_the_right_one(text: str) -> None:
    with pytest.raises(HarnessError, match="there is no budget") as error:
        Budgets.parse([text])
    assert error.value.remedy == "use rollout_settled"


def test_an_unknown_name_gets_all_names() -> None:
    with pytest.raises(HarnessError) as error:
        Budgets.parse(["zzz=1"])
    assert all(name in str(error.value) for name in Budgets.names())


@pytest.mark.parametrize("value", ["", "soon", "0", "-1", "inf", "nan", "1m"])
def test_a_value_that_is_no_time(value: str) -> None:
    with pytest.raises(HarnessError, match="is no time in seconds"):
        Budgets.parse([f"rollout_settled={value}"])


def test_text_without_a_value() -> None:
    with pytest.raises(HarnessError, match="is no time in seconds"):
        Budgets.parse(["rollout_settled"])
