"""The frame of the care screens: any of their keys leads on to another, F2 to people, Esc back to where one was."""

from tide_chat.care.contacts import Contact
from tide_chat.care.keeping import Care, or_else
from tide_chat.errors import TideError, in_words
from tide_chat.terminal import neutral
from tide_chat.ui.commands import find
from tide_chat.ui.screens.panel import Panel


class CarePanel(Panel[None]):
    """A panel that holds nothing one has written, so that another may take its place."""

    least_rows = 14

    def __init__(self, care: Care) -> None:
        super().__init__(classes="care")
        self.care = care

    @property
    def contacts(self) -> tuple[Contact, ...]:
        return or_else(self.care.contacts, ())

    def same_as(self, other: "CarePanel") -> bool:
        """Whether `other` would show the same, so that a second press of its key is not felt."""
        return type(self) is type(other)

    def open_command(self, name: str | None) -> None:
        """What was chosen from a list of commands."""
        if command := find(name or ""):
            self.call_later(getattr(self.app, f"action_{command.action}"))


def problem(error: TideError | OSError) -> str:
    """A failure to keep something, in words that fit beside it."""
    return neutral(error.line if isinstance(error, TideError) else in_words(error))
