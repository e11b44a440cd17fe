"""Which Kargo a run has: Kargo itself, or the promotion engine in its place. It is chosen here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.bundle import Bundle
from gitops_e2e.components.authority import Authority
from gitops_e2e.components.charts.charts import Charts
from gitops_e2e.components.charts.pins import Pins
from gitops_e2e.components.component import Component
from gitops_e2e.components.kargo_chart import KargoChart
from gitops_e2e.components.promotion_engine import PromotionEngine
from gitops_e2e.components.sources import Sources
from gitops_e2e.errors import HarnessError
from gitops_e2e.images import Images
from gitops_e2e.images.catalogue import GROUPS, KARGO, WITH_KARGO, Foreign, Recipe
from gitops_e2e.promoter import KARGO_VERSION, VERSION

CHOICES = ("auto", "real", "engine")

_IMAGE = KARGO[0].reference
_CHART = "kargo"


class NoKargo(HarnessError):
    """The real Kargo is asked for and cannot be had."""


@dataclass(frozen=True)
class KargoChoice:
    """Whether it is the real one, and why. What is said of it is for the first lines of a run."""

    real: bool = False
    reason: str = "auto: no bundle is given, and nothing may be pulled"

    @staticmethod
    def of(wanted: str, bundle: Bundle, *, pull: bool) -> KargoChoice:
        """The choice for `--kargo wanted`. Raises NoKargo, and BundleError for a chart of another version."""
        chart = bundle.chart(_CHART)
        if chart:
            Pins.read().chart(_CHART).require(chart)
        if wanted == "engine":
            return KargoChoice(real=False, reason="asked for")
        because = "" if wanted == "real" else "auto: "
        missing = [what for what, there in (("image", bundle.image(_IMAGE)), ("chart", chart)) if not there]
        if not missing:
            return KargoChoice(real=True, reason=f"{because or 'asked for: '}the bundle has its image and its chart")
        if pull:
            return KargoChoice(real=True, reason=f"{because or 'asked for: '}its {' and '.join(missing)} may be pulled")
        if wanted == "real":
            raise NoKargo(
                f"--kargo real needs image {_IMAGE} and chart {_CHART} {KARGO_VERSION}: "
                f"{_lacking(bundle, missing)}, and nothing may be pulled",
                remedy="give both in a bundle (docs/kargo.md has the commands), or allow --pull, or use --kargo engine",
            )
        if not bundle.folder:
            return KargoChoice()
        return KargoChoice(real=False, reason=f"auto: {_lacking(bundle, missing)}")

    @property
    def groups(self) -> tuple[tuple[Recipe | Foreign, ...], ...]:
        """The images of a stack with it."""
        return WITH_KARGO if self.real else GROUPS

    def component(self, sources: Sources, images: Images, authority: Authority, charts: Charts) -> Component:
        """It, to be installed. Raises NotPulled."""
        if not self.real:
            return PromotionEngine(sources, images, authority)
        return KargoChart(sources, images, authority, charts.require(_CHART, sources))

    def __str__(self) -> str:
        kargo = f"Kargo {KARGO_VERSION} itself" if self.real else f"the promotion engine {VERSION}"
        return (
            f"{kargo} ({self.reason})" if self.real else f"{kargo}, in place of Kargo {KARGO_VERSION} ({self.reason})"
        )


def _lacking(bundle: Bundle, missing: list[str]) -> str:
    return f"the bundle has no {' and no '.join(missing)} of it" if bundle.folder else "no bundle is given"
