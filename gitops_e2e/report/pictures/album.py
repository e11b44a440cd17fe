"""All pictures of a scenario."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_e2e.report.pictures.course import Clock, StageCourse, stage_courses
from gitops_e2e.report.pictures.drawing import Picture
from gitops_e2e.report.pictures.lanes import lanes_picture
from gitops_e2e.report.pictures.memory import memory_picture
from gitops_e2e.report.pictures.observations import Asked, Course, Memory, Served, of
from gitops_e2e.report.pictures.requests import asked_picture, served_picture
from gitops_e2e.report.pictures.rollout import rollout_picture
from gitops_e2e.report.record import ScenarioRecord


def pictures(scenario: ScenarioRecord) -> Iterator[Picture]:
    """The pictures that can be drawn from what was kept of the scenario, those first that decide."""
    yield from filter(None, _pictures(scenario))


def _pictures(scenario: ScenarioRecord) -> Iterator[Picture | None]:
    clock = Clock(scenario.started)
    courses: dict[str, StageCourse] = {}
    for course in of(scenario.attachments, Course):
        courses.update((each.stage, each) for each in stage_courses(course))
    for memory in of(scenario.attachments, Memory):
        yield memory_picture(memory, courses.get(memory.stage, StageCourse(memory.stage, ())), clock)
    for each in courses.values():
        yield rollout_picture(each, clock)
    for asked in of(scenario.attachments, Asked):
        yield asked_picture(asked, courses.get(asked.stage, StageCourse(asked.stage, ())), clock)
    for served in of(scenario.attachments, Served):
        yield served_picture(served, courses.get(served.stage, StageCourse(served.stage, ())), clock)
    for course in of(scenario.attachments, Course):
        yield lanes_picture(course, clock)
