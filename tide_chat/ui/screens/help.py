"""The help panel: every key and command, from the command table."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from tide_chat.ui import commands
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say


class HelpScreen(Panel[None]):
    """Two lists: commands with their keys, and the keys while writing."""

    title_text = "Keys and commands"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1,question_mark", "close", show=False)]

    def body(self) -> Iterable[Widget]:
        for keys, slash, text in commands.rows():
            yield self._row(f"{keys} · {slash}" if keys else slash, text)
        yield Plain(say("While writing"), classes="help-head")
        for row in commands.TYPING:
            yield self._row(say(row.keys), say(row.help))

    @staticmethod
    def _row(keys: str, text: str) -> Plain:
        return Plain(Content.assemble((keys, "bold $accent"), f"\n{text}"), classes="help-row")
