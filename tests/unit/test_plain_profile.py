"""`/profile` in `plain`: by words, and only what was wished goes into the file."""

from pathlib import Path

import pytest

from tests.unit.plain_room import Room, Typed
from tide_chat import config
from tide_chat.commands.plain import Plain
from tide_chat.profile import Profile, Style
from tide_chat.safety import disclosure


@pytest.fixture(autouse=True)
def accepted(tide_home: Path) -> None:
    disclosure.accept()


def talk(*typed: str) -> Profile:
    room = Room("Yes.")
    Plain(room, Typed(*typed)).run()
    return room.companion.profile


def test_without_a_word_it_says_what_holds_and_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("/profile") == Profile()
    out = capsys.readouterr().out
    assert "Replies: As they come. Called: nothing. Not to bring up: nothing named." in out
    assert all(f"\n{style}: " in out for style in Style)


def test_a_style_is_used_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("/profile layered").style is Style.LAYERED
    assert config.load().reply_style == "layered"
    assert "Replies: Understood, then something to try." in capsys.readouterr().out


def test_name_and_topics_are_kept_only_by_choice() -> None:
    assert talk("/profile name Sam", "/profile topics the lake, dogs") == Profile(
        name="Sam", topics=("the lake", "dogs")
    )
    assert config.read_text() == ""
    talk("/profile name Sam", "/profile keep", "/profile topics dogs")
    assert (config.load().call_me, config.load().avoid_topics) == ("Sam", "dogs")
    assert talk("/profile name Sam", "/profile forget").name == "Sam"
    assert (config.load().call_me, config.load().avoid_topics) == (None, None)


def test_an_empty_one_takes_it_away() -> None:
    assert talk("/profile name Sam", "/profile name") == Profile()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("/profile long", "There is no /profile long."),
        (f"/profile name {'x' * 41}", "That is longer than 40 characters."),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(wrong: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert talk(wrong, "Hello there.") == Profile()
    out = capsys.readouterr().out
    assert said in out
    assert "Reply: Yes." in out
