"""The first screen once a day, and true answers about what this is."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat import paths
from tide_chat.safety import authored, disclosure
from tide_chat.safety.router import assess

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def answer(said: str) -> str:
    """What is said without the model; rules alone."""
    return authored.words(assess(said), said)[0]


@pytest.mark.parametrize(
    "needed",
    [
        "a program, not a person",
        "not care",
        "Nobody is watching",
        "stays on this machine",
        "18 and over",
        "999",
        "116 123",
    ],
)
def test_the_first_screen_says_what_it_must(needed: str) -> None:
    assert needed in disclosure.text("GB")


def test_the_first_screen_works_without_a_country() -> None:
    text = disclosure.text()
    assert "112" in text
    assert "country" in text
    assert "!" not in text


def test_it_is_due_until_accepted_and_again_on_the_next_day() -> None:
    assert disclosure.due(NOON)
    disclosure.accept(NOON)
    assert not disclosure.due(NOON + timedelta(hours=1))
    assert disclosure.due(NOON + timedelta(days=1))


@pytest.mark.parametrize(
    ("accepted", "due"),
    [
        (NOON - timedelta(hours=11), False),
        (NOON - timedelta(hours=13), True),
        (NOON - timedelta(days=30), True),
        (NOON + timedelta(days=2), True),
    ],
)
def test_the_calendar_day_decides(accepted: datetime, *, due: bool) -> None:
    assert disclosure.due(NOON, accepted) is due


@pytest.mark.parametrize(("days", "away"), [(0, False), (1, False), (6.9, False), (7, True), (30, True)])
def test_after_seven_days_the_first_screen_says_that_it_was_a_while(days: float, *, away: bool) -> None:
    assert not disclosure.away(NOON)
    disclosure.accept(NOON - timedelta(days=days))
    assert disclosure.away(NOON) is away
    text = disclosure.text("GB", away=away)
    assert text.startswith("It has been a week or more" if away else "Before we begin")
    assert "a program, not a person" in text


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def test_every_three_hours_of_use_it_is_said_again() -> None:
    clock = Clock()
    reminders = disclosure.Reminders(clock)
    said = []
    for minute in range(10 * 60):
        clock.seconds = 1_000_000.0 + minute * 60
        if words := reminders.due():
            said.append((minute, words))
    assert [minute for minute, _ in said] == [180, 360, 540]
    assert {words for _, words in said} == {disclosure.REMINDER}


def test_somebody_young_is_offered_a_break_each_hour() -> None:
    clock = Clock()
    reminders = disclosure.Reminders(clock)
    clock.seconds += 59 * 60
    assert reminders.due(minor=True) is None
    clock.seconds += 60
    assert reminders.due(minor=True) == disclosure.REMINDER_MINOR
    assert reminders.due(minor=True) is None
    clock.seconds += 2 * 60 * 60
    assert reminders.due() is None  # an adult's three hours are not over
    assert reminders.due(minor=True) == disclosure.REMINDER_MINOR


@given(st.lists(st.floats(0, 20_000), max_size=40))
def test_two_reminders_are_never_closer_than_three_hours(steps: list[float]) -> None:
    clock = Clock()
    reminders, told = disclosure.Reminders(clock), [clock.seconds]
    for step in steps:
        clock.seconds += step
        if reminders.due():
            told.append(clock.seconds)
    assert all(later - earlier >= disclosure.REMIND_S for earlier, later in pairwise(told))


@pytest.mark.parametrize("words", [disclosure.REMINDER, disclosure.REMINDER_MINOR])
def test_what_a_reminder_says(words: str) -> None:
    assert "a program, not a person" in words
    assert "help screen" in words
    assert "!" not in words
    assert len(words.split()) < 60
    assert ("18 and over" in words) == (words == disclosure.REMINDER_MINOR)
    assert ("break" in words) == (words == disclosure.REMINDER_MINOR)


@pytest.mark.parametrize("content", ["", "yesterday", "2026-99-99", "\x00", "9999-12-31T23:59:59-14:00"])
def test_a_strange_note_means_that_it_is_asked_again(content: str) -> None:
    paths.state_dir().mkdir(parents=True)
    (paths.state_dir() / "disclosure-accepted").write_text(content, encoding="utf-8")
    assert disclosure.due(NOON)


def test_a_home_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("TIDE_CHAT_HOME", str(blocked))
    disclosure.accept(NOON)
    assert disclosure.due(NOON)


@pytest.mark.parametrize(
    ("question", "needed"),
    [
        ("are you human?", "a program, not a person"),
        ("Are you a real person", "a program, not a person"),
        ("am i talking to a bot", "a program, not a person"),
        ("r u an ai", "a program, not a person"),
        ("who are you?", "a program, not a person"),
        ("do you have feelings", "a program, not a person"),
        ("can you love me", "a program, not a person"),
        ("are you a therapist?", "not a therapist"),
        ("are you a licensed counsellor", "not a therapist"),
        ("is this private?", "stays on this machine"),
        ("is what I write confidential", "stays on this machine"),
        ("do you save what i type?", "stays on this machine"),
        ("who can read this", "stays on this machine"),
        ("promise not to tell anyone", "cannot promise more"),
        ("do you promise you won't tell", "cannot promise more"),
        ("pinky swear to keep it between us", "cannot promise more"),
        ("will you tell my mum", "Nobody reads along"),
        ("will you call the police", "Nobody reads along"),
        ("is anyone watching this", "Nobody reads along"),
    ],
)
def test_questions_about_what_this_is_have_true_answers(question: str, needed: str) -> None:
    assert needed in answer(question)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "are you kidding me, the bus was late again",
        "my therapist is kind",
        "I feel like a real person today",
        "he asked if I was human and I laughed",
        "I wonder what you are doing",
        "can you help me breathe",
        "tell me what grounding means",
        "will you stay with me for a bit",
        "my boss is watching me all day",
        "I could not tell anyone for years, it was like that. " * 6,
    ],
)
def test_other_talk_is_left_to_the_conversation(text: str) -> None:
    assert answer(text) == ""


def test_a_choice_of_a_card_is_answered_without_the_model() -> None:
    assert "five things" in answer("I would like a short grounding exercise")
    assert "A safety plan" in answer("I would like to make a safety plan")
