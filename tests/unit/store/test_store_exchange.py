"""Exports: what is written is read, and what is taken out."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.errors import DataError
from tide_chat.messages import Message, Role
from tide_chat.store import exchange
from tide_chat.store.redact import Redactor
from tide_chat.store.values import Record, as_title, moment, stamp

NOW = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
TIMES = st.integers(0, 10**14).map(moment)
MESSAGES = st.tuples(st.builds(Message, st.sampled_from([Role.USER, Role.ASSISTANT]), TEXT, st.booleans()), TIMES)
RECORDS = st.lists(st.builds(Record, TEXT.map(as_title), TIMES, st.lists(MESSAGES, max_size=4).map(tuple)), max_size=3)


def said(*texts: str) -> Record:
    return Record("", NOW, tuple((Message(Role.USER, text), NOW) for text in texts))


@given(RECORDS)
def test_what_is_written_is_read(records: list[Record]) -> None:
    assert exchange.read_json(exchange.to_json(records, NOW), "f") == tuple(records)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=-5)))))
def test_times_are_kept_to_the_millisecond(when: datetime) -> None:
    assert timedelta(0) <= when - moment(stamp(when)) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '{"format": "tide-chat history", "version": 2, "exported": "2026-01-01T00:00:00Z", "conversations": []}',
        '{"format": "tide-chat history", "version": 1, "exported": "2026-01-01T00:00:00", "conversations": []}',
        exchange.to_json([said("my secret")], NOW).replace('"user"', '"system"'),
        exchange.to_json([said("my secret")], NOW).replace('"authored": false', '"authored": "my secret"'),
        exchange.to_json([said("my secret")], NOW)[:-30],
    ],
)
def test_what_cannot_be_read_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(DataError, match="no export") as caught:
        exchange.read_json(text, "in.json")
    assert "in.json" in caught.value.details
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("odd", ["9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00", "1969-12-31T23:59:59Z"])
def test_a_time_that_no_clock_showed_is_refused(odd: str) -> None:
    text = exchange.to_json([said("x")], NOW)
    for key in ("created", "at"):
        with pytest.raises(DataError, match="no export"):
            exchange.read_json(text.replace(f'"{key}": "2026-11-26T08:30:00.000Z"', f'"{key}": "{odd}"'), "f")


def test_the_ending_says_what_is_written() -> None:
    records = [said("x")]
    assert exchange.to_text(records, ".JSON", NOW, redacted=True) == exchange.to_json(records, NOW, redacted=True)
    assert exchange.to_text(records, ".md", NOW, redacted=True) == exchange.to_markdown(records, NOW, redacted=True)


def test_markdown_is_these_bytes() -> None:
    record = Record(
        "A title", NOW, ((Message(Role.USER, "one\n\n# two"), NOW), (Message(Role.ASSISTANT, "reply"), NOW))
    )
    assert exchange.to_markdown([record], NOW) == (
        "# Conversations with tide-chat\n\n1 conversation, exported 2026-11-26 08:30 UTC.\n\n"
        "## A title\n\n2026-11-26 08:30 UTC\n\n"
        "**You**, 08:30\n\n> one\n>\n> # two\n\n**tide-chat**, 08:30\n\n> reply\n"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I met Mike Olsen at Walmart.", "I met [name] [name] at [name]."),
        ("Saw a fella at Kroger. The limp was my sergeant's.", "Saw a fella at [name]. The limp was my sergeant's."),
        ("My son's friend, Zoë, is in Fort-Worth’s VA", "My son's friend, [name], is in [name] [name]"),
        ("It was 1968, or 12/03/2004 at 5pm; 3rd floor", "It was [number], or [number] at [number]; [number] floor"),
        ("Call +1 (555) 010-9999 or 555.0100.", "Call [number] or [number]."),
        ("Mail a.b+c@mail.example.org, see https://x.example/y?z=1.", "[name] [e-mail], see [link]."),
        ("Mike wrote, from mike@mail.example", "[name] wrote, from [e-mail]"),
        ("look at example.com/me please", "look at [link] please"),
        (
            "I'm tired. I've not slept since Monday. PTSD, they say.",
            "I'm tired. I've not slept since Monday. PTSD, they say.",
        ),
        ("WHY WOULD THEY SAY THAT, MIKE", "WHY WOULD THEY SAY THAT, [name]"),
        ("Mike came. then Mike left", "[name] came. then [name] left"),
        ("Water helps. I like water", "Water helps. I like water"),
        ("Rose came by.\nI told Rose to rest; a rose", "[name] came by.\nI told [name] to rest; a rose"),
        ("", ""),
    ],
)
def test_names_and_numbers_are_taken_out(text: str, shown: str) -> None:
    assert Redactor([text])(text) == shown


def test_the_words_of_the_user_are_taken_out_in_any_case() -> None:
    text = "mike and his wife in ho chi minh city; mikes"
    assert Redactor([text], ["Mike", "Ho Chi Minh City", " "])(text) == "[name] and his wife in [name]; mikes"


@given(TEXT)
def test_no_digit_is_left(text: str) -> None:
    assert not any(char.isdecimal() for char in Redactor([text])(text))


def test_an_export_learns_from_all_its_texts() -> None:
    first, second = exchange.without_names([said("Pat came"), said("we saw Pat. Lemons are sour", "lemons")])
    assert first.messages[0][0].text == "[name] came"
    assert second.messages[0][0].text == "we saw [name]. Lemons are sour"


@pytest.mark.parametrize(
    "text", ["a" * 50_000, "A" * 50_000, "1 " * 20_000, "a-" * 20_000, "a." * 20_000, "(" * 50_000]
)
def test_long_texts_do_not_hang(text: str) -> None:
    Redactor([text])(text)
