"""One open watch: the events of a collection, line by line as the server sends them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import urllib3

from gitops_e2e.kube import errors
from gitops_e2e.kube.objects import Manifest


class Watch:
    """The watch events (`type`, `object`) of a collection, bookmarks included, as they come.

    Iterating ends when the server ends the stream, or when `stop` is called from any thread.
    Raises Expired (list again), Unreachable, or KubeError for any other ERROR event.
    Use it as a context manager, so that its connection never outlives it.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse, *, doing: str, seconds: float) -> None:
        self._response = response
        self._doing = doing
        self._deadline = time.monotonic() + seconds
        self._stopped = False

    def __iter__(self) -> Iterator[Manifest]:
        try:
            for line in self._lines():
                event: Manifest = json.loads(line)
                if event["type"] == "ERROR":
                    raise errors.from_status(self._doing, event["object"])
                yield event
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if not self._stopped:
                raise errors.Unreachable(self._doing, error) from error

    def stop(self) -> None:
        """End the stream; a thread that waits in it goes on at once."""
        self._stopped = True
        try:
            self._response.shutdown()
        except (ValueError, RuntimeError, OSError):
            pass  # it has ended already

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._response.close()
        self._response.release_conn()

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        for chunk in self._response.stream(amt=None, decode_content=True):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line for line in whole if line)
            # Each read is bounded, their sum is not: a server that ignores the time asked for must not hold us.
            if self._stopped or time.monotonic() > self._deadline:
                return
