from __future__ import annotations

import json
from collections.abc import Generator

import urllib3

from gitops_e2e.kube import Watch

_EVENT = json.dumps({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "7"}}}).encode() + b"\n"


class Encrypted(urllib3.HTTPResponse):
    """A stream whose watch is stopped while it is read, and that goes on with what TLS leaves on the wire."""

    watch: Watch

    def stream(self, amt: int | None = 2**16, decode_content: bool | None = None) -> Generator[bytes, None, None]:
        del amt, decode_content
        yield _EVENT
        self.watch.stop()
        yield b"\x93\x17\n\x03" + _EVENT


def test_what_comes_after_the_end_is_not_read() -> None:
    response = Encrypted()
    response.watch = Watch(response, doing="cannot watch", seconds=60)
    assert [event["type"] for event in response.watch] == ["BOOKMARK"]
