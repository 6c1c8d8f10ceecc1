"""Deleting the whole history: it says what goes, and asks for a word to be typed, since nothing brings it back."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Input

from tide_chat.ui.screens.history import words
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say

WORD = "delete"


class DeleteAllScreen(Panel[bool]):
    """Dismissed with True only when the word was typed."""

    title_text = "Delete all that is kept?"
    keys = "Enter deletes it, once the word is there · Esc keeps everything"
    AUTO_FOCUS = "#word"

    def body(self) -> Iterable[Widget]:
        yield Plain(say(words.DELETE_ALL), classes="reading")
        yield Plain(say("To delete it, type the word {word}.", word=say(WORD)), classes="field")
        yield Input(id="word", compact=True, classes="secret")
        yield Plain("", id="care-note")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip().casefold() == say(WORD):
            self.dismiss(True)
        else:
            self.query_one("#care-note", Plain).update(say("Nothing was deleted. Esc goes back and keeps everything."))

    def action_close(self) -> None:
        self.dismiss(False)
