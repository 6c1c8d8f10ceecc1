"""The same twice, or nearly: identifiers, dialogues, messages, replies. A paraphrase in other words is not found."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial

from tide_chat.progress import Say
from training.data import near
from training.data.findings import Checked, Finding, Severity, of_row
from training.data.schema import Dialogue, Row


def check(rows: Sequence[Row], say: Say) -> Checked:
    """Errors: an identifier or a whole dialogue twice. Warnings: a message or a reply twice, or nearly."""
    found = [
        *_same(rows, "duplicate-id", "has the identifier of {}", lambda dialogue: dialogue.dialogue_id),
        *_same(rows, "duplicate", "is the same dialogue as {}", _whole),
        *_near(rows, "message", said, say),
        *_near(rows, "reply", answered, say),
    ]
    return Checked(tuple(found))


def said(dialogue: Dialogue) -> str:
    """All that the person said."""
    return " ".join(dialogue.user_texts)


def answered(dialogue: Dialogue) -> str:
    """All replies."""
    return " ".join(dialogue.replies)


def _whole(dialogue: Dialogue) -> Hashable:
    return tuple(near.words(message.text) for message in dialogue.turns)


def _same(rows: Sequence[Row], kind: str, what: str, key: Callable[[Dialogue], Hashable]) -> Iterator[Finding]:
    first: dict[Hashable, Row] = {}
    for row in rows:
        if (earlier := first.setdefault(key(row.dialogue), row)) is not row:
            yield of_row(kind, Severity.ERROR, row, what.format(earlier.place))


def _near(rows: Sequence[Row], name: str, text: Callable[[Dialogue], str], say: Say) -> Iterator[Finding]:
    texts = [text(row.dialogue) for row in rows]
    reported: set[int] = set()
    for first, second in near.pairs(texts, say=partial(say, f"comparing each {name}")):
        if second in reported or _whole(rows[first].dialogue) == _whole(rows[second].dialogue):
            continue
        reported.add(second)  # one line a row, however many it resembles
        message = f"has nearly the {name} of {rows[first].place}"
        yield of_row(f"near-{name}", Severity.WARNING, rows[second], message, text=texts[second])
