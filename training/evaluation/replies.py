"""What models answered, as a file that every evaluation reads: a JSON object a line, one reply each.

Written by `tide-eval auto`, read by the metrics, the judge, the human study and the report. Knows none of them.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tide_chat.atomic import write_text
from tide_chat.errors import DataError

ZERO_SHOT, FINE_TUNED = "zs", "ft"
STATES = (ZERO_SHOT, FINE_TUNED)


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer to the last of `said`, with the reply that the data's writer gave.

    item: the same for all models, `dialogue_id/exchange` counted from 0. said: user, assistant, user, ... up to the
    user's text that was answered. state: zs as the model comes, ft with an adapter. Times in seconds.
    """

    item: str
    model: str
    state: str
    said: tuple[str, ...]
    text: str
    reference: str
    scenario: str = ""  # empty: unknown
    persona_id: str | None = None
    finish: str = "stop"
    prompt_tokens: int = 0
    tokens: int = 0
    first_token_s: float = 0.0
    seconds: float = 0.0

    @property
    def condition(self) -> tuple[str, str]:
        return self.model, self.state

    @property
    def cluster(self) -> str:
        """Whose reply it is: replies to one person, or in one dialogue where no person is named, are alike."""
        return self.persona_id or self.item.rpartition("/")[0] or self.item


def read(path: Path) -> list[Reply]:
    """Raises DataError that names file and line."""
    try:
        with path.open(encoding="utf-8") as lines:
            return [_reply(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The replies cannot be read.", details=f"{path}: {error}") from error


def write(path: Path, replies: Iterable[Reply]) -> None:
    """All or nothing."""
    write_text(path, "".join(json.dumps(asdict(reply), ensure_ascii=False) + "\n" for reply in replies))


def by_condition(replies: Iterable[Reply]) -> dict[tuple[str, str], dict[str, Reply]]:
    """(model, state) to item to reply, in the order of the file. Raises DataError when an item is there twice."""
    found: dict[tuple[str, str], dict[str, Reply]] = {}
    for reply in replies:
        items = found.setdefault(reply.condition, {})
        if reply.item in items:
            raise DataError("A reply is there twice.", details=f"{reply.model} {reply.state}, {reply.item}")
        items[reply.item] = reply
    return found


def _reply(path: Path, number: int, line: str) -> Reply:
    try:
        values: Any = json.loads(line)
        if not isinstance(values, dict):
            raise TypeError("not a JSON object")
        known = {field.name for field in fields(Reply)}
        if unknown := sorted(values.keys() - known):
            raise ValueError(f"unknown: {', '.join(unknown)}")
        made = Reply(**(values | {"said": tuple(values.get("said", ()))}))
        _check(made)
    except (ValueError, TypeError) as error:
        raise DataError(
            "A line is not a reply.",
            details=f"{path}, line {number}: {error}",
            help="`tide-eval auto` writes such files; docs/evaluation.md has their fields.",
        ) from error
    return made


def _check(reply: Reply) -> None:
    texts = (reply.item, reply.model, reply.text, reply.reference, *reply.said)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("item, model, said, text and reference must be strings")
    if reply.state not in STATES:
        raise ValueError(f"state must be zs or ft, got {reply.state!r}")
    if len(reply.said) % 2 != 1:
        raise ValueError(f"said must end with the user's text: an odd number of texts, got {len(reply.said)}")
