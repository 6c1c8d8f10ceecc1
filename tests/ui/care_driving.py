"""What tests of the care screens have in common: a fixed evening, and what a user does and sees."""

from datetime import UTC, datetime

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from tests.ui.driving import on_screen
from tide_chat.ui.care import CareApp
from tide_chat.ui.commands import COMMANDS

NOW = datetime(2026, 6, 9, 21, 40, tzinfo=UTC)
CARE = [command for command in COMMANDS if f"action_{command.action}" in vars(CareApp)]
KEYS = [key for command in CARE for key in command.keys]


def screen(pilot: Pilot[int]) -> Screen[object]:
    return pilot.app.screen


async def press(pilot: Pilot[int], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


def flat(pilot: Pilot[int]) -> str:
    return " ".join(on_screen(pilot).replace("│", " ").split())


def title(pilot: Pilot[int]) -> str:
    return str(screen(pilot).query_one("#panel-title", Static).render())
