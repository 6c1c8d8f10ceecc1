"""A receipt becomes a file. The screen says where it goes and what is in it before anything is written."""

from collections.abc import Iterable

from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import get_current_worker

from tide_chat.care import export
from tide_chat.clinician import receipt
from tide_chat.clinician.desk import Desk
from tide_chat.errors import TideError, in_words
from tide_chat.terminal import neutral
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain

FOR = "With it, a colleague gets the same replies: tide-chat replay --receipt FILE. Where does it go?"
NOT_SEEDED = "No seed was set, so the same words are likely elsewhere, but not certain. tide-chat --seed 7 makes it so."


class ReceiptScreen(Panel[None]):
    """Enter writes the file; Esc writes nothing."""

    title_text = "Write a receipt of this conversation"
    keys = "Enter writes the file · Esc writes nothing · Ctrl+Q leaves at once"
    AUTO_FOCUS = "#where"

    class Ended(Message):
        """The file is written, or why it is not."""

        def __init__(self, said: str, *, written: bool) -> None:
            super().__init__()
            self.said = said
            self.written = written

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def body(self) -> Iterable[Widget]:
        yield Plain(FOR)
        yield Input(str(export.suggested("tide-chat-receipt", receipt.SUFFIX)), id="where", compact=True)
        holds = receipt.holds(self._desk.talk.earlier)
        seeded = self._desk.talk.sampling.seed is not None
        yield Plain(holds if seeded else f"{holds}\n{NOT_SEEDED}", id="care-note")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        where = event.value.strip()
        event.input.disabled = True
        self.query_one("#care-note", Plain).update("Writing ...")
        self.run_worker(lambda: self._write(where), name="receipt", thread=True)

    def _write(self, where: str) -> None:
        """Reads the model's files for their checksums, which takes a moment the first time."""
        try:
            made = self._desk.receipt()
            if get_current_worker().is_cancelled:  # Esc came meanwhile, and it says that nothing is written
                return
            path = receipt.write(where, made)
            self.post_message(self.Ended(f"Written: {path}\n{receipt.holds(self._desk.talk.earlier)}", written=True))
        except TideError as error:
            self.post_message(self.Ended(str(error), written=False))
        except OSError as error:
            self.post_message(self.Ended(in_words(error), written=False))

    def on_receipt_screen_ended(self, event: Ended) -> None:
        self.query_one("#care-note", Plain).update(neutral(event.said))
        if event.written:
            self.query_one("#panel-keys", Plain).update("Esc closes")
        else:
            where = self.query_one("#where", Input)
            where.disabled = False
            where.focus()
