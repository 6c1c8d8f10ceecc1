"""What tests do to the app and read from it, in the words of a user."""

import time
from collections.abc import Callable

from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Static

from tide_chat.events import Stage
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.widgets.status import StatusLine

PATIENCE = 15  # seconds, for a busy machine; nothing waits this long when all is well


def app(pilot: Pilot[int]) -> TideChatApp:
    assert isinstance(pilot.app, TideChatApp)
    return pilot.app


def chat(pilot: Pilot[int]) -> ChatScreen:
    return app(pilot).chat


async def settle(pilot: Pilot[int]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def send(pilot: Pilot[int], text: str, *, wait: bool = True) -> None:
    chat(pilot).composer.put(text)
    await pilot.press("enter")
    if wait:
        await settle(pilot)


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Let the app work until `condition` holds; fails with what is on the screen."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, on_screen(pilot)
        await pilot.pause()


async def until_stage(pilot: Pilot[int], stage: Stage) -> None:
    await until(pilot, lambda: chat(pilot).query_one(StatusLine).status.stage is stage)


def shown(pilot: Pilot[int]) -> list[tuple[str, str]]:
    return [(entry.kind.value, entry.text) for entry in chat(pilot).transcript.entries]


def doing(pilot: Pilot[int]) -> str:
    return chat(pilot).query_one(StatusLine).status.doing


def hint(pilot: Pilot[int]) -> str:
    line = chat(pilot).query_one("#hint", Static)
    return str(line.render()) if line.display else ""


def strips(pilot: Pilot[int]) -> list[Strip]:
    """What is drawn, a row each, just before it becomes escape codes. None of a screen that was never laid out yet."""
    if not pilot.app.screen._compositor.size:
        return []
    rows = pilot.app.screen._compositor.render_strips(pilot.app.size)
    assert len(rows) == pilot.app.size.height
    return rows


def on_screen(pilot: Pilot[int]) -> str:
    """The characters that a user sees, a row a line."""
    return "\n".join(strip.text[: pilot.app.size.width].rstrip() for strip in strips(pilot))
