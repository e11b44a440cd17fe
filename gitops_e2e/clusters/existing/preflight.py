"""What a run finds on a cluster that exists, and what it will do with it: told as a table before it is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from gitops_e2e.clusters.existing.errors import PreflightRefused
from gitops_e2e.components.component import Component
from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, KubeError, Manifest, Ref

USABLE: Mapping[str, tuple[str, str]] = {
    "Argo CD": (r"v?3\.\d+\.\d+", "3.x"),
    "Argo Rollouts": (r"v?1\.9\.\d+", "1.9.x"),
    "cert-manager": (r"v?1\.\d+\.\d+", "1.x"),
    "CoreDNS": (r"v?1\.\d+\.\d+", "1.x"),
}
"""Which versions of components that somebody else installed are used as they are: a pattern, and its name for people.
What is not here has settings that scenarios depend on, and must be ours."""

_HEADINGS = ("COMPONENT", "FOUND", "WANTED", "WHAT IS DONE")


class Verdict(Enum):
    """What is done about a component."""

    INSTALL = "install"
    RENEW = "ours: install again"
    USE = "use as it is"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Row:
    """One component: what was found of it, what is wanted, and what follows, for a reason if need be."""

    component: str
    found: str
    wanted: str
    verdict: Verdict
    reason: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The row as texts."""
        return self.component, self.found, self.wanted, ": ".join(filter(None, [self.verdict.value, self.reason]))


def examine(kube: Kube, components: Iterable[Component]) -> list[Row]:
    """Look at what the cluster has of each component; nothing is changed. Raises KubeError."""
    return [_row(kube, component) for component in components]


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as lines, in columns."""
    lines = [_HEADINGS, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    for line in lines:
        yield "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def require(rows: Iterable[Row], *, where: str) -> None:
    """Raises PreflightRefused where a component was refused."""
    if refused := [row for row in rows if row.verdict is Verdict.REFUSE]:
        raise PreflightRefused(
            "this cluster cannot be used: " + "; ".join(f"{row.component}: {row.reason}" for row in refused),
            where=where,
            remedy="remove what is in the way, if nobody needs it, or take another cluster",
        )


def _row(kube: Kube, component: Component) -> Row:
    manifests = component.manifests()
    wanted = component.pinned()
    there = kube.find(component.workloads()[0])
    if there is None:
        in_the_way = _in_the_way(kube, manifests)
        return Row(component.name, "none", wanted, Verdict.REFUSE if in_the_way else Verdict.INSTALL, in_the_way)
    found = component.tag(there)
    if not component.is_foreign(kube):
        return Row(component.name, found, wanted, *_of_ours(kube, component))
    because = _unusable_because(kube, component, found)
    return Row(component.name, found, wanted, Verdict.REFUSE if because else Verdict.USE, because)


def _of_ours(kube: Kube, component: Component) -> tuple[Verdict, str]:
    try:
        component.confirm(kube)
    except HarnessError as error:
        return Verdict.REFUSE, f"{error.what}; --uninstall removes it"
    return Verdict.RENEW, ""


def _unusable_because(kube: Kube, component: Component, found: str) -> str:
    """Why what somebody else installed is of no use; "" where it is."""
    if component.name not in USABLE:
        return f"somebody else's is in namespace {component.namespace}, and only our own will do"
    pattern, name = USABLE[component.name]
    if not re.fullmatch(pattern, found):
        return f"version {found} is not known to work; {name} is"
    lacking = [ref for ref in component.workloads() if kube.find(ref) is None]
    return f"it has no {', no '.join(map(str, lacking))}" if lacking else ""


def _in_the_way(kube: Kube, manifests: Iterable[Manifest]) -> str:
    """What keeps the manifests from being installed: objects of somebody else, or addresses and ports in use."""
    for manifest in manifests:
        ref = Ref.of(manifest)
        if ref.kind != "Namespace" and kube.find_foreign(ref):
            return f"{ref} is there, and somebody else made it"
        if ref.kind == "Service" and (refusal := _refusal(kube, manifest)):
            return refusal
    return ""


def _refusal(kube: Kube, service: Manifest) -> str:
    """What the API server has against a Service that is not there yet: it knows which addresses and ports are taken.

    It is asked about one in namespace default, as the Service's own may not be there.
    """
    if kube.find(Ref.of(service)):
        return ""
    metadata = {"generateName": f"{service['metadata']['name']}-", "namespace": "default"}
    try:
        kube.dry_run({**service, "metadata": metadata})
    except KubeError as error:
        return f"Service {service['metadata']['name']} is refused: {error.message}"
    return ""
