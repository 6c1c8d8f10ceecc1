"""What stands on both sides of a split: a person, or nearly the same text. Knows no way of splitting."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tide_chat.progress import Say
from training.data import near
from training.data.checks.duplicates import answered, said
from training.data.findings import Checked, Finding, Measure, Severity, of_row
from training.data.schema import Dialogue, Row


def check(rows: Sequence[Row], say: Say) -> Checked:
    """Errors: a person or a text in two splits. Nothing when the files are fewer than two splits."""
    splits = {row.split for row in rows if row.split}
    if len(splits) < 2:
        return Checked()
    rows = [row for row in rows if row.split]
    people = shared_personas(rows)
    found = [Finding("leak-persona", Severity.ERROR, " and ".join(where), f"{who} is in both") for who, where in people]
    found += _texts(rows, "message", said, say)
    found += _texts(rows, "reply", answered, say)
    counts = Counter(finding.kind for finding in found)
    parts = f"{len(people)} persons, {counts['leak-message']} messages, {counts['leak-reply']} replies"
    return Checked(tuple(found), (Measure(f"on both sides of {', '.join(sorted(splits))}", parts, dict(counts)),))


def shared_personas(rows: Sequence[Row]) -> list[tuple[str, tuple[str, ...]]]:
    """(person, the splits they are in) of all who are in more than one."""
    splits: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.dialogue.persona_id is not None:
            splits[row.dialogue.persona_id].add(row.split)
    return [(person, tuple(sorted(found))) for person, found in sorted(splits.items()) if len(found) > 1]


def shared_texts(
    rows: Sequence[Row], text: Callable[[Dialogue], str], say: Callable[[int, int], None]
) -> Iterator[tuple[Row, Row]]:
    """Pairs of rows of different splits with nearly the same text; each row is the second of one pair at most."""
    reported: set[int] = set()
    for first, second in near.pairs([text(row.dialogue) for row in rows], say=say):
        if second not in reported and rows[first].split != rows[second].split:
            reported.add(second)
            yield rows[first], rows[second]


def _texts(rows: Sequence[Row], name: str, text: Callable[[Dialogue], str], say: Say) -> Iterator[Finding]:
    for first, second in shared_texts(rows, text, partial(say, f"looking for each {name} elsewhere")):
        message = f"has nearly the {name} of {first.place}"
        yield of_row(f"leak-{name}", Severity.ERROR, second, message, text=text(second.dialogue))
