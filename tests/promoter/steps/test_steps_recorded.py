"""Every recorded promotion of steps comes to the same end: phase, messages, what became of each step, state."""

from __future__ import annotations

import itertools
import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gitops_e2e.commands import run
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.api.names import promotion_name
from gitops_e2e.promoter.expressions import Evaluator
from gitops_e2e.promoter.promotions import PromotionReconciler, WorkDirectories
from gitops_e2e.promoter.runtime import Stores, StoringKube
from gitops_e2e.promoter.steps import Services
from tests.promoter.conformance import RECORDINGS, Conformance, Different, behaviour

pytestmark = pytest.mark.node

CASES: list[dict[str, Any]] = json.loads((RECORDINGS / "steps.json").read_text())
_NOT_VALID = behaviour("a config that the step's schema forbids", "6", "Validation message:")
BEHAVIOURS = [  # the first whose pattern is found in the name of the case
    (r"^clone path outside", behaviour("paths stay in the work directory", "6", "joined securely under")),
    (r"bad ignore|tag and digest|not in schema|without apps|unknown config", _NOT_VALID),
    (r"^clone .*(tag|commit) missing", behaviour("git-clone: of a ref that is not there", "6.1", "- commit/tag:")),
    (r"^clone branch missing", behaviour("git-clone: of a branch that is not there", "6.1", "- branch: existence")),
    (r"^clone two", behaviour("git-clone: two checkouts on one path", "6.1", "Checkout paths must not already")),
    (r"^clone", behaviour("git-clone: outputs", "6.1", "Output: `{commits")),
    (r"^git-clear", behaviour("git-clear: where nothing was cloned to", "6.2", "`path`*")),
    (r"^kustomize-set-image all", behaviour("kustomize-set-image: all of the freight", "6.3", "- Without images")),
    (r"^kustomize-set-image without", behaviour("kustomize-set-image: nothing there", "6.3", "- Kustomization file")),
    (r"^kustomize-set-image", behaviour("kustomize-set-image: by digest", "6.3", "- With images")),
    (r"^kustomize-build", behaviour("kustomize-build: to a file or a directory", "6.4", "`outPath` ending")),
    (r"^commit with", behaviour("git-commit and git-push: outputs", "6.6", "Output `{branch")),
    (r"^(commit nothing|git-commit)", behaviour("git-commit: nothing, or nowhere", "6.5", "`git add .`; if")),
    (r"^push", behaviour("git-push: to which branch", "6.6", "Target: given; or")),
    (r"^http bad", behaviour("http: an expression that is none", "6.8", "Both expressions are always evaluated")),
    (r"^http failure", behaviour("http: failure by expression", "6.8", "| any | true |")),
    (r"^http connection", behaviour("http: nobody answers", "6.8", "Network error")),
    (r"^http", behaviour("http: success by status", "6.8", "| none | none |")),
    (r"^copy", behaviour("copy: of what is not there", "6.9", "Missing source")),
    (r"^yaml-update of", behaviour("yaml-update: of what is not there", "6.10", "Missing file")),
    (r"^yaml-update", behaviour("yaml-update: values and output", "6.10", "Output `{commitMessage")),
    (r"^yaml-parse", behaviour("yaml-parse", "6.11", "| yaml-parse / json-parse |")),
    (r"^delete", behaviour("delete: of what is not there", "6.11", "| delete |")),
    (r"^json-update", behaviour("json-update: of what is not there", "6.11", "| json-update |")),
    (r"^set-metadata", behaviour("set-metadata", "6.11", "| set-metadata |")),
    (r"^if |after a failure", behaviour("`if`: what is skipped, and errors of it", "4.4", "Skip decision")),
    (r"^continueOnError", behaviour("continueOnError: a failure that does not count", "4.4", "End: worst status")),
    (r"^two steps with default", behaviour("outputs by default alias", "4.1", "- plain step: `as`")),
    (r"^variables", behaviour("variables see earlier variables", "5.2", "Order: promotion vars")),
    (r"^argocd-update refresh", behaviour("argocd-update: not authorized", "9.2", "annotation missing or different")),
]

PROJECT, STAGE = "expr", "test"
ORIGIN = {"kind": "Warehouse", "name": "img"}
FREIGHT = "9e1b620de6465c93c714a94f6db7112374a6325e"
IMAGE = {
    "repoURL": "10.231.0.2:5000/product-api",
    "tag": "1.1.0",
    "digest": "sha256:59091d415c45d10c44e7b6ec98ce1dc64a8310b4a09d25935415f4e72bf3f0d7",
}
RECORDED_GIT = "http://10.231.0.2:3080/git"
RECORDED_REGISTRY = "http://10.231.0.2:5000"
RECORDED_CLOSED_PORT = "10.231.0.2:5998"


class _Registry(BaseHTTPRequestHandler):
    """Answers as the recorded registry did."""

    ANSWERS: ClassVar = {
        "/v2/": (200, {}),
        "/v2/product-api/tags/list": (200, {"name": "product-api", "tags": ["1.1.0", "1.0.0", "0.9.0", "1.0.1"]}),
    }

    def do_GET(self) -> None:
        status, answer = self.ANSWERS.get(self.path, (404, {"errors": [{"code": "NAME_UNKNOWN"}]}))
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def addresses(git_server: Any) -> Iterator[dict[str, str]]:
    """Where here is what was elsewhere in the recording."""
    repository = git_server.create("demo", RECORDINGS / "input/repo")
    run(["git", "branch", "stage/dev", "main"], cwd=repository, timeout=30)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield {
            RECORDED_GIT: git_server.url,
            RECORDED_REGISTRY: f"http://127.0.0.1:{server.server_port}",
            RECORDED_CLOSED_PORT: f"127.0.0.1:{closed.getsockname()[1]}",
        }
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class World:
    """A project like the recorded one, and a reconciler that has to do with nothing else."""

    kube: StoringKube
    reconciler: PromotionReconciler
    work: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def promote(self, steps: list[Manifest]) -> Manifest:
        """Carry a Promotion of these steps out, in one pass, and give it back."""
        promotion = self.kube.create(
            _named(
                "Promotion", promotion_name(STAGE, FREIGHT), spec={"stage": STAGE, "freight": FREIGHT, "steps": steps}
            )
        )
        stage = Ref(API_VERSION, "Stage", STAGE, PROJECT)
        current = {"currentPromotion": {"name": promotion["metadata"]["name"]}}
        self.kube.patch(stage, {"status": current}, subresource="status")
        self.reconciler.reconcile(promotion)
        return self.kube.get(Ref.of(promotion))


@pytest.fixture(scope="module")
def world(
    apiserver: Path, kube: Kube, evaluator: Evaluator, kustomize: Path, tmp_path_factory: pytest.TempPathFactory
) -> World:
    for namespace in (PROJECT, "argocd"):
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    subscription = {"image": {"repoURL": IMAGE["repoURL"], "constraint": "^1.0.0"}}
    request = {"origin": ORIGIN, "sources": {"direct": True}}
    for manifest in (
        _named("Warehouse", "img", spec={"subscriptions": [subscription]}),
        _named("Stage", STAGE, spec={"requestedFreight": [request]}),
        _named("Freight", FREIGHT, origin=ORIGIN, images=[IMAGE]),
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": "demo-dev",
                "namespace": "argocd",
                "annotations": {"kargo.akuity.io/authorized-stage": "demo:dev"},
            },
            "spec": {"project": "default", "destination": {}, "source": {"repoURL": "http://git/demo.git"}},
        },
    ):
        kube.apply(manifest)
    work = tmp_path_factory.mktemp("work")
    storing = StoringKube(apiserver, Stores())
    services = Services(storing, evaluator, _NoLogins(), kustomize=kustomize, helm=Path("/nowhere/helm"))
    return World(storing, PromotionReconciler(storing, services, WorkDirectories(work)), work)


class _NoLogins:
    def find(self, project: str, repo_url: str) -> None:
        """Nobody has any."""


def _marked(case: dict[str, Any]) -> Any:
    marks = next(mark for pattern, mark in BEHAVIOURS if re.search(pattern, case["case"]))
    return pytest.param(case, id=case["case"], marks=marks)


@pytest.mark.parametrize("case", [_marked(case) for case in CASES])
def test_recorded_steps(
    case: dict[str, Any], world: World, addresses: dict[str, str], conformance: Conformance
) -> None:
    promotion = world.promote(_translated(_with_aliases(case["steps"]), addresses))
    status = promotion["status"]
    seen = {
        "phase": status["phase"],
        "message": status.get("message"),
        "steps_ended": [_without_times(record) for record in status["stepExecutionMetadata"]],
        "state": status.get("state"),
    }
    recorded = {"message": None, **{key: case[key] for key in seen if key in case}}
    back = {here: there for there, here in addresses.items()}
    work_dir = str(world.work / f"promotion-{promotion['metadata']['uid']}")
    conformance.same(seen, recorded, {**back, work_dir: "<workdir>"})


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("if false skips", "steps_ended", [{"alias": "b", "status": "Skipped"}]),
        ("clone by tag missing", "message", "something else"),
        ("http failure expression", "phase", "Failed"),
        ("yaml-update", "state", {}),
    ],
)
def test_one_changed_field_is_seen(
    world: World, addresses: dict[str, str], name: str, field: str, value: object
) -> None:
    case = next(case for case in CASES if case["case"] == name)
    with pytest.raises(Different):
        test_recorded_steps({**case, field: value}, world, addresses, Conformance())


def test_work_directory_is_gone_at_the_end(world: World) -> None:
    promotion = world.promote([{"uses": "compose-output", "as": "o", "config": {"v": 1}}])
    assert promotion["status"]["phase"] == "Succeeded"
    assert list(world.work.iterdir()) == []


def _named(kind: str, name: str, **fields: Any) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": PROJECT},
        **fields,
    }


def _with_aliases(steps: list[Manifest]) -> list[Manifest]:
    return [{"as": f"step-{number}", **step} for number, step in enumerate(steps, start=1)]


def _without_times(record: Manifest) -> Manifest:
    return {key: value for key, value in record.items() if key not in {"startedAt", "finishedAt"}}


def _translated(value: Any, words: dict[str, str]) -> Any:
    """The value with some texts in it replaced by others."""
    text = json.dumps(value)
    for word, other in words.items():
        text = text.replace(word, other)
    return json.loads(text)
