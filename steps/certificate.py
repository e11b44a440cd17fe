"""Steps about the certificate of the Git server."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_bdd import then

from gitops_e2e.components.authority import Authority
from gitops_e2e.components.certificate import Certificate
from gitops_e2e.components.git_server import CERTIFICATE, HOST, NotTrusted
from gitops_e2e.harness import Harness
from gitops_e2e.pipeline.pipeline import Pipeline


@pytest.fixture
def authority_file(harness: Harness, tmp_path: Path) -> Path:
    file = tmp_path / "authority.pem"
    file.write_text(harness.authority.certificate)
    return file


@then("cert-manager has issued the Git server's certificate")
def _(harness: Harness) -> None:
    certificate = Certificate.of(harness.kube.get(CERTIFICATE))
    assert certificate.ready, f"it is not issued: {certificate.message}"
    assert certificate.names == (HOST,), f"it is for {', '.join(certificate.names)} instead of {HOST}"


@then("a client that trusts the platform's authority reads the pipeline's repository over HTTPS")
def _(harness: Harness, pipeline: Pipeline, authority_file: Path) -> None:
    refs = harness.repositories.read_securely(pipeline.names.repository, authority_file)
    missing = [stage for stage in pipeline.stages if f"refs/heads/{pipeline.names.branch(stage)}" not in refs]
    assert not missing, f"the repository has no branch for {', '.join(missing)}, but:\n{refs}"


@then("a client that does not trust it is refused")
def _(harness: Harness, pipeline: Pipeline, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    stranger.write_text(Authority.create().certificate)
    try:
        harness.repositories.read_securely(pipeline.names.repository, stranger)
    except NotTrusted:
        return
    pytest.fail("it was not refused for its trust; the reason is none: it read the repository")
