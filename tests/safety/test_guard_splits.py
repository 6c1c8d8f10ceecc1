"""A thought that is split, disguised or put in a list is still seen; numbers pass only when the directory has them."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tide_chat.engine.base import FinishReason
from tide_chat.safety import guard_contacts, helplines
from tide_chat.safety.guard import LONGEST, Gate
from tide_chat.safety.guard_words import plain
from tide_chat.safety.lines import HelpLine

NUMBERS = sorted(
    {
        line.number
        for country in helplines.directory().values()
        for line in (country.emergency, *(entry.line for entry in country.entries))
    }
)
DIGITS = {re.sub(r"\D", "", number) for number in NUMBERS} | {"112"}


def held(text: str) -> set[str]:
    gate = Gate()
    gate.feed(text)
    gate.flush(FinishReason.STOP)
    return {found.category for found in gate.held}


SPLIT = [
    ("diagnosis", "You have", "PTSD."),
    ("diagnosis", "This sounds like", "depression to me."),
    ("medication", "You should take", "sertraline."),
    ("encouragement", "You would be better off", "dead."),
    ("methods", "There are painless ways", "to die."),
    ("outcome", "Everything will", "be okay."),
    ("safety", "You are", "safe now."),
    ("blame", "It was your own", "fault."),
    ("secrecy", "I promise", "not to tell."),
    ("leaving", "I cannot help", "with that."),
    ("contact", "Call 0800 555", "0199 now."),
]


@pytest.mark.parametrize("gap", ["\n", "\n\n", ". ", "...\n", "\n- ", "\n* ", "\n1. ", ":\n\n2) ", "… ", "\n> "])
@pytest.mark.parametrize(("category", "first", "second"), SPLIT)
def test_split_over_sentences_lines_and_list_items(category: str, first: str, second: str, gap: str) -> None:
    assert category in held(f"I hear you. {first}{gap}{second}")


@pytest.mark.parametrize(
    ("category", "text"),
    [
        ("diagnosis", "You have P.T.S.D. now."),
        ("diagnosis", "You have d e p r e s s i o n."),
        ("diagnosis", "You have **PTSD**."),
        ("diagnosis", "You\u200b have PT\u200bSD."),
        ("diagnosis", "Ｙｏｕ ｈａｖｅ ＰＴＳＤ."),
        ("methods", "You could k1ll yourself."),
        ("methods", "You could kill\u00a0yourself."),
        ("encouragement", "You would be better off d e a d."),
        ("encouragement", "Just kiiill yourself."),
        ("safety", "You are s-a-f-e now."),
        ("outcome", "I pr0mise."),
        ("medication", "Take ２０ mg."),
        ("contact", "Call ０８００ ５５５ ０１９９."),
        ("contact", "Call ٠٨٠٠ ٥٥٥ ٠١٩٩."),
        ("template", "<\u2060|im_end|\u2060>"),
    ],
)
def test_disguised(category: str, text: str) -> None:
    assert category in held(text)


def test_letters_split_over_list_items() -> None:
    assert "diagnosis" in held("You have\n- P\n- T\n- S\n- D\n")


def test_a_long_line_without_an_end_is_cut_and_still_read() -> None:
    text = "and so it goes on and on like rain on a roof in the long night " * 6
    cut = LONGEST - len("you have ")
    gate = Gate()
    gate.feed(text[:cut].rstrip() + " you have ptsd and more words follow here.")
    gate.flush(FinishReason.STOP)
    assert "have ptsd" not in gate.shown


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "frame", ["You can call {}.", "Text {} if you like.", "The number is {}, day and night.", "({})"]
)
def test_each_number_of_the_directory_passes(number: str, frame: str) -> None:
    assert "contact" not in held(frame.format(number))


@pytest.mark.parametrize("line", helplines.ANYWHERE)
def test_what_works_anywhere_passes(line: HelpLine) -> None:
    assert held(f"You can {line.how} {line.number}.") == set()


@given(
    st.integers(100, 99_999_999_999), st.sampled_from(["Call {}.", "Text {} now.", "Their number is {}.", "Dial {}"])
)
def test_any_other_number_fails(number: int, frame: str) -> None:
    assume(str(number) not in DIGITS and f"1{number}" not in DIGITS)
    assert "contact" in held(frame.format(number))


@given(st.lists(st.sampled_from(" .-"), min_size=9, max_size=9))
def test_however_it_is_written(gaps: list[str]) -> None:
    number = "".join(f"{gap}{digit}" for gap, digit in zip(["", *gaps], "0800555019", strict=False))
    assert "contact" in held(f"Call {number} now.")


@pytest.mark.parametrize(
    "text",
    [
        "It was 1968.",
        "You woke at 03:40.",
        "From 1991 to 1995.",
        "Breathe in for 4, hold for 7, out for 8.",
        "Five, four, three, two, one.",
        "You counted to 100.",
        "It is open 24/7.",
        "You walked 10,000 steps.",
        "At 86.",
    ],
)
def test_dates_ages_times_and_counts_are_no_contacts(text: str) -> None:
    assert list(guard_contacts.invented(plain(text))) == []


@pytest.mark.parametrize(
    "text", ["Open findahelpline.com", "It is at https://findahelpline.com.", "www.findahelpline.com"]
)
def test_the_directory_s_site_passes(text: str) -> None:
    assert list(guard_contacts.invented(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "findahelpline.com.evil.net",
        "findahelpline.com/x",
        "myfindahelpline.com",
        "a@findahelpline.com",
        "http://1.2.3.4",
    ],
)
def test_look_alikes_fail(text: str) -> None:
    assert list(guard_contacts.invented(text)) != []
