"""The inspector and receipts line by line: `/inspect` and `/receipt FILE` in `plain`. Off until switched on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tide_chat import paths
from tide_chat.commands.line_input import LineInput
from tide_chat.commands.output import say
from tide_chat.errors import UsageError
from tide_chat.terminal import neutral

if TYPE_CHECKING:
    from tide_chat.clinician.desk import Desk

HELP = """\
For a clinician who shows how this works:
/inspect        the newest turn from inside; it asks first
/receipt FILE   a file with which a colleague gets the same replies"""


class ClinicianLines:
    """`commands` by what is typed."""

    def __init__(self, desk: "Desk", lines: LineInput) -> None:
        self._desk, self._lines = desk, lines
        self.commands: dict[str, Callable[[str], None]] = {"/inspect": self._inspect, "/receipt": self._receipt}

    def _inspect(self, _argument: str) -> None:
        from tide_chat.clinician import inspection
        from tide_chat.clinician.desk import NO_TURN

        if self._switched_on():
            made = self._desk.newest()
            say(neutral(inspection.text(made)) if made else NO_TURN)

    def _switched_on(self) -> bool:
        from tide_chat.clinician.inspection import ASK, WHAT_IT_SHOWS

        if not self._desk.on:
            say(WHAT_IT_SHOWS)
            self._desk.on = self._lines.agrees(ASK)
        return self._desk.on

    def _receipt(self, where: str) -> None:
        """Says what is in it before it asks for a yes. Raises TideError, OSError."""
        from tide_chat.clinician import receipt

        if not where:
            raise UsageError("There is no name for the file yet.", help="/receipt FILE, for example /receipt talk.json")
        path = paths.typed(where)
        made = self._desk.receipt()
        say(f"{receipt.holds(made.earlier)}\nIt goes to {path}")
        if self._lines.agrees("Write it?"):
            say(f"Written: {receipt.write(str(path), made)}")
