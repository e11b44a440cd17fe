from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.pipeline import endpoint as endpoint_module
from gitops_e2e.pipeline.endpoint import Endpoint, NoAnswer

Serve = Callable[..., str]


def test_an_answer_tells_status_version_and_body(serve: Serve, reply: Any) -> None:
    url = serve(lambda path: reply(200, f'{{"asked": "{path}"}}', {"X-Product-Api-Version": "1.0.0"}))
    answer = Endpoint(url).get("/products?page=2")
    assert (answer.status, answer.version) == (200, "1.0.0")
    assert answer.json == {"asked": "/products?page=2"}
    assert answer.url == f"{url}/products?page=2"


@pytest.mark.parametrize("status", [301, 404, 503])
def test_an_answer_of_any_status_is_an_answer(status: int, serve: Serve, reply: Any) -> None:
    answer = Endpoint(serve(lambda _: reply(status, "no", {"Location": "/elsewhere"}))).get("/")
    assert (answer.status, answer.text, answer.version) == (status, "no", None)


def test_a_body_that_is_no_json_says_so(serve: Serve, reply: Any) -> None:
    answer = Endpoint(serve(lambda _: reply(200, "<html>"))).get("/health")
    with pytest.raises(HarnessError, match="not JSON: '<html>'"):
        answer.json  # noqa: B018 (reading it is what fails)


def test_nobody_there_is_no_answer(nobody: str) -> None:
    with pytest.raises(NoAnswer, match="Connection refused"):
        Endpoint(nobody).get("/health")


def test_a_connection_that_is_closed_is_no_answer(serve: Serve, reply: Any) -> None:
    with pytest.raises(NoAnswer, match="RemoteDisconnected"):
        Endpoint(serve(lambda _: reply(None))).get("/health")


def test_a_silent_server_is_no_answer(serve: Serve, reply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "_SILENCE_BOUNDS", (1.0, 0.2))
    with pytest.raises(NoAnswer, match="timed out"):
        Endpoint(serve(lambda _: reply(200, delay=30))).get("/health")


def test_an_answer_that_does_not_end_is_no_answer(serve: Serve, reply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "_BOUND", 0.0)
    with pytest.raises(NoAnswer, match="not complete after 0 s"):
        Endpoint(serve(lambda _: reply(200, "something"))).get("/health")


def test_no_proxy_is_asked(serve: Serve, reply: Any, nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", nobody)
    assert Endpoint(serve(lambda _: reply(200))).get("/").status == 200


def test_each_request_has_a_connection_of_its_own(serve: Serve, reply: Any) -> None:
    seen: list[Any] = []
    endpoint = Endpoint(serve(lambda _: reply(200), connections=seen))
    for _ in range(3):
        endpoint.get("/")
    assert len(set(seen)) == 3
