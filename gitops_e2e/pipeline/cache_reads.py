"""What reads of a service did to its pods' caches, by the pods' own counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitops_e2e.kube import Kube
from gitops_e2e.pipeline.service_pod import ServicePod

HITS = "cache_hits_total"
MISSES = "cache_misses_total"


@dataclass(frozen=True)
class CacheReads:
    """So many reads of a stage's service: its pods, and what their counters were before."""

    times: int
    namespace: str
    pods: tuple[ServicePod, ...]
    before: Mapping[tuple[str, str], float]

    @staticmethod
    def begin(times: int, kube: Kube, namespace: str) -> CacheReads:
        """Note the counters of all pods of the service, before they are read that often."""
        pods = tuple(ServicePod.all_of(kube, namespace))
        before = {(metric, pod.name): pod.counter(metric) for metric in (HITS, MISSES) for pod in pods}
        return CacheReads(times, namespace, pods, before)

    def hits(self) -> Mapping[str, float]:
        """The reads since then that the cache answered, by pod."""
        return self._since(HITS)

    def misses(self) -> Mapping[str, float]:
        """The reads since then that it did not, by pod."""
        return self._since(MISSES)

    def totals(self) -> Iterator[tuple[str, str, float]]:
        """Each counter as it is now: metric, pod, value."""
        for metric in (HITS, MISSES):
            for pod in self.pods:
                yield metric, pod.name, pod.counter(metric)

    def _since(self, metric: str) -> Mapping[str, float]:
        return {pod.name: pod.counter(metric) - self.before[metric, pod.name] for pod in self.pods}
