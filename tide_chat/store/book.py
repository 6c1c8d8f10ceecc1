"""The history as a front end holds it for one run: off, locked, being opened or open. The keeper of a companion.

What was said while it was not open is not kept, and nothing of it is kept afterwards. Knows no screen. Its methods can
be called from several threads; those that open it take about a second.
"""

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

WAIT_S = 5.0  # for an opening that is under way, before what was said is kept a little later


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
        self._changed = threading.Condition()
        self._opening = False
        self._unkept: tuple[Message, ...] = ()

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
        """It is about to be opened: what is said from now on waits for that."""
        with self._changed:
            self._opening = True

    def unlock_by_keyring(self) -> bool:
        """The same with the key in the system's keyring. Raises WrongPassphrase when it has none that opens it."""
        return self._open(self._found)

    def create(self, passphrase: str) -> bool:
        """Make a new history and open it. Raises UsageError, StoreError."""
        return self._open(lambda: self.vault.create(passphrase))

    def stop_opening(self) -> None:
        """Whatever is being opened stays closed."""
        with self._changed:
            self._attempt += 1
            self._opening = False
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing is kept from now on. Twice does no harm."""
        self.stop_opening()
        if self.diary:
            self._unkept = self.diary.seen
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
        with self._changed:
            self._attempt += 1
            attempt, self._opening = self._attempt, True
        try:
            archive = self.vault.open(key(), self.days)
        except BaseException:
            self._ended(attempt, None)
            raise
        return self._ended(attempt, archive)

    def _ended(self, attempt: int, archive: Archive | None) -> bool:
        with self._changed:
            wanted = attempt == self._attempt
            if wanted:
                self._opening = False
                if archive:
                    self._begin(archive)
                self._changed.notify_all()
        if archive and not wanted:
            archive.close()
        return wanted

    def _begin(self, archive: Archive) -> None:
        if self.archive:
            self.archive.close()
        self._on = True
        self.archive, self.diary = archive, Diary(archive)
        self.diary.leave(self._unkept)

    # -- what a companion calls --------------------------------------------------------------------------------------

    def save(self, conversation: Conversation) -> None:
        """Durable when it returns, if it is open; nothing otherwise. Raises StoreError."""
        with self._changed:
            self._changed.wait_for(lambda: not self._opening, WAIT_S)
            diary, waits = self.diary, self._opening
        if diary:
            diary.save(conversation)
        elif not waits:
            self._unkept = conversation.messages

    def leave(self) -> None:
        """A new conversation begins; what was kept stays."""
        self._unkept = ()
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
        if copy_to is not None:
            copy = archive.branch(id, archive.turn_end(id, copy_to))
            return diary.resume(copy, last)
        return diary.resume(id, last)

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
