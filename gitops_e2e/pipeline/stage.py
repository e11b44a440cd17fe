"""A Stage of Kargo: which Freight it has, whether it is healthy with it, and what its verification says.

How Kargo (1.8) behaves, as far as expectations rest on it:
- Freight becomes current when its Promotion has succeeded; health and verification are of the current Freight.
- While a Promotion is current, and for 10 s after a sync, health is Unknown and Ready flaps between ActivePromotion
  and ReconcileError. Once the stage is done, Ready is True for the reason Verified.
- A paused or progressing Rollout makes the stage Progressing, an aborted one Unhealthy. Only a Healthy stage verifies.
- A verification that ended is final until somebody asks for another one, by annotation.
- Which Promotion came last is told by comparing their names as strings: one whose name sorts before the last one's
  runs, but its result is never taken over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.analysis import ANALYSIS_RUNS, AnalysisRun
from gitops_e2e.pipeline.kargo import STAGES, Image, has_tag
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.promotion import FINAL
from gitops_e2e.pipeline.reading import Condition, conditions
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

# Long enough for a Promotion or a verification that was asked for a moment ago to take the place of the one before.
_PATIENCE = 15.0


@dataclass(frozen=True)
class Verification:
    """One verification of the current Freight. `run` is its AnalysisRun, "" where being healthy is enough."""

    id: str
    phase: str
    message: str
    run: str

    @staticmethod
    def of(entry: Manifest) -> Verification:
        """The verification that an entry of `verificationHistory` describes."""
        run = (entry.get("analysisRun") or {}).get("name", "")
        return Verification(entry.get("id", ""), entry.get("phase", ""), entry.get("message", ""), run)

    @property
    def is_over(self) -> bool:
        """Whether its phase is final."""
        return self.phase in {"Successful", "Failed", "Error", "Aborted", "Inconclusive"}

    def __str__(self) -> str:
        return (self.phase or "begun") + (f" ({self.message})" if self.message else "")


@dataclass(frozen=True)
class LastPromotion:
    """The Promotion whose result the stage took over last."""

    name: str
    phase: str
    message: str
    images: tuple[Image, ...]

    @staticmethod
    def of(status: Manifest) -> LastPromotion | None:
        """The one that a stage's status describes."""
        last = status.get("lastPromotion")
        if not last:
            return None
        result = last.get("status") or {}
        images = Image.all_of(last.get("freight") or {})
        return LastPromotion(last["name"], result.get("phase", ""), result.get("message", ""), images)


@dataclass(frozen=True)
class Stage:
    """A Stage. `freight` are the names of its current Freight, `images` what that consists of.

    `verifications` are of the current Freight, the newest first; `promoting` is the Promotion that it lets run.
    """

    name: str
    freight: tuple[str, ...]
    images: tuple[Image, ...]
    health: str
    issues: tuple[str, ...]
    verifications: tuple[Verification, ...]
    promoting: str
    last: LastPromotion | None
    promotes_by_itself: bool
    looked: str
    conditions: tuple[Condition, ...]

    @staticmethod
    def of(manifest: Manifest) -> Stage:
        """The Stage that a manifest describes."""
        status = manifest.get("status") or {}
        history = status.get("freightHistory") or [{}]
        current = list((history[0].get("items") or {}).values())
        health = status.get("health") or {}
        return Stage(
            name=manifest["metadata"]["name"],
            freight=tuple(each["name"] for each in current),
            images=tuple(image for each in current for image in Image.all_of(each)),
            health=health.get("status", ""),
            issues=tuple(health.get("issues") or ()),
            verifications=tuple(map(Verification.of, history[0].get("verificationHistory") or [])),
            promoting=(status.get("currentPromotion") or {}).get("name", ""),
            last=LastPromotion.of(status),
            promotes_by_itself=bool(status.get("autoPromotionEnabled")),
            looked=status.get("lastHandledRefresh", ""),
            conditions=conditions(manifest),
        )

    @property
    def verification(self) -> Verification | None:
        """The newest verification of the current Freight."""
        return self.verifications[0] if self.verifications else None

    @property
    def ready(self) -> Condition:
        """Whether it is done with its Freight; an empty condition where nothing is said."""
        return next((each for each in self.conditions if each.type == "Ready"), Condition("Ready", "Unknown", "", ""))

    @property
    def state(self) -> str:
        """Where it stands, in the controller's words."""
        words = [f"has {', '.join(map(str, self.images)) or 'no Freight'}", self.health or "no health"]
        words += [*self.issues, f"verification {self.verification}" if self.verification else "not verified yet"]
        if self.promoting:
            words.append(f"promoting {self.promoting}")
        elif self.last and self.last.phase != "Succeeded":
            words.append(f"last Promotion {self.last.phase}: {self.last.message}")
        return "; ".join(words)

    def has(self, version: str) -> bool:
        """Whether its current Freight has an image of that tag."""
        return has_tag(self.images, version)


@dataclass(frozen=True)
class WatchedStage:
    """A Stage by name."""

    cache: WatchCache
    names: PipelineNames
    name: str

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"Stage {self.name} in {self.names.project}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where it is."""
        return frozenset({Place(STAGES, self.names.project)})

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timelines explain it: the project's, and that of what it deploys."""
        return (self.names.project, self.names.namespace(self.name))

    def read(self, snapshot: Snapshot) -> Stage | Pending:
        """The Stage as it is."""
        manifest = snapshot.find(STAGES, self.names.project, self.name)
        return Pending("there is no such Stage") if manifest is None else Stage.of(manifest)

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """What the controller says about it."""
        manifest = snapshot.find(STAGES, self.names.project, self.name)
        return [str(each) for each in conditions(manifest)] if manifest else []


@dataclass(frozen=True)
class WatchedVerification:
    """The AnalysisRun by which a stage verifies a release; expectations are those of `analysis`."""

    stage: WatchedStage
    version: str

    @property
    def cache(self) -> WatchCache:
        """Where it is watched."""
        return self.stage.cache

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"Verification of {self.version} by {self.stage.title}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where it and the stage are."""
        return self.stage.scope | {Place(ANALYSIS_RUNS, self.stage.names.project)}

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timelines explain it."""
        return self.stage.namespaces

    def read(self, snapshot: Snapshot) -> AnalysisRun | Pending | Impossible:
        """The run of the newest verification; Impossible when that ended without one."""
        stage = self.stage.read(snapshot)
        if not isinstance(stage, Stage):
            return stage
        if not stage.has(self.version) or stage.verification is None:
            return _hopeless(stage, self.version) or Pending(f"none yet: the stage {stage.state}")
        run = snapshot.find(ANALYSIS_RUNS, self.stage.names.project, stage.verification.run)
        if run is not None:
            return AnalysisRun.of(run)
        if stage.verification.is_over:
            return Impossible(f"ended without an analysis: {stage.verification}")
        return Pending(f"no analysis yet: {stage.verification}")

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """What was measured, and the stage's conditions."""
        run = self.read(snapshot)
        measured = list(map(str, run.metrics)) if isinstance(run, AnalysisRun) else []
        return [*measured, *self.stage.conditions(snapshot)]


# --- what it cannot leave by itself


def _hopeless(stage: Stage, version: str) -> Impossible | None:
    """Why a release will not come into the stage by itself, however long one waits."""
    last = stage.last
    over = last and not stage.promoting and last.phase in FINAL - {"Succeeded"} and has_tag(last.images, version)
    if last and over and not stage.has(version):
        return Impossible(f"its Promotion {last.name} ended {last.phase}: {last.message}", lasting=_PATIENCE)
    return None


# --- expectations


def has_freight(version: str) -> Expectation[Stage]:
    """A release was promoted to it with success, and none after it."""

    def judge(stage: Stage) -> Verdict:
        return Met(stage.state) if stage.has(version) else _hopeless(stage, version) or Pending(stage.state)

    return expectation(f"has Freight of {version}", judge)


def has_no_freight() -> Expectation[Stage]:
    """Nothing was promoted to it so far: what it has, it never gives away."""
    return expectation("has no Freight", lambda stage: (Impossible if stage.freight else Met)(stage.state))


def promotes_by_hand() -> Expectation[Stage]:
    """No policy lets it take new Freight by itself."""

    def judge(stage: Stage) -> Verdict:
        if stage.promotes_by_itself:
            return Impossible(f"it takes new Freight by itself; {stage.state}")
        return Met(stage.state)

    return expectation("takes no Freight by itself", judge)


def promotes_by_itself() -> Expectation[Stage]:
    """A policy lets it take new Freight by itself; that is seen to when it looks."""

    def judge(stage: Stage) -> Verdict:
        if stage.promotes_by_itself:
            return Met(stage.state)
        return Impossible(f"no policy lets it take new Freight by itself; {stage.state}")

    return expectation("takes new Freight by itself", judge)


def is_healthy_with(version: str) -> Expectation[Stage]:
    """It is Healthy, and that is said of that release."""
    return _has_health("Healthy", version)


def is_progressing_with(version: str) -> Expectation[Stage]:
    """The release is on its way in: its Rollout progresses, or pauses."""
    return _has_health("Progressing", version)


def is_unhealthy_with(version: str, because: str = "") -> Expectation[Stage]:
    """It is Unhealthy with that release, and one of its issues has these words."""
    return _has_health("Unhealthy", version, because)


def _has_health(health: str, version: str, because: str = "") -> Expectation[Stage]:
    def judge(stage: Stage) -> Verdict:
        if not stage.has(version):
            return _hopeless(stage, version) or Pending(stage.state)
        so = stage.health == health and not stage.promoting
        return Met(stage.state) if so and because.lower() in "; ".join(stage.issues).lower() else Pending(stage.state)

    return expectation(f"is {health} with {version}" + (f" because of {because!r}" if because else ""), judge)


def is_ready_with(version: str) -> Expectation[Stage]:
    """It is done with that release: Healthy, verified, nothing under way."""

    def judge(stage: Stage) -> Verdict:
        if stage.has(version) and stage.ready.status == "True":
            return Met(f"{stage.ready}; {stage.state}")
        return _hopeless(stage, version) or Pending(f"{stage.ready}; {stage.state}")

    return expectation(f"is Ready with {version}", judge)


def has_verified(version: str) -> Expectation[Stage]:
    """The newest verification of that release was Successful."""
    return _verification_ends("Successful", version)


def has_verification(phase: str, version: str, because: str = "") -> Expectation[Stage]:
    """The newest verification of that release ended Failed, Error, Aborted or Inconclusive, with these words."""
    return _verification_ends(phase, version, because)


def _verification_ends(phase: str, version: str, because: str = "") -> Expectation[Stage]:
    def judge(stage: Stage) -> Verdict:
        if not stage.has(version):
            return _hopeless(stage, version) or Pending(stage.state)
        verification = stage.verification
        if verification is None or not verification.is_over:
            return Pending(stage.state)
        if verification.phase == phase and because.lower() in verification.message.lower():
            return Met(stage.state)
        return Impossible(f"the verification ended {verification}", lasting=_PATIENCE)

    why = f" because of {because!r}" if because else ""
    return expectation(f"has a verification of {version} that ended {phase}{why}", judge)


def has_taken_over(promotion: str) -> Expectation[Stage]:
    """The result of that Promotion is the stage's last one."""

    def judge(stage: Stage) -> Verdict:
        last = stage.last
        if last and last.name == promotion:
            return Met(stage.state)
        if last and last.name > promotion:
            return Impossible(
                f"Kargo compares the names of Promotions as strings, and {promotion} sorts before {last.name}, whose "
                "result the stage has: it runs, but its result is never taken over. Name Promotions as Kargo does: "
                "<stage>.<ULID in lower case>.<first 7 digits of the Freight's name>"
            )
        return Pending(stage.state)

    return expectation(f"has taken over the result of {promotion}", judge)


def is_promoting(promotion: str) -> Expectation[Stage]:
    """It lets that Promotion run."""

    def judge(stage: Stage) -> Verdict:
        if stage.promoting == promotion:
            return Met(stage.state)
        if stage.last and stage.last.name == promotion:
            return Impossible(f"that is over: {stage.state}")
        return Pending(stage.state)

    return expectation(f"is promoting {promotion}", judge)


def has_looked(refresh: str) -> Expectation[Stage]:
    """It has answered that refresh."""
    return expectation("has looked", lambda stage: (Met if stage.looked == refresh else Pending)(stage.state))


def is_idle() -> Expectation[Stage]:
    """No Promotion runs."""
    return expectation("is not promoting", lambda stage: (Pending if stage.promoting else Met)(stage.state))


# --- for the timeline


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """What a change of a Stage means: other Freight, another health, what its verification says.

    Health that cannot be told is left out: it comes with every Promotion and goes by itself.
    """
    if after is None:
        yield Fact("gone", "gone")
        return
    old, new = Stage.of(before) if before else None, Stage.of(after)
    if new.freight and new.freight != (old.freight if old else ()):
        images = list(map(str, new.images))
        yield Fact("freight", f"has {', '.join(images)}", {"freight": list(new.freight), "images": images})
    if new.health not in {"", "Unknown"} and (new.health, new.issues) != ((old.health, old.issues) if old else ()):
        issues = f": {'; '.join(new.issues)}" if new.issues else ""
        yield Fact("health", f"{new.health}{issues}", {"health": new.health, "issues": list(new.issues)})
    told = {(each.id, each.phase) for each in old.verifications} if old else set()
    for each in reversed(new.verifications):
        if (each.id, each.phase) not in told:
            data = {"phase": each.phase, "message": each.message, "run": each.run}
            yield Fact("verification", f"verification {each}", data)
