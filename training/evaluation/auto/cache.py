"""What was written, kept by a hash of all that it follows from, so that nothing is generated twice.

A folder of files of JSON lines (`lines`), one for each process that writes; all of them are read. A half line waits for
its end. Knows no model.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError
from training.evaluation import lines
from training.evaluation.lines import Lines

FORMAT = 1  # in every key: raise it when what is generated changes without any part of the key changing


@dataclass(frozen=True, slots=True)
class Written:
    """What came back for a prompt. Counts in tokens, times in seconds, energy in joules (None: cannot be read here).

    app: what the pipeline did (route, tier, guard, cards), where the reply came through it.
    """

    text: str
    finish: str
    prompt_tokens: int = 0
    tokens: int = 0
    first_token_s: float = 0.0
    seconds: float = 0.0
    joules: float | None = None
    app: dict[str, Any] | None = None


def key(**parts: object) -> str:
    """SHA-256 of everything that a reply follows from."""
    text = json.dumps({"format": FORMAT, **parts}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """The files of a folder, read together. `put` needs `writing`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[str, Written] = {}
        self._read: dict[Path, int] = {}  # bytes of each file that are known
        self._file: Lines | None = None
        self.refresh()

    def get(self, key: str) -> Written | None:
        return self._found.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def refresh(self) -> int:
        """Read what other processes have added; how many lines there were. Raises DataError."""
        return sum(self._take(path) for path in sorted(self._folder.glob("*.jsonl")))

    def _take(self, path: Path) -> int:
        start = self._read.get(path, 0)
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
        whole = lines.whole(data)
        self._read[path] = start + len(whole)
        found = whole.splitlines()
        self._found.update(_line(path, line) for line in found)
        return len(found)

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Open the file `name`.jsonl to add to. Raises UsageError when another process writes to it, OSError."""
        with lines.adding(self._folder / f"{name}.jsonl", lock=True) as file:
            self._file = file
            try:
                yield
            finally:
                self._file = None

    def put(self, key: str, written: Written) -> None:
        """Raises OSError."""
        assert self._file, "put is for inside writing()"
        self._file.add({"key": key, **asdict(written)})
        self._found[key] = written


def _line(path: Path, line: bytes) -> tuple[str, Written]:
    try:
        values: Mapping[str, Any] = json.loads(line)
        return values["key"], Written(**{name: value for name, value in values.items() if name != "key"})
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            "The cache of replies is damaged.", details=f"{path}: {error}", help="Remove the file; it is made again."
        ) from error
