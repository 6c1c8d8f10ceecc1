"""Something becomes a file, in a worker. The screen says where it goes and what is in it before it is written."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import get_current_worker

from tide_chat.care import export
from tide_chat.errors import TideError
from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.panel import problem
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say


class Ended(Message):
    """The worker is done: the file, or why there is none."""

    def __init__(self, path: Path | None, error: TideError | OSError | None = None) -> None:
        super().__init__()
        self.path, self.error = path, error


class ToFileScreen(Panel[bool]):
    """Enter in the box writes the file; Esc writes nothing, also while it is being made.

    Dismissed with True when there is a file.
    Subclasses give the text, and a body that holds `where` and a line `#care-note`.
    """

    AUTO_FOCUS = "#where"
    suffixes: ClassVar[tuple[str, ...]] = ()
    _is_there = False

    def where(self, name: str) -> Widget:
        """The box, with a file that is not there yet."""
        return Input(str(export.suggested(name, self.suffixes[0])), id="where", compact=True)

    def maker(self, where: str) -> Callable[[], str]:
        """What makes the text, in a worker, as things are now. It may raise TideError, OSError."""
        raise NotImplementedError

    def holds(self) -> str:
        """What is said of the file once it is there."""
        raise NotImplementedError

    def written(self) -> None:
        """What else changes then."""

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.disabled:
            return
        event.input.disabled = True
        self.query_one("#care-note", Plain).update(say("Writing ..."))
        where = event.value.strip()
        make = self.maker(where)
        self.run_worker(lambda: self._write(where, make), name="to file", thread=True)

    def _write(self, where: str, make: Callable[[], str]) -> None:
        try:
            text = make()
            if get_current_worker().is_cancelled:  # Esc came meanwhile
                return
            self.post_message(Ended(export.write(where, text, self.suffixes)))
        except (TideError, OSError) as error:
            self.post_message(Ended(None, error))

    def on_ended(self, event: Ended) -> None:
        note, box = self.query_one("#care-note", Plain), self.query_one("#where", Input)
        if event.error:
            box.disabled = False
            box.focus()
            note.update(problem(event.error))
            return
        self._is_there = True
        note.update(neutral(f"{say('Written: {path}', path=event.path)}\n{self.holds()}"))
        self.query_one("#panel-keys", Plain).update(say("Esc closes"))
        self.written()

    def action_close(self) -> None:
        self.dismiss(self._is_there)
