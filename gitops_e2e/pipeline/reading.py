"""What the readings of several kinds have in common: conditions, times, image references."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gitops_e2e.kube import Manifest


@dataclass(frozen=True)
class Condition:
    """A condition as an object's status has it, but for its times: they change without anything else changing."""

    type: str
    status: str
    reason: str
    message: str

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.type}={self.status}", self.reason, self.message) if part)


def conditions(manifest: Manifest) -> tuple[Condition, ...]:
    """The conditions of an object's status."""
    found = manifest.get("status", {}).get("conditions") or []
    return tuple(
        Condition(each.get("type", ""), each.get("status", ""), each.get("reason", ""), each.get("message", ""))
        for each in found
    )


def time_of(text: str | None) -> datetime | None:
    """A time as the API writes it (RFC 3339), or None where it wrote none."""
    return datetime.fromisoformat(text) if text else None


def container_images(pod_spec: Manifest) -> tuple[str, ...]:
    """The image references of a pod's ordinary containers."""
    return tuple(container.get("image", "") for container in pod_spec.get("containers", []))


def has_image(images: Iterable[str], wanted: str) -> bool:
    """Whether one of the references is the wanted one, or bears it as its tag."""
    return any(wanted in {image, tag_of(image)} for image in images)


def tag_of(image: str) -> str:
    """The tag of an image reference without a digest: "1.0.0" of "registry:5000/shop/api:1.0.0"."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]
