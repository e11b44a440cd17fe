"""Amazon ECR, as moto's server has it: the token exchange, and what is refused before anything is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from gitops_e2e.account import Account
from gitops_e2e.demo.ecr import EcrRepository
from gitops_e2e.demo.errors import LoginMissing, LoginRefused, NotThere, WrongAddress
from gitops_e2e.demo.logins import Logins
from gitops_e2e.demo.registry_api import RegistryApi
from gitops_e2e.pipeline.names import DEMO, PipelineNames
from tests.demo.kubes import Applied
from tests.demo.servers import ACCOUNT, Registry, registry
from tests.pipeline.servers import Reply, WebServer

MINE = EcrRepository("123456789012", "eu-central-1", "team/product-api")


@pytest.fixture
def images() -> Iterator[Registry]:
    with registry("team/product-api:0.9.0") as running:
        yield running


def test_a_repository_is_written_as_account_region_and_path() -> None:
    repository = EcrRepository.of("123456789012/eu-central-1/team/product-api")

    assert repository == MINE
    assert repository.address == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/product-api"
    assert EcrRepository.of_address(repository.address) == repository
    assert EcrRepository.of_address("registry.example:5000/team/product-api") is None


@pytest.mark.parametrize("text", ["", "product-api", "12345/eu-central-1/api", "123456789012/Frankfurt/api"])
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(WrongAddress, match="is no repository in ECR"):
        EcrRepository.of(text)


@pytest.mark.usefixtures("aws")
def test_aws_credentials_are_exchanged_for_a_login() -> None:
    login = MINE.log_in()

    assert login.account.username == "AWS"
    assert login.account.password
    assert login.registry == f"https://{MINE.host}"
    assert login.until.timestamp() == datetime(2015, 1, 1, tzinfo=login.until.tzinfo).timestamp(), (
        "what moto has as the time"
    )
    assert login.account.password not in repr(login)


def test_credentials_that_are_missing_are_told() -> None:
    with pytest.raises(LoginMissing, match="no AWS credentials were found"):
        MINE.log_in()


def test_credentials_that_aws_refuses_are_told_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    words = '{"__type": "UnrecognizedClientException", "message": "The security token is invalid."}'
    with mocked_endpoint(monkeypatch, Reply(400, words)), pytest.raises(LoginRefused) as refused:
        MINE.log_in()

    assert "UnrecognizedClientException: The security token is invalid." in str(refused.value)
    assert "hidden-key" not in str(refused.value)


def test_an_aws_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with mocked_endpoint(monkeypatch, Reply(None)), pytest.raises(NotThere, match="AWS does not answer"):
        MINE.log_in()


def test_the_right_login_opens_the_repository(images: Registry) -> None:
    RegistryApi(images.url, ACCOUNT).require("team/product-api", "0.9.0")

    assert images.asked == ["/v2/", "/v2/team/product-api/manifests/0.9.0"]


def test_a_wrong_login_is_told_and_not_shown(images: Registry) -> None:
    with pytest.raises(LoginRefused, match="does not let AWS in: 401 UNAUTHORIZED") as refused:
        RegistryApi(images.url, Account("AWS", "expired-t0ken")).require("team/product-api", "0.9.0")

    assert "expired-t0ken" not in str(refused.value)


def test_an_image_that_is_missing_is_told(images: Registry) -> None:
    with pytest.raises(NotThere, match=r"no image team/product-api:0\.8\.0: 404 MANIFEST_UNKNOWN: manifest unknown"):
        RegistryApi(images.url, ACCOUNT).require("team/product-api", "0.8.0")


def test_a_registry_that_does_not_answer_is_told() -> None:
    with pytest.raises(NotThere, match="the registry does not answer"):
        RegistryApi("http://127.0.0.1:9", ACCOUNT).require("team/product-api", "0.9.0")


@pytest.mark.usefixtures("aws")
def test_the_login_is_given_to_kargo_by_the_whole_address_and_replaced_by_the_next() -> None:
    kube = Applied()
    logins = Logins(kube.client, PipelineNames(DEMO, service_repository=MINE.address))
    assert logins.held_until() is None

    first = MINE.log_in()
    logins.let_kargo_look(MINE, first)
    logins.let_stages_pull(MINE, first)
    login = kube.objects["Secret", "kargo-demo", "ecr-login"]

    assert login["metadata"]["labels"] == {"kargo.akuity.io/cred-type": "image"}
    assert login["stringData"]["repoURL"] == MINE.address
    assert login["stringData"]["username"] == "AWS"
    assert logins.held_until() == first.until
    for stage in ("dev", "staging", "prod"):
        assert MINE.host in kube.objects["Secret", f"kargo-demo-{stage}", "ecr-pull"]["stringData"][".dockerconfigjson"]
        account = kube.objects["ServiceAccount", f"kargo-demo-{stage}", "default"]
        assert account["imagePullSecrets"] == [{"name": "ecr-pull"}]


@contextmanager
def mocked_endpoint(monkeypatch: pytest.MonkeyPatch, reply: Reply) -> Iterator[None]:
    """A server that answers to everything like that, in the place of AWS."""
    server = WebServer(lambda _: reply)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-key")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    try:
        yield
    finally:
        server.stop()
