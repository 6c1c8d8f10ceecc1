"""Arrays that a run makes once and finds again when it goes on: a file with the key of what they were made from.

Knows no model and not what the arrays are.
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

if TYPE_CHECKING:
    from numpy.typing import NDArray


def alone(folder: Path, names: Collection[str]) -> bool:
    """Whether a folder holds nothing but files of these names that `write` made, or began.

    A run that ended before its first step leaves its folder so, and may begin again.
    """
    begun = {_part(folder / name).name for name in names}
    return folder.is_dir() and all(
        path.name in begun or (path.name in names and _keyed(path)) for path in folder.iterdir()
    )


def read(path: Path, key: str) -> "dict[str, NDArray[Any]] | None":
    """The arrays by name; None when the file is not there, not whole, or made from something else."""
    import numpy

    try:
        with path.open("rb") as handle, numpy.load(handle, allow_pickle=False) as file:
            return dict(file) if str(file["key"]) == key else None
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None


def write(path: Path, key: str, **arrays: Any) -> None:
    """Whole or not at all. Raises OSError."""
    import numpy

    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part(path)
    try:
        with part.open("wb") as file:
            numpy.savez_compressed(file, key=key, **arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _keyed(path: Path) -> bool:
    """Whether `write` made it: other people's arrays have no key."""
    try:
        with ZipFile(path) as file:
            return "key.npy" in file.namelist()
    except (OSError, BadZipFile):
        return False
