"""Kargo's API (1.8) as this side of it is used: kinds to watch and create, annotations to ask with, artifacts."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from gitops_e2e.kube import Manifest, Resource

API_VERSION = "kargo.akuity.io/v1alpha1"

PROJECTS = Resource(API_VERSION, "Project", "projects", namespaced=False)
WAREHOUSES = Resource(API_VERSION, "Warehouse", "warehouses", namespaced=True)
FREIGHTS = Resource(API_VERSION, "Freight", "freights", namespaced=True)
STAGES = Resource(API_VERSION, "Stage", "stages", namespaced=True)
PROMOTIONS = Resource(API_VERSION, "Promotion", "promotions", namespaced=True)

PROJECT_CONFIGS = Resource(API_VERSION, "ProjectConfig", "projectconfigs", namespaced=True)
ANALYSIS_TEMPLATES = Resource("argoproj.io/v1alpha1", "AnalysisTemplate", "analysistemplates", namespaced=True)
PROMOTION_TASKS = Resource(API_VERSION, "PromotionTask", "promotiontasks", namespaced=True)

REFRESH = "kargo.akuity.io/refresh"
"""Any new value makes the controller look again; it never takes the annotation away."""
ABORT = "kargo.akuity.io/abort"
REVERIFY = "kargo.akuity.io/reverify"

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80


@dataclass(frozen=True)
class Image:
    """An image in a piece of Freight."""

    repository: str
    tag: str
    digest: str

    @staticmethod
    def all_of(artifacts: Manifest) -> tuple[Image, ...]:
        """The images of a Freight, or of what a status says about one."""
        found = artifacts.get("images") or []
        return tuple(Image(each["repoURL"], each.get("tag", ""), each.get("digest", "")) for each in found)

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


def has_tag(images: tuple[Image, ...], tag: str) -> bool:
    """Whether one of the images bears the tag."""
    return any(image.tag == tag for image in images)


def freight_name(warehouse: str, image: Image) -> str:
    """What Kargo calls the Freight of a Warehouse that consists of one image: the SHA-1 of what it is made of."""
    artifact = f"{image.repository}:{image.tag}@{image.digest}"
    return hashlib.sha1(f"Warehouse/{warehouse}:{artifact}".encode(), usedforsecurity=False).hexdigest()


def promotion_name(stage: str, freight: str) -> str:
    """A name that sorts after those of all earlier Promotions to the stage, as Kargo's own do: with a ULID in it."""
    ulid = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    digits = "".join(_CROCKFORD[ulid >> shift & 31] for shift in range(125, -1, -5))
    return f"{stage}.{digits}.{freight[:7]}".lower()
