"""The history as a front end holds it for one run: off, locked, being opened or open. The keeper of a companion.

What was said while it was not open is not kept, and nothing of it is kept afterwards; what is said while it is being
opened is kept as soon as it is open, and nothing waits for that. Knows no screen. Its methods can be called from
several threads; those that open it take about a second.
"""

import contextlib
import threading
from collections.abc import Callable
from enum import StrEnum

from tide_chat.errors import StoreError, WrongPassphrase
from tide_chat.messages import Conversation, Message
from tide_chat.store import system_keyring
from tide_chat.store.archive import Archive
from tide_chat.store.diary import Diary
from tide_chat.store.keys import Key
from tide_chat.store.vault import Vault


class State(StrEnum):
    OFF = "off"  # nothing is kept
    LOCKED = "locked"  # there is a history, and it is not open
    OPENING = "opening"
    OPEN = "open"


class Book:
    """One history, one conversation at a time. days: the retention time."""

    def __init__(self, vault: Vault | None = None, *, on: bool = False, days: int | None = None) -> None:
        self.vault = vault or Vault()
        self.days = days
        self.archive: Archive | None = None
        self.diary: Diary | None = None
        self._on = on
        self._attempt = 0
        self._changing = threading.Lock()
        self._opening = False
        self._pending: Conversation | None = None  # what stood on the screen while it was being opened
        self._unkept: tuple[Message, ...] = ()
        self.left_part = False  # of what stands on the screen, something was kept before this was closed

    @property
    def state(self) -> State:
        if self.archive:
            return State.OPEN
        if self._opening:
            return State.OPENING
        return State.LOCKED if self._on and self.vault.exists() else State.OFF

    # -- opening and closing -----------------------------------------------------------------------------------------

    def unlock(self, passphrase: str) -> bool:
        """Open it. False when `stop_opening` came first. Raises WrongPassphrase, StoreError, UsageError."""
        return self._open(lambda: self.vault.unlock(passphrase))

    def expect(self) -> None:
        """It is about to be opened: what is said from now on is kept once it is."""
        with self._changing:
            self._opening = True

    def unlock_by_keyring(self) -> bool:
        """The same with the key in the system's keyring. Raises WrongPassphrase when it has none that opens it."""
        return self._open(self._found)

    def create(self, passphrase: str) -> bool:
        """Make a new history and open it. Raises UsageError, StoreError."""
        return self._open(lambda: self.vault.create(passphrase))

    def stop_opening(self) -> None:
        """Whatever is being opened stays closed."""
        with self._changing:
            self._attempt += 1
            self._stays_closed()

    def close(self) -> None:
        """Nothing is kept from now on. Twice does no harm."""
        self.stop_opening()
        if self.diary:
            self._unkept = self.diary.seen
            self.left_part = self.left_part or self.diary.id is not None
        archive, self.archive, self.diary = self.archive, None, None
        if archive:
            archive.close()

    def turn_off(self) -> None:
        """Close it, and do not ask for it any more."""
        self._on = False
        self.close()

    def _found(self) -> Key:
        key = system_keyring.find(self.vault.file)
        if key is None:
            raise WrongPassphrase("The keyring has no key of this history.", help="The passphrase opens it as before.")
        return key

    def _open(self, key: Callable[[], Key]) -> bool:
        with self._changing:
            self._attempt += 1
            attempt, self._opening = self._attempt, True
        try:
            archive = self.vault.open(key(), self.days)
        except BaseException:
            self._ended(attempt, None)
            raise
        return self._ended(attempt, archive)

    def _ended(self, attempt: int, archive: Archive | None) -> bool:
        with self._changing:
            wanted = attempt == self._attempt
            if wanted and archive:
                self._begin(archive)
            elif wanted:
                self._stays_closed()
        if archive and not wanted:
            archive.close()
        return wanted

    def _stays_closed(self) -> None:
        """What was said meanwhile is not kept, also when it is opened later."""
        self._opening = False
        if self._pending:
            self._unkept, self._pending = self._pending.messages, None

    def _begin(self, archive: Archive) -> None:
        if self.archive:
            self.archive.close()
        self._on, self._opening = True, False
        self.archive, self.diary = archive, Diary(archive)
        self.diary.leave(self._unkept)
        if self._pending:
            with contextlib.suppress(StoreError):  # the next `save` tries again, and says it
                self.diary.save(self._pending)
            self._pending = None

    # -- what a companion calls --------------------------------------------------------------------------------------

    def save(self, conversation: Conversation) -> None:
        """Durable when it returns, if it is open; once it is, if it is being opened; nothing otherwise.

        Raises StoreError.
        """
        with self._changing:
            diary = self.diary
            if not diary and self._opening:
                self._pending = conversation
            elif not diary:
                self._unkept = conversation.messages
        if diary:
            diary.save(conversation)

    def leave(self) -> None:
        """A new conversation begins; what was kept stays."""
        with self._changing:
            self._unkept, self._pending, self.left_part = (), None, False
        if self.diary:
            self.diary.leave()

    # -- what a front end calls --------------------------------------------------------------------------------------

    @property
    def open_id(self) -> int | None:
        """The number of the conversation that is open, None when nothing of it is kept."""
        return self.diary.id if self.diary else None

    def holds(self, conversation: Conversation) -> bool:
        """Whether all of it is in the file."""
        return bool(self.diary and self.diary.holds(conversation))

    def opened(self) -> tuple[Archive, Diary]:
        """Raises StoreError when it is not open."""
        if not (self.archive and self.diary):
            raise StoreError("The history is not open.")
        return self.archive, self.diary

    def go_on_with(self, id: int, *, last: int, copy_to: int | None = None) -> Conversation:
        """Go on with a conversation, or with a copy that ends with the turn at position `copy_to`.

        Of a long one only the `last` messages. Raises StoreError, NoConversation; then the open one stays.
        """
        archive, diary = self.opened()
        wanted = id if copy_to is None else archive.branch(id, archive.turn_end(id, copy_to))
        found = diary.resume(wanted, last)
        self.left_part = False
        return found

    def forget(self) -> None:
        """Delete what was kept of the open conversation. Raises StoreError."""
        if self.diary:
            self.diary.forget()

    def delete(self, id: int) -> bool:
        """Delete a conversation for good. Whether it was the open one. Raises StoreError, NoConversation."""
        archive, diary = self.opened()
        if diary.id == id:
            diary.forget()
            return True
        archive.delete(id)
        return False

    def destroy(self) -> None:
        """Delete the whole history for good, and keep nothing from now on. Its key in the keyring stays.

        Raises StoreError when another process has it open; then it is closed, and still there.
        """
        self.close()
        self.vault.destroy()
        self._on, self.left_part = False, False
