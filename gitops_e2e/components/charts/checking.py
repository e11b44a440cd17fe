"""Holding pins, values and charts against each other, as far as the charts can be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from gitops_e2e.bundle import Bundle, BundleError, Chart
from gitops_e2e.commands import CommandFailed
from gitops_e2e.components.charts.charts import Charts
from gitops_e2e.components.charts.pins import VALUES, ChartPin, Pin, Pins, values_of
from gitops_e2e.components.sources import Sources
from gitops_e2e.errors import HarnessError
from gitops_e2e.images.archiving import NotPulled

_EXTENSION = "rollout-extension"
# helm renders for a namespace; which one does not matter here.
_NAMESPACE = "default"


@dataclass(frozen=True)
class Finding:
    """What became of one check: that it is right, or wrong, or could not be made."""

    verdict: Literal["right", "wrong", "not checked"]
    sentence: str

    def __str__(self) -> str:
        return f"{self.verdict}: {self.sentence}"


@dataclass(frozen=True)
class Checking:
    """What is checked, and by what: charts of the bundle, and those that may be pulled where `pull` allows it."""

    pins: Pins
    bundle: Bundle
    sources: Sources
    pull: bool
    values: Path = VALUES

    def findings(self) -> Iterator[Finding]:
        """One for each file of values, and for each chart its version and how it renders."""
        yield from self._strays()
        for pin in self.pins.charts:
            yield from self._of_chart(pin)
        extension = self.pins.other(_EXTENSION)
        yield self._values_of(extension.name) or _extension(extension, _read(self._file(extension.name)))

    def _of_chart(self, pin: ChartPin) -> Iterator[Finding]:
        if wrong := self._values_of(pin.name):
            yield wrong
            return
        yield Finding("right", f"the values of {pin} are a mapping")
        if pin.module:
            yield _release(pin, self.sources.toolchain.version(pin.module))
        yield from self._rendered(pin)

    def _rendered(self, pin: ChartPin) -> Iterator[Finding]:
        charts = Charts(self.bundle, upstream=self.pull, pins=self.pins)
        if not self.pull and not self.bundle.chart(pin.name):
            yield Finding("not checked", f"{pin} itself: no bundle has it, and nothing may be pulled")
            return
        try:
            chart = charts.require(pin.name, self.sources)
        except NotPulled as error:
            yield Finding("not checked", f"{pin} itself: {error.what}")
            return
        except BundleError as error:
            yield Finding("wrong", error.what)
            return
        yield _described(pin, chart)
        yield self._known(pin, chart)
        yield self._template(pin, chart)

    def _known(self, pin: ChartPin, chart: Chart) -> Finding:
        """By the names at the top: helm says nothing of values that a chart without a schema does not read."""
        unread = sorted(set(_read(self._file(pin.name))) - set(self.sources.defaults(chart)))
        if unread:
            return Finding("wrong", f"{pin} has no values {', '.join(unread)}")
        return Finding("right", f"{pin} has all the values that are set")

    def _template(self, pin: ChartPin, chart: Chart) -> Finding:
        try:
            manifests = self.sources.packed_chart(chart, namespace=_NAMESPACE, values=[self._file(pin.name)])
        except CommandFailed as error:
            return Finding("wrong", f"{pin} does not render with its values: {error.what}")
        kinds = len({manifest["kind"] for manifest in manifests})
        return Finding("right", f"{pin} renders with its values: {len(manifests)} objects of {kinds} kinds")

    def _strays(self) -> Iterator[Finding]:
        known = {pin.name for pin in self.pins.charts} | {_EXTENSION}
        for file in sorted(self.values.iterdir()):
            if file.stem not in known or file.suffix != ".yaml":
                yield Finding("wrong", f"{file.name} holds the values of no chart that is pinned")

    def _values_of(self, name: str) -> Finding | None:
        """What is wrong with a file of values, if anything is."""
        try:
            _read(self._file(name))
        except HarnessError as error:
            return Finding("wrong", error.what)
        return None

    def _file(self, name: str) -> Path:
        return self.values / values_of(name).name


def _release(pin: ChartPin, built: str) -> Finding:
    """A chart may be for another patch release than the one that is built here, but for no other minor release."""
    sentence = f"{pin} is for {pin.app_version}, and {built} is what runs"
    return Finding("right" if _minor(pin.app_version) == _minor(built) else "wrong", sentence)


def _described(pin: ChartPin, chart: Chart) -> Finding:
    said = (chart.version, _numbers(chart.app_version))
    if said != (pin.version, _numbers(pin.app_version)):
        made_for = chart.app_version or "nothing"
        return Finding("wrong", f"{chart} is for {made_for}, but pinned is {pin.version} for {pin.app_version}")
    return Finding("right", f"{pin} says its version, and that it is for {chart.app_version}")


def _extension(pin: Pin, values: Mapping[str, Any]) -> Finding:
    if f"/{pin.version}/" in yaml.safe_dump(dict(values)):
        return Finding("right", f"the values of {pin.name} fetch {pin.version}")
    return Finding("wrong", f"the values of {pin.name} do not fetch {pin.version}, which is pinned")


def _read(file: Path) -> Mapping[str, Any]:
    try:
        values = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise HarnessError(f"the values {file.name} cannot be read: {error}", where=str(file)) from error
    if not isinstance(values, dict):
        raise HarnessError(f"the values {file.name} are no mapping", where=str(file))
    return values


def _minor(version: str) -> list[str]:
    return _numbers(version).split(".")[:2]


def _numbers(version: str) -> str:
    return version.removeprefix("v")
