"""Settings as they are typed: a country that is one, room for an audience, a profile that says from when it holds."""

import pytest

from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import app, chat, hint, on_screen, send
from tests.ui.history_driving import press
from tide_chat.config import Settings
from tide_chat.ui.screens.profile import FROM_NEXT


async def test_two_letters_that_are_no_country_change_nothing(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await press(pilot, "f5", "tab", "g", "b")
        assert app(pilot).settings.country == "GB"
        await press(pilot, "backspace", "backspace", "e", "f")
        assert "There is no country EF. Until there is one, your system's country holds." in said(on_screen(pilot))
        assert app(pilot).settings.country is None  # the box was empty in between
        await press(pilot, "backspace", "backspace", "u", "k")
        assert "no country" not in on_screen(pilot)
        assert app(pilot).settings.country == "GB"
        assert doubles.words.country == "GB"


def said(screen: str) -> str:
    """Without the frame of a panel and its line ends."""
    return " ".join(screen.replace("│", " ").split())


async def test_room_for_an_audience_is_a_theme_of_the_app(open_app: OpenApp, doubles: Doubles) -> None:
    async with open_app() as pilot:
        await send(pilot, "a line")
        await send(pilot, "/theme large")
        await pilot.pause()
        view = chat(pilot).transcript.views[0]
        assert (app(pilot).theme, view.styles.padding.top) == ("large", 1)
        assert doubles.saved[-1].theme == "large"
        await send(pilot, "/theme calm-light")
        await pilot.pause()
        assert (app(pilot).theme, view.styles.padding.top) == ("calm-light", 0)


async def test_a_changed_profile_says_from_when_it_holds(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await send(pilot, "/profile")
        await press(pilot, "escape")
        assert hint(pilot) == ""
        await send(pilot, "/profile")
        await press(pilot, "down", "enter", "escape")
        assert hint(pilot) == FROM_NEXT


@pytest.mark.parametrize("keys", [("down", "enter", "escape"), ("tab", "S", "tab", "tab", "end", "enter", "escape")])
async def test_that_a_profile_cannot_be_written_is_said_last(
    open_app: OpenApp, doubles: Doubles, keys: tuple[str, ...]
) -> None:
    def save(_settings: Settings) -> None:
        raise PermissionError

    doubles.save = save
    async with open_app() as pilot:
        await send(pilot, "/profile")
        await press(pilot, *keys)
        assert chat(pilot).is_current
        assert "settings file cannot be written" in hint(pilot)
