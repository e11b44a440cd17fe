"""One pod of the service, asked past its Service: also while it is not ready."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, KubeError, Resource
from gitops_e2e.pipeline.endpoint import Answer
from gitops_e2e.pipeline.names import SERVICE

_PODS = Resource("v1", "Pod", "pods", namespaced=True)
_PORT = 8080
_REDIS_ENDS = "CONFIG SET port 0\nCLIENT KILL TYPE normal SKIPME yes\n"


@dataclass(frozen=True)
class ServicePod:
    """A pod, reached through the API server's proxy."""

    kube: Kube
    namespace: str
    name: str

    @staticmethod
    def any_of(kube: Kube, namespace: str) -> ServicePod:
        """One of the service's pods in a stage. Raises HarnessError where there is none."""
        pods = kube.list(_PODS, namespace, f"app={SERVICE}")
        if not pods:
            raise HarnessError(f"no pod of {SERVICE} runs", where=f"namespace {namespace}")
        return ServicePod(kube, namespace, pods[0]["metadata"]["name"])

    def get(self, path: str) -> Answer:
        """What the pod answers. A status that is no success comes as an answer, too."""
        url = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}:{_PORT}/proxy{path}"
        started = time.monotonic()
        try:
            status, text = 200, self.kube.raw(url).decode()
        except KubeError as refusal:
            status, text = refusal.code, refusal.message
        return Answer(url, status, None, text, time.monotonic() - started)

    def take_redis_away(self) -> None:
        """Let the pod's Redis stop listening and drop its clients; the container goes on, so nothing brings it back."""
        argv = ["sh", "-c", f"printf '{_REDIS_ENDS}' | redis-cli"]
        self.kube.execute(self.namespace, self.name, "redis", argv)
