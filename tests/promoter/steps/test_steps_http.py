"""The http step against a server: what it sends, what it makes of the answers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gitops_e2e.promoter.steps import StepError, TerminalStepError

pytestmark = pytest.mark.node


FAILURE = "error evaluating failure criteria"
CONTEXT = "error building expression context from HTTP response"


class _Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, or as the path says."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        echo = {"method": self.command, "path": self.path, "body": body, "trace": self.headers.get("X-Trace")}
        answers = {
            "/text": (200, "text/plain", "hello"),
            "/scalar": (200, "text/plain", "12"),
            "/broken": (200, "application/json; charset=utf-8", "{"),
            "/list": (200, "application/json", "[1, 2]"),
            "/large": (200, "text/plain", "x" * (2 * 1024 * 1024 + 1)),
            "/teapot": (418, "application/json", "{}"),
        }
        status, kind, text = answers.get(self.path, (200, "application/json", json.dumps(echo)))
        if self.path == "/redirect":
            status = 302
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Answer", "yes")
        self.send_header("Location", "/list")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names are the base class's

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _outputs(**expressions: str) -> list[dict[str, str]]:
    return [{"name": name, "fromExpression": expression} for name, expression in expressions.items()]


def test_request_is_sent_as_configured(steps: Any, server: str) -> None:
    config = {
        "url": f"{server}/x?a=1",
        "method": "POST",
        "headers": [{"name": "x-trace", "value": "t"}],
        "queryParams": [{"name": "q", "value": "a b"}],
        "body": "text",
        "outputs": _outputs(
            seen="response.body", kind="response.header('content-type')", all="response.headers['X-Answer']"
        ),
    }
    assert steps.run("http", config).output == {
        "seen": {"method": "POST", "path": "/x?a=1&q=a+b", "body": "text", "trace": "t"},
        "kind": "application/json",
        "all": ["yes"],
    }


@pytest.mark.parametrize(
    ("path", "criteria", "status"),
    [
        ("/x", {}, "Succeeded"),
        ("/teapot", {}, "Failed"),
        ("/teapot", {"successExpression": "response.status == 418"}, "Succeeded"),
        ("/teapot", {"successExpression": "response.status == 200"}, "Running"),
        ("/x", {"successExpression": "true", "failureExpression": "false"}, "Succeeded"),
        ("/x", {"successExpression": "false", "failureExpression": "false"}, "Running"),
        ("/x", {"failureExpression": "false"}, "Running"),
        ("/redirect", {"successExpression": "len(response.body) == 2"}, "Succeeded"),
    ],
)
def test_answer_is_judged(steps: Any, server: str, path: str, criteria: dict[str, str], status: str) -> None:
    assert steps.run("http", {"url": server + path, **criteria}).status == status


@pytest.mark.parametrize(("path", "body"), [("/text", {}), ("/list", [1, 2])])
def test_body_is_parsed_json(steps: Any, server: str, path: str, body: Any) -> None:
    config = {"url": server + path, "outputs": _outputs(body="response.body")}
    assert steps.run("http", config).output == {"body": body}


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (
            {"path": "/x", "failureExpression": "true", "successExpression": "true"},
            TerminalStepError,
            "HTTP (200) response met failure criteria",
        ),
        (
            {"path": "/x", "successExpression": "1"},
            StepError,
            'error evaluating success criteria: success expression "1" did not evaluate to a boolean (got int)',
        ),
        (
            {"path": "/x", "failureExpression": "+"},
            TerminalStepError,
            f'{FAILURE}: error compiling failure expression "+": unexpected token EOF (1:1)\n | +\n | ^',
        ),
        (
            {"path": "/scalar"},
            StepError,
            f"{CONTEXT}: unexpected type when unmarshaling response: float64",
        ),
        (
            {"path": "/broken"},
            StepError,
            f"{CONTEXT}: failed to unmarshal response: unexpected end of JSON input",
        ),
        (
            {"path": "/large"},
            StepError,
            f"{CONTEXT}: response body exceeds the limit of 2097152 bytes",
        ),
    ],
)
def test_what_is_wrong_is_told(
    steps: Any, server: str, change: dict[str, str], kind: type[Exception], message: str
) -> None:
    config = {"url": server + change.pop("path"), **change}
    with pytest.raises(StepError) as failure:
        steps.run("http", config)
    assert (type(failure.value), failure.value.what) == (kind, message)


def test_server_that_does_not_answer_in_time(steps: Any) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(StepError) as failure:
            steps.run("http", {"url": url, "timeout": "50ms"})
    assert failure.value.what == (
        f'error sending HTTP request: Get "{url}": context deadline exceeded '
        "(Client.Timeout exceeded while awaiting headers)"
    )
