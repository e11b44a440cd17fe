"""Stages on a real API server, watched as a user would watch them.

Promotions are carried out by a stand-in that only says what a Promotion's status would say; Applications and
AnalysisRuns have no controllers either, so the tests write their statuses.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest, Ref, Resource
from gitops_e2e.promoter.api.freights import origin, reference
from gitops_e2e.promoter.api.kinds import API_VERSION, FREIGHTS, PROJECT_CONFIGS, PROMOTIONS, STAGES
from gitops_e2e.promoter.api.names import collection_id, promotion_name
from gitops_e2e.promoter.api.promotions import is_terminal, phase
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.promotions import ApplicationNames
from gitops_e2e.promoter.runtime import Controller, Key, Manager, Stores, StoringKube, Trigger, patch_status, rfc3339
from gitops_e2e.promoter.stages import stage_controller
from gitops_e2e.promoter.stages.analysis_runs import ANALYSIS_RUNS

pytestmark = pytest.mark.node

AT_THE_END = Path(__file__).parent / "recordings/objects/at-the-end"
STEPS = [{"uses": "compose-output", "config": {"v": 1}}]
FREIGHT = "f49ff1e667d8618d16beebcf0298e6e5081a51e5"
TEMPLATE = {
    "metrics": [
        {
            "name": "health",
            "interval": "2s",
            "count": 3,
            "failureLimit": 1,
            "successCondition": "result == 'healthy'",
            "provider": {
                "web": {
                    "jsonPath": "{$.status}",
                    "url": "http://demo.demo-staging.svc.cluster.local:3000/health",
                }
            },
        }
    ]
}
NOT_FOUND = 'analysistemplates.argoproj.io "verify-staging" not found'
WAIT = 20.0


def until(description: str, holds: Callable[[], Any]) -> Any:
    """What the function gives, once that is something."""
    deadline = time.monotonic() + WAIT
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited in vain: {description}"
        time.sleep(0.02)
    return found


class PromotionDouble:
    """Says of every Promotion what the engine's own reconciler would say, without running a step."""

    resource = PROMOTIONS

    def __init__(self, kube: StoringKube) -> None:
        self._kube = kube
        self._stages = kube.stores.of(STAGES)
        self._freights = kube.stores.of(FREIGHTS)
        self.endings: dict[str, Manifest] = {}
        """What a Promotion's status says at the end, by namespace."""

    def controller(self) -> Controller:
        return Controller(
            self, triggers=[Trigger(STAGES, self._permitted)], wakes=lambda change: not phase(change.newest)
        )

    def knows(self, resource: Resource, key: Key) -> bool:
        return self._kube.stores.of(resource).get(key) is not None

    def reconcile(self, promotion: Manifest) -> None:
        namespace, spec = promotion["metadata"]["namespace"], promotion["spec"]
        stage = self._stages.get(Key(namespace, spec["stage"])) or {}
        if is_terminal(promotion):
            return
        if not phase(promotion):
            patch_status(self._kube, promotion, {"phase": "Pending"})
        if stage.get("status", {}).get("currentPromotion", {}).get("name") != promotion["metadata"]["name"]:
            return
        freight = self._freights.get(Key(namespace, spec["freight"]))
        assert freight is not None
        running = {"phase": "Running", "startedAt": now()}
        patch_status(self._kube, promotion, running)
        target = reference(freight)
        patch_status(
            self._kube,
            promotion,
            running
            | {
                "freight": target,
                "freightCollection": {
                    "id": collection_id([spec["freight"]]),
                    "items": {str(origin(freight)): target},
                },
            },
        )
        end = self.endings.get(namespace, SUCCESS)
        patch_status(self._kube, promotion, promotion["status"] | end | {"finishedAt": now()})

    def _permitted(self, change: Any) -> list[Key]:
        stage = change.newest
        name = stage.get("status", {}).get("currentPromotion", {}).get("name")
        return [Key(stage["metadata"]["namespace"], name)] if name else []


def now() -> str:
    return rfc3339(datetime.now(UTC))


SUCCESS: Manifest = {
    "phase": "Succeeded",
    "state": {"step-1": {"v": 1}},
    "stepExecutionMetadata": [
        {
            "alias": "step-1",
            "startedAt": "2026-11-23T12:59:46Z",
            "finishedAt": "2026-11-23T12:59:46Z",
            "status": "Succeeded",
        }
    ],
}


@dataclass
class Project:
    """A Project whose Stages the engine reconciles."""

    kube: Kube
    name: str
    double: PromotionDouble

    def end_promotions_with(self, **status: Any) -> None:
        self.double.endings[self.name] = SUCCESS | status

    def create(self, kind: str, name: str, *, api_version: str = API_VERSION, **fields: Any) -> Manifest:
        metadata = {"name": name, "namespace": self.name, **fields.pop("metadata", {})}
        return self.kube.create({"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields})

    def ref(self, kind: str, name: str, api_version: str = API_VERSION) -> Ref:
        return Ref(api_version, kind, name, self.name)

    def warehouse(self, name: str = "demo") -> None:
        self.create("Warehouse", name, spec={"subscriptions": [{"image": {"repoURL": "example.test/product-api"}}]})

    def freight(self, name: str = FREIGHT, *, warehouse: str = "demo") -> None:
        self.create(
            "Freight",
            name,
            alias=f"alias-{name[:7]}",
            origin={"kind": "Warehouse", "name": warehouse},
            images=[{"repoURL": "example.test/product-api", "tag": "1.0.0", "digest": "sha256:" + "a" * 64}],
        )

    def stage(self, name: str, *, after: str | None = None, steps: Sequence[Manifest] = STEPS, **spec: Any) -> None:
        sources = spec.pop("sources", {"stages": [after]} if after else {"direct": True})
        spec["requestedFreight"] = [{"origin": {"kind": "Warehouse", "name": "demo"}, "sources": sources}]
        if steps:
            spec["promotionTemplate"] = {"spec": {"steps": steps}}
        self.create("Stage", name, spec=spec)

    def promote(self, stage: str, freight: str = FREIGHT, *, name: str = "") -> str:
        name = name or promotion_name(stage, freight)
        self.create("Promotion", name, spec={"stage": stage, "freight": freight, "steps": STEPS})
        return name

    def auto_promote(self, *selectors: Manifest) -> None:
        policies = [{"stageSelector": selector, "autoPromotionEnabled": True} for selector in selectors]
        self.configure({"promotionPolicies": policies})

    def configure(self, spec: Manifest) -> None:
        """Create the ProjectConfig and wait until the engine has heard of it, as it wakes nobody."""
        self.create("ProjectConfig", self.name, spec=spec)
        until("config", lambda: self.double.knows(PROJECT_CONFIGS, Key(self.name, self.name)))

    def annotate(self, kind: str, name: str, **annotations: str) -> None:
        keys = {f"kargo.akuity.io/{key}": value for key, value in annotations.items()}
        self.kube.patch(self.ref(kind, name), {"metadata": {"annotations": keys}})

    def set_status(self, ref: Ref, status: Manifest) -> None:
        self.kube.patch(ref, {"status": status}, subresource="status")

    def status(self, stage: str) -> Manifest:
        found: Manifest = self.kube.get(self.ref("Stage", stage)).get("status", {})
        return found

    def ready(self, stage: str) -> tuple[str, str]:
        for condition in self.status(stage).get("conditions", []):
            if condition["type"] == "Ready":
                return condition["reason"], condition["message"]
        return "", ""

    def until_ready(self, stage: str, reason: str) -> Manifest:
        until(f"{stage} {reason}", lambda: self.ready(stage)[0] == reason)
        return self.status(stage)

    def until_refreshed(self, stage: str, token: str) -> Manifest:
        self.annotate("Stage", stage, refresh=token)
        until(f"{stage} refreshed", lambda: self.status(stage).get("lastHandledRefresh") == token)
        return self.status(stage)

    def verifications(self, stage: str) -> list[Manifest]:
        history = self.status(stage).get("freightHistory", [])
        found: list[Manifest] = history[0].get("verificationHistory", []) if history else []
        return found

    def promotions(self, stage: str) -> list[Manifest]:
        found = self.kube.list(PROMOTIONS, self.name)
        return [promotion for promotion in found if promotion["spec"]["stage"] == stage]

    def freight_status(self, name: str = FREIGHT) -> Manifest:
        found: Manifest = self.kube.get(self.ref("Freight", name)).get("status", {})
        return found

    def analysis_runs(self) -> list[Manifest]:
        found = self.kube.list(ANALYSIS_RUNS, self.name)
        return sorted(found, key=lambda run: str(run["metadata"]["name"]))

    def events(self, reason: str) -> list[Manifest]:
        events = self.kube.list(self.kube.resource("v1", "Event"), self.name)
        return [event for event in events if event["reason"] == reason]


@pytest.fixture(scope="module")
def double(apiserver: Path, evaluator: Evaluator) -> Iterator[PromotionDouble]:
    """The stand-in for Promotions; beside it the engine reconciles Stages."""
    kube = StoringKube(apiserver, Stores())
    double = PromotionDouble(kube)
    stages = stage_controller(kube, evaluator, ApplicationNames(kube, evaluator))
    manager = Manager(kube, [stages, double.controller()])
    manager.start()
    yield double
    manager.stop(within=10)


@pytest.fixture
def project(kube: Kube, namespace: str, double: PromotionDouble) -> Project:
    return Project(kube, namespace, double)


def test_a_new_stage_waits_for_freight_and_says_so(project: Project) -> None:
    project.warehouse()
    project.stage("dev")
    status = project.until_ready("dev", "NoFreight")
    until("Verified condition", lambda: len(project.status("dev")["conditions"]) == 3)
    status = project.status("dev")
    assert [(one["type"], one["status"], one["reason"], one["message"]) for one in status["conditions"]] == [
        ("Ready", "False", "NoFreight", "Stage has no current Freight"),
        ("Healthy", "Unknown", "NoFreight", "Stage has no current Freight"),
        ("Verified", "Unknown", "NoFreight", "Stage has no current Freight to verify"),
    ]
    assert status["freightSummary"] == "0/1 Fulfilled"
    assert "observedGeneration" not in status
    assert project.kube.get(project.ref("Stage", "dev"))["metadata"]["finalizers"] == ["kargo.akuity.io/finalizer"]


def test_an_auto_promotion_is_told_by_events(project: Project) -> None:
    update = {"uses": "argocd-update", "as": "update", "config": {"apps": [{"name": "demo-${{ ctx.stage }}"}]}}
    project.warehouse()
    project.stage("dev", steps=[update])
    project.auto_promote({"name": "dev"})
    project.until_ready("dev", "NoFreight")
    project.freight()
    project.until_ready("dev", "Verified")
    created = project.events("PromotionCreated")[0]
    assert created["message"] == 'Automatically promoted Freight from origin "Warehouse/demo" for Stage "dev"'
    about = {key.removeprefix("event.kargo.akuity.io/"): value for key, value in annotations_of(created).items()}
    promotion = project.promotions("dev")[0]
    assert about == {
        "actor": "controller:stage-controller",
        "applications": '[{"Namespace":"argocd","Name":"demo-dev"}]',
        "freight-alias": "alias-f49ff1e",
        "freight-create-time": about["freight-create-time"],
        "freight-images": json.dumps(
            [{"repoURL": "example.test/product-api", "tag": "1.0.0", "digest": "sha256:" + "a" * 64}],
            separators=(",", ":"),
        ),
        "freight-name": FREIGHT,
        "project": project.name,
        "promotion-create-time": promotion["metadata"]["creationTimestamp"],
        "promotion-name": promotion["metadata"]["name"],
        "stage-name": "dev",
    }
    assert re.fullmatch(r"dev\.[0-9a-hjkmnp-tv-z]{26}\.f49ff1e", promotion["metadata"]["name"])
    verified = until("event", lambda: project.events("FreightVerificationSucceeded"))[0]
    assert verified["involvedObject"]["name"] == FREIGHT
    assert verified["message"] == "Freight verification succeeded"
    assert {key.removeprefix("event.kargo.akuity.io/") for key in annotations_of(verified)} == {
        "actor",
        "freight-alias",
        "freight-create-time",
        "freight-images",
        "freight-name",
        "project",
        "stage-name",
        "verification-finish-time",
        "verification-start-time",
    }


def annotations_of(manifest: Manifest) -> dict[str, str]:
    found: dict[str, str] = manifest["metadata"].get("annotations", {})
    return found


def test_a_failed_auto_promotion_is_not_repeated(project: Project) -> None:
    project.end_promotions_with(phase="Errored", message="it did not work")
    project.warehouse()
    project.stage("dev")
    project.auto_promote({"name": "dev"})
    project.freight()
    status = project.until_refreshed("dev", "1")
    project.until_ready("dev", "LastPromotionErrored")
    status = project.until_refreshed("dev", "2")
    assert project.ready("dev") == ("LastPromotionErrored", "it did not work")
    assert len(project.promotions("dev")) == 1
    assert status["health"] == {
        "status": "Unknown",
        "issues": ["Cannot assess health because last Promotion did not succeed"],
    }
    assert "freightHistory" not in status


def test_promotions_run_one_after_the_other_and_the_last_counts(project: Project) -> None:
    other = "c240bb48531da0ec4c6ec9271e5f43917f173aab"
    project.warehouse()
    project.stage("dev")
    project.freight()
    project.freight(other)
    names = [project.promote("dev", freight) for freight in (FREIGHT, other, FREIGHT)]
    until("all taken over", lambda: project.status("dev").get("lastPromotion", {}).get("name") == names[-1])
    status = project.until_ready("dev", "Verified")
    history = [next(iter(entry["items"].values()))["name"] for entry in status["freightHistory"]]
    assert history == [FREIGHT, other, FREIGHT]
    assert project.freight_status()["currentlyIn"].keys() == {"dev"}
    assert "currentlyIn" not in project.freight_status(other) or not project.freight_status(other)["currentlyIn"]


def test_a_promotion_that_sorts_before_the_last_is_never_taken_over(project: Project) -> None:
    project.warehouse()
    project.stage("dev")
    project.freight()
    project.promote("dev", name="z")
    project.until_ready("dev", "Verified")
    project.promote("dev", name="a")
    until("a ends", lambda: phase(project.kube.get(project.ref("Promotion", "a"))) == "Succeeded")
    until("current cleared", lambda: "currentPromotion" not in project.status("dev"))
    assert project.until_refreshed("dev", "1")["lastPromotion"]["name"] == "z"


def test_freight_that_leaves_a_stage_keeps_its_soak_time(project: Project) -> None:
    other = "c240bb48531da0ec4c6ec9271e5f43917f173aab"
    project.warehouse()
    project.stage("dev")
    project.freight()
    project.freight(other)
    project.promote("dev")
    project.until_ready("dev", "Verified")
    project.promote("dev", other)
    until("it left", lambda: "longestSoak" in project.freight_status()["verifiedIn"]["dev"])
    status = project.freight_status()
    assert not status.get("currentlyIn")
    assert re.fullmatch(r"[\dms.µ]+", status["verifiedIn"]["dev"]["longestSoak"])


def test_approved_freight_is_promoted_though_it_was_nowhere(project: Project) -> None:
    project.warehouse()
    project.stage("dev")
    project.stage("prod", after="dev")
    project.auto_promote({"name": "prod"})
    project.freight()
    project.until_ready("prod", "NoFreight")
    project.set_status(project.ref("Freight", FREIGHT), {"approvedFor": {"prod": {"approvedAt": now()}}})
    project.until_ready("prod", "Verified")
    assert project.promotions("dev") == []


def test_a_missing_warehouse_is_an_error_that_is_told(project: Project) -> None:
    project.stage("dev")
    project.auto_promote({})
    project.until_refreshed("dev", "1")
    message = f'Warehouse "demo" not found in namespace "{project.name}"'
    until("error", lambda: project.ready("dev") == ("ReconcileError", message))


def test_the_policy_counts_from_the_next_look_on(project: Project) -> None:
    project.warehouse()
    project.stage("dev")
    project.freight()
    project.until_ready("dev", "NoFreight")
    project.auto_promote({"name": "glob:d*", "matchExpressions": [{"key": "no", "operator": "DoesNotExist"}]})
    project.until_refreshed("dev", "1")
    assert project.until_ready("dev", "Verified")["autoPromotionEnabled"] is True


# --- health


def application(project: Project, *, health: str, finished_at: str = "2026-11-23T11:56:22Z") -> Ref:
    """The Application that the Stage `staging` is authorized for."""
    name = f"{project.name}-staging"
    ref = Ref("argoproj.io/v1alpha1", "Application", name, project.name)
    manifest = {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {
            "name": name,
            "namespace": project.name,
            "annotations": {"kargo.akuity.io/authorized-stage": f"{project.name}:staging"},
        },
        "spec": {"destination": {}, "project": "default", "source": {"repoURL": "https://git.test/demo.git"}},
        "status": {
            "health": {"status": health},
            "sync": {"status": "Synced", "revision": "abc"},
            "operationState": {
                "phase": "Succeeded",
                "startedAt": finished_at,
                "finishedAt": finished_at,
                "operation": {"sync": {}},
            },
        },
    }
    if project.kube.find(ref) is None:
        project.kube.create(manifest)
    else:
        project.kube.patch(ref, {"status": manifest["status"]})
    return ref


def with_application(project: Project) -> None:
    name = f"{project.name}-staging"
    config = {"apps": [{"name": name, "namespace": project.name, "desiredRevisions": ["abc"]}]}
    project.end_promotions_with(healthChecks=[{"uses": "argocd-update", "config": config}])


def test_health_follows_the_application(project: Project) -> None:
    with_application(project)
    project.warehouse()
    project.stage("staging")
    project.freight()
    project.promote("staging")
    project.until_ready("staging", "ReconcileError")
    until("promotion over", lambda: "currentPromotion" not in project.status("staging"))
    named = f'Argo CD Application "{project.name}-staging" in namespace "{project.name}"'
    until(
        "application missing",
        lambda: project.status("staging").get("health", {}).get("issues") == [f"unable to find {named}"],
    )

    application(project, health="Progressing")
    project.until_ready("staging", "Progressing")
    application(project, health="Suspended")
    until("suspended", lambda: project.status("staging")["health"]["issues"] == [f"{named} is suspended"])
    assert project.freight_status()["currentlyIn"].keys() == {"staging"}
    assert "verifiedIn" not in project.freight_status()

    application(project, health="Degraded")
    status = project.until_ready("staging", "Unhealthy")
    assert status["health"]["issues"] == [f'{named} has health state "Degraded"']
    assert project.ready("staging")[1] == "Stage is unhealthy (1 issues in 1 health checks)"

    application(project, health="Healthy")
    project.until_ready("staging", "Verified")
    stage = project.kube.get(project.ref("Stage", "staging"))
    context = [{"name": f"{project.name}-staging", "namespace": project.name}]
    assert json.loads(annotations_of(stage)["kargo.akuity.io/argocd-context"]) == context


def test_the_cool_down_of_an_operation_ends_by_itself(project: Project) -> None:
    with_application(project)
    project.warehouse()
    project.stage("staging")
    project.freight()
    application(project, health="Healthy", finished_at=now())
    project.promote("staging")
    until(
        "cool-down",
        lambda: "less than 10s ago" in json.dumps(project.status("staging").get("health", {}).get("issues")),
    )
    project.until_ready("staging", "Verified")


# --- verification


def verified_stage(project: Project, *, args: list[Manifest] | None = None, **spec: Any) -> None:
    """A Stage `staging` with verification, and Freight promoted to it."""
    verification = {"analysisTemplates": [{"name": "verify-staging"}], **({"args": args} if args else {})}
    project.warehouse()
    project.stage("staging", verification=verification, **spec)
    project.freight()


def template(project: Project, spec: Manifest = TEMPLATE, name: str = "verify-staging") -> None:
    project.create("AnalysisTemplate", name, api_version="argoproj.io/v1alpha1", spec=spec)


def finish(project: Project, run: Manifest, outcome: str, message: str = "") -> None:
    measurement = {"phase": outcome, "startedAt": "2026-11-23T12:21:29Z", "finishedAt": "2026-11-23T12:21:29Z"}
    status = {
        "phase": outcome,
        "metricResults": [{"name": "health", "phase": outcome, "count": 1, "measurements": [measurement]}],
        **({"message": message} if message else {}),
    }
    # The definition of AnalysisRuns has no status subresource.
    project.kube.patch(Ref.of(run), {"status": status})


def test_verification_by_an_analysis_run(project: Project) -> None:
    template(project)
    verified_stage(project)
    promotion = project.promote("staging")
    project.until_ready("staging", "VerificationPending")
    run = project.analysis_runs()[0]
    recorded = json.loads((AT_THE_END / "analysisruns.json").read_text())[0]
    assert run["spec"] == recorded["spec"]
    assert annotations_of(run) == {"kargo.akuity.io/promotion": promotion}
    collection = collection_id([FREIGHT])
    assert run["metadata"]["labels"] == {
        "kargo.akuity.io/stage": "staging",
        "kargo.akuity.io/freight-collection": collection,
    }
    assert re.fullmatch(rf"staging\.[0-9a-z]{{26}}\.{collection[:7]}", run["metadata"]["name"])
    freight = project.kube.get(project.ref("Freight", FREIGHT))
    assert run["metadata"]["ownerReferences"] == [
        {
            "apiVersion": API_VERSION,
            "kind": "Freight",
            "name": FREIGHT,
            "uid": freight["metadata"]["uid"],
            "blockOwnerDeletion": False,
        }
    ]
    entry = project.verifications("staging")[0]
    named = {"name": run["metadata"]["name"], "namespace": project.name}
    assert entry["analysisRun"] == {**named, "phase": ""}
    assert entry["finishTime"] == run["metadata"]["creationTimestamp"]

    project.kube.patch(Ref.of(run), {"status": {"phase": "Running"}})
    project.until_ready("staging", "VerificationRunning")
    running = project.verifications("staging")[0]
    assert running["analysisRun"] == {**named, "phase": "Running"}
    assert "finishTime" not in running
    assert running["id"] == entry["id"]

    finish(project, run, "Successful")
    project.until_ready("staging", "Verified")
    assert project.verifications("staging") == [
        {
            "id": entry["id"],
            "startTime": entry["startTime"],
            "phase": "Successful",
            "finishTime": "2026-11-23T12:21:29Z",
            "analysisRun": {**named, "phase": "Successful"},
        }
    ]
    until("verified", lambda: project.freight_status().get("verifiedIn"))
    assert project.freight_status()["verifiedIn"] == {"staging": {"verifiedAt": "2026-11-23T12:21:29Z"}}
    event = until("event", lambda: project.events("FreightVerificationSucceeded"))[0]
    assert annotations_of(event)["event.kargo.akuity.io/analysis-run-name"] == run["metadata"]["name"]
    assert annotations_of(event)["event.kargo.akuity.io/promotion-name"] == promotion


def test_a_failed_verification_is_repeated_on_request(project: Project) -> None:
    message = 'Metric "health" assessed Failed due to failed (2) > failureLimit (1)'
    template(project)
    verified_stage(project)
    project.promote("staging")
    project.until_ready("staging", "VerificationPending")
    finish(project, project.analysis_runs()[0], "Failed", message)
    project.until_ready("staging", "VerificationFailed")
    assert project.ready("staging")[1] == message
    assert "verifiedIn" not in project.freight_status()
    assert until("event", lambda: project.events("FreightVerificationFailed"))[0]["message"] == message

    failed = project.verifications("staging")[0]
    project.annotate("Stage", "staging", reverify=json.dumps({"id": failed["id"], "actor": "kubernetes:admin"}))
    project.until_ready("staging", "VerificationPending")
    first, second = project.analysis_runs()
    assert annotations_of(second) == {}
    finish(project, second, "Successful")
    project.until_ready("staging", "Verified")
    assert first["metadata"]["name"] != second["metadata"]["name"]
    event = until("event", lambda: project.events("FreightVerificationSucceeded"))[0]
    assert annotations_of(event)["event.kargo.akuity.io/actor"] == "kubernetes:admin"
    assert "event.kargo.akuity.io/promotion-name" not in annotations_of(event)


def test_a_verification_is_aborted_on_request(project: Project) -> None:
    template(project)
    verified_stage(project)
    project.promote("staging")
    project.until_ready("staging", "VerificationPending")
    project.annotate("Stage", "staging", abort=project.verifications("staging")[0]["id"])
    project.until_ready("staging", "VerificationFailed")
    assert project.ready("staging")[1] == "Verification aborted by user"
    assert project.analysis_runs()[0]["spec"]["terminate"] is True


def test_freight_that_comes_back_is_judged_by_its_old_analysis_run(project: Project) -> None:
    other = "c240bb48531da0ec4c6ec9271e5f43917f173aab"
    template(project)
    verified_stage(project)
    project.freight(other)
    project.promote("staging")
    project.until_ready("staging", "VerificationPending")
    finish(project, project.analysis_runs()[0], "Failed", "no")
    project.until_ready("staging", "VerificationFailed")
    project.promote("staging", other)
    until("other run", lambda: len(project.analysis_runs()) == 2)
    project.until_ready("staging", "VerificationPending")
    finish(project, project.analysis_runs()[1], "Successful")
    project.until_ready("staging", "Verified")
    project.promote("staging")
    project.until_ready("staging", "VerificationFailed")
    assert len(project.analysis_runs()) == 2
    assert project.verifications("staging")[0]["analysisRun"]["name"] == project.analysis_runs()[0]["metadata"]["name"]


def test_a_promotion_waits_until_the_verification_is_over(project: Project) -> None:
    other = "c240bb48531da0ec4c6ec9271e5f43917f173aab"
    template(project)
    verified_stage(project)
    project.freight(other)
    project.promote("staging")
    project.until_ready("staging", "VerificationPending")
    waiting = project.promote("staging", other)
    until("pending", lambda: phase(project.kube.get(project.ref("Promotion", waiting))) == "Pending")
    assert "currentPromotion" not in project.until_refreshed("staging", "1")
    finish(project, project.analysis_runs()[0], "Successful")
    until("next", lambda: project.status("staging")["lastPromotion"]["name"] == waiting)


def test_arguments_are_expressions_over_the_freight(project: Project) -> None:
    declared = [{"name": "image"}, {"name": "where"}, {"name": "kept", "value": "default"}]
    template(project, TEMPLATE | {"args": declared})
    args = [
        {"name": "image", "value": '${{ quote(imageFrom("example.test/product-api").Tag) }}'},
        {"name": "where", "value": "${{ vars.host }}/${{ ctx.stage }}"},
        {"name": "kept", "value": ""},
        {"name": "unknown", "value": "dropped"},
    ]
    verified_stage(project, args=args, vars=[{"name": "host", "value": "${{ ctx.project }}.test"}])
    project.promote("staging")
    project.until_ready("staging", "VerificationPending")
    assert project.analysis_runs()[0]["spec"]["args"] == [
        {"name": "image", "value": "1.0.0"},
        {"name": "where", "value": f"{project.name}.test/staging"},
        {"name": "kept", "value": "default"},
    ]


@pytest.mark.parametrize(
    ("spec", "args", "error"),
    [
        (
            None,
            [],
            f'get AnalysisRun "verify-staging" in namespace "{{ns}}": {NOT_FOUND}',
        ),
        (TEMPLATE | {"args": [{"name": "a"}]}, [], 'unresolved argument "a": neither Value nor ValueFrom is set'),
        (
            TEMPLATE | {"args": [{"name": "a"}]},
            [{"name": "a", "value": "${{ 1 + 1 }}"}],
            'evaluated argument "a" value is not a string but float64',
        ),
    ],
)
def test_an_analysis_run_that_cannot_be_built_is_an_error(
    project: Project, spec: Manifest | None, args: list[Manifest], error: str
) -> None:
    if spec:
        template(project, spec)
    verified_stage(project, args=args)
    project.promote("staging")
    project.until_ready("staging", "VerificationError")
    collection = collection_id([FREIGHT])
    assert project.ready("staging")[1] == (
        f'error building AnalysisRun for Stage "staging" and Freight collection "{collection}" '
        f'in namespace "{project.name}": {error.format(ns=project.name)}'
    )
    assert until("event", lambda: project.events("FreightVerificationErrored"))


def test_promoting_the_same_freight_again_begins_a_new_history(project: Project) -> None:
    project.warehouse()
    project.stage("dev")
    project.freight()
    project.promote("dev")
    first = project.until_ready("dev", "Verified")["freightHistory"][0]["verificationHistory"][0]
    again = project.promote("dev")
    until("again", lambda: project.status("dev")["lastPromotion"]["name"] == again)
    status = project.until_ready("dev", "Verified")
    assert [entry["id"] for entry in status["freightHistory"]] == [collection_id([FREIGHT])] * 2
    assert status["freightHistory"][0]["verificationHistory"][0]["id"] != first["id"]


# --- the end


def test_a_stage_that_goes_takes_its_traces_along(project: Project) -> None:
    template(project)
    verified_stage(project)
    project.promote("staging")
    project.until_ready("staging", "VerificationPending")
    finish(project, project.analysis_runs()[0], "Successful")
    project.until_ready("staging", "Verified")
    until("verified", lambda: project.freight_status().get("verifiedIn"))
    project.kube.delete(project.ref("Stage", "staging"))
    until("gone", lambda: project.kube.find(project.ref("Stage", "staging")) is None)
    assert project.analysis_runs() == []
    assert not project.freight_status().get("verifiedIn")
    assert project.freight_status()["currentlyIn"].keys() == {"staging"}


def test_a_control_flow_stage_hands_freight_on(project: Project) -> None:
    project.warehouse()
    project.stage("flow", steps=[])
    project.stage("after", after="flow")
    project.auto_promote({"name": "after"})
    project.until_ready("flow", "Ready")
    project.freight()
    project.until_ready("after", "Verified")
    assert project.status("flow") == {
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Ready",
                "message": "",
                "lastTransitionTime": project.status("flow")["conditions"][0]["lastTransitionTime"],
            }
        ],
        "freightSummary": "N/A",
        "observedGeneration": 1,
    }
    assert {event["involvedObject"]["name"] for event in project.events("FreightVerificationSucceeded")} == {FREIGHT}
