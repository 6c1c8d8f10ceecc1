"""Which sentences of a reply carry which of the paper's three factors: an automatic guess, shown as such.

Logistic regressions on the vectors of the risk encoder, which is loaded anyway (`training/factors` makes the file and
counts its error). Knows English and sentences alone; a factor spread over two sentences is missed.
"""

import json
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from tide_chat import paths
from tide_chat.clinician.inspection import Line, Section

FILE, CARD = "factor-heads.json", "factor-heads.md"
NAMES = {
    "emotion_recognition": "emotion recognition",
    "distress_normalization": "distress normalization",
    "supportive_reflection": "supportive reflection",
}
NONE = "none found"
_END = re.compile(r"""(?<=[.!?…])["'”’)\]]*\s+|\n+""")

Vector = Callable[[str], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Head:
    """One factor. weight (width,). threshold: of the chance. precision, recall: by sentence, on held-out people or on
    other writers' sentences, the lower of both."""

    name: str
    weight: tuple[float, ...]
    bias: float
    threshold: float
    precision: float
    recall: float

    def found(self, vector: Sequence[float]) -> bool:
        logit = sum(map(operator.mul, self.weight, vector)) + self.bias
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit)))) >= self.threshold


@dataclass(frozen=True, slots=True)
class Heads:
    heads: tuple[Head, ...]
    encoder_sha256: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises OSError, ValueError, KeyError, TypeError."""
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(_head(name, values["heads"][name]) for name in NAMES), str(values["encoder_sha256"]))

    @classmethod
    def shipped(cls, encoder_sha256: str) -> "Heads | None":
        """Those that come with the app; None when they are not there or were made for another encoder."""
        heads = _shipped(paths.shipped_models() / FILE)
        return heads if heads and heads.encoder_sha256 == encoder_sha256 else None

    def section(self, reply: str, vector: Vector) -> Section:
        """Each sentence of the reply with its factors. `vector` may raise."""
        return Section("The three factors", (Line("", self._about), *(self._line(s, vector) for s in sentences(reply))))

    def _line(self, sentence: str, vector: Vector) -> Line:
        seen = vector(sentence)
        return Line(", ".join(NAMES[head.name] for head in self.heads if head.found(seen)) or NONE, sentence)

    @property
    def _about(self) -> str:
        # Rounded down: .96 is no 10 of 10.
        right = ", ".join(f"{NAMES[head.name]} {int(head.precision * 10)}" for head in self.heads)
        found = sum(head.recall for head in self.heads) / len(self.heads)
        return (
            f"An automatic guess, sentence by sentence. Where it names a factor it is right about so many of 10 times: "
            f"{right}. It finds about {int(found * 10)} of 10 that are there. Counted on other texts: models/{CARD}."
        )


def sentences(text: str) -> tuple[str, ...]:
    """Those that hold a word. They end at . ! ? … or a line break."""
    return tuple(part.strip() for part in _END.split(text) if any(map(str.isalnum, part)))


@lru_cache(maxsize=1)
def _shipped(path: Path) -> Heads | None:
    try:
        return Heads.read(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _head(name: str, values: dict[str, Any]) -> Head:
    weight = tuple(map(float, values["weight"]))
    errors = (values["error"], values["outside"])
    return Head(
        name,
        weight,
        bias=float(values["bias"]),
        threshold=float(values["threshold"]),
        precision=min(float(one["precision"]) for one in errors),
        recall=min(float(one["recall"]) for one in errors),
    )
