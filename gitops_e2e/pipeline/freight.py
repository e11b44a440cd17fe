"""A piece of Freight of Kargo: a release that can be promoted, where it is and where it was proven.

How Kargo (1.8) behaves, as far as expectations rest on it:
- What Freight consists of never changes, and its name follows from that; the alias is for people.
- It is verified in a stage when the stage, healthy with it, has verified it, and stays so. Nothing is written
  when a verification fails: not verified is only final as long as nobody verifies again.
- `currentlyIn` tells where a promotion has put it, whatever became of the canary afterwards.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gitops_e2e.kube import Manifest
from gitops_e2e.pipeline.kargo import FREIGHTS, Image, has_tag
from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.reading import time_of
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
    expectation,
)


@dataclass(frozen=True)
class Freight:
    """A piece of Freight. The last three are stages, in the order of the alphabet; `currently_in` tells since when."""

    name: str
    alias: str
    warehouse: str
    images: tuple[Image, ...]
    created: datetime | None
    currently_in: Mapping[str, datetime]
    verified_in: tuple[str, ...]
    approved_for: tuple[str, ...]

    @staticmethod
    def of(manifest: Manifest) -> Freight:
        """The Freight that a manifest describes."""
        metadata, status = manifest["metadata"], manifest.get("status") or {}
        return Freight(
            name=metadata["name"],
            alias=manifest.get("alias", ""),
            warehouse=(manifest.get("origin") or {}).get("name", ""),
            images=Image.all_of(manifest),
            created=time_of(metadata.get("creationTimestamp")),
            currently_in={
                stage: datetime.fromisoformat(entry["since"])
                for stage, entry in sorted((status.get("currentlyIn") or {}).items())
            },
            verified_in=tuple(sorted(status.get("verifiedIn") or {})),
            approved_for=tuple(sorted(status.get("approvedFor") or {})),
        )

    @property
    def state(self) -> str:
        """What it is and where it stands."""
        places = (
            ("currently in", tuple(self.currently_in)),
            ("verified in", self.verified_in),
            ("approved for", self.approved_for),
        )
        where = [f"{words} {', '.join(stages)}" for words, stages in places if stages]
        what = ", ".join(map(str, self.images)) or "no images"
        return f"{self.alias or self.name[:7]} ({what}) {'; '.join(where) or 'in no stage yet'}"


@dataclass(frozen=True)
class WatchedFreight:
    """The newest Freight of a pipeline that has an image with that tag."""

    cache: WatchCache
    names: PipelineNames
    version: str

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"Freight of {self.version} in {self.names.project}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where it is."""
        return frozenset({Place(FREIGHTS, self.names.project)})

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timeline explains it."""
        return (self.names.project,)

    def read(self, snapshot: Snapshot) -> Freight | Pending:
        """The Freight, once there is one."""
        pieces = by_age(snapshot, self.names.project)
        found = [each for each in pieces if has_tag(each.images, self.version)]
        others = ", ".join(str(image) for each in pieces for image in each.images)
        return found[-1] if found else Pending(f"there is none, but {f'that of {others}' if others else 'no Freight'}")

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """All the Freight there is."""
        return [each.state for each in by_age(snapshot, self.names.project)]


@dataclass(frozen=True)
class AllFreight:
    """All Freight of a pipeline."""

    cache: WatchCache
    names: PipelineNames

    @property
    def title(self) -> str:
        """Its name in sentences."""
        return f"All Freight in {self.names.project}"

    @property
    def scope(self) -> frozenset[Place]:
        """Where it is."""
        return frozenset({Place(FREIGHTS, self.names.project)})

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose timeline explains it."""
        return (self.names.project,)

    def read(self, snapshot: Snapshot) -> tuple[Freight, ...]:
        """Every piece, the oldest first."""
        return by_age(snapshot, self.names.project)

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """Where each piece stands."""
        return [each.state for each in self.read(snapshot)]


def by_age(snapshot: Snapshot, project: str) -> tuple[Freight, ...]:
    """A project's Freight, the newest last. Raises Blind."""
    found = snapshot.all(FREIGHTS, project)
    return tuple(map(Freight.of, sorted(found, key=lambda each: str(each["metadata"].get("creationTimestamp", "")))))


# --- expectations


def is_there() -> Expectation[Freight]:
    """It was found, and people can call it by an alias."""

    def judge(freight: Freight) -> Verdict:
        return Met(freight.state) if freight.alias else Pending(f"{freight.name} has no alias")

    return expectation("is there, with an alias", judge)


def is_verified_in(stage: str) -> Expectation[Freight]:
    """The stage has proven it."""
    return expectation(f"is verified in {stage}", lambda freight: _if(stage in freight.verified_in, freight))


def is_not_verified_in(stage: str) -> Expectation[Freight]:
    """The stage has not proven it; what follows has to be waited for elsewhere, as the stage may be at it."""

    def judge(freight: Freight) -> Verdict:
        return Impossible(freight.state) if stage in freight.verified_in else Met(freight.state)

    return expectation(f"is not verified in {stage}", judge)


def is_currently_in(stage: str) -> Expectation[Freight]:
    """It is what was promoted to the stage last, with success."""
    return expectation(f"is currently in {stage}", lambda freight: _if(stage in freight.currently_in, freight))


def has_been_in(stage: str, seconds: float) -> Expectation[Freight]:
    """It is in the stage, and has been for so long."""

    def judge(freight: Freight) -> Verdict:
        since = freight.currently_in.get(stage)
        if since is None:
            return Pending(freight.state)
        left = seconds - (datetime.now(UTC) - since).total_seconds()
        return Met(freight.state) if left <= 0 else Pending(freight.state, time.monotonic() + left)

    return expectation(f"has been in {stage} for {seconds:g} s", judge)


def is_of(*versions: str) -> Expectation[tuple[Freight, ...]]:
    """There is one piece for each of these tags, and no other, as none ever goes by itself."""

    def judge(pieces: tuple[Freight, ...]) -> Verdict:
        tags = Counter(image.tag for each in pieces for image in each.images)
        observed = f"Freight of {', '.join(tags.elements()) or 'nothing'}"
        if tags - Counter(versions):
            return Impossible(observed)
        return Met(observed) if tags == Counter(versions) else Pending(observed)

    return expectation(f"is of {', '.join(versions) or 'nothing'}", judge)


def _if(so: bool, freight: Freight) -> Verdict:
    return Met(freight.state) if so else Pending(freight.state)


# --- for the timeline


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    """What a change of a Freight means: it was found, promoted, proven or approved."""
    if after is None:
        yield Fact("gone", "gone")
        return
    old, new = Freight.of(before) if before else None, Freight.of(after)
    if old is None:
        images = list(map(str, new.images))
        yield Fact("freight", f"{new.alias}: {', '.join(images)}", {"alias": new.alias, "images": images})
    for what, words, was, now in (
        ("current", "is in", tuple(old.currently_in) if old else (), tuple(new.currently_in)),
        ("verified", "is verified in", old.verified_in if old else (), new.verified_in),
        ("approved", "is approved for", old.approved_for if old else (), new.approved_for),
    ):
        for stage in now:
            if stage not in was:
                yield Fact(what, f"{new.alias} {words} {stage}", {"alias": new.alias, "stage": stage})
