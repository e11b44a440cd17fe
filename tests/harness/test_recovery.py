"""What a run tells of the faults that were borne in it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.report import sample

_FEATURE = """\
Feature: Faults

  @fault
  Example: the lights go out
    Given a shop
    When the lights go out
    Then somebody lights a candle
    When the lights come on again
    Then the shop opens

  @fault
  Example: the roof leaks
    Given a shop
    When the roof leaks
    Then it is mended

  Example: nothing happens
    Given a shop
    When nothing happens
    Then the shop opens
"""
_STEPS = """\
import time
from types import SimpleNamespace

import pytest
from fixtures.pipeline import PROBED
from pytest_bdd import given, scenarios, then, when

scenarios(".")

@given("a shop")
def _(request):
    summary = SimpleNamespace(sent=40, lost=("once",))
    request.node.stash[PROBED] = {"dev": SimpleNamespace(summary=lambda: summary)}

@when("the lights go out")
@when("the roof leaks")
@when("nothing happens")
@when("the lights come on again")
def _(): pass

@then("somebody lights a candle")
@then("the shop opens")
def _(): time.sleep(0.2)

@then("it is mended")
def _(): pytest.fail("it is not")
"""


def test_each_fault_that_was_borne_is_told_with_its_cost(tmp_path: Path) -> None:
    sample.write(tmp_path, shop=_FEATURE, steps=_STEPS, conftest="")
    said = sample.run(tmp_path, "-pno:pytest-kind", "-pfixtures.recovery", "-n1").stdout
    faults = said.partition(" faults ")[2]
    cost = r"all was well 0\.\d s after: the lights come on again; 1 of 40 requests lost"
    assert re.search(rf"^the lights go out: {cost}$", faults, re.MULTILINE), said
    assert "the roof leaks: " not in faults
    assert "nothing happens" not in faults
    (lights, _, _) = sample.recorded(tmp_path).scenarios
    (told,) = (each for each in lights.attachments if each.name == "what the fault cost")
    assert re.fullmatch(cost, told.text or "")
