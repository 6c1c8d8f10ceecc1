"""What a run asks, one by one, and what came of it. A rating shows one reply, a comparison two in one order."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from training.evaluation.judge import judges, parse, rubric
from training.evaluation.judge.judges import Bad, Judge
from training.evaluation.judge.material import Candidate, Pair

Value = dict[str, int] | str  # criterion to score, or a verdict about what was shown as A and B


@dataclass(frozen=True, slots=True)
class Ask:
    """shown: one reply, or two in the order of the question. call: from 1. seed: of order and sampling."""

    shown: tuple[Candidate, ...]
    call: int
    seed: int

    @property
    def criteria(self) -> tuple[str, ...]:
        return rubric.order(self.seed)

    @property
    def question(self) -> rubric.Question:
        said, texts = self.shown[0].said, [one.text for one in self.shown]
        if len(texts) == 1:
            return rubric.rating(said, texts[0], self.criteria)
        return rubric.comparison(said, texts[0], texts[1], self.criteria)

    def read(self, text: str) -> Value:
        """Raises BadAnswer."""
        return parse.scores(text, self.criteria) if len(self.shown) == 1 else parse.verdict(text)

    def key(self, judge: Judge) -> str:
        """SHA-256 of all that the answer follows from, and of what it is about."""
        names = [one.key for one in self.shown]
        parts = [judge.about, self.question.messages, self.question.schema, self.seed, names, judges.ATTEMPTS]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Judgement:
    """value None: no attempt brought a right answer. bad: what was asked again."""

    ask: Ask
    value: Value | None
    bad: tuple[Bad, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "shown": [one.key for one in self.ask.shown],
            "call": self.ask.call,
            "seed": self.ask.seed,
            "criteria": self.ask.criteria,
            "value": self.value,
            "bad": [{"why": one.why, "got": one.got} for one in self.bad],
        }


def ratings(candidates: Sequence[Candidate], calls: int, seed: int) -> Iterator[Ask]:
    for one in candidates:
        for call in range(1, calls + 1):
            yield Ask((one,), call, judges.seed_of(seed, *one.key, call))


def comparisons(pairs: Sequence[Pair], calls: int, seed: int) -> Iterator[Ask]:
    """All calls of a pair in one order, then in the other: a judge that remembers reads each once.

    Both orders of a call have the same seed, so that they differ in the order of the replies alone.
    """
    for first, second in pairs:
        seeds = [judges.seed_of(seed, *first.key, *second.key, call) for call in range(1, calls + 1)]
        for shown in ((first, second), (second, first)):
            for call, one in enumerate(seeds, 1):
                yield Ask(shown, call, one)


def answer(judge: Judge, ask: Ask) -> Judgement:
    """Raises TideError."""
    value, bad = judges.ask(judge, ask.question, ask.seed, ask.read)
    return Judgement(ask, value, bad)
