"""A Rollout of Argo Rollouts with its ReplicaSets and pods, and what can be expected of it.

How the controller (1.9) behaves, as far as expectations rest on it:
- `status` is about `metadata.generation` only once `status.observedGeneration`, a string, is equal to it.
- An update ends aborted or Healthy with `stableRS` equal to `currentPodHash`. Nothing but a new template or a
  person's retry begins it again: `status.abort` stays until then (rollout/sync.go, resetRolloutStatus).
- An abort for exceeding the progress deadline says so in one write of the status only; the next one replaces the
  message by "Rollout aborted update to revision N" (rollout/sync.go, calculateRolloutConditions). So the reason of
  an abort is looked for in the past, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import PODS, Manifest, Resource
from gitops_e2e.pipeline.pods import Pod, Pods, described
from gitops_e2e.pipeline.reading import Condition, conditions, container_images, has_image, short_image, time_of
from gitops_e2e.pipeline.replica_sets import REPLICA_SETS, REVISION, ReplicaSet, owner_uid
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
from gitops_e2e.watching.expectation import History

ROLLOUTS = Resource("argoproj.io/v1alpha1", "Rollout", "rollouts", namespaced=True)

PROGRESS_DEADLINE = "ProgressDeadlineExceeded"
"""The reason of a Rollout whose pods did not become available in `progressDeadlineSeconds`."""

# The controller looks again after 20 s at a Rollout that refers to something that is not there (rollout/controller.go).
_INVALID_SPEC_PATIENCE = 30.0
# Longer than it takes the controller to begin the steps anew for a release that has just been asked for.
_STEP_PATIENCE = 5.0
# The controller aborts at the deadline, where it is told to, with the same look at the Rollout or the next one.
_ABORT_PATIENCE = 10.0
# A second is what times are told to; making the pods counts as progress, and the controller looks again a second late.
_DEADLINE_EARLY, _DEADLINE_LATE = 1.0, 15.0
# The controller's words for an abort come in two writes, one right after the other.
_REASON_PATIENCE = 5.0
_FULL_WEIGHT = 100
# utils/defaults/defaults.go
_DEFAULT_DEADLINE = 600


@dataclass(frozen=True)
class Rollout:
    """A Rollout whose controller has seen its present generation.

    `release` and `stable_release` are pod-template-hashes: of the template asked for, and of the one that serves.
    `step` is the index of the current step of `steps`, equal to their number at the end; `weight` is the percentage
    that the steps ask for so far, `weights_to_come` are those of later steps. `images` are those asked for. `deadline`
    is how many seconds it may be without progress.
    """

    name: str
    namespace: str
    uid: str
    revision: str
    phase: str
    message: str
    images: tuple[str, ...]
    replicas: int
    available: int
    deadline: int
    steps: tuple[str, ...]
    step: int
    weight: int
    weights_to_come: tuple[int, ...]
    paused_since: datetime | None
    pause_reasons: tuple[str, ...]
    aborted: bool
    aborted_at: datetime | None
    release: str
    stable_release: str
    analysis: str
    analysis_phase: str
    conditions: tuple[Condition, ...]
    replica_sets: tuple[ReplicaSet, ...]
    pods: Pods

    @staticmethod
    def of(manifest: Manifest, replica_sets: Sequence[ReplicaSet] = (), pods: Pods = ()) -> Rollout:
        """The Rollout that a manifest describes, whatever its controller has seen."""
        metadata, spec, status = manifest["metadata"], manifest["spec"], manifest.get("status", {})
        steps = ((spec.get("strategy") or {}).get("canary") or {}).get("steps") or []
        step = status.get("currentStepIndex") or 0
        pauses = status.get("pauseConditions") or []
        run = (status.get("canary") or {}).get("currentStepAnalysisRunStatus") or {}
        return Rollout(
            name=metadata["name"],
            namespace=metadata["namespace"],
            uid=metadata["uid"],
            revision=(metadata.get("annotations") or {}).get(REVISION, ""),
            phase=status.get("phase", ""),
            message=status.get("message", ""),
            images=container_images((spec.get("template") or {}).get("spec") or {}),
            replicas=spec.get("replicas", 1),
            available=status.get("availableReplicas", 0),
            deadline=spec.get("progressDeadlineSeconds", _DEFAULT_DEADLINE),
            steps=tuple(next(iter(each), "") for each in steps),
            step=step,
            weight=_weight(steps, step, status),
            weights_to_come=tuple(each["setWeight"] for each in steps[step + 1 :] if "setWeight" in each),
            paused_since=time_of(pauses[0].get("startTime")) if pauses else None,
            pause_reasons=tuple(each.get("reason", "") for each in pauses),
            aborted=bool(status.get("abort")),
            aborted_at=time_of(status.get("abortedAt")),
            release=status.get("currentPodHash", ""),
            stable_release=status.get("stableRS", ""),
            analysis=run.get("name", ""),
            analysis_phase=run.get("status", ""),
            conditions=conditions(manifest),
            replica_sets=tuple(replica_sets),
            pods=pods,
        )

    @property
    def stable(self) -> ReplicaSet | None:
        """The ReplicaSet that serves."""
        return self._replica_set(self.stable_release)

    @property
    def canary(self) -> ReplicaSet | None:
        """The ReplicaSet of the release that is asked for, while it is not the one that serves."""
        return None if self.is_promoted else self._replica_set(self.release)

    @property
    def canary_pods(self) -> Pods:
        """The canary's pods, those included that are about to go."""
        return () if self.is_promoted else self.pods_of(self.release)

    @property
    def is_promoted(self) -> bool:
        """Whether what is asked for is what serves."""
        return bool(self.release) and self.release == self.stable_release

    @property
    def is_complete(self) -> bool:
        """Whether the update is over, and went through."""
        return self.phase == "Healthy" and self.is_promoted

    @property
    def aborted_after(self) -> float | None:
        """Seconds from the making of the ReplicaSet of the release asked for to the abort, where there was one."""
        canary = self._replica_set(self.release)
        if canary is None or canary.created is None or self.aborted_at is None:
            return None
        return (self.aborted_at - canary.created).total_seconds()

    @property
    def is_analysing(self) -> bool:
        """Whether its current step is an analysis."""
        return self.steps[self.step : self.step + 1] == ("analysis",)

    @property
    def state(self) -> str:
        """Where it stands, in the controller's words."""
        reason = f" ({self.message})" if self.message else ""
        return f"{self.phase or 'no phase'}{reason} at step {self.step} of {len(self.steps)}, weight {self.weight}"

    def asks_for(self, release: str) -> bool:
        """Whether it asks for an image of that reference or tag."""
        return has_image(self.images, release)

    def pods_of(self, release: str) -> Pods:
        """The pods of a pod-template-hash."""
        return tuple(pod for pod in self.pods if pod.release == release)

    def _replica_set(self, release: str) -> ReplicaSet | None:
        return next((each for each in self.replica_sets if each.release == release), None)


def _weight(steps: Sequence[Manifest], step: int, status: Manifest) -> int:
    """The weight of the release asked for: that of the last `setWeight` so far, none of it after an abort.

    The first release skips the steps, and one that serves has no canary (utils/replicaset/canary.go).
    """
    if status.get("abort"):
        return 0
    if step >= len(steps) or status.get("stableRS", "") in {"", status.get("currentPodHash")}:
        return _FULL_WEIGHT
    weights = [each["setWeight"] for each in steps[: step + 1] if "setWeight" in each]
    return int(weights[-1]) if weights else 0


@dataclass(frozen=True)
class WatchedRollout:
    """A Rollout by name, from a generation on.

    Whatever it was up to generation `after` is no answer: that is the generation before the commit whose effect is
    waited for, 0 where the Rollout is to be taken as it is.
    """

    cache: WatchCache
    namespace: str
    name: str
    after: int

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"Rollout {self.name} in {self.namespace}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where it, its ReplicaSets and its pods are."""
        return frozenset(Place(resource, self.namespace) for resource in (ROLLOUTS, REPLICA_SETS, PODS))

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timeline explains it."""
        return (self.namespace,)

    def read(self, snapshot: Snapshot) -> Rollout | Pending | Impossible:
        """The Rollout, unless its controller has yet to see what is asked of it."""
        manifest = snapshot.find(ROLLOUTS, self.namespace, self.name)
        if manifest is None:
            return Pending("there is no such Rollout")
        generation = manifest["metadata"]["generation"]
        observed = manifest.get("status", {}).get("observedGeneration", "")
        if generation <= self.after:
            return Pending(f"it is still at generation {generation}, which was there before")
        if observed != str(generation):
            return Pending(f"its controller has not seen generation {generation} yet, but {observed or 'none'}")
        return Rollout.of(manifest, self._replica_sets(snapshot, manifest), self._pods(snapshot, manifest))

    def now(self) -> Rollout:
        """The Rollout at this moment. Raises HarnessError while that cannot be told."""
        reading = self.read(self.cache.now())
        if not isinstance(reading, Rollout):
            raise HarnessError(f"{self.title}: {reading.observed}")
        return reading

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """The Rollout's conditions."""
        manifest = snapshot.find(ROLLOUTS, self.namespace, self.name)
        return [str(each) for each in conditions(manifest)] if manifest else []

    def _replica_sets(self, snapshot: Snapshot, owner: Manifest) -> list[ReplicaSet]:
        found = map(ReplicaSet.of, snapshot.all(REPLICA_SETS, self.namespace))
        return [each for each in found if each.owner == owner["metadata"]["uid"]]

    def _pods(self, snapshot: Snapshot, owner: Manifest) -> Pods:
        owned = [
            each["metadata"]["uid"]
            for each in snapshot.all(REPLICA_SETS, self.namespace)
            if owner_uid(each) == owner["metadata"]["uid"]
        ]
        return tuple(Pod.of(each) for each in snapshot.all(PODS, self.namespace) if owner_uid(each) in owned)


# --- what it cannot leave by itself


def _hopeless(rollout: Rollout) -> Impossible | None:
    """Why an update will not go on by itself, however long one waits."""
    if rollout.aborted:
        return Impossible(f"aborted: {rollout.message}")
    if undecided := _undecided(rollout):
        return undecided
    return refused(rollout)


def refused(rollout: Rollout) -> Impossible | None:
    """Why its controller does not begin the update: what it asks for is invalid."""
    for condition in rollout.conditions:
        if condition.type == "InvalidSpec" and condition.status == "True":
            return Impossible(f"InvalidSpec: {condition.message}", lasting=_INVALID_SPEC_PATIENCE)
    return None


def _undecided(rollout: Rollout) -> Impossible | None:
    """Why nobody but a person ends its pause."""
    if "InconclusiveAnalysisRun" in rollout.pause_reasons:
        return Impossible("paused for a person's decision, as its analysis was inconclusive")
    return None


def _completed(rollout: Rollout) -> Impossible | None:
    """Why nothing can be expected of a canary any more."""
    return Impossible(f"the update is complete: {rollout.state}") if rollout.is_complete else None


def _beyond(rollout: Rollout, weight: int) -> Impossible | None:
    """Why an update that is under way will not have that weight any more."""
    if rollout.is_promoted or weight in {rollout.weight, *rollout.weights_to_come}:
        return None
    return Impossible(f"no step from here on has weight {weight}: {rollout.state}", lasting=_STEP_PATIENCE)


def _troubled(rollout: Rollout) -> Impossible | None:
    """Why the pods of the release asked for will not become ready."""
    return next((trouble for pod in rollout.pods_of(rollout.release) if (trouble := pod.trouble)), None)


# --- expectations


def is_healthy_on(release: str) -> Expectation[Rollout]:
    """The update is over, and all pods are of that release, given by its tag or its image reference."""

    def judge(rollout: Rollout) -> Verdict:
        stable = rollout.stable
        if rollout.is_complete and rollout.asks_for(release) and stable and stable.runs(release):
            return Met(f"Healthy, {stable.available} of {rollout.replicas} available")
        if not rollout.asks_for(release):
            return Pending(f"asks for {', '.join(rollout.images)}: {rollout.state}")
        pods = described(rollout.pods_of(rollout.release))
        return _hopeless(rollout) or _troubled(rollout) or Pending(f"{rollout.state}; its pods: {pods}")

    return expectation(f"is Healthy on {release}", judge)


def is_stable_on(release: str) -> Expectation[Rollout]:
    """The stable ReplicaSet runs that release with all replicas, whatever becomes of an update."""

    def judge(rollout: Rollout) -> Verdict:
        stable = rollout.stable
        if stable is None:
            return Pending(f"no stable ReplicaSet; {rollout.state}")
        observed = f"stable is {', '.join(stable.images)}, {stable.available} of {rollout.replicas} available"
        if stable.runs(release) and stable.available >= rollout.replicas:
            return Met(observed)
        if not stable.runs(release) and (rollout.aborted or rollout.is_complete):
            return Impossible(f"{observed}, and the update is over: {rollout.state}")
        return Pending(observed)

    return expectation(f"has {release} as its stable release", judge)


def is_taken_up_again() -> Expectation[Rollout]:
    """The update is not aborted any more: its steps begin anew."""

    def judge(rollout: Rollout) -> Verdict:
        return Pending(rollout.state) if rollout.aborted else Met(rollout.state)

    return expectation("is taken up again", judge)


def wants_replicas(count: int) -> Expectation[Rollout]:
    """So many pods are asked for, whether they are there or not."""

    def judge(rollout: Rollout) -> Verdict:
        observed = f"asks for {rollout.replicas} pods"
        return Met(observed) if rollout.replicas == count else Pending(observed)

    return expectation(f"asks for {count} pods", judge)


def is_at_weight(weight: int) -> Expectation[Rollout]:
    """The canary has been given that percentage."""

    def judge(rollout: Rollout) -> Verdict:
        if rollout.weight == weight and not rollout.is_promoted and not rollout.aborted:
            return Met(rollout.state)
        return _hopeless(rollout) or _completed(rollout) or _beyond(rollout, weight) or Pending(rollout.state)

    return expectation(f"is at weight {weight}", judge)


def is_paused_at(weight: int) -> Expectation[Rollout]:
    """The canary is held by a pause step at that percentage."""

    def judge(rollout: Rollout) -> Verdict:
        if "CanaryPauseStep" in rollout.pause_reasons and rollout.phase == "Paused" and rollout.weight == weight:
            return Met(rollout.state)
        return _hopeless(rollout) or _completed(rollout) or _beyond(rollout, weight) or Pending(rollout.state)

    return expectation(f"is paused at weight {weight}", judge)


def is_analysed_at(weight: int) -> Expectation[Rollout]:
    """Its first analysis as a step is at that percentage."""

    def judge(rollout: Rollout) -> Verdict:
        if rollout.is_analysing and not rollout.is_promoted and not rollout.aborted:
            return (Met if rollout.weight == weight else Impossible)(f"analysed at weight {rollout.weight}")
        return _hopeless(rollout) or _completed(rollout) or Pending(rollout.state)

    return expectation(f"is analysed at weight {weight}", judge)


def is_paused_for_a_decision() -> Expectation[Rollout]:
    """The canary is held because its analysis was inconclusive: the controller waits for a person."""

    def judge(rollout: Rollout) -> Verdict:
        if "InconclusiveAnalysisRun" in rollout.pause_reasons and rollout.phase == "Paused":
            return Met(rollout.state)
        return _hopeless(rollout) or _completed(rollout) or Pending(rollout.state)

    return expectation("is paused, as its analysis was inconclusive", judge)


def is_analysed(*, at_weight: int | None = None) -> Expectation[Rollout]:
    """The canary's analysis has begun, at that percentage or any."""

    def judge(rollout: Rollout) -> Verdict:
        if rollout.analysis and at_weight in {None, rollout.weight}:
            return Met(f"{rollout.analysis} {rollout.analysis_phase}".strip())
        return _hopeless(rollout) or _completed(rollout) or Pending(rollout.state)

    return expectation("is analysed" + ("" if at_weight is None else f" at weight {at_weight}"), judge)


def has_canary_pods(count: int, *, of: int) -> Expectation[Rollout]:
    """So many pods of the release asked for are ready, of so many replicas in all; for 0, there is no such pod."""

    def judge(rollout: Rollout) -> Verdict:
        pods = rollout.canary_pods
        staying = [pod for pod in pods if not pod.going]
        observed = f"canary pods: {described(pods)}, of {rollout.replicas} replicas"
        as_many = len(staying) == count and all(pod.ready for pod in staying) if count else not pods
        if as_many and rollout.replicas == of and not (count and rollout.aborted):
            return Met(observed)
        if count:
            return _hopeless(rollout) or _completed(rollout) or _troubled(rollout) or Pending(observed)
        return Pending(observed)

    return expectation(f"has {count} canary pods of {of}", judge)


def has_no_pods_of(release: str) -> Expectation[Rollout]:
    """No pod runs an image of that reference or tag any more, those included that are about to go."""

    def judge(rollout: Rollout) -> Verdict:
        left = [pod.name for pod in rollout.pods if has_image(pod.images, release)]
        return Pending(f"pods of {release}: {', '.join(left)}") if left else Met(f"no pod of {release}")

    return expectation(f"has no pods of {release}", judge)


def is_aborted(because: str = "") -> Expectation[Rollout]:
    """The update is given up, for a reason that contains these words in the controller's own message."""
    return _degraded("is aborted", because, lambda rollout: rollout.aborted)


def is_aborted_at_its_deadline() -> Expectation[Rollout]:
    """The update is given up for want of progress when the time for it is over: neither earlier nor much later."""
    aborted = is_aborted(because=PROGRESS_DEADLINE)

    def judge(history: History[Rollout]) -> Verdict:
        verdict = aborted.over(history)
        if not isinstance(verdict, Met):
            return verdict
        rollout = history.reading()
        after, deadline = rollout.aborted_after, rollout.deadline
        if after is None:
            return Pending(f"{verdict.observed}; since when it was on its way is not known")
        observed = f"aborted after {after:g} s, with a deadline of {deadline} s"
        in_time = deadline - _DEADLINE_EARLY <= after <= deadline + _DEADLINE_LATE
        return (Met if in_time else Impossible)(observed)

    return Expectation("is aborted at its progress deadline", judge)


def is_degraded(because: str = "") -> Expectation[Rollout]:
    """The update is Degraded, aborted or not, for a reason that contains these words."""
    return _degraded("is Degraded", because, lambda _: True)


def _degraded(sentence: str, because: str, so: Callable[[Rollout], bool]) -> Expectation[Rollout]:
    def judge_present(rollout: Rollout) -> Verdict:
        if rollout.phase == "Degraded" and so(rollout):
            return Met(rollout.state)
        if rollout.phase == "Degraded" and PROGRESS_DEADLINE in rollout.message:
            return Impossible(f"its deadline does not abort it: {rollout.state}", lasting=_ABORT_PATIENCE)
        return _undecided(rollout) or _completed(rollout) or Pending(rollout.state)

    def judge(history: History[Rollout]) -> Verdict:
        verdict = present.over(history)
        if not isinstance(verdict, Met) or not because:
            return verdict
        reasons = _messages_since_degraded(history)
        if any(because.lower() in reason.lower() for reason in reasons):
            return Met(f"{verdict.observed}; {'; '.join(reasons)}")
        other = f"for another reason: {'; '.join(reasons)}"
        return Impossible(other, lasting=_REASON_PATIENCE) if history.reading().aborted else Pending(other)

    present = expectation(sentence, judge_present)
    return Expectation(f"{sentence} because of {because!r}" if because else sentence, judge)


def _messages_since_degraded(history: History[Rollout]) -> list[str]:
    """What the controller said since the Rollout became Degraded, latest first."""
    messages: dict[str, None] = {}
    for moment in reversed(history.moments):
        if not isinstance(moment.reading, Rollout) or moment.reading.phase != "Degraded":
            break
        messages[moment.reading.message] = None
    return list(messages)


# --- for the timeline


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """What a change of a Rollout means: a new release asked for, phase, step and weight, abort, the end."""
    if after is None:
        yield Fact("gone", "gone")
        return
    old, new = Rollout.of(before) if before else None, Rollout.of(after)
    if old is None or old.images != new.images:
        yield Fact("asked", f"asks for {', '.join(map(short_image, new.images))}", {"images": list(new.images)})
    if new.phase and (old is None or (old.phase, old.message) != (new.phase, new.message)):
        message = f": {new.message}" if new.message else ""
        yield Fact("phase", f"{new.phase}{message}", {"phase": new.phase, "message": new.message})
    if new.release and (old is None or (old.release, old.step, old.weight) != (new.release, new.step, new.weight)):
        data = {"release": new.release, "step": new.step, "steps": len(new.steps), "weight": new.weight}
        yield Fact("step", f"step {new.step} of {len(new.steps)}, weight {new.weight}, release {new.release}", data)
    if new.aborted and not (old and old.aborted):
        at = after["status"].get("abortedAt")
        yield Fact("abort", f"aborted, release {new.stable_release} stays", {"release": new.release, "at": at})
    if new.stable_release != (old.stable_release if old else "") and new.stable_release:
        yield Fact("stable", f"release {new.stable_release} is stable", {"release": new.stable_release})
