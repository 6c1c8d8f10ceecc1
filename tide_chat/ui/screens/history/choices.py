"""What can be done with a conversation, as choices; and a new name for it."""

from collections.abc import Iterable
from enum import StrEnum

from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tide_chat.terminal import neutral
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import PlainOptions
from tide_chat.wording import say


class Choice(StrEnum):
    GO_ON = "go on"
    NAME = "name"
    COPY = "copy"
    FILE = "file"
    DELETE = "delete"
    NEW = "new"
    ALL = "all"


WORDS = {
    Choice.GO_ON: "Go on with it",
    Choice.NAME: "Give it a name",
    Choice.COPY: "Go on with a copy, up to one of my messages",
    Choice.FILE: "Write it to a file",
    Choice.DELETE: "Delete it",
    Choice.NEW: "Begin a new conversation",
    Choice.ALL: "Delete all that is kept",
}
OF_NONE = (Choice.NEW, Choice.ALL)  # those that need no conversation


class ChoicesScreen(Panel[Choice]):
    """Dismissed with what was chosen."""

    keys = "Enter chooses · Esc goes back"
    AUTO_FOCUS = "#choices"

    def __init__(self, name: str, choices: Iterable[Choice] = Choice) -> None:
        super().__init__()
        self._called, self._choices = name, choices

    def heading(self) -> str:
        return self._called

    def body(self) -> Iterable[Widget]:
        yield PlainOptions(*(Option(say(WORDS[one]), id=one) for one in self._choices), id="choices")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(Choice(event.option_id or Choice.GO_ON))


class NameScreen(Panel[str]):
    """Dismissed with the name; an empty one shows how the conversation begins."""

    title_text = "A name for this conversation"
    keys = "Enter keeps it, empty shows its first words · Esc changes nothing"
    AUTO_FOCUS = "#name"

    def __init__(self, name: str) -> None:
        super().__init__()
        self._before = name

    def body(self) -> Iterable[Widget]:
        yield Input(self._before, id="name", max_length=200, compact=True, classes="secret")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(neutral(event.value).strip())
