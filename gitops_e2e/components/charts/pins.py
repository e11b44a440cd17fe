"""Versions that are pinned in `pins.yaml`, each with a note of where it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from gitops_e2e.bundle import BundleError, Chart
from gitops_e2e.errors import HarnessError

PINS = Path(__file__).parent / "pins.yaml"
VALUES = Path(__file__).parent / "values"

_OCI = "oci://"
_STRICT = ConfigDict(extra="forbid")

# One version: no range, no "latest".
_Version = Annotated[str, Field(pattern=r"^v?\d+\.\d+\.\d+$")]
_Page = Annotated[str, Field(pattern=r"^https://\S+$")]
_Repository = Annotated[str, Field(pattern=r"^(https|oci)://\S+$")]
_Text = Annotated[str, Field(min_length=1)]


class PinsWrong(HarnessError):
    """`pins.yaml` does not say what it has to, or does not pin what is asked for."""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One version; `read` is the page where it was read, `quote` what was found there, on `date`."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    name: _Text
    version: _Version
    read: _Page
    quote: _Text
    date: date

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, kw_only=True)
class ChartPin(Pin):
    """A chart in a repository: an index over HTTPS, or an OCI registry.

    `app_version` is the release of the software that the chart is made for. `module` is the Go module that this
    software is built from here, "" where it is not.
    """

    repository: _Repository
    app_version: _Version
    module: str = ""

    @property
    def location(self) -> tuple[str, str]:
        """What helm calls the chart, and the repository that it looks it up in ("" where the name says it)."""
        if self.repository.startswith(_OCI):
            return f"{self.repository}/{self.name}", ""
        return self.name, self.repository

    def require(self, chart: Chart) -> None:
        """Raises BundleError for a chart of another version."""
        if chart.version != self.version:
            raise BundleError(
                f"the bundle has {chart}, but {self.version} is what this stack is made for",
                where=str(chart.path),
                remedy=f"replace it by the chart's version {self.version}, or take it out of the bundle",
            )

    def __str__(self) -> str:
        return f"chart {super().__str__()}"


@dataclass(frozen=True)
class Pins:
    """All of them. No two charts, and no two of the others, have one name."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    charts: tuple[ChartPin, ...]
    others: tuple[Pin, ...]

    @staticmethod
    def read(path: Path = PINS) -> Pins:
        """The file's. Raises PinsWrong with the first thing that is wrong with it."""
        try:
            pins = TypeAdapter(Pins).validate_python(yaml.safe_load(path.read_text()))
        except (OSError, yaml.YAMLError) as error:
            raise _wrong(path, f"they cannot be read: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            raise _wrong(path, f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from error
        for twice in _twice(pins):
            raise _wrong(path, f"{twice} is pinned twice")
        return pins

    def find(self, chart: str) -> ChartPin | None:
        """The chart of that name."""
        return next((pin for pin in self.charts if pin.name == chart), None)

    def chart(self, name: str) -> ChartPin:
        """The chart of that name. Raises PinsWrong."""
        pin = self.find(name)
        if pin is None:
            raise PinsWrong(f"no chart {name} is pinned", where=str(PINS), remedy="pin it, with a note")
        return pin

    def other(self, name: str) -> Pin:
        """What is no chart, by its name. Raises PinsWrong."""
        for pin in self.others:
            if pin.name == name:
                return pin
        raise PinsWrong(f"no {name} is pinned", where=str(PINS), remedy="pin it, with a note")


def values_of(name: str) -> Path:
    """The file with the values that a chart of that name is rendered with, or that are added to another chart's."""
    return VALUES / f"{name}.yaml"


def _twice(pins: Pins) -> Iterator[str]:
    for group in (pins.charts, pins.others):
        names = [pin.name for pin in group]
        yield from (name for name in dict.fromkeys(names) if names.count(name) > 1)


def _wrong(path: Path, what: str) -> PinsWrong:
    return PinsWrong(
        f"the pinned versions are not as they have to be: {what}",
        where=str(path),
        remedy="each has a name, one exact version, and a note: the page where it was read, what it says, a date",
    )
