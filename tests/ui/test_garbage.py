"""The heap is looked through while nobody waits, and not while somebody does."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from tests.ui.conftest import OpenApp
from tests.ui.driving import app
from tide_chat.ui import garbage
from tide_chat.ui.garbage import AT_LAST, ENOUGH, Garbage


class Ring:
    """Refers to itself, so that only the collector takes it away."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def made() -> "weakref.ref[Ring]":
    """Garbage that has survived the collections of young objects, as many as are enough for a look."""
    ring = Ring()
    for _ in range(ENOUGH + 1):
        gc.collect(1)
    return weakref.ref(ring)


def test_old_garbage_goes_when_nothing_was_pressed_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Garbage()
    looking.begin()
    ring = made()
    looking.touched()
    assert not looking.look()
    assert ring()
    monkeypatch.setattr(garbage, "QUIET_S", 0.0)
    assert looking.look()
    assert ring() is None
    assert not looking.look(), "nothing was made since"


async def test_python_does_it_seldom_while_the_app_runs_and_as_before_afterwards(open_app: OpenApp) -> None:
    before = gc.get_threshold()
    async with open_app() as pilot:
        await pilot.pause()
        assert gc.get_threshold() == (*before[:2], AT_LAST)
    assert gc.get_threshold() == before


async def test_a_key_puts_it_off(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        earlier = app(pilot)._garbage._touched
        await pilot.press("a")
        assert app(pilot)._garbage._touched > earlier
