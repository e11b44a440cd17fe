"""The engine is killed at every point of a promotion and started again: it ends as if nothing had been."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gitops_e2e.commands import run
from gitops_e2e.kube import Conflict, Kube, Manifest, Ref
from gitops_e2e.promoter.runtime.times import now, rfc3339

pytestmark = pytest.mark.node

REPOSITORY_ROOT = Path(__file__).parents[3]
WAIT = 60.0
IMAGE = "registry.example.com/app"
# Kills the process that called it, once, where the pattern in `point` says: before or after a command did its work.
TRAP = """#!/bin/sh
strike() {{
  [ -e {point} ] || return 0
  case "$1" in
    $(cat {point})) rm {point}; kill -9 $PPID; exit 1 ;;
  esac
}}
strike "before {name} $*"
{real} "$@" || exit $?
strike "after {name} $*"
"""


@dataclass
class ArgoCd:
    """Does with one Application what Argo CD does: runs operations, then heals by one of its own."""

    kube: Kube
    ref: Ref
    repository: Path
    strike: Callable[[str], None] = lambda _moment: None
    synced: list[tuple[str, str]] = field(default_factory=list)
    """Promotion and revision of each operation that names a Promotion, in the order in which they began."""

    def work(self, stopped: threading.Event) -> None:
        """Look for operations until stopped."""
        while not stopped.is_set():
            application = self.kube.get(self.ref)
            if "operation" in application:
                self._run(application)
            stopped.wait(0.02)

    def _run(self, application: Manifest) -> None:
        operation = application["operation"]
        promotion = next(item["value"] for item in operation["info"] if item["name"] == "kargo.akuity.io/promotion")
        self.strike("operation asked for")
        state = {"operation": operation, "phase": "Running", "startedAt": rfc3339(now())}
        if not self._patch(application, {"operation": None, "status": {"operationState": state}}):
            return  # it was changed meanwhile: look again
        revision = _git(self.repository, "rev-parse", "stage/test")
        self.synced.append((promotion, revision))
        self.strike("operation running")
        source = {"repoURL": "x"}
        entry = {
            "id": len(self.synced),
            "revision": revision,
            "deployedAt": rfc3339(now()),
            "deployStartedAt": state["startedAt"],
            "initiatedBy": operation["initiatedBy"],
            "source": source,
        }
        done = {
            "phase": "Succeeded",
            "finishedAt": rfc3339(now()),
            "syncResult": {"revision": revision, "source": source},
        }
        history = [*application.get("status", {}).get("history", []), entry]
        self._patch(self.kube.get(self.ref), {"status": {"operationState": {**state, **done}, "history": history}})
        self.strike("operation ended")
        own = {"operation": {"initiatedBy": {"automated": True}, "info": None}, "phase": "Succeeded", **done}
        self._patch(self.kube.get(self.ref), {"status": {"operationState": own}})

    def _patch(self, application: Manifest, change: Manifest) -> bool:
        metadata = {"resourceVersion": application["metadata"]["resourceVersion"]}
        try:
            self.kube.patch(self.ref, {**change, "metadata": metadata})
        except Conflict:
            return False
        return True


@dataclass
class Engine:
    """The Promotion controller as a process, with traps on its PATH."""

    argv: list[str]
    path: str
    log: Path
    kills: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            environment = {**os.environ, "PATH": self.path, "PYTHONPATH": str(REPOSITORY_ROOT)}
            self.process = subprocess.Popen(self.argv, env=environment, stdout=log, stderr=log)

    def keep_alive(self) -> None:
        """Start it again if something killed it."""
        if self.process is None or self.process.poll() is not None:
            self.kills += self.process is not None
            self.start()

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=10)


@dataclass
class Scene:
    """A promotion about to be made, and those who take part in it."""

    project: Any
    repository: Path
    url: str
    engine: Engine
    argocd: ArgoCd
    point: Path

    def promote(self) -> Manifest:
        """The Promotion's status at its end, however often the engine was killed."""
        promotion = self.project.create(*_demo_steps(self.url, self.argocd.ref.name))
        deadline = time.monotonic() + WAIT
        while True:
            self.engine.keep_alive()
            status: Manifest = self.project.status(promotion)
            if "finishedAt" in status:
                return status
            assert time.monotonic() < deadline, f"{status}\n{self.engine.log.read_text()[-3000:]}"
            time.sleep(0.05)

    def assert_done_once(self, status: Manifest) -> None:
        """One commit, one operation, and that of the very commit."""
        assert status["phase"] == "Succeeded", status["message"]
        subjects = _git(self.repository, "log", "--format=%s", "stage/test").splitlines()
        assert subjects == ["Updated ./src/base to use new image", "Initial commit"]
        head = _git(self.repository, "rev-parse", "stage/test")
        assert [revision for _promotion, revision in self.argocd.synced] == [head]
        assert status["healthChecks"][0]["config"]["apps"][0]["desiredRevisions"] == [head]


POD = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: p}}
spec: {{containers: [{{name: c, image: "{IMAGE}:0"}}]}}
"""


@pytest.fixture
def repository(git_server: Any, tmp_path: Path) -> Path:
    base = tmp_path / "files/base"
    base.mkdir(parents=True)
    (base / "kustomization.yaml").write_text("resources: [pod.yaml]\n")
    (base / "pod.yaml").write_text(POD)
    created: Path = git_server.create(uuid.uuid4().hex, base.parent)
    return created


@pytest.fixture
def point(tmp_path: Path) -> Path:
    """The file that says where the engine is killed."""
    return tmp_path / "point"


@pytest.fixture
def engine(apiserver: Path, tools: Path, point: Path, tmp_path: Path) -> Iterator[Engine]:
    traps = tmp_path / "traps"
    traps.mkdir()
    for name, real in (("git", shutil.which("git")), ("kustomize", tools / "kustomize")):
        trap = traps / name
        trap.write_text(TRAP.format(point=point, name=name, real=real))
        trap.chmod(0o755)
    arguments = [Path(__file__).parent / "lone_controller.py", apiserver, tools / "expr", traps / "kustomize"]
    argv = [sys.executable, *map(str, arguments), str(tmp_path / "engine")]
    engine = Engine(argv, f"{traps}:{os.environ['PATH']}", tmp_path / "engine.log")
    yield engine
    engine.kill()


@pytest.fixture
def scene(project: Any, repository: Path, git_server: Any, engine: Engine, point: Path) -> Iterator[Scene]:
    argocd = ArgoCd(project.kube, _application(project.kube, project.namespace), repository)
    with _working(argocd):
        yield Scene(project, repository, f"{git_server.url}/{repository.name}", engine, argocd, point)


@pytest.mark.parametrize(
    "moment",
    [
        f"{when} {command}"
        for command in (
            "git clone *",
            "git commit-tree *",
            "git push origin stage/test",
            "git worktree add * stage/test",
            "git rm *",
            "kustomize build *",
            "git commit -m *",
            "git pull *",
            "git push origin HEAD:stage/test",
        )
        for when in ("before", "after")
    ],
)
def test_killed_at_a_command(scene: Scene, moment: str) -> None:
    scene.point.write_text(f"{moment}\n")
    status = scene.promote()
    assert (scene.engine.kills, scene.point.exists()) == (1, False)
    scene.assert_done_once(status)


@pytest.mark.parametrize("moment", ["operation asked for", "operation running", "operation ended"])
def test_killed_while_argo_cd_syncs(scene: Scene, moment: str) -> None:
    struck: list[str] = []

    def strike(now_at: str) -> None:
        if now_at == moment and not struck:
            struck.append(moment)
            scene.engine.kill()

    scene.argocd.strike = strike
    status = scene.promote()
    assert (scene.engine.kills, struck) == (1, [moment])
    scene.assert_done_once(status)


def test_not_killed(scene: Scene) -> None:
    status = scene.promote()
    assert scene.engine.kills == 0
    scene.assert_done_once(status)


@contextmanager
def _working(argocd: ArgoCd) -> Iterator[None]:
    stopped = threading.Event()
    thread = threading.Thread(target=argocd.work, args=(stopped,), daemon=True)
    thread.start()
    yield
    stopped.set()
    thread.join(timeout=10)


def _application(kube: Kube, namespace: str) -> Ref:
    ref = Ref("argoproj.io/v1alpha1", "Application", namespace, "argocd")
    source = {"repoURL": "x", "targetRevision": "stage/test", "path": "."}
    kube.create(
        {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "metadata": {
                "name": ref.name,
                "namespace": ref.namespace,
                "annotations": {"kargo.akuity.io/authorized-stage": f"{namespace}:test"},
            },
            "spec": {"project": "default", "destination": {}, "source": source},
        }
    )
    return ref


def _demo_steps(url: str, application: str) -> list[Manifest]:
    """The seven steps of the demo."""
    checkouts = [
        {"branch": "main", "path": "./src"},
        {"branch": "stage/${{ ctx.stage }}", "create": True, "path": "./out"},
    ]
    image = {"image": IMAGE, "tag": f'${{{{ quote(imageFrom("{IMAGE}").Tag) }}}}'}
    source = {"repoURL": "x", "desiredRevision": "${{ outputs.commit.commit }}"}
    return [
        {"as": "clone", "uses": "git-clone", "config": {"repoURL": url, "checkout": checkouts}},
        {"as": "clear", "uses": "git-clear", "config": {"path": "./out"}},
        {"as": "image", "uses": "kustomize-set-image", "config": {"path": "./src/base", "images": [image]}},
        {"as": "build", "uses": "kustomize-build", "config": {"path": "./src/base", "outPath": "./out"}},
        {
            "as": "commit",
            "uses": "git-commit",
            "config": {"path": "./out", "message": "${{ outputs.image.commitMessage }}"},
        },
        {"as": "push", "uses": "git-push", "config": {"path": "./out"}},
        {"as": "sync", "uses": "argocd-update", "config": {"apps": [{"name": application, "sources": [source]}]}},
    ]


def _git(repository: Path, *arguments: str) -> str:
    return run(["git", *arguments], cwd=repository, timeout=30).stdout.strip()
