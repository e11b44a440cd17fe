"""The pods of an application: which release they run, whether they are ready, what keeps them from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_e2e.kube import PODS, Manifest
from gitops_e2e.pipeline.reading import Condition, conditions, container_images, short_image
from gitops_e2e.watching import Expectation, Fact, Impossible, Met, Pending, Place, Snapshot, Verdict, WatchCache
from gitops_e2e.watching import expectation as of_state

HASH_LABEL = "rollouts-pod-template-hash"
"""The label by which Argo Rollouts tells releases apart."""

_PULL_PATIENCE = 15.0
_CONFIG_PATIENCE = 15.0
_CRASHES = 2


@dataclass(frozen=True)
class Container:
    """A container's state. `waiting` and `ended` are the kubelet's reasons, "" where there is none."""

    name: str
    ready: bool
    restarts: int
    waiting: str
    message: str
    ended: str
    exit_code: int | None

    @staticmethod
    def of(status: Manifest) -> Container:
        """The container that a status of a pod's `containerStatuses` describes."""
        waiting = status.get("state", {}).get("waiting") or {}
        ended = status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or {}
        return Container(
            status["name"],
            bool(status.get("ready")),
            int(status.get("restartCount", 0)),
            waiting.get("reason", ""),
            waiting.get("message", ""),
            ended.get("reason", ""),
            ended.get("exitCode"),
        )

    @property
    def trouble(self) -> Impossible | None:
        """Why the container will not run, as far as the kubelet alone can tell."""
        why = f"container {self.name}: {self.waiting}{self._last_end}{f': {self.message}' if self.message else ''}"
        match self.waiting:
            case "InvalidImageName":
                # The reference does not parse, and a pod's images cannot be corrected by any controller.
                return Impossible(why)
            case "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull":
                # The kubelet tries again after 10 s: a registry that was away for a moment is there by then.
                return Impossible(why, lasting=_PULL_PATIENCE)
            case "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError":
                # Tried again with every sync of the pod; what is missing may be applied a moment later.
                return Impossible(why, lasting=_CONFIG_PATIENCE)
            case "CrashLoopBackOff" if self.restarts >= _CRASHES:
                # Three crashes, the last after a pause of 10 s: what it depends on had time to come.
                return Impossible(why)
        return None

    @property
    def _last_end(self) -> str:
        return f" after {self.ended} (exit code {self.exit_code})" if self.ended else ""


@dataclass(frozen=True)
class Pod:
    """A pod. `release` is its pod-template-hash, "" for a pod that is no Rollout's."""

    name: str
    uid: str
    release: str
    phase: str
    scheduled: bool
    ready: bool
    going: bool
    images: tuple[str, ...]
    containers: tuple[Container, ...]
    conditions: tuple[Condition, ...]

    @staticmethod
    def of(manifest: Manifest) -> Pod:
        """The pod that a manifest describes."""
        metadata, status = manifest["metadata"], manifest.get("status", {})
        found = conditions(manifest)
        containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
        return Pod(
            metadata["name"],
            metadata.get("uid", ""),
            (metadata.get("labels") or {}).get(HASH_LABEL, ""),
            status.get("phase", ""),
            _is_true(found, "PodScheduled"),
            _is_true(found, "Ready"),
            "deletionTimestamp" in metadata,
            container_images(manifest.get("spec", {})),
            tuple(Container.of(each) for each in containers),
            found,
        )

    @property
    def trouble(self) -> Impossible | None:
        """Why the pod will not become ready; nothing is said of one that is about to go."""
        troubles = [trouble for container in self.containers if (trouble := container.trouble)]
        if self.going or not troubles:
            return None
        worst = min(troubles, key=lambda trouble: trouble.lasting)
        return Impossible(f"pod {self.name}, {worst.observed}", worst.lasting)

    @property
    def state(self) -> str:
        """What there is to say about it in a few words."""
        if self.going:
            return "going"
        if self.ready:
            return "ready"
        if not self.scheduled:
            unscheduled = [each.message for each in self.conditions if each.type == "PodScheduled"]
            return " ".join(["not scheduled", *unscheduled])
        waiting = [f"{each.name} {each.waiting}" for each in self.containers if each.waiting]
        return ", ".join(waiting) or f"{self.phase or 'Pending'}, not ready"


def _is_true(found: Sequence[Condition], kind: str) -> bool:
    return any(each.type == kind and each.status == "True" for each in found)


Pods = tuple[Pod, ...]


def described(pods: Pods) -> str:
    """How many pods there are, and what they are."""
    states: dict[str, int] = {}
    for pod in pods:
        states[pod.state] = states.get(pod.state, 0) + 1
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "none"


@dataclass(frozen=True)
class WatchedPods:
    """The pods of a namespace that bear certain labels."""

    cache: WatchCache
    namespace: str
    labels: Mapping[str, str]

    @property
    def title(self) -> str:
        """Their name in sentences."""
        labels = ",".join(f"{key}={value}" for key, value in self.labels.items())
        return f"Pods {labels} in {self.namespace}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where they are."""
        return frozenset({Place(PODS, self.namespace)})

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timeline explains them."""
        return (self.namespace,)

    def read(self, snapshot: Snapshot) -> Pods:
        """The pods; none is an answer, too."""
        return tuple(Pod.of(manifest) for manifest in self._manifests(snapshot))

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """What is not as it should be."""
        pods = self.read(snapshot)
        return [f"{pod.name}: {each}" for pod in pods for each in pod.conditions if each.status != "True"]

    def _manifests(self, snapshot: Snapshot) -> Iterator[Manifest]:
        for manifest in snapshot.all(PODS, self.namespace):
            labels = manifest["metadata"].get("labels") or {}
            if self.labels.items() <= labels.items():
                yield manifest


# --- expectations


def are_ready(count: int) -> Expectation[Pods]:
    """Exactly so many pods, all ready."""

    def judge(pods: Pods) -> Verdict:
        troubles = [trouble for pod in pods if (trouble := pod.trouble)]
        staying = [pod for pod in pods if not pod.going]
        if len(staying) == count and all(pod.ready for pod in staying):
            return Met(described(pods))
        return troubles[0] if troubles else Pending(described(pods))

    return of_state(f"{count} are ready", judge)


def are_without(name: str) -> Expectation[Pods]:
    """The pod of that name is not ready, so no Service sends anything to it."""

    def judge(pods: Pods) -> Verdict:
        if any(pod.ready for pod in pods if pod.name == name):
            return Pending(f"pod {name} is ready, as Kubernetes sees it")
        return Met(described(pods))

    return of_state(f"are without {name}, as it is not ready", judge)


def are_gone() -> Expectation[Pods]:
    """No pod at all, not even one that is about to go."""
    return of_state("are gone", lambda pods: Pending(described(pods)) if pods else Met("none"))


# --- for the timeline


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """What a change of a pod means: scheduled, ready, not ready, restarted, in trouble, going, gone."""
    if after is None:
        yield Fact("gone", "gone")
        return
    old, new = Pod.of(before) if before else None, Pod.of(after)
    data = {"release": new.release}
    if old is None:
        images = ", ".join(map(short_image, new.images))
        yield Fact("created", f"created for {images}", {**data, "images": list(new.images)})
    if new.scheduled and not (old and old.scheduled):
        yield Fact("scheduled", f"scheduled to {after['spec'].get('nodeName', 'no node')}", data)
    if new.going and not (old and old.going):
        yield Fact("going", "is being ended", data)
    if new.ready != (old.ready if old else False):
        yield Fact("ready" if new.ready else "unready", "ready" if new.ready else "not ready any more", data)
    yield from _narrate_containers(old, new, data)


def _narrate_containers(old: Pod | None, new: Pod, data: Mapping[str, object]) -> Iterator[Fact]:
    known = {container.name: container for container in old.containers} if old else {}
    for container in new.containers:
        last = known.get(container.name)
        details = {**data, "container": container.name}
        if container.restarts > (last.restarts if last else 0):
            text = f"container {container.name} restarted after {container.ended} (exit code {container.exit_code})"
            yield Fact("restart", text, {**details, "reason": container.ended, "restarts": container.restarts})
        if container.trouble and container.waiting != (last.waiting if last else ""):
            yield Fact("trouble", container.trouble.observed, {**details, "reason": container.waiting})
