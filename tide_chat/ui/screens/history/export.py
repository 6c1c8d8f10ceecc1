"""A conversation becomes a file. The screen says where it goes and who can read it before anything is written."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tide_chat.care import export
from tide_chat.errors import TideError
from tide_chat.store import exchange
from tide_chat.store.values import Record
from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.panel import problem
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain, PlainOptions

SUFFIXES = (".md", ".json")
AS_IS, REDACTED = "as-is", "redacted"
CHOICES = {
    AS_IS: "As it is",
    REDACTED: "With names, places, numbers and addresses taken out, as far as they are seen",
}
MISSES = "Names and numbers were taken out by rules that miss some. Read it before you pass it on."


class Written(Message):
    """The worker is done: the file, or why there is none."""

    def __init__(self, path: Path | None, error: TideError | OSError | None = None) -> None:
        super().__init__()
        self.path, self.error = path, error


class HistoryExport(Panel[None]):
    """Enter in the box writes the file; Esc writes nothing. read: gives the conversation; may raise TideError."""

    title_text = "Write this conversation to a file"
    keys = "Enter writes the file · Tab: what is in it · Esc writes nothing · Ctrl+Q leaves at once"
    AUTO_FOCUS = "#where"

    def __init__(self, read: Callable[[], Record]) -> None:
        super().__init__()
        self._read, self._redacted = read, False

    def body(self) -> Iterable[Widget]:
        yield Plain("Where it goes. A name that ends in .md is for reading, one in .json can be imported again.")
        yield Input(str(export.suggested("conversation")), id="where", compact=True)
        yield Plain("What is in it", classes="setting")
        yield PlainOptions(*self._options(), id="choices")
        yield Plain(export.PLAIN, id="care-note")

    def _options(self) -> Iterable[Option]:
        chosen = REDACTED if self._redacted else AS_IS
        for name, said in CHOICES.items():
            yield Option(f"{'(x)' if name == chosen else '( )'} {said}", id=name)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._redacted = event.option_id == REDACTED
        self.query_one(PlainOptions).refill(self._options())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.disabled:
            return
        event.input.disabled = True
        where, read, redacted, post = event.value, self._read, self._redacted, self.post_message
        self.run_worker(lambda: post(_write(where, read, redacted=redacted)), name="export", thread=True)

    def on_written(self, message: Written) -> None:
        note, box = self.query_one("#care-note", Plain), self.query_one("#where", Input)
        if message.error:
            box.disabled = False
            box.focus()
            note.update(problem(message.error))
            return
        lines = [f"Written: {message.path}", export.PLAIN, *([MISSES] if self._redacted else [])]
        note.update(neutral("\n".join(lines)))
        self.query_one(PlainOptions).disabled = True
        self.query_one("#panel-keys", Plain).update("Esc closes")


def _write(where: str, read: Callable[[], Record], *, redacted: bool) -> Written:
    """The worker."""
    try:
        record = read()
        records = exchange.without_names((record,)) if redacted else (record,)
        text = exchange.to_text(records, Path(where.strip()).suffix, datetime.now(UTC), redacted=redacted)
        return Written(export.write(where, text, SUFFIXES))
    except (TideError, OSError) as error:
        return Written(None, error)
