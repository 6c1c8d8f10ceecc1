"""Who has the history open. Many may; changing the passphrase or destroying the file needs to be alone.

A lock of the operating system on an empty file beside the history: it ends with the process, however that ends.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Self

from tide_chat.errors import StoreError, StoreLocked


class Presence:
    """Held until `release`. Raises StoreLocked when somebody is there who must not be, StoreError without access."""

    def __init__(self, path: Path, *, alone: bool) -> None:
        self._handle = _open(path)
        try:
            fcntl.flock(self._handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise _taken(alone=alone) from error

    def release(self) -> None:
        """Twice does no harm."""
        handle, self._handle = self._handle, -1
        with contextlib.suppress(OSError):
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            "The history cannot be opened for writing.",
            details=f"{path}: {error.strerror}",
            help="See that its folder belongs to you and can be written.",
        ) from error


def _taken(*, alone: bool) -> StoreLocked:
    if alone:
        return StoreLocked("Another tide-chat has the history open.", help="Close it, then try again.")
    return StoreLocked(
        "The passphrase of the history is being changed, or the history is being deleted, by another tide-chat.",
        help="Try again when it is done.",
    )
