"""The pictures of a rollback: the marks and numbers that people look for, in colours that both themes have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops_e2e import report
from gitops_e2e.report.pictures.album import pictures
from gitops_e2e.report.pictures.drawing import Picture
from gitops_e2e.report.pictures.observations import (
    Answers,
    Asked,
    Course,
    Happening,
    Memory,
    Observation,
    PodMemory,
    media_type,
    to_json,
)
from gitops_e2e.report.record import Attachment, ScenarioRecord
from tests.recorded import idle_cache, play, recording

BEGAN = datetime(2026, 11, 27, 8, 0, 0, tzinfo=UTC)
MIB = 2**20
STYLE = (Path(report.__file__).parent / "templates/style.css").read_text()


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def course() -> Course:
    """What was recorded of a rollback, 0.3 s from one thing to the next."""
    cache = idle_cache()
    play(cache, recording("rollback"))
    told = cache.timeline.entries("rollback")
    entries = [
        Happening(at(0.3 * index), "rollback", each.kind, each.name, each.what, each.text, each.data)
        for index, each in enumerate(told)
    ]
    return Course({"prod": "rollback"}, tuple(entries))


def memory() -> Memory:
    canary = PodMemory("shop-76cd6657d9-8jld4", "canary", ((at(10), 20 * MIB), (at(12), 298 * MIB)))
    stable = PodMemory("shop-c99cd8457-x2x4z", "stable", ((at(8), 90 * MIB), (at(12), 91 * MIB)))
    return Memory("prod", 150 * MIB, "max(memory)", (canary, stable))


def asked() -> Asked:
    answers = [Answers(at(8), "0.9.0", None, 20), Answers(at(9), "0.9.0", None, 18)]
    return Asked("prod", "/health", (*answers, Answers(at(9), None, "timed out", 2)))


@pytest.fixture(scope="module")
def drawn() -> Mapping[str, Picture]:
    """The pictures by their titles."""
    observations: tuple[Observation, ...] = (course(), memory(), asked())
    kept = tuple(Attachment("kept", media_type(each), to_json(each)) for each in observations)
    scenario = ScenarioRecord("a.feature", "a rollback", 1, None, {}, "passed", BEGAN, 30.0, (), kept)
    return {picture.title: picture for picture in pictures(scenario)}


def test_there_is_one_of_each(drawn: Mapping[str, Picture]) -> None:
    assert list(drawn) == [
        "Memory of the pods in prod",
        "Rollout in prod",
        "Requests to the stable Service of prod",
        "The way through the stages",
    ]


def test_memory_stands_against_the_limit_with_the_steps_of_the_rollout(drawn: Mapping[str, Picture]) -> None:
    picture = drawn["Memory of the pods in prod"]
    assert picture.caption.startswith("The heaviest canary pod used 298 MiB; the limit is 150 MiB (150 MB).")
    for words in ("limit 150 MiB", "step 1, weight 20", "aborted", "canary 8jld4", "stable x2x4z"):
        assert f">{words}<" in picture.svg
    assert ("canary", "shop-76cd6657d9-8jld4", "10 to 12", "20.0", "298.0", "1 of 2") in picture.table.rows
    assert ("stable", "shop-c99cd8457-x2x4z", "8 to 12", "90.0", "91.0", "0 of 2") in picture.table.rows
    measured = [row for row in picture.table.rows if row[0] == "analysis"]
    assert [row[1] for row in measured] == ["measurement: Failed"]


def test_an_abort_hides_no_step_behind_it(drawn: Mapping[str, Picture]) -> None:
    marks = re.findall(r">(step \d+, weight \d+|aborted)<", drawn["Memory of the pods in prod"].svg)
    assert marks.count("aborted") == 1
    assert "step 0, weight 0" not in marks


def test_the_rollouts_weight_and_the_sizes_of_its_replica_sets(drawn: Mapping[str, Picture]) -> None:
    picture = drawn["Rollout in prod"]
    assert picture.caption == "The canary's weight went 0 % → 20 % → 0 %, as the rollout was aborted."
    assert {row[1] for row in picture.table.rows} == {"Rollout", "ReplicaSet"}
    assert any("aborted" in row[3].lower() for row in picture.table.rows)


def test_requests_that_were_lost_are_told_apart(drawn: Mapping[str, Picture]) -> None:
    picture = drawn["Requests to the stable Service of prod"]
    assert picture.caption == "40 requests to /health: answered 38 by release 0.9.0; 2 lost."
    assert ("no good answer: timed out", "2", "9", "9") in picture.table.rows


def test_the_lanes_tell_what_became_of_the_rollout_and_its_analysis(drawn: Mapping[str, Picture]) -> None:
    states = {(row[0], row[2]) for row in drawn["The way through the stages"].table.rows}
    assert {("prod Rollout", "Degraded"), ("prod analysis", "Failed")} <= states


def test_all_colours_are_the_themes(drawn: Mapping[str, Picture]) -> None:
    for picture in drawn.values():
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', picture.svg)) - {"none", "transparent"}
        foreign = {each for each in colours if not each.startswith("var(--")}
        assert not foreign, f"{picture.title}: {foreign}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(theme: str) -> None:
    (block, *_) = re.findall(rf"color-scheme: {theme};([^}}]*)}}", STYLE)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    lines = [name for name in colours if name.startswith("series-")]
    assert len(lines) == 6
    for name in ("text", "muted", "link", "good", "bad", "waiting", "idle", *lines):
        contrast = _contrast(colours[name], colours["ground"])
        assert contrast >= 4.5, f"{name} on the ground: {contrast:.2f}"


def _contrast(one: str, other: str) -> float:
    """As WCAG 2 has it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
