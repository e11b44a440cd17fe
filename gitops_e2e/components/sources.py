"""Where the manifests of components come from, parsed once and kept in the cache as JSON.

Parsing Argo CD's 25 000 lines of YAML takes longer than starting a node.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gitops_e2e.bundle import Chart
from gitops_e2e.cache import Cache, digest
from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.errors import HarnessError
from gitops_e2e.images.archiving import not_pulled
from gitops_e2e.kube import Manifest
from gitops_e2e.progress import doing
from gitops_e2e.toolchain import Toolchain

_OWN = Path(__file__).parent / "manifests"
_HELM_BOUND = 60.0
_PULL_BOUND = 120.0


@dataclass(frozen=True)
class Sources:
    """Upstream manifests by Go module, charts by Go module or in files, and our own manifests."""

    cache: Cache
    toolchain: Toolchain

    def own(self, name: str) -> list[Manifest]:
        """The documents of `components/manifests/<name>`."""
        path = _OWN / name
        return self._kept(digest("own", path), lambda _: _documents(path))

    def upstream(self, module: str, file: str) -> list[Manifest]:
        """The documents of a file in a Go module, at the version that the toolchain pins."""
        key = digest("upstream", module, self.toolchain.version(module), file)
        return self._kept(key, lambda _: _documents(self.toolchain.module_dir(module) / file))

    def chart(self, module: str, folder: str, crds: str, *, namespace: str, values: Path) -> list[Manifest]:
        """A chart in a Go module, rendered by helm with a file of values, and the CRD templates that lie beside it.

        The chart's own version is a placeholder upstream (`Chart.template.yaml`), replaced by the module's.
        """
        version = self.toolchain.version(module)
        key = digest("chart", module, version, folder, crds, namespace, values)

        def render(scratch: Path) -> list[Manifest]:
            source = self.toolchain.module_dir(module)
            chart = _completed(source / folder, source / crds, version, scratch)
            return _documents(self._helm_template(chart.name, chart, namespace, [values], scratch))

        return self._kept(key, render)

    def packed_chart(self, chart: Chart, *, namespace: str, values: Sequence[Path]) -> list[Manifest]:
        """A chart in a file, rendered by helm as a release of its own name, CRDs included.

        Of the files of values a later one has precedence. Raises CommandFailed with what helm says, which also
        holds the values against the schema of the chart, where it has one.
        """
        key = digest("packed chart", chart.digest, namespace, *values)

        def render(scratch: Path) -> list[Manifest]:
            return _documents(self._helm_template(chart.name, chart.path, namespace, values, scratch))

        return self._kept(key, render)

    def pulled_chart(self, name: str, version: str, repository: str = "") -> Chart:
        """A chart, pulled by helm if missing: by its address in an OCI registry, or by its name in a repository.

        Raises NotPulled and BundleError.
        """
        what = f"chart {name} {version}" + (f" of {repository}" if repository else "")

        def pull(folder: Path) -> None:
            argv: list[str | Path] = [self._helm, "pull", name, "--version", version, "--destination", folder]
            with doing(f"pulling {what}"):
                try:
                    run([*argv, *(["--repo", repository] if repository else [])], timeout=_PULL_BOUND)
                except CommandFailed as error:
                    raise not_pulled(what, error) from error
            Chart.read(_chart_in(folder))

        return Chart.read(_chart_in(self.cache.entry("charts", digest(name, version, repository), pull)))

    def defaults(self, chart: Chart) -> Mapping[str, Any]:
        """The values that a chart in a file has by itself. Raises CommandFailed."""
        values = yaml.safe_load(run([self._helm, "show", "values", chart.path], timeout=_HELM_BOUND).stdout)
        return values if isinstance(values, dict) else {}

    @property
    def _helm(self) -> Path:
        return self.toolchain.command("helm")

    def _helm_template(self, release: str, chart: Path, namespace: str, values: Sequence[Path], scratch: Path) -> Path:
        kubernetes = self.toolchain.version("k8s.io/kubernetes")
        argv: list[str | Path] = [self._helm, "template", release, chart, "--include-crds"]
        argv += ["--namespace", namespace, "--kube-version", kubernetes, *(f"--values={file}" for file in values)]
        rendered = scratch / "rendered.yaml"
        rendered.write_text(run(argv, timeout=_HELM_BOUND).stdout)
        return rendered

    def _kept(self, key: str, read: Callable[[Path], list[Manifest]]) -> list[Manifest]:
        def keep(folder: Path) -> None:
            with tempfile.TemporaryDirectory() as scratch:
                documents = read(Path(scratch))
            (folder / "documents.json").write_text(json.dumps(documents))

        kept = self.cache.entry("manifests", key, keep) / "documents.json"
        documents: list[Manifest] = json.loads(kept.read_text())
        return documents


def _completed(chart: Path, crds: Path, version: str, scratch: Path) -> Path:
    """A copy of the chart as the release tool of its project would make it."""
    # Files in the module cache are read-only: only their content is copied.
    copy = Path(shutil.copytree(chart, scratch / chart.name, copy_function=shutil.copyfile))
    for crd in sorted(crds.glob("crd-*.yaml")):
        shutil.copyfile(crd, copy / "templates" / crd.name)
    template = (copy / "Chart.template.yaml").read_text()
    (copy / "Chart.yaml").write_text(template.replace("v0.1.0", version))
    return copy


def _chart_in(folder: Path) -> Path:
    (chart,) = folder.glob("*.tgz")
    return chart


def _documents(path: Path) -> list[Manifest]:
    try:
        return [document for document in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader) if document]
    except yaml.YAMLError as error:
        raise HarnessError(f"this manifest does not parse: {error}", where=str(path)) from error
