"""A file of JSON lines that is added to: each line is on the disk before the next one is begun.

The half line of a process that was killed is cut off when its file is opened to add to. Knows no meaning of a line.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tide_chat.errors import UsageError


class Lines:
    """Made by `adding`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def add(self, values: Mapping[str, Any]) -> None:
        """Raises OSError."""
        self._file.write(json.dumps(values, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def adding(path: Path, *, lock: bool = False) -> Iterator[Lines]:
    """The file and its folder are made where they are lacking. lock: no other process adds to it meanwhile.

    Raises UsageError when another process has locked it, OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if lock:
            _lock(file, path)
        file.seek(0)
        file.truncate(len(whole(file.read())))
        yield Lines(file)


def whole(data: bytes) -> bytes:
    """Up to the end of the last line that has one."""
    return data[: data.rfind(b"\n") + 1]


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(
            "Another process is writing to this run.", details=str(path), help="Wait for it, or name another --out."
        ) from None
