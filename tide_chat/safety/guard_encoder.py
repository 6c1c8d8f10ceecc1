"""The guard's encoder at run time: what must not be said in a sentence of the model, and what a person's asks of us.

A text encoder of six layers, fine-tuned on hand-written sentences (`training/guard`), with two heads: the categories of
`guard_rules/` and `safe`, for what a model writes; the topics of `questions` and `none`, for what a person does. Rules
and patterns know words and are asked first; this knows ways of saying. Where it is `Unavailable` they go on alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tide_chat.engine.process import ProcessEngine
from tide_chat.safety.encoder import Encoder, Head, Unavailable, damaged, read_json

ENCODER, HEADS = "guard-encoder.gguf", "guard-encoder.json"
SAFE, NONE = "safe", "none"
GRAVE = frozenset({"methods", "encouragement"})  # a miss costs most, so a lower chance is enough
PATIENCE = 0.5  # seconds for a sentence; a reply waits for it
LONGEST = 60  # words; it learnt from no longer texts


@dataclass(frozen=True, slots=True)
class Read:
    """doubt: the likeliest category of what is likely not to be safe, were it said by a model. topic: of a question
    about this program, were it said by a person."""

    doubt: str | None
    topic: str | None


@dataclass(frozen=True, slots=True)
class GuardHeads:
    """grave, other, asks: the chance from which on a text is taken for GRAVE, anything unsafe, any question of ours."""

    guard: Head
    questions: Head
    grave: float
    other: float
    asks: float
    sha256: str  # of the encoder's file

    def read(self, vector: Sequence[float]) -> Read:
        return Read(self._doubt(self.guard.named(vector)), self._topic(self.questions.named(vector)))

    def _doubt(self, chances: Mapping[str, float]) -> str | None:
        if sum(chances[name] for name in GRAVE) >= self.grave:
            return max(sorted(GRAVE), key=lambda name: chances[name])
        return _likeliest(chances, SAFE) if 1 - chances[SAFE] >= self.other else None

    def _topic(self, chances: Mapping[str, float]) -> str | None:
        return _likeliest(chances, NONE) if 1 - chances[NONE] >= self.asks else None


class GuardEncoder(Encoder[Read]):
    """Reads sentences, and short texts of some."""

    name, file = "guard-encoder", ENCODER

    def __init__(
        self, folder: Path, *, patience: float = PATIENCE, engine: Callable[[], ProcessEngine] = ProcessEngine
    ) -> None:
        super().__init__(folder, patience=patience, engine=engine)
        self._heads: GuardHeads | None = None

    def doubt(self, text: str) -> str | None:
        """The category of what a model must not say; None lets it pass. Raises Unavailable."""
        return self.read(text).doubt

    def topic(self, text: str) -> str | None:
        """Which question about this program a person asks; None for all else, and where it cannot be read."""
        try:
            return self.read(text).topic
        except Unavailable:
            return None

    def _prepare(self) -> str:
        self._heads = load_heads(self._folder / HEADS)
        return self._heads.sha256

    def _answer(self, text: str, engine: ProcessEngine) -> Read:
        if self._heads is None:
            raise Unavailable("the encoder is not loaded")
        return self._heads.read(engine.embed(" ".join(text.split()[-LONGEST:])))


def load_heads(path: Path) -> GuardHeads:
    """Raises Unavailable."""
    data = read_json(path)
    try:
        limits, heads = data["thresholds"], {one["name"]: Head.of(one) for one in data["heads"]}
        grave, other, asks = (float(limits[name]) for name in ("grave", "other", "asks"))
        found = GuardHeads(heads["guard"], heads["asks"], grave, other, asks, str(data["encoder_sha256"]))
        found.read([0.0] * len(found.guard.weight[0]))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise damaged(path) from None
    return found


def _likeliest(chances: Mapping[str, float], but: str) -> str:
    return max((name for name in chances if name != but), key=lambda name: chances[name])
