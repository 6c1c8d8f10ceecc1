"""Going through the tools: steps, breaths, and what may not move."""

import pytest

from tests.ui.care_driving import flat, press, screen, title
from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import on_screen, until
from tide_chat.care.breathing import Moment
from tide_chat.care.keeping import Care, Paper
from tide_chat.care.names import IDS
from tide_chat.care.tools import find
from tide_chat.config import Settings
from tide_chat.ui.screens.care.breathing import BreathingScreen
from tide_chat.ui.screens.care.menu import CareMenu
from tide_chat.ui.screens.care.tool import StepsScreen
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.widgets.breath import ROWS, Breath, disc


class TestMenu:
    async def test_every_tool_is_there_with_its_key(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await press(pilot, "f8")
            for name in IDS:
                assert find(name).title in on_screen(pilot)
            assert "Nothing here is kept" in on_screen(pilot)
            await press(pilot, "enter")
            assert isinstance(screen(pilot), StepsScreen)

    async def test_asking_is_turned_on_and_off(self, open_app: OpenApp, care: Care) -> None:
        async with open_app() as pilot:
            await press(pilot, "f8", "end", "enter")
            assert "(x) Ask 0 to 10" in on_screen(pilot)
            assert care.asks is True
            await press(pilot, "enter")
            assert "( ) Ask 0 to 10" in on_screen(pilot)


class TestSteps:
    async def test_on_and_back_to_the_end_and_out(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await press(pilot, "f10", "enter", "space", "right", "left")
            assert "3 of 6" in title(pilot)
            assert find("grounding").steps[2].text in flat(pilot)
            await press(pilot, *["enter"] * 4)
            assert "Back to where I was" in on_screen(pilot)
            await press(pilot, "left")
            assert "6 of 6" in title(pilot)
            await press(pilot, "enter", "down", "enter")
            assert "1 of 6" in title(pilot)
            await press(pilot, *["enter"] * 7)
            assert isinstance(screen(pilot), ChatScreen)

    async def test_from_the_end_on_to_another_tool(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await press(pilot, "f10", *["enter"] * 6, "down", "down", "enter")
            assert isinstance(screen(pilot), CareMenu)

    async def test_where_nothing_may_move_no_step_ends_by_itself(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await press(pilot, "alt+m", "enter")
            assert "counted in your own time" in flat(pilot)
            assert "P pauses" not in on_screen(pilot)

    async def test_a_timed_step_goes_on_by_itself_and_can_be_paused(self, open_app: OpenApp, doubles: Doubles) -> None:
        doubles.settings = Settings(reduced_motion=False)
        async with open_app() as pilot:
            await press(pilot, "alt+m", "enter", "p")
            steps = screen(pilot)
            assert isinstance(steps, StepsScreen)
            steps.tick(100)
            assert "2 of 15" in title(pilot)
            await pilot.press("p")
            steps.tick(6.5)
            await pilot.pause()
            assert "3 of 15" in title(pilot)

    @pytest.mark.parametrize(("name", "value"), [("NO_MOTION", "1"), ("TEXTUAL_ANIMATIONS", "none")])
    async def test_the_environment_can_ask_for_stillness(
        self, open_app: OpenApp, doubles: Doubles, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)
        doubles.settings = Settings(reduced_motion=False)
        async with open_app() as pilot:
            await press(pilot, "f9")
            assert "count slowly to four" in flat(pilot)

    async def test_today_and_own_words_and_no_guess_of_a_place(self, open_app: OpenApp, care: Care) -> None:
        async with open_app() as pilot:
            await press(pilot, "f12")
            assert "Today is Tuesday, 9 June 2026. It is 21:40, in the evening." in flat(pilot)
            await press(pilot, "enter", "e", *"Home", "ctrl+s")
            assert "Your own words: Home" in flat(pilot)
            assert "2 of 6" in title(pilot)
            assert care.papers.get(Paper.WHERE_I_AM) == "Home"


class TestBreathing:
    async def test_still_words_and_other_ways(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await press(pilot, "f9")
            assert "█" not in on_screen(pilot)
            assert "Longer out" in on_screen(pilot)
            await press(pilot, "left")
            assert "Only if pausing feels all right" in flat(pilot)
            await press(pilot, "right", "right")
            assert "Even" in on_screen(pilot)
            await press(pilot, "enter")
            assert find("breathing").close in flat(pilot)

    async def test_it_moves_pauses_and_ends(self, open_app: OpenApp, doubles: Doubles) -> None:
        doubles.settings = Settings(reduced_motion=False)
        async with open_app() as pilot:
            await press(pilot, "f9", "p")
            breathing = screen(pilot)
            assert isinstance(breathing, BreathingScreen)
            assert "paused" in title(pilot)
            breathing.elapsed = 0.0
            breathing.tick(3.9)
            await pilot.pause()
            full = on_screen(pilot).count("█")
            assert "in · 1" in on_screen(pilot)
            breathing.tick(6.0)
            await pilot.pause()
            assert on_screen(pilot).count("█") < full / 2
            breathing.tick(1000)
            await pilot.pause()
            assert "Once more" in on_screen(pilot)

    async def test_paused_is_said_only_where_something_is(self, open_app: OpenApp, doubles: Doubles) -> None:
        doubles.settings = Settings(reduced_motion=False)
        async with open_app() as pilot:
            await press(pilot, "f9", "p")
            assert title(pilot) == f"{find('breathing').title} · paused"
            await press(pilot, "s")
            assert title(pilot) == find("breathing").title
            await press(pilot, "p")
            assert title(pilot) == find("breathing").title
            await press(pilot, "s")
            breathing = screen(pilot)
            assert isinstance(breathing, BreathingScreen)
            await until(pilot, lambda: breathing.elapsed > 0)

    async def test_nothing_is_drawn_again_that_looks_the_same(self, open_app: OpenApp, doubles: Doubles) -> None:
        doubles.settings = Settings(reduced_motion=False)
        async with open_app() as pilot:
            await press(pilot, "f9", "p")
            breath = screen(pilot).query_one(Breath)
            breath.show(Moment("in", 0.5, 2, 1))
            before = breath.content
            breath.show(Moment("in", 0.5, 2, 3))
            assert breath.content is before
            breath.show(Moment("in", 0.5, 1, 3))
            assert breath.content is not before

    async def test_a_moving_breath_needs_no_key_and_words_are_one_away(
        self, open_app: OpenApp, doubles: Doubles
    ) -> None:
        doubles.settings = Settings(reduced_motion=False)
        async with open_app() as pilot:
            await press(pilot, "f9")
            breathing = screen(pilot)
            assert isinstance(breathing, BreathingScreen)
            await until(pilot, lambda: breathing.elapsed > 0.1)
            await press(pilot, "s")
            assert "count slowly to four" in flat(pilot)

    def test_the_disc_grows_with_the_breath_and_is_round(self) -> None:
        sizes = [sum(line.count("█") for line in disc(fullness / 10)) for fullness in range(11)]
        assert sizes == sorted(sizes)
        assert sizes[0] > 0
        lines = disc(1.0)
        assert len(lines) == ROWS
        assert [line[::-1] for line in lines] == list(lines)


@pytest.mark.parametrize("name", ["grounding", "breathing"])
async def test_a_tool_that_comes_while_the_app_is_leaving_ends_nothing(
    open_app: OpenApp, care: Care, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kind = BreathingScreen if name == "breathing" else StepsScreen
    async with open_app() as pilot:
        monkeypatch.setattr(kind, "compose", lambda _: iter(()))  # nothing is put into a screen then
        await pilot.app.push_screen(kind(find(name), care, still=True))
        await pilot.resize_terminal(70, 20)
        await pilot.pause()
        assert isinstance(pilot.app.screen, kind)
