"""What keeps the screens of a large history quick: drawn once, read ahead, and no more made than is in sight."""

import asyncio
import gc
from collections.abc import Iterator
from contextvars import Context
from pathlib import Path
from types import FunctionType, ModuleType

import pytest
from textual._compositor import Compositor
from textual.app import App
from textual.dom import DOMNode
from textual.widgets import Input

from tests.ui.care_driving import screen
from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import app, chat, on_screen, settle
from tests.ui.history_driving import kept_history, open_list, press, reply, unlock, user
from tide_chat.safety import lexicon
from tide_chat.ui.screens.history.choices import Choice
from tide_chat.ui.screens.history.lists import PAUSE_S, HistoryScreen, TurnsScreen
from tide_chat.ui.screens.history.side import WIDTH
from tide_chat.ui.widgets.transcript import FIRST

LONG = [user(f"line {n}") if n % 2 == 0 else reply(f"answer {n}") for n in range(100)]


@pytest.fixture(autouse=True)
def history(doubles: Doubles, tmp_path: Path, cheap_keys: None) -> None:
    kept_history(doubles, tmp_path / "history", LONG)


async def test_the_list_stands_in_its_place_before_it_is_first_drawn(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[bool, int]] = []
    first = HistoryScreen._refresh_layout

    def laid_out(self: HistoryScreen, *arguments: object, **options: object) -> None:
        first(self, *arguments, **options)  # type: ignore[arg-type]
        if self in self.app.screen_stack:  # made ready before, it is laid out and not drawn
            drawn.append((self.has_class("-beside"), self.tide.chat.composer.region.x))

    monkeypatch.setattr(HistoryScreen, "_refresh_layout", laid_out)
    async with open_app(size=(120, 30)) as pilot:
        await unlock(pilot)
        await open_list(pilot)
    assert drawn
    assert set(drawn) == {(True, WIDTH)}


async def test_a_list_over_the_list_leaves_the_room_for_the_one_below(open_app: OpenApp) -> None:
    async with open_app(size=(120, 30)) as pilot:
        await unlock(pilot)
        await open_list(pilot)
        app(pilot).act_on(1, Choice.COPY)
        await settle(pilot)
        assert isinstance(screen(pilot), TurnsScreen)
        await press(pilot, "escape")
        await pilot.pause()
        assert isinstance(screen(pilot), HistoryScreen)
        assert chat(pilot).composer.region.x == WIDTH
        await press(pilot, "escape")
        await pilot.pause()
        assert chat(pilot).composer.region.x == 0


async def test_the_list_is_made_once_and_holds_nothing_between_two_times(open_app: OpenApp) -> None:
    async with open_app(size=(120, 30)) as pilot:
        await unlock(pilot)
        app(pilot).go_on_with(1)
        await settle(pilot)
        first = await open_list(pilot)
        first.query_one("#find", Input).value = "answer 7"
        await pilot.pause(2 * PAUSE_S)
        await settle(pilot)
        assert "answer 7" in on_screen(pilot)
        assert any("answer" in text for text in held(first))
        await press(pilot, "escape")
        await pilot.pause()
        assert not [text for text in held(first) if "answer" in text or "line 9" in text]
        assert await open_list(pilot) is first
        assert first.typed == ""
        assert "line 0" in on_screen(pilot)


async def test_the_list_is_made_once_the_history_is_open_and_moves_nothing(open_app: OpenApp) -> None:
    async with open_app(size=(120, 30)) as pilot:
        assert not app(pilot).is_screen_installed("history-en")
        await unlock(pilot)
        await settle(pilot)
        made = app(pilot).get_screen("history-en", HistoryScreen)
        assert made.rows.size.height > 0  # it has its place
        assert made not in app(pilot).screen_stack
        assert chat(pilot).composer.region.x == 0
        assert not [text for text in held(made) if "line 0" in text]
        assert await open_list(pilot) is made
        assert "line 0" in on_screen(pilot)
        assert chat(pilot).composer.region.x == WIDTH


@pytest.mark.parametrize(("owner", "name"), [(App, "_get_screen"), (Compositor, "render_strips")])
async def test_where_textual_has_changed_the_list_is_made_when_it_is_shown(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    was = getattr(owner, name)

    def changed(*arguments: object) -> None:
        was(*arguments)
        raise AttributeError(name)

    async with open_app() as pilot:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, changed)
            await unlock(pilot)
            await settle(pilot)
        made = app(pilot).get_screen("history-en", HistoryScreen)
        assert not [text for text in held(made) if "line 0" in text]
        assert await open_list(pilot) is made
        assert "line 0" in on_screen(pilot)


async def test_a_list_that_was_made_for_another_size_fits(open_app: OpenApp) -> None:
    async with open_app(size=(120, 30)) as pilot:
        await unlock(pilot)
        await settle(pilot)
        await pilot.resize_terminal(60, 15)
        await pilot.pause()
        found = await open_list(pilot)
        await pilot.pause()
        assert found.rows.region.right <= 60
        assert found.has_class("-short")
        assert not found.has_class("-beside")
        assert "line 0" in on_screen(pilot)
        assert chat(pilot).composer.region.x == 0


async def test_another_language_has_a_list_of_its_own(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await unlock(pilot)
        english = await open_list(pilot)
        await press(pilot, "escape")
        app(pilot).change_settings(language="es")
        assert await open_list(pilot) is not english
        app(pilot).change_settings(language="en")


def held(screen: DOMNode) -> Iterator[str]:
    """Every text that a screen and its widgets hold on to, in whatever way, and nothing of the app around it."""
    beyond = (App, ModuleType, type, asyncio.Task, asyncio.AbstractEventLoop, Context)
    seen, open_ends = set[int](), list[object]([screen])
    while open_ends:
        one = open_ends.pop()
        other = isinstance(one, DOMNode) and screen not in one.ancestors_with_self
        if id(one) in seen or isinstance(one, beyond) or other:
            continue
        seen.add(id(one))
        if isinstance(one, str):
            yield one
        elif isinstance(one, FunctionType):
            open_ends += [cell.cell_contents for cell in one.__closure__ or ()]
        else:
            open_ends += gc.get_referents(one)


@pytest.mark.parametrize(("rows", "most"), [(24, FIRST), (80, 40)])
async def test_of_a_long_conversation_a_screenful_is_made_and_fills_it(open_app: OpenApp, rows: int, most: int) -> None:
    async with open_app(size=(80, rows)) as pilot:
        await unlock(pilot)
        app(pilot).go_on_with(1)
        await settle(pilot)
        transcript = chat(pilot).transcript
        assert len(transcript.views) <= most
        assert transcript.max_scroll_y > 0


async def test_the_rules_are_read_before_the_first_message(open_app: OpenApp) -> None:
    lexicon.load.cache_clear()
    async with open_app() as pilot:
        await settle(pilot)
        assert lexicon.load.cache_info().misses == 1
        assert all("regex" in vars(entry.phrase) for entry in lexicon.load().statements)
