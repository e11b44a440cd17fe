"""Expectations: values that say, of what was observed, whether it is what was wanted, may still be, or cannot be.

An expectation judges the history of a subject: most look at the present alone (`expectation`), some at the way
there (`passed_through`, `never`). The sentences of an expectation and of its verdicts are what a person reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Pending:
    """Not so yet. `until` is the monotonic time at which to judge again even if nothing changes."""

    observed: str
    until: float | None = None


@dataclass(frozen=True)
class Unseen(Pending):
    """Nobody could look: not a state of the subject."""


@dataclass(frozen=True)
class Met:
    """It is so."""

    observed: str


@dataclass(frozen=True)
class Impossible:
    """It can no longer become so by itself.

    With `lasting`, only once that has been so for as many seconds: for states which controllers do leave by
    themselves when what troubles them is over soon.
    """

    observed: str
    lasting: float = 0.0


Verdict = Pending | Met | Impossible


@dataclass(frozen=True)
class Moment(Generic[T]):
    """What a subject was from a moment on, or why that could not be told. `at` is monotonic time in seconds."""

    reading: T | Pending | Impossible
    at: float


def _first(moments: Sequence[Moment[T]], count: int) -> Sequence[Moment[T]]:
    return moments[:count]


@dataclass(frozen=True)
class History(Generic[T]):
    """What a subject was, up to `now`.

    `recall` gives the distinct states that were delivered, oldest first, the present one last. `asked` is when the
    question was put. `gaps` are times at which states may have been missed. All times are monotonic seconds.
    """

    present: Moment[T]
    recall: Callable[[], Sequence[Moment[T]]]
    asked: float
    now: float
    gaps: tuple[float, ...] = ()

    def reading(self) -> T:
        """The latest state that could be read. Raises LookupError when there was none."""
        if not isinstance(self.present.reading, Pending | Impossible):
            return self.present.reading
        for moment in reversed(self.moments):
            if not isinstance(moment.reading, Pending | Impossible):
                return moment.reading
        raise LookupError("nothing was read so far")

    @cached_property
    def moments(self) -> Sequence[Moment[T]]:
        """The distinct states that were delivered, oldest first."""
        return self.recall()

    @cached_property
    def views(self) -> Sequence[History[T]]:
        """The history as it was at each of its moments."""
        moments = self.moments
        return [
            replace(self, present=moment, recall=partial(_first, moments, index + 1), now=moment.at)
            for index, moment in enumerate(moments)
        ]

    @cached_property
    def views_since_asked(self) -> Sequence[History[T]]:
        """The same from the state that was present when the question was put."""
        before = sum(moment.at <= self.asked for moment in self.moments)
        return self.views[max(0, before - 1) :]


@dataclass(frozen=True)
class Expectation(Generic[T]):
    """A sentence, and how a history is judged by it."""

    sentence: str
    judge: Callable[[History[T]], Verdict]

    def over(self, history: History[T]) -> Verdict:
        """The verdict on a history; Impossible only if that lasts as long as it has to."""
        verdict = self.judge(history)
        if not isinstance(verdict, Impossible) or not verdict.lasting:
            return verdict
        since = history.now
        for view in reversed(history.views):
            if not isinstance(self.judge(view), Impossible):
                break
            since = view.now
        until = since + verdict.lasting
        return Impossible(verdict.observed) if history.now >= until else Pending(verdict.observed, until)

    def __str__(self) -> str:
        return self.sentence


def expectation(sentence: str, judge: Callable[[T], Verdict]) -> Expectation[T]:
    """An expectation of the present state alone."""

    def judge_present(history: History[T]) -> Verdict:
        reading = history.present.reading
        return reading if isinstance(reading, Pending | Impossible) else judge(reading)

    return Expectation(sentence, judge_present)


_READABLE: Expectation[Any] = expectation("can be read", lambda _: Met("it is there"))


# --- of several


def all_of(*expectations: Expectation[T]) -> Expectation[T]:
    """Each of them at the same moment; impossible as soon as one is."""

    def judge(history: History[T]) -> Verdict:
        verdicts = [each.over(history) for each in expectations]
        impossible = [verdict for verdict in verdicts if isinstance(verdict, Impossible)]
        pending = [verdict for verdict in verdicts if isinstance(verdict, Pending)]
        if impossible:
            return Impossible(_joined(impossible))
        if pending:
            return Pending(_joined(pending), _soonest(pending))
        return Met(_joined(verdicts))

    return Expectation(" and ".join(each.sentence for each in expectations), judge)


def any_of(*expectations: Expectation[T]) -> Expectation[T]:
    """At least one of them; impossible once all are."""

    def judge(history: History[T]) -> Verdict:
        verdicts = [each.over(history) for each in expectations]
        met = [verdict for verdict in verdicts if isinstance(verdict, Met)]
        pending = [verdict for verdict in verdicts if isinstance(verdict, Pending)]
        if met:
            return met[0]
        if pending:
            return Pending(_joined(verdicts), _soonest(pending))
        return Impossible(_joined(verdicts))

    return Expectation(" or ".join(each.sentence for each in expectations), judge)


def _joined(verdicts: Iterable[Verdict]) -> str:
    return "; ".join(dict.fromkeys(verdict.observed for verdict in verdicts))


def _soonest(verdicts: Iterable[Pending]) -> float | None:
    return min((verdict.until for verdict in verdicts if verdict.until is not None), default=None)


# --- over time


def passed_through(*expectations: Expectation[T]) -> Expectation[T]:
    """One after the other, in that order, at any time since the subject began; so the past counts."""
    sentence = "passes through: " + ", then ".join(each.sentence for each in expectations)
    return Expectation(sentence, lambda history: _in_order(expectations, history, history.views))


def then(*expectations: Expectation[T]) -> Expectation[T]:
    """One after the other, in that order, from now on."""
    sentence = ", then ".join(each.sentence for each in expectations)
    return Expectation(sentence, lambda history: _in_order(expectations, history, history.views_since_asked))


def _in_order(expectations: Sequence[Expectation[T]], history: History[T], views: Sequence[History[T]]) -> Verdict:
    passed: list[str] = []
    waiting = list(expectations)
    for view in [*views, history]:
        while waiting and isinstance(verdict := waiting[0].over(view), Met):
            passed.append(f"{waiting.pop(0).sentence} ({verdict.observed})")
    so_far = "".join(f"{each}; " for each in passed)
    if not waiting:
        return Met(so_far.removesuffix("; "))
    verdict = waiting[0].over(history)
    if isinstance(verdict, Impossible):
        return Impossible(f"{so_far}not {waiting[0].sentence}: {verdict.observed}")
    until = verdict.until if isinstance(verdict, Pending) else None
    return Pending(f"{so_far}not yet {waiting[0].sentence}: {verdict.observed}", until)


def never(unwanted: Expectation[T], *, seconds: float) -> Expectation[T]:
    """Not once from now on, for so many seconds in which it could have been seen."""

    def judge(history: History[T]) -> Verdict:
        for view in history.views_since_asked:
            if isinstance(verdict := unwanted.over(view), Met):
                return Impossible(verdict.observed)
        if any(gap > history.asked for gap in history.gaps):
            return Impossible("that cannot be told: states were missed while the API server was away")
        if not isinstance(readable := _READABLE.over(history), Met):
            return readable
        end = history.asked + seconds
        observed = unwanted.over(history).observed
        return Met(observed) if history.now >= end else Pending(observed, end)

    return Expectation(f"never, for {seconds:g} s, {unwanted.sentence}", judge)


def never_was(unwanted: Expectation[T]) -> Expectation[T]:
    """Not once since the subject began. That can only be told when it was watched from its beginning."""

    def judge(history: History[T]) -> Verdict:
        for view in history.views:
            if isinstance(verdict := unwanted.over(view), Met):
                return Impossible(verdict.observed)
        begun = [index for index, view in enumerate(history.views) if isinstance(_READABLE.over(view), Met)]
        if not begun:
            return _READABLE.over(history)
        first = begun[0]
        from_the_beginning = first > 0 and not isinstance(history.moments[first - 1].reading, Unseen)
        if not from_the_beginning or any(gap > history.moments[first].at for gap in history.gaps):
            return Impossible("that cannot be told: it was not watched all the time from its beginning")
        return Met(unwanted.over(history).observed)

    return Expectation(f"never was: {unwanted.sentence}", judge)
