"""What keeps the screens of a large history quick: drawn once, read ahead, and no more made than is in sight."""

from pathlib import Path

import pytest

from tests.ui.care_driving import screen
from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import app, chat, settle
from tests.ui.history_driving import kept_history, open_list, press, reply, unlock, user
from tide_chat.safety import lexicon
from tide_chat.ui.screens.history.choices import Choice
from tide_chat.ui.screens.history.lists import HistoryScreen, TurnsScreen
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
