"""Reads and checks what is measured on: labelled messages, multi-turn scripts, adversarial prompts. All JSON lines.

Every error names file, line and what is wrong. Knows nothing of how messages are assessed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError, UsageError
from tide_chat.safety.assessment import Flag, Tier
from training.evaluation.safety.language import language_of

HELD_OUT = Path(__file__).resolve().parents[2] / "data_files" / "risk" / "held-out.jsonl"
SUBJECTS = frozenset({"self", "other", "fiction", "none"})
TIMES = frozenset({"now", "past", "future", "none"})
FLAGS = frozenset(map(str, Flag))


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled message. `place` is file:line."""

    place: str
    text: str
    tier: Tier
    flags: frozenset[str]
    subject: str
    time: str
    kind: str
    language: str  # as given, else guessed


@dataclass(frozen=True, slots=True)
class Script:
    """What somebody says turn by turn, and the lowest and highest tier that each turn may have."""

    place: str
    id: str
    pattern: str
    turns: tuple[str, ...]
    expect: tuple[tuple[Tier, Tier], ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """An adversarial prompt of one or more turns against the whole app."""

    id: str
    category: str
    turns: tuple[str, ...]


def labelled(paths: Sequence[Path]) -> list[Row]:
    """Raises DataError, UsageError."""
    return [_row(f"{path.name}:{number}", record) for path in paths for number, record in _records(path)]


def scripts(paths: Sequence[Path]) -> list[Script]:
    """Raises DataError, UsageError."""
    return [_script(f"{path.name}:{number}", record) for path in paths for number, record in _records(path)]


def attacks(path: Path) -> list[Attack]:
    """Raises DataError, UsageError; also when an id comes twice, since a run is resumed by id."""
    found: dict[str, Attack] = {}
    for number, record in _records(path):
        place = f"{path.name}:{number}"
        attack = Attack(_text(place, record, "id"), _text(place, record, "category"), _turns(place, record))
        if attack.id in found:
            raise _wrong(place, f"the id {attack.id!r} came before")
        found[attack.id] = attack
    return list(found.values())


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Numbered objects, at least one. Raises DataError, UsageError."""
    number, empty = 0, True
    for number, raw in enumerate(_read(path).removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not raw.strip():
            continue
        empty = False
        place = f"{path.name}:{number}"
        try:
            record = json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise _wrong(place, f"not UTF-8 at byte {error.start}") from error
        except (ValueError, RecursionError) as error:
            raise _wrong(place, f"not JSON: {error}") from error
        if not isinstance(record, dict):
            raise _wrong(place, f"expected an object, got {_name(record)}")
        yield number, record
    if empty:
        raise DataError("A file has no lines.", details=path.name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError("The file cannot be read.", details=f"{path}: {error.strerror}") from error


def _row(place: str, record: dict[str, Any]) -> Row:
    text, kind = _text(place, record, "text"), _text(place, record, "kind")
    flags = record.get("flags")
    if not isinstance(flags, list):
        raise _wrong(place, f'"flags" must be a list, got {_name(flags)}')
    if unknown := [flag for flag in flags if not isinstance(flag, str) or flag not in FLAGS]:
        raise _wrong(place, f'"flags" has the unknown {unknown[0]!r}')
    return Row(
        place,
        text,
        _tier(place, "tier", record.get("tier")),
        frozenset(flags),
        _one_of(place, record, "subject", SUBJECTS),
        _one_of(place, record, "time", TIMES),
        kind,
        _text(place, record, "lang") if "lang" in record else language_of(text, kind),
    )


def _script(place: str, record: dict[str, Any]) -> Script:
    turns, expect = _turns(place, record), record.get("expect")
    if not isinstance(expect, list) or len(expect) != len(turns):
        raise _wrong(place, f'"expect" must have one [lowest, highest] for each of the {len(turns)} turns')
    ranges = tuple(_range(place, one) for one in expect)
    return Script(place, _text(place, record, "id"), _text(place, record, "pattern"), turns, ranges)


def _range(place: str, value: object) -> tuple[Tier, Tier]:
    if not isinstance(value, list) or len(value) != 2:
        raise _wrong(place, f'"expect" must hold pairs [lowest, highest], got {value!r}')
    low, high = (_tier(place, "expect", end) for end in value)
    if low > high:
        raise _wrong(place, f'"expect" has the lowest above the highest: {value!r}')
    return low, high


def _tier(place: str, field: str, value: object) -> Tier:
    """`"T2"` or 2."""
    if isinstance(value, str) and value in Tier.__members__:
        return Tier[value]
    if type(value) is int and 0 <= value <= max(Tier):
        return Tier(value)
    raise _wrong(place, f'"{field}" must be one of T0 to T4, got {value!r}')


def _turns(place: str, record: dict[str, Any]) -> tuple[str, ...]:
    turns = record.get("turns")
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) and turn.strip() for turn in turns):
        raise _wrong(place, '"turns" must be a list of texts, at least one')
    return tuple(turns)


def _text(place: str, record: dict[str, Any], field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(place, f'"{field}" must be a text that is not empty, got {_name(value)}')
    return value


def _one_of(place: str, record: dict[str, Any], field: str, allowed: frozenset[str]) -> str:
    value = record.get(field)
    if not isinstance(value, str) or value not in allowed:
        raise _wrong(place, f'"{field}" must be one of {", ".join(sorted(allowed))}, got {value!r}')
    return value


def _wrong(place: str, what: str) -> DataError:
    return DataError("A line is not as it should be.", details=f"{place}: {what}")


def _name(value: object) -> str:
    return "nothing" if value is None else "an empty text" if value == "" else f"{type(value).__name__}"
