"""A number from 0 to 10, and what could fit it. Kept only where the person chose that things are kept."""

from collections.abc import Iterable

from textual import events
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tide_chat.care import today
from tide_chat.care.checkin import HIGHEST, CheckIn, When, asking, compared, match
from tide_chat.care.keeping import Care
from tide_chat.errors import TideError
from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.menu import command_lines, tool_lines
from tide_chat.ui.screens.care.panel import CarePanel, problem
from tide_chat.ui.widgets.card import HelpLineView
from tide_chat.ui.widgets.plain import Plain, PlainOptions
from tide_chat.wording import say

KEYS = "0 to 9 or arrows, Enter · F2 people · Esc goes back"
BEFORE_KEYS = "0 to 9 or arrows, Enter · S goes on without · F2 people · Esc goes back"
FEW = 2  # help lines, and own contacts, where they stand below the tools


class CheckInScreen(CarePanel):
    """The question. Nothing is chosen for the person, and it can be left."""

    AUTO_FOCUS = "#levels"

    def __init__(self, care: Care, *, when: When = "alone", tool: str = "", earlier: int | None = None) -> None:
        self.title_text = asking().again if when == "after" else asking().question
        super().__init__(care)
        self.when, self.tool, self.earlier = when, tool, earlier
        self.keys = BEFORE_KEYS if when == "before" else KEYS
        self._typed = ""

    def same_as(self, other: CarePanel) -> bool:
        return isinstance(other, CheckInScreen) and (other.when, other.tool) == (self.when, self.tool)

    def body(self) -> Iterable[Widget]:
        rows = [Option(f"{level:>2}  {words}", id=str(level)) for level, words in enumerate(asking().anchors)]
        yield PlainOptions(*rows, id="levels")
        yield Plain(f"{asking().note} {self.care.where}", id="care-note")

    def on_mount(self) -> None:
        """No row is marked before the person moves: Enter alone notes nothing."""
        self.call_after_refresh(self._unmark)

    def _unmark(self) -> None:
        self.query_one("#levels", OptionList).highlighted = None

    def on_key(self, event: events.Key) -> None:
        """A digit goes to its row; a zero after a one goes to ten."""
        if event.key == "s" and self.when == "before":
            event.stop()
            self.tide.start_tool(self.tool)
        elif event.character and event.character in "0123456789":
            event.stop()
            typed = self._typed + event.character
            level = int(typed) if typed == str(HIGHEST) else int(event.character)
            self._typed = event.character
            self.query_one("#levels", OptionList).highlighted = level

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        level = int(event.option_id or 0)
        note = self._keep(level)
        if self.when == "before":
            self.tide.start_tool(self.tool, before=level)
        else:
            self.tide.show_care(MatchScreen(self.care, level, self.earlier, note))

    def _keep(self, level: int) -> str:
        """What went wrong, if anything: a number that cannot be kept changes nothing else."""
        try:
            self.care.journal.add(CheckIn(today.now(), level, self.when, self.tool))
        except (TideError, OSError) as error:
            return f"{say('The number could not be kept.')} {problem(error)}"
        return self.care.where


class MatchScreen(CarePanel):
    """What could fit the number. From 7 on help lines are in sight; from 9 on people come first."""

    keys = "Enter chooses · F2 people · Esc goes back · Ctrl+Q leaves at once"
    AUTO_FOCUS = "#tools"

    def __init__(self, care: Care, level: int, earlier: int | None = None, note: str = "") -> None:
        whole = say("{number} of {all}", number=level, all=HIGHEST)
        self.title_text = whole if earlier is None else compared(earlier, level)
        super().__init__(care)
        self.match = match(level)
        self._note = note

    def same_as(self, other: CarePanel) -> bool:
        return False

    def body(self) -> Iterable[Widget]:
        yield Plain(self.match.words, classes="lead")
        if self.match.people == "first":
            yield Vertical(*self._people(), classes="people")
        yield PlainOptions(*self._options(), id="tools")
        if self.match.people == "below":
            yield Vertical(*self._people(FEW), classes="people")
        yield Plain(self._note, id="care-note")

    def on_mount(self) -> None:
        """The tools have the focus, and the words and people above them stay in sight."""
        self.call_after_refresh(lambda: self.query_one("#panel-body").scroll_home(animate=False))

    def _options(self) -> Iterable[Option]:
        yield from tool_lines(self.match.tools)
        yield from command_lines(("plan", "tools"))

    def _people(self, most: int | None = None) -> Iterable[Widget]:
        for contact in self.contacts[:most]:
            yield Plain(neutral(contact.line), classes="own-contact")
        lines = self.tide.core.words.help_lines(self.tide.settings.country)[:most]
        for index, help_line in enumerate(lines):
            yield HelpLineView(help_line, tall=index == 0 and most is None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.open_command(event.option_id)
