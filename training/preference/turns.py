"""Replies one by one, with what was said before each and the parts they are made of. Knows no rule and no model."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tide_chat.messages import Message
from training.data.schema import Dialogue, Record
from training.data.sources import OPEN
from training.data.tables import records

FACTORS = ("emotion_recognition", "distress_normalization", "supportive_reflection")


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply. before: what it answers, oldest first. factors: parts of it, word for word; () when not known."""

    name: str  # p001-01/1: dialogue and number of the exchange
    dialogue_id: str
    persona_id: str | None
    scenario: str
    before: tuple[Message, ...]
    reply: str
    factors: tuple[str, ...] = ()

    def same_person(self, other: "Turn") -> bool:
        """Whether both were said to one person; where persons are not known, whether in one dialogue."""
        known = self.persona_id is not None and other.persona_id is not None
        return self.persona_id == other.persona_id if known else self.dialogue_id == other.dialogue_id


def turns(dialogues: Sequence[Dialogue], factors: dict[str, tuple[str, ...]]) -> Iterator[Turn]:
    """factors: by dialogue, of its first reply (`known_factors`); left out where they are not parts of the reply."""
    for one in dialogues:
        for number, reply in enumerate(one.replies, 1):
            parts = factors.get(one.dialogue_id, ()) if number == 1 else ()
            yield Turn(
                f"{one.dialogue_id}/{number}",
                one.dialogue_id,
                one.persona_id,
                one.scenario,
                one.turns[: 2 * number - 1],
                reply,
                parts if all(part in reply for part in parts) else (),
            )


@cache
def known_factors() -> dict[str, tuple[str, ...]]:
    """Of the dialogues that come with the project, in the order of `FACTORS`. A split does not carry them."""
    found = (one.values for path in sorted(OPEN.glob("*.jsonl")) for one in records(path) if isinstance(one, Record))
    return {
        str(row["dialogue_id"]): tuple(str(row["factors"][name]) for name in FACTORS)
        for row in found
        if isinstance(row.get("factors"), dict) and set(FACTORS) <= set(row["factors"])
    }


def as_records(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": str(one.role), "text": one.text} for one in messages]


def line(values: dict[str, object]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"
