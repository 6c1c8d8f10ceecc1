"""A message that is begun in `plain`: kept in the open history until it is answered, and offered again there.

Written at most once a second, as in the app. Nowhere else is anything kept.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tide_chat.commands.line_input import LineInput
from tide_chat.commands.output import tell
from tide_chat.errors import TideError
from tide_chat.terminal import neutral

if TYPE_CHECKING:
    from tide_chat.store.drafts import Drafts
    from tide_chat.store.opened import OpenFile


LEFT = "You had not sent this:\n{text}\nChange it and send it with Enter, or leave it out."
LEFT_TO_READ = "You had not sent this:\n{text}\nTo send it, write it again; or leave it out."  # without readline


class UnsentLines:
    """Nothing is kept until `kept_in`. A failure is not said: there is nobody to read it, or the next one says it."""

    def __init__(self, lines: LineInput) -> None:
        self._lines = lines
        self._drafts: Drafts | None = None
        self._kept = ""
        self._sent = ""  # and nothing of an answer was seen yet

    @contextlib.contextmanager
    def kept_in(self, file: "OpenFile") -> Iterator[None]:
        """What is begun is kept there, and at the end what was not answered."""
        from tide_chat.store.drafts import Drafts

        def look(text: str) -> None:
            with contextlib.suppress(TideError), file.briefly():  # whoever types waits for nobody
                self._keep(text)

        self._drafts, self._lines.watch = Drafts(file), look
        try:
            yield
        finally:
            self._keep(self._lines.begun or self._sent)

    def _keep(self, text: str) -> None:
        if self._drafts and text != self._kept:
            with contextlib.suppress(TideError):
                self._drafts.keep(text)
                self._kept = text

    def left(self) -> str:
        """What was not sent the last time, after a line that says so; empty when there is nothing."""
        text = ""
        with contextlib.suppress(TideError):
            text = self._drafts.left() if self._drafts else ""
        self._kept = text
        if text := neutral(text):
            tell(LEFT if self._lines.edits else LEFT_TO_READ, text=text)
        return text

    def sent(self, text: str) -> None:
        """It goes to the companion, which keeps it before it answers."""
        self._sent = text

    def answered(self) -> None:
        """What was sent is in the conversation, or it was a command."""
        self._sent = ""
        self._keep("")
