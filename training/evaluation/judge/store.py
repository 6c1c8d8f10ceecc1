"""judgements.jsonl: a line is on the disk before the next question, so that a run goes on where it was stopped.

Lines of other questions (an other judge, a changed reply) stay and are passed over. Knows no judge.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError
from training.evaluation import lines
from training.evaluation.judge.asks import Ask, Judgement
from training.evaluation.judge.judges import Bad
from training.evaluation.lines import Lines

FILE = "judgements.jsonl"


class Store:
    """Made by `opened`."""

    def __init__(self, file: Lines, path: Path) -> None:
        self._file = file
        found = path.read_bytes().splitlines()
        self._lines = dict(_line(path, number, line) for number, line in enumerate(found, 1))

    def get(self, key: str, ask: Ask) -> Judgement | None:
        found = self._lines.get(key)
        return Judgement(ask, found["value"], tuple(Bad(**one) for one in found["bad"])) if found else None

    def put(self, key: str, judgement: Judgement) -> None:
        """Raises OSError."""
        self._file.add({"key": key, **judgement.to_json()})


@contextmanager
def opened(run: Path) -> Iterator[Store]:
    """Raises UsageError when another process has it, DataError when a line is damaged, OSError."""
    path = run / FILE
    with lines.adding(path, lock=True) as file:
        yield Store(file, path)


def _line(path: Path, number: int, line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        values = json.loads(line)
        bad = [{"why": str(one["why"]), "got": str(one["got"])} for one in values["bad"]]
        return str(values["key"]), {"value": values["value"], "bad": bad}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            "A judgement is damaged.", details=f"{path}, line {number}: {error!r}", help="Remove that line."
        ) from error
