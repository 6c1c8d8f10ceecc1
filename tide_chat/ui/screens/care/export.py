"""A text becomes a file. The screen says where it goes and who can read it before anything is written."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Input

from tide_chat.care import export
from tide_chat.errors import TideError
from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.panel import problem
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say


class ExportScreen(Panel[bool]):
    """Enter writes the file; Esc writes nothing. Dismissed with True when there is a file."""

    title_text = "Make a file to print"
    keys = "Enter writes the file · Esc writes nothing · Ctrl+Q leaves at once"
    AUTO_FOCUS = "#where"

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._file_name, self._text = name, text
        self._written = False

    def body(self) -> Iterable[Widget]:
        yield Plain(say("Where it goes. You can change the folder and the name; .md and .txt are plain text."))
        yield Input(str(export.suggested(self._file_name)), id="where", compact=True)
        yield Plain(say(export.PLAIN), id="care-note")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        note = self.query_one("#care-note", Plain)
        try:
            path = export.write(event.value, self._text)
        except (TideError, OSError) as error:
            note.update(problem(error))
            return
        self._written = event.input.disabled = True
        note.update(neutral(f"{say('Written: {path}', path=path)}\n{say(export.PLAIN)}"))
        self.query_one("#panel-keys", Plain).update(say("Esc closes"))

    def action_close(self) -> None:
        self.dismiss(self._written)
