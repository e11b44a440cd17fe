"""Image registries: what is in them, read by the distribution API as go-containerregistry 0.20.6 does."""

from gitops_e2e.promoter.warehouses.registries.connections import Connection
from gitops_e2e.promoter.warehouses.registries.failures import Refusal, RegistryFailure
from gitops_e2e.promoter.warehouses.registries.images import Image, ImageCache, Images, Platform
from gitops_e2e.promoter.warehouses.registries.pace import Paces
from gitops_e2e.promoter.warehouses.registries.repositories import Repository

__all__ = [
    "Connection",
    "Image",
    "ImageCache",
    "Images",
    "Paces",
    "Platform",
    "Refusal",
    "RegistryFailure",
    "Repository",
]
