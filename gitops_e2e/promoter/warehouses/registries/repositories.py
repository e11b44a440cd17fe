"""Where an image repository is, and how its registry may be spoken to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from gitops_e2e.promoter.api.urls import DOCKER_HUB, normalized_image_url, split_image_url

_DOCKER_HUB_API = "index.docker.io"
_PRIVATE = tuple(IPv4Network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_LOCAL = re.compile(r"localhost:.*|.*\.local(?:host)?(?::\d{1,5})?|.*(?:127\.0\.0\.1|::1).*")


@dataclass(frozen=True)
class Repository:
    """An image repository: the host (and port) of its registry, and its path there."""

    host: str
    path: str
    name: str

    @staticmethod
    def parse(url: str) -> Repository:
        """Read an address without scheme and tag. Docker Hub's names are completed; `name` is the short form."""
        host, path = split_image_url(url)
        return Repository(_DOCKER_HUB_API if host == DOCKER_HUB else host, path, normalized_image_url(url))

    @property
    def schemes(self) -> tuple[str, ...]:
        """HTTPS; and HTTP where that fails, for private and local addresses (behaviour file, 2.4)."""
        return ("https", "http") if _LOCAL.fullmatch(self.host) or self._is_private() else ("https",)

    def _is_private(self) -> bool:
        try:
            address = IPv4Address(self.host.partition(":")[0])
        except ValueError:
            return False
        return any(address in network for network in _PRIVATE)
