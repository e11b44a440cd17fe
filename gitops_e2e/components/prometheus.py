"""Prometheus: the kubelet's cAdvisor, and the pods that are annotated for scraping."""

from typing import ClassVar

from gitops_e2e.components.packaged import Packaged

NODE_PORT = 30090


class Prometheus(Packaged):
    """Debian's Prometheus, every 2 s."""

    name: ClassVar[str] = "Prometheus"
    namespace: ClassVar[str] = "monitoring"
    image: ClassVar[str] = "prometheus"
