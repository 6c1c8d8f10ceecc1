"""Every screen beside the chat: what opens it, what it does, what closes it."""

import pytest
from textual.command import CommandPalette
from textual.widgets import Input, OptionList, Static

from tests.ui.conftest import OpenApp
from tests.ui.doubles import DISCLOSURE, Doubles, Gate
from tests.ui.driving import app, chat, hint, on_screen, send, settle, until
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.errors import HubError, ModelUnusable, UsageError
from tide_chat.safety import protocol
from tide_chat.ui import themes
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.screens.disclosure import DisclosureScreen
from tide_chat.ui.screens.help import HelpScreen
from tide_chat.ui.screens.help_lines import HelpLinesScreen
from tide_chat.ui.screens.models import ModelScreen, bar
from tide_chat.ui.screens.reading import ReadingScreen
from tide_chat.ui.screens.settings import SettingsScreen


class TestFirstScreen:
    @pytest.fixture(autouse=True)
    def due(self, doubles: Doubles) -> None:
        doubles.words.due = True

    async def test_enter_accepts_it(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            assert "Before we begin" in on_screen(pilot)
            assert DISCLOSURE.splitlines()[2][:40] in on_screen(pilot)
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app(pilot).screen, ChatScreen)
            assert doubles.words.accepted == 1
            assert chat(pilot).composer.has_focus

    @pytest.mark.parametrize("key", ["f2", "h", "ctrl+l"])
    async def test_help_comes_before_accepting(self, open_app: OpenApp, doubles: Doubles, key: str) -> None:
        async with open_app() as pilot:
            await pilot.press(key)
            await pilot.pause()
            assert "Call 988" in on_screen(pilot)
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(app(pilot).screen, DisclosureScreen)
            assert doubles.words.accepted == 0

    @pytest.mark.parametrize("key", ["escape", "ctrl+p", "tab", "f4"])
    async def test_nothing_else_leads_past_it(self, open_app: OpenApp, key: str) -> None:
        async with open_app() as pilot:
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(app(pilot).screen, DisclosureScreen)

    async def test_q_leaves(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await pilot.press("q")
            await pilot.pause()
            assert app(pilot).return_value == 0
            assert doubles.words.accepted == 0

    async def test_it_can_be_scrolled_in_a_small_terminal(self, open_app: OpenApp) -> None:
        async with open_app(size=(40, 10)) as pilot:
            await pilot.press("pagedown", "pagedown")
            await pilot.pause()
            assert "reach now" in on_screen(pilot)
            assert "Enter goes on" in on_screen(pilot)


async def test_it_is_not_shown_when_it_was_accepted_today(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        assert isinstance(app(pilot).screen, ChatScreen)


async def test_about_shows_it_again_and_accepts_nothing(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, "/about")
        await pilot.pause()
        assert isinstance(app(pilot).screen, DisclosureScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app(pilot).screen, ChatScreen)
        assert doubles.words.accepted == 0


async def test_safety_shows_the_protocol(open_app: OpenApp) -> None:
    async with open_app(size=(60, 18)) as pilot:
        await send(pilot, "/safety")
        assert isinstance(app(pilot).screen, ReadingScreen)
        assert "What happens when somebody is in danger." in on_screen(pilot)
        assert app(pilot).screen.query_one("#panel-keys").region.bottom <= 18
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app(pilot).screen, ChatScreen)


async def test_the_real_protocol_can_be_read_to_its_end(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.words.protocol = protocol.blocks  # type: ignore[method-assign]
    async with open_app() as pilot:
        await send(pilot, "/safety")
        await pilot.press("end")
        await pilot.pause()
        last = " ".join(on_screen(pilot).split())
        assert protocol.blocks()[-1].text.split()[-1] in last


async def test_why_says_what_the_check_noticed_and_no_score(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await send(pilot, "/why")
        assert "There is no message yet." in on_screen(pilot)
        await pilot.press("escape")
        await send(pilot, "I want to kill myself")
        await send(pilot, "/why")
        shown = on_screen(pilot)
        assert "What made the safety check act" in shown
        assert "T3" not in shown


@pytest.mark.parametrize(
    ("key", "screen"),
    [
        ("f1", HelpScreen),
        ("f2", HelpLinesScreen),
        ("ctrl+l", HelpLinesScreen),
        ("f4", ModelScreen),
        ("f5", SettingsScreen),
        ("ctrl+n", Confirm),
        ("ctrl+p", CommandPalette),
    ],
)
async def test_a_key_opens_a_panel_and_esc_closes_it(open_app: OpenApp, key: str, screen: type) -> None:
    async with open_app() as pilot:
        chat(pilot).composer.put("a draft")
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app(pilot).screen, screen)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app(pilot).screen, ChatScreen)
        assert chat(pilot).composer.text == "a draft"


@pytest.mark.parametrize("key", ["f1", "f2", "f4", "f5"])
async def test_panels_fit_into_60x18(open_app: OpenApp, key: str) -> None:
    async with open_app(size=(60, 18)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        await pilot.pause()
        keys = app(pilot).screen.query_one("#panel-keys")
        assert keys.region.bottom <= 18
        assert "Esc" in on_screen(pilot)


async def test_the_palette_runs_a_command_from_the_table(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("ctrl+p", *"find help")
        await settle(pilot)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app(pilot).screen, HelpLinesScreen))
        assert "Text 741741" in on_screen(pilot)


class TestModels:
    async def test_installed_models_come_first_and_are_switched_to(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await pilot.press("f4")
            await pilot.pause()
            assert "smollm2-135m               in use" in on_screen(pilot)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app(pilot).screen, ChatScreen))
            assert doubles.shelf.used == ["smollm2-135m"]
            assert doubles.saved[-1].model == "smollm2-135m"

    async def test_switching_stops_the_reply_and_keeps_it(self, open_app: OpenApp, doubles: Doubles) -> None:
        doubles.engine.will_say("It makes sense. You", Gate())
        async with open_app() as pilot:
            await send(pilot, "hello", wait=False)
            await until(pilot, lambda: "It makes sense." in on_screen(pilot))
            await pilot.press("f4", "enter")
            await until(pilot, lambda: isinstance(app(pilot).screen, ChatScreen))
            await settle(pilot)
            assert doubles.shelf.used == ["smollm2-135m"]
            assert chat(pilot).transcript.entries[-1].ending == "stopped"
            doubles.engine.become(EngineState(Phase.LOADING, 0.5))
            await pilot.pause()
            assert "loading 50% · offline" in on_screen(pilot)
            assert "smollm2" not in on_screen(pilot)

    async def test_a_model_that_cannot_be_used_says_why(self, open_app: OpenApp, doubles: Doubles) -> None:
        doubles.shelf.error = ModelUnusable("This file is not a model.")
        async with open_app() as pilot:
            await pilot.press("f4", "enter")
            await until(pilot, lambda: "This file is not a model." in on_screen(pilot))
            assert doubles.saved == []

    async def test_fetching_asks_before_it_goes_online(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await pilot.press("f4", "down", "enter")
            await pilot.pause()
            assert "This uses the network" in on_screen(pilot)
            assert "1.1 GB from hub.example" in on_screen(pilot)
            await pilot.press("enter")
            await settle(pilot)
            assert isinstance(app(pilot).screen, ModelScreen)
            assert doubles.shelf.pulled == []

    async def test_a_fetch_shows_how_far_it_is_and_ends_well(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await pilot.press("f4", "down", "enter", "tab", "enter")
            await until(pilot, lambda: "45%  504 MB of 1.1 GB" in on_screen(pilot))
            doubles.shelf.gate.open()
            await settle(pilot)
            assert doubles.shelf.pulled == ["qwen2.5-1.5b-q4"]
            assert "is here now" in on_screen(pilot)

    async def test_esc_stops_a_fetch_and_stays(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await pilot.press("f4", "down", "enter", "tab", "enter")
            await until(pilot, lambda: "45%" in on_screen(pilot))
            await pilot.press("escape")
            await settle(pilot)
            assert doubles.shelf.pulled == []
            assert "Stopped. Choosing it again goes on from here." in on_screen(pilot)
            assert isinstance(app(pilot).screen, ModelScreen)

    async def test_a_failed_fetch_says_what_to_do(self, open_app: OpenApp, doubles: Doubles) -> None:
        doubles.shelf.error = HubError("The hub could not be reached.", help="Check the network connection.")
        async with open_app() as pilot:
            await pilot.press("f4", "down", "enter", "tab", "enter")
            doubles.shelf.gate.open()
            await until(pilot, lambda: "Check the network connection." in on_screen(pilot))
            assert "The hub could not be reached." in on_screen(pilot)

    def test_progress_as_text(self) -> None:
        assert bar(0, 100, 4) == "░░░░ 0%  0 bytes of 100 bytes"
        assert bar(50, 100, 4) == "██░░ 50%  50 bytes of 100 bytes"
        assert bar(300, 100, 4).startswith("████ 100%")
        assert bar(2_000_000, 0) == "2 MB so far"


class TestSettings:
    async def test_a_theme_holds_at_once_and_is_kept(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await pilot.press("f5", "down", "enter")
            await pilot.pause()
            assert app(pilot).theme == "calm-light"
            assert doubles.saved[-1].theme == "calm-light"
            assert "(x) Calm, light" in on_screen(pilot)
            assert "( ) Calm, dark" in on_screen(pilot)

    async def test_movement(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            assert app(pilot).animation_level == "none"
            assert not chat(pilot).composer.cursor_blink
            await pilot.press("f5")
            options = app(pilot).screen.query_one(OptionList)
            options.highlighted = options.get_option_index("motion")
            await pilot.press("enter")
            await pilot.pause()
            assert app(pilot).animation_level == "full"
            assert chat(pilot).composer.cursor_blink
            assert doubles.saved[-1].reduced_motion is False

    async def test_a_country_is_two_letters(self, open_app: OpenApp, doubles: Doubles) -> None:
        async with open_app() as pilot:
            await pilot.press("f5", "tab", "g")
            await pilot.pause()
            assert doubles.saved == []
            assert "Two letters" in str(app(pilot).screen.query_one("#setting-note", Static).render())
            await pilot.press("b")
            await pilot.pause()
            assert doubles.saved[-1].country == "GB"
            assert doubles.words.country == "GB"
            app(pilot).screen.query_one(Input).value = ""
            await pilot.pause()
            assert doubles.saved[-1].country is None

    @pytest.mark.parametrize("error", [PermissionError("read-only"), UsageError("The file is not valid TOML.")])
    async def test_settings_that_cannot_be_kept(self, open_app: OpenApp, doubles: Doubles, error: Exception) -> None:
        def refuse(_settings: object) -> None:
            raise error

        doubles.save = refuse
        async with open_app() as pilot:
            await send(pilot, "/theme calm-light")
            assert app(pilot).theme == "calm-light"
            assert "cannot be written" in hint(pilot)


class TestThemeChoice:
    def test_no_color_wins(self) -> None:
        assert themes.chosen("calm-light", {"NO_COLOR": "1"}) == themes.NO_COLOUR
        assert themes.chosen("calm-light", {"NO_COLOR": ""}) == "calm-light"

    def test_an_unknown_name_is_the_default(self) -> None:
        assert themes.chosen("neon", {}) == themes.DEFAULT

    def test_motion_by_the_environment(self) -> None:
        assert themes.still(False, {"TEXTUAL_ANIMATIONS": "none"})
        assert not themes.still(False, {})
        assert themes.still(True, {})
