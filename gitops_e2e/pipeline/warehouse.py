"""A Warehouse of Kargo: what it discovered in the image repository, and whether it could look.

How Kargo (1.8) behaves, as far as expectations rest on it:
- It looks when its annotation `kargo.akuity.io/refresh` changes, and tells the value in `lastHandledRefresh` once it
  has looked, with success or without.
- While it looks it is not ready, for that reason; and it has forgotten whether there was Freight to make.
- A look that failed is repeated, at first within milliseconds, later with pauses of minutes. So nothing is final.
- A look that was asked for by a refresh, and failed, is not repeated: the refresh is answered. The repetition goes by
  what was known before, and the Warehouse is ready again at once. So of such a failure only the history tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.kargo import WAREHOUSES
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.reading import Condition, conditions
from gitops_e2e.watching import (
    Expectation,
    Fact,
    Impossible,
    Met,
    Pending,
    Place,
    Snapshot,
    Verdict,
    WatchCache,
    all_of,
    expectation,
    never_was,
    passed_through,
)

_LOOKING = "DiscoveryInProgress"
_FAILED = "DiscoveryFailure"
# Longer than a few looks take, of which the first may have missed what was changed at the same time.
_PATIENCE = 10.0


@dataclass(frozen=True)
class Warehouse:
    """A Warehouse. `tags` are those it discovered, best first; `looked` is the refresh that it has answered last."""

    name: str
    looked: str
    tags: tuple[str, ...]
    conditions: tuple[Condition, ...]

    @staticmethod
    def of(manifest: Manifest) -> Warehouse:
        """The Warehouse that a manifest describes."""
        status = manifest.get("status") or {}
        images = (status.get("discoveredArtifacts") or {}).get("images") or []
        return Warehouse(
            name=manifest["metadata"]["name"],
            looked=status.get("lastHandledRefresh", ""),
            tags=tuple(each.get("tag", "") for image in images for each in image.get("references") or []),
            conditions=conditions(manifest),
        )

    @property
    def ready(self) -> Condition:
        """Whether it could look, and why not."""
        return self.condition("Ready")

    @property
    def is_looking(self) -> bool:
        """Whether it is at it, or has not begun."""
        return self.ready.reason in {"", _LOOKING}

    @property
    def state(self) -> str:
        """Where it stands, in the controller's words."""
        return f"{self.ready}; discovered {', '.join(self.tags) or 'nothing'}"

    def condition(self, kind: str) -> Condition:
        """The condition of that type, an empty one where there is none."""
        return next((each for each in self.conditions if each.type == kind), Condition(kind, "Unknown", "", ""))


@dataclass(frozen=True)
class WatchedWarehouse:
    """A pipeline's Warehouse, from the answer to a refresh on; as it is where `refresh` is empty."""

    cache: WatchCache
    names: PipelineNames
    refresh: str = ""

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"Warehouse {self.names.warehouse} in {self.names.project}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where it is."""
        return frozenset({Place(WAREHOUSES, self.names.project)})

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timeline explains it."""
        return (self.names.project,)

    def is_there(self, snapshot: Snapshot) -> bool:
        """Whether there is one, be it looking or not."""
        return snapshot.find(WAREHOUSES, self.names.project, self.names.warehouse) is not None

    def read(self, snapshot: Snapshot) -> Warehouse | Pending:
        """The Warehouse, once it has looked."""
        manifest = snapshot.find(WAREHOUSES, self.names.project, self.names.warehouse)
        if manifest is None:
            return Pending("there is no such Warehouse")
        warehouse = Warehouse.of(manifest)
        if self.refresh and warehouse.looked != self.refresh:
            return Pending(f"it has not answered the refresh yet: {warehouse.state}")
        return Pending(f"it is looking: {warehouse.state}") if warehouse.is_looking else warehouse

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """What the controller says about it."""
        manifest = snapshot.find(WAREHOUSES, self.names.project, self.names.warehouse)
        return [str(each) for each in conditions(manifest)] if manifest else []


# --- expectations


def has_looked() -> Expectation[Warehouse]:
    """It has looked, whatever it found."""
    return expectation("has looked", lambda warehouse: Met(warehouse.state))


def could_look() -> Expectation[Warehouse]:
    """It is ready, and by this look: none failed since the answer to the refresh."""

    def judge(warehouse: Warehouse) -> Verdict:
        so = warehouse.ready.status == "True"
        return Met(warehouse.state) if so else Impossible(warehouse.state, lasting=_PATIENCE)

    return all_of(expectation("is ready", judge), never_was(is_not_ready(_FAILED)))


def could_not_look(because: str = "") -> Expectation[Warehouse]:
    """A look failed since the answer to the refresh, with these words, whatever became of it."""
    return passed_through(is_not_ready(_FAILED, because))


def has_discovered(*tags: str) -> Expectation[Warehouse]:
    """It could look, and these tags are what it may make Freight of, best first."""

    def judge(warehouse: Warehouse) -> Verdict:
        found = warehouse.ready.status == "True" and warehouse.tags == tags
        return Met(warehouse.state) if found else Pending(warehouse.state)

    return expectation(f"has discovered {', '.join(tags)}", judge)


def is_not_ready(reason: str = "", because: str = "") -> Expectation[Warehouse]:
    """It is not ready, for that reason (`DiscoveryFailure`, `MissingImageReferences`) and with these words."""

    def judge(warehouse: Warehouse) -> Verdict:
        ready = warehouse.ready
        so = ready.status == "False" and reason in {"", ready.reason} and because.lower() in ready.message.lower()
        return Met(warehouse.state) if so else Impossible(warehouse.state, lasting=_PATIENCE)

    why = f": {reason}" if reason else ""
    return expectation(f"is not ready{why}" + (f" because of {because!r}" if because else ""), judge)


def says(condition: str, reason: str) -> Expectation[Warehouse]:
    """A condition of it has that reason: `FreightCreated` has `NewFreight` or `AlreadyExists`."""

    def judge(warehouse: Warehouse) -> Verdict:
        found = warehouse.condition(condition)
        observed = f"{found}; {warehouse.state}"
        return Met(observed) if found.reason == reason else Impossible(observed, lasting=_PATIENCE)

    return expectation(f"says {condition} {reason}", judge)


# --- for the timeline


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """What a change of a Warehouse means: tags that came or went, and each look that found nothing to be ready with.

    That it looks is not told, as it does so every few minutes.
    """
    if after is None:
        yield Fact("gone", "gone")
        return
    old, new = Warehouse.of(before) if before else None, Warehouse.of(after)
    if new.tags != (old.tags if old else ()):
        yield Fact("discovered", f"discovered {', '.join(new.tags) or 'nothing'}", {"tags": list(new.tags)})
    ready = new.ready
    if not new.is_looking and ready.status != "True" and ready != (old.ready if old else None):
        yield Fact("trouble", f"{ready.reason}: {ready.message}", {"reason": ready.reason, "message": ready.message})
