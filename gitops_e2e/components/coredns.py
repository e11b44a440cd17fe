"""CoreDNS: the names of Services, for the cluster only, at 10.96.0.10."""

from typing import ClassVar

from gitops_e2e.components.packaged import Packaged


class CoreDNS(Packaged):
    """The cluster's DNS."""

    name: ClassVar[str] = "CoreDNS"
    namespace: ClassVar[str] = "kube-system"
    image: ClassVar[str] = "coredns"
