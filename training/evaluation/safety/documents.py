"""Replaces what stands between the markers of a document; everything around it stays byte for byte."""

import re
from pathlib import Path

from tide_chat import atomic
from tide_chat.errors import DataError, UsageError

BEGIN, END = "<!-- safety-report -->", "<!-- /safety-report -->"
_BLOCK = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def replaced(document: str, block: str, name: str) -> str:
    """The document with the block between its markers. Raises DataError unless there is exactly one pair."""
    if len(_BLOCK.findall(document)) != 1 or document.count(BEGIN) != 1 or document.count(END) != 1:
        help_text = f"It needs one line {BEGIN} and after it one line {END}."
        raise DataError("The document has no place for the report.", details=name, help=help_text)
    return _BLOCK.sub(lambda _: f"{BEGIN}\n{block.strip()}\n{END}", document)


def read(path: Path) -> str:
    """Raises UsageError, DataError."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError("The document cannot be read.", details=f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError("The document is not UTF-8 text.", details=str(path)) from error


def update(path: Path, block: str) -> None:
    """Raises DataError, UsageError, OSError."""
    atomic.write_text(path, replaced(read(path), block, str(path)))
