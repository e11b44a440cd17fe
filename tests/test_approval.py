"""The approval service, asked over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
import requests

from gitops_e2e import approval
from gitops_e2e.approval import ApprovalService

TOKEN = "opens"
Ask = Callable[..., requests.Response]
Start = Callable[[int | None], Ask]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a service that declines so many askings, and gives the way to ask it."""
    services: list[ApprovalService] = []

    def begin(decline: int | None) -> Ask:
        service = ApprovalService(TOKEN, decline, port=0)
        services.append(service)
        threading.Thread(target=service.serve_forever, daemon=True).start()

        def ask(path: str = "/approvals", token: str = TOKEN, body: str = "{}") -> requests.Response:
            url = f"http://127.0.0.1:{service.server_port}{path}"
            return requests.post(url, data=body, headers={"Authorization": f"Bearer {token}"}, timeout=5)

        return ask

    yield begin
    for service in services:
        service.shutdown()
        service.server_close()


@pytest.mark.parametrize(
    ("decline", "answers"),
    [(0, [True, True, True]), (1, [False, True, True]), (2, [False, False, True]), (None, [False, False, False])],
)
def test_it_declines_as_often_as_it_was_told_to(start: Start, decline: int | None, answers: list[bool]) -> None:
    ask = start(decline)
    assert [ask().json()["approved"] for _ in answers] == answers


def test_who_has_another_token_is_told_nothing_and_is_not_counted(start: Start) -> None:
    ask = start(1)
    refused = ask(token="another")
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    assert "approved" not in refused.json()
    assert ask().json()["approved"] is False


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "1"])
def test_what_is_no_json_object_is_refused(start: Start, body: str) -> None:
    ask = start(0)
    assert ask(body=body).status_code == HTTPStatus.BAD_REQUEST


def test_there_is_nothing_else_to_be_asked(start: Start) -> None:
    assert start(0)(path="/elsewhere").status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("environment", [{}, {"TOKEN": TOKEN, "DECLINE": "never"}, {"TOKEN": "", "DECLINE": "0"}])
def test_it_does_not_start_without_a_token_or_with_an_unknown_decision(environment: dict[str, str]) -> None:
    argv = [sys.executable, approval.__file__]
    ended = subprocess.run(
        argv, env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 1
    assert "set TOKEN, and DECLINE to a number" in ended.stderr
