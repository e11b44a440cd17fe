"""Steps about the components of the stack."""

from __future__ import annotations

from pytest_bdd import parsers, then

from gitops_e2e.harness import Harness

KUBERNETES = "k8s.io/kubernetes"


@then("Kubernetes is ready, in the version that is pinned for it")
def _(harness: Harness) -> None:
    assert harness.kube.raw("/readyz") == b"ok"
    assert harness.kubernetes_version() == harness.toolchain.version(KUBERNETES)


@then(parsers.re(r"(?!Kubernetes )(?P<name>.+) is ready, in the version that is pinned for it"))
def _(harness: Harness, name: str) -> None:
    component = harness.stack.component(name)
    harness.stack.await_ready(component)
    assert component.version(harness.kube) == component.pinned()
