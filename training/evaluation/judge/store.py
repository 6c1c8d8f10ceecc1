"""judgements.jsonl: a line is on the disk before the next question, so that a run goes on where it was stopped.

The half line of a process that was killed is cut off. Lines of other questions (an other judge, a changed reply) stay
and are passed over. Knows no judge.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tide_chat.errors import DataError, UsageError
from training.evaluation.judge.asks import Ask, Judgement
from training.evaluation.judge.judges import Bad

FILE = "judgements.jsonl"


class Store:
    """Made by `opened`."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        file.seek(0)
        self._lines = dict(_line(path, number, line) for number, line in enumerate(file, 1))

    def get(self, key: str, ask: Ask) -> Judgement | None:
        found = self._lines.get(key)
        return Judgement(ask, found["value"], tuple(Bad(**one) for one in found["bad"])) if found else None

    def put(self, key: str, judgement: Judgement) -> None:
        """Raises OSError."""
        self._file.write(json.dumps({"key": key, **judgement.to_json()}, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def opened(run: Path) -> Iterator[Store]:
    """Raises UsageError when another process has it, DataError when a line is damaged, OSError."""
    run.mkdir(parents=True, exist_ok=True)
    path = run / FILE
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                "Another process is writing to this run.", details=str(path), help="Wait for it, or name another --out."
            ) from None
        _heal(file)
        yield Store(file, path)


def _heal(file: BinaryIO) -> None:
    file.seek(0)
    data = file.read()
    if not data.endswith(b"\n"):
        file.truncate(data.rfind(b"\n") + 1)


def _line(path: Path, number: int, line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        values = json.loads(line)
        bad = [{"why": str(one["why"]), "got": str(one["got"])} for one in values["bad"]]
        return str(values["key"]), {"value": values["value"], "bad": bad}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            "A judgement is damaged.", details=f"{path}, line {number}: {error!r}", help="Remove that line."
        ) from error
