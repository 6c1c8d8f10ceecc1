"""Folders that a command writes: whole or not at all, and never in place of another. Knows nothing of their files."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tide_chat.errors import DataError, TideError, UsageError
from tide_chat.registry.machine import disk_lacking, human_size


def require_new(out: Path, advice: str) -> None:
    """Raises UsageError when there is something under this name already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("The output exists already.", details=str(out), help=advice)


def write(out: Path, files: dict[str, bytes]) -> None:
    """All files or none; nothing when they are there already. Raises DataError, UsageError, TideError."""
    if _is_there(out, files):
        return
    size = sum(map(len, files.values()))
    if lacking := disk_lacking(out.absolute().parent, size):
        raise DataError(
            "There is not enough room on the disk.",
            details=f"{human_size(size)} are needed, {human_size(lacking)} too many.",
        )
    with _folder(out) as part:
        for name, data in files.items():
            with (part / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())


def _is_there(out: Path, files: dict[str, bytes]) -> bool:
    """True when the folder holds exactly these files, False when it holds nothing. Raises UsageError for all else."""
    try:
        names = {path.name for path in out.iterdir()}
        same = names == set(files) and all((out / name).read_bytes() == data for name, data in files.items())
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError("The output is not a folder that can be read.", details=f"{out}: {error.strerror}") from error
    if names and not same:
        raise UsageError(
            "There is something else in this folder.", details=str(out), help="Name a new folder with --out."
        )
    return same


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its place at the end, and is gone after any failure."""
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        yield part
        part.replace(out)
    except OSError as error:
        raise TideError("The folder could not be written.", details=f"{out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
