"""A script for demonstrations: what a fictional person says, which tools are opened, and what is explained meanwhile.

Reads TOML and checks it, naming file and line. Knows no screen; which commands there are is told by the caller.
"""

import re
import tomllib
from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from tide_chat import paths
from tide_chat.errors import DataError, UsageError

LONGEST = 4000  # characters of a line
MOST_PAUSE_S = 600
FORM = (
    'A script has title = "...", about = "..." and [[step]] tables, each with one of say, note, open or press, '
    "and if wanted pause (seconds): docs/clinician.md."
)


class Kind(StrEnum):
    SAY = "say"  # to the program, as the fictional person
    NOTE = "note"  # to the audience
    OPEN = "open"  # a command of the app, such as ground
    PRESS = "press"  # a key, such as enter or escape


@dataclass(frozen=True, slots=True)
class Step:
    """pause: seconds before the next step, None for a usual one."""

    kind: Kind
    text: str
    pause: float | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """about: who speaks, and that nobody real does."""

    title: str
    about: str
    steps: tuple[Step, ...]


def shipped() -> tuple[str, ...]:
    """The names of the scripts that come with the app."""
    folder = files("tide_chat") / "scripts"
    return tuple(sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml")))


def load(name: str, commands: Container[str]) -> Script:
    """A path that ends in .toml, or the name of a script that comes with the app. Raises UsageError, DataError."""
    if name.endswith(".toml"):
        path = paths.typed(name)
        return parse(_text(path), str(path), commands)
    if name not in shipped():
        raise UsageError(
            f"There is no script '{name}'.",
            details=f"There are: {', '.join(shipped())}.",
            help="A script of your own: give its path, which ends in .toml.",
        )
    text = (files("tide_chat") / "scripts" / f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, f"{name}.toml", commands)


def parse(text: str, source: str, commands: Container[str]) -> Script:
    """`source` names the text in errors. Raises DataError."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError("The script is not valid TOML.", details=f"{source}: {error}", help=FORM) from error
    return _Reader(text, source, commands).script(values)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The script cannot be read.", details=f"{path}: {error}") from error


class _Reader:
    def __init__(self, text: str, source: str, commands: Container[str]) -> None:
        self._lines = text.splitlines()
        self._source = source
        self._commands = commands

    def script(self, values: dict[str, Any]) -> Script:
        for name in values.keys() - {"title", "about", "step"}:
            raise self._wrong(f"'{name}' is not a part of a script", name)
        title, about = (self._words(values.get(name), name) for name in ("title", "about"))
        rows = values.get("step")
        if not isinstance(rows, list) or not rows:
            raise self._wrong("there is no [[step]]", "step")
        return Script(title, about, tuple(self._step(row, index) for index, row in enumerate(rows)))

    def _step(self, row: Any, index: int) -> Step:
        if not isinstance(row, dict):
            raise self._wrong("step must be [[step]] tables", "step", index)
        for name in row.keys() - {*Kind, "pause"}:
            raise self._wrong(f"'{name}' is not a part of a step", name, index)
        kinds = [kind for kind in Kind if kind in row]
        if len(kinds) != 1:
            got = " and ".join(kinds) or "none"
            raise self._wrong(
                f"a step needs one of {', '.join(Kind)}, got {got}", kinds[-1] if kinds else "step", index
            )
        kind = kinds[0]
        text = self._words(row[kind], kind, index)
        if kind is Kind.OPEN and text not in self._commands:
            raise self._wrong(f"there is no command '{text}'", kind, index)
        return Step(kind, text, self._pause(row.get("pause"), index))

    def _words(self, value: Any, name: str, index: int | None = None) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(f"{name} must be words, got {value!r}" if value else f"{name} is missing", name, index)
        if len(value) > LONGEST:
            raise self._wrong(f"{name} has {len(value)} characters, {LONGEST} are the most", name, index)
        return value.strip()

    def _pause(self, value: Any, index: int) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_PAUSE_S:
            raise self._wrong(f"pause must be seconds, 0 to {MOST_PAUSE_S}, got {value!r}", "pause", index)
        return float(value)

    def _wrong(self, what: str, name: str, index: int | None = None) -> DataError:
        return DataError(
            "The script cannot be used.", details=f"{self._source}, line {self._line(name, index)}: {what}.", help=FORM
        )

    def _line(self, name: str, index: int | None) -> int:
        """Where `name` is set, in step `index` or before the first; else where that part begins."""
        heads = [i for i, line in enumerate(self._lines) if re.match(r"\s*\[\[\s*step\s*\]\]", line)]
        start = heads[index] if index is not None and index < len(heads) else 0
        later = [i for i in heads if i > start]
        for i in range(start, later[0] if later else len(self._lines)):
            if re.match(rf"\s*[\"']?{re.escape(name)}[\"']?\s*=", self._lines[i]):
                return i + 1
        return start + 1
