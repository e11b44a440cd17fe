"""A Helm chart in a file, as `helm package` and `helm pull` make it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from gitops_e2e.bundle.contents import Contents

_ABOUT = "Chart.yaml"


@dataclass(frozen=True)
class Chart:
    """A whole chart: what it is called, its version, and the digest of the file.

    `app_version` is the release of the software in it, "" where the chart does not say it.
    """

    path: Path
    name: str
    version: str
    digest: str
    app_version: str = ""

    @staticmethod
    def read(path: Path) -> Chart:
        """The chart in the file. Raises BundleError for one that is not whole, or is no chart."""
        contents = Contents.read(path)
        about = next((name for name in contents.small if name.count("/") == 1 and name.endswith(f"/{_ABOUT}")), None)
        if about is None:
            raise contents.wrong(f"it has no {_ABOUT}: it is no Helm chart")
        try:
            described = yaml.safe_load(contents.text(about))
            name, version = str(described["name"]), str(described["version"])
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise contents.wrong(f"its {_ABOUT} does not say the chart's name and version") from error
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Chart(path, name, version, digest, str(described.get("appVersion", "")))

    def __str__(self) -> str:
        return f"chart {self.name} {self.version}"
