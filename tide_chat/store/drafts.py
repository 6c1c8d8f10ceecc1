"""What was typed and not sent, or not kept: in the encrypted file until it is.

A row for each box of each process, so that two windows never overwrite each other's. Knows no screen and no
conversation. It stands beside the own texts of `care`: no retention time touches it, and destroying the history takes
it along.
"""

import os
from collections.abc import Iterator

from tide_chat.store.care import StoredPapers, replace_text
from tide_chat.store.opened import OpenFile

MESSAGE = "message"  # the box in which one talks
_PREFIX = "draft "  # before process and box; no own text has such a name
_SAME_S = 5.0  # seconds by which the start of one and the same process can differ: the computer's clock is set right


class Drafts:
    """The drafts of this process. Methods raise StoreError."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._own = f"{_PREFIX}{os.getpid()}-{_started(os.getpid()):.0f} "

    def keep(self, text: str, box: str = MESSAGE) -> None:
        """Replace what is kept of a box; an empty text removes it. What stood there is overwritten in the file."""
        StoredPapers(self._file).put(f"{self._own}{box}", text)

    def boxes(self) -> set[str]:
        """Those in which processes that are gone left something."""
        return {box for _, box, _ in self._orphans()}

    def left(self, box: str = MESSAGE) -> str:
        """What they left there, or an empty text. It is this process's draft from now on."""
        if box not in self.boxes():
            return ""
        with self._file.writing():
            orphans = [(name, text) for name, where, text in self._orphans() if where == box]
            for name, _ in orphans:  # none, when another process was quicker
                self._file.run("DELETE FROM paper WHERE name = ?", name)
            text = "\n".join(text for _, text in orphans)
            replace_text(self._file, f"{self._own}{box}", text)
        self._file.settle()
        return text

    def _orphans(self) -> Iterator[tuple[str, str, str]]:
        """Name, box and text of each."""
        sql = "SELECT name, text FROM paper WHERE name GLOB ? ORDER BY name"
        for name, text in self._file.rows(sql, f"{_PREFIX}*"):
            process, _, box = name.removeprefix(_PREFIX).partition(" ")
            if not _lives(process):
                yield name, box or MESSAGE, text


def _lives(process: str) -> bool:
    """Whether the process is there that wrote this, and is another one. Its number alone may be a later program's."""
    number, _, start = process.partition("-")
    if not (number.isdigit() and start.isdigit()) or int(number) == os.getpid():
        return False
    started = _started(int(number))
    return started > 0 and abs(started - int(start)) < _SAME_S


def _started(number: int) -> float:
    """When a process began, in seconds since 1970; 0 for one that is gone, or belongs to somebody else."""
    import psutil

    try:
        process = psutil.Process(number)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except (psutil.Error, OverflowError):
        return 0.0
