"""What stands in a box, not sent or not kept, outlives the app where the history is open. Nothing is kept elsewhere.

Written at most once a second, in a thread, and once more when the app ends: a crash costs the last second of typing.
How it is kept: `store.drafts`.
"""

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from tide_chat.errors import StoreLocked, TideError
from tide_chat.store.drafts import MESSAGE, Drafts
from tide_chat.ui.history import HistoryApp
from tide_chat.wording import say

if TYPE_CHECKING:
    from tide_chat.store.archive import Archive

WAIT = 1.0  # seconds from the first change to the writing
LEFT = "You had not sent this. It stays here, encrypted, until you send it or delete it."


class Unsent:
    """The newest texts by box, and what is kept of them. archive: where, None for nowhere.

    `write` waits for the file and belongs into a thread; the rest waits for nothing.
    """

    def __init__(self, archive: "Callable[[], Archive | None]") -> None:
        self._archive = archive
        self._lock = threading.Lock()  # one writes at a time
        self._seen: Archive | None = None  # looked through for what was left
        self._texts: dict[str, str] = {}
        self._left: dict[str, str] = {}  # in an earlier run, and in no box yet
        self._kept: dict[str, str] = {}

    def note(self, text: str, box: str = MESSAGE) -> bool:
        """This is what stands there now. Returns whether there is something to write."""
        self._texts[box] = text
        archive = self._archive()
        return archive is not None and (archive is not self._seen or self._wanted(box) != self._kept.get(box, ""))

    def take(self, box: str = MESSAGE) -> str:
        """What was left there, to be put into the box."""
        if self._archive() is not self._seen:  # it stays in the file that is closed now
            return ""
        if text := self._left.get(box, ""):
            self._texts[box] = self._wanted(box)
            del self._left[box]
        return text

    def write(self, *, patient: bool = False) -> bool:
        """Look for what was left, once in each file, then write what changed. False: later, another process is writing.

        patient: wait for that process instead. Other failures are not said, which would come with every key; the next
        change tries again.
        """
        with self._lock:
            archive = self._archive()
            try:
                with archive.briefly() if archive and not patient else contextlib.nullcontext():
                    self._write(archive)
            except StoreLocked:
                return False
            except TideError:
                pass
            return True

    def _write(self, archive: "Archive | None") -> None:
        if archive is not self._seen:
            self._kept = _look(archive) if archive else {}
            # The same stands in the box where the history was only closed for a while.
            self._left = {box: text for box, text in self._kept.items() if text != self._texts.get(box, "")}
            self._seen = archive
        if archive:
            for box in [*self._texts]:
                text = self._wanted(box)
                if text != self._kept.get(box, ""):
                    Drafts(archive).keep(text, box)
                    self._kept[box] = text

    def _wanted(self, box: str) -> str:
        return "\n".join(text for text in (self._left.get(box, ""), self._texts.get(box, "")) if text)


def _look(archive: "Archive") -> dict[str, str]:
    drafts = Drafts(archive)
    return {box: drafts.left(box) for box in drafts.boxes()}


class Written(Message):
    """A writing is done, or has to be tried again."""

    def __init__(self, *, done: bool) -> None:
        super().__init__()
        self.done = done


class UnsentApp(HistoryApp):
    """Follows the boxes and the history. `TideChatApp` adds all else."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent = Unsent(lambda: self.book.archive)
        self._due = False  # a writing is on its way

    def history_changed(self) -> None:
        super().history_changed()
        if self.chat.is_mounted:
            self.note_unsent()

    def turn_history_off(self) -> None:
        self.drop_unsent()
        super().turn_history_off()

    def note_unsent(self) -> None:
        """Something changed in the box, or in what was sent from it."""
        self.note_draft(self.chat.unsent)

    def note_draft(self, text: str, box: str = MESSAGE) -> None:
        """This is what stands in a box now; nothing, when it was sent or kept elsewhere."""
        if not self.unsent.note(text, box):
            return
        if not text:  # sent or deleted: it goes at once
            self._write_unsent()
        else:
            self._write_soon()

    def drop_unsent(self) -> None:
        """The message is forgotten now, and not in a second."""
        self.unsent.note("")
        self.unsent.write(patient=True)

    def write_last_unsent(self) -> None:
        """When the app goes, from any thread: what was still being looked at may be in the conversation meanwhile."""
        self.unsent.note(self.chat.unsent)
        self.unsent.write(patient=True)

    def _write_soon(self) -> None:
        if not self._due:
            self._due = True
            self.set_timer(WAIT, self._write_unsent)

    def _write_unsent(self) -> None:
        self._due = False
        self.run_worker(lambda: self.post_message(Written(done=self.unsent.write())), name="draft", thread=True)

    def on_written(self, message: Written) -> None:
        if not message.done:
            self._write_soon()
        if left := self.unsent.take():
            self.chat.composer.give_back(left)
            self.chat.hint(say(LEFT))
            self.note_unsent()
