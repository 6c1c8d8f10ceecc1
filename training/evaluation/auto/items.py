"""What is to be answered: each exchange of each dialogue, with the history that the data has. Knows no model."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tide_chat.errors import DataError
from tide_chat.messages import Conversation, Message, Role
from training.data import sources, split
from training.data.schema import Dialogue
from training.data.sources import MANIFEST, SourceFile
from training.evaluation.drawing import drawn
from training.evaluation.replies import Reply

HELD_OUT = ("test", "validation")  # of a split, the first that is there


@dataclass(frozen=True, slots=True)
class Item:
    """said: user, assistant, user, ... up to the user's text to answer. reference: the answer of the data's writer."""

    id: str
    said: tuple[str, ...]
    reference: str
    scenario: str = ""
    persona_id: str | None = None

    @property
    def conversation(self) -> Conversation:
        roles = (Role.USER, Role.ASSISTANT)
        return Conversation(tuple(Message(roles[i % 2], text) for i, text in enumerate(self.said)))

    def seed(self, base: int) -> int:
        """For drawing its reply: of base and item alone, so that every model draws with the same."""
        return int.from_bytes(hashlib.sha256(f"{base}/{self.id}".encode()).digest()[:4]) & 0x7FFFFFFF

    def reply(self, model: str, state: str, text: str) -> Reply:
        return Reply(self.id, model, state, self.said, text, self.reference, self.scenario, self.persona_id)


def read(*names: str) -> tuple[tuple[Item, ...], tuple[SourceFile, ...]]:
    """The items of these sources and the files they came from. Raises DataError, UsageError.

    names: as `training.data.sources` has them; of a folder that `tide-train data split` wrote, the held-out part.
    """
    loaded = sources.load(tuple(map(_held_out, names)))
    return tuple(item for row in loaded.rows for item in of_dialogue(row.dialogue)), loaded.files


def of_dialogue(dialogue: Dialogue) -> Iterator[Item]:
    """One item for each exchange."""
    texts = tuple(message.text for message in dialogue.turns)
    for number in range(len(texts) // 2):
        said, reference = texts[: 2 * number + 1], texts[2 * number + 1]
        yield Item(f"{dialogue.dialogue_id}/{number}", said, reference, dialogue.scenario, dialogue.persona_id)


def chosen(found: Sequence[Item], limit: int | None, seed: int, personas: Sequence[str] = ()) -> tuple[Item, ...]:
    """Those of these persons (all when none are named), at most `limit`, drawn by the seed, in the order of the data.

    A larger limit keeps those of a smaller one. Raises DataError when nothing is left or an item is there twice.
    """
    kept = [item for item in found if not personas or item.persona_id in personas]
    if unknown := set(personas) - {item.persona_id for item in found}:
        raise DataError("These persons are not in the data.", details=", ".join(sorted(unknown)))
    if not kept:
        raise DataError("There is nothing to answer.", details=f"{len(found)} exchanges, none of them is chosen.")
    if len({item.id for item in kept}) < len(kept):
        raise DataError("A dialogue is in the data twice.", help="`tide-train data check` says which.")
    ids = drawn((item.id for item in kept), limit, "limit", seed)
    return tuple(item for item in kept if item.id in ids)


def _held_out(name: str) -> str:
    folder = Path(name).expanduser()
    if not (folder / MANIFEST).is_file():
        return name
    manifest = split.verified(folder)
    part = next((manifest.splits[one] for one in HELD_OUT if one in manifest.splits), None)
    if part is None:
        raise DataError("This split holds nothing out.", details=name, help="Split with shares for validation or test.")
    return str(folder / part.file)
