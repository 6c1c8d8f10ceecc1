"""What stands in the box and was not sent outlives the app where the history is open, and nothing is kept elsewhere.

Written at most once a second, in a thread: a crash costs the last second of typing. How it is kept: `store.drafts`.
"""

import contextlib
import threading
from typing import TYPE_CHECKING

from tide_chat.errors import TideError
from tide_chat.store.drafts import Drafts
from tide_chat.ui.history import HistoryApp
from tide_chat.wording import say

if TYPE_CHECKING:
    from tide_chat.store.archive import Archive

WAIT = 1.0  # seconds from the first change to the writing
LEFT = "You had not sent this. It stays here, encrypted, until you send it or delete it."


class Unsent:
    """The newest text and what is kept of it. Its methods can be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._archive: Archive | None = None
        self._text = self._kept = ""

    def keep_in(self, archive: "Archive | None") -> str:
        """From now on it is kept there, None for nowhere. Returns what was left there, unless it stands in the box."""
        with self._lock:
            if archive is self._archive:
                return ""
            self._archive, self._kept = archive, ""
            if archive:
                with contextlib.suppress(TideError):
                    self._kept = Drafts(archive).left()
            return "" if self._kept == self._text else self._kept

    def note(self, text: str) -> bool:
        """This is what is unsent now. Returns whether there is something to write."""
        self._text = text
        return self._archive is not None and text != self._kept

    def write(self) -> None:
        """A failure is not said: it would come with every key. The next change tries again."""
        with self._lock, contextlib.suppress(TideError):
            text = self._text
            if self._archive and text != self._kept:
                Drafts(self._archive).keep(text)
                self._kept = text


class UnsentApp(HistoryApp):
    """Follows the box and the history. `TideChatApp` adds all else."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent = Unsent()
        self._due = False  # a writing is on its way

    def history_changed(self) -> None:
        super().history_changed()
        if not self.chat.is_mounted:
            return
        if left := self.unsent.keep_in(self.book.archive):
            self.chat.composer.give_back(left)
            self.chat.hint(say(LEFT))
        self.note_unsent()

    def turn_history_off(self) -> None:
        self.drop_unsent()
        super().turn_history_off()

    def note_unsent(self) -> None:
        """Something changed in the box, or in what was sent from it."""
        text = self.chat.unsent
        if not self.unsent.note(text):
            return
        if not text:  # sent or deleted: it goes at once
            self._write_unsent()
        elif not self._due:
            self._due = True
            self.set_timer(WAIT, self._write_unsent)

    def drop_unsent(self) -> None:
        """It is forgotten now, and not in a second."""
        self.unsent.note("")
        self.unsent.write()

    def write_last_unsent(self) -> None:
        """When the app is gone: what was still being looked at may have come into the conversation meanwhile."""
        self.unsent.note(self.chat.unsent)
        self.unsent.write()

    def _write_unsent(self) -> None:
        self._due = False
        self.run_worker(self.unsent.write, name="draft", thread=True)
