"""A step at which a promotion stops until it is let go: to do something in the middle of it."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.kube import Manifest, Ref
from gitops_e2e.pipeline import kargo
from gitops_e2e.pipeline.project import Edit, Project, index_of

STEP = "gate"

_NAME = "gate"
_CLOSED = "http://127.0.0.1:1/"
# Anything in the cluster that always answers.
_OPEN = "http://prometheus.monitoring.svc.cluster.local:9090/-/ready"
_TRIES = 100


@dataclass(frozen=True)
class Gate:
    """A step of kind `http` that asks an address which a ConfigMap of the Project has.

    While nothing answers there, the step fails and is to be tried again, which Kargo does after five minutes, or
    when the Promotion's annotation asks for it.
    """

    project: Project

    @staticmethod
    def create(project: Project) -> Gate:
        """A closed gate."""
        metadata = {"name": _NAME}
        data = {"url": _CLOSED}
        project.create_object({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        return Gate(project)

    def after(self, alias: str) -> Edit:
        """The task with the gate after that step."""

        def edit(task: Manifest) -> None:
            task["spec"]["steps"].insert(index_of(task, alias) + 1, self._step())

        return edit

    def open(self) -> None:
        """Let promotions through that come to it, or come to it again."""
        gate = Ref("v1", "ConfigMap", _NAME, self.project.names.project)
        self.project.platform.kube.patch(gate, {"data": {"url": _OPEN}})

    def let_go(self, promotion: str) -> None:
        """Open it, and let the Promotion that waits there go on at once."""
        self.open()
        self.project.ask(kargo.PROMOTIONS, promotion, kargo.REFRESH)

    def _step(self) -> Manifest:
        return {
            "uses": "http",
            "as": STEP,
            "retry": {"errorThreshold": _TRIES},
            "config": {"url": f"${{{{ configMap('{_NAME}').url }}}}"},
        }
