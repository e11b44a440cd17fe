"""Plays scenarios on a correct pipeline and on each of their mutants, side by side on one cluster."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import pytest
from pytest_bdd.scenario import scenario_wrapper_template_registry

from fixtures import recording
from fixtures.pipeline import Pipelines
from fixtures.scenarios import failed_step, scenario_of
from gitops_e2e.components.registry import ImageRepositories
from gitops_e2e.harness import Harness
from gitops_e2e.images import Images
from gitops_e2e.images.catalogue import Foreign, Recipe
from gitops_e2e.pipeline.names import SERVICE, STAGES
from gitops_e2e.pipeline.pipeline import RELEASES, Pipeline
from gitops_e2e.pipeline.platform import Platform
from mutants.mutant import Mutant, all_mutants
from mutants.verdict import Verdict, judge

PROPERTY = "gitops_e2e_mutant"
"""The property of a TestReport that holds the verdict on a mutant, as JSON."""

CORRECT = "correct"
"""What the scenario of a pipeline without a fault is called."""

IN_A_ROW = ("a release goes through dev and staging", 30)
"""A scenario that the correct pipeline has to pass so many times."""

_EXAMPLE, _MUTANT = "_pytest_bdd_example", "mutant"


@pytest.fixture(autouse=True)
def mutant(request: pytest.FixtureRequest) -> Mutant | None:
    """What is wrong with the scenario's pipeline; None: nothing."""
    return getattr(request, "param", None)


@pytest.fixture
def platform(platform: Platform, harness: Harness, mutant: Mutant | None, tmp_path: Path) -> Platform:
    """What a scenario makes its pipelines on, and from: what is broken, for a mutant."""
    if mutant is None:
        return platform
    folder = tmp_path / mutant.name
    mutant.make(folder)
    broken = replace(platform, manifests=folder / "manifests", kargo=folder / "kargo")
    if SERVICE not in mutant.changed:
        return broken
    images = _with_next_release_of(harness.images, folder / SERVICE)
    return replace(broken, images=ImageRepositories(images, harness.registry))


@pytest.fixture
def demo(request: pytest.FixtureRequest, mutant: Mutant | None) -> Pipeline:
    """The demo pipeline, or one like it that is broken."""
    if mutant is None:
        pipeline: Pipeline = request.getfixturevalue("demo")
        return pipeline
    pipelines: Pipelines = request.getfixturevalue("pipelines")
    return pipelines.create(STAGES)


# --- which scenarios


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play a scenario as it is, and once for each mutant that it has to catch."""
    template = scenario_wrapper_template_registry.get(metafunc.function)
    if template is None:
        return
    name, times = IN_A_ROW
    correct = [pytest.param(None, id=CORRECT)] * (times if template.name == name else 1)
    broken = [pytest.param(each, id=each.name) for each in _mutants() if each.scenario == template.name]
    metafunc.parametrize(_MUTANT, [*correct, *broken], indirect=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let those be that no mutant is for."""
    wanted: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        (wanted if _is_wanted(item) else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = wanted


def _is_wanted(item: pytest.Item) -> bool:
    template = scenario_of(item)
    if template is None:
        return False
    if template.name == IN_A_ROW[0] and _mutant(item) is None:
        return True
    return any(_fits(each, item) for each in _mutants() if _mutant(item) in {None, each})


def _fits(mutant: Mutant, item: pytest.Item) -> bool:
    template = scenario_of(item)
    example: dict[str, str] = item.callspec.params.get(_EXAMPLE, {}) if isinstance(item, pytest.Function) else {}  # type: ignore[assignment]
    fits = not example or mutant.example in example.values()
    return template is not None and template.name == mutant.scenario and fits


@cache
def _mutants() -> Sequence[Mutant]:
    return all_mutants()


def _mutant(item: pytest.Item) -> Mutant | None:
    callspec = getattr(item, "callspec", None)
    found: Mutant | None = callspec.params.get(_MUTANT) if callspec else None
    return found


# --- what becomes of them


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A mutant's scenario passes if it fails as it has to. The report's pages are about the correct pipeline alone."""
    report = yield
    mutant = _mutant(item)
    if mutant is None:
        return report
    report.user_properties = [each for each in report.user_properties if each[0] != recording.PROPERTY]
    if report.when != "call" and not report.failed:
        return report
    error = call.excinfo.value if call.excinfo else None
    step = failed_step(item) if report.when == "call" else None
    verdict = judge(mutant, step, error, report.longreprtext, call.duration)
    report.user_properties.append((PROPERTY, json.dumps(asdict(verdict))))
    if verdict.why_not:
        report.outcome = "failed"
        report.longrepr = f"{mutant.sentence}\n  this was not caught: {verdict.why_not}\n{report.longreprtext}"
    else:
        report.outcome, report.longrepr = "passed", None
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of mutants, and how often the correct pipeline passed."""
    verdicts = sorted(_verdicts(terminalreporter), key=lambda each: each.mutant)
    if not verdicts:
        return
    terminalreporter.section("mutants")
    for verdict in verdicts:
        caught = f"caught by: {verdict.step}" if not verdict.why_not else f"NOT CAUGHT: {verdict.why_not}"
        terminalreporter.line(f"{verdict.mutant} ({verdict.seconds:.0f} s) {caught}")
        terminalreporter.line(f"    {verdict.said[:200]}")
    count = sum(not verdict.why_not for verdict in verdicts)
    passed, failed = (_played_correct(terminalreporter, outcome) for outcome in ("passed", "failed"))
    terminalreporter.line(
        f"{count} of {len(verdicts)} mutants caught; the correct pipeline passed {passed} of {passed + failed} times"
    )


def _verdicts(reporter: pytest.TerminalReporter) -> Iterator[Verdict]:
    for report in _reports(reporter, "passed", "failed", "error"):
        yield from (Verdict(**json.loads(str(value))) for name, value in report.user_properties if name == PROPERTY)


def _played_correct(reporter: pytest.TerminalReporter, outcome: str) -> int:
    """How many scenarios of the correct pipeline ended so."""
    reports = _reports(reporter, outcome)
    return sum(report.when == "call" and CORRECT in report.nodeid.rpartition("[")[2] for report in reports)


def _reports(reporter: pytest.TerminalReporter, *outcomes: str) -> Iterator[pytest.TestReport]:
    for outcome in outcomes:
        yield from (each for each in reporter.getreports(outcome) if isinstance(each, pytest.TestReport))


def _with_next_release_of(images: Images, folder: Path) -> Images:
    """The same images, but for the newest release of the service, which is made from that folder."""

    def broken(image: Recipe | Foreign) -> Recipe | Foreign:
        if isinstance(image, Recipe) and image.key == f"{SERVICE}:{RELEASES[-1]}":
            return replace(image, elsewhere=folder)
        return image

    return replace(images, groups=tuple(tuple(broken(each) for each in group) for group in images.groups))
