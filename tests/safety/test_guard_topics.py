"""Which sentences name a topic that the person does not want brought up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.safety.guard_topics import unwanted


@pytest.mark.parametrize(
    ("topic", "sentence"),
    [
        ("hospitals", "Was it the hospital?"),
        ("the hospital", "HOSPITALS can be loud."),
        ("my brother", "Your brother's voice may be near."),
        ("the war", "A war leaves marks."),
        ("my first day", "Tell me of that first day."),
        ("parties", "A party is a lot of noise."),
    ],
)
def test_it_is_named(topic: str, sentence: str) -> None:
    assert unwanted([topic], [])(sentence)


@pytest.mark.parametrize(
    ("topic", "sentence"),
    [("the war", "It is warm here."), ("my first day", "The first thing."), ("", "Anything."), ("the lake", "")],
)
def test_it_is_not(topic: str, sentence: str) -> None:
    assert not unwanted([topic], [])(sentence)


def test_a_topic_of_small_words_that_was_said_is_open() -> None:
    assert unwanted(["her"], [])("Her.")
    assert not unwanted(["her"], ["I miss her so"])("Her.")


@given(st.text(), st.lists(st.text(), max_size=3))
def test_nothing_is_unwanted_that_the_person_has_said(topic: str, sentences: list[str]) -> None:
    assert not any(map(unwanted([topic], [f"x {topic} y"]), sentences))
