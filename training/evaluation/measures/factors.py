"""The paper's three factors in a reply: emotion recognition, distress normalization, supportive reflection.

A classifier of ours: logistic regressions on sentence vectors, learnt by `fit.py` from the marked parts of our open
dialogues and from sentences as other models write them, and kept in `factors.json` with its error on both. It knows
English, and sentences alone: a factor spread over two sentences is missed, and words that validate something which was
never said count as validation. Its error is to be printed wherever its numbers are. The first six sentences of a reply
are looked at, as many as the app shows: a long reply has no more chances than a short one.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tide_chat.errors import DataError
from tide_chat.progress import Say, quiet
from tide_chat.safety.guard import MOST_SENTENCES
from training.evaluation.measures.text import has, sentences
from training.evaluation.metrics import encoders
from training.evaluation.replies import Reply

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTORS = ("emotion_recognition", "distress_normalization", "supportive_reflection")
FILE = Path(__file__).with_name("factors.json")
RECOGNITION, NORMALIZATION, REFLECTION = range(3)
UNDERSTANDING = ("interpretation_weak", "interpretation_strong", "reaction_strong")  # lists of patterns


@dataclass(frozen=True, slots=True)
class Head:
    """One factor. weight (384,). Rates by sentence, error on held-out people, outside on sentences of other writers."""

    weight: tuple[float, ...]
    bias: float
    threshold: float  # of the chance, from which the factor counts as there
    error: dict[str, float]
    outside: dict[str, float]


@dataclass(frozen=True, slots=True)
class Classifier:
    """heads: one for each of FACTORS. made: of what and how."""

    heads: tuple[Head, ...]
    made: dict[str, Any]

    @classmethod
    def read(cls, path: Path = FILE) -> Self:
        """Raises DataError."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            heads = [values["heads"][name] for name in FACTORS]
            return cls(tuple(Head(**(head | {"weight": tuple(head["weight"])})) for head in heads), values["made"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                "The classifier of the three factors cannot be read.", details=f"{path}: {error}"
            ) from error

    def to_text(self) -> str:
        heads = {name: asdict(head) for name, head in zip(FACTORS, self.heads, strict=True)}
        return json.dumps({"made": self.made, "heads": heads}, indent=1) + "\n"

    def present(self, vectors: "NDArray[Any]") -> "NDArray[Any]":
        """Which factors each sentence has: vectors (n, 384) to (n, 3) bool."""
        import numpy

        weights = numpy.array([head.weight for head in self.heads], numpy.float32)
        logits = vectors @ weights.T + numpy.array([head.bias for head in self.heads], numpy.float32)
        thresholds = numpy.array([head.threshold for head in self.heads])
        found: NDArray[Any] = 1 / (1 + numpy.exp(-logits)) >= thresholds
        return found


def recognition(replies: Sequence[Reply]) -> list[float]:
    """1 where a sentence names the feeling."""
    return _any(replies, RECOGNITION)


def normalization(replies: Sequence[Reply]) -> list[float]:
    """1 where a sentence says why the feeling is a usual one."""
    return _any(replies, NORMALIZATION)


def reflection(replies: Sequence[Reply]) -> list[float]:
    """1 where a sentence reflects and offers or asks one thing."""
    return _any(replies, REFLECTION)


def coverage(replies: Sequence[Reply]) -> list[float]:
    """How many of the three factors a reply has, as a share."""
    return [float(found.any(0).sum()) / len(FACTORS) if len(found) else 0.0 for found in _of(replies)]


def advice_first(replies: Sequence[Reply]) -> list[float]:
    """1 where advice comes, and no sentence before or in it names the feeling or says that it is usual.

    Advice by patterns, validation by the classifier: its errors are in here too.
    """
    return [
        float(_advised_first(sentences(reply.text)[: len(found)], found))
        for reply, found in zip(replies, _of(replies), strict=True)
    ]


def validates_first(replies: Sequence[Reply]) -> list[float]:
    """1 where the first sentence names the feeling or says that it is usual, to the classifier or by rules."""
    pairs = zip(replies, _of(replies), strict=True)
    return [float(_validates(sentences(reply.text)[:1], found)) for reply, found in pairs]


def _validates(first: Sequence[str], found: "NDArray[Any]") -> bool:
    by_rules = any(has(name, sentence) for name in UNDERSTANDING for sentence in first)
    return by_rules or bool(found[:1, [RECOGNITION, NORMALIZATION]].any())


def error_note() -> str:
    """The classifier's error, to stand beside its numbers."""
    found = _classifier()
    parts = [
        f"{name.replace('_', ' ')} {_rates(head.error)} (outside {_rates(head.outside)})"
        for name, head in zip(FACTORS, found.heads, strict=True)
    ]
    held, outside = found.made["held_out"], found.made["outside"]
    return (
        f"The three factors by our own classifier, from the first {MOST_SENTENCES} sentences; its precision, recall "
        f"and false alarms by sentence, on {held['sentences']} sentences of {held['dialogues']} dialogues by people it "
        f"was not trained on (and outside our own data, on {outside['sentences']} sentences): {'; '.join(parts)}."
    )


def _rates(rates: dict[str, float]) -> str:
    return f"{rates['precision']:.2f}, {rates['recall']:.2f}, {rates['false_alarms']:.2f}"


def vectors(texts: Sequence[str], say: Say = quiet) -> "NDArray[Any]":
    """Of all-MiniLM-L6-v2, shape (texts, 384), each of unit length. Raises MissingExtra, ModelNotFound."""
    from training.evaluation.metrics import cosine

    found: NDArray[Any] = cosine.embed(encoders.minilm("Measuring the three factors"), texts, say)
    return found


def _any(replies: Sequence[Reply], factor: int) -> list[float]:
    return [float(found[:, factor].any()) for found in _of(replies)]


def _of(replies: Sequence[Reply]) -> "list[NDArray[Any]]":
    return _found(tuple(reply.text for reply in replies))


@lru_cache(maxsize=1)  # several measures ask for the same replies, one after the other
def _found(texts: tuple[str, ...]) -> "list[NDArray[Any]]":
    """For each text, which factors its sentences have: (sentences, 3) bool."""
    import numpy

    split = [sentences(text)[:MOST_SENTENCES] for text in texts]
    known = {sentence: i for i, sentence in enumerate(dict.fromkeys(one for part in split for one in part))}
    present = _classifier().present(vectors(list(known))) if known else numpy.zeros((0, len(FACTORS)), bool)
    return [present[[known[one] for one in part]] if part else present[:0] for part in split]


@cache
def _classifier() -> Classifier:
    return Classifier.read()


def _advised_first(parts: Sequence[str], found: "NDArray[Any]") -> bool:
    for sentence, present in zip(parts, found, strict=True):
        if present[RECOGNITION] or present[NORMALIZATION]:
            return False
        if has("advice", sentence):
            return True
    return False
