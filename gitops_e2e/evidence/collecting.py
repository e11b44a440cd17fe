"""Collecting evidence: all collectors side by side, none troubled by another, within a time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.evidence.scene import Collector, Piece, Scene


@dataclass(frozen=True)
class Collected:
    """What was had of a scene; `missing` says what was not, and why, a line each."""

    pieces: Sequence[Piece]
    missing: Sequence[str]


@dataclass(frozen=True)
class _End:
    collector: str
    error: Exception | None


def collect(scene: Scene, collectors: Mapping[str, Collector], *, within: float) -> Collected:
    """Let all collectors work for so many seconds at most; what they have by then is kept."""
    told: queue.SimpleQueue[Piece | _End] = queue.SimpleQueue()
    for name, collector in collectors.items():
        threading.Thread(target=_work, args=(scene, name, collector, told), name=f"collect {name}", daemon=True).start()
    deadline = time.monotonic() + within
    pieces: list[Piece] = []
    missing: list[str] = []
    working = set(collectors)
    while working:
        try:
            each = told.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            missing += [f"{name}: not all within {within:g} s" for name in sorted(working)]
            break
        if isinstance(each, Piece):
            pieces.append(each)
            continue
        working.discard(each.collector)
        if each.error:
            missing.append(f"{each.collector}: {type(each.error).__name__}: {each.error}")
    return Collected(pieces, missing)


def _work(scene: Scene, name: str, collector: Collector, told: queue.SimpleQueue[Piece | _End]) -> None:
    try:
        for piece in collector(scene):
            told.put(piece)
    except Exception as error:  # noqa: BLE001 - told beside what the others found
        told.put(_End(name, error))
    else:
        told.put(_End(name, None))


def write(collected: Collected, folder: Path, redact: Callable[[str], str]) -> Sequence[Piece]:
    """Write the pieces that say anything below a folder, without what is secret; gives them as they were written."""
    pieces = list(collected.pieces)
    if collected.missing:
        pieces.append(Piece("not-collected.txt", "".join(f"{line}\n" for line in collected.missing)))
    written = [Piece(piece.path, redact(piece.text)) for piece in pieces if piece.text]
    for piece in written:
        file = folder / piece.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(piece.text)
    return written
