from __future__ import annotations

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.pipeline import endpoint as endpoint_module
from gitops_e2e.pipeline.endpoint import Endpoint, NoAnswer
from tests.pipeline.servers import Reply, Serve


def test_an_answer_tells_status_version_and_body(serve: Serve) -> None:
    url = serve(lambda path: Reply(200, f'{{"asked": "{path}"}}', {"X-Product-Api-Version": "1.0.0"})).url
    answer = Endpoint(url).get("/products?page=2")
    assert (answer.status, answer.version) == (200, "1.0.0")
    assert answer.json == {"asked": "/products?page=2"}
    assert answer.url == f"{url}/products?page=2"


@pytest.mark.parametrize("status", [301, 404, 503])
def test_an_answer_of_any_status_is_an_answer(status: int, serve: Serve) -> None:
    answer = Endpoint(serve(lambda _: Reply(status, "no", {"Location": "/elsewhere"})).url).get("/")
    assert (answer.status, answer.text, answer.version) == (status, "no", None)


def test_a_body_that_is_no_json_says_so(serve: Serve) -> None:
    answer = Endpoint(serve(lambda _: Reply(200, "<html>")).url).get("/health")
    with pytest.raises(HarnessError, match="not JSON: '<html>'"):
        answer.json  # noqa: B018 (reading it is what fails)


def test_nobody_there_is_no_answer(nobody: str) -> None:
    with pytest.raises(NoAnswer, match="Connection refused"):
        Endpoint(nobody).get("/health")


def test_a_connection_that_is_closed_is_no_answer(serve: Serve) -> None:
    with pytest.raises(NoAnswer, match="RemoteDisconnected"):
        Endpoint(serve(lambda _: Reply(None)).url).get("/health")


def test_a_silent_server_is_no_answer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "_SILENCE_BOUNDS", (1.0, 0.2))
    with pytest.raises(NoAnswer, match="timed out"):
        Endpoint(serve(lambda _: Reply(200, delay=30)).url).get("/health")


def test_an_answer_that_does_not_end_is_no_answer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "_BOUND", 0.0)
    with pytest.raises(NoAnswer, match="not complete after 0 s"):
        Endpoint(serve(lambda _: Reply(200, "something")).url).get("/health")


def test_no_proxy_is_asked(serve: Serve, nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", nobody)
    assert Endpoint(serve(lambda _: Reply(200)).url).get("/").status == 200


def test_each_request_has_a_connection_of_its_own(serve: Serve) -> None:
    server = serve(lambda _: Reply(200))
    for _ in range(3):
        Endpoint(server.url).get("/")
    assert len(set(server.clients)) == 3


def test_waiting_for_a_version_ends_when_it_answers(serve: Serve) -> None:
    replies = iter(
        [
            Reply(None),
            Reply(503, "", {"X-Product-Api-Version": "1.0.0"}),
            Reply(200, "", {"X-Product-Api-Version": "0.9.0"}),
            Reply(200, "", {"X-Product-Api-Version": "1.0.0"}),
        ]
    )
    answer = Endpoint(serve(lambda _: next(replies)).url).await_version("1.0.0", within=30)
    assert (answer.status, answer.version) == (200, "1.0.0")
    assert next(replies, None) is None


def test_waiting_for_a_version_that_does_not_come_says_what_answers_instead(serve: Serve) -> None:
    server = serve(lambda _: Reply(200, "", {"X-Product-Api-Version": "0.9.0"}))
    with pytest.raises(NoAnswer, match=r"version 1\.0\.0 does not answer after 0 s: version 0\.9\.0 answers"):
        Endpoint(server.url).await_version("1.0.0", within=0)
