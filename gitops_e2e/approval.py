"""The approval service: is asked over HTTP whether a release may go on, and answers as it was told to.

`POST /approvals` with `Authorization: Bearer <TOKEN>` and a JSON object gives `{"approved": true}` or false: false for
as many askings as the environment variable DECLINE says ("always" for all), true after that. Another token is answered
with 401, what is no JSON object with 400. It stands alone: an image holds this file and nothing else of the package.
"""

from __future__ import annotations

import hmac
import json
import os
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

PORT = 8080
_ALWAYS = "always"
_LONGEST_BODY = 64 * 1024
_PATIENCE = 10.0


class ApprovalService(ThreadingHTTPServer):
    """Listens on `port` of all addresses; declines the first `decline` askings, all where that is None."""

    def __init__(self, token: str, decline: int | None, port: int = PORT) -> None:
        super().__init__(("", port), _Handler)
        self._token = token
        self._decline = decline
        self._askings = count()

    def knows(self, authorization: str) -> bool:
        """Whether it comes from who may ask."""
        return hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode())

    def decide(self) -> bool:
        """The decision on this asking."""
        return self._decline is not None and next(self._askings) >= self._decline


class _Handler(BaseHTTPRequestHandler):
    server: ApprovalService
    timeout = _PATIENCE

    def do_GET(self) -> None:
        known = self.path == "/ready"
        self._answer(HTTPStatus.OK if known else HTTPStatus.NOT_FOUND, {})

    def do_POST(self) -> None:
        if self.path != "/approvals":
            self._answer(HTTPStatus.NOT_FOUND, {})
        elif not self.server.knows(self.headers.get("Authorization", "")):
            self._answer(HTTPStatus.UNAUTHORIZED, {"error": "another token is asked for"})
        elif not self._is_object():
            self._answer(HTTPStatus.BAD_REQUEST, {"error": "the body is no JSON object"})
        else:
            self._answer(HTTPStatus.OK, {"approved": self.server.decide()})

    def _is_object(self) -> bool:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_BODY:
            return False
        try:
            return isinstance(json.loads(self.rfile.read(int(length))), dict)
        except ValueError:
            return False

    def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until a signal ends it."""
    token, decline = os.environ.get("TOKEN", ""), os.environ.get("DECLINE", "0")
    if not token or not (decline == _ALWAYS or decline.isdecimal()):
        sys.exit(f"set TOKEN, and DECLINE to a number or {_ALWAYS!r}: it is {decline!r}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ApprovalService(token, None if decline == _ALWAYS else int(decline)).serve_forever()


if __name__ == "__main__":
    main()
