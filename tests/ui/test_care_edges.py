"""Where little works: a locked history, a tiny terminal; and what cards say of the tools."""

import pytest
from textual.widgets import OptionList

from tests.ui.care_driving import CARE, NOW, flat, press, screen
from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import chat, hint, on_screen, send, settle
from tide_chat.care.checkin import CheckIn
from tide_chat.care.keeping import Care, Paper
from tide_chat.care.tools import find
from tide_chat.errors import TideError
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.widgets.card import CardDeck


class Locked:
    """A history that cannot be used."""

    def get(self, name: Paper) -> str:
        raise TideError("The history is locked.")

    def put(self, name: Paper, text: str) -> None:
        raise TideError("The history is locked.")

    def read(self) -> tuple[CheckIn, ...]:
        raise TideError("The history is locked.")

    def add(self, check_in: CheckIn) -> None:
        raise TideError("The history is locked.")

    def clear(self) -> None:
        raise TideError("The history is locked.")


async def test_with_a_locked_history_every_tool_is_there(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.care = Care(Locked(), Locked(), kept=True)
    async with open_app() as pilot:
        for command in CARE:
            await send(pilot, command.slash)
            if command.name == "contacts":  # an empty form would be kept over what is there
                assert isinstance(screen(pilot), ChatScreen)
                assert [one.message for one in pilot.app._notifications] == ["The history is locked."]
                continue
            assert not isinstance(screen(pilot), ChatScreen), command.name
            await press(pilot, "escape")
        await press(pilot, "f2", "escape", "alt+c", "9", "enter")
        assert "The history is locked." in flat(pilot)
        assert "Call 988" in on_screen(pilot)
        await press(pilot, "f8", "end", "enter")
        assert "The history is locked." in flat(pilot)


async def test_the_plan_stands_on_the_card_and_the_number_stays_first_where_it_is_urgent(
    open_app: OpenApp, doubles: Doubles
) -> None:
    doubles.talk.plan = lambda: "My safety plan\n- People: Maria"
    async with open_app(size=(120, 40)) as pilot:
        await send(pilot, "I am such a burden that everyone would be better off without me")
        text = on_screen(pilot)
        assert text.index("People: Maria") < text.index("988")
        await send(pilot, "I am going to kill myself tonight")
        text = on_screen(pilot)
        assert text.index("911") < text.index("People: Maria")


async def test_a_choice_of_a_card_tells_of_its_screen(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        chat(pilot).on_card_deck_chosen(CardDeck.Chosen("I would like a short grounding exercise"))
        await settle(pilot)
        assert hint(pilot) == "F10 goes through it step by step."


@pytest.mark.parametrize("size", [(1, 1), (5, 2), (30, 12)])
async def test_no_terminal_is_too_small_to_break_it(open_app: OpenApp, care: Care, size: tuple[int, int]) -> None:
    care.journal.add(CheckIn(NOW, 4))
    async with open_app(size=size) as pilot:
        for command in CARE:
            await send(pilot, command.slash)
            await press(pilot, "enter", "escape")
            if isinstance(screen(pilot), Confirm):  # Enter was a new line in a form
                await press(pilot, "right", "enter")
            assert isinstance(screen(pilot), ChatScreen), command.name
        await pilot.resize_terminal(80, 24)
        await press(pilot, "f10")
        assert find("grounding").steps[0].text in flat(pilot)


async def test_the_menu_and_the_numbers_fit_80x24(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        for key in ("f8", "alt+c"):
            await press(pilot, key)
            rows = screen(pilot).query_one(OptionList)
            assert rows.region.height == len(rows.options)
            assert screen(pilot).query_one("#panel-keys").region.bottom <= 23


async def test_a_key_that_comes_while_the_app_is_going_changes_nothing(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await press(pilot, "f10")
        await screen(pilot).query("#panel").remove()  # as Textual does, before the keys stop
        await press(pilot, "enter", "right", "escape")
        assert isinstance(screen(pilot), ChatScreen)
