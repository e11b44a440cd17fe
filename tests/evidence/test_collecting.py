"""Collectors side by side: what each finds is kept, whatever becomes of the others and of itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from gitops_e2e.commands import CommandFailed, run
from gitops_e2e.deeds import Applied, Ran, listening, tell
from gitops_e2e.evidence.collecting import collect, write
from gitops_e2e.evidence.collectors import deeds
from gitops_e2e.evidence.redaction import Redactor
from gitops_e2e.evidence.scene import Piece, Scene
from gitops_e2e.kube import KubeError

SCENE = cast(Scene, None)
LONG = 30.0


def good(_scene: Scene) -> Iterator[Piece]:
    yield Piece("good/a.txt", "a")
    yield Piece("good/b.txt", "b")


def failing(_scene: Scene) -> Iterator[Piece]:
    yield Piece("failing.txt", "what was had before")
    raise KubeError("cannot list pods", {"message": "the server is away"})


def test_an_error_of_one_leaves_the_others_what_they_found() -> None:
    collected = collect(SCENE, {"good": good, "failing": failing}, within=LONG)

    assert {piece.path for piece in collected.pieces} == {"good/a.txt", "good/b.txt", "failing.txt"}
    assert collected.missing == ["failing: KubeError: cannot list pods: the server is away"]


def test_what_takes_too_long_is_not_waited_for() -> None:
    end = threading.Event()

    def endless(_scene: Scene) -> Iterator[Piece]:
        yield Piece("endless.txt", "the first")
        end.wait(LONG)
        yield Piece("endless.txt", "too late")

    began = time.monotonic()
    collected = collect(SCENE, {"good": good, "endless": endless}, within=0.5)
    end.set()

    assert time.monotonic() - began < LONG
    assert {piece.text for piece in collected.pieces} == {"a", "b", "the first"}
    assert collected.missing == ["endless: not all within 0.5 s"]


def test_they_work_side_by_side() -> None:
    meeting = threading.Barrier(2)

    def meets(_scene: Scene) -> Iterator[Piece]:
        meeting.wait(LONG)
        yield Piece("met.txt", "")

    assert not collect(SCENE, {"one": meets, "other": meets}, within=LONG).missing


def test_what_is_written_has_no_secret(tmp_path: Path) -> None:
    def secretive(_scene: Scene) -> Iterator[Piece]:
        yield Piece("deep/down/a.yaml", "x: planted-1")
        raise ValueError("planted-1")

    collected = collect(SCENE, {"secretive": secretive}, within=LONG)
    written = write(collected, tmp_path, Redactor(["planted-1"]))

    assert (tmp_path / "deep/down/a.yaml").read_text() == "x: [redacted]"
    assert (tmp_path / "not-collected.txt").read_text() == "secretive: ValueError: [redacted]\n"
    assert [(piece.path, piece.media_type) for piece in written] == [
        ("deep/down/a.yaml", "application/yaml"),
        ("not-collected.txt", "text/plain"),
    ]


class TestDeeds:
    def test_commands_are_heard_of_from_any_thread(self) -> None:
        with listening() as heard:
            thread = threading.Thread(target=lambda: run(["true"], timeout=LONG))
            thread.start()
            thread.join()
            with pytest.raises(CommandFailed):
                run(["sh", "-c", "exit 3"], timeout=LONG)
            with pytest.raises(CommandFailed):
                run(["sleep", "60"], timeout=0.1)
        run(["true"], timeout=LONG)

        ran = [deed for deed in heard if isinstance(deed, Ran)]
        assert [(each.argv[0], each.exit_code) for each in ran] == [("true", 0), ("sh", 3), ("sleep", None)]

    def test_manifests_are_told_as_diffs(self) -> None:
        first = {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"colour": "red"}}
        second = {**first, "data": {"colour": "blue"}}
        with listening() as heard:
            tell(Applied("created", "ConfigMap a", first))
            tell(Applied("applied", "ConfigMap a", second))
            tell(Applied("patched", "Rollout b", {"spec": {"replicas": 1}}))

        (piece,) = deeds.manifests(_scene_with(heard))
        lines = piece.text.splitlines()
        assert "+kind: ConfigMap" in lines
        assert lines[lines.index("-  colour: red") + 1] == "+  colour: blue"
        assert lines[-2:] == ["+spec:", "+  replicas: 1"]


def _scene_with(heard: list[Ran | Applied]) -> Scene:
    scene = object.__new__(Scene)
    object.__setattr__(scene, "deeds", heard)
    return scene
