"""Arrays that a run makes once and finds again when it goes on: a file with the key of what they were made from.

Knows no model and not what the arrays are.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            numpy.savez_compressed(file, key=key, **arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
