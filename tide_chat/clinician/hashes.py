"""SHA-256 of files, read once for each state of a file. A large model takes seconds: call it in a worker thread."""

import hashlib
from pathlib import Path

_known: dict[tuple[Path, int, int], str] = {}  # by path, size in bytes and time of change


def sha256(path: Path) -> str:
    """In hex. Raises OSError."""
    path = path.resolve()
    state = path.stat()
    key = (path, state.st_size, state.st_mtime_ns)
    if key not in _known:
        with path.open("rb") as file:
            _known[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _known[key]


def of_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
