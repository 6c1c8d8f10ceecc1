"""What the app does on the keys of the care tools, on whatever screen one is. Needs no model and waits for none.

One tool takes the place of another, so that Esc always goes back to where one was; nothing written is ever replaced.
"""

from typing import TYPE_CHECKING

from textual.app import App

from tide_chat.care.keeping import Paper, or_else
from tide_chat.config import Settings
from tide_chat.ui.ports import Core

if TYPE_CHECKING:
    from tide_chat.ui.screens.care.panel import CarePanel


class CareApp(App[int]):
    """The actions. `TideChatApp` adds all else."""

    core: Core
    settings: Settings

    def show_care(self, panel: "CarePanel") -> None:
        """Put a panel where the last one was, or on top of what is there. The same one again changes nothing."""
        from tide_chat.ui.screens.care.panel import CarePanel

        if isinstance(self.screen, CarePanel) and self.screen.same_as(panel):
            return
        if isinstance(self.screen, CarePanel):
            self.switch_screen(panel)
        else:
            self.push_screen(panel)

    def show_people(self) -> None:
        """The help lines and one's own contacts."""
        from tide_chat.ui.screens.help_lines import HelpLinesScreen

        contacts = or_else(self.core.care.contacts, ())
        self.push_screen(HelpLinesScreen(self.core.words, self.settings.country, contacts))

    def open_tool(self, name: str) -> None:
        """A tool, after a number where the person wants to be asked."""
        if or_else(lambda: self.core.care.asks, False):
            from tide_chat.ui.screens.care.check_in import CheckInScreen

            self.show_care(CheckInScreen(self.core.care, when="before", tool=name))
        else:
            self.start_tool(name)

    def start_tool(self, name: str, before: int | None = None) -> None:
        """A tool at once. before: the number that was noted for it."""
        from tide_chat.care.tools import find
        from tide_chat.ui.screens.care.breathing import BreathingScreen
        from tide_chat.ui.screens.care.tool import StepsScreen

        tool, still = find(name), self.animation_level == "none"
        kind = BreathingScreen if tool.patterns else StepsScreen
        self.show_care(kind(tool, self.core.care, still=still, before=before))

    def action_tools(self) -> None:
        from tide_chat.ui.screens.care.menu import CareMenu

        self.show_care(CareMenu(self.core.care))

    def action_breathe(self) -> None:
        self.open_tool("breathing")

    def action_ground(self) -> None:
        self.open_tool("grounding")

    def action_orient(self) -> None:
        self.open_tool("orienting")

    def action_muscles(self) -> None:
        self.open_tool("muscles")

    def action_place(self) -> None:
        self.open_tool("calm_place")

    def action_sleep(self) -> None:
        self.open_tool("sleep")

    def action_check_in(self) -> None:
        from tide_chat.ui.screens.care.check_in import CheckInScreen

        self.show_care(CheckInScreen(self.core.care))

    def action_plan(self) -> None:
        from tide_chat.ui.screens.care.plan import PlanScreen

        self.show_care(PlanScreen(self.core.care))

    def action_weeks(self) -> None:
        from tide_chat.ui.screens.care.weeks import WeeksScreen

        self.show_care(WeeksScreen(self.core.care))

    def action_contacts(self) -> None:
        from tide_chat.ui.screens.care.writing import write_paper

        write_paper(self, self.core.care, Paper.CONTACTS, "My own contacts")

    def action_summary(self) -> None:
        from tide_chat.ui.screens.care.summary import SummaryScreen
        from tide_chat.ui.screens.care.writing import open_writing

        open_writing(self, SummaryScreen(self.core.care))
