"""Semantic versions and ranges of them, read and compared as Masterminds/semver 3.4.0 does, which Kargo uses.

Where that library differs from semver.org (`~0.0.0` takes any release, `^*` only 0.0.0), so does this module:
what it must agree with is the library.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import total_ordering
from types import MappingProxyType

from gitops_e2e.errors import HarnessError

_LARGEST = 2**64 - 1  # the library keeps numbers in 64 bits

_WORD = r"[0-9A-Za-z-]+"
_TAIL = rf"(?:-(?P<pre>{_WORD}(?:\.{_WORD})*))?(?:\+(?P<build>{_WORD}(?:\.{_WORD})*))?"
_LOOSE = re.compile(rf"v?(?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(?:\.(?P<patch>[0-9]+))?{_TAIL}", re.ASCII)
_FULL = r"(?:0|[1-9][0-9]*)"
_STRICT = re.compile(rf"(?P<major>{_FULL})\.(?P<minor>{_FULL})\.(?P<patch>{_FULL}){_TAIL}", re.ASCII)

_SPACE = r"[ \t\n\f\r]"
_OPERATOR = r"!=|=>|=<|>=|<=|~>|=|>|<|~|\^|"
_NUMBER = r"[0-9xX*]+"
_BOUND = rf"v?{_NUMBER}(?:\.{_NUMBER})?(?:\.{_NUMBER})?(?:-{_WORD}(?:\.{_WORD})*)?(?:\+{_WORD}(?:\.{_WORD})*)?"
_COMPARISON = rf"(?:{_OPERATOR}){_SPACE}*{_BOUND}"
_COMPARISONS = re.compile(
    rf"{_SPACE}*{_COMPARISON}{_SPACE}*(?:(?:{_SPACE}+|,{_SPACE}*){_COMPARISON}{_SPACE}*)*", re.ASCII
)
_ONE = re.compile(
    rf"(?P<operator>{_OPERATOR}){_SPACE}*"
    rf"v?(?P<major>{_NUMBER})(?:\.(?P<minor>{_NUMBER}))?(?:\.(?P<patch>{_NUMBER}))?{_TAIL}",
    re.ASCII,
)
_HYPHEN_RANGE = re.compile(rf"{_SPACE}*(?P<low>{_BOUND}){_SPACE}+-{_SPACE}+(?P<high>{_BOUND}){_SPACE}*", re.ASCII)
_ANY_NUMBER = frozenset({"x", "X", "*"})

_Precedence = tuple[tuple[int, int, str], ...]


class NotAVersion(HarnessError):
    """The text is no semantic version."""


class NotAConstraint(HarnessError):
    """The text is no range of versions."""


@total_ordering
@dataclass(frozen=True, eq=False)
class Version:
    """A semantic version. Builds of a version are equal: `1.0.0+a == 1.0.0+b`."""

    major: int
    minor: int
    patch: int
    pre: str = ""

    @staticmethod
    def parse(text: str) -> Version:
        """Read a version that may leave numbers out (`1`, `v1.2`) or start them with 0. Raises NotAVersion."""
        return _version(text, _LOOSE.fullmatch(text))

    @staticmethod
    def parse_strict(text: str) -> Version:
        """Read a version with all three numbers and without `v`. Raises NotAVersion."""
        return _version(text, _STRICT.fullmatch(text))

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Major, minor, patch."""
        return self.major, self.minor, self.patch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key() == other._key()

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[tuple[int, int, int], bool, _Precedence]:
        return self.numbers, not self.pre, _precedence(self.pre)


@dataclass(frozen=True)
class Constraint:
    """Versions that are wanted: those which all comparisons of at least one alternative hold for."""

    alternatives: tuple[tuple[_Comparison, ...], ...]

    @staticmethod
    def parse(text: str) -> Constraint:
        """Read a range such as `^1.0.0`, `>=1.2, <2 || 3.x` or `1.2 - 2.0`. Raises NotAConstraint."""
        parts = _HYPHEN_RANGE.sub(r">= \g<low>, <= \g<high> ", text).split("||")
        return Constraint(tuple(_comparisons(part) for part in parts))

    def allows(self, version: Version) -> bool:
        """Whether the version is wanted. A prerelease is only where an alternative names a prerelease."""
        return any(
            all(comparison.holds(version) for comparison in alternative)
            for alternative in self.alternatives
            if not version.pre or any(comparison.bound.pre for comparison in alternative)
        )


def is_constraint(text: str) -> bool:
    """Whether the text is a range of versions."""
    try:
        Constraint.parse(text)
    except NotAConstraint:
        return False
    return True


@dataclass(frozen=True)
class _Comparison:
    """One operator and its version, of which `width` numbers (0 to 3) were given."""

    operator: str
    bound: Version
    width: int

    def holds(self, version: Version) -> bool:
        return _OPERATIONS[self.operator](version, self)


def _comparisons(text: str) -> tuple[_Comparison, ...]:
    if not _COMPARISONS.fullmatch(text):
        raise NotAConstraint(f"improper constraint: {text}")
    return tuple(_comparison(match) for match in _ONE.finditer(text))


def _comparison(match: re.Match[str]) -> _Comparison:
    numbers = [match["major"], match["minor"], match["patch"]]
    width = next((index for index, number in enumerate(numbers) if not number or number in _ANY_NUMBER), 3)
    pre = f"-{match['pre']}" if match["pre"] else ""
    try:
        bound = Version.parse(".".join([*numbers[:width], "0", "0", "0"][:3]) + pre)
    except NotAVersion as error:
        raise NotAConstraint(f"improper constraint: {match[0]}") from error
    return _Comparison(match["operator"], bound, width)


# --- what the operators mean


def _equal(version: Version, comparison: _Comparison) -> bool:
    return _tilde(version, comparison) if comparison.width < 3 else version == comparison.bound


def _not_equal(version: Version, comparison: _Comparison) -> bool:
    bound, width = comparison.bound, comparison.width
    if width in {0, 3}:
        return version != bound
    if version.numbers[:width] != bound.numbers[:width]:
        return True
    return width == 2 and _precedence(version.pre) != _precedence(bound.pre)


def _greater(version: Version, comparison: _Comparison) -> bool:
    bound, width = comparison.bound, comparison.width
    if width in {0, 3}:
        return version > bound
    return version.numbers[:width] > bound.numbers[:width]


def _less_or_equal(version: Version, comparison: _Comparison) -> bool:
    bound, width = comparison.bound, comparison.width
    if width == 3:
        return version <= bound
    width = width or 2  # `<=*` means `<=0.0`
    return version.numbers[:width] <= bound.numbers[:width]


def _tilde(version: Version, comparison: _Comparison) -> bool:
    bound, width = comparison.bound, comparison.width
    if version < bound:
        return False
    if bound.numbers == (0, 0, 0) and width in {0, 3}:
        return True
    same = 1 if width == 1 else 2
    return version.numbers[:same] == bound.numbers[:same]


def _caret(version: Version, comparison: _Comparison) -> bool:
    bound, width = comparison.bound, comparison.width
    if version < bound:
        return False
    if bound.major > 0 or width == 1:
        same = 1
    elif bound.minor > 0 or width == 2:
        same = 2
    else:
        same = 3
    return version.numbers[:same] == bound.numbers[:same]


_OPERATIONS: MappingProxyType[str, Callable[[Version, _Comparison], bool]] = MappingProxyType(
    {
        "": _equal,
        "=": _equal,
        "!=": _not_equal,
        ">": _greater,
        "<": lambda version, comparison: version < comparison.bound,
        ">=": lambda version, comparison: version >= comparison.bound,
        "=>": lambda version, comparison: version >= comparison.bound,
        "<=": _less_or_equal,
        "=<": _less_or_equal,
        "~": _tilde,
        "~>": _tilde,
        "^": _caret,
    }
)


# --- reading


def _version(text: str, match: re.Match[str] | None) -> Version:
    if match is None:
        raise NotAVersion(f"{text!r} is no semantic version")
    major, minor, patch = (int(match[name] or 0) for name in ("major", "minor", "patch"))
    pre = match["pre"] or ""
    if max(major, minor, patch) > _LARGEST or any(_starts_with_zero(word) for word in pre.split(".")):
        raise NotAVersion(f"{text!r} is no semantic version")
    return Version(major, minor, patch, pre)


def _starts_with_zero(word: str) -> bool:
    return len(word) > 1 and word[0] == "0" and word.isdigit()


def _precedence(pre: str) -> _Precedence:
    """What prereleases are compared by: numbers before words, and the shorter of two with the same beginning."""
    return tuple(_word_precedence(word) for word in pre.split("."))


def _word_precedence(word: str) -> tuple[int, int, str]:
    if not word:
        return 0, 0, ""
    if word.isdigit() and int(word) <= _LARGEST:
        return 1, int(word), ""
    return 2, 0, word
