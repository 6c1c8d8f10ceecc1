"""People to call or text: help lines and one's own. Works with no model and before anything was accepted."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tide_chat.care.contacts import Contact
from tide_chat.terminal import neutral
from tide_chat.ui.ports import Words
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.card import HelpLineView
from tide_chat.ui.widgets.plain import Plain


class HelpLinesScreen(Panel[None]):
    """The help lines, the first with tall digits."""

    title_text = "People you can reach now"
    keys = "Esc goes back · F5 in the chat changes the country · Ctrl+Q leaves at once"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2,ctrl+l", "close", show=False)]

    def __init__(self, words: Words, country: str | None, contacts: Sequence[Contact] = ()) -> None:
        super().__init__()
        self._contacts = contacts
        self._lines = words.help_lines(country)
        self._footnote = words.help_footnote(country)

    def body(self) -> Iterable[Widget]:
        for index, line in enumerate(self._lines):
            yield HelpLineView(line, tall=index == 0)
        for contact in self._contacts:
            yield Plain(neutral(contact.line), classes="own-contact")
        yield Plain(self._footnote, classes="card-foot")
