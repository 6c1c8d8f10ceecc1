"""The app in terminals of any size: everything usable at 60x18, nothing breaks below."""

from dataclasses import replace

import pytest

from tests.ui.conftest import OpenApp
from tests.ui.doubles import CARD, Doubles
from tests.ui.driving import app, chat, on_screen, send
from tide_chat.ui.widgets.card import CardDeck, Choice
from tide_chat.ui.widgets.status import StatusLine

KEYS = ("f1", "f2", "f4", "f5", "ctrl+n", "ctrl+p")


@pytest.mark.parametrize("size", [(1, 1), (1, 24), (2, 5), (5, 2), (80, 1), (10, 10)])
async def test_tiny_terminals_break_nothing(open_app: OpenApp, doubles: Doubles, size: tuple[int, int]) -> None:
    async with open_app() as pilot:
        await send(pilot, "hello")
        chat(pilot).query_one(CardDeck).pin(CARD)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await send(pilot, "still here")
        for key in KEYS:
            await pilot.press(key)
            await pilot.pause()
            await pilot.press("escape")
            await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert doubles.said() == ["hello", "still here"]
        assert "Call 988" in on_screen(pilot)
        assert "still here" in on_screen(pilot)


async def test_the_app_starts_in_a_column_of_one(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.words.due = True
    async with open_app(size=(1, 1)) as pilot:
        await pilot.press("enter")
        await send(pilot, "hello")
        assert doubles.said() == ["hello"]


async def test_with_a_card_everything_is_usable_at_60x18(open_app: OpenApp) -> None:
    async with open_app(size=(60, 18)) as pilot:
        await send(pilot, "A long day.")
        chat(pilot).query_one(CardDeck).pin(CARD)
        await pilot.pause()
        text = on_screen(pilot)
        for part in ("Call 988", "Text 741741", "Call 911", "I hear you.", "Write here", "ready · offline", "Ctrl+Q"):
            assert part in text
        assert chat(pilot).query_one(StatusLine).region.bottom == 18
        await pilot.press("f3", "end")
        await pilot.pause()
        assert "Put this card away" in on_screen(pilot)
        await pilot.press("escape")
        assert chat(pilot).composer.has_focus


async def test_a_card_that_was_read_leaves_room_for_the_talk(open_app: OpenApp) -> None:
    quiet = replace(CARD, id="t2", urgent=False)
    async with open_app(size=(80, 24)) as pilot:
        deck = chat(pilot).query_one(CardDeck)
        deck.pin(quiet)
        await pilot.pause()
        assert deck.region.height == 12
        await send(pilot, "I would like to make a safety plan")
        assert deck.region.height == 6
        assert all(part in on_screen(pilot) for part in (CARD.title, "Call 988", "Text 741741", "Call 911"))
        await pilot.press("f3")
        await pilot.pause()
        assert deck.region.height == 12
        await pilot.press("escape")
        deck.pin(quiet)  # the same again
        await pilot.pause()
        assert deck.region.height == 6
        deck.pin(replace(CARD, urgent=True))
        await pilot.pause()
        assert deck.region.height == 12
        await send(pilot, "Yes.")
        assert deck.region.height == 12


@pytest.mark.parametrize(
    ("size", "seen"), [((80, 24), ("Call 988", "Text 741741", "Call 911")), ((40, 12), ("Call 988",))]
)
async def test_a_card_that_was_read_keeps_its_numbers_and_grows_nowhere(
    open_app: OpenApp, size: tuple[int, int], seen: tuple[str, ...]
) -> None:
    plan = "\n".join(f"step {number}" for number in range(9))
    async with open_app(size=size) as pilot:
        deck = chat(pilot).query_one(CardDeck)
        deck.pin(replace(CARD, id="t2", plan=plan))
        await pilot.pause()
        first = deck.region.height
        await send(pilot, "Yes.")
        assert deck.region.height <= first
        assert all(number in on_screen(pilot) for number in seen)
        await pilot.press("tab")
        assert deck.has_focus
        await pilot.pause()
        assert "step 0" in on_screen(pilot)
        await pilot.press("tab")
        await pilot.pause()
        assert isinstance(pilot.app.focused, Choice)
        assert "distance" in on_screen(pilot)  # of the first choice
        await pilot.press("escape")
        await pilot.pause()
        assert "Call 988" in on_screen(pilot)


async def test_a_long_draft_leaves_the_card_in_sight(open_app: OpenApp) -> None:
    async with open_app(size=(60, 18)) as pilot:
        chat(pilot).query_one(CardDeck).pin(CARD)
        chat(pilot).composer.put("line\n" * 30)
        await pilot.pause()
        assert "Call 988" in on_screen(pilot)
        assert app(pilot).chat.query_one(StatusLine).region.bottom == 18


async def test_numbers_are_tall_where_there_is_room(open_app: OpenApp) -> None:
    async with open_app(size=(80, 30)) as pilot:
        chat(pilot).query_one(CardDeck).pin(CARD)
        await pilot.pause()
        assert app(pilot).screen.query("Digits").first().region.height == 3
        await pilot.resize_terminal(60, 18)
        await pilot.pause()
        assert app(pilot).screen.query("Digits").first().region.height == 0
