"""The recorded demo as a whole: dev to staging to prod and its rollback, what fails, what people do, verification.

Compared are the objects after the first rollback and at the end, and every state that the objects went through.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Manifest, Ref, Resource
from gitops_e2e.promoter.admission.server import KeyPair
from gitops_e2e.promoter.api.kinds import (
    API_VERSION,
    FREIGHTS,
    PROJECT_CONFIGS,
    PROJECTS,
    PROMOTION_TASKS,
    PROMOTIONS,
    STAGES,
    WAREHOUSES,
)
from gitops_e2e.promoter.stages.analysis_runs import ANALYSIS_RUNS
from gitops_e2e.promoter.steps.applications import APPLICATIONS
from tests.control_plane import ControlPlane, free_port
from tests.promoter.conformance import (
    BOGUS_ID,
    RECORDINGS,
    SMOOTHED,
    Conformance,
    Different,
    as_recorded,
    behaviour,
    compare,
    without,
)
from tests.promoter.conftest import USERS, GitServer, install_kinds
from tests.promoter.engine_process import Place, until, webhooks
from tests.promoter.recorded_demo import GIT, HEALTH, NOBODY, PROJECT, REPOSITORY, Demo, sequence
from tests.promoter.warehouses.registry_server import RegistryServer

pytestmark = pytest.mark.node

SEQUENCES = {FREIGHTS: "freights", STAGES: "stages", PROMOTIONS: "promotions", ANALYSIS_RUNS: "analysisruns"}
AFTER_ROLLBACK, AT_THE_END = "after-first-rollback", "at-the-end"
WAIT = {"uses": "http", "as": "wait", "retry": {"timeout": "5m"}}
FAILING = {  # the steps of a Promotion by its name
    "p6": [{"uses": "no-such-step"}],
    "p7": [{"uses": "git-clone", "config": {"repoURL": f"{GIT}/demo.git"}}],
    "p8": [{"uses": "git-clear", "config": {"path": "${{ vars.nope }}"}}],
    "p9": [
        {"uses": "git-clone", "config": {"repoURL": f"{GIT}/none.git", "checkout": [{"branch": "main", "path": "."}]}}
    ],
    "p10": [
        {
            "uses": "git-clone",
            "config": {"repoURL": f"{GIT}/demo.git", "checkout": [{"branch": "main", "path": "./src"}]},
        },
        {"uses": "kustomize-build", "config": {"path": "./src/stages/nope", "outPath": "./out"}},
    ],
    "p11": [{"uses": "argocd-update", "config": {"apps": [{"name": "demo-staging"}]}}],
    "p12": [{"uses": "argocd-update", "config": {"apps": [{"name": "nope"}]}}],
    "p13": [{"uses": "fail"}],
    "p14": [
        {
            "uses": "http",
            "config": {
                "url": f"http://{HEALTH}/health",
                "outputs": [{"name": "st", "fromExpression": "response.body.status"}],
            },
        },
        {"uses": "compose-output", "as": "o", "config": {"v": "${{ outputs['step-1'].st }}"}},
    ],
}


@dataclass(frozen=True)
class Way:
    """What became of it: objects by moment and resource, states by resource, and how names were in the recording."""

    objects: dict[str, dict[str, list[Manifest]]]
    states: dict[Resource, list[Manifest]]
    spelling: dict[str, str]


@pytest.fixture(scope="module")
def health() -> Iterator[str]:
    """What answers as the demo's service did, by its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"status":"healthy"}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def way(
    git_server: GitServer, health: str, tools: Path, serving_keys: KeyPair, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Way]:
    registry = RegistryServer(tmp_path_factory.mktemp("registry"))
    plane = ControlPlane(tmp_path_factory.mktemp("demo-plane"), USERS)
    try:
        registry.start()
        plane.start()
        install_kinds(plane)
        kube = plane.kube()
        engine = plane.kubeconfig_of("system:serviceaccount:kargo:kargo-controller")
        place = Place.make(engine, tools, tmp_path_factory.mktemp("engine"), serving_keys)
        addresses = {
            f"{registry.host}/product-api": REPOSITORY,
            git_server.url: GIT,
            health: HEALTH,
            f"127.0.0.1:{free_port()}": NOBODY,
        }
        repository = git_server.create("demo", _input(tmp_path_factory.mktemp("input"), addresses))
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
        with place.engine() as (_, url), webhooks(kube, url, serving_keys):
            yield _go(Demo(kube, registry, repository, addresses))
    finally:
        plane.stop()
        registry.stop()


def _input(folder: Path, addresses: dict[str, str]) -> Path:
    """The recorded content of the Git repository, with the addresses of this run."""
    files = folder / "repo"
    shutil.copytree(RECORDINGS / "input/repo", files)
    for file in files.rglob("*.yaml"):
        text = file.read_text()
        for ours, theirs in addresses.items():
            text = text.replace(theirs, ours)
        file.write_text(text)
    return files


def _go(demo: Demo) -> Way:
    """Everything that was done when the recordings were made, in its order."""
    objects: dict[str, dict[str, list[Manifest]]] = {}
    demo.begin()
    _first_freight(demo)
    objects[AFTER_ROLLBACK] = _objects(demo)
    _second_freight(demo)
    third = _what_fails(demo)
    demo.subscribe("nomatch", "MissingImageReferences")
    demo.subscribe("unreach", "DiscoveryFailure")
    _what_people_do(demo, third)
    _new_stage(demo, third)
    _failed_verification(demo, third, objects)
    for token in ("1795435276", "1795435277"):  # the latter was seen to before; Kargo looked again by itself
        demo.until_found(PROJECT, "AlreadyExists", token)
    demo.until_found("unreach", "DiscoveryFailure")
    objects[AT_THE_END] = _objects(demo)
    for recorder in demo.recorders.values():
        recorder.stop()
    return Way(objects, {kind: one.states for kind, one in demo.recorders.items()}, demo.addresses)


def _first_freight(demo: Demo) -> None:
    """By itself to dev and staging, by hand to prod, where the canary is rolled back."""
    freight = demo.look_for_freight("1.0.0")
    demo.sync("dev")
    demo.until_ready("dev", "Verified")
    demo.sync("staging")
    demo.analyse("staging")
    demo.until_ready("staging", "Verified")
    until("available", lambda: "staging" in _freight(demo, freight)["status"].get("verifiedIn", {}))
    demo.promote("prod", freight, "prod.manual-912")
    demo.sync("prod")
    demo.until_ready("prod", "Unhealthy")


def _second_freight(demo: Demo) -> None:
    """The same, but not to prod."""
    demo.push("1.0.1")
    demo.look_for_freight("1.0.1", "1795435190")
    demo.sync("dev")
    demo.until_ready("dev", "Verified")
    demo.sync("staging")
    demo.analyse("staging")
    demo.until_ready("staging", "Verified")


def _what_fails(demo: Demo) -> str:
    """Promotions of the third Freight, each to fail in one way, but for the last; its name."""
    demo.automate()
    demo.push("1.1.0")
    freight = demo.look_for_freight("1.1.0", "1795435277")
    for name, steps in FAILING.items():
        demo.promote("dev", freight, name, demo.here(steps))
        demo.until_ended(name)
    return freight


def _what_people_do(demo: Demo, freight: str) -> None:
    """Names out of order, verification anew, a step that never succeeds, an abort."""
    second = demo.look_for_freight("1.0.1")
    for name, chosen in (("dev.manual-30508", second), ("dev.manual-11700", second), ("dev.manual-14216", freight)):
        demo.promote("dev", chosen, name)
        demo.sync("dev")
        demo.until_ended(name)
    _verify_again(demo)
    wait = {**WAIT, "config": {"url": demo.here(f"http://{HEALTH}/health"), "successExpression": "false"}}
    demo.promote("dev", freight, "toabort", [wait])
    promotion = _until_waiting(demo, "toabort")
    records = [{**one, "startedAt": "2026-01-01T00:00:00Z"} for one in promotion["status"]["stepExecutionMetadata"]]
    demo.kube.patch(Ref.of(promotion), {"status": {"stepExecutionMetadata": records}}, subresource="status")
    demo.annotate("Promotion", "toabort", abort="Terminate")  # no such action; but the Promotion is looked at
    demo.until_ended("toabort")
    demo.promote("dev", freight)
    demo.until_ended(demo.sync("dev"))
    _verify_again(demo)
    aborted = demo.promote("dev", freight, steps=[wait])
    _until_waiting(demo, aborted)
    demo.annotate("Promotion", aborted, abort="terminate")
    demo.until_ended(aborted)


def _verify_again(demo: Demo) -> None:
    latest = demo.stage("staging")["freightHistory"][0]["verificationHistory"][0]["id"]
    demo.annotate("Stage", "staging", reverify=latest)
    demo.analyse("staging")


def _until_waiting(demo: Demo, name: str) -> Manifest:
    ref = Ref(API_VERSION, "Promotion", name, PROJECT)
    until(f"{name} waits", lambda: demo.kube.get(ref).get("status", {}).get("stepExecutionMetadata"))
    return demo.kube.get(ref)


def _new_stage(demo: Demo, freight: str) -> None:
    """Stage dev deleted and made anew."""
    stage = Ref(API_VERSION, "Stage", "dev", PROJECT)
    spec = demo.kube.get(stage)["spec"]
    demo.kube.delete(stage)
    until("gone", lambda: demo.kube.find(stage) is None)
    for promotion in demo.kube.list(PROMOTIONS, PROJECT):  # as the garbage collector does
        if promotion["spec"]["stage"] == "dev":
            demo.kube.delete(Ref.of(promotion))
    demo.automate("dev")
    demo.kube.create(
        {"apiVersion": API_VERSION, "kind": "Stage", "metadata": {"name": "dev", "namespace": PROJECT}, "spec": spec}
    )
    until("promoted", lambda: demo.stage("dev").get("currentPromotion"))
    demo.promote("dev", freight)
    demo.automate()
    demo.sync("dev")
    demo.sync("dev")
    demo.until_ready("dev", "Verified")
    until("available", lambda: "dev" in _freight(demo, freight)["status"].get("verifiedIn", {}))


def _failed_verification(demo: Demo, freight: str, objects: dict[str, dict[str, list[Manifest]]]) -> None:
    """To staging by hand, where the verification fails and is repeated."""
    demo.judge("nope")
    demo.promote("staging", freight)
    demo.sync("staging")
    demo.analyse("staging")
    demo.until_ready("staging", "VerificationFailed")
    stage = Ref(API_VERSION, "Stage", "staging", PROJECT)
    failed = {"stage": [demo.kube.get(stage)], "freight": [_freight(demo, freight)]}
    demo.judge("healthy")
    _verify_again(demo)
    demo.until_ready("staging", "Verified")
    until("available", lambda: "staging" in _freight(demo, freight)["status"].get("verifiedIn", {}))
    objects["failed"] = failed | {"again": [demo.kube.get(stage)]}


def _freight(demo: Demo, name: str) -> Manifest:
    return demo.kube.get(Ref(API_VERSION, "Freight", name, PROJECT))


def _objects(demo: Demo) -> dict[str, list[Manifest]]:
    kinds = (WAREHOUSES, ANALYSIS_RUNS, FREIGHTS, PROJECT_CONFIGS, PROMOTIONS, PROMOTION_TASKS, STAGES)
    found = {kind.plural: demo.kube.list(kind, PROJECT) for kind in kinds}
    found["projects"] = demo.kube.list(PROJECTS)
    found["namespace"] = [demo.kube.get(Ref("v1", "Namespace", PROJECT))]
    found["applications"] = demo.kube.list(APPLICATIONS, "argocd")
    found["events"] = demo.kube.list(demo.kube.resource("v1", "Event"), PROJECT)
    return found


# --- objects

OBJECTS = {
    "analysisruns": behaviour("AnalysisRuns: name, labels, arguments, owners", "3.9", "- Labels: analysisRunMetadata"),
    "events": behaviour("events", "8", "Core/v1 Events in the project namespace"),
    "freights": behaviour("freight: where it is, and where it was verified", "1.7", "| `verifiedIn` |"),
    "namespace": behaviour("the project's namespace", "1.4", "Reconcile: ensure project finalizer"),
    "projectconfigs": behaviour("the project's configuration", "1.5", "Status: Ready=True reason `Synced`"),
    "projects": behaviour("the project", "1.4", "| Synced | True |"),
    "promotions": behaviour("promotions: spec and status", "4.3", "`phase, message, freight"),
    "promotiontasks": behaviour("promotion tasks", "1.8", "PromotionTask/ClusterPromotionTask"),
    "stages": behaviour("stages: status, health, histories", "3.2", "`conditions, lastHandledRefresh"),
    "warehouses": behaviour("warehouses: status", "2.3", "`status`: `conditions, lastHandledRefresh"),
}


def recorded_objects(moment: str, kind: str) -> list[Manifest]:
    found: list[Manifest] = json.loads((RECORDINGS / f"objects/{moment}/{kind}.json").read_text())
    return found


def cases() -> Iterator[Any]:
    for moment in (AFTER_ROLLBACK, AT_THE_END):
        for kind, mark in OBJECTS.items():
            if (RECORDINGS / f"objects/{moment}/{kind}.json").exists():
                yield pytest.param(moment, kind, marks=mark)


@pytest.mark.parametrize(("moment", "kind"), list(cases()))
def test_objects_as_recorded(way: Way, moment: str, kind: str, conformance: Conformance) -> None:
    seen, recorded = comparable(spelled(way, way.objects[moment][kind])), comparable(recorded_objects(moment, kind))
    if kind == "warehouses":
        for warehouse in recorded:
            if "AlreadyExists" in json.dumps(warehouse):
                conformance.accept(BOGUS_ID)
                seen, recorded = without(seen, "lastFreightID"), without(recorded, "lastFreightID")
    conformance.same(seen, recorded)


def comparable(objects: list[Manifest]) -> list[Manifest]:
    """The objects as they were recorded, in the order of their making; of the events those of Kargo."""
    found = [
        as_recorded(one)
        for one in objects
        if one.get("involvedObject", one)["apiVersion"] != "argoproj.io/v1alpha1" or one["kind"] != "Event"
    ]
    return sorted(found, key=lambda one: str(one["metadata"]["name"]))


FAILED_VERIFICATION = {
    "stage": "stage-verification-failed",
    "freight": "freight-verification-failed",
    "again": "stage-reverified",
}


@behaviour("a failed verification, and its repetition on request", "3.7", "| latest Failed / Error |")
@pytest.mark.parametrize("kind", FAILED_VERIFICATION)
def test_a_failed_verification_as_recorded(way: Way, kind: str, conformance: Conformance) -> None:
    seen = comparable(spelled(way, way.objects["failed"][kind]))
    conformance.same(seen, comparable(recorded_objects(AT_THE_END, FAILED_VERIFICATION[kind])))


@behaviour("what Applications are asked for", "9.4", "`operation` **replaced** by")
def test_operations_as_recorded(way: Way, conformance: Conformance) -> None:
    def asked(applications: list[Manifest]) -> list[Manifest]:
        return [
            {
                "name": one["metadata"]["name"],
                "annotations": one["metadata"]["annotations"],
                "operation": one["status"]["operationState"]["operation"],
            }
            for one in comparable(applications)
        ]

    recorded = asked(recorded_objects(AFTER_ROLLBACK, "applications"))
    conformance.same(asked(spelled(way, way.objects[AFTER_ROLLBACK]["applications"])), recorded)


# --- states

PROMOTION_STATES = {  # the first whose beginning the name has
    "p14": behaviour("http and compose-output", "6.11", "| compose-output |"),
    "p13": behaviour("a promotion with a step that Kargo 1.8.4 has not", "6", "**Not present**"),
    "p12": behaviour("a promotion for an Application that is missing", "9.2", "| not found |"),
    "p11": behaviour("a promotion for another stage's Application", "9.2", "annotation missing or different"),
    "p10": behaviour("a promotion of an overlay that is missing", "6.4", "`outPath` ending"),
    "p9": behaviour("a promotion from a repository that is missing", "6.1", "Output: `{commits"),
    "p8": behaviour("a promotion with a variable that is missing", "5.5", "Unknown top-level name"),
    "p7": behaviour("a promotion with an invalid config", "6", "Example: `an unrecoverable error"),
    "p6": behaviour("a promotion with an unknown step", "4.4", "Unknown `uses`"),
    "toabort": behaviour("a step that never succeeds, and its timeout", "4.4", "| elapsed > timeout"),
    "dev.01m845hx": behaviour("a promotion is aborted", "4.5", "Annotation `K/abort: terminate`"),
    "dev.manual": behaviour(
        "promotions whose names do not sort after the last one's", "4.2", "Consequences of hand-made"
    ),
    "": behaviour("a promotion from nothing to Succeeded", "4.2", "| Running | set when"),
}
PASSING = {  # what a Stage is in the middle of, by the reason of its condition Ready
    "ActivePromotion": "promoting",
    "Unknown": "health is not known",
    "WaitingForHealthCheck": "health is not known",
    "Progressing": "health is progressing",
    "VerificationPending": "verifying",
    "VerificationRunning": "verifying",
}
STAGE_STATES = behaviour(
    "states of a stage: a promotion, health, verification", "3.8", "6. Ready True reason `Verified`"
)
NEW_STAGE = behaviour("states of a new stage", "3.8", "4. Healthy not True")
FREIGHT_STATES = behaviour("states of freight: in a stage, verified, gone", "3.5", "Freight no longer in the current")
RUN_STATES = behaviour("states of an AnalysisRun, from its creation", "3.7", "Created → phase Pending")
ULID = re.compile(r"(?<=\.)[0-9a-z]{26}(?=\.)")


def numbered(rows: Sequence[Manifest]) -> dict[str, str]:
    """The names in the rows by what they are called without what is random: the same here and there."""
    names: dict[str, list[str]] = {}
    for name in sorted({row["name"] for row in rows}):
        names.setdefault(ULID.sub("*", name), []).append(name)
    return {f"{plain} {number}": name for plain, found in names.items() for number, name in enumerate(found, start=1)}


def recorded_states(resource: Resource) -> list[Manifest]:
    return sequence(SEQUENCES[resource])


def seen_states(way: Way, resource: Resource) -> list[Manifest]:
    return spelled(way, way.states[resource])


def spelled(way: Way, value: list[Manifest]) -> list[Manifest]:
    """What was seen with the names that it had in the recording."""
    text = json.dumps(value)
    for ours in sorted(way.spelling, key=len, reverse=True):
        text = text.replace(ours, way.spelling[ours])
    found: list[Manifest] = json.loads(text)
    return found


def state_cases(resource: Resource) -> Iterator[Any]:
    for key, name in numbered(recorded_states(resource)).items():
        if resource is PROMOTIONS:
            mark = next(mark for start, mark in PROMOTION_STATES.items() if name.startswith(start))
        else:
            mark = FREIGHT_STATES if resource is FREIGHTS else RUN_STATES
        yield pytest.param(resource, key, id=f"{resource.plural} {key}", marks=mark)


@pytest.mark.parametrize(
    ("resource", "key"), [case for resource in (PROMOTIONS, FREIGHTS, ANALYSIS_RUNS) for case in state_cases(resource)]
)
def test_states_as_recorded(way: Way, resource: Resource, key: str, conformance: Conformance) -> None:
    seen, recorded = seen_states(way, resource), recorded_states(resource)
    ours = [row for row in seen if row["name"] == numbered(seen)[key]]
    theirs = [row for row in recorded if row["name"] == numbered(recorded)[key]]
    begin = next((index for index, row in enumerate(ours) if _alike(row, theirs[0])), 0)
    if begin:  # the recorder came later
        ours = [{**ours[begin], "event": "ADDED"}, *ours[begin + 1 :]]
    conformance.same(ours, theirs, sequence=True)


def _alike(one: Manifest, other: Manifest) -> bool:
    return not compare(one["status"], other["status"]).differences


def promoted(rows: Sequence[Manifest], promotion: str) -> list[Manifest]:
    """The states of a Stage from the start of a Promotion until that of the next one."""
    stage = next(row["name"] for row in rows if current(row) == promotion)
    own = [row for row in rows if row["name"] == stage]
    begin = next(index for index, row in enumerate(own) if current(row) == promotion)
    end = next(
        (
            index
            for index, row in enumerate(own)
            if index > begin and (current(row) not in {None, promotion} or row["event"] == "ADDED")
        ),
        len(own),
    )
    return own[begin:end]


def current(row: Manifest) -> str | None:
    return ((row["status"] or {}).get("currentPromotion") or {}).get("name")


def stage_cases() -> Iterator[Any]:
    names = {current(row) for row in recorded_states(STAGES)}
    for key, name in numbered(recorded_states(PROMOTIONS)).items():
        if name in names:
            yield pytest.param(key, marks=STAGE_STATES)


@pytest.mark.parametrize("key", list(stage_cases()))
def test_states_of_a_stage_as_recorded(way: Way, key: str, conformance: Conformance) -> None:
    seen, recorded = seen_states(way, STAGES), recorded_states(STAGES)
    ours = promoted(seen, numbered(seen_states(way, PROMOTIONS))[key])
    theirs = promoted(recorded, numbered(recorded_states(PROMOTIONS))[key])
    conformance.accept(SMOOTHED)
    conformance.same(list(map(lasting, ours)), list(map(lasting, theirs)), sequence=True)


def lasting(row: Manifest) -> Any:
    """The state if it is one that lasts; else what the Stage is in the middle of.

    In which states of that it can be seen depends on when it looks; each of them is compared in test_stages_recorded.
    """
    conditions = {one["type"]: one["reason"] for one in row["status"]["conditions"]}
    reason = conditions["Ready"]
    if "Promoting" in conditions or conditions["Healthy"] == "ActivePromotion" or _is_told_of(row["status"]):
        return PASSING["ActivePromotion"]
    if reason == "ReconcileError":
        return PASSING[conditions["Healthy"]]
    verifying = (row["status"].get("freightHistory") or [{}])[0].get("verificationHistory", [{}])[0].get("phase")
    return PASSING.get(reason) or ("verifying" if verifying in {"Pending", "Running"} else row)


def _is_told_of(status: Manifest) -> bool:
    """Whether the health is that of a Stage with a Promotion, which may be over already."""
    return "a Promotion is currently in progress" in json.dumps((status.get("health") or {}).get("issues"))


@NEW_STAGE
def test_states_of_a_new_stage_as_recorded(way: Way, conformance: Conformance) -> None:
    def new(rows: list[Manifest]) -> list[Manifest]:
        own = [row for row in rows if row["name"] == "dev"]
        begin = max(index for index, row in enumerate(own) if row["event"] == "ADDED")
        return list(takewhile(lambda row: current(row) is None, own[begin:]))

    conformance.same(new(seen_states(way, STAGES)), new(recorded_states(STAGES)), sequence=True)


# --- that a difference is seen


@pytest.mark.parametrize(
    ("kind", "word", "other"),
    [
        ("analysisruns", "blockOwnerDeletion", "blockOwnerRemoval"),
        ("events", "Automatically promoted", "Promoted"),
        ("freights", '"verifiedAt"', '"provenAt"'),
        ("projects", "ready for use", "in use"),
        ("promotions", "promo-process::commit", "promo-process::step-5"),
        ("stages", "performed 1 health checks", "performed 2 health checks"),
        ("warehouses", "from 1 subscriptions", "from one subscription"),
    ],
)
def test_one_changed_field_of_an_object_is_seen(
    way: Way, kind: str, word: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = json.dumps(recorded_objects(AFTER_ROLLBACK, kind)).replace(word, other, 1)
    assert json.loads(changed) != recorded_objects(AFTER_ROLLBACK, kind)
    monkeypatch.setitem(globals(), "recorded_objects", lambda *_: json.loads(changed))
    with pytest.raises(Different):
        test_objects_as_recorded(way, AFTER_ROLLBACK, kind, Conformance())


@pytest.mark.parametrize(
    ("resource", "key", "word", "other"),
    [
        (PROMOTIONS, "p9 1", "not found\\n", "gone\\n"),
        (PROMOTIONS, "dev.manual-14216 1", '"Pending"', '"Waiting"'),
        (FREIGHTS, "c4d3524b4a0843729e3e3802b41e681a4debce9e 1", '"longestSoak"', '"soak"'),
        (ANALYSIS_RUNS, "staging.*.694687b 1", '"phase": ""', '"phase": "Pending"'),
        (STAGES, "toabort 1", "timed out after 5m0s", "timed out after 300s"),
    ],
)
def test_one_changed_field_of_a_state_is_seen(
    way: Way, resource: Resource, key: str, word: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = json.loads(json.dumps(recorded_states(resource)).replace(word, other))
    assert rows != recorded_states(resource)
    known = {PROMOTIONS: recorded_states(PROMOTIONS), resource: rows}
    monkeypatch.setitem(globals(), "recorded_states", known.__getitem__)
    held = (
        partial(test_states_of_a_stage_as_recorded, way)
        if resource is STAGES
        else partial(test_states_as_recorded, way, resource)
    )
    with pytest.raises(Different):
        held(key, Conformance())
