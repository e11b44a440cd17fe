"""Builds that are killed, and builds that meet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_e2e.images import Images
from gitops_e2e.images.catalogue import Recipe

pytestmark = pytest.mark.node

BUILD = Path(__file__).with_name("build_greeting.py")
REPOSITORY = Path(__file__).parents[2]
BOUND = 60.0


def start(images: Images, recipe: Recipe) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, BUILD, images.cache.root, recipe.folder],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        text=True,
    )


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + BOUND
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def processes_with(text: Path) -> list[str]:
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(path.read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return [command for command in commands if str(text) in command]


def test_a_killed_build_leaves_no_process_and_no_mount_and_the_next_one_succeeds(
    images: Images, recipe: Recipe
) -> None:
    with (recipe.folder / "greeting").open("w") as large:
        large.truncate(512 * 2**20)  # takes buildah a few seconds
    cache = images.cache.root
    build = start(images, recipe)
    until(lambda: any("buildah" in command for command in processes_with(cache)))
    os.kill(build.pid, signal.SIGKILL)
    build.communicate()
    until(lambda: not processes_with(cache))
    assert str(cache) not in Path("/proc/self/mounts").read_text()
    assert [entry for entry in (cache / "images").iterdir() if not entry.name.startswith(".partial")] == []

    assert images.archive("greeting:1.0").exists()
    assert [entry for entry in (cache / "images").iterdir() if entry.name.startswith(".partial")] == []


def test_two_at_once_build_once(images: Images, recipe: Recipe) -> None:
    builds = [start(images, recipe), start(images, recipe)]
    said = [build.communicate(timeout=BOUND)[1] for build in builds]
    assert [build.returncode for build in builds] == [0, 0]
    assert "".join(said).count("… building image greeting:1.0") == 1
