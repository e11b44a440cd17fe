"""The real Argo Rollouts controller on a control plane without nodes.

Pods are only objects there; `Kubelet` plays the kubelet's part of reporting them ready, or in trouble.
"""

from __future__ import annotations

import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import PODS, Conflict, Kube, Manifest, NotFound, Ref
from gitops_e2e.pipeline.analysis import WatchedAnalysis
from gitops_e2e.pipeline.pods import Pod
from gitops_e2e.pipeline.rollout import WatchedRollout
from gitops_e2e.pipeline.stories import STORIES
from gitops_e2e.watching import WatchCache
from tests.control_plane import ControlPlane, Process, free_port

ROLLOUTS_MODULE = "github.com/argoproj/argo-rollouts"
_PROOF = "at-work"
_AT_WORK_BOUND = 60.0

LIMIT = 150.0
OLD, NEW = "shop:0.9.0", "shop:1.0.0"
SUCCESS = f"len(result) > 0 && result[0] <= {LIMIT}"
FAILURE = f"len(result) > 0 && result[0] > {LIMIT}"


def install_crds(plane: ControlPlane) -> None:
    folder = plane.module(ROLLOUTS_MODULE) / "manifests/crds"
    for file in folder.glob("*-crd.yaml"):
        plane.kube().apply(yaml.safe_load(file.read_text()))


def start_controllers(plane: ControlPlane) -> None:
    """Raises HarnessError with a controller's last lines if it does not get to work."""
    manager = plane.run_controller(
        "kube-controller-manager",
        "--controllers=replicaset-controller,garbage-collector-controller,namespace-controller",
        "--leader-elect=false",
        "--secure-port=0",
    )
    plane.run_controller(
        "rollouts-controller",
        "--leader-elect=false",
        f"--healthzPort={free_port()}",
        f"--metricsport={free_port()}",
    )
    _make_sure_pods_are_made(plane.kube(), manager)


def _make_sure_pods_are_made(kube: Kube, manager: Process) -> None:
    """A manager that does not find the API server healthy in 10 s ends (Kubernetes 1.34); a kubelet starts it anew."""
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _PROOF}})
    kube.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": _PROOF, "namespace": _PROOF},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": _PROOF}},
                "template": {
                    "metadata": {"labels": {"app": _PROOF}},
                    "spec": {"containers": [{"name": _PROOF, "image": _PROOF}]},
                },
            },
        }
    )
    deadline = time.monotonic() + _AT_WORK_BOUND
    while not kube.list(PODS, _PROOF):
        try:
            manager.check()
        except HarnessError as ended:
            warnings.warn(str(ended), stacklevel=2)
            manager.start()
        if time.monotonic() > deadline:
            raise HarnessError(f"no pod was made in {_AT_WORK_BOUND:g} s:\n{manager.last_lines()}")
        time.sleep(0.1)


Status = Callable[[Pod], Manifest]


def ready(pod: Pod) -> Manifest:
    return _status("Running", "True", [{"state": {"running": {}}, "ready": True, "restartCount": 0}] * len(pod.images))


def waiting(reason: str, message: str, restarts: int = 0) -> Status:
    def status(_pod: Pod) -> Manifest:
        state = {"waiting": {"reason": reason, "message": message}}
        return _status("Pending", "False", [{"state": state, "ready": False, "restartCount": restarts}])

    return status


def _status(phase: str, is_ready: str, containers: list[Manifest]) -> Manifest:
    return {
        "phase": phase,
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": is_ready}],
        "containerStatuses": [
            {"name": f"c{index}", "image": "", "imageID": "", **each} for index, each in enumerate(containers)
        ],
    }


class Kubelet(threading.Thread):
    """Reports every new pod as `statuses` says for its image, ready where it says nothing."""

    def __init__(self, kube: Kube) -> None:
        super().__init__(daemon=True)
        self._kube = kube
        self._stopping = threading.Event()
        self._cache = WatchCache(kube, {PODS: STORIES[PODS]})
        self._seen: set[str] = set()
        self.statuses: dict[str, Status] = {}

    def run(self) -> None:
        with self._cache:
            revision = 0
            while not self._stopping.is_set():
                for snapshot in self._cache.after(revision, within=0.2)[-1:]:
                    revision = snapshot.revision
                    collection = snapshot.collections.get(PODS)
                    for objects in collection.objects.values() if collection else []:
                        for manifest in objects.values():
                            self._report(manifest)

    def stop(self) -> None:
        self._stopping.set()
        self.join(10)

    def _report(self, manifest: Manifest) -> None:
        uid = manifest["metadata"]["uid"]
        if uid in self._seen:
            return
        self._seen.add(uid)
        pod = Pod.of(manifest)
        status = next((self.statuses[image] for image in pod.images if image in self.statuses), ready)
        try:
            self._kube.patch(Ref.of(manifest), {"status": status(pod)}, subresource="status")
        except (NotFound, Conflict):
            pass  # it is gone already


@contextmanager
def metric_server(answer: Callable[[str], tuple[int, Any]]) -> Iterator[str]:
    """An HTTP server on loopback that answers each path with a status and JSON: what analyses ask."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def rollout_manifest(namespace: str, image: str, **spec: Any) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "shop", "namespace": namespace},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "shop"}},
            "strategy": {
                "canary": {
                    "maxSurge": 1,
                    "maxUnavailable": 0,
                    "steps": [
                        {"setWeight": 20},
                        {"pause": {"duration": "1s"}},
                        {"analysis": {"templates": [{"templateName": "check"}]}},
                        {"setWeight": 50},
                        {"pause": {"duration": "1s"}},
                    ],
                }
            },
            "template": {
                "metadata": {"labels": {"app": "shop"}},
                "spec": {"containers": [{"name": "shop", "image": image}]},
            },
            **spec,
        },
    }


def prometheus_template(namespace: str, address: str, **metric: Any) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "check", "namespace": namespace},
        "spec": {
            "metrics": [
                {
                    "name": "memory",
                    "interval": "1s",
                    "count": 2,
                    "provider": {"prometheus": {"address": address, "query": "memory"}},
                    **metric,
                }
            ]
        },
    }


def prometheus_answer(*values: str) -> dict[str, Any]:
    """What Prometheus answers to a query that gives these values."""
    result = [{"metric": {"pod": f"p{index}"}, "value": [0, value]} for index, value in enumerate(values)]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


class Shop:
    """A Rollout of its own namespace, Healthy on 0.9.0, and what its analysis is told."""

    def __init__(self, kube: Kube, cache: WatchCache, namespace: str, metrics: str) -> None:
        self.kube, self.cache, self.namespace, self.metrics = kube, cache, namespace, metrics
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        self.judge_by(successCondition=SUCCESS)
        self.after = 0
        self.apply(OLD)

    def judge_by(self, **metric: Any) -> None:
        self.kube.apply(prometheus_template(self.namespace, self.metrics, **metric))

    def apply(self, image: str, **spec: Any) -> None:
        existing = self.kube.find(Ref("argoproj.io/v1alpha1", "Rollout", "shop", self.namespace))
        self.after = existing["metadata"]["generation"] if existing else 0
        self.kube.apply(rollout_manifest(self.namespace, image, **spec))

    @property
    def rollout(self) -> WatchedRollout:
        return WatchedRollout(self.cache, self.namespace, "shop", self.after)

    @property
    def analysis(self) -> WatchedAnalysis:
        return WatchedAnalysis(self.rollout)
