"""How the engine is held against the recordings of Kargo 1.8.4: what is compared, what must differ, what may differ.

Every comparison with a recording goes through `compare`. `MUST_DIFFER` is all that it leaves out, `ACCEPTED` all that
it lets pass. What is compared is said of a test by `behaviour`, with the line of the behaviour file (the observer's
specification of Kargo 1.8.4, beside the recordings) that the behaviour comes from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

RECORDINGS = Path(__file__).parent / "recordings"
_LINES = (RECORDINGS / "behaviour.md").read_text().splitlines()

FORMS = {
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    "duration": r"(?:[\d.]+(?:h|m|s|ms|µs|ns))+",
    "ulid": r"[0-7][0-9a-hjkmnp-tv-z]{25}",
    "moment": r"[0-9a-f]{16}",
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "commit": r"[0-9a-f]{40}",
    "alias": r"[a-z]+-[a-z]+",
    "directory": r"/[\w./-]*/(?:repo|promotion)-[\w-]+(?:/repo-\d+)?",
}
"""What values that differ look like. A value of another form is a difference, wherever it is."""

MUST_DIFFER = (
    ("*Timestamp", "time"),
    ("*Time", "time"),
    ("*At", "time"),
    ("*.since", "time"),
    ("*-time", "time"),  # in the annotations of events
    ("*.longestSoak", "duration"),
    ("*.name", "ulid"),  # of Promotions and AnalysisRuns
    ("*promotion*", "ulid"),  # where they are referred to
    ("*/analysis-run-name", "ulid"),
    ("*.metadata.name", "moment"),  # of events
    ("*.info.*.value", "ulid"),
    ("*.branch", "ulid"),
    ("*.verificationHistory.*.id", "uuid"),
    ("*/reverify", "uuid"),
    ("*/abort", "uuid"),
    ("*.commit", "commit"),
    ("*.commits.*", "commit"),
    ("*evision*", "commit"),
    ("*/alias", "alias"),  # the label, which tells what else is one
    ("*/freight-alias", "alias"),
    ("*.message", "directory"),
)
"""What must differ from run to run: JSON paths, dotted, `*` for anything; and the form of what differs there.

An id or alias that is found at its path is numbered, and goes by its number in all other texts as well, so that what
refers to what is still compared. Digests, addresses and what they make (the names of Freight) are not in the table:
a test knows those of its run, and gives them as the `spelling`.
"""

_IN_PLACE = frozenset({"time", "duration", "directory", "moment"})
_VARIED = re.compile(rf"<({'|'.join(FORMS)})( \d+)?>")


@dataclass(frozen=True)
class Citation:
    """A line of the behaviour file, counted from 1."""

    section: str
    line: int

    def __str__(self) -> str:
        return f"{self.section}, line {self.line}"

    @property
    def text(self) -> str:
        return _LINES[self.line - 1]


def cite(section: str, words: str) -> Citation:
    """The line of a section, such as "4.4", that has these words. Raises LookupError if that is not exactly one."""
    found = [number for number in _lines_of(section) if words in _LINES[number - 1]]
    if len(found) != 1:
        raise LookupError(f"{words!r} is in {len(found)} lines of section {section} of the behaviour file")
    return Citation(section, found[0])


def _lines_of(section: str) -> Iterator[int]:
    inside = False
    for number, line in enumerate(_LINES, start=1):
        if line.startswith("#"):
            inside = line.lstrip("#").split()[0].rstrip(".") == section
        elif inside:
            yield number


def behaviour(title: str, section: str, words: str) -> pytest.MarkDecorator:
    """Says of a test which behaviour of Kargo's it compares with a recording, and where that is written."""
    citation = cite(section, words)
    return pytest.mark.behaviour(title=title, section=citation.section, line=citation.line)


@dataclass(frozen=True)
class Accepted:
    """A difference that the behaviour file allows: section 12 calls it skippable, or section 13 undetermined."""

    what: str
    citation: Citation


SMOOTHED = Accepted(
    "a Stage whose health is Unknown is looked at when that may end, not again and again with an error each time",
    cite("12", "may be smoothed; tests must not require Ready reason while promoting"),
)
BOGUS_ID = Accepted(
    "lastFreightID of a Warehouse whose Freight was there already names that Freight, in Kargo none that exists",
    cite("12", "`lastFreightID` bogus value on AlreadyExists"),
)
ACCEPTED = (SMOOTHED, BOGUS_ID)


@dataclass(frozen=True)
class Difference:
    """Where, and what is there and should be; text of JSON."""

    path: str
    seen: str
    recorded: str

    def __str__(self) -> str:
        return f"{self.path or 'all'}: seen {self.seen}, recorded {self.recorded}"


@dataclass(frozen=True)
class Comparison:
    """What came of it; the numbers are of fields (values that hold no others) of the recording."""

    compared: int
    ignored: int
    differences: tuple[Difference, ...]


def compare(
    seen: Any, recorded: Any, spelling: Mapping[str, str] = MappingProxyType({}), *, sequence: bool = False
) -> Comparison:
    """Hold JSON values against each other.

    The spelling says how digests, addresses and names of this run were in the recording. Of a sequence of states
    the repetitions are left out (`distinct`): they are a matter of time.
    """
    text = json.dumps(seen)
    for here in sorted(spelling, key=len, reverse=True):
        text = text.replace(json.dumps(here)[1:-1], json.dumps(spelling[here])[1:-1])
    ours, theirs = _normal(json.loads(text)), _normal(recorded)
    if sequence:
        ours, theirs = distinct(ours), distinct(theirs)
    fields = list(_fields(theirs))
    ignored = sum(isinstance(one, str) and bool(_VARIED.search(one)) for one in fields)
    return Comparison(len(fields) - ignored, ignored, tuple(_differences("", ours, theirs)))


def distinct(states: Sequence[Any]) -> list[Any]:
    """The states without those that are like the one before, or like the last but one when nothing else was between.

    A controller that tries again after an error goes to and fro between two states, as often as there is time for.
    """
    kept: list[Any] = []
    for state in states:
        if state not in kept[-2:]:
            kept.append(state)
    return kept


def without(value: Any, *keys: str) -> Any:
    """A JSON value without the fields, at any depth, that a recording leaves out."""
    if isinstance(value, dict):
        return {key: without(entry, *keys) for key, entry in value.items() if key not in keys}
    return [without(entry, *keys) for entry in value] if isinstance(value, list) else value


def as_recorded(manifest: Any) -> Any:
    """An object as the recordings have objects: without what the API server adds for itself, or kubectl."""
    slim = without(manifest, "uid", "resourceVersion", "managedFields")
    if not slim["metadata"].get("annotations"):
        slim["metadata"].pop("annotations", None)
    return slim


class Different(AssertionError):
    """The engine does something else than Kargo did."""


@dataclass
class Conformance:
    """Compares for one test, and keeps count."""

    comparisons: list[Comparison] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)

    def accept(self, difference: Accepted) -> None:
        """Say that a difference is passed over."""
        self.accepted.append(difference)

    def same(
        self, seen: Any, recorded: Any, spelling: Mapping[str, str] = MappingProxyType({}), *, sequence: bool = False
    ) -> None:
        """Raises Different, with every difference."""
        comparison = compare(seen, recorded, spelling, sequence=sequence)
        self.comparisons.append(comparison)
        if comparison.differences:
            raise Different("\n".join(["not as recorded:", *map(str, comparison.differences)]))


def _normal(value: Any) -> Any:
    """The value with words for times, and numbers for ids."""
    numbers: dict[str, str] = {}

    def field(path: str, text: str) -> str:
        for pattern, form in MUST_DIFFER:
            if not fnmatchcase(path, pattern):
                continue
            for found in re.findall(rf"(?<!\w){FORMS[form]}(?!\w)", text):
                if form in _IN_PLACE:
                    text = text.replace(found, f"<{form}>")
                else:
                    numbers.setdefault(found, f"<{form} {len(numbers) + 1}>")
        return text

    def visited(path: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: visited(f"{path}.{key}", value[key]) for key in sorted(value)}
        if isinstance(value, list):
            return [visited(f"{path}.{index}", entry) for index, entry in enumerate(value)]
        return field(path, value) if isinstance(value, str) else value

    text = json.dumps(visited("", value))
    for found, number in numbers.items():
        text = text.replace(found, number)
    return json.loads(text)


def _fields(value: Any) -> Iterator[Any]:
    """Every value in it that holds no others."""
    if isinstance(value, (dict, list)) and value:
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _fields(entry)
    else:
        yield value


def _differences(path: str, seen: Any, recorded: Any) -> Iterator[Difference]:
    if isinstance(seen, dict) and isinstance(recorded, dict):
        for key in sorted(seen.keys() | recorded.keys()):
            yield from _differences(f"{path}.{key}", seen.get(key, _ABSENT), recorded.get(key, _ABSENT))
    elif isinstance(seen, list) and isinstance(recorded, list):
        for index in range(max(len(seen), len(recorded))):
            yield from _differences(f"{path}.{index}", _entry(seen, index), _entry(recorded, index))
    elif type(seen) is not type(recorded) or seen != recorded:
        yield Difference(path, _shown(seen), _shown(recorded))


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def _entry(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else _ABSENT


def _shown(value: Any) -> str:
    return repr(value) if value is _ABSENT else json.dumps(value)
