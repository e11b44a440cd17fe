"""Every recorded answer of Kargo 1.8.4 to wrong input, through kubectl and a real API server, to the letter."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION
from tests.promoter.conformance import RECORDINGS, Conformance, Different, behaviour

pytestmark = pytest.mark.node

RECORDING = RECORDINGS / "rejections.md"
IMAGE_REPO = "10.231.0.2:5000/product-api"
UNAVAILABLE = "c240bb48531da0ec4c6ec9271e5f43917f173aab"
IN_USE = "c4d3524b4a0843729e3e3802b41e681a4debce9e"
ORIGIN = {"kind": "Warehouse", "name": "demo"}
COMPOSE = {"uses": "compose-output", "config": {"v": 1}}
NAMED = {**COMPOSE, "as": "a"}
SOURCES = {"dev": {"direct": True}, "staging": {"stages": ["dev"]}, "prod": {"stages": ["staging"]}}


@dataclass(frozen=True)
class Attempt:
    """What is sent to the API server: a file to apply, or the words of another kubectl command."""

    manifest: Manifest = field(default_factory=dict)
    command: tuple[str, ...] = ()
    file: str = "p.yaml"


def an_object(kind: str, name: str, namespace: str = "demo", **fields: object) -> Manifest:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **fields}


def promotion(name: str, *steps: Manifest, stage: str = "dev", freight: str = UNAVAILABLE) -> Attempt:
    return Attempt(
        an_object("Promotion", name, spec={"stage": stage, "freight": freight, "steps": list(steps or [COMPOSE])})
    )


def stage(name: str, *steps: Manifest, namespace: str = "demo", requests: object = None) -> Attempt:
    requested = [{"origin": ORIGIN, "sources": {"direct": True}}] if requests is None else requests
    spec: Manifest = {"requestedFreight": requested}
    if steps:
        spec["promotionTemplate"] = {"spec": {"steps": list(steps)}}
    return Attempt(an_object("Stage", name, namespace, spec=spec))


def warehouse(name: str, *images: Manifest) -> Attempt:
    return Attempt(an_object("Warehouse", name, spec={"subscriptions": [{"image": image} for image in images]}))


def patch(kind: str, name: str, change: Manifest) -> Attempt:
    return Attempt(command=("patch", kind, name, "--namespace=demo", "--type=merge", "-p", json.dumps(change)))


HTTP_STEP = {
    "uses": "http",
    "config": {
        "outputs": [{"fromExpression": "response.body.status", "name": "st"}],
        "successExpression": "response.status == 200",
        "url": "http://demo.demo-dev.svc.cluster.local:3000/health",
    },
}
OUTPUT_STEP = {"uses": "compose-output", "as": "o", "config": {"v": '${{ outputs["step-1"].st }}'}}
TWICE = {"origin": ORIGIN, "sources": {"direct": True}}
IMAGE = {"repoURL": IMAGE_REPO, "constraint": "^1.0.0"}

ATTEMPTS = {
    "promotion of freight not available to the stage": promotion("p1", stage="prod"),
    "promotion for a stage that does not exist": promotion("p2", stage="nope"),
    "promotion of freight that does not exist": promotion("p3", freight="deadbeef"),
    "promotion without steps": Attempt(
        an_object("Promotion", "p4", spec={"stage": "dev", "freight": UNAVAILABLE, "steps": []})
    ),
    "promotion with a missing task": promotion("p5", {"task": {"name": "missing"}}),
    "promotion with an unknown step": promotion("p6", {"uses": "no-such-step"}),
    "promotion with an invalid step config": promotion("p7", {"uses": "git-clone", "config": {"checkout": []}}),
    "promotion with undefined var": promotion("p8", {"uses": "compose-output", "config": {"v": "${{ vars.no.x }}"}}),
    "promotion cloning a repo that does not exist": promotion(
        "p9", {"uses": "git-clone", "config": {"repoURL": "http://nowhere/x.git", "checkout": [{"path": "."}]}}
    ),
    "promotion with missing overlay": promotion("p10", {"uses": "kustomize-build", "config": {"path": "a"}}),
    "argocd-update of an app not authorized for the stage": promotion(
        "p11", {"uses": "argocd-update", "config": {"apps": [{"name": "demo-prod"}]}}
    ),
    "argocd-update of a missing app": promotion("p12", {"uses": "argocd-update", "config": {"apps": [{"name": "x"}]}}),
    "fail step": promotion("p13", {"uses": "fail"}),
    "http step": promotion("p14", HTTP_STEP, OUTPUT_STEP),
    "stage: task and step alias reserved or duplicate": stage(
        "badalias", {**COMPOSE, "as": "a"}, {**COMPOSE, "as": "a"}
    ),
    "stage: reserved alias step-1": stage("badalias2", {**COMPOSE, "as": "step-1"}),
    "stage: no requested freight": stage("nofreight", requests=[]),
    "stage: sources neither direct nor stages": stage("nosource", requests=[{"origin": ORIGIN, "sources": {}}]),
    "stage: same origin requested twice": stage("twice", requests=[TWICE, TWICE]),
    "stage in a namespace that is no project": stage("x", namespace="default"),
    "warehouse: bad constraint": warehouse("badsem", {**IMAGE, "constraint": "not-a-range"}),
    "warehouse: duplicate subscription": warehouse("dup", IMAGE, IMAGE),
    "warehouse: registry unreachable": warehouse("unreach", {**IMAGE, "repoURL": "10.231.0.2:5999/x"}),
    "warehouse: nothing matches": warehouse("nomatch", {**IMAGE, "constraint": "^9.0.0"}),
    "project over a namespace that exists without the label": Attempt(
        {"apiVersion": API_VERSION, "kind": "Project", "metadata": {"name": "plain"}}, file="o.yaml"
    ),
    "freight: spec is immutable": patch("freight", UNAVAILABLE, {"images": [{"repoURL": "a/b", "tag": "1"}]}),
    "freight: delete while in use": Attempt(command=("delete", "freight", IN_USE, "--namespace=demo")),
    "promotion: spec is immutable": patch("promotion", "p14", {"spec": {"freight": "x"}}),
    "promotiontask without steps": Attempt(an_object("PromotionTask", "nosteps", spec={"steps": []})),
}


def recorded() -> dict[str, str]:
    """What kubectl printed, by what was tried."""
    sections = re.split(r"^## (.*)\n", RECORDING.read_text(), flags=re.MULTILINE)[1:]
    return {title: answer.strip() for title, answer in zip(sections[::2], sections[1::2], strict=True)}


@pytest.fixture(scope="module")
def project(admitted: Kube) -> Kube:
    """The project that the recorded attempts were made in."""
    admitted.create({"apiVersion": API_VERSION, "kind": "Project", "metadata": {"name": "demo"}})
    admitted.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "plain"}})
    admitted.create(warehouse("demo", IMAGE).manifest)
    for name, sources in (
        ("dev", {"direct": True}),
        ("staging", {"stages": ["dev"]}),
        ("prod", {"stages": ["staging"]}),
    ):
        admitted.create(stage(name, COMPOSE, requests=[{"origin": ORIGIN, "sources": sources}]).manifest)
    for tag, digest in (
        ("1.1.0", "59091d415c45d10c44e7b6ec98ce1dc64a8310b4a09d25935415f4e72bf3f0d7"),
        ("1.0.1", "a8e798a0ddafe70d1d92592ab44eefc90bd1caa810b4dddf2d650c784541cb47"),
    ):
        images = [{"repoURL": IMAGE_REPO, "tag": tag, "digest": f"sha256:{digest}"}]
        admitted.create(an_object("Freight", "anything", origin=ORIGIN, images=images))
    collection = {"id": "x", "items": {"Warehouse/demo": {"name": IN_USE, "origin": ORIGIN}}}
    for name in ("dev", "staging"):
        ref = Ref(API_VERSION, "Stage", name, "demo")
        admitted.patch(ref, {"status": {"freightHistory": [collection]}}, subresource="status")
    return admitted


_LATER = behaviour("what only a run can tell is accepted", "7", "Not checked by any webhook")
_UNAVAILABLE = behaviour("freight that is missing or not available", "7", "Freight missing or not available")
_ALIASES = behaviour("step aliases: twice, or reserved", "7", "duplicate alias / reserved alias")
_SCHEMA = behaviour("lists that must not be empty", "7", "interval pattern, enums, limits, CEL")
BEHAVIOURS = {  # of the accepted ones: `_LATER`
    "promotion of freight not available to the stage": _UNAVAILABLE,
    "promotion for a stage that does not exist": behaviour("a stage that is missing", "7", "Stage missing"),
    "promotion of freight that does not exist": _UNAVAILABLE,
    "promotion without steps": behaviour("a promotion without steps", "7", "| no steps |"),
    "promotion with a missing task": behaviour("a task that is missing", "4.1", "Inflation happens in the"),
    "stage: task and step alias reserved or duplicate": _ALIASES,
    "stage: reserved alias step-1": _ALIASES,
    "stage: no requested freight": _SCHEMA,
    "stage: same origin requested twice": behaviour("an origin twice", "7", "same origin twice"),
    "stage in a namespace that is no project": behaviour("a namespace that is no project", "7", "not labelled"),
    "warehouse: bad constraint": behaviour("a constraint that is none", "7", "bad constraint / platform"),
    "warehouse: duplicate subscription": behaviour("a repository twice", "7", "duplicate repo"),
    "project over a namespace that exists without the label": behaviour(
        "a project over somebody's namespace", "1.4", "exists without the label"
    ),
    "freight: spec is immutable": behaviour("freight cannot be changed", "7", "Freight is immutable"),
    "freight: delete while in use": behaviour("freight in use cannot be deleted", "7", "| Freight delete |"),
    "promotion: spec is immutable": behaviour("a promotion cannot be changed", "7", "| Promotion update |"),
    "promotiontask without steps": _SCHEMA,
}


def marked(title: str) -> Any:
    return pytest.param(title, marks=BEHAVIOURS.get(title, _LATER))


@pytest.mark.parametrize("title", [marked(title) for title in recorded()])
def test_answer_as_recorded(project: Kube, kubectl: str, tmp_path: Path, title: str, conformance: Conformance) -> None:
    answer = _answer(project, kubectl, tmp_path, ATTEMPTS[title])
    conformance.same({"answer": _in_one_order(answer)}, {"answer": _in_one_order(recorded()[title])})


def _answer(project: Kube, kubectl: str, folder: Path, attempt: Attempt) -> str:
    command = attempt.command
    if attempt.manifest:
        (folder / attempt.file).write_text(json.dumps(attempt.manifest))
        command = ("create", "-f", attempt.file)
    result = subprocess.run(
        [kubectl, f"--kubeconfig={project.kubeconfig}", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    verdict = "(accepted)" if result.returncode == 0 else "(rejected)"
    return f"{result.stdout}{result.stderr}{verdict}"


def test_one_changed_word_is_seen(project: Kube, kubectl: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    title = "promotion without steps"
    changed = RECORDING.read_text().replace("defines no promotion steps", "defines no steps")
    (tmp_path / "rejections.md").write_text(changed)
    monkeypatch.setitem(globals(), "RECORDING", tmp_path / "rejections.md")
    with pytest.raises(Different):
        test_answer_as_recorded(project, kubectl, tmp_path, title, Conformance())


def test_every_recorded_attempt_is_made() -> None:
    assert ATTEMPTS.keys() == recorded().keys()


def _in_one_order(answer: str) -> str:
    """Kargo names the stages that use a Freight in no particular order."""

    def in_order(stages: re.Match[str]) -> str:
        return f"stages ({', '.join(sorted(stages[1].split(', ')))})"

    return re.sub(r"stages \(([^)]*)\)", in_order, answer)
