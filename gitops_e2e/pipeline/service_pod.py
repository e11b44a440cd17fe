"""One pod of the service, asked past its Service: also while it is not ready."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import PODS, Kube, KubeError
from gitops_e2e.pipeline.endpoint import Answer
from gitops_e2e.pipeline.names import SERVICE

_PORT = 8080
_REDIS_ENDS = "CONFIG SET port 0\nCLIENT KILL TYPE normal SKIPME yes\n"


@dataclass(frozen=True)
class ServicePod:
    """A pod, reached through the API server's proxy."""

    kube: Kube
    namespace: str
    name: str

    @staticmethod
    def all_of(kube: Kube, namespace: str) -> list[ServicePod]:
        """The service's pods in a stage, those not counted that are about to go. Raises HarnessError without any."""
        pods = kube.list(PODS, namespace, f"app={SERVICE}")
        names = [pod["metadata"]["name"] for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        if not names:
            raise HarnessError(f"no pod of {SERVICE} runs", where=f"namespace {namespace}")
        return [ServicePod(kube, namespace, name) for name in names]

    def get(self, path: str) -> Answer:
        """What the pod answers. A status that is no success comes as an answer, too."""
        url = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}:{_PORT}/proxy{path}"
        started = time.monotonic()
        try:
            status, text = 200, self.kube.raw(url).decode()
        except KubeError as refusal:
            status, text = refusal.code, refusal.message
        return Answer(url, status, None, text, time.monotonic() - started)

    def counter(self, name: str) -> float:
        """The value of one of its own metrics without labels, at this moment. Raises HarnessError when it has none."""
        answer = self.get("/metrics")
        match = re.search(rf"^{name} (\S+)$", answer.text, re.MULTILINE)
        if match is None:
            raise HarnessError(f"there is no metric {name} (status {answer.status})", where=answer.url)
        return float(match[1])

    def take_redis_away(self) -> None:
        """Let the pod's Redis stop listening and drop its clients; the container goes on, so nothing brings it back."""
        argv = ["sh", "-c", f"printf '{_REDIS_ENDS}' | redis-cli"]
        self.kube.execute(self.namespace, self.name, "redis", argv)
