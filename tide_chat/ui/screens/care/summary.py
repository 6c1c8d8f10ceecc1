"""A page for a clinician, written by the person from a draft. It leaves the app only as a file, by the next screen."""

from tide_chat.care import today
from tide_chat.care.keeping import Care, or_else
from tide_chat.care.summary import TITLE, draft
from tide_chat.ui.screens.care.export import ExportScreen
from tide_chat.ui.screens.care.writing import Field, WritingScreen
from tide_chat.wording import say

HINT = (
    "A draft. Change it and cut it as you like. It holds nothing from your conversations. "
    "Ctrl+S goes on to where the file should go; here it is not kept."
)
KEYS = "Ctrl+S goes on to a file · Tab moves on · Esc goes back · Ctrl+Q leaves at once"


class SummaryScreen(WritingScreen):
    """Stays open below the file screen, so that Esc there loses nothing."""

    def __init__(self, care: Care) -> None:
        field = Field("summary", "", say(HINT), draft(or_else(care.journal.read, ()), today.now()))
        super().__init__("summary", TITLE, [field], _nothing, "", keys=KEYS, button="Go on to a file (Ctrl+S)")

    def action_save(self) -> None:
        screen = ExportScreen("for-my-clinician", self.written["summary"])
        self.app.push_screen(screen, self._leave)

    def _leave(self, written: bool | None) -> None:
        if written:
            self.end(kept=True)


def _nothing(_written: dict[str, str]) -> None:
    """The page is kept nowhere but in the file."""
