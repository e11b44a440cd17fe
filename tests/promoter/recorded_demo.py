"""The recorded demo, gone through again: the engine at work on the recorded input.

Argo CD and Argo Rollouts are not there; what they wrote then is written again, each state once the engine has seen
the one before it. Addresses, digests and commits are those of the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from gitops_e2e.commands import run
from gitops_e2e.kube import Follower, Kube, KubeError, Manifest, Ref, Resource
from gitops_e2e.promoter.api.kinds import (
    API_VERSION,
    FREIGHTS,
    PROMOTIONS,
    STAGES,
)
from gitops_e2e.promoter.api.names import collection_id, promotion_name
from gitops_e2e.promoter.api.promotions import is_terminal
from gitops_e2e.promoter.runtime import now, parse_time, rfc3339
from gitops_e2e.promoter.runtime.statuses import merge_patch
from gitops_e2e.promoter.stages.analysis_runs import ANALYSIS_RUNS
from gitops_e2e.promoter.steps.applications import APPLICATIONS
from tests.promoter.conformance import RECORDINGS
from tests.promoter.engine_process import an_object, until
from tests.promoter.warehouses.registry_server import RegistryServer

PROJECT = "demo"
REPOSITORY, GIT, HEALTH = (
    "10.231.0.2:5000/product-api",
    "http://10.231.0.2:3080/git",
    "demo.demo-dev.svc.cluster.local:3000",
)
NOBODY = "10.231.0.2:5999"
"""Where nothing listens."""
DIGESTS = {
    "0.9.0": "sha256:10a2c46341eee00acaa9220068c2e88ae2d83d1f6f28af96538c0d5fdb3c241a",
    "1.0.0": "sha256:2a9734af999c89087e3de8d966ccc3f87f2b8226d55e78e1490b614126c44004",
    "1.0.1": "sha256:a8e798a0ddafe70d1d92592ab44eefc90bd1caa810b4dddf2d650c784541cb47",
    "1.1.0": "sha256:59091d415c45d10c44e7b6ec98ce1dc64a8310b4a09d25935415f4e72bf3f0d7",
}
FREIGHT = {
    "1.0.0": "f49ff1e667d8618d16beebcf0298e6e5081a51e5",
    "1.0.1": "c4d3524b4a0843729e3e3802b41e681a4debce9e",
    "1.1.0": "c240bb48531da0ec4c6ec9271e5f43917f173aab",
}
_HEAD_START = timedelta(seconds=7)
"""So much earlier than now operations end, which leaves 3 of the 10 seconds for which a Stage does not trust them."""
_COOL_DOWN = timedelta(seconds=10)


def sequence(name: str) -> list[Manifest]:
    """All states in a file of recorded sequences, in the order in which they were seen."""
    return [json.loads(line) for line in (RECORDINGS / f"sequences/{name}.jsonl").read_text().splitlines()]


class Recorder:
    """Sees every state of the objects of a kind, as the recorder did."""

    def __init__(self, kube: Kube, resource: Resource) -> None:
        self.states: list[Manifest] = []
        self._versions: set[str] = set()
        self._kube, self._resource = kube, resource
        self._follower = Follower(kube, resource, self)
        self._follower.start()

    def stop(self) -> None:
        """End once everything until now was seen."""
        last = self._kube.collection(self._resource, PROJECT)["items"]
        versions = {item["metadata"]["resourceVersion"] for item in last}
        until(f"all {self._resource.plural}", lambda: versions <= self._versions)
        self._follower.stop()

    def of(self, name: str) -> list[Manifest]:
        return [state for state in self.states if state["name"] == name]

    # --- for the follower

    def listed(self, collection: Manifest) -> None:
        for item in collection.get("items") or []:
            self.watched({"type": "ADDED", "object": item})

    def watched(self, event: Manifest) -> None:
        if event["type"] == "BOOKMARK" or event["object"]["metadata"].get("namespace") != PROJECT:
            return
        manifest = event["object"]
        self._versions.add(manifest["metadata"]["resourceVersion"])
        state = _state(event["type"], manifest)
        if event["type"] != "DELETED" and {**state, "event": ""} not in (
            {**one, "event": ""} for one in self.states[-1:]
        ):
            self.states.append(state)

    def sees(self, blind: KubeError | None) -> None:
        """Nothing is to be done about it."""

    def broke(self, error: Exception) -> None:
        """Whoever waits for a state says what is missing."""


def _state(event: str, manifest: Manifest) -> Manifest:
    metadata = manifest["metadata"]
    shown = {key: metadata[key] for key in ("annotations", "labels") if metadata.get(key)}
    state = {"event": event, "namespace": PROJECT, "name": metadata["name"], "metadata": shown}
    return {**state, "status": manifest.get("status")}


def analysis_runs() -> Iterator[list[Manifest]]:
    """What became of the AnalysisRuns, of each its statuses; of the first one only the last was recorded."""
    rows: dict[str, list[Manifest]] = {}
    for row in sequence("analysisruns"):
        rows.setdefault(row["name"], []).append(row["status"])
    first, *others = rows.values()
    yield [*others[0][1:-1], first[-1]]
    yield from (statuses[1:] for statuses in others)


@dataclass
class Demo:
    """The demo's project, and what is around it."""

    kube: Kube
    registry: RegistryServer
    repository: Path
    addresses: dict[str, str]
    """How things are called in the recording, by what they are called here."""
    recorders: dict[Resource, Recorder] = field(default_factory=dict)
    _syncs: dict[str, Iterator[list[Manifest]]] = field(default_factory=dict)
    _runs: Iterator[list[Manifest]] = field(default_factory=analysis_runs)

    # --- input

    def here(self, value: Any) -> Any:
        """A JSON value of the recording with the names of this run."""
        text = json.dumps(value)
        for ours, theirs in self.addresses.items():
            text = text.replace(theirs, ours)
        return json.loads(text)

    def begin(self) -> None:
        """Apply the recorded manifests."""
        for stage in ("dev", "staging", "prod"):
            self.kube.create(self._application(stage))
        self.push("0.9.0")
        self.push("1.0.0")
        manifests = list(yaml.safe_load_all((RECORDINGS / "input/kargo.yaml").read_text()))
        self.kube.create(manifests[0])
        for resource in (STAGES, PROMOTIONS, FREIGHTS, ANALYSIS_RUNS):
            self.recorders[resource] = Recorder(self.kube, resource)
        for manifest in manifests[1:]:
            self.kube.create(self.here(manifest))

    def push(self, tag: str) -> None:
        """Put an image into the registry."""
        self.addresses[self.registry.push("product-api", tag)] = DIGESTS[tag]

    def look_for_freight(self, tag: str, token: str | None = None) -> str:
        """Have the Warehouse look, unless it does so anyway; the name of the Freight with the tag."""
        if token:
            self.annotate("Warehouse", PROJECT, refresh=token)

        def found() -> list[str]:
            freights = self.kube.list(FREIGHTS, PROJECT)
            return [one["metadata"]["name"] for one in freights if one["images"][0]["tag"] == tag]

        (name,) = until(f"freight of {tag}", found)
        for ours, theirs in ((name, FREIGHT[tag]), (collection_id([name]), collection_id([FREIGHT[tag]]))):
            self.addresses |= {ours: theirs, ours[:7]: theirs[:7]}
        return str(name)

    def promote(self, stage: str, freight: str, name: str = "", steps: Sequence[Manifest] = ()) -> str:
        """Create a Promotion as people do, with the Stage's own steps unless others are given."""
        name = name or promotion_name(stage, freight)
        steps = steps or [{"task": {"name": "promo"}, "as": "promo-process"}]
        self.kube.create(
            an_object("Promotion", name, PROJECT, spec={"stage": stage, "freight": freight, "steps": list(steps)})
        )
        return name

    def annotate(self, kind: str, name: str, **annotations: str) -> None:
        keys = {f"kargo.akuity.io/{key}": value for key, value in annotations.items()}
        self.kube.patch(Ref(API_VERSION, kind, name, PROJECT), {"metadata": {"annotations": keys}})

    def automate(self, *stages: str) -> None:
        """Say which Stages are promoted to by themselves."""
        policies = [{"stageSelector": {"name": stage}, "autoPromotionEnabled": True} for stage in stages]
        config = Ref(API_VERSION, "ProjectConfig", PROJECT, PROJECT)
        self.kube.patch(config, {"spec": {"promotionPolicies": policies}})

    def judge(self, wanted: str) -> None:
        """Say what the verification of staging shall find."""
        template = Ref(ANALYSIS_RUNS.api_version, "AnalysisTemplate", "verify-staging", PROJECT)
        (metric,) = self.kube.get(template)["spec"]["metrics"]
        self.kube.patch(template, {"spec": {"metrics": [{**metric, "successCondition": f"result == '{wanted}'"}]}})

    def subscribe(self, name: str, reason: str) -> None:
        """Create a Warehouse as it was at the end."""
        warehouses = json.loads((RECORDINGS / "objects/at-the-end/warehouses.json").read_text())
        spec = next(one["spec"] for one in warehouses if one["metadata"]["name"] == name)
        self.kube.create(an_object("Warehouse", name, PROJECT, spec=self.here(spec)))
        self.until_found(name, reason)

    def until_found(self, warehouse: str, reason: str, token: str | None = None) -> None:
        """Wait until a Warehouse says what it found, if need be after a request to look again."""
        if token:
            self.annotate("Warehouse", warehouse, refresh=token)

        def found() -> bool:
            status = self.kube.get(Ref(API_VERSION, "Warehouse", warehouse, PROJECT)).get("status", {})
            reasons = {one["reason"] for one in status.get("conditions", [])}
            return reason in reasons and (token is None or status.get("lastHandledRefresh") == token)

        until(f"{warehouse} {reason}", found)

    # --- what is there

    def stage(self, name: str) -> Manifest:
        """The Stage's status."""
        found = self.kube.find(Ref(API_VERSION, "Stage", name, PROJECT)) or {}
        status: Manifest = found.get("status", {})
        return status

    def until_ready(self, stage: str, *reasons: str) -> None:
        def ready() -> bool:
            conditions = self.stage(stage).get("conditions", [])
            return any(one["type"] == "Ready" and one["reason"] in reasons for one in conditions)

        until(f"{stage} {reasons}", ready)

    def until_ended(self, promotion: str) -> Manifest:
        def ended() -> Manifest | None:
            found = self.kube.get(Ref(API_VERSION, "Promotion", promotion, PROJECT))
            return found if is_terminal(found) else None

        found: Manifest = until(f"{promotion} ends", ended)
        stage = found["spec"]["stage"]
        until("the next", lambda: self.stage(stage).get("currentPromotion", {}).get("name") != promotion)
        return found

    # --- in Argo CD's place

    def sync(self, stage: str) -> str:
        """Carry out what the Promotion to a Stage asks its Application for, as was recorded; the Promotion's name."""
        ref = Ref(APPLICATIONS.api_version, "Application", f"{PROJECT}-{stage}", "argocd")
        application = until(f"{stage} is to be synced", lambda: _asked(self.kube.get(ref)))
        operation = application["operation"]
        promotion = str(operation["info"][1]["value"])
        rows = next(self._syncs.setdefault(stage, _syncs(stage)))
        head = run(["git", "rev-parse", f"stage/{stage}"], cwd=self.repository, timeout=10).stdout.strip()
        names = {
            rows[-1]["status"]["sync"]["revision"]: head,
            rows[0]["operation"]["info"][1]["value"]: promotion,
        }
        ended, kargo_is_done = now() - _HEAD_START, False
        for row in _with_names(rows[1:], names):
            due = _due(row)
            if kargo_is_done and due >= _COOL_DOWN:
                until(f"{stage} is trusted", lambda: "less than 10s" not in json.dumps(self.stage(stage).get("health")))
            self._write(ref, _with_operation(row, operation), ended, application["spec"]["source"])
            if (row["status"]["operationState"] or {}).get("phase") == "Succeeded" and not kargo_is_done:
                self.until_ended(promotion)
                kargo_is_done = True
                if self.stage(stage).get("lastPromotion", {}).get("name") != promotion:
                    break  # the Stage does not look
            elif kargo_is_done:
                health, sync = row["status"]["health"]["status"], row["status"]["sync"]["status"]
                until(f"{stage} saw {health} {sync}", lambda: self._saw(stage, health, sync))  # noqa: B023 - at once
        return promotion

    def _saw(self, stage: str, health: str, sync: str) -> bool:
        for output in self.stage(stage).get("health", {}).get("output", []):
            (seen,) = output["applicationStatuses"]
            return bool(seen["health"]["status"] == health and seen["sync"]["status"] == sync)
        return False

    def _write(self, ref: Ref, row: Manifest, ended: datetime, source: Manifest) -> None:
        status = json.loads(json.dumps(row["status"]))
        if operation := status["operationState"]:
            operation["startedAt"] = rfc3339(ended)
            if "finishedAt" in operation:
                operation["finishedAt"] = rfc3339(ended)
                operation["syncResult"] = {"revision": status["sync"]["revision"], "source": source}
        application = self.kube.get(ref)
        before = {key: application.get(key) for key in ("status", "operation") if application.get(key)}
        change = merge_patch(before, {"status": status, "operation": row["operation"]})
        change["metadata"] = {"annotations": {"argocd.argoproj.io/refresh": None}}
        self.kube.patch(ref, change)

    def _application(self, stage: str) -> Manifest:
        template = (RECORDINGS / "input/argocd.yaml").read_text().replace("{{.stage}}", stage)
        application_set = self.here(list(yaml.safe_load_all(template))[1])
        application: Manifest = application_set["spec"]["template"]
        application["metadata"]["namespace"] = "argocd"
        return {"apiVersion": APPLICATIONS.api_version, "kind": "Application", **application}

    # --- in Argo Rollouts' place

    def analyse(self, stage: str) -> None:
        """Carry out the verification of a Stage as was recorded."""

        def asked() -> list[Manifest]:
            runs = self.kube.list(ANALYSIS_RUNS, PROJECT)
            return [one for one in runs if not one.get("status", {}).get("phase")]

        (analysis,) = until(f"{stage} is to be verified", asked)
        self.until_phase(stage, "Pending")
        for status in next(self._runs):
            self.kube.patch(Ref.of(analysis), {"status": status})
            self.until_phase(stage, status["phase"])

    def until_phase(self, stage: str, phase: str) -> None:
        """Wait until the latest verification is so far."""

        def seen() -> bool:
            history = self.stage(stage).get("freightHistory", [{}])[0].get("verificationHistory", [])
            return bool(history and history[0]["phase"] == phase)

        until(f"verification in {stage} {phase}", seen)


def _asked(application: Manifest) -> Manifest | None:
    """The Application if Kargo has asked for an operation."""
    info = application.get("operation", {}).get("info", [])
    return application if len(info) == 2 else None


def _syncs(stage: str) -> Iterator[list[Manifest]]:
    """The states of an Application by Promotion, each from Kargo's request on.

    The recorder came after the first one of each: these go like the second one of staging, but in prod to Degraded.
    """
    if stage == "prod":
        like = next(_recorded_syncs("staging"))
        last = json.loads(json.dumps(like[-1]))
        last["status"]["health"]["status"] = "Degraded"
        yield [*like[:-1], last]
    else:
        yield next(_recorded_syncs("staging"))
        yield from _recorded_syncs(stage)


def _recorded_syncs(stage: str) -> Iterator[list[Manifest]]:
    rows = [row for row in sequence("apps") if row["name"] == f"{PROJECT}-{stage}"][1:]
    begun = [index for index, row in enumerate(rows) if "argocd.argoproj.io/refresh" in row["annotations"]]
    for index, end in zip(begun, [*begun[1:], len(rows)], strict=True):
        yield rows[index:end]


def _due(row: Manifest) -> timedelta:
    """How long after the end of the operation the Application's health became so."""
    finished = (row["status"]["operationState"] or {}).get("finishedAt")
    changed = parse_time(row["status"]["health"]["lastTransitionTime"])
    return changed - parse_time(finished) if finished else timedelta()


def _with_operation(row: Manifest, operation: Manifest) -> Manifest:
    """The row with what Kargo asked for here, where it has what Kargo asked for then."""
    if row["operation"] and "info" in row["operation"]:
        row["operation"] = operation
    state = row["status"]["operationState"]
    if state and "info" in state["operation"]:
        state["operation"] = operation
    return row


def _with_names(rows: list[Manifest], names: dict[str, str]) -> list[Manifest]:
    text = json.dumps(rows)
    for theirs, ours in names.items():
        text = text.replace(theirs, ours)
    found: list[Manifest] = json.loads(text)
    return found
