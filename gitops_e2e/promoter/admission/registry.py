"""Which rules hold for which resource, and which requests the API server is to ask about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from gitops_e2e.kube import Kube
from gitops_e2e.promoter.admission.configs import ClusterConfigs, ProjectConfigs
from gitops_e2e.promoter.admission.freights import Freights
from gitops_e2e.promoter.admission.projects import Projects
from gitops_e2e.promoter.admission.promotions import ApplicationsOf, Promotions
from gitops_e2e.promoter.admission.requesters import Requesters
from gitops_e2e.promoter.admission.reviews import Rules
from gitops_e2e.promoter.admission.stages import Stages
from gitops_e2e.promoter.admission.tasks import Tasks
from gitops_e2e.promoter.admission.warehouses import Warehouses
from gitops_e2e.promoter.runtime import EventRecorder

Operation = Literal["CREATE", "UPDATE", "DELETE"]


@dataclass(frozen=True)
class Asked:
    """The requests that the webhook of one resource (`resource` is its plural) is asked about."""

    name: str
    resource: str
    defaulted: bool = False
    validated: tuple[Operation, ...] = ("CREATE", "UPDATE")
    status: bool = False


WEBHOOKS = (
    Asked("clusterconfig", "clusterconfigs"),
    Asked("clusterpromotiontask", "clusterpromotiontasks"),
    Asked("freight", "freights", defaulted=True, validated=("CREATE", "UPDATE", "DELETE"), status=True),
    Asked("project", "projects"),
    Asked("projectconfig", "projectconfigs"),
    Asked("promotion", "promotions", defaulted=True, validated=("CREATE", "UPDATE", "DELETE")),
    Asked("promotiontask", "promotiontasks"),
    Asked("stage", "stages", defaulted=True),
    Asked("warehouse", "warehouses", defaulted=True),
)


def all_rules(kube: Kube, requesters: Requesters, applications_of: ApplicationsOf) -> Mapping[str, Rules]:
    """The rules by resource."""
    tasks = Tasks(kube)
    return MappingProxyType(
        {
            "clusterconfigs": ClusterConfigs(),
            "clusterpromotiontasks": tasks,
            "freights": Freights(kube, requesters, EventRecorder(kube, "freight-webhook")),
            "projects": Projects(kube),
            "projectconfigs": ProjectConfigs(kube),
            "promotions": Promotions(kube, requesters, EventRecorder(kube, "promotion-webhook"), applications_of),
            "promotiontasks": tasks,
            "stages": Stages(kube, requesters),
            "warehouses": Warehouses(kube),
        }
    )
