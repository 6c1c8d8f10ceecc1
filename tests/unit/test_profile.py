"""What somebody chose about replies, and what a model is told of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.config import Settings
from tide_chat.engine.base import FinishReason
from tide_chat.profile import TOPICS_LENGTH, Profile, Style, kept, topics_in, written_for
from tide_chat.safety.guard import Gate
from tide_chat.scenario import guidances
from tide_chat.ui import commands


def test_nothing_chosen_adds_nothing() -> None:
    assert Profile.of(Settings()) == Profile()
    assert Profile().lines() == ()
    assert not Profile().personal
    assert Profile().most_sentences is None


def test_what_is_in_the_settings() -> None:
    settings = Settings(reply_style="layered", call_me="Sam", avoid_topics="my father,  the  fire , ")
    assert Profile.of(settings) == Profile(Style.LAYERED, "Sam", ("my father", "the fire"))


def test_every_style_but_none_has_words_of_its_own() -> None:
    lines = [Profile(style).lines() for style in Style]
    assert sorted(map(len, lines)) == [0, 1, 1, 1]
    assert len(set(lines)) == len(Style)
    assert [style for style in Style if Profile(style).most_sentences == 2] == [Style.BRIEF]


def test_own_words_are_named_as_they_were_written() -> None:
    profile = Profile(name="{topics}", topics=("the lake", "dogs"))
    name, topics, carried = profile.lines("Their sister is Ada.\n")
    assert name == "Call them {topics}."
    assert "the lake, dogs" in topics
    assert carried.endswith("Their sister is Ada.")
    assert profile.personal


def test_a_style_is_nothing_personal() -> None:
    assert not Profile(Style.BRIEF).personal
    assert Profile(name="Sam").personal
    assert Profile(topics=("a",)).personal


@given(st.lists(st.text(st.characters(exclude_characters=",", exclude_categories=["Cs"]), min_size=1)))
def test_topics_are_each_there_once_and_none_is_empty(words: list[str]) -> None:
    found = topics_in(",".join(words))
    assert len(set(found)) == len(found)
    assert all(topic == " ".join(topic.split()) and topic for topic in found)
    assert topics_in(", ".join(found)) == found


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=TOPICS_LENGTH))
def test_what_could_be_typed_can_be_kept_and_read_again(typed: str) -> None:
    profile = Profile(topics=topics_in(typed))
    settings = Settings.model_validate(kept(profile, personal=True))
    assert Profile.of(settings) == profile


@pytest.mark.parametrize(
    "wrong", [{"call_me": "a\nb"}, {"call_me": ""}, {"avoid_topics": "x" * 201}, {"reply_style": "long"}]
)
def test_the_settings_refuse_what_is_no_line(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings.model_validate(wrong)


def lines() -> list[str]:
    situations = [*(one.name for one in guidances()), ""]
    return sorted({line for style in Style for name in situations for line in written_for(style, name)})


@pytest.mark.parametrize("line", lines())
def test_every_written_line_would_pass_the_guard_and_asks_nothing(line: str) -> None:
    gate = Gate()
    assert gate.feed(line) + gate.flush(FinishReason.STOP) == line
    assert not set("!?") & set(line)


def test_every_situation_has_lines_and_an_unsure_one_those_for_any() -> None:
    for style in (Style.REASSURE, Style.LAYERED):
        general = written_for(style, "")
        assert len(general) >= 3
        for one in guidances():
            assert len(written_for(style, one.name)) > len(general)
            assert written_for(style, one.name)[-len(general) :] == general


def test_what_a_written_line_names_is_a_command() -> None:
    named = {word.strip(".") for line in lines() for word in line.split() if word.startswith("/")}
    assert named
    assert all(commands.find(name) for name in named)
