"""Room for pods, shared between processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.room import NoRoom, Room

_HOLDER = """
import sys, time
from pathlib import Path
from gitops_e2e.room import Room
with Room(Path(sys.argv[1])).taken(3, within=0, waiting=print):
    print("taken", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room.of(tmp_path / "room", lambda: 4)


def taking(room: Room, pods: int, *, within: float = 0.0, told: list[str] | None = None) -> ExitStack:
    stack = ExitStack()
    stack.enter_context(room.taken(pods, within=within, waiting=(told if told is not None else []).append))
    return stack


def test_who_comes_first_says_how_much_there_is(room: Room) -> None:
    assert Room.of(room.folder, lambda: 9).pods == 4


def test_there_is_no_more_room_than_that(room: Room) -> None:
    told: list[str] = []
    with taking(room, 3), taking(room, 1), pytest.raises(NoRoom, match=r"no room for 1 pods within 0 s; .* room for 4"):
        taking(room, 1, told=told)
    assert told == ["others"]
    with taking(room, 4):
        pass


def test_who_needs_more_than_there_is_has_it_all(room: Room) -> None:
    with taking(room, 40), pytest.raises(NoRoom):
        taking(room, 1)


def test_who_finds_no_room_keeps_nothing(room: Room) -> None:
    with taking(room, 2):
        with pytest.raises(NoRoom):
            taking(room, 3)
        with taking(room, 2):
            pass


def test_who_waits_has_its_turn_before_those_who_come_later(room: Room) -> None:
    first = taking(room, 3)
    order: list[str] = []

    def wait(name: str, pods: int) -> None:
        with taking(room, pods, within=10):
            order.append(name)

    large = threading.Thread(target=wait, args=("large", 4))
    large.start()
    time.sleep(0.3)
    small = threading.Thread(target=wait, args=("small", 1))
    small.start()
    time.sleep(0.5)
    assert order == []
    first.close()
    large.join()
    small.join()
    assert order == ["large", "small"]


def test_a_process_that_is_killed_leaves_its_room_to_others(room: Room) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLDER, room.folder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "taken\n"
        with pytest.raises(HarnessError):
            taking(room, 2)
        process.kill()
        process.wait()
    with taking(room, 4):
        pass
