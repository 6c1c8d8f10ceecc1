"""A script in the app: it is typed and sent, and "demonstration" stands on every screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot

from tests.ui.clinician_doubles import core_of, desk_of
from tests.ui.doubles import Doubles
from tests.ui.driving import app, chat, on_screen, shown, until
from tide_chat.clinician.script import Kind, Script, Step
from tide_chat.config import Settings
from tide_chat.ui import themes
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.clinician.stage import DemoApp

SCRIPT = Script(
    "Short",
    "Kim is made up.",
    (
        Step(Kind.SAY, "A long day.", 0),
        Step(Kind.OPEN, "ground", 1),
        Step(Kind.PRESS, "enter", 0),
        Step(Kind.SAY, "That helped.", 0),
    ),
)


@asynccontextmanager
async def playing(
    doubles: Doubles, *, size: tuple[int, int] = (80, 24), by_key: bool = False
) -> AsyncIterator[Pilot[int]]:
    core = core_of(doubles, desk_of(doubles, Path("model.gguf")))
    demo = DemoApp(core, SCRIPT, pace=1000, by_key=by_key)
    async with demo.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


async def test_it_plays_to_its_end_and_is_marked_all_the_while(doubles: Doubles) -> None:
    async with playing(doubles) as pilot:
        await until(pilot, lambda: "DEMONSTRATION" in on_screen(pilot))
        await until(pilot, lambda: not isinstance(app(pilot).screen, ChatScreen))
        await until(pilot, lambda: "DEMONSTRATION · the person is made up · F6 stops" in on_screen(pilot))
        await until(pilot, lambda: "The script has ended." in on_screen(pilot))
        said = [text for kind, text in shown(pilot) if kind == "user"]
        assert said == ["A long day.", "That helped."]
        assert ("notice", "Short. Kim is made up.") in shown(pilot)
        assert "DEMONSTRATION" in on_screen(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "People you can reach" in on_screen(pilot) and "DEMONSTRATION" in on_screen(pilot))


async def test_the_first_screen_comes_first(doubles: Doubles) -> None:
    doubles.words.due = True
    async with playing(doubles) as pilot:
        await until(pilot, lambda: "Before we begin" in on_screen(pilot) and "DEMONSTRATION" in on_screen(pilot))
        assert shown(pilot) == []
        await pilot.press("enter")
        await until(pilot, lambda: ("user", "A long day.") in shown(pilot))


async def test_f6_stops_and_says_so(doubles: Doubles) -> None:
    async with playing(doubles) as pilot:
        await pilot.press("f6")
        await until(pilot, lambda: "stopped, F6 goes on" in on_screen(pilot))
        before = shown(pilot)
        await pilot.pause(0.3)
        assert shown(pilot) == before
        await pilot.press("f6")
        await until(pilot, lambda: ("user", "A long day.") in shown(pilot))


async def test_by_key_each_step_waits(doubles: Doubles) -> None:
    async with playing(doubles, by_key=True) as pilot:
        await pilot.pause(0.2)
        assert shown(pilot) == []
        await pilot.press("f6")
        await until(pilot, lambda: shown(pilot) == [("notice", "Short. Kim is made up.")])
        await pilot.press("f6")
        await until(pilot, lambda: ("user", "A long day.") in shown(pilot))


@pytest.mark.parametrize("size", [(80, 24), (60, 18)])
async def test_large_has_room_and_loses_nothing(doubles: Doubles, size: tuple[int, int]) -> None:
    doubles.settings = Settings(theme=themes.LARGE, reduced_motion=True)
    async with playing(doubles, size=size) as pilot:
        await until(pilot, lambda: ("user", "A long day.") in shown(pilot))
        await until(pilot, lambda: chat(pilot).transcript.views[0].styles.padding.top == 1)
        await until(pilot, lambda: "DEMONSTRATION" in on_screen(pilot))
        await until(pilot, lambda: 0 < chat(pilot).composer.region.bottom <= size[1])


async def test_a_key_that_comes_when_the_app_is_already_going_ends_nothing(doubles: Doubles) -> None:
    async with playing(doubles) as pilot:
        stack, app(pilot)._screen_stacks["_default"] = app(pilot)._screen_stacks["_default"], []
        await app(pilot).on_event(Key("escape", None))
        app(pilot)._screen_stacks["_default"] = stack


async def test_a_tick_that_comes_when_the_app_is_already_going_ends_nothing(doubles: Doubles) -> None:
    async with playing(doubles) as pilot:
        demo = app(pilot)
        assert isinstance(demo, DemoApp)
        stack, demo._screen_stacks["_default"] = demo._screen_stacks["_default"], []
        demo.player.tick()
        demo._screen_stacks["_default"] = stack
