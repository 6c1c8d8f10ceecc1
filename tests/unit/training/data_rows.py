"""Rows of dialogues for tests, made from a few words."""

import json
from collections.abc import Sequence
from pathlib import Path

from tide_chat.messages import Message, Role
from training.data.schema import Dialogue, Place, Row

SAID = "The noise in the shop made me drop my basket and I ran out."
REPLY = "That noise must have been frightening, and your body ran before you could think."


def dialogue(said: str = SAID, reply: str = REPLY, *, name: str = "d1", persona: str | None = None) -> Dialogue:
    turns = (Message(Role.USER, said), Message(Role.ASSISTANT, reply))
    return Dialogue(dialogue_id=name, turns=turns, scenario="noise", persona_id=persona)


def rows(dialogues: Sequence[Dialogue], splits: Sequence[str] = ()) -> list[Row]:
    names = splits or [""] * len(dialogues)
    return [
        Row(Place(f"{split or 'set'}.jsonl", number), one, split)
        for number, (one, split) in enumerate(zip(dialogues, names, strict=True), 1)
    ]


def write(path: Path, dialogues: Sequence[Dialogue]) -> Path:
    path.write_text("".join(json.dumps(one.to_record()) + "\n" for one in dialogues), encoding="utf-8")
    return path
