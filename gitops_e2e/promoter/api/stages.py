"""What is read from a Stage (behaviour file, 3.1 and 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.runtime.times import parse_duration


@dataclass(frozen=True)
class FreightRequest:
    """One kind of Freight that a Stage takes, and where it may come from."""

    origin: Origin
    direct: bool
    stages: tuple[str, ...]
    required_soak: timedelta
    strategy: Literal["OneOf", "All"]
    selection: Literal["NewestFreight", "MatchUpstream"]


def freight_requests(stage: Manifest) -> tuple[FreightRequest, ...]:
    """What the Stage takes, in the order of its spec. Raises ValueError for a soak time that is no duration."""
    return tuple(_request(entry) for entry in stage["spec"]["requestedFreight"])


def template_steps(stage: Manifest) -> list[Manifest]:
    """The steps of the Stage's promotion template, tasks not yet inflated."""
    steps: list[Manifest] = stage["spec"].get("promotionTemplate", {}).get("spec", {}).get("steps", [])
    return steps


def promotion_vars(stage: Manifest) -> list[Manifest]:
    """The variables that a new Promotion gets: the Stage's, then its template's; later ones win."""
    template = stage["spec"].get("promotionTemplate", {}).get("spec", {})
    return [*stage["spec"].get("vars", []), *template.get("vars", [])]


def is_control_flow(stage: Manifest) -> bool:
    """Whether the Stage has no steps and only hands Freight on."""
    return not template_steps(stage)


def current_collection(stage: Manifest) -> Manifest | None:
    """The Freight collection that is in the Stage now, from its history."""
    history = stage.get("status", {}).get("freightHistory", [])
    return history[0] if history else None


def _request(entry: Manifest) -> FreightRequest:
    sources = entry["sources"]
    return FreightRequest(
        origin=Origin.of(entry["origin"]),
        direct=sources.get("direct", False),
        stages=tuple(sources.get("stages", [])),
        required_soak=parse_duration(sources.get("requiredSoakTime") or "0s"),
        strategy=sources.get("availabilityStrategy") or "OneOf",
        selection=sources.get("autoPromotionOptions", {}).get("selectionPolicy") or "NewestFreight",
    )
