"""NodePorts that no two pipelines share, whoever makes them at the same time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from gitops_e2e.clusters.node.identity import ProcessIdentity
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import AlreadyExists, Kube, Manifest, Ref, Resource
from gitops_e2e.pipeline.names import DEMO, STAGES

DEMO_PORTS: Mapping[str, int] = {"dev": 30087, "staging": 30088, "prod": 30089}
"""The ports that stand in `manifests/`, by stage."""

_NAMESPACE = "gitops-e2e"
_OWNER = "gitops-e2e/pipeline"
_MAKER = "gitops-e2e/maker"
_FIRSTS = range(31000, 32766, len(STAGES))
_SERVICES = Resource("v1", "Service", "services", namespaced=True)
_CONFIG_MAPS = Resource("v1", "ConfigMap", "configmaps", namespaced=True)


def may_be_pipelines(port: int) -> bool:
    """Whether a NodePort is one of those that pipelines get."""
    return port in DEMO_PORTS.values() or _FIRSTS.start <= port < _FIRSTS[-1] + len(STAGES)


class NoFreeNodePorts(HarnessError):
    """The cluster has no NodePorts left for the pipeline, or another one has the demo's."""


@dataclass(frozen=True)
class NodePorts:
    """Which pipeline has which NodePorts, kept as ConfigMaps in the cluster.

    A claim is the creation of a ConfigMap named after its first port, so the API server decides a race.
    (Leaving the choice of ports to the API server would not do: it may hand out the demo's own.)
    """

    kube: Kube

    def claim(self, pipeline: str) -> dict[str, int]:
        """Ports for each stage, the pipeline's until they are released. Raises NoFreeNodePorts."""
        if self._claims(pipeline):
            raise NoFreeNodePorts(
                f"the cluster has a pipeline {pipeline} already", remedy="delete it, or give the new one another id"
            )
        if pipeline == DEMO:
            return self._claim_demo()
        taken = self._taken()
        for first in _FIRSTS:
            ports = {stage: first + offset for offset, stage in enumerate(STAGES)}
            if taken.isdisjoint(ports.values()) and self._create(pipeline, ports):
                return ports
        raise NoFreeNodePorts(
            f"the cluster has no free NodePorts for pipeline {pipeline}", remedy="delete pipelines that are not needed"
        )

    def release(self, pipeline: str) -> None:
        """Give the pipeline's ports back; none is fine."""
        for claim in self._claims(pipeline):
            self.kube.delete(Ref.of(claim))

    def claimants(self) -> list[str]:
        """The ids of the pipelines that have NodePorts."""
        claims = self.kube.list(_CONFIG_MAPS, _NAMESPACE, _OWNER)
        return sorted({str(claim["metadata"]["labels"][_OWNER]) for claim in claims})

    def abandoned(self) -> list[str]:
        """The ids of those whose makers, processes of this machine, have ended."""
        claims = self.kube.list(_CONFIG_MAPS, _NAMESPACE, _OWNER)
        makers = {str(each["metadata"]["labels"][_OWNER]): each["metadata"].get("annotations") or {} for each in claims}
        return sorted(pipeline for pipeline, told in makers.items() if not _lives(told.get(_MAKER)))

    def _claim_demo(self) -> dict[str, int]:
        ports = dict(DEMO_PORTS)
        if self._taken().isdisjoint(ports.values()) and self._create(DEMO, ports):
            return ports
        raise NoFreeNodePorts(
            f"the cluster uses NodePorts {', '.join(map(str, ports.values()))} already",
            remedy="delete the Services that use them, or give the pipeline another id",
        )

    def _create(self, pipeline: str, ports: Mapping[str, int]) -> bool:
        claim: Manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"node-ports-{min(ports.values())}",
                "namespace": _NAMESPACE,
                "labels": {_OWNER: pipeline},
                "annotations": {_MAKER: json.dumps(asdict(ProcessIdentity.of(os.getpid())))},
            },
            "data": {stage: str(port) for stage, port in ports.items()},
        }
        try:
            self.kube.create(claim)
        except AlreadyExists:
            return False
        return True

    def _claims(self, pipeline: str) -> Sequence[Manifest]:
        return self.kube.list(_CONFIG_MAPS, _NAMESPACE, f"{_OWNER}={pipeline}")

    def _taken(self) -> set[int]:
        services = self.kube.list(_SERVICES)
        used = {int(port.get("nodePort", 0)) for service in services for port in service["spec"].get("ports", [])}
        claims = self.kube.list(_CONFIG_MAPS, _NAMESPACE, _OWNER)
        return used | {int(port) for claim in claims for port in claim["data"].values()}


def _lives(maker: str | None) -> bool:
    return maker is not None and ProcessIdentity(**json.loads(maker)).alive
