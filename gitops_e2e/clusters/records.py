"""What is known of things that outlive a killed run: one small file each, written before the thing exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from gitops_e2e.cache import Cache


class Record(Protocol):
    """Something with a name, that can be written down."""

    @property
    def name(self) -> str:
        """The name it is found again by."""

    def to_json(self) -> str:
        """All of it."""


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Records(Generic[R]):
    """The records of one kind, in a folder of the machine; `parse` reads what `to_json` wrote."""

    folder: Path
    parse: Callable[[str], R]

    def lock(self) -> AbstractContextManager[None]:
        """Held by whoever takes a name or sweeps."""
        return Cache(self.folder).lock("records")

    def save(self, record: R) -> None:
        """Write the record, whole or not at all."""
        path = self._path(record.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(record.to_json())
        partial.replace(path)

    def find(self, name: str) -> R | None:
        """The record of that name."""
        try:
            return self.parse(self._path(name).read_text())
        except FileNotFoundError:
            return None

    def all(self) -> Iterator[R]:
        """Every record."""
        for path in sorted(self.folder.glob("*.json")):
            record = self.find(path.stem)
            if record:
                yield record

    def forget(self, name: str) -> None:
        """Remove the record: the last step of tidying up."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"
