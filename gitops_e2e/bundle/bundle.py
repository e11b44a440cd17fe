"""A folder of archives that a run is given, so that it needs no registry for what is in there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.bundle.charts import Chart
from gitops_e2e.bundle.errors import BundleError
from gitops_e2e.bundle.image_archives import ImageArchive

_IMAGES = (".tar", ".tar.gz")
_CHARTS = (".tgz",)


@dataclass(frozen=True)
class Bundle:
    """Images and charts, no two the same; all of them whole. Without a folder, none."""

    folder: Path | None = None
    images: tuple[ImageArchive, ...] = ()
    charts: tuple[Chart, ...] = ()

    @staticmethod
    def open(folder: Path) -> Bundle:
        """Read every archive: images end in `.tar` or `.tar.gz`, charts in `.tgz`. Raises BundleError."""
        try:
            files = sorted(path for path in folder.iterdir() if path.is_file())
        except OSError as error:
            raise BundleError(
                f"the bundle cannot be read: {error}", where=str(folder), remedy="give a folder of archives"
            ) from error
        bundle = Bundle(
            folder,
            tuple(ImageArchive.read(path) for path in files if path.name.endswith(_IMAGES)),
            tuple(Chart.read(path) for path in files if path.name.endswith(_CHARTS)),
        )
        bundle._check()
        return bundle

    def image(self, reference: str) -> ImageArchive | None:
        """The archive of the image with that name and tag."""
        return next((image for image in self.images if image.reference == reference), None)

    def chart(self, name: str) -> Chart | None:
        """The chart of that name."""
        return next((chart for chart in self.charts if chart.name == name), None)

    def _check(self) -> None:
        if not self.images and not self.charts:
            raise BundleError(
                "the bundle has neither image archives (.tar, .tar.gz) nor Helm charts (.tgz)", where=str(self.folder)
            )
        known: dict[str, Path] = {}
        for what, path in (*((i.reference, i.path) for i in self.images), *((c.name, c.path) for c in self.charts)):
            if what in known:
                raise BundleError(
                    f"the bundle has {what} twice: {known[what].name} and {path.name}",
                    where=str(self.folder),
                    remedy="keep the one that is meant",
                )
            known[what] = path
