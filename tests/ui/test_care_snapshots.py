"""The care screens as pictures. A changed one is looked at before it is accepted: pytest tests/ui --snapshot-update."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import pytest
from textual.pilot import Pilot

from tests.ui.care_driving import NOW, press
from tests.ui.doubles import Doubles
from tide_chat.care.checkin import CheckIn
from tide_chat.care.keeping import Care, Paper
from tide_chat.care.plan import SafetyPlan
from tide_chat.config import Settings
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.screens.care.breathing import BreathingScreen

SMALL, USUAL, LARGE = (60, 18), (80, 24), (120, 40)
SIZES = pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids=["60x18", "80x24", "120x40"])
Steps = Callable[[Pilot[int]], Awaitable[None]]


class Compare(Protocol):
    def __call__(self, app: TideChatApp, *, terminal_size: tuple[int, int], run_before: Steps) -> bool: ...


@pytest.fixture(autouse=True)
def kept(doubles: Doubles) -> None:
    """Somebody who has been here for some weeks."""
    care = doubles.care = Care(kept=True)
    for day, level in enumerate((7, 8, 6, 8, 5, 6, 4, 7, 5, 3, 4, 5)):
        care.journal.add(CheckIn(NOW - timedelta(days=24 - 2 * day), level))
    care.papers.put(Paper.CONTACTS, "Maria, my sister: 555 0100")
    care.keep_plan(
        SafetyPlan(
            signs="I stop answering messages.",
            coping="Cold water on my hands.\nThe blue playlist.",
            people="Maria, my sister: 555 0100",
            safer="Sam keeps what I gave him.",
        )
    )


@pytest.fixture
def looks_the_same(snap_compare: Compare, doubles: Doubles) -> Callable[..., bool]:
    def compare(*keys: str, size: tuple[int, int] = USUAL) -> bool:
        async def steps(pilot: Pilot[int]) -> None:
            await press(pilot, *keys)
            await pilot.pause()

        return snap_compare(TideChatApp(doubles.core), terminal_size=size, run_before=steps)

    return compare


@SIZES
@pytest.mark.parametrize("key", ["f8", "f10", "f9"], ids=["menu", "step", "still-breath"])
def test_panel(looks_the_same: Callable[..., bool], key: str, size: tuple[int, int]) -> None:
    assert looks_the_same(key, size=size)


@SIZES
def test_a_hard_moment(looks_the_same: Callable[..., bool], size: tuple[int, int]) -> None:
    assert looks_the_same("alt+c", "9", "enter", size=size)


@pytest.mark.parametrize(
    "keys",
    [("f10", *["enter"] * 6), ("alt+c",), (*"/weeks", "enter"), ("alt+l",), ("alt+l", "e"), (*"/summary", "enter")],
    ids=["end", "number", "weeks", "plan", "form", "summary"],
)
def test_screen(looks_the_same: Callable[..., bool], keys: tuple[str, ...]) -> None:
    assert looks_the_same(*keys)


def test_a_breath(snap_compare: Compare, doubles: Doubles) -> None:
    doubles.settings = Settings(reduced_motion=False)

    async def steps(pilot: Pilot[int]) -> None:
        await press(pilot, "f9", "p")
        breathing = pilot.app.screen
        assert isinstance(breathing, BreathingScreen)
        breathing.elapsed = 0.0
        breathing.tick(3.0)
        await pilot.pause()

    assert snap_compare(TideChatApp(doubles.core), terminal_size=USUAL, run_before=steps)
