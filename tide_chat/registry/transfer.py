"""Bring one file from a URL into a partial file that a later call can go on with.

The hub's library does not resume over runs (it throws its temporary file away after a failure), so the transfer is
ours, on its HTTP client. Knows no catalogue.
"""

import errno
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

from tide_chat.errors import HubError
from tide_chat.registry import hub
from tide_chat.registry.catalogue import Model

RETRY_WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each new attempt, for as long as nothing arrives
STALL_TIMEOUT = 10.0  # seconds without a byte, after which it asks anew; a stop is noticed within that time
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_KEPT = "What has been downloaded is kept. Run the same command again to go on."

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""(bytes done, bytes in all)"""
Note = Callable[[str], None]
"""Gets a line for the user: a warning, or what is being done."""


class StopSignal(Protocol):
    """The part of `engine.base.Cancel` that is used here."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float) -> bool: ...


class Stopped(HubError):
    """The user stopped it."""

    def __init__(self) -> None:
        super().__init__("The download was stopped.", help=_KEPT)


class _Never:
    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float) -> bool:
        time.sleep(timeout)
        return False


NEVER: StopSignal = _Never()


def patiently(attempt: Callable[[], T], stop: StopSignal, note: Note, arrived: Callable[[], int] = lambda: 0) -> T:
    """Try again while the hub is busy; give up after RETRY_WAITS without a new byte. Raises HubError."""
    waits, before = iter(RETRY_WAITS), arrived()
    while True:
        if stop.is_set():
            raise Stopped
        try:
            return attempt()
        except hub.BusyHub as error:
            if arrived() > before:
                waits, before = iter(RETRY_WAITS), arrived()
            wait = next(waits, None)
            if wait is None:
                raise
            note(f"{error.message} Trying again.")
            if stop.wait(wait):
                raise Stopped from None


def fetch(
    model: Model, remote: hub.RemoteFile, part: Path, on_progress: Progress, stop: StopSignal, note: Note
) -> None:
    """Complete `part`, going on from what it holds. Raises HubError; what has arrived stays in `part`."""
    with _writing(part) as file:
        if file.seek(0, 2) > remote.size:
            file.truncate(file.seek(0))
        on_progress(file.tell(), remote.size)
        while file.tell() < remote.size:
            patiently(lambda: _receive(model, remote, file, on_progress, stop), stop, note, file.tell)


@contextmanager
def _writing(part: Path) -> Iterator[BinaryIO]:
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            yield file
    except OSError as error:
        raise disk_error(error, part.parent) from error


def disk_error(error: OSError, folder: Path) -> HubError:
    """A failure to write, in words."""
    if error.errno in _FULL:
        return HubError("The disk is full.", details=str(folder), help=f"Make some room. {_KEPT}")
    return HubError(
        "The models folder cannot be written to.",
        details=f"{folder}: {error.strerror or error}",
        help="Check who may write there, or choose another place with TIDE_CHAT_HOME.",
    )


def _receive(model: Model, remote: hub.RemoteFile, file: BinaryIO, on_progress: Progress, stop: StopSignal) -> None:
    """One request, from where `file` ends. Raises BusyHub when it breaks off."""
    start = file.tell()
    asked = hub.headers() | ({"Range": f"bytes={start}-"} if start else {})
    session = hub.library().get_session()
    with hub.translated(model), session.stream("GET", remote.url, headers=asked, timeout=STALL_TIMEOUT) as answer:
        hub.raise_for_status(answer)
        if start and not _continues(answer, start):
            file.truncate(file.seek(0))
        for piece in answer.iter_raw():
            if stop.is_set():
                raise Stopped
            file.write(piece[: remote.size - file.tell()])
            on_progress(file.tell(), remote.size)
    if file.tell() < remote.size:
        raise hub.BusyHub("The download broke off.", help=f"Check the network connection and try again. {_KEPT}")


def _continues(answer: Any, start: int) -> bool:
    """Whether the hub sends the rest, not everything again."""
    sent = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range") or "")
    return answer.status_code == 206 and sent is not None and int(sent.group(1)) == start
