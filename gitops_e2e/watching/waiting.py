"""Waiting for an expectation: once, over the shared watch cache, to the moment it is met or cannot be any more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Generic, Protocol, TypeVar

from gitops_e2e.errors import HarnessError
from gitops_e2e.watching.cache import WatchCache
from gitops_e2e.watching.expectation import Expectation, History, Impossible, Met, Moment, Pending, Unseen, Verdict
from gitops_e2e.watching.snapshot import Blind, Place, Snapshot, with_whole_resources
from gitops_e2e.watching.timeline import WATCHED
from gitops_e2e.watching.waits import Wait

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_LINES_SHOWN = 10


class Subject(Protocol[T_co]):
    """Something that can be waited for: it knows its name, where to look, and how to read what is there."""

    @property
    def title(self) -> str:
        """Its name in sentences: "Rollout kargo-demo-rollout in kargo-demo-prod"."""

    @property
    def cache(self) -> WatchCache:
        """Where it is watched."""

    @property
    def scope(self) -> frozenset[Place]:
        """All places that `read` looks at."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces whose timeline explains it."""

    def read(self, snapshot: Snapshot) -> T_co | Pending | Impossible:
        """What it is; or why that cannot be told yet, or never will be: an old generation is no answer."""

    def conditions(self, snapshot: Snapshot) -> Sequence[str]:
        """The conditions that its object reports, a line each, to explain a failure."""


class ExpectationFailed(HarnessError, AssertionError):
    """What was wanted was not so in time, or can no longer become so.

    `subject` is its title, and `namespaces` are those that it lives in. `conditions` are what its object reports, and
    `story` is what happened last, a line each.
    """

    def __init__(
        self,
        what: str,
        verdict: Verdict,
        *,
        subject: str,
        namespaces: Sequence[str] = (),
        conditions: Sequence[str] = (),
        story: Sequence[str] = (),
    ) -> None:
        super().__init__(what)
        self.verdict = verdict
        self.subject = subject
        self.namespaces = namespaces
        self.conditions = conditions
        self.story = story

    def after(self, what: str) -> ExpectationFailed:
        """The same, after a line about what was done meanwhile."""
        return ExpectationFailed(
            f"{what}\n{self.what}",
            self.verdict,
            subject=self.subject,
            namespaces=self.namespaces,
            conditions=self.conditions,
            story=self.story,
        )

    @property
    def explanation(self) -> Sequence[str]:
        """The conditions and the story, each under a heading."""
        return [*_section("its conditions", self.conditions), *_section("what happened last", self.story)]

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *self.explanation])


def expect(subject: Subject[T], expectation: Expectation[T], *, within: float) -> T:
    """Wait until the subject is as expected, for `within` seconds at the most, and give its reading then.

    Every state is judged as it is delivered, so none is too short to count. Raises ExpectationFailed when time is
    out, or at once when the expectation became impossible. The cache keeps how long it took.
    """
    __tracebackhide__ = True  # pytest shows the step that expected it, not the waiting
    story = _Story(subject)
    deadline = story.asked + within
    histories: Sequence[History[T]] = [story.so_far(story.asked)]
    while True:
        for history in histories:
            verdict = expectation.over(history)
            if isinstance(verdict, Met):
                _note(subject, expectation, verdict, story.asked, within)
                return history.reading()
            if isinstance(verdict, Impossible):
                _note(subject, expectation, verdict, story.asked, within)
                raise _failed(subject, expectation, verdict, "that cannot become so any more")
        if time.monotonic() >= deadline:
            _note(subject, expectation, verdict, story.asked, within)
            raise _failed(subject, expectation, verdict, f"that was not so within {within:g} s")
        again = verdict.until if isinstance(verdict, Pending) else None
        histories = story.go_on(until=min(deadline, again or deadline))


class _Story(Generic[T]):
    """What is told of a subject from the moment of asking on, and what was told before, if anyone wants to know."""

    def __init__(self, subject: Subject[T]) -> None:
        self._subject = subject
        self._scope = with_whole_resources(subject.scope)
        self.asked = time.monotonic()
        self._before = subject.cache.history()
        self._revision = self._before[-1].revision
        self._moments = [self._moment(self._before[-1])]
        self._gaps = tuple(each.at for each in self._before if each.relisted and each.touches(self._scope))

    def so_far(self, now: float) -> History[T]:
        """The history up to now."""
        recall = partial(self._recall, tuple(self._moments))
        return History(self._moments[-1], recall, self.asked, now, self._gaps)

    def go_on(self, *, until: float) -> Sequence[History[T]]:
        """The histories up to each new state, waiting for the first; up to now when there was none until then."""
        histories: list[History[T]] = []
        while not histories:
            now = time.monotonic()
            for snapshot in self._subject.cache.after(self._revision, within=until - now):
                self._revision = snapshot.revision
                if self._take(snapshot):
                    histories.append(self.so_far(snapshot.at))
            if not histories and now >= until:
                histories.append(self.so_far(now))
        return histories

    def _take(self, snapshot: Snapshot) -> bool:
        """Whether the snapshot has a new state of the subject."""
        if not snapshot.touches(self._scope):
            return False
        if snapshot.relisted:
            self._gaps += (snapshot.at,)
        moment = self._moment(snapshot)
        if moment.reading == self._moments[-1].reading:
            return False
        self._moments.append(moment)
        return True

    def _recall(self, since_asked: Sequence[Moment[T]]) -> Sequence[Moment[T]]:
        states = [*self._earlier, *since_asked]
        return [state for last, state in zip([None, *states], states, strict=False) if not _same(last, state)]

    @cached_property
    def _earlier(self) -> Sequence[Moment[T]]:
        first, *rest = self._before
        return [self._moment(first), *(self._moment(each) for each in rest if each.touches(self._scope))]

    def _moment(self, snapshot: Snapshot) -> Moment[T]:
        return Moment(seen(self._subject, snapshot), snapshot.at)


def seen(subject: Subject[T], snapshot: Snapshot) -> T | Pending | Impossible:
    """The subject's reading; Unseen where it lives in places that could not be watched at the time."""
    try:
        return subject.read(snapshot)
    except Blind as blind:
        return Unseen(str(blind))


def _same(one: Moment[T] | None, other: Moment[T]) -> bool:
    return one is not None and one.reading == other.reading


def _note(subject: Subject[T], wanted: Expectation[T], verdict: Verdict, asked: float, within: float) -> None:
    waited = time.monotonic() - asked
    subject.cache.waits.append(Wait(subject.title, wanted.sentence, waited, within, verdict))


def _failed(subject: Subject[T], wanted: Expectation[T], verdict: Verdict, why: str) -> ExpectationFailed:
    lines = [
        f"{subject.title}: {why}",
        f"  wanted:   {wanted.sentence}",
        f"  observed: {_one_line(verdict.observed)}",
    ]
    return ExpectationFailed(
        "\n".join(lines),
        verdict,
        subject=subject.title,
        namespaces=subject.namespaces,
        conditions=[_one_line(each) for each in _conditions(subject)],
        story=_story(subject),
    )


def _one_line(text: str) -> str:
    """What controllers say may have lines of its own."""
    return " ".join(text.split())


def _section(heading: str, lines: Sequence[str]) -> list[str]:
    return [f"  {heading}:", *(f"    {line}" for line in lines)] if lines else []


def _conditions(subject: Subject[T]) -> Sequence[str]:
    try:
        return subject.conditions(subject.cache.now())
    except Blind as blind:
        return [str(blind)]


def _story(subject: Subject[T]) -> list[str]:
    """The last lines of its timeline. What was said again and again is one of them, with its last time."""
    entries = subject.cache.timeline.entries(*subject.namespaces)
    told = {(entry.kind, entry.name, entry.text): entry for entry in entries if entry.text != WATCHED}
    last = sorted(told.values(), key=lambda entry: entry.at)[-_LINES_SHOWN:]
    return [_one_line(str(entry)) for entry in last]
