"""The file of the history: made, opened, its passphrase changed, destroyed. Knows nothing of what is in it.

Everything is in one folder: `history.db` (encrypted; its first 16 bytes are the salt), while it is open the write-ahead
log (encrypted) and its index (page numbers), and an empty lock file. Nothing is made before `create`.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from tide_chat import atomic, paths
from tide_chat.errors import StoreError, UsageError, WrongPassphrase
from tide_chat.store import cipher, keys, schema
from tide_chat.store.archive import Archive
from tide_chat.store.keys import Key
from tide_chat.store.presence import Presence


class Vault:
    """The place of one history. Holds no key and opens nothing by itself."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or paths.history_dir()
        self.file = self.folder / "history.db"

    def exists(self) -> bool:
        return self.file.exists()

    def create(self, passphrase: str) -> Key:
        """A new, empty history, whole or not at all. Raises StoreError, UsageError."""
        keys.check(passphrase)
        self.check_encryption()
        salt = secrets.token_bytes(keys.SALT_BYTES)
        key = keys.derive(passphrase, salt)
        with self._changing("made"):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            with self._alone():
                if self.exists():
                    raise UsageError("There is a history already.", details=str(self.file))
                self._build(key, salt)
        return key

    def _build(self, key: Key, salt: bytes) -> None:
        new = self.folder / "history.new"
        self._unlink("history.new")
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            connection = cipher.create(new, key, salt)
            try:
                schema.migrate(connection, new)
            finally:
                connection.close()
            new.replace(self.file)
            atomic.sync_folder(self.folder)
        finally:
            self._unlink("history.new")

    def unlock(self, passphrase: str) -> Key:
        """The key that opens it. Takes about a second. Raises WrongPassphrase, StoreError."""
        self.require()
        key = keys.derive(passphrase, cipher.read_salt(self.file))
        cipher.connect(self.file, key).close()
        return key

    def open(self, key: Key, days: int | None = None) -> Archive:
        """Close it when done. `days`: what was not touched for so long is deleted first.

        Raises WrongPassphrase, StoreLocked, StoreDamaged, StoreError.
        """
        self.require()
        with contextlib.ExitStack() as undo:
            presence = undo.enter_context(Presence(self._lock_file, alone=False))
            connection = cipher.connect(self.file, key)
            undo.callback(connection.close)
            schema.migrate(connection, self.file)
            archive = Archive(connection, self.file, on_close=presence.release)
            if days:
                archive.delete_older(days)
            undo.pop_all()
        return archive

    def change_passphrase(self, old: Key, passphrase: str) -> Key:
        """Encrypts everything anew; a crash leaves the one or the other. Nobody else may have it open."""
        keys.check(passphrase)
        self.require()
        new = keys.derive(passphrase, cipher.read_salt(self.file))
        with self._alone():
            cipher.rekey(self.file, old, new)
            try:
                cipher.connect(self.file, new).close()  # rekeying does not report failure; this does
            except WrongPassphrase as error:
                raise StoreError(
                    "The passphrase could not be changed; the old one still opens the history.",
                    help="The disk may be full. Make some room, then try again.",
                ) from error
        return new

    def destroy(self) -> None:
        """Delete the history for good, with no passphrase. Nobody else may have it open. Raises StoreError.

        The salt goes first, without which no passphrase gives the key: it is in the first page of the file and of the
        write-ahead log. Blocks that the disk kept of an older log may still hold a copy.
        """
        if not self.folder.exists():
            return
        with self._changing("deleted"), self._alone():
            _overwrite(self.file, cipher.PAGE)
            _overwrite(self.folder / "history.db-wal")
            self._unlink("history.db", "history.new")
            self._lock_file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something else is in it: not ours to delete
            self.folder.rmdir()

    @property
    def _lock_file(self) -> Path:
        return self.folder / "history.lock"

    def _alone(self) -> Presence:
        return Presence(self._lock_file, alone=True)

    def require(self) -> None:
        """Raises UsageError when there is none."""
        if not self.exists():
            raise UsageError("No history is kept here.", help="To keep one, encrypted: tide-chat history on")

    def check_encryption(self) -> None:
        """Raises StoreError without SQLCipher: then there is no history."""
        cipher.driver()

    def _unlink(self, *names: str) -> None:
        for name in names:
            for ending in ("", "-wal", "-shm", "-journal"):
                (self.folder / f"{name}{ending}").unlink(missing_ok=True)

    @contextlib.contextmanager
    def _changing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"The history could not be {what}.", details=f"{self.folder}: {error.strerror}") from error


def _overwrite(path: Path, most: int | None = None) -> None:
    """The beginning of a file, at most `most` bytes, or all of it becomes noise, on the disk as well."""
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
        size = path.stat().st_size
        file.write(secrets.token_bytes(size if most is None else min(size, most)))
        file.flush()
        os.fsync(file.fileno())
