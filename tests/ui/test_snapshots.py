"""Each screen as a picture. A changed picture is looked at before it is accepted: pytest tests/ui --snapshot-update."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest
from textual.pilot import Pilot

from tests.ui.doubles import CARD, DIED, Doubles, Gate
from tests.ui.driving import chat, on_screen, send, settle, until
from tide_chat.config import Settings
from tide_chat.engine.supervisor import EngineState, Phase
from tide_chat.errors import ModelUnusable
from tide_chat.ui import themes
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.widgets.card import CardDeck

SMALL, USUAL, LARGE = (60, 18), (80, 24), (120, 40)
Steps = Callable[[Pilot[int]], Awaitable[None]]


class Compare(Protocol):
    def __call__(self, app: TideChatApp, *, terminal_size: tuple[int, int], run_before: Steps) -> bool: ...


@pytest.fixture
def looks_the_same(snap_compare: Compare, doubles: Doubles) -> Callable[..., bool]:
    """Compares the app, after some steps, with the picture that was accepted."""

    def compare(steps: Steps, size: tuple[int, int] = USUAL) -> bool:
        return snap_compare(TideChatApp(doubles.core), terminal_size=size, run_before=steps)

    return compare


async def nothing(pilot: Pilot[int]) -> None:
    await pilot.pause()


def press(*keys: str) -> Steps:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press(*keys)
        await settle(pilot)
        await pilot.pause()

    return steps


async def talk(pilot: Pilot[int]) -> None:
    await send(pilot, "I had an awful day at work and nobody even noticed that I was crying in the break room.")
    await send(pilot, "My boss. She just walked past me.")


async def card(pilot: Pilot[int]) -> None:
    await talk(pilot)
    chat(pilot).query_one(CardDeck).pin(CARD)
    await pilot.pause()


@pytest.fixture(autouse=True)
def replies(doubles: Doubles) -> None:
    doubles.engine.will_say(
        "That sounds like a long and lonely day. You carried a lot and nobody noticed.\n\n"
        "Would it help to tell me which moment was the heaviest?"
    )
    doubles.engine.will_say(
        "It makes sense that her silence stung: you were hoping to be seen. What would you have liked her to say?"
    )


@pytest.mark.parametrize("size", [SMALL, USUAL, LARGE], ids=["60x18", "80x24", "120x40"])
class TestChat:
    def test_talking(self, looks_the_same: Callable[..., bool], size: tuple[int, int]) -> None:
        assert looks_the_same(talk, size)

    def test_card(self, looks_the_same: Callable[..., bool], size: tuple[int, int]) -> None:
        assert looks_the_same(card, size)


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["60x18", "80x24"])
def test_first_screen(looks_the_same: Callable[..., bool], doubles: Doubles, size: tuple[int, int]) -> None:
    doubles.words.due = True
    assert looks_the_same(nothing, size)


def test_empty(looks_the_same: Callable[..., bool]) -> None:
    assert looks_the_same(nothing)


@pytest.mark.parametrize("key", ["f1", "f2", "f4", "f5"])
@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["60x18", "80x24"])
def test_panel(looks_the_same: Callable[..., bool], key: str, size: tuple[int, int]) -> None:
    assert looks_the_same(press(key), size)


@pytest.mark.parametrize("size", [SMALL, USUAL], ids=["60x18", "80x24"])
def test_reading(looks_the_same: Callable[..., bool], size: tuple[int, int]) -> None:
    assert looks_the_same(press(*"/safety", "enter"), size)


def test_suggestions(looks_the_same: Callable[..., bool]) -> None:
    assert looks_the_same(press("/"))


def test_palette(looks_the_same: Callable[..., bool]) -> None:
    assert looks_the_same(press("ctrl+p"))


def test_start_anew(looks_the_same: Callable[..., bool]) -> None:
    assert looks_the_same(press("ctrl+n"))


def test_fetch_question(looks_the_same: Callable[..., bool]) -> None:
    assert looks_the_same(press("f4", "down", "enter"))


def test_fetching(looks_the_same: Callable[..., bool], doubles: Doubles) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await pilot.press("f4", "down", "enter", "tab", "enter")
        await until(pilot, lambda: "45%" in on_screen(pilot))

    assert looks_the_same(steps)
    doubles.shelf.gate.open()


@pytest.mark.parametrize("theme", [name for name in themes.TITLES if name != themes.DEFAULT])
def test_theme(looks_the_same: Callable[..., bool], doubles: Doubles, theme: str) -> None:
    doubles.settings = Settings(theme=theme, reduced_motion=True)
    assert looks_the_same(card)


def test_waiting_for_the_model(looks_the_same: Callable[..., bool], doubles: Doubles) -> None:
    doubles.engine.state = EngineState(Phase.LOADING, 0.4)

    async def steps(pilot: Pilot[int]) -> None:
        await send(pilot, "Are you there?", wait=False)
        await until(pilot, lambda: "your message waits" in on_screen(pilot))

    assert looks_the_same(steps)
    doubles.engine.become(EngineState(Phase.NO_MODEL))


def test_stopped_in_the_middle(looks_the_same: Callable[..., bool], doubles: Doubles) -> None:
    doubles.engine.scripts.clear()
    doubles.engine.will_say("It makes sense. You", Gate())

    async def steps(pilot: Pilot[int]) -> None:
        await send(pilot, "Nobody noticed.", wait=False)
        await until(pilot, lambda: "It makes sense." in on_screen(pilot))
        await pilot.press("escape")
        await settle(pilot)

    assert looks_the_same(steps)


def test_dead_engine(looks_the_same: Callable[..., bool], doubles: Doubles) -> None:
    doubles.engine.scripts.clear()
    doubles.engine.will_say("That sounds", DIED)

    async def steps(pilot: Pilot[int]) -> None:
        await send(pilot, "Nobody noticed.")
        chat(pilot).composer.put("and a draft")
        doubles.engine.become(EngineState(Phase.RESTARTING))
        await pilot.pause()

    assert looks_the_same(steps)


def test_no_model(looks_the_same: Callable[..., bool], doubles: Doubles) -> None:
    error = ModelUnusable("The model stopped three times in a row, so it stays off for now.")
    doubles.engine.state = EngineState(Phase.NO_MODEL, error=error)
    assert looks_the_same(nothing)


def test_editing(looks_the_same: Callable[..., bool]) -> None:
    async def steps(pilot: Pilot[int]) -> None:
        await talk(pilot)
        await pilot.press("ctrl+t")
        await pilot.pause()

    assert looks_the_same(steps)
