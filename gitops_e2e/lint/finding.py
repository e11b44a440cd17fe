"""What the lint has to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """Something wrong at a line (from 1) of a file, which is relative to the checkout, and how to mend it."""

    file: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}; {self.mend}"


def once_a_line(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first finding of each line: where every stage has the same thing to say, one of them is enough."""
    seen: set[tuple[str, int]] = set()
    for finding in findings:
        place = (finding.file, finding.line)
        if place not in seen:
            seen.add(place)
            yield finding
