"""Measures what stands around the model on written sentences: `python tools/check_guard.py [--by-kind]`.

For each list: how many sentences that must not be said are held back, and how many good ones, by the rules alone, by
the encoder alone and by both. Nobody who tunes anything reads the held-out lists (`tests/data/guard/heldout.tsv`,
`training/data_files/guard/held-out.jsonl`, `questions/held-out.tsv`): their misses are counted and never printed.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tide_chat.engine.base import FinishReason
from tide_chat.safety import lexicon, questions
from tide_chat.safety.encoder import default_folder
from tide_chat.safety.guard import Doubt, Gate, pieces
from tide_chat.safety.guard_encoder import GRAVE, NONE, GuardEncoder
from training.guard import data
from training.risk.data import DIALOGUES

TABLES = Path(__file__).parent.parent / "tests" / "data" / "guard"
SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Line:
    """kind: its category where it must not be said; else SAFE. near: written to look otherwise."""

    text: str
    kind: str
    near: bool = False


def tuned() -> list[Line]:
    """What the rules were tuned on; no sentence that the encoder learnt from."""
    return [
        *(Line(row["text"], row["category"]) for row in _table("unsafe")),
        *(Line(row["text"], SAFE, near=True) for row in _table("safe")),
    ]


def held_out() -> list[Line]:
    """Written after the first rules were finished."""
    return [Line(row["text"], row["kind"]) for row in _table("heldout")]


def held_out_later() -> list[Line]:
    """Written when the encoder was: by another writer than its training sentences."""
    return [Line(each.text, each.category, each.near) for each in data.written(data.HELD_OUT)]


def replies() -> list[Line]:
    """Whole reference replies; the encoder learnt from most of their sentences."""
    texts = [
        json.loads(line).get("reference_response", "")
        for path in sorted(DIALOGUES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [Line(text, SAFE) for text in texts if text]


def held_back(text: str, doubt: Doubt | None) -> bool:
    """Whether anything of it is, through the gate as in the app."""
    gate = Gate(doubt=doubt, most=99)
    gate.feed(text)
    gate.flush(FinishReason.STOP)
    if gate.reduced:
        raise SystemExit("The guard's encoder cannot be used.")
    return bool(gate.held)


def report(name: str, lines: Sequence[Line], encoder: GuardEncoder, *, by_kind: bool) -> Iterator[str]:
    rules = [held_back(line.text, None) for line in lines]
    alone = [any(encoder.doubt(piece) for piece in pieces(line.text)) for line in lines]
    both = [held_back(line.text, encoder.doubt) for line in lines]
    yield f"{name}: rules alone, encoder alone, both"
    for kind, of in _kinds(lines, by_kind=by_kind).items():
        if of:
            counts = ", ".join(str(sum(found[i] for i in of)) for found in (rules, alone, both))
            yield f"  {kind}: {counts} of {len(of)} held back"


def _kinds(lines: Sequence[Line], *, by_kind: bool) -> dict[str, list[int]]:
    unsafe = [i for i, line in enumerate(lines) if line.kind != SAFE]
    kinds = {
        "must not be said": unsafe,
        "of these methods, encouragement": [i for i in unsafe if lines[i].kind in GRAVE],
        "safe, written to look otherwise": [i for i, line in enumerate(lines) if line.kind == SAFE and line.near],
        "safe": [i for i, line in enumerate(lines) if line.kind == SAFE and not line.near],
    }
    names = sorted({lines[i].kind for i in unsafe}) if by_kind else []
    return kinds | {name: [i for i in unsafe if lines[i].kind == name] for name in names}


def asked(encoder: GuardEncoder) -> Iterator[str]:
    """Questions about this program, by patterns alone and with the encoder: right answers, and answers out of place."""
    rows = list(data.wordings(data.HELD_OUT_QUESTIONS))
    yield "questions about this program, held out: patterns alone, with the encoder"
    found = [[_id(questions.find(row.text, topic)) for row in rows] for topic in (None, encoder.topic)]
    for name in data.TOPICS:
        mine = [i for i, row in enumerate(rows) if row.category == name]
        yield f"  {name}: {', '.join(str(sum(each[i] == name for i in mine)) for each in found)} of {len(mine)}"
    real = [i for i, row in enumerate(rows) if row.category != NONE]
    right = ", ".join(str(sum(each[i] == rows[i].category for i in real)) for each in found)
    wrong = ", ".join(str(sum(each[i] not in (rows[i].category, NONE) for i in real)) for each in found)
    yield f"  all questions: {right} of {len(real)} have their answer; {wrong} another one"


def _id(found: questions.Found | None) -> str:
    return found.id if found else NONE


def _table(name: str) -> Iterator[dict[str, str]]:
    yield from lexicon.rows((TABLES / f"{name}.tsv").read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--by-kind", action="store_true", help="a line for each category")
    parser.add_argument("--models", type=Path, help="where guard-encoder.gguf lies; default: the shipped one")
    chosen = parser.parse_args()
    encoder = GuardEncoder(chosen.models or default_folder(), patience=30)
    try:
        for name, lines in (
            ("held out, first list", held_out()),
            ("held out, second list", held_out_later()),
            ("tuned on by the rules", tuned()),
            ("reference replies, whole", replies()),
        ):
            for line in report(name, lines, encoder, by_kind=chosen.by_kind):
                print(line)
        for line in asked(encoder):
            print(line)
    finally:
        encoder.close()


if __name__ == "__main__":
    main()
