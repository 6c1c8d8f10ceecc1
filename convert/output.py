"""Where a result goes: whole or not at all. Room is looked for first, and a disk that fills up is an error with words.

Knows nothing of what is written.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tide_chat.errors import DataError, TideError, UsageError
from tide_chat.registry.machine import disk_lacking, human_size


@contextmanager
def file(out: Path, size: int) -> Iterator[Path]:
    """A file beside `out` that takes its place at the end, and is gone after any failure. size: bytes it will have.

    Raises DataError when there is no room, TideError when writing fails.
    """
    part = _beside(out, size)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(out)
    except OSError as error:
        raise _failed(out, error) from error
    finally:
        with suppress(OSError):  # what went wrong is said already
            part.unlink(missing_ok=True)


@contextmanager
def folder(out: Path, size: int) -> Iterator[Path]:
    """The same for a folder, which must not be there yet, or be empty; else raises UsageError."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError("The output exists already.", details=str(out), help="Name a new or an empty folder.")
    part = _beside(out, size)
    try:
        part.mkdir(parents=True)
        yield part
        part.replace(out)
    except OSError as error:
        raise _failed(out, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _beside(out: Path, size: int) -> Path:
    if lacking := disk_lacking(out.parent, size):
        raise DataError(
            "There is not enough room on the disk.",
            details=f"{human_size(size)} are needed, {human_size(lacking)} too many.",
        )
    return out.with_name(f".{out.name}.{os.getpid()}.part")


def _failed(out: Path, error: OSError) -> TideError:
    return TideError("The output could not be written.", details=f"{out}: {error.strerror or error}")
