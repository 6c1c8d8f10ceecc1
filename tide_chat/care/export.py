"""A text becomes a file, when the person asks for it and has seen where it goes. Never writes over another file."""

from pathlib import Path

from tide_chat import atomic, paths
from tide_chat.errors import UsageError
from tide_chat.wording import say

PLAIN = "Whoever can open this file can read it: it is not encrypted. Other programs may copy it, such as a backup."
SUFFIXES = (".md", ".txt")


def suggested(name: str, suffix: str = ".md") -> Path:
    """`safety-plan` -> a file in the documents folder, or in the home folder, that is not there yet."""
    home = Path.home()
    folder = home / "Documents" if (home / "Documents").is_dir() else home
    path, number = folder / f"{name}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}{suffix}"
    return path


def write(where: str | Path, text: str, suffixes: tuple[str, ...] = SUFFIXES) -> Path:
    """Write `text` and return the file's whole path. Raises UsageError, OSError."""
    path = checked(where, suffixes)
    atomic.write_text(path, text)
    return path


def checked(where: str | Path, suffixes: tuple[str, ...] = SUFFIXES) -> Path:
    """The whole path of a file that can be written there. Raises UsageError."""
    if not str(where).strip():
        raise UsageError("There is no name for the file yet.")
    path = paths.typed(str(where).strip())
    if path.suffix.lower() not in suffixes:
        names = f" {say('or')} ".join(suffixes)
        raise UsageError(say("The name has to end in {names}.", names=names), details=str(path))
    if not path.parent.is_dir():
        raise UsageError("There is no such folder.", details=str(path.parent))
    if path.exists():
        raise UsageError("There is a file of this name already. It stays as it is.", details=str(path))
    return path
