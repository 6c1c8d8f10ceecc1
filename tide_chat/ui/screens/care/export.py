"""An own text becomes a file. The screen says where it goes and who can read it before anything is written."""

from collections.abc import Callable, Iterable

from textual.widget import Widget

from tide_chat.care import export
from tide_chat.ui.screens.to_file import ToFileScreen
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say


class ExportScreen(ToFileScreen):
    """Enter writes the file; Esc writes nothing."""

    title_text = "Make a file to print"
    keys = "Enter writes the file · Esc writes nothing · Ctrl+Q leaves at once"
    suffixes = export.SUFFIXES

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._file_name, self._text = name, text

    def body(self) -> Iterable[Widget]:
        yield Plain(say("Where it goes. You can change the folder and the name; .md and .txt are plain text."))
        yield self.where(self._file_name)
        yield Plain(self.holds(), id="care-note")

    def maker(self, where: str) -> Callable[[], str]:
        return lambda: self._text

    def holds(self) -> str:
        return say(export.PLAIN)
