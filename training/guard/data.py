"""Sentences for the guard's encoder, of two kinds.

What a model writes: what it must not say and what only looks like it (`data_files/guard/train-*.jsonl`), and what it
may well say (the sentences of the open dialogues' reference replies). What a person writes: questions about this
program and what only looks like them (`data_files/questions/train-*.tsv`), and other talk (the risk lines). Knows no
model.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tide_chat.errors import DataError
from tide_chat.safety import guard_rules, questions
from tide_chat.safety.guard import pieces
from tide_chat.safety.guard_encoder import NONE, SAFE
from training.risk.data import DATA, DIALOGUES, risk_rows

GUARD = DATA / "guard"
HELD_OUT = GUARD / "held-out.jsonl"
FOLDS = 6
# What the writers named, and the guard's own names for what is done about it.
CATEGORIES = {
    "methods": "methods",
    "encouragement": "encouragement",
    "diagnosis": "diagnosis",
    "medication": "medication",
    "human_claim": "human",
    "persona": "human",
    "secrecy": "secrecy",
    "outcome_promise": "outcome",
    "safe_fact": "safety",
    "blame": "blame",
    "trauma_detail": "pressing",
    "ending": "leaving",
    "refusal_alone": "leaving",
    "sexual": "sexual",
    "unsafe_command": "command",
    "safe": SAFE,
}
LABELS = tuple(dict.fromkeys(CATEGORIES.values()))
QUESTIONS = DATA / "questions"
HELD_OUT_QUESTIONS = QUESTIONS / "held-out.tsv"
TOPICS = (*(answer.id for answer in questions.answers() if answer.language == "en"), NONE)
BLOCK = 12  # lines of a table that stay together, since what follows on each other is alike
TALK = 9_000  # sentences of other talk
LONGEST = 30  # words of such a sentence
OURS = "ours"  # the group of our own answers


@dataclass(frozen=True, slots=True)
class Sentence:
    """group: sentences of one group are never on both sides of a split. category: of LABELS, or of TOPICS where `asks`.

    plain: from a reference reply or from other talk, and not written for this.
    """

    text: str
    category: str
    group: str
    near: bool = False  # written to look like something that it is not
    plain: bool = False
    asks: bool = False  # a person's, who may ask something


def written(path: Path) -> Iterator[Sentence]:
    """The lines of a file. Raises DataError naming file and line."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            category = CATEGORIES[row["category"]]
            yield Sentence(row["text"], category, f"{path.stem}/{row['theme']}", near=bool(row["near"]))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path.name}, line {number} is no sentence for the guard.", details=str(error)) from None


def replies() -> Iterator[Sentence]:
    """The sentences of the reference replies, all of them taken to be safe; those of one persona are a group."""
    for path in sorted(DIALOGUES.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for piece in pieces(row.get("reference_response", "")):
                yield Sentence(piece, SAFE, f"{path.stem}/{row.get('persona_id', row['dialogue_id'])}", plain=True)


def ours() -> list[Sentence]:
    """The sentences of our own answers: they go past the guard, and what is worded like them is good too."""
    texts = [each.text for each in questions.answers() if each.language == "en"]
    texts += [line for answer in guard_rules.load().answers.values() for line in answer.lines]
    return [Sentence(piece, SAFE, OURS) for text in texts for piece in pieces(text)]


def wordings(path: Path) -> Iterator[Sentence]:
    """Of a table of `topic<TAB>text`. Raises DataError naming file and line."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        topic, _, text = line.partition("\t")
        if topic not in TOPICS or not text.strip():
            raise DataError(
                f"{path.name}, line {number} is no wording.",
                details=f"Got: {line[:80]!r}",
                help=f"Expected a topic, a tab and a text; topics: {', '.join(TOPICS)}.",
            )
        yield Sentence(text, topic, f"{path.stem}/{number // BLOCK}", near=topic == NONE, asks=True)


def talk() -> list[Sentence]:
    """Short messages of the risk lines in which no pattern finds a question about this program."""
    rows = [row for row in risk_rows() if row.kind != "multilingual" and len(row.text.split()) <= LONGEST]
    some = random.Random(1).sample(rows, min(TALK, len(rows)))
    return [Sentence(row.text, NONE, row.group, plain=True, asks=True) for row in some if not questions.find(row.text)]


def sentences() -> list[Sentence]:
    """All that is learnt from or validated on: nothing that stands in the held-out lists too. Raises DataError."""
    files = sorted(GUARD.glob("train-*.jsonl"))
    if not files:
        raise DataError(
            "There are no sentences for the guard.", details=str(GUARD), help="Expected train-*.jsonl there."
        )
    asked = [each for path in sorted(QUESTIONS.glob("train-*.tsv")) for each in wordings(path)]
    found = [*(each for path in files for each in written(path)), *replies(), *ours(), *asked, *talk()]
    measured_on = {same(each.text) for each in (*written(HELD_OUT), *wordings(HELD_OUT_QUESTIONS))}
    return [each for each in found if same(each.text) not in measured_on]


def same(text: str) -> str:
    """Equal for texts that differ in letter case and marks alone."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def split(rows: Sequence[Sentence], fold: int) -> tuple[list[Sentence], list[Sentence]]:
    """To learn from, and to validate on: one of FOLDS parts of the groups. Our own sentences are all learnt from."""
    groups = sorted({row.group for row in rows} - {OURS})
    random.Random(1).shuffle(groups)
    held = {group for place, group in enumerate(groups) if place % FOLDS == fold}
    return [row for row in rows if row.group not in held], [row for row in rows if row.group in held]
