"""Steps and breaths against time that is told to them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.care import breathing, today
from tide_chat.care.tools import Pattern, Step, find
from tide_chat.care.walk import Walk

PATTERNS = find("breathing").patterns
STEPS = st.lists(st.builds(Step, text=st.just("x"), seconds=st.none() | st.floats(0.5, 60)), min_size=1, max_size=8)


def test_going_on_and_back_stays_within_the_tool() -> None:
    walk = Walk.of([Step(text="a"), Step(text="b")])
    assert walk.back().at == 0
    assert walk.next().step == Step(text="b")
    assert walk.next().next().next().ended
    assert walk.next().next().back().step == Step(text="b")


def test_time_moves_only_timed_steps_on() -> None:
    walk = Walk.of([Step(text="a", seconds=5), Step(text="b", seconds=10), Step(text="c"), Step(text="d", seconds=5)])
    assert walk.tick(4).at == 0
    assert walk.tick(4).share == pytest.approx(0.8)
    assert (walk.tick(7).at, walk.tick(7).elapsed) == (1, 2)
    assert walk.tick(1000).at == 2
    assert walk.pause().tick(1000) == walk.pause()
    assert walk.pause().pause().tick(5).at == 1


@given(STEPS, st.floats(0, 100), st.floats(0, 100))
def test_time_in_two_pieces_is_time_in_one(steps: list[Step], one: float, two: float) -> None:
    walk = Walk.of(steps)
    apart, whole = walk.tick(one).tick(two), walk.tick(one + two)
    position = [sum(step.seconds or 0 for step in steps[: w.at]) + w.elapsed for w in (apart, whole)]
    assert position[0] == pytest.approx(position[1], abs=1e-6)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
@given(st.floats(0, 400))
def test_a_breath_is_never_more_than_full_and_never_jumps(pattern: Pattern, at: float) -> None:
    now, soon = breathing.moment(pattern, at), breathing.moment(pattern, at + 0.05)
    assert 0 <= now.fullness <= 1
    assert now.left >= 1
    assert now.ended or now.words
    assert abs(now.fullness - soon.fullness) < 0.1


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
def test_a_breath_ends_with_its_last_round(pattern: Pattern) -> None:
    assert not breathing.moment(pattern, pattern.total_s - 0.01).ended
    assert breathing.moment(pattern, pattern.total_s).ended
    assert breathing.moment(pattern, pattern.total_s - 0.01).round == pattern.rounds
    assert 120 <= pattern.total_s <= 200


def test_a_breath_in_words() -> None:
    longer, sighs = PATTERNS[0], PATTERNS[3]
    assert breathing.moment(longer, 0).words == "in"
    assert breathing.moment(longer, 1.2).left == 3
    assert breathing.moment(longer, 4).words == "out"
    assert breathing.moment(longer, 4).fullness == pytest.approx(1)
    assert breathing.moment(sighs, 3.5).words == "a little more in"
    assert breathing.in_words(longer) == (
        "Breathing in, while you count slowly to four.",
        "Breathing out, while you count slowly to six.",
    )


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (datetime(2026, 6, 1, 3, 10, tzinfo=UTC), "03:10, at night"),
        (datetime(2026, 6, 1, 5, 0, tzinfo=UTC), "05:00, in the morning"),
        (datetime(2026, 6, 1, 12, 0, tzinfo=UTC), "12:00, in the afternoon"),
        (datetime(2026, 6, 1, 21, 40, tzinfo=UTC), "21:40, in the evening"),
        (datetime(2026, 6, 1, 23, 59, tzinfo=UTC), "23:59, at night"),
    ],
)
def test_the_time_in_words(at: datetime, words: str) -> None:
    assert today.time(at) == words


def test_the_day_in_words_in_any_locale() -> None:
    assert today.day(date(2026, 11, 26)) == "Thursday, 26 November 2026"
    assert today.now().tzinfo is not None
