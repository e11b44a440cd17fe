"""How a demo is: each component, the Warehouse and each stage, with what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import requests

from gitops_e2e.components.component import Component
from gitops_e2e.components.workload import WorkloadSubject, is_rolled_out
from gitops_e2e.demo.demo import Demo
from gitops_e2e.errors import HarnessError
from gitops_e2e.pipeline.application import Application
from gitops_e2e.pipeline.endpoint import NoAnswer
from gitops_e2e.pipeline.names import SERVICE, STAGES
from gitops_e2e.pipeline.promotion import FINAL
from gitops_e2e.pipeline.reading import short_image
from gitops_e2e.pipeline.rollout import Rollout
from gitops_e2e.pipeline.stage import Stage
from gitops_e2e.pipeline.warehouse import Warehouse
from gitops_e2e.watching import ExpectationFailed, Impossible, Pending, Subject, expect

T = TypeVar("T")


@dataclass(frozen=True)
class ComponentHealth:
    """A component: the version that runs, where, and what is wrong with it ("" for nothing)."""

    name: str
    version: str
    namespace: str
    trouble: str


@dataclass(frozen=True)
class StageHealth:
    """A stage by those who have a say about it, in their words; `troubles` are what is wrong."""

    name: str
    release: str
    rollout: str
    application: str
    kargo: str
    endpoint: str
    troubles: tuple[str, ...]


@dataclass(frozen=True)
class Health:
    """A demo at one moment."""

    components: tuple[ComponentHealth, ...]
    warehouse: str
    stages: tuple[StageHealth, ...]
    troubles: tuple[str, ...]
    """All that is wrong, each beginning with the name of what it is wrong with."""

    @staticmethod
    def of(demo: Demo) -> Health:
        """The demo now; it takes as long as the API server needs to tell."""
        demo.seen()
        components = tuple(_component(demo, each) for each in demo.harness.stack.components)
        warehouse, *wrong = _warehouse(demo)
        stages = tuple(_stage(demo, each) for each in STAGES)
        troubles = (
            *(f"{each.name}: {each.trouble}" for each in components if each.trouble),
            *(f"Warehouse: {trouble}" for trouble in wrong),
            *(f"{each.name}: {trouble}" for each in stages for trouble in each.troubles),
        )
        return Health(components, warehouse, stages, troubles)


def _component(demo: Demo, component: Component) -> ComponentHealth:
    troubles = []
    for workload in component.workloads():
        try:
            expect(WorkloadSubject(workload, demo.harness.cache), is_rolled_out(), within=0)
        except ExpectationFailed as failed:
            troubles.append(f"{workload.kind} {workload.name}: {failed.verdict.observed}")
    try:
        version = component.version(demo.harness.kube)
    except HarnessError:
        version = component.pinned()  # nothing of it runs, which is said above
    return ComponentHealth(component.name, version, component.namespace, "; ".join(troubles))


def _warehouse(demo: Demo) -> Iterator[str]:
    """Where it stands; then what is wrong with it. One that is looking is well, as it does so again and again."""
    watched = demo.project.warehouse()
    snapshot = demo.harness.cache.now()
    reading = watched.read(snapshot)
    yield f"discovered {', '.join(reading.tags) or 'nothing'}" if isinstance(reading, Warehouse) else reading.observed
    if isinstance(reading, Warehouse) and reading.ready.status == "False":
        yield str(reading.ready)
    if not watched.is_there(snapshot):
        yield "there is none"
    until = demo.logins.held_until()
    if until and until <= datetime.now(UTC):
        yield f"its login for {demo.settings.ecr} expired at {until:%H:%M} UTC: `credentials refresh` gets another"


def _stage(demo: Demo, name: str) -> StageHealth:
    troubles: list[str] = []
    rollout = _told(demo, demo.rollout(name), rollout_trouble, troubles)
    application = _told(demo, demo.application(name), application_trouble, troubles)
    stage = _told(demo, demo.project.stage(name), stage_trouble, troubles)
    return StageHealth(
        name=name,
        release=_release(rollout) if isinstance(rollout, Rollout) else "",
        rollout=rollout.state if isinstance(rollout, Rollout) else rollout.observed,
        application=f"{application.sync}, {application.health}"
        if isinstance(application, Application)
        else application.observed,
        kargo=kargo_words(stage) if isinstance(stage, Stage) else stage.observed,
        endpoint=_endpoint(demo, name, troubles),
        troubles=tuple(troubles),
    )


def _told(
    demo: Demo, subject: Subject[T], trouble: Callable[[T], str], troubles: list[str]
) -> T | Pending | Impossible:
    """What a subject is; what is wrong with it is added to the troubles."""
    reading = subject.read(demo.harness.cache.now())
    said = reading.observed if isinstance(reading, Pending | Impossible) else trouble(reading)
    if said:
        troubles.append(f"{subject.title}: {said}")
    return reading


def rollout_trouble(rollout: Rollout) -> str:
    """Why its pods do not run what is asked for, or will not; "" where they do or are on their way."""
    if rollout.phase == "Degraded" or rollout.aborted:
        return rollout.state
    return next((trouble.observed for pod in rollout.pods if (trouble := pod.trouble)), "")


def application_trouble(application: Application) -> str:
    """What Argo CD cannot do, or finds broken; "" for nothing."""
    broken = application.health in {"Degraded", "Missing"} or application.operation in {"Failed", "Error"}
    return application.state if broken or application.errors else ""


def stage_trouble(stage: Stage) -> str:
    """What is wrong with a stage by Kargo's account; "" for nothing."""
    failed = stage.last is not None and stage.last.phase in FINAL - {"Succeeded"}
    unproven = stage.verification is not None and stage.verification.phase in {"Failed", "Error", "Inconclusive"}
    return stage.state if stage.health == "Unhealthy" or failed or unproven else ""


def kargo_words(stage: Stage) -> str:
    """Where a stage stands, in a few words."""
    if not stage.freight:
        return "promoting" if stage.promoting else "no Freight yet"
    verified = f", verification {stage.verification.phase}" if stage.verification else ""
    tags = ", ".join(image.tag for image in stage.images)
    return f"{tags} {stage.health or 'no health yet'}{verified}{', promoting' if stage.promoting else ''}"


def _release(rollout: Rollout) -> str:
    """The releases that run: what is stable, and what is on its way."""
    sets = [each for each in (rollout.stable, rollout.canary) if each and each.replicas]
    images = [short_image(image) for each in sets for image in each.images if f"/{SERVICE}:" in image]
    return " → ".join(image.partition(":")[2] for image in images)


def _endpoint(demo: Demo, name: str, troubles: list[str]) -> str:
    endpoint = demo.endpoint(name)
    try:
        answer = endpoint.get("/health")
    except NoAnswer as error:
        troubles.append(str(error.what))
        return "no answer"
    if answer.status != requests.codes.ok:
        troubles.append(str(answer))
    return f"{answer.status} by {answer.version}"
