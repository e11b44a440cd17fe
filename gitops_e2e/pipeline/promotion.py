"""A Promotion of Kargo: a piece of Freight on its way into a stage, step by step.

How Kargo (1.8) behaves, as far as expectations rest on it:
- Succeeded, Failed, Errored and Aborted are final. Failed is practically never seen: a step that fails makes the
  Promotion Errored. It ends with the sync: how the canary fares afterwards is the stage's health.
- Its steps are written down when they all are done, or when one of them has to be waited for.
- An auto-promotion that did not succeed is never repeated.
- A stage runs one after the other, and compares their names as strings (see `stage.has_taken_over`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.freight import Freight, WatchedFreight
from gitops_e2e.pipeline.kargo import PROMOTIONS
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.reading import time_of
from gitops_e2e.watching import (
    Expectation,
    Fact,
    Impossible,
    Met,
    Pending,
    Place,
    Snapshot,
    Verdict,
    WatchCache,
    expectation,
)

FINAL = frozenset({"Succeeded", "Failed", "Errored", "Aborted"})
"""The phases that a Promotion never leaves."""


@dataclass(frozen=True)
class Step:
    """What became of one step. `alias` is as the Promotion has it: "promote::push" for step `push` of that task."""

    alias: str
    status: str
    message: str
    errors: int

    @staticmethod
    def of(record: Manifest) -> Step:
        """The step that an entry of `stepExecutionMetadata` describes."""
        return Step(
            record.get("alias", ""), record.get("status", ""), record.get("message", ""), record.get("errorCount", 0)
        )

    @property
    def name(self) -> str:
        """The alias within its task."""
        return self.alias.rpartition("::")[2]

    def __str__(self) -> str:
        return f"{self.name} {self.status}" + (f" ({self.message})" if self.message else "")


@dataclass(frozen=True)
class Promotion:
    """A Promotion. `outputs` is by the steps' aliases."""

    name: str
    created: datetime | None
    stage: str
    freight: str
    phase: str
    message: str
    steps: tuple[Step, ...]
    outputs: Mapping[str, Any]
    started: datetime | None
    finished: datetime | None

    @staticmethod
    def of(manifest: Manifest) -> Promotion:
        """The Promotion that a manifest describes."""
        metadata, status = manifest["metadata"], manifest.get("status") or {}
        return Promotion(
            name=metadata["name"],
            created=time_of(metadata.get("creationTimestamp")),
            stage=manifest["spec"]["stage"],
            freight=manifest["spec"]["freight"],
            phase=status.get("phase", ""),
            message=status.get("message", ""),
            steps=tuple(map(Step.of, status.get("stepExecutionMetadata") or [])),
            outputs=status.get("state") or {},
            started=time_of(status.get("startedAt")),
            finished=time_of(status.get("finishedAt")),
        )

    @property
    def is_over(self) -> bool:
        """Whether its phase is final."""
        return self.phase in FINAL

    @property
    def commit(self) -> str:
        """The commit that it left on the stage's branch, "" while it has pushed nothing."""
        pushed = [each for each in self.outputs.values() if isinstance(each, dict) and "branch" in each]
        return str(pushed[-1].get("commit", "")) if pushed else ""

    @property
    def state(self) -> str:
        """Where it stands, in the controller's words."""
        message = f" ({self.message})" if self.message else ""
        steps = f": {', '.join(f'{each.name} {each.status}' for each in self.steps)}" if self.steps else ""
        return f"{self.phase or 'created'}{message}{steps}"

    def step(self, name: str) -> Step | None:
        """The step of that alias, with its task's or without."""
        return next((each for each in self.steps if name in {each.alias, each.name}), None)


@dataclass(frozen=True)
class WatchedPromotion:
    """A Promotion by name."""

    cache: WatchCache
    names: PipelineNames
    stage: str
    name: str

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"Promotion {self.name} in {self.names.project}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where it is."""
        return frozenset({Place(PROMOTIONS, self.names.project)})

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timelines explain it: the project's, and that of what it deploys."""
        return (self.names.project, self.names.namespace(self.stage))

    def read(self, snapshot: Snapshot) -> Promotion | Pending:
        """The Promotion, once it is there."""
        manifest = snapshot.find(PROMOTIONS, self.names.project, self.name)
        return Pending("there is no such Promotion") if manifest is None else Promotion.of(manifest)

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """What became of its steps."""
        return _steps(self.read(snapshot))


@dataclass(frozen=True)
class NewestPromotion:
    """The newest Promotion of a release to a stage, whoever created it.

    Within a second the name tells which is newer, as Kargo's own names sort as they were made.
    """

    freight: WatchedFreight
    stage: str

    @property
    def cache(self) -> WatchCache:
        """Where it is watched."""
        return self.freight.cache

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"Promotion of {self.freight.version} to {self.stage} in {self.freight.names.project}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where it and the Freight are."""
        return self.freight.scope | {Place(PROMOTIONS, self.freight.names.project)}

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timelines explain it: the project's, and that of what it deploys."""
        return (self.freight.names.project, self.freight.names.namespace(self.stage))

    def read(self, snapshot: Snapshot) -> Promotion | Pending:
        """The Promotion, once the Freight and it are there."""
        freight = self.freight.read(snapshot)
        if not isinstance(freight, Freight):
            return Pending(f"Freight of {self.freight.version}: {freight.observed}")
        promotions = sorted(snapshot.all(PROMOTIONS, self.freight.names.project), key=_age)
        wanted = (self.stage, freight.name)
        found = [each for each in map(Promotion.of, promotions) if (each.stage, each.freight) == wanted]
        return found[-1] if found else Pending(f"none yet of {freight.state}")

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """What became of its steps."""
        return _steps(self.read(snapshot))


def has_begun(snapshot: Snapshot, project: str, name: str) -> bool:
    """Whether a Promotion was there and had begun to run at that moment. Raises Blind."""
    manifest = snapshot.find(PROMOTIONS, project, name)
    return manifest is not None and Promotion.of(manifest).phase not in {"", "Pending"}


def _age(promotion: Manifest) -> tuple[str, str]:
    metadata = promotion["metadata"]
    return str(metadata.get("creationTimestamp", "")), str(metadata["name"])


def _steps(reading: Promotion | Pending) -> list[str]:
    return list(map(str, reading.steps)) if isinstance(reading, Promotion) else []


# --- expectations


def is_created() -> Expectation[Promotion]:
    """It is there, whatever became of it."""
    return expectation("is created", lambda promotion: Met(promotion.state))


def is_running() -> Expectation[Promotion]:
    """The stage lets it run."""

    def judge(promotion: Promotion) -> Verdict:
        if promotion.phase == "Running":
            return Met(promotion.state)
        return Impossible(f"it is over: {promotion.state}") if promotion.is_over else Pending(promotion.state)

    return expectation("is Running", judge)


def is_at(step: str) -> Expectation[Promotion]:
    """It waits for that step, given by its alias within the task."""

    def judge(promotion: Promotion) -> Verdict:
        found = promotion.step(step)
        if promotion.phase == "Running" and found and found.status == "Running":
            return Met(promotion.state)
        return Impossible(f"it is over: {promotion.state}") if promotion.is_over else Pending(promotion.state)

    return expectation(f"is at step {step}", judge)


def is_held_at(step: str) -> Expectation[Promotion]:
    """That step failed and is to be tried again."""

    def judge(promotion: Promotion) -> Verdict:
        found = promotion.step(step)
        if promotion.phase == "Running" and found and found.status == "Errored":
            return Met(promotion.state)
        return Impossible(f"it is over: {promotion.state}") if promotion.is_over else Pending(promotion.state)

    return expectation(f"is held at step {step}", judge)


def succeeds() -> Expectation[Promotion]:
    """It ends Succeeded: all steps did, or had nothing to do."""
    return _ends("Succeeded")


def is_errored(because: str = "") -> Expectation[Promotion]:
    """It ends Errored, with these words in its message."""
    return _ends("Errored", because)


def is_aborted(because: str = "") -> Expectation[Promotion]:
    """Somebody ended it, with these words in its message."""
    return _ends("Aborted", because)


def is_over() -> Expectation[Promotion]:
    """It ends, in whatever way."""
    return expectation("is over", lambda promotion: (Met if promotion.is_over else Pending)(promotion.state))


def skipped(step: str) -> Expectation[Promotion]:
    """It ends Succeeded, and that step had nothing to do."""

    def judge(promotion: Promotion) -> Verdict:
        found = promotion.step(step)
        if found and found.status == "Skipped":
            return Met(promotion.state)
        return Impossible(f"step {step} was {found.status if found else 'not there'}: {promotion.state}")

    return _ends("Succeeded", how=f" without anything to do for step {step}", judge=judge)


def _ends(
    phase: str,
    because: str = "",
    how: str = "",
    judge: Callable[[Promotion], Verdict] = lambda promotion: Met(promotion.state),
) -> Expectation[Promotion]:
    def judge_end(promotion: Promotion) -> Verdict:
        if promotion.phase != phase:
            return Impossible(f"ended {promotion.state}") if promotion.is_over else Pending(promotion.state)
        if because.lower() not in promotion.message.lower():
            return Impossible(f"for another reason: {promotion.state}")
        return judge(promotion)

    return expectation(f"ends {phase}{how}" + (f" because of {because!r}" if because else ""), judge_end)


# --- for the timeline


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """What a change of a Promotion means: created, its phase, what became of each step, the commit it pushed."""
    if after is None:
        yield Fact("gone", "gone")
        return
    old, new = Promotion.of(before) if before else None, Promotion.of(after)
    if old is None:
        data = {"stage": new.stage, "freight": new.freight}
        yield Fact("created", f"Freight {new.freight[:7]} is to be promoted to {new.stage}", data)
    known = {(each.alias, each.status) for each in old.steps} if old else set()
    for step in new.steps:
        if (step.alias, step.status) not in known:
            data = {"stage": new.stage, "step": step.alias, "status": step.status, "message": step.message}
            yield Fact("step", f"step {step}", data)
    if new.commit and new.commit != (old.commit if old else ""):
        yield Fact("commit", f"pushed {new.commit[:7]}", {"stage": new.stage, "commit": new.commit})
    if new.phase and new.phase != (old.phase if old else ""):
        message = f": {new.message}" if new.message else ""
        data = {"stage": new.stage, "phase": new.phase, "message": new.message}
        yield Fact("phase", f"{new.phase}{message}", data)
