"""The app with doubles at its seams, without blinking or movement, so that the screen depends on nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from textual.pilot import Pilot

from tests.ui.care_driving import NOW
from tests.ui.doubles import Doubles
from tide_chat.care import today
from tide_chat.care.keeping import Care
from tide_chat.config import Settings
from tide_chat.ui.app import TideChatApp

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[int]]]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "NO_MOTION", "COLORTERM", "TEXTUAL_ANIMATIONS", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def evening(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is always the same evening."""
    monkeypatch.setattr(today, "now", lambda: NOW)


@pytest.fixture
def doubles() -> Doubles:
    return Doubles(settings=Settings(reduced_motion=True))


@pytest.fixture
def care(doubles: Doubles) -> Care:
    """What the care tools of the app keep."""
    return doubles.care


@pytest.fixture
def open_app(doubles: Doubles) -> OpenApp:
    """`async with open_app(size=(80, 24)) as pilot`"""

    @asynccontextmanager
    async def opened(size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[int]]:
        app = TideChatApp(doubles.core)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield pilot

    return opened
