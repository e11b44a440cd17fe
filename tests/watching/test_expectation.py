"""The logic of expectations and their combinations, on histories of plain numbers."""

from __future__ import annotations

import pytest

from gitops_e2e.watching.expectation import (
    Expectation,
    History,
    Impossible,
    Met,
    Moment,
    Pending,
    Unseen,
    Verdict,
    all_of,
    any_of,
    expectation,
    never,
    never_was,
    passed_through,
    then,
)

Reading = int | Pending | Impossible
ABSENT = Pending("absent")


def history(
    *readings: Reading, asked: float | None = None, now: float | None = None, gaps: tuple[float, ...] = ()
) -> History[int]:
    """A history with one state a second from 0 on; asked at the last one unless told otherwise."""
    moments = [Moment(reading, float(at)) for at, reading in enumerate(readings)]
    last = moments[-1].at
    return History(moments[-1], lambda: moments, last if asked is None else asked, last if now is None else now, gaps)


def is_(wanted: int, *, limit: int = 100, lasting: float = 0.0) -> Expectation[int]:
    """Met by the number, impossible above a limit."""

    def judge(number: int) -> Verdict:
        if number == wanted:
            return Met(f"{number}")
        return Impossible(f"{number}", lasting) if number > limit else Pending(f"{number}")

    return expectation(f"is {wanted}", judge)


class TestPresent:
    def test_three_states(self) -> None:
        assert is_(2).over(history(2)) == Met("2")
        assert is_(2).over(history(1)) == Pending("1")
        assert is_(2).over(history(101)) == Impossible("101")

    def test_only_the_present_counts(self) -> None:
        assert is_(2).over(history(2, 1)) == Pending("1")

    def test_what_cannot_be_read_is_its_own_verdict(self) -> None:
        assert is_(2).over(history(2, ABSENT)) == ABSENT
        assert is_(2).over(history(Impossible("never"))) == Impossible("never")


class TestLasting:
    def test_pending_until_it_has_lasted(self) -> None:
        wanted = is_(2, lasting=5)
        assert wanted.over(history(1, 101, now=3)) == Pending("101", until=6.0)
        assert wanted.over(history(1, 101, now=6)) == Impossible("101")

    def test_different_impossible_states_are_one_time(self) -> None:
        assert is_(2, lasting=2).over(history(1, 101, 102, 103)) == Impossible("103")

    def test_a_better_state_in_between_begins_anew(self) -> None:
        assert is_(2, lasting=2).over(history(101, 102, 1, 103, now=4)) == Pending("103", until=5.0)

    def test_also_for_what_the_subject_says(self) -> None:
        assert is_(2).over(history(Impossible("broken", 5), now=1)) == Pending("broken", until=5.0)


class TestSeveral:
    def test_all_of(self) -> None:
        both = all_of(is_(2), is_(2, limit=5))
        assert both.sentence == "is 2 and is 2"
        assert both.over(history(2)) == Met("2")
        assert both.over(history(1)) == Pending("1")
        assert both.over(history(6)) == Impossible("6")

    def test_all_of_at_different_moments_is_not_all(self) -> None:
        assert isinstance(all_of(is_(1), is_(2)).over(history(1, 2)), Pending)

    def test_any_of(self) -> None:
        either = any_of(is_(2, limit=5), is_(3))
        assert either.over(history(3)) == Met("3")
        assert either.over(history(6)) == Pending("6")
        assert either.over(history(101)) == Impossible("101")

    def test_the_soonest_time_to_look_again_is_kept(self) -> None:
        verdict = all_of(is_(1), is_(2, lasting=9), is_(3, lasting=5)).over(history(101, now=1))
        assert isinstance(verdict, Impossible)
        verdict = any_of(is_(2, lasting=9), is_(3, lasting=5)).over(history(101, now=1))
        assert verdict == Pending("101", until=5.0)


class TestPassedThrough:
    def test_in_order(self) -> None:
        assert isinstance(passed_through(is_(1), is_(3)).over(history(1, 2, 3, 4)), Met)

    def test_in_another_order(self) -> None:
        verdict = passed_through(is_(3), is_(1)).over(history(1, 2, 3, 4))
        assert isinstance(verdict, Pending)
        assert verdict.observed == "is 3 (3); not yet is 1: 4"

    def test_one_state_may_meet_two_in_a_row(self) -> None:
        assert isinstance(passed_through(is_(1), is_(1)).over(history(1)), Met)

    def test_impossible_when_the_next_one_is(self) -> None:
        verdict = passed_through(is_(1), is_(2)).over(history(1, 101))
        assert verdict == Impossible("is 1 (1); not is 2: 101")

    def test_what_was_before_counts_although_the_present_excludes_it(self) -> None:
        assert isinstance(passed_through(is_(1)).over(history(1, 101)), Met)

    def test_states_that_could_not_be_read_are_no_states(self) -> None:
        assert isinstance(passed_through(is_(1)).over(history(ABSENT, Unseen("blind"))), Pending)


class TestThen:
    def test_only_from_now_on(self) -> None:
        assert isinstance(then(is_(1), is_(2)).over(history(1, 2, 3)), Pending)

    def test_from_the_state_that_is_there(self) -> None:
        assert isinstance(then(is_(1), is_(2)).over(history(0, 1, 2, asked=1.5)), Met)


class TestNever:
    def test_pending_until_the_time_is_over(self) -> None:
        assert never(is_(2), seconds=5).over(history(1, asked=0, now=4)) == Pending("1", until=5.0)
        assert never(is_(2), seconds=5).over(history(1, asked=0, now=5)) == Met("1")

    def test_impossible_once_it_was(self) -> None:
        assert never(is_(2), seconds=5).over(history(1, 2, 1, asked=0)) == Impossible("2")

    def test_the_state_that_is_there_counts(self) -> None:
        assert never(is_(2), seconds=5).over(history(2, asked=0.5, now=0.5)) == Impossible("2")

    def test_what_was_over_before_does_not_count(self) -> None:
        assert never(is_(2), seconds=5).over(history(2, 1, asked=1.5, now=7)) == Met("1")

    def test_not_seeing_it_is_not_never(self) -> None:
        assert never(is_(2), seconds=5).over(history(1, Unseen("blind"), asked=0, now=9)) == Unseen("blind")

    def test_missed_states_cannot_be_told(self) -> None:
        verdict = never(is_(2), seconds=5).over(history(1, 3, asked=0, now=9, gaps=(1.0,)))
        assert isinstance(verdict, Impossible)
        assert "cannot be told" in verdict.observed
        assert isinstance(never(is_(2), seconds=5).over(history(1, 3, asked=0.5, now=9, gaps=(0.2,))), Met)


class TestNeverWas:
    def test_met_at_once(self) -> None:
        assert never_was(is_(2)).over(history(ABSENT, 1, 3)) == Met("3")

    def test_impossible_once_it_was(self) -> None:
        assert never_was(is_(2)).over(history(ABSENT, 1, 2, 3)) == Impossible("2")

    @pytest.mark.parametrize(
        "told",
        [
            history(1, 3),
            history(Unseen("not listed yet"), 1, 3),
            history(ABSENT, 1, 3, gaps=(1.5,)),
        ],
        ids=["not from its beginning", "nobody looked before", "with a gap"],
    )
    def test_cannot_be_told(self, told: History[int]) -> None:
        verdict = never_was(is_(2)).over(told)
        assert isinstance(verdict, Impossible)
        assert "cannot be told" in verdict.observed

    def test_a_gap_from_before_its_beginning_does_no_harm(self) -> None:
        assert isinstance(never_was(is_(2)).over(history(ABSENT, ABSENT, 1, gaps=(1.0,))), Met)

    def test_nothing_was_there_yet(self) -> None:
        assert never_was(is_(2)).over(history(ABSENT)) == ABSENT


def test_the_latest_reading_is_given_even_when_it_is_gone() -> None:
    assert history(1, 2, ABSENT).reading() == 2
    with pytest.raises(LookupError):
        history(ABSENT).reading()
