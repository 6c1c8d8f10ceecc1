"""The risk encoder at run time: tier, flags and more of a message, from heads on its vector and n-grams beside it.

Gives chances, decides nothing (`router.py` does). Where it is `Unavailable`, rules and n-grams go on. Its file, heads
and thresholds, and the table of n-grams are written by `training/risk`.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tide_chat.engine.process import ProcessEngine
from tide_chat.errors import TideError
from tide_chat.safety import gloss
from tide_chat.safety.encoder import LOAD_PATIENCE, Encoder, Head, Unavailable, check, damaged, read_json, softmax
from tide_chat.safety.ngrams import Ngrams
from tide_chat.safety.normalize import readable

ENCODER, HEADS, NGRAMS = "risk-encoder.gguf", "risk-encoder.json", "risk-ngrams.bin"
PATIENCE = 1.0  # seconds for a message, however long: all its parts on a slow computer
WHOLE = 140  # words read at once and that is all, as many as it learnt from
LONG = 300  # words of a longer text that are read at once
WINDOW = 50  # words of a longer text read by themselves: in much talk a sentence can be lost
OVERLAP = 15
MOST_WINDOWS = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """Chances, 0 to 1. `tiers` from T0 to T4 sums to 1, and so does `scenarios`; flags stand for themselves."""

    tiers: tuple[float, ...]
    flags: Mapping[str, float]
    subject: str
    time: str
    scenarios: Mapping[str, float]
    window: bool = False  # of a few words of a longer text, without what explains them

    def at_least(self, tier: int) -> float:
        """The chance of this tier or a higher one."""
        return sum(self.tiers[tier:])


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which chance on a tier is taken or a flag raised. Chosen on held-out themes by cost (`training/risk`).

    excused: when an explicit rule has lowered what the lexicon found.
    """

    tiers: Mapping[int, float]
    excused: Mapping[int, float]
    flags: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Heads:
    """What stands beside the encoder's file. alone: of the n-grams where there is no encoder."""

    heads: Mapping[str, Head]
    thresholds: Thresholds
    ngrams: Ngrams
    alone: Thresholds
    alone_temperature: float
    sha256: str  # of the encoder's file

    def read(self, vector: Sequence[float], text: str, *, window: bool = False) -> Reading:
        """Raises Unavailable where the vector holds what is no number: every chance would look like a certain one."""
        if not all(map(math.isfinite, vector)):
            raise Unavailable("the encoder answered with what are no numbers")
        beside = {"tier": self.ngrams.logits(text)}
        found = {name: self.heads[name].named(vector, beside.get(name)) for name in READ}
        return Reading(
            tiers=tuple(found["tier"].values()),
            flags=found["flags"],
            subject=_likeliest(found["subject"]),
            time=_likeliest(found["time"]),
            scenarios=found["scenario"],
            window=window,
        )

    def readings(self, text: str, vector: Callable[[str], Sequence[float]]) -> list[Reading]:
        """One for each part of a text. vector: of a part. Raises Unavailable."""
        return [self.read(vector(part), part, window=window) for part, window in parts_of(readable(text))]

    def counted(self, text: str) -> list[Reading]:
        """One for each part of a text, by its n-grams alone: of tiers, and of nothing else."""
        return [self._counted(part, window=window) for part, window in parts_of(readable(text))]

    def _counted(self, text: str, *, window: bool) -> Reading:
        logits = [logit / self.alone_temperature for logit in self.ngrams.logits(text)]
        return Reading(softmax(logits), flags={}, subject="self", time="now", scenarios={}, window=window)


def load_heads(path: Path) -> Heads:
    """Raises Unavailable."""
    data = read_json(path)
    try:
        heads = {one["name"]: Head.of(one) for one in data["heads"]}
        ngrams = _load_ngrams(path.with_name(NGRAMS), str(data["ngrams_sha256"]))
        limits, alone = data["thresholds"], data["thresholds"]["alone"]
        sha256, temperature = str(data["encoder_sha256"]), float(alone["temperature"])
        found = Heads(heads, _thresholds(limits), ngrams, _thresholds(alone), temperature, sha256)
        found.read([0.0] * len(heads["tier"].weight[0]), "")
        if not temperature > 0:
            raise ValueError(f"a temperature of {temperature}")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise damaged(path) from None
    return found


def _thresholds(data: Mapping[str, Any]) -> Thresholds:
    tiers, excused = ({int(k): float(v) for k, v in data[name].items()} for name in ("tiers", "excused"))
    flags = {k: float(v) for k, v in data.get("flags", {}).items()}
    return Thresholds(tiers, excused, flags)


def _load_ngrams(path: Path, sha256: str) -> Ngrams:
    """Raises Unavailable."""
    check(path, sha256)
    try:
        return Ngrams.from_bytes(path.read_bytes())
    except (OSError, ValueError):
        raise damaged(path) from None


READ = ("tier", "flags", "subject", "time", "scenario")


def _likeliest(chances: Mapping[str, float]) -> str:
    return max(chances, key=lambda label: chances[label])


class Classifier(Encoder[list[Reading]]):
    """Reads messages: one reading for each part of a text."""

    name, file = "risk-encoder", ENCODER

    def __init__(
        self, folder: Path, *, patience: float = PATIENCE, engine: Callable[[], ProcessEngine] = ProcessEngine
    ) -> None:
        super().__init__(folder, patience=patience, engine=engine)
        self._heads: Heads | None = None

    @property
    def heads(self) -> Heads:
        """There as soon as they are read, and though the encoder itself cannot be used. Raises Unavailable."""
        if self._heads is None:
            raise Unavailable(self._failure or "the encoder is not loaded yet")
        return self._heads

    @property
    def thresholds(self) -> Thresholds:
        """Raises Unavailable."""
        return self.heads.thresholds

    def vector(self, text: str, *, glossed: bool = False) -> list[float]:
        """Of a short text, for looking on. A message to be read waits for one of them at most. Raises Unavailable.

        glossed: as part of a message is read, with its English words where it is in another language.
        """
        engine = self._engine
        if self._failure or engine is None:
            raise Unavailable(self._failure or "the encoder is not loaded yet")
        try:
            embed = partial(_vector, engine) if glossed else engine.embed
            return self._pool.submit(embed, text).result(LOAD_PATIENCE)
        except TooSlow:
            raise Unavailable("the encoder took too long") from None
        except (TideError, RuntimeError) as error:  # it died, or it is being closed
            raise Unavailable(str(error)) from None

    def _prepare(self) -> str:
        self._heads = load_heads(self._folder / HEADS)
        return self._heads.sha256

    def _answer(self, text: str, engine: ProcessEngine) -> list[Reading]:
        return self.heads.readings(text, partial(_vector, engine))


def _vector(engine: ProcessEngine, text: str) -> list[float]:
    """Of a text in another language the mean with that of its English words: the heads are linear."""
    own, words = engine.embed(text), gloss.english(text)
    return [(a + b) / 2 for a, b in zip(own, engine.embed(words), strict=True)] if words else own


def parts_of(text: str) -> Iterator[tuple[str, bool]]:
    """What the encoder reads of a text, and whether that is a window.

    A text of more than WHOLE words is read as a whole, and once more in windows, of which more is asked (`join.py`). Of
    one of more than LONG words the beginning and the end are read at once, and windows all over it.
    """
    words = re.findall(r"\S+", text)
    if len(words) <= WHOLE:
        yield text, False
        return
    for start in dict.fromkeys((0, max(len(words) - LONG, 0))):
        yield " ".join(words[start : start + LONG]), False
    starts = list(range(0, len(words) - OVERLAP, WINDOW - OVERLAP))
    if len(starts) > MOST_WINDOWS:
        step = (len(starts) - 1) / (MOST_WINDOWS - 1)
        starts = [starts[round(i * step)] for i in range(MOST_WINDOWS)]
    for start in starts:
        yield " ".join(words[start : start + WINDOW]), True
