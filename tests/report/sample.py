"""A small run with everything in it that a run can have: what the tests of the report look at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from gitops_e2e.report.record import RunRecord
from gitops_e2e.report.run_folder import RunFolder
from tests.harness.running import REPOSITORY

SHOP = '''\
@shop
Feature: A shop sells fruit
  It is *open* by day, and `closed` by night. <script>alert("shop")</script>

  | fruit | price |
  |-------|-------|
  | apple | 1     |

  Background:
    Given a shop

  Example: it can be visited
    When a customer visits
    Then the customer is greeted

  Rule: Fruit has a price

    What is not on the list is not sold.

    Background:
      Given a price list
        | fruit | price |
        | apple | 1     |
        | pear  | 2     |

    Scenario Outline: <fruit> is sold for <price>
      When a customer asks for <fruit>
        """yaml
        fruit: <fruit>
        """
      Then it costs <price>

      @cheap
      Examples: what is cheap
        | fruit | price |
        | apple | 1     |
        | pear  | 1     |

      Examples:
        | fruit  | price |
        | lychee | 9     |

  Rule: Not everything works

    Example: the shop is haunted
      When nobody wrote this step
      Then the customer is greeted

    Example: the till is broken
      When a customer visits
      Then the till opens
      And the customer is greeted

    Example: there is no delivery yet
      Then delivery is not there yet
      And the customer is greeted

    @skip
    Example: on holidays
      When a customer visits

    Example: prices are fair
      Then it is expected to fail

    @xfail
    Example: service is better than expected
      When a customer visits

    @needs_permission
    Example: with a permission
      When a customer visits

    Example: cleaning up fails
      Given a mess

    @never
    Example: nobody selects this
      When a customer visits
'''

STEPS = """\
import pytest
from pytest_bdd import given, parsers, scenarios, then, when
from gitops_e2e.errors import HarnessError

scenarios(".")

@pytest.fixture
def till():
    raise HarnessError("the till is locked", where="the counter", remedy="find the key")

@pytest.fixture
def permission():
    raise HarnessError("the permission was refused")

@pytest.fixture
def mess():
    yield
    raise HarnessError("the mess stays")

@given("a shop")
def _(): pass

@given("a price list", target_fixture="prices")
def _(datatable):
    return {fruit: price for fruit, price in datatable[1:]}

@given("a mess")
def _(mess): pass

@when("a customer visits")
def _(attach):
    attach("visitors' book", "text/plain", "a customer was here")

@when(parsers.parse("a customer asks for {fruit}"), target_fixture="asked")
def _(fruit, docstring):
    return fruit

@then("the customer is greeted")
def _(): pass

@then(parsers.parse("it costs {price}"))
def _(prices, asked, price, attach):
    attach("receipt", "application/json", '{"paid": 1}')
    assert prices[asked] == price, f"{asked} costs {prices[asked]}"

@then("the till opens")
def _(till): pass

@then("delivery is not there yet")
def _():
    pytest.skip("there is no delivery")

@then("it is expected to fail")
def _():
    pytest.xfail("prices are never fair")
"""

CONFTEST = """\
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("needs_permission"):
            item.fixturenames.insert(0, "permission")
"""


def write(folder: Path, *, shop: str = SHOP, steps: str = STEPS, conftest: str = CONFTEST) -> None:
    """Write the sample's features and steps."""
    (folder / "features").mkdir()
    (folder / "features/shop.feature").write_text(shop)
    (folder / "features/test_features.py").write_text(steps)
    (folder / "conftest.py").write_text(conftest)


def command(folder: Path, *options: str) -> list[str]:
    """What runs it, with the hooks that record and publish."""
    plugins = ("-pfixtures.reporting", "-pfixtures.recording", "-pfixtures.publishing")
    fixed = ("-c/dev/null", f"--rootdir={folder}", "--tb=short", "-pno:cacheprovider", f"--reports={folder}/reports")
    return [sys.executable, "-m", "pytest", *plugins, *fixed, *options, str(folder / "features")]


def run(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(folder, *options),
        cwd=REPOSITORY,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def recorded(folder: Path) -> RunRecord:
    """What its last run recorded."""
    return RunFolder.last(folder / "reports").read(str)
