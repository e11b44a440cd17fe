"""A cluster that is none, with secrets wherever one can stand: for a scenario that fails on it."""

from __future__ import annotations

import base64
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.components.registry import at_node_port
from gitops_e2e.deeds import Applied, tell
from gitops_e2e.errors import HarnessError
from gitops_e2e.evidence.redaction import Redactor
from gitops_e2e.evidence.secrets import SECRETS, learning
from gitops_e2e.harness import Harness
from gitops_e2e.kube import PODS, KubeError, Manifest, Ref, Resource
from gitops_e2e.pipeline.events import EVENTS
from gitops_e2e.pipeline.metric import PrometheusUnreachable
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.pods import WatchedPods, are_ready
from gitops_e2e.pipeline.stories import STORIES
from gitops_e2e.watching import WatchCache, expect
from tests.evidence.test_redaction import ENCODINGS
from tests.recorded import idle_cache, put

PIPELINE = PipelineNames("shop")
NAMESPACE = PIPELINE.namespace("dev")

OF_CLUSTER = "Tr0ub4dor&<3>'\"/planted-in-a-secret"
OF_ENVIRONMENT = "planted-in-the-environment-7f3a9"
UNKNOWN = "planted-and-known-to-nobody-51d0"
ALL = (OF_CLUSTER, OF_ENVIRONMENT, UNKNOWN)


def everything() -> str:
    """All secrets: those that can be known in every form, the other one where secrets stand."""
    known = (f"{name}: {encode(s)}" for s in (OF_CLUSTER, OF_ENVIRONMENT) for name, encode in ENCODINGS.items())
    return "\n".join(
        [
            *known,
            f"fatal: unable to access 'https://git:{UNKNOWN}@git.example/a.git/'",
            f"Authorization: Bearer {UNKNOWN}",
            f"client-key-data: {base64.b64encode(UNKNOWN.encode()).decode()}",
            f'{{"token": "{UNKNOWN}"}}',
            f"AWS_SECRET_ACCESS_KEY={UNKNOWN}",
            "",
        ]
    )


def harness(folder: Path) -> Harness:
    """What a run would have: its watch has seen a pod, an event and a Secret that is gone."""
    redact = Redactor.of_environment()
    cache = idle_cache({**STORIES, SECRETS: learning(redact)})
    data = {"any-key": base64.b64encode(OF_CLUSTER.encode()).decode()}
    secret: Manifest = {"kind": "Secret", "metadata": {"name": "a", "namespace": "elsewhere"}, "data": data}
    put(cache, SECRETS, "elsewhere", "a", secret)
    put(cache, SECRETS, "elsewhere", "a", None)
    put(cache, PODS, NAMESPACE, "api", _pod())
    put(cache, EVENTS, NAMESPACE, "warning", _event())
    put(cache, PODS, "argocd", "controller", {**_pod(), "metadata": {"name": "controller", "namespace": "argocd"}})
    return cast(
        Harness,
        SimpleNamespace(
            kube=_Kube(),
            cache=cache,
            prometheus=_Prometheus(),
            repositories=_Repositories(folder),
            registry=at_node_port("127.0.0.1"),
            cluster=SimpleNamespace(
                address="127.0.0.1", name="none", provider="node", kubeconfig=folder / "config", check=lambda: None
            ),
            stack=SimpleNamespace(components=[]),
            kubernetes_version=everything,
            redact=redact,
        ),
    )


def fail(cache: WatchCache) -> None:
    """Do what a scenario does, with secrets in all of it, and fail."""
    sys.stdout.write(everything())
    sys.stderr.write(everything())
    logging.getLogger("some.library").warning("%s", everything())
    tell(Applied("applied", "ConfigMap a", {"kind": "ConfigMap", "data": {"all": everything()}}))
    tell(Applied("created", "Secret b", {"kind": "Secret", "stringData": {"x": UNKNOWN}}))
    try:
        run(["sh", "-c", "exit 1", everything()], timeout=10)
    except CommandFailed as failed:
        try:
            expect(WatchedPods(cache, NAMESPACE, {"app": "api"}), are_ready(3), within=0)
        except HarnessError as error:
            raise type(error)(  # as a message may hold anything
                f"{error.what} {failed} {everything()}",
                error.verdict,  # type: ignore[attr-defined, call-arg]
                subject="Pods app=api",
                story=error.story,  # type: ignore[attr-defined]
            ) from failed


def _pod() -> Manifest:
    waiting = {"waiting": {"reason": "CreateContainerError", "message": everything()}}
    return {
        "kind": "Pod",
        "metadata": {
            "name": "api",
            "namespace": NAMESPACE,
            "labels": {"app": "api"},
            "annotations": {"last-applied": json.dumps({"env": [{"name": "DB_PASSWORD", "value": UNKNOWN}]})},
        },
        "spec": {"containers": [{"name": "api", "env": [{"name": "DB_PASSWORD", "value": UNKNOWN}]}]},
        "status": {
            "containerStatuses": [{"name": "api", "state": waiting, "restartCount": 2}],
            "conditions": [{"type": "Ready", "status": "False", "message": everything()}],
        },
    }


def _event() -> Manifest:
    about = {"kind": "Pod", "name": "api", "namespace": NAMESPACE}
    return {
        "kind": "Event",
        "metadata": {"name": "warning", "namespace": NAMESPACE},
        "involvedObject": about,
        "type": "Warning",
        "reason": "Failed",
        "message": everything(),
    }


class _Kube:
    def logs(self, *_place: str, previous: bool = False, tail: int = 0, since: datetime | None = None) -> str:  # noqa: ARG002
        if previous:
            raise KubeError("cannot read the log", {"message": everything()})
        return everything()

    def list(self, resource: Resource, namespace: str) -> list[Manifest]:
        if resource.kind == "PromotionTask":
            raise KubeError(f"cannot list in {namespace}", {"message": everything()})
        return [{"kind": resource.kind, "metadata": {"name": "a", "annotations": {"all": everything()}}}]

    def get(self, ref: Ref) -> Manifest:
        raise KubeError(f"cannot read {ref}", {"message": everything()})


class _Prometheus:
    def range(self, *_query: Any) -> Iterator[None]:
        raise PrometheusUnreachable(everything())


class _Repositories:
    """A Git server whose repository has a commit with secrets in it, and in its message."""

    def __init__(self, folder: Path) -> None:
        self._bare = folder / "shop.git"
        work = folder / "work"
        work.mkdir()
        (work / "all.txt").write_text(everything())
        (work / "secret.yaml").write_text(f"kind: Secret\nstringData:\n  any: {UNKNOWN}\n")
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", "-C", str(work)]
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", f"token={UNKNOWN}"]):
            subprocess.run([*git, *command], check=True)
        subprocess.run(["git", "clone", "-q", "--bare", str(work), str(self._bare)], check=True)

    @property
    def access(self) -> dict[str, str]:
        return {}

    def push_url(self, _name: str) -> str:
        return str(self._bare)
