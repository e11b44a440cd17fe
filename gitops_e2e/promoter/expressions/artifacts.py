"""Which artifact of the Freight an address means: the one whose Warehouse subscribes to it (behaviour file, 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, Manifest, Ref
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.api.origins import Origin
from gitops_e2e.promoter.api.urls import normalized_git_url


class AmbiguousArtifact(HarnessError):
    """More than one Warehouse of the Stage subscribes to the address."""


class ProjectReader:
    """Reads objects of a project, each at most once, so that all who ask see the same."""

    def __init__(self, kube: Kube, project: str) -> None:
        self._kube = kube
        self._project = project
        self._read: dict[Ref, Manifest | None] = {}

    def find(self, api_version: str, kind: str, name: str) -> Manifest | None:
        """The object of this name, or None where there is none."""
        ref = Ref(api_version, kind, name, self._project)
        if ref not in self._read:
            self._read[ref] = self._kube.find(ref)
        return self._read[ref]


class Artifacts:
    """The artifacts of Freight references, found by address.

    Without an origin the requested one is taken whose Warehouse subscribes to the address: AmbiguousArtifact is
    raised if several do. None is given where no Warehouse does, or its Freight is not at hand.
    """

    def __init__(self, reader: ProjectReader, requested: Sequence[Origin], freight: Iterable[Manifest]) -> None:
        self._reader = reader
        self._requested = requested
        self._freight = {Origin.of(reference["origin"]): reference for reference in freight}

    @property
    def freight(self) -> Sequence[Manifest]:
        """The references, in the order given."""
        return tuple(self._freight.values())

    def image(self, url: str, origin: Origin | None = None) -> Manifest | None:
        """The image of exactly this address."""

        def same(artifact: Manifest) -> bool:
            return bool(artifact["repoURL"] == url)

        origin = origin or self._origin("image", same, f"a container image from repository {url}")
        return self._find("images", same, origin)

    def commit(self, url: str, origin: Origin | None = None) -> Manifest | None:
        """The commit of the repository with this address, however it is spelt."""
        wanted = normalized_git_url(url)

        def same(artifact: Manifest) -> bool:
            return normalized_git_url(artifact["repoURL"]) == wanted

        origin = origin or self._origin("git", same, f"a commit from repository {url}")
        return self._find("commits", same, origin)

    def chart(self, url: str, name: str = "", origin: Origin | None = None) -> Manifest | None:
        """The chart of exactly this address and name."""

        def same(artifact: Manifest) -> bool:
            return bool(artifact["repoURL"] == url) and artifact.get("name", "") == name

        origin = origin or self._origin("chart", same, f"a chart from repository {url}")
        return self._find("charts", same, origin)

    def _origin(self, kind: str, same: Callable[[Manifest], bool], what: str) -> Origin | None:
        providers = [origin for origin in self._requested if any(map(same, self._subscriptions(origin, kind)))]
        if len(providers) > 1:
            raise AmbiguousArtifact(
                f"multiple requested Freight could potentially provide {what}: "
                "please provide a Freight origin to disambiguate"
            )
        return providers[0] if providers else None

    def _subscriptions(self, origin: Origin, kind: str) -> list[Manifest]:
        warehouse = self._reader.find(API_VERSION, origin.kind, origin.name)
        entries = warehouse["spec"]["subscriptions"] if warehouse else []
        return [entry[kind] for entry in entries if kind in entry]

    def _find(self, kind: str, same: Callable[[Manifest], bool], origin: Origin | None) -> Manifest | None:
        reference = self._freight.get(origin, {}) if origin else {}
        return next((artifact for artifact in reference.get(kind, []) if same(artifact)), None)
