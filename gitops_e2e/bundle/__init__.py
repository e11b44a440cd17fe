"""Archives that a run is given, or may pull: images and Helm charts, each known by what it says of itself."""

from gitops_e2e.bundle.bundle import Bundle
from gitops_e2e.bundle.charts import Chart
from gitops_e2e.bundle.errors import BundleError
from gitops_e2e.bundle.image_archives import ImageArchive

__all__ = ["Bundle", "BundleError", "Chart", "ImageArchive"]
