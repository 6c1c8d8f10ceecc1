"""The care tools are there from anywhere by one key, with any model or none, and Esc leads back."""

import pytest

from tests.ui.care_driving import CARE, KEYS, press, screen, title
from tests.ui.conftest import OpenApp
from tests.ui.doubles import CARD, DIED, Doubles, Gate
from tests.ui.driving import chat, on_screen, send, settle, until
from tide_chat.care.keeping import Care, Paper
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.errors import TideError
from tide_chat.events import Stage
from tide_chat.ui.screens.care.breathing import BreathingScreen
from tide_chat.ui.screens.care.tool import StepsScreen
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.disclosure import DisclosureScreen
from tide_chat.ui.screens.help_lines import HelpLinesScreen
from tide_chat.ui.screens.models import ModelScreen
from tide_chat.ui.widgets.card import CardDeck
from tide_chat.ui.widgets.status import StatusLine


class TestAnywhere:
    async def test_one_key_opens_and_esc_brings_the_draft_back(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            chat(pilot).composer.put("a draft")
            for key in KEYS:
                await press(pilot, key)
                assert not isinstance(screen(pilot), ChatScreen), key
                await press(pilot, "escape")
                assert isinstance(screen(pilot), ChatScreen), key
            assert chat(pilot).composer.text == "a draft"
            assert chat(pilot).composer.has_focus

    async def test_while_the_model_loads_and_when_it_is_dead(self, open_app: OpenApp, doubles: Doubles) -> None:
        for state in (EngineState(Phase.LOADING, 0.4), EngineState(Phase.NO_MODEL, error=TideError("gone"))):
            doubles.engine.become(state)
            async with open_app() as pilot:
                await press(pilot, "f10")
                assert isinstance(screen(pilot), StepsScreen)
        doubles.engine.become(EngineState(Phase.NO_MODEL))

    async def test_while_a_reply_streams_and_it_goes_on_behind(self, open_app: OpenApp, doubles: Doubles) -> None:
        gate = Gate()
        doubles.engine.will_say("It makes sense. ", gate, "It really does.")
        async with open_app() as pilot:
            await send(pilot, "Nobody noticed.", wait=False)
            await until(pilot, lambda: chat(pilot).query_one(StatusLine).status.stage is Stage.WRITING)
            await press(pilot, "f9")
            assert isinstance(screen(pilot), BreathingScreen)
            gate.open()
            await settle(pilot)
            await press(pilot, "escape")
            assert "It really does." in on_screen(pilot)
            assert doubles.said() == ["Nobody noticed."]

    async def test_when_the_engine_dies_behind_it(self, open_app: OpenApp, doubles: Doubles) -> None:
        doubles.engine.will_say("It", DIED)
        async with open_app() as pilot:
            await press(pilot, "f10", "enter")
            doubles.engine.become(EngineState(Phase.RESTARTING))
            await settle(pilot)
            assert "2 of 6" in title(pilot)

    async def test_from_a_card_from_a_panel_and_from_the_first_screen(
        self, open_app: OpenApp, doubles: Doubles
    ) -> None:
        doubles.words.due = True
        async with open_app() as pilot:
            await press(pilot, "f10", "escape")
            assert isinstance(screen(pilot), DisclosureScreen)
            await press(pilot, "enter", "f4", "alt+w", "escape")
            assert isinstance(screen(pilot), ModelScreen)
            await press(pilot, "escape")
            chat(pilot).query_one(CardDeck).pin(CARD)
            await press(pilot, "f3", "f12", "escape")
            assert chat(pilot).query_one(CardDeck).has_focus

    async def test_one_tool_takes_the_place_of_another(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await press(pilot, "f8", "f10", "f9", "alt+c", "alt+l", "f12")
            assert len(pilot.app.screen_stack) == 3  # Textual's own, the chat, the tool
            await press(pilot, "escape")
            assert isinstance(screen(pilot), ChatScreen)

    async def test_the_same_key_again_does_not_begin_again(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await press(pilot, "f10", "enter", "f10")
            assert "2 of 6" in title(pilot)

    async def test_people_are_one_key_away(self, open_app: OpenApp, care: Care) -> None:
        care.papers.put(Paper.CONTACTS, "Maria, my sister: 555 0100")
        async with open_app() as pilot:
            for key in ("f8", "f9", "f10", "alt+c", "alt+l"):
                await press(pilot, key)
                before = screen(pilot)
                await press(pilot, "f2")
                assert isinstance(screen(pilot), HelpLinesScreen)
                assert "Call 988" in on_screen(pilot)
                assert "Maria, my sister: 555 0100" in on_screen(pilot)
                await press(pilot, "escape")
                assert screen(pilot) is before

    @pytest.mark.parametrize(
        "opened_by", ["f1", "f4", "f5", "ctrl+n", "/profile", "/contacts", "/about-me", "/summary", "/safety"]
    )
    async def test_people_are_one_key_away_from_any_panel(
        self, open_app: OpenApp, care: Care, doubles: Doubles, opened_by: str
    ) -> None:
        care.papers.put(Paper.CONTACTS, "Maria, my sister: 555 0100")
        doubles.engine.will_say("It makes sense.")
        async with open_app() as pilot:
            await send(pilot, "It was loud.")
            await (send(pilot, opened_by) if opened_by.startswith("/") else press(pilot, opened_by))
            before = screen(pilot)
            assert not isinstance(before, ChatScreen)
            for key in ("f2", "ctrl+l"):
                await press(pilot, key)
                assert isinstance(screen(pilot), HelpLinesScreen), key
                assert "Maria, my sister: 555 0100" in on_screen(pilot)
                await press(pilot, "f2")
                assert screen(pilot) is before

    async def test_by_words_from_the_box_and_from_the_palette(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            for command in CARE:
                await send(pilot, command.slash)
                assert not isinstance(screen(pilot), ChatScreen), command.name
                await press(pilot, "escape")
            await press(pilot, "ctrl+p", *"muscle", "enter")
            await settle(pilot)
            assert "Muscle release" in title(pilot)
