"""Waiting, on a cache that a test feeds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from gitops_e2e.errors import HarnessError
from gitops_e2e.kube import Kube, KubeError, Manifest, Resource
from gitops_e2e.watching import (
    Expectation,
    ExpectationFailed,
    Fact,
    Impossible,
    Met,
    Pending,
    Place,
    Snapshot,
    Verdict,
    WatchBroken,
    WatchCache,
    expect,
    expectation,
    never,
    never_was,
    passed_through,
    then,
)
from tests.recorded import idle_cache, put

LAMPS = Resource("v1", "Lamp", "lamps", namespaced=True)
OTHERS = Resource("v1", "Other", "others", namespaced=True)
SOON = 20.0


def narrate(_before: Manifest | None, after: Manifest | None) -> Iterator[Fact]:
    yield Fact("colour", f"turned {after['colour']}" if after else "gone")


@dataclass(frozen=True)
class Lamp:
    cache: WatchCache
    name: str = "a"
    looked_at: threading.Event = field(default_factory=threading.Event)

    @property
    def title(self) -> str:
        return f"Lamp {self.name} in hall"

    @property
    def scope(self) -> frozenset[Place]:
        return frozenset({Place(LAMPS, "hall")})

    @property
    def namespaces(self) -> tuple[str, ...]:
        return ("hall",)

    def read(self, snapshot: Snapshot) -> str | Pending | Impossible:
        self.looked_at.set()
        manifest = snapshot.find(LAMPS, "hall", self.name)
        return str(manifest["colour"]) if manifest else Pending("there is no such lamp")

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        return [f"Lit={bool(snapshot.all(LAMPS, 'hall'))}"]


def shines(colour: str, *, lasting: float = 0.0) -> Expectation[str]:
    def judge(observed: str) -> Verdict:
        if observed == colour:
            return Met(observed)
        return Impossible("broken", lasting) if observed == "broken" else Pending(observed)

    return expectation(f"shines {colour}", judge)


@pytest.fixture
def cache() -> WatchCache:
    return idle_cache({LAMPS: narrate, OTHERS: narrate})


@pytest.fixture
def lamp(cache: WatchCache) -> Lamp:
    return Lamp(cache)


def turn(lamp: Lamp, *colours: str | None, relisted: bool = False) -> None:
    for colour in colours:
        manifest = {"metadata": {"name": lamp.name}, "colour": colour} if colour else None
        put(lamp.cache, LAMPS, "hall", lamp.name, manifest, relisted=relisted)


def soon(lamp: Lamp, act: Callable[[], None]) -> None:
    """Do it once somebody waits for the lamp."""

    def run() -> None:
        lamp.looked_at.wait(SOON)
        act()

    lamp.looked_at.clear()
    threading.Thread(target=run).start()


def soon_turn(lamp: Lamp, *colours: str | None, relisted: bool = False) -> None:
    soon(lamp, lambda: turn(lamp, *colours, relisted=relisted))


class TestMet:
    def test_at_once(self, lamp: Lamp) -> None:
        turn(lamp, "green")
        assert expect(lamp, shines("green"), within=0) == "green"

    def test_later(self, lamp: Lamp) -> None:
        turn(lamp, "red")
        soon_turn(lamp, "green")
        assert expect(lamp, shines("green"), within=SOON) == "green"

    def test_when_it_appears(self, lamp: Lamp) -> None:
        soon_turn(lamp, "green")
        assert expect(lamp, shines("green"), within=SOON) == "green"

    def test_a_state_is_never_too_short(self, lamp: Lamp) -> None:
        turn(lamp, "red")
        soon_turn(lamp, "green", "blue", None, "red")
        assert expect(lamp, shines("green"), within=SOON) == "green"

    def test_impossible_states_end_it_even_when_they_are_over(self, lamp: Lamp) -> None:
        soon_turn(lamp, "broken", "green")
        with pytest.raises(ExpectationFailed, match="cannot become so any more"):
            expect(lamp, shines("green"), within=SOON)

    def test_other_objects_do_not_matter(self, lamp: Lamp) -> None:
        turn(lamp, "red")
        other = Lamp(lamp.cache, "b")
        soon(lamp, lambda: turn(other, "green", "broken", None))
        with pytest.raises(ExpectationFailed, match="observed: red"):
            expect(lamp, shines("green"), within=0.3)


class TestFailed:
    def test_the_message_tells_everything(self, lamp: Lamp) -> None:
        turn(lamp, *(f"c{number}" for number in range(12)), "red")
        put(lamp.cache, LAMPS, "cellar", "a", {"colour": "black"})
        with pytest.raises(ExpectationFailed) as failed:
            expect(lamp, shines("green"), within=0.05)
        lines = str(failed.value).splitlines()
        assert lines[:5] == [
            "Lamp a in hall: that was not so within 0.05 s",
            "  wanted:   shines green",
            "  observed: red",
            "  its conditions:",
            "    Lit=True",
        ]
        assert lines[5] == "  what happened last:"
        assert [line.rpartition(" ")[2] for line in lines[6:]] == [*(f"c{n}" for n in range(3, 12)), "red"]
        assert failed.value.verdict == Pending("red")

    def test_it_is_an_assertion_and_an_error_of_the_harness(self, lamp: Lamp) -> None:
        with pytest.raises(AssertionError):
            expect(lamp, shines("green"), within=0)
        with pytest.raises(HarnessError):
            expect(lamp, shines("green"), within=0)

    def test_an_object_that_is_not_there(self, lamp: Lamp) -> None:
        with pytest.raises(ExpectationFailed, match="observed: there is no such lamp"):
            expect(lamp, shines("green"), within=0)

    def test_a_resource_that_cannot_be_seen_meets_nothing(self, lamp: Lamp) -> None:
        turn(lamp, "green")
        lamp.cache.see(LAMPS, KubeError("cannot watch lamps", {"message": "it is away"}))
        with pytest.raises(ExpectationFailed, match="lamps cannot be seen: cannot watch lamps: it is away"):
            expect(lamp, shines("green"), within=0.05)
        lamp.cache.see(LAMPS, None)
        assert expect(lamp, shines("green"), within=0) == "green"

    def test_impossible_ends_it_at_once(self, lamp: Lamp) -> None:
        turn(lamp, "broken")
        began = time.monotonic()
        with pytest.raises(ExpectationFailed, match="cannot become so any more") as failed:
            expect(lamp, shines("green"), within=SOON)
        assert failed.value.verdict == Impossible("broken")
        assert time.monotonic() - began < SOON / 2


class TestLasting:
    def test_it_is_judged_again_when_it_has_lasted(self, lamp: Lamp) -> None:
        turn(lamp, "broken")
        began = time.monotonic()
        with pytest.raises(ExpectationFailed, match="cannot become so any more"):
            expect(lamp, shines("green", lasting=0.2), within=SOON)
        assert 0.1 < time.monotonic() - began < SOON / 2

    def test_it_may_get_better_in_time(self, lamp: Lamp) -> None:
        turn(lamp, "broken")
        soon_turn(lamp, "green")
        assert expect(lamp, shines("green", lasting=SOON / 2), within=SOON) == "green"

    def test_what_lasted_before_the_question_counts(self, lamp: Lamp) -> None:
        turn(lamp, "broken")
        time.sleep(0.1)
        with pytest.raises(ExpectationFailed, match="cannot become so any more"):
            expect(lamp, shines("green", lasting=0.1), within=0)


class TestOverTime:
    def test_passed_through_looks_back(self, lamp: Lamp) -> None:
        turn(lamp, "red", "green", "blue")
        assert expect(lamp, passed_through(shines("red"), shines("green")), within=0) == "blue"

    def test_passed_through_looks_back_and_on(self, lamp: Lamp) -> None:
        turn(lamp, "red", "green")
        soon_turn(lamp, "blue", "white")
        wanted = passed_through(shines("red"), shines("green"), shines("blue"))
        assert expect(lamp, wanted, within=SOON) == "blue"

    def test_passed_through_although_it_is_gone(self, lamp: Lamp) -> None:
        turn(lamp, "red", None)
        assert expect(lamp, passed_through(shines("red")), within=0) == "red"

    def test_then_does_not_look_back(self, lamp: Lamp) -> None:
        turn(lamp, "green", "red")
        with pytest.raises(ExpectationFailed, match="not yet shines green"):
            expect(lamp, then(shines("green")), within=0.05)
        soon_turn(lamp, "green", "blue")
        expect(lamp, then(shines("red"), shines("green"), shines("blue")), within=SOON)

    def test_never_waits_its_time(self, lamp: Lamp) -> None:
        turn(lamp, "green", "red")
        began = time.monotonic()
        assert expect(lamp, never(shines("green"), seconds=0.2), within=SOON) == "red"
        assert 0.2 <= time.monotonic() - began < SOON / 2

    def test_never_fails_by_a_short_state(self, lamp: Lamp) -> None:
        turn(lamp, "red")
        soon_turn(lamp, "green", "red")
        with pytest.raises(ExpectationFailed, match="never, for 10 s, shines green"):
            expect(lamp, never(shines("green"), seconds=10), within=SOON)

    def test_never_cannot_be_told_after_a_gap(self, lamp: Lamp) -> None:
        turn(lamp, "red")
        soon_turn(lamp, "blue", relisted=True)
        with pytest.raises(ExpectationFailed, match="cannot be told"):
            expect(lamp, never(shines("green"), seconds=5), within=SOON)

    def test_a_gap_elsewhere_does_no_harm(self, lamp: Lamp) -> None:
        turn(lamp, "red")
        soon(lamp, lambda: put(lamp.cache, OTHERS, "hall", "a", {"colour": "x"}, relisted=True))
        expect(lamp, never(shines("green"), seconds=0.2), within=SOON)

    def test_never_was(self, lamp: Lamp) -> None:
        turn(lamp, "red", "blue")
        expect(lamp, never_was(shines("green")), within=0)
        with pytest.raises(ExpectationFailed, match="never was: shines red"):
            expect(lamp, never_was(shines("red")), within=0)

    def test_what_was_there_when_the_watch_began_cannot_be_told(self) -> None:
        cache = WatchCache(cast(Kube, None), {LAMPS: narrate})
        lamp = Lamp(cache)
        turn(lamp, "red")
        cache.see(LAMPS, None)
        with pytest.raises(ExpectationFailed, match="cannot be told"):
            expect(lamp, never_was(shines("green")), within=0)

    def test_what_is_forgotten_cannot_be_told(self) -> None:
        cache = WatchCache(cast(Kube, None), {LAMPS: narrate}, history=3)
        cache.take(LAMPS, [])
        cache.see(LAMPS, None)
        lamp = Lamp(cache)
        turn(lamp, "green", "red", "blue", "white")
        with pytest.raises(ExpectationFailed, match="cannot be told"):
            expect(lamp, never_was(shines("green")), within=0)


def test_a_broken_watch_is_heard_of(lamp: Lamp) -> None:
    soon(lamp, lambda: lamp.cache.fail(LAMPS, ValueError("no colour")))
    began = time.monotonic()
    with pytest.raises(WatchBroken, match=r"the watch of lamps broke: ValueError\('no colour'\)"):
        expect(lamp, shines("green"), within=SOON)
    assert time.monotonic() - began < SOON / 2


def test_many_wait_at_the_same_time(lamp: Lamp) -> None:
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(expect(lamp, shines("green"), within=SOON))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    turn(lamp, *(["red", "blue"] * 50), "green")
    for thread in threads:
        thread.join(SOON)
    assert results == ["green"] * 20


def test_the_cache_keeps_what_was_waited_for() -> None:
    cache = idle_cache({LAMPS: narrate, OTHERS: narrate})
    put(cache, LAMPS, "hall", "a", {"colour": "red"})

    expect(Lamp(cache), shines("red"), within=SOON)
    with pytest.raises(ExpectationFailed):
        expect(Lamp(cache), shines("green"), within=0.0)

    met, late = cache.waits
    assert (met.subject, met.sentence, met.within, met.verdict) == ("Lamp a in hall", "shines red", SOON, Met("red"))
    assert (late.sentence, late.verdict) == ("shines green", Pending("red"))
    assert 0 <= late.seconds < SOON
