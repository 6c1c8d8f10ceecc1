"""A number from 0 to 10, what it brings, and the numbers over weeks."""

from datetime import timedelta

from tests.ui.care_driving import NOW, press, screen, title
from tests.ui.conftest import OpenApp
from tests.ui.driving import on_screen, send
from tide_chat.care.checkin import CheckIn
from tide_chat.care.keeping import Care, Paper
from tide_chat.ui.screens.care.breathing import BreathingScreen
from tide_chat.ui.screens.care.check_in import CheckInScreen, MatchScreen
from tide_chat.ui.screens.care.tool import StepsScreen
from tide_chat.ui.screens.care.weeks import WeeksScreen
from tide_chat.ui.screens.chat import ChatScreen


class TestCheckIn:
    async def test_digits_choose_and_enter_notes(self, open_app: OpenApp, care: Care) -> None:
        typed = {"5": 5, "10": 10, "110": 10, "19": 9}
        async with open_app() as pilot:
            for keys, level in typed.items():
                await press(pilot, "alt+c", *keys, "enter")
                assert isinstance(screen(pilot), MatchScreen)
                assert title(pilot) == f"{level} of 10", keys
            assert [one.level for one in care.journal.read()] == list(typed.values())

    async def test_nothing_is_noted_when_it_is_left(self, open_app: OpenApp, care: Care) -> None:
        async with open_app() as pilot:
            await press(pilot, "alt+c", "9", "escape")
            assert isinstance(screen(pilot), ChatScreen)
            assert care.journal.read() == ()

    async def test_people_are_in_sight_where_it_is_high(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            for key, visible in (("3", False), ("6", False), ("7", True), ("9", True)):
                await press(pilot, "alt+c", key, "enter")
                assert ("Call 988" in on_screen(pilot)) is visible, key
            assert on_screen(pilot).index("Call 911") < on_screen(pilot).index("Where am I")

    async def test_at_60x18_people_come_first_where_it_is_hardest(self, open_app: OpenApp, care: Care) -> None:
        care.papers.put(Paper.CONTACTS, "Maria: 555 0100")
        async with open_app(size=(60, 18)) as pilot:
            await press(pilot, "alt+c", "1", "0", "enter")
            assert "Maria: 555 0100" in on_screen(pilot)
            assert "Call 988" in on_screen(pilot)

    async def test_before_and_after_where_it_is_wanted(self, open_app: OpenApp, care: Care) -> None:
        care.ask(True)
        async with open_app() as pilot:
            await press(pilot, "f10", "8", "enter")
            assert isinstance(screen(pilot), StepsScreen)
            await press(pilot, *["enter"] * 7)
            assert isinstance(screen(pilot), CheckInScreen)
            await press(pilot, "5", "enter")
            assert title(pilot) == "8 before, 5 now."
            assert [(one.level, one.when, one.tool) for one in care.journal.read()] == [
                (8, "before", "grounding"),
                (5, "after", "grounding"),
            ]
            await press(pilot, "escape")
            assert isinstance(screen(pilot), ChatScreen)

    async def test_the_question_can_be_skipped(self, open_app: OpenApp, care: Care) -> None:
        care.ask(True)
        async with open_app() as pilot:
            await press(pilot, "f9", "s")
            assert isinstance(screen(pilot), BreathingScreen)
            assert care.journal.read() == ()


class TestWeeks:
    async def test_a_plot_and_the_same_in_words(self, open_app: OpenApp, care: Care) -> None:
        for days in range(20):
            care.journal.add(CheckIn(NOW - timedelta(days=days), days % 9))
        async with open_app(size=(120, 40)) as pilot:
            await send(pilot, "/weeks")
            text = on_screen(pilot)
            assert text.count("●") >= 15
            assert "10┤" in text
            assert "8 June to 14 June: 2 check-ins" in text

    async def test_they_can_be_deleted(self, open_app: OpenApp, care: Care) -> None:
        care.journal.add(CheckIn(NOW, 4))
        async with open_app() as pilot:
            await send(pilot, "/weeks")
            await press(pilot, "d", "enter")
            assert len(care.journal.read()) == 1
            await press(pilot, "d", "right", "enter")
            assert care.journal.read() == ()
            assert "no check-ins yet" in on_screen(pilot)
            assert isinstance(screen(pilot), WeeksScreen)
