"""The system prefix's KV state on disk, so that a start does not compute it again. Holds no conversation, ever.

A file is named after everything that its content depends on: model, adapter, tokens of the prefix, native build. A
wrong or damaged file is only a miss.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

KEPT = 8  # files; the least recently used leave
_SAMPLE = 1 << 20  # bytes read at either end of a file to tell it from another


def fingerprint(path: Path) -> str:
    """Tells one file from another without reading gigabytes: size, time of change, first and last megabyte."""
    stat = path.stat()
    digest = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode())
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLE))
        file.seek(max(0, stat.st_size - _SAMPLE))
        digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


class PrefixCache:
    """Files `<key>.state` in `folder`. Every failure to read or write is a miss: a start must never depend on it."""

    def __init__(self, folder: Path | None, *identity: str) -> None:
        self.folder = folder
        self._identity = "\n".join(identity)

    def path(self, tokens: Sequence[int]) -> Path | None:
        if self.folder is None:
            return None
        content = f"{self._identity}\n{' '.join(map(str, tokens))}"
        return self.folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.state"

    def restore(self, tokens: Sequence[int], read: Callable[[Path, Sequence[int]], bool]) -> bool:
        """True when `read` took the state back from the file."""
        path = self.path(tokens)
        try:
            if path is None or not path.is_file():
                return False
            if read(path, tokens):
                os.utime(path)
                return True
            path.unlink()
        except OSError:
            return False
        return False

    def store(self, tokens: Sequence[int], write: Callable[[Path, Sequence[int]], bool]) -> None:
        """Let `write` make the file, whole or not at all."""
        path = self.path(tokens)
        if path is None:
            return
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if write(part, tokens):
                part.replace(path)
                self._prune()
        except OSError:
            return
        finally:
            _remove(part)

    def _prune(self) -> None:
        assert self.folder is not None
        files = sorted(self.folder.glob("*.state"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[KEPT:]:
            _remove(file)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a read-only folder: nothing was written either
