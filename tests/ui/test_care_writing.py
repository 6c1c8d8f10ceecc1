"""Own words on the screen: nothing that was written gets lost, and a file is an explicit act."""

from pathlib import Path

from textual.widgets import Input

from tests.ui.care_driving import flat, press, screen
from tests.ui.conftest import OpenApp
from tests.ui.doubles import Doubles
from tests.ui.driving import on_screen, send, until
from tide_chat.care.keeping import Care, MemoryPapers, Paper
from tide_chat.care.plan import SafetyPlan
from tide_chat.errors import StoreError
from tide_chat.ui.app import TideChatApp
from tide_chat.ui.screens.care.export import ExportScreen
from tide_chat.ui.screens.care.plan import PlanScreen
from tide_chat.ui.screens.care.writing import OwnWords, WritingScreen
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.confirm import Confirm


class TestWriting:
    async def test_a_plan_is_written_read_and_made_a_file(self, open_app: OpenApp, care: Care) -> None:
        async with open_app() as pilot:
            await press(pilot, "alt+l")
            assert "A safety plan is a short list" in on_screen(pilot)
            await press(pilot, "e", *"quiet", "tab", *"water", "ctrl+s")
            assert isinstance(screen(pilot), PlanScreen)
            assert care.plan() == SafetyPlan(signs="quiet", coping="water")
            assert "water" in on_screen(pilot)
            await press(pilot, "x")
            assert "not encrypted" in on_screen(pilot)
            await press(pilot, "enter")
            assert "Written:" in on_screen(pilot)
            assert "water" in (Path.home() / "safety-plan.md").read_text(encoding="utf-8")
            await press(pilot, "escape")
            assert isinstance(screen(pilot), PlanScreen)

    async def test_esc_asks_before_it_loses_anything(self, open_app: OpenApp, care: Care) -> None:
        async with open_app() as pilot:
            await press(pilot, "alt+l", "e", "escape")
            assert isinstance(screen(pilot), PlanScreen)
            await press(pilot, "e", *"quiet", "escape")
            assert isinstance(screen(pilot), Confirm)
            await press(pilot, "enter")
            assert isinstance(screen(pilot), WritingScreen)
            assert screen(pilot).query(OwnWords).first().text == "quiet"
            await press(pilot, "escape", "right", "enter")
            assert isinstance(screen(pilot), PlanScreen)
            assert care.plan().empty

    async def test_a_tool_on_top_of_a_form_leaves_it_as_it_was(self, open_app: OpenApp) -> None:
        async with open_app() as pilot:
            await press(pilot, "alt+l", "e", *"quiet", "f10", "enter", "f8", "alt+l", "e")
            assert not isinstance(screen(pilot), WritingScreen)  # not a second one
            await press(pilot, "escape")
            assert isinstance(screen(pilot), WritingScreen)
            assert screen(pilot).query(OwnWords).first().text == "quiet"

    async def test_what_cannot_be_kept_stays_in_the_form(self, open_app: OpenApp, doubles: Doubles) -> None:
        class Full:
            def get(self, name: Paper) -> str:
                return ""

            def put(self, name: Paper, text: str) -> None:
                raise OSError(28, "No space left on device")

        doubles.care = Care(papers=Full())
        async with open_app() as pilot:
            await press(pilot, "alt+p", "e", *"lake", "ctrl+s")
            assert isinstance(screen(pilot), WritingScreen)
            assert "No space left on device" in on_screen(pilot)
            assert screen(pilot).query(OwnWords).first().text == "lake"

    async def test_what_cannot_be_read_is_not_written_over(self, doubles: Doubles) -> None:
        class Unreadable(MemoryPapers):
            def get(self, name: Paper) -> str:
                raise StoreError("The history is damaged.", details="[/history]")

        papers = Unreadable({Paper.CALM_PLACE: "A lake."})
        doubles.care = Care(papers=papers)
        async with TideChatApp(doubles.core).run_test(notifications=True) as pilot:
            await press(pilot, "alt+p", "e")
            assert not isinstance(screen(pilot), WritingScreen)
            await until(pilot, lambda: "damaged. [/history]" in flat(pilot))
            await press(pilot, "ctrl+s")
        assert papers.texts == {Paper.CALM_PLACE: "A lake."}

    async def test_what_is_pasted_cannot_drive_the_terminal(self, open_app: OpenApp, care: Care) -> None:
        from textual import events

        async with open_app() as pilot:
            await send(pilot, "/contacts")
            await screen(pilot).query(OwnWords).first()._on_paste(events.Paste("Maria\x1b[2J: 1"))
            await press(pilot, "ctrl+s")
            assert care.papers.get(Paper.CONTACTS) == "Maria: 1"

    async def test_a_summary_is_changed_before_it_becomes_a_file(self, open_app: OpenApp, tmp_path: Path) -> None:
        async with open_app() as pilot:
            await send(pilot, "something only for here")
            await send(pilot, "/summary")
            await press(pilot, *"Mine", "ctrl+s")
            assert isinstance(screen(pilot), ExportScreen)
            await press(pilot, "escape")
            assert screen(pilot).query(OwnWords).first().text.startswith("Mine")
            await press(pilot, "ctrl+s")
            screen(pilot).query_one(Input).value = str(tmp_path / "nowhere" / "page.md")
            await press(pilot, "enter")
            assert "no such folder" in on_screen(pilot)
            screen(pilot).query_one(Input).value = str(tmp_path / "page.md")
            await press(pilot, "enter", "escape")
            assert isinstance(screen(pilot), ChatScreen)
            text = (tmp_path / "page.md").read_text(encoding="utf-8")
            assert text.startswith("Mine# For my clinician")
            assert "something only for here" not in text
