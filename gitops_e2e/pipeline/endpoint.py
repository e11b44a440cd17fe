"""The service as its users reach it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import requests

from gitops_e2e.errors import HarnessError

# Until connected, between two pieces of the answer. On a machine whose processors are all busy an answer may take long;
# what is refused, reset or never answered is lost at any bound.
_SILENCE_BOUNDS = (5.0, 15.0)
_BOUND = 25.0
_POLL = 0.1
_CHUNK = 64 * 1024
_SHOWN = 500
_FRESH = {"Connection": "close"}
_VERSION = "X-Product-Api-Version"


class NoAnswer(HarnessError):
    """The endpoint gave no HTTP answer: refused, reset, or out of time."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of whatever status.

    `version` is the release that answered, as its header says (None without one); `seconds` is the time it took.
    """

    url: str
    status: int
    version: str | None
    text: str
    seconds: float

    def __str__(self) -> str:
        by = f" by {self.version}" if self.version else ""
        return f"{self.url} answers {self.status}{by}: {self.text[:_SHOWN]}"

    @property
    def json(self) -> Any:
        """The body as JSON. Raises HarnessError when it is none."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise HarnessError(f"the answer is not JSON: {self.text[:200]!r}", where=self.url) from error


@dataclass(frozen=True)
class Endpoint:
    """An HTTP service at `url` (without a path). Safe to share between threads."""

    url: str

    def get(self, path: str) -> Answer:
        """Ask over a fresh connection, so that it is the Service that chooses the pod. Raises NoAnswer."""
        url = self.url + path
        started = time.monotonic()
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy stands between the harness and the cluster
                response = session.get(url, headers=_FRESH, timeout=_SILENCE_BOUNDS, allow_redirects=False, stream=True)
                body = _body(response, deadline=started + _BOUND)
        except (requests.RequestException, TimeoutError) as error:
            raise NoAnswer(f"no answer: {_reason(error)}", where=url) from error
        seconds = time.monotonic() - started
        return Answer(url, response.status_code, response.headers.get(_VERSION), body, seconds)

    def await_version(self, version: str, *, within: float) -> Answer:
        """Ask `/health` until that release answers, for `within` seconds at the most. Raises NoAnswer."""
        deadline = time.monotonic() + within
        while True:
            try:
                answer = self.get("/health")
                seen = f"version {answer.version} answers, with status {answer.status}"
            except NoAnswer as error:
                answer, seen = None, error.what
            if answer and answer.status == requests.codes.ok and answer.version == version:
                return answer
            if time.monotonic() > deadline:
                raise NoAnswer(f"version {version} does not answer after {within:g} s: {seen}", where=self.url)
            time.sleep(_POLL)


def _body(response: requests.Response, deadline: float) -> str:
    body = b""
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if time.monotonic() > deadline:
            raise TimeoutError(f"the answer was not complete after {_BOUND:g} s")
    return body.decode(errors="replace")


def _reason(error: Exception) -> str:
    """The innermost words, without the wrappings of two libraries."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return f"{type(cause).__name__}: {cause}"
