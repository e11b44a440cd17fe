"""Where a component's Services lead, while its pods go on."""

from __future__ import annotations

from gitops_e2e.components.component import Component
from gitops_e2e.kube import Kube, Ref

ELSEWHERE = "gitops-e2e/elsewhere"
"""The label of pods that a Service leads to in the component's place; where none has it, to nothing."""


def lead_away(kube: Kube, component: Component) -> None:
    """Let the component's Services lead to pods with the label, its own name: to nothing, where there are none.

    Connections that are there stay. Raises KubeError.
    """
    for service in component.services():
        selector = {**dict.fromkeys(service["spec"]["selector"]), ELSEWHERE: service["metadata"]["name"]}
        kube.patch(Ref.of(service), {"spec": {"selector": selector}})


def lead_back(kube: Kube, component: Component) -> None:
    """Let them lead to the component again; as they do already is fine. Raises KubeError."""
    for service in component.services():
        kube.patch(Ref.of(service), {"spec": {"selector": {**service["spec"]["selector"], ELSEWHERE: None}}})
