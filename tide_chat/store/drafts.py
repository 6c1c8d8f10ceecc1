"""What stands in the box to write in and was not sent: kept in the encrypted file until it is sent or deleted.

A row a process, so that two windows never overwrite each other's. Knows no screen and no conversation. It stands beside
the own texts of `care`: no retention time touches it, and destroying the history takes it along.
"""

import os

from tide_chat.store.care import StoredPapers, replace_text
from tide_chat.store.opened import OpenFile

_PREFIX = "draft "  # before the number of the process; no own text has such a name


class Drafts:
    """The draft of this process. Methods raise StoreError."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._name = f"{_PREFIX}{os.getpid()}"

    def keep(self, text: str) -> None:
        """Replace what is kept; an empty text removes it. What stood there before is overwritten in the file."""
        StoredPapers(self._file).put(self._name, text)

    def left(self) -> str:
        """What was left by processes that are gone, or an empty text. It is this process's draft from now on."""
        if not self._orphans():
            return ""
        with self._file.writing():
            orphans = self._orphans()  # another process may have been quicker
            for name in orphans:
                self._file.run("DELETE FROM paper WHERE name = ?", name)
            text = "\n".join(orphans.values())
            replace_text(self._file, self._name, text)
        self._file.settle()
        return text

    def _orphans(self) -> dict[str, str]:
        """Drafts by name. One under this process's number is from an earlier process that had the same."""
        rows = self._file.rows("SELECT name, text FROM paper WHERE name GLOB ? ORDER BY name", f"{_PREFIX}*")
        return {name: text for name, text in rows if name == self._name or not _lives(name.removeprefix(_PREFIX))}


def _lives(process: str) -> bool:
    """Whether there is such a process. Another program may have its number by now: then the draft waits for its end."""
    if not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
