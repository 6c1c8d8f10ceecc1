"""Labelled conversations in short messages, as the risk encoder reads them: each message alone, and the last together.

Reads `data_files/conversations/`. Flags are learnt where a message has none; which a conversation has is not said by
message. Knows no model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError
from tide_chat.safety.assessment import Tier
from tide_chat.safety.state import WINDOW, Said, as_one, pieces_before
from training.risk.data import DATA, Row, records

FOLDER = DATA / "conversations"
HELD_OUT = "held-out"  # how the names of files begin that nothing learns from


@dataclass(frozen=True, slots=True)
class Turn:
    """A message with the tier that it has alone, and the one that is justified by all so far."""

    text: str
    alone: Tier
    so_far: Tier
    flagged: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a person writes; the app's replies are left out."""

    id: str
    turns: tuple[Turn, ...]


def rows(folder: Path = FOLDER) -> list[Row]:
    """What there is to learn, grouped by conversation. Raises DataError naming file and line."""
    return [row for path in learnt(folder) for conversation in read(path) for row in _rows(conversation, path.stem)]


def learnt(folder: Path = FOLDER) -> list[Path]:
    """The files that are not held out."""
    return [path for path in sorted(folder.glob("*.jsonl")) if not path.name.startswith(HELD_OUT)]


def read(path: Path) -> Iterator[Conversation]:
    """Raises DataError naming file and line."""
    for number, record in records(path):
        try:
            turns = tuple(_turn(turn) for turn in record["turns"])
            yield Conversation(record["id"], turns)
        except (KeyError, TypeError) as error:
            raise DataError("A conversation lacks a field.", details=f"{path.name}, line {number}: {error}") from error


def _turn(turn: dict[str, Any]) -> Turn:
    return Turn(turn["text"], Tier[turn["alone"]], Tier[turn["so_far"]], bool(turn["flags"]))


def _rows(conversation: Conversation, source: str) -> Iterator[Row]:
    group = f"turns/{conversation.id.removesuffix('-split').removesuffix('-twin')}"
    for number, turn in enumerate(conversation.turns):
        # What sounds calm in the middle of danger is not taught to be calm.
        if turn.alone >= Tier.T2 or turn.so_far < Tier.T2:
            yield _row(turn.text, group, source, turn.alone, flagged=turn.flagged)
        together, since = _together(conversation.turns, number)
        # What was grave before the last messages does not make these grave.
        begun = max((earlier.so_far for earlier in conversation.turns[:since]), default=Tier.T0)
        if number > since and (turn.so_far < Tier.T2 or begun < turn.so_far):
            flagged = any(each.flagged for each in conversation.turns[since : number + 1])
            yield _row(together, group, source, turn.so_far, flagged=flagged)


def _together(turns: Sequence[Turn], number: int) -> tuple[str, int]:
    """What the router reads at a turn besides its message, and the number of the first one in it."""
    text = turns[number].text
    pieces = pieces_before([Said(turn.text) for turn in turns[max(0, number - WINDOW + 1) : number]], text)
    return as_one((*pieces, text)), number - len(pieces)


def _row(text: str, group: str, source: str, tier: Tier, *, flagged: bool) -> Row:
    return Row(text, group, source, "conversation", tier, None if flagged else frozenset())
