from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from gitops_e2e.kube import KubeError, Manifest, Resource
from gitops_e2e.watching import Fact
from tests.recorded import idle_cache, put

LAMPS = Resource("v1", "Lamp", "lamps", namespaced=True)


def narrate(before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    if after is None:
        yield Fact("gone", "gone")
    elif before is None or before["colour"] != after["colour"]:
        yield Fact("colour", f"turned {after['colour']}", {"colour": after["colour"]}, after.get("room"))


def test_every_state_is_told_however_short() -> None:
    cache = idle_cache({LAMPS: narrate})
    for colour in ("red", "red", "green", "red"):
        put(cache, LAMPS, "hall", "a", {"colour": colour})
    put(cache, LAMPS, "hall", "a", None)
    assert [entry.text for entry in cache.timeline.entries("hall") if entry.what != "watch"] == [
        "turned red",
        "turned green",
        "turned red",
        "gone",
    ]


def test_by_namespace() -> None:
    cache = idle_cache({LAMPS: narrate})
    put(cache, LAMPS, "hall", "a", {"colour": "red"})
    put(cache, LAMPS, "cellar", "b", {"colour": "green"})
    put(cache, LAMPS, "hall", "c", {"colour": "blue", "room": "cellar"})
    cache.see(LAMPS, KubeError("cannot watch lamps", {}))
    told = [(entry.kind, entry.name) for entry in cache.timeline.entries("cellar")]
    assert told == [("watch", "lamps"), ("Lamp", "b"), ("Lamp", "c"), ("watch", "lamps")]
    assert len(cache.timeline.entries()) == 5


def test_as_json_lines(tmp_path: Path) -> None:
    cache = idle_cache({LAMPS: narrate})
    put(cache, LAMPS, "hall", "a", {"colour": "red"})
    file = tmp_path / "timeline.jsonl"
    cache.timeline.write(file, "hall")
    *_, entry = [json.loads(line) for line in file.read_text().splitlines()]
    assert {key: entry[key] for key in ("namespace", "kind", "name", "what", "text", "data")} == {
        "namespace": "hall",
        "kind": "Lamp",
        "name": "a",
        "what": "colour",
        "text": "turned red",
        "data": {"colour": "red"},
    }
    assert entry["wall"].endswith("+00:00")
    assert isinstance(entry["at"], float)


def test_listing_again_is_told() -> None:
    cache = idle_cache({LAMPS: narrate})
    put(cache, LAMPS, "hall", "a", {"colour": "red"}, relisted=True)
    texts = [entry.text for entry in cache.timeline.entries()]
    assert texts[-2:] == ["listed again: states since the last one seen may be missing", "turned red"]
