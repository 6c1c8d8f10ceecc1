"""A question with two answers. Doing nothing is the answer that has the focus."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button

from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain, PlainButton
from tide_chat.wording import say


class Confirm(Panel[bool]):
    """Dismissed with True only when the user chose yes. Its words are in English or said already."""

    AUTO_FOCUS = "#no"
    keys = "Tab or arrows move, Enter chooses, Esc goes back"
    BINDINGS: ClassVar[list[BindingType]] = [("left,up", "app.focus_previous"), ("right,down", "app.focus_next")]

    def __init__(self, question: str, details: str, *, yes: str, no: str) -> None:
        super().__init__()
        self.title_text = question
        self._details, self._yes, self._no = details, yes, no

    def body(self) -> Iterable[Widget]:
        yield Plain(say(self._details))
        yield Horizontal(PlainButton(say(self._no), id="no"), PlainButton(say(self._yes), id="yes"), classes="answers")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "yes")

    def action_close(self) -> None:
        self.dismiss(False)
