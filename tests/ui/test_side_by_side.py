"""Compare in the app: both replies, ratings by key, names only afterwards."""

import csv
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from tests.ui.clinician_doubles import FakeSession, core_of, desk_of
from tests.ui.doubles import Doubles
from tests.ui.driving import app, on_screen, send, settle, until
from tide_chat.clinician import sides
from tide_chat.clinician.ratings import Sitting
from tide_chat.clinician.sides import Answer, Comparison, Pair, Side, swapped
from tide_chat.engine.base import Cancel
from tide_chat.errors import ModelUnusable
from tide_chat.events import TurnResult
from tide_chat.safety.assessment import Assessment, Tier
from tide_chat.safety.cards import cards_for
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.clinician import doors
from tide_chat.ui.screens.clinician.side_by_side import (
    KEYS,
    ONCE_MORE,
    RATING_KEYS,
    CompareApp,
    CompareScreen,
)
from tide_chat.ui.screens.disclosure import DisclosureScreen
from tide_chat.ui.widgets.card import CardDeck

BOTH = (Side("smol", "smol", "zs"), Side("smol-tide", "smol", "ft"))


class FakeComparison(Comparison):
    """Replies that a test gives, in the order of the real one."""

    def __init__(self, replies: Sequence[TurnResult | ModelUnusable], *, blind: bool = True, seed: int = 1) -> None:
        self.sides, self.blind, self.seed = BOTH, blind, seed
        self._replies: Iterator[TurnResult | ModelUnusable] = iter(replies)
        self._count = 0

    def answer(self, text: str, cancel: Cancel, say: object = None, show: object = None) -> Pair:
        self._count += 1
        made = []
        for side in BOTH:
            reply = next(self._replies)
            if isinstance(reply, ModelUnusable):
                raise reply
            made.append(Answer(side, reply))
        first, second = made[::-1] if self.blind and swapped(self.seed, self._count) else made
        return Pair(self._count, text, (first, second))


def said(text: str, route: str = "model") -> TurnResult:
    return TurnResult(text, Assessment(), route=route)


@pytest.fixture
def sitting(tmp_path: Path) -> Sitting:
    return Sitting(tmp_path / "out", "r1", "panic", datetime(2026, 3, 1, tzinfo=UTC))


@asynccontextmanager
async def comparing(
    doubles: Doubles, comparison: Comparison, sitting: Sitting, size: tuple[int, int] = (110, 30)
) -> AsyncIterator[Pilot[int]]:
    core = core_of(doubles, desk_of(doubles, Path("model.gguf")))
    async with CompareApp(core, comparison, sitting).run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


def rows(sitting: Sitting) -> list[dict[str, str]]:
    with (sitting.folder / "ratings.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_two_keys_rate_and_then_the_names_are_told(doubles: Doubles, sitting: Sitting) -> None:
    comparison = FakeComparison([said("Plain words."), said("Warm words.")])
    async with comparing(doubles, comparison, sitting) as pilot:
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "A. How empathetic is it?" in on_screen(pilot))
        shown = on_screen(pilot)
        assert "Plain words." in shown
        assert "Warm words." in shown
        assert "smol" not in shown
        assert any("Plain words." in line and "Warm words." in line for line in shown.splitlines())
        await pilot.press("7", "x", "4")
        await until(pilot, lambda: "And B?" in on_screen(pilot))
        assert "smol" not in on_screen(pilot)
        await pilot.press("2")
        await until(pilot, lambda: "A: 4, B: 2. Kept." in on_screen(pilot))
        assert "smol (as it comes)" in on_screen(pilot)
        assert "smol-tide (tuned)" in on_screen(pilot)
        found = {row["state"]: row["rating"] for row in rows(sitting)}
        assert found == {"zs": "4", "ft": "2"}
        assert {row["model"] for row in rows(sitting)} == {"smol"}


async def test_a_slip_of_the_finger_on_the_first_one_can_be_mended(doubles: Doubles, sitting: Sitting) -> None:
    comparison = FakeComparison([said("Plain words."), said("Warm words.")])
    async with comparing(doubles, comparison, sitting, (80, 24)) as pilot:
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "A. How empathetic is it?" in on_screen(pilot))
        await pilot.press("backspace", "1")
        await until(pilot, lambda: ONCE_MORE in on_screen(pilot))
        await pilot.press("backspace")
        await until(pilot, lambda: "A. How empathetic is it?" in on_screen(pilot))
        await pilot.press("5", "2")
        await until(pilot, lambda: "A: 5, B: 2. Kept." in on_screen(pilot))
        assert sorted(row["rating"] for row in rows(sitting)) == ["2", "5"]
        await pilot.press("escape")
        await until(pilot, lambda: "1 pair rated." in on_screen(pilot))
        assert " ft" not in on_screen(pilot)
        assert "(tuned): " in on_screen(pilot)


async def test_below_100_columns_they_stand_below_each_other_and_open_tells_names(
    doubles: Doubles, sitting: Sitting
) -> None:
    comparison = FakeComparison([said("Plain words."), said("Warm words.")], blind=False)
    async with comparing(doubles, comparison, sitting, (80, 24)) as pilot:
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "Warm words." in on_screen(pilot))
        lines = on_screen(pilot).splitlines()
        assert not any("Plain words." in line and "Warm words." in line for line in lines)
        assert "A · smol (as it comes)" in on_screen(pilot)


async def test_prepared_words_are_not_rated(doubles: Doubles, sitting: Sitting) -> None:
    comparison = FakeComparison([said("Are you safe?", "authored"), said("Are you safe?", "authored")])
    async with comparing(doubles, comparison, sitting) as pilot:
        await pilot.press(*"help", "enter")
        await until(pilot, lambda: "These are not rated." in on_screen(pilot))
        await pilot.press("5")
        await pilot.pause()
        assert sitting.ratings == []
        assert not sitting.folder.exists()


LONG = " ".join(f"word{number}" for number in range(40))  # four rows of 80 columns


async def test_below_a_card_both_replies_can_be_read_while_they_are_rated(doubles: Doubles, sitting: Sitting) -> None:
    """A card took so much of 24 rows that two replies were rated of which none could be seen."""
    comparison = FakeComparison([said(LONG), said(LONG)])
    async with comparing(doubles, comparison, sitting, (80, 24)) as pilot:
        screen = cast(CompareScreen, pilot.app.screen)
        screen.query_one(CardDeck).pin(cards_for(Assessment(Tier.T3), None)[0])
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: on_screen(pilot).count("word39") == 2)
        assert "112" in on_screen(pilot)
        assert RATING_KEYS in on_screen(pilot)
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(screen.focused, CardDeck))
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "112" not in on_screen(pilot))
        await pilot.press("3", "4")
        await until(pilot, lambda: "Kept." in on_screen(pilot))
        assert screen.composer.has_focus


async def test_a_choice_of_a_card_goes_into_the_box(doubles: Doubles, sitting: Sitting) -> None:
    async with comparing(doubles, FakeComparison([]), sitting, (80, 24)) as pilot:
        screen = cast(CompareScreen, pilot.app.screen)
        screen.query_one(CardDeck).post_message(CardDeck.Chosen("Help me to get grounded"))
        await until(pilot, lambda: screen.composer.text == "Help me to get grounded")


async def test_a_model_that_fails_is_said_and_one_can_go_on(doubles: Doubles, sitting: Sitting) -> None:
    comparison = FakeComparison([ModelUnusable("This file is not a model."), said("One."), said("Two.")])
    async with comparing(doubles, comparison, sitting) as pilot:
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "This file is not a model." in on_screen(pilot))
        await pilot.press(*"again", "enter")
        await until(pilot, lambda: "A. How empathetic is it?" in on_screen(pilot))


async def test_esc_asks_and_f2_is_there_also_before_anything(doubles: Doubles, sitting: Sitting) -> None:
    doubles.words.due = True
    async with comparing(doubles, FakeComparison([]), sitting) as pilot:
        assert isinstance(app(pilot).screen, DisclosureScreen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app(pilot).screen, CompareScreen))
        await pilot.press("f2")
        await until(pilot, lambda: "People you can reach" in on_screen(pilot))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: "End here?" in on_screen(pilot))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: app(pilot).return_value == 0)


# -- from inside the app -----------------------------------------------------------------------------------------------


async def test_from_the_chat_it_opens_beside_the_conversation_which_stays(
    doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "sides", lambda *_: BOTH)
    desk = desk_of(doubles, tmp_path / "model.gguf")
    for words in ("That is a long day.", "Plain words.", "Warm words."):
        doubles.engine.will_say(words)
    async with TideChatApp(core_of(doubles, desk)).run_test(size=(110, 30)) as pilot:
        await send(pilot, "Such a day.")
        before = desk.talk.conversation
        await send(pilot, f"/compare smol smol-tide '{tmp_path / 'my ratings'}' open")
        assert "not encrypted" in on_screen(pilot)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app(pilot).screen, CompareScreen))
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "A. How empathetic is it?" in on_screen(pilot))
        assert any("Plain words." in line and "Warm words." in line for line in on_screen(pilot).splitlines())
        assert "A · smol (as it comes)" in on_screen(pilot)
        assert "could not run" not in on_screen(pilot)
        await pilot.press("4", "2", "escape", "tab", "enter")
        await until(pilot, lambda: isinstance(app(pilot).screen, ChatScreen))
        await settle(pilot)
        assert desk.talk.conversation == before
        assert cast("FakeSession", desk.session).used == ["smol", "smol-tide", None]
        assert (tmp_path / "my ratings" / "ratings.csv").is_file()
        assert "That is a long day." in on_screen(pilot)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "/compare MODEL MODEL FOLDER"),
        ("one two", "/compare MODEL MODEL FOLDER"),
        ("one two three shut", "/compare MODEL MODEL FOLDER"),
        ("one two 'three", "/compare MODEL MODEL FOLDER"),
        ("nothing-like-it nor-this ratings", "nothing-like-it"),
    ],
)
async def test_what_cannot_be_compared_is_said_in_a_line(doubles: Doubles, words: str, said: str) -> None:
    async with TideChatApp(core_of(doubles, desk_of(doubles, Path("model.gguf")))).run_test(size=(110, 30)) as pilot:
        await send(pilot, f"/compare {words}")
        assert said in on_screen(pilot)
        assert isinstance(app(pilot).screen, ChatScreen)


async def test_a_folder_that_cannot_be_is_said_in_a_line(doubles: Doubles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "sides", lambda *_: BOTH)
    async with TideChatApp(core_of(doubles, desk_of(doubles, Path("model.gguf")))).run_test(size=(110, 30)) as pilot:
        await send(pilot, f"/compare smol smol-tide {'f' * 300}")
        assert "File name too long" in on_screen(pilot)
        assert isinstance(app(pilot).screen, ChatScreen)


async def test_nothing_is_opened_or_written_unless_it_is_agreed_to(
    doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "sides", lambda *_: BOTH)
    desk = desk_of(doubles, Path("model.gguf"))
    async with TideChatApp(core_of(doubles, desk)).run_test(size=(110, 30)) as pilot:
        await send(pilot, f"/compare smol smol-tide {tmp_path / 'ratings'}")
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app(pilot).screen, ChatScreen)
        assert not (tmp_path / "ratings").exists()
        assert cast("FakeSession", desk.session).used == []


async def test_while_another_conversation_is_being_opened_nothing_is_compared(doubles: Doubles) -> None:
    async with TideChatApp(core_of(doubles, desk_of(doubles, Path("model.gguf")))).run_test(size=(110, 30)) as pilot:
        app(pilot).chat.turns.held = True
        app(pilot).chat.action_compare("smollm2-135m smollm2-135m ratings")
        await settle(pilot)
        assert isinstance(app(pilot).screen, ChatScreen)
        assert "Another conversation is being opened" in on_screen(pilot)


def test_a_path_of_windows_keeps_its_backslashes() -> None:
    assert doors._parts(r"one two C:\Users\me\ratings") == ["one", "two", r"C:\Users\me\ratings"]
    assert doors._parts(r"one two 'D:\my ratings' open") == ["one", "two", r"D:\my ratings", "open"]
    assert doors._parts("one two ratings#2") == ["one", "two", "ratings#2"]


async def test_every_key_is_named_whole_in_80_columns(doubles: Doubles, sitting: Sitting) -> None:
    async with comparing(doubles, FakeComparison([]), sitting, size=(80, 24)) as pilot:
        assert KEYS in on_screen(pilot)
    assert len(RATING_KEYS) <= 76
