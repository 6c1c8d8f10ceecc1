"""The first screen: what this is. The model loads behind it. The text is authored and lives in `safety`."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tide_chat.ui.ports import Words
from tide_chat.ui.screens.help_lines import HelpLinesScreen
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain


class DisclosureScreen(Panel[bool]):
    """Dismissed with True when accepted. Read only: it is shown again on request and changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", show=False, priority=True),
        Binding("f2,ctrl+l,h", "help_lines", show=False),
        Binding("q", "leave", show=False),
    ]

    def __init__(self, words: Words, country: str | None, *, read_only: bool = False) -> None:
        super().__init__()
        self._words, self._country, self._read_only = words, country, read_only
        self.keys = "Enter goes on · F2 or H: find help now · Q leaves"
        if read_only:
            self.keys = "Esc closes · F2 find help now · Ctrl+Q leaves at once"
        self.title_text, _, self._text = words.disclosure(country).partition("\n\n")

    def body(self) -> Iterable[Widget]:
        yield Plain(self._text, id="disclosure")

    def action_accept(self) -> None:
        if not self._read_only:
            self._words.accept_disclosure()
        self.dismiss(True)

    def action_help_lines(self) -> None:
        self.app.push_screen(HelpLinesScreen(self._words, self._country))

    def action_leave(self) -> None:
        if self._read_only:
            self.dismiss(True)
        else:
            self.app.exit(0)

    def action_close(self) -> None:
        if self._read_only:
            self.dismiss(True)
