"""What is really drawn, measured: every letter of every screen in every theme against WCAG AA."""

from collections.abc import Awaitable, Callable

import pytest
from rich.color import ColorType
from rich.style import Style
from textual.pilot import Pilot

from tests.ui.conftest import OpenApp
from tests.ui.doubles import CARD, Doubles
from tests.ui.driving import app, chat, send, settle, strips
from tide_chat.config import Settings
from tide_chat.ui import themes
from tide_chat.ui.widgets.card import CardDeck

AA = 4.5
Step = Callable[[Pilot[int]], Awaitable[None]]


async def talk(pilot: Pilot[int]) -> None:
    await send(pilot, "A long day.")
    chat(pilot).transcript.notice("A line about what happened.")
    chat(pilot).query_one(CardDeck).pin(CARD)
    chat(pilot).hint("A hint.")
    await pilot.pause()


def press(*keys: str) -> Step:
    async def step(pilot: Pilot[int]) -> None:
        await pilot.press(*keys)
        await settle(pilot)

    return step


STEPS: dict[str, Step] = {
    "chat": talk,
    "suggestions": press("/"),
    "writing": press("a", "b"),
    "help": press("f1"),
    "help lines": press("f2"),
    "models": press("f4"),
    "settings": press("f5"),
    "confirm": press("ctrl+n"),
    "care tools": press("f8"),
    "a number": press("alt+c", "8", "enter"),
    "own words": press("alt+l", "e", "a"),
    "palette": press("ctrl+p"),
    "palette, searching": press("ctrl+p", "h", "e"),
}


def luminance(rgb: tuple[int, int, int]) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    linear = [c / 3294.6 if c <= 10.31475 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(style: Style) -> float:
    assert style.color is not None
    assert style.bgcolor is not None
    assert style.color.triplet is not None
    assert style.bgcolor.triplet is not None
    one, two = sorted((luminance(style.color.triplet), luminance(style.bgcolor.triplet)), reverse=True)
    return (one + 0.05) / (two + 0.05)


def lettered(pilot: Pilot[int]) -> list[tuple[str, Style]]:
    """Pieces of text with letters or digits in them, and how they are drawn."""
    pieces = [(segment.text, segment.style) for strip in strips(pilot) for segment in strip]
    return [(text, style) for text, style in pieces if style and any(c.isalnum() for c in text)]


def test_the_measure_itself() -> None:
    assert ratio(Style(color="#000000", bgcolor="#ffffff")) == pytest.approx(21)
    assert ratio(Style(color="#777777", bgcolor="#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [name for name in themes.TITLES if name != themes.NO_COLOUR])
@pytest.mark.parametrize("name", STEPS)
async def test_every_letter_can_be_read(open_app: OpenApp, doubles: Doubles, theme: str, name: str) -> None:
    doubles.settings = Settings(theme=theme, reduced_motion=True)
    async with open_app() as pilot:
        await STEPS[name](pilot)
        found = lettered(pilot)
        assert len(found) >= 5
        faint = {text.strip(): round(ratio(style), 2) for text, style in found if ratio(style) < AA}
        assert faint == {}
        assert not any(style.dim for _, style in found)


@pytest.mark.parametrize("theme", [name for name in themes.TITLES if name != themes.NO_COLOUR])
async def test_the_first_screen_can_be_read(open_app: OpenApp, doubles: Doubles, theme: str) -> None:
    doubles.settings = Settings(theme=theme)
    doubles.words.due = True
    async with open_app() as pilot:
        assert min(ratio(style) for _, style in lettered(pilot)) >= AA


@pytest.mark.parametrize("name", STEPS)
async def test_without_colour_there_is_none(open_app: OpenApp, doubles: Doubles, name: str) -> None:
    doubles.settings = Settings(theme=themes.NO_COLOUR, reduced_motion=True)
    async with open_app() as pilot:
        await STEPS[name](pilot)
        colours = {colour for _, style in lettered(pilot) for colour in (style.color, style.bgcolor) if colour}
        assert {colour.type for colour in colours} <= {ColorType.DEFAULT}


async def test_without_colour_the_chosen_row_is_marked(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.settings = Settings(theme=themes.NO_COLOUR, reduced_motion=True)
    async with open_app() as pilot:
        await pilot.press("f4", "down")
        await pilot.pause()
        marked = [text for text, style in lettered(pilot) if style.underline]
        assert any("qwen2.5-1.5b-q4" in text for text in marked)
        assert not any("smollm2" in text for text in marked)


async def test_no_color_in_the_environment(
    open_app: OpenApp, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    doubles.settings = Settings(theme="calm-light", reduced_motion=True)
    async with open_app() as pilot:
        assert app(pilot).theme == themes.NO_COLOUR
        await send(pilot, "/theme calm-light")
        assert app(pilot).theme == themes.NO_COLOUR


async def test_who_speaks_is_clear_without_colour(open_app: OpenApp, doubles: Doubles) -> None:
    doubles.settings = Settings(theme=themes.NO_COLOUR, reduced_motion=True)
    async with open_app() as pilot:
        await send(pilot, "hello")
        rows = [strip.text.rstrip() for strip in strips(pilot)]
        assert any(row.endswith(("▌ You", "▌You")) for row in rows)
        assert any(row.strip() == "Tide" for row in rows)
