"""All care tools in one list, with their keys."""

from collections.abc import Iterable

from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tide_chat.care.keeping import or_else
from tide_chat.care.names import IDS, WORDS
from tide_chat.care.tools import all_tools
from tide_chat.errors import TideError
from tide_chat.ui.commands import find, key_label
from tide_chat.ui.screens.care.panel import CarePanel, problem
from tide_chat.ui.widgets.plain import Plain, PlainOptions, mark
from tide_chat.wording import say

OTHERS = ("check-in", "plan", "contacts", "weeks", "summary")
ASK = "ask"


def tool_lines(names: Iterable[str]) -> Iterable[Option]:
    """An option for each tool: its title and its key."""
    titles = {tool.id: tool.title for tool in all_tools()}
    for name in names:
        yield Option(_line(titles[name], WORDS[name]), id=WORDS[name])


def command_lines(names: Iterable[str]) -> Iterable[Option]:
    """The same for each command."""
    for name in names:
        if command := find(name):
            yield Option(_line(say(command.title), name), id=name)


def _line(title: str, slash: str) -> Content:
    command = find(slash)
    keys = " · ".join(key_label(key) for key in command.keys) if command else ""
    return Content.assemble(f"{title}", (f"  {keys or '/' + slash}", "$text-muted"))


class CareMenu(CarePanel):
    """Tools first, then what one can note and write."""

    title_text = "Care tools"
    keys = "Enter chooses · F2 people · Esc goes back · Ctrl+Q leaves at once"
    AUTO_FOCUS = "#tools"

    def body(self) -> Iterable[Widget]:
        yield PlainOptions(*self._options(), id="tools")
        yield Plain(self.care.where, id="care-note")

    def _options(self) -> Iterable[Option]:
        yield from tool_lines(IDS)
        yield Option("", disabled=True)
        yield from command_lines(OTHERS)
        asks = or_else(lambda: self.care.asks, False)
        yield Option(f"{mark(asks)} {say('Ask 0 to 10 before and after a tool')}", id=ASK)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_id == ASK:
            self._turn_asking()
        else:
            self.open_command(event.option_id)

    def _turn_asking(self) -> None:
        try:
            self.care.ask(not self.care.asks)
        except (TideError, OSError) as error:
            self.query_one("#care-note", Plain).update(problem(error))
        self.query_one(PlainOptions).refill(self._options())
