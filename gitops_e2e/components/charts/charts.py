"""Which charts a run has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gitops_e2e.bundle import Bundle, Chart
from gitops_e2e.components.charts.pins import ChartPin, Pins
from gitops_e2e.components.sources import Sources

KARGO = "kargo"
MONITORING = "kube-prometheus-stack"


@dataclass(frozen=True)
class Charts:
    """The charts of a bundle; and where the cluster is `upstream`, which pulls its images, every other that is pinned.

    Kargo's is chosen by itself (`KargoChoice`).
    """

    bundle: Bundle = field(default_factory=Bundle)
    upstream: bool = False
    pins: Pins = field(default_factory=Pins.read)

    def find(self, name: str, sources: Sources) -> Chart | None:
        """The chart that its component is installed by; None where other manifests are. Raises NotPulled, PinsWrong."""
        return self.require(name, sources) if self._has(self.pins.chart(name)) else None

    def require(self, name: str, sources: Sources) -> Chart:
        """The chart of the bundle, or else pulled. Raises NotPulled, BundleError and PinsWrong."""
        pin = self.pins.chart(name)
        if chart := self.bundle.chart(name):
            return chart
        address, repository = pin.location
        return sources.pulled_chart(address, pin.version, repository)

    def check(self) -> None:
        """Raises BundleError for a chart of the bundle that is pinned in another version."""
        for chart in self.bundle.charts:
            if pin := self.pins.find(chart.name):
                pin.require(chart)

    def unknown(self) -> list[str]:
        """The charts of the bundle that nothing here uses."""
        return [str(chart) for chart in self.bundle.charts if not self.pins.find(chart.name)]

    def told(self) -> Iterator[str]:
        """A line for what is installed by charts, and one for what is not run."""
        if used := [str(pin) for pin in self._others if self._has(pin)]:
            yield f"installed by {', '.join(used)}"
        if missing := self.not_run():
            yield f"not run here: {', '.join(missing)}"

    def not_run(self) -> tuple[str, ...]:
        """What the demo's installation has and this run has not: charts, Grafana, the extension of Argo CD's UI."""
        return tuple(self._missing())

    def _missing(self) -> Iterator[str]:
        yield from (str(pin) for pin in self._others if not self._has(pin))
        if not self.upstream:
            yield "Grafana"
            yield str(self.pins.other("rollout-extension"))

    @property
    def _others(self) -> list[ChartPin]:
        return [pin for pin in self.pins.charts if pin.name != KARGO]

    def _has(self, pin: ChartPin) -> bool:
        # No image of it is built here.
        return self.upstream or (pin.name != MONITORING and self.bundle.chart(pin.name) is not None)
