"""A conversation becomes a file. The screen says where it goes and who can read it before anything is written."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tide_chat.care import export
from tide_chat.store import exchange
from tide_chat.store.values import Record
from tide_chat.ui.screens.to_file import ToFileScreen
from tide_chat.ui.widgets.plain import Plain, PlainOptions, mark
from tide_chat.wording import say

SUFFIXES = (".md", ".json")
AS_IS, REDACTED = "as-is", "redacted"
CHOICES = {
    AS_IS: "As it is",
    REDACTED: "With names, places, numbers and addresses taken out, as far as they are seen",
}


class HistoryExport(ToFileScreen):
    """Enter in the box writes the file; Esc writes nothing. read: gives the conversation; may raise TideError."""

    title_text = "Write this conversation to a file"
    keys = "Enter writes the file · Tab: what is in it · Esc writes nothing · Ctrl+Q leaves at once"
    suffixes = SUFFIXES

    def __init__(self, read: Callable[[], Record]) -> None:
        super().__init__()
        self._read, self._redacted = read, False

    def body(self) -> Iterable[Widget]:
        yield Plain(say("Where it goes. A name that ends in .md is for reading, one in .json can be imported again."))
        yield self.where("conversation")
        yield Plain(say("What is in it"), classes="setting")
        yield PlainOptions(*self._options(), id="choices")
        yield Plain(say(export.PLAIN), id="care-note")

    def _options(self) -> Iterable[Option]:
        for name, said in CHOICES.items():
            yield Option(f"{mark((name == REDACTED) is self._redacted)} {say(said)}", id=name)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._redacted = event.option_id == REDACTED
        self.query_one(PlainOptions).refill(self._options())

    def maker(self, where: str) -> Callable[[], str]:
        return partial(_text, self._read, Path(where).suffix, redacted=self._redacted)

    def holds(self) -> str:
        return "\n".join((say(export.PLAIN), *([say(exchange.MISSES)] if self._redacted else [])))

    def written(self) -> None:
        self.query_one(PlainOptions).disabled = True


def _text(read: Callable[[], Record], suffix: str, *, redacted: bool) -> str:
    record = read()
    records = exchange.without_names((record,)) if redacted else (record,)
    return exchange.to_text(records, suffix, datetime.now(UTC), redacted=redacted)
