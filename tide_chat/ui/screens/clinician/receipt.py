"""A receipt becomes a file. The screen says where it goes and what is in it before anything is written."""

from collections.abc import Callable, Iterable

from textual.widget import Widget

from tide_chat.clinician import receipt
from tide_chat.clinician.desk import Desk
from tide_chat.ui.screens.to_file import ToFileScreen
from tide_chat.ui.widgets.plain import Plain

FOR = "With it, a colleague gets the same replies: tide-chat replay --receipt FILE. Where does it go?"
NOT_SEEDED = "No seed was set, so the same words are likely elsewhere, but not certain. tide-chat --seed 7 makes it so."


class ReceiptScreen(ToFileScreen):
    """Enter writes the file; Esc writes nothing."""

    title_text = "Write a receipt of this conversation"
    keys = "Enter writes the file · Esc writes nothing · Ctrl+Q leaves at once"
    suffixes = (receipt.SUFFIX,)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def body(self) -> Iterable[Widget]:
        yield Plain(FOR)
        yield self.where("tide-chat-receipt")
        seeded = self._desk.talk.sampling.seed is not None
        yield Plain(self.holds() if seeded else f"{self.holds()}\n{NOT_SEEDED}", id="care-note")

    def maker(self, where: str) -> Callable[[], str]:
        """Reads the model's files for their checksums, which takes a moment the first time."""
        return lambda: receipt.to_text(self._desk.receipt())

    def holds(self) -> str:
        return receipt.holds(self._desk.talk.earlier)
