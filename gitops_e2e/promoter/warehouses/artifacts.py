"""What a Warehouse's subscriptions find, all together, and the Freight that is made of the newest."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Manifest
from gitops_e2e.promoter.api.gotext import quote
from gitops_e2e.promoter.api.kinds import API_VERSION
from gitops_e2e.promoter.runtime import now, rfc3339
from gitops_e2e.promoter.warehouses.commits import CommitSearch, CommitsNotFound
from gitops_e2e.promoter.warehouses.images import ImageSearch, ImagesNotFound
from gitops_e2e.promoter.warehouses.naming import freight_name


class DiscoveryFailed(HarnessError):
    """A subscription cannot be followed."""


@dataclass(frozen=True)
class Missing:
    """A subscription that found nothing, as conditions tell it: the reasons of Ready and of Healthy."""

    ready_reason: str
    healthy_reason: str
    message: str


@dataclass(frozen=True)
class Discovery:
    """Follows all subscriptions of a Warehouse."""

    commits: CommitSearch
    images: ImageSearch

    def discover(self, warehouse: Manifest) -> Manifest:
        """The `discoveredArtifacts` as they are now. Raises DiscoveryFailed for the first that cannot be followed."""
        project = warehouse["metadata"]["namespace"]
        subscriptions = warehouse["spec"]["subscriptions"]
        if any("chart" in entry for entry in subscriptions):
            raise DiscoveryFailed("not supported by the embedded engine: Helm chart subscriptions")
        try:
            git = [self.commits.find(project, entry["git"]) for entry in subscriptions if "git" in entry]
        except CommitsNotFound as error:
            raise DiscoveryFailed(f"error discovering commits: {error.what}") from error
        try:
            images = [self.images.find(project, entry["image"]) for entry in subscriptions if "image" in entry]
        except ImagesNotFound as error:
            raise DiscoveryFailed(f"error discovering images: {error.what}") from error
        found = {"git": git, "images": images}
        return {"discoveredAt": rfc3339(now()), **{kind: entries for kind, entries in found.items() if entries}}


def missing(artifacts: Manifest) -> Missing | None:
    """The first subscription that found nothing."""
    for entry in artifacts.get("git", []):
        if not entry.get("commits"):
            message = f"No commits discovered for Git repository {quote(entry['repoURL'])}"
            return Missing("MissingCommits", "NoCommitsDiscovered", message)
    for entry in artifacts.get("images", []):
        if not entry.get("references"):
            message = f"No references discovered for image repository {quote(entry['repoURL'])}"
            return Missing("MissingImageReferences", "NoImageReferencesDiscovered", message)
    return None


def newest_freight(warehouse: Manifest, artifacts: Manifest) -> Manifest:
    """The Freight of the newest artifact of each subscription. Its alias is left to admission."""
    metadata = warehouse["metadata"]
    made_of = {"commits": newest_commits(artifacts), "images": newest_images(artifacts)}
    freight: Manifest = {
        "apiVersion": API_VERSION,
        "kind": "Freight",
        "metadata": {"namespace": metadata["namespace"]},
        "origin": {"kind": "Warehouse", "name": metadata["name"]},
        **{kind: entries for kind, entries in made_of.items() if entries},
    }
    freight["metadata"]["name"] = freight_name(freight)
    return freight


def newest_commits(artifacts: Manifest) -> list[Manifest]:
    """The newest commit of each git subscription, as Freight has it."""
    return [_commit(entry["repoURL"], entry["commits"][0]) for entry in artifacts.get("git", [])]


def newest_images(artifacts: Manifest) -> list[Manifest]:
    """The newest image of each image subscription, as Freight has it."""
    return [_image(entry["repoURL"], entry["references"][0]) for entry in artifacts.get("images", [])]


def _commit(url: str, discovered: Manifest) -> Manifest:
    told = {key: discovered[key] for key in ("id", "branch", "tag", "author", "committer") if discovered.get(key)}
    return {"repoURL": url, **told, **({"message": discovered["subject"]} if discovered.get("subject") else {})}


def _image(url: str, reference: Manifest) -> Manifest:
    return {"repoURL": url, **{key: reference[key] for key in ("tag", "digest", "annotations") if reference.get(key)}}
