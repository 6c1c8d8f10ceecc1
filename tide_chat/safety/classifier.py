"""The risk encoder at run time: a small text encoder in a process of its own, heads on top of it, n-grams beside it.

Gives chances, decides nothing (`router.py` does) and never lets a message wait: when the file is missing or damaged,
the process dies, or an answer takes too long, `Unavailable` says so and rules and n-grams go on. The file is a plain
GGUF, run by the same runtime as the chat model; heads and thresholds stand beside it as JSON, and the table of n-grams
(`training/risk` writes all three).
"""

import hashlib
import json
import math
import operator
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tide_chat import paths
from tide_chat.engine.base import EngineSpec
from tide_chat.engine.process import ProcessEngine
from tide_chat.errors import TideError
from tide_chat.safety import gloss
from tide_chat.safety.ngrams import Ngrams
from tide_chat.safety.normalize import readable

ENCODER, HEADS, NGRAMS = "risk-encoder.gguf", "risk-encoder.json", "risk-ngrams.bin"
LOAD_PATIENCE = 5.0  # seconds from the start of the process; after that rules and n-grams go on until it is there
PATIENCE = 1.0  # seconds for a message, however long: all its parts on a slow computer
MOST_DEATHS = 3
WHOLE = 140  # words read at once and that is all, as many as it learnt from
LONG = 300  # words of a longer text that are read at once
WINDOW = 50  # words of a longer text read by themselves: in much talk a sentence can be lost
OVERLAP = 15
MOST_WINDOWS = 8


def default_folder() -> Path:
    """Where the encoder that comes with the app lies."""
    return paths.shipped_models()


class Unavailable(Exception):
    """Why the encoder did not answer, in plain words."""


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
class Head:
    """Some outputs: exactly one label holds, or each may."""

    name: str
    labels: tuple[str, ...]
    one: bool
    weight: tuple[tuple[float, ...], ...]  # (labels, width)
    bias: tuple[float, ...]
    temperature: float

    def named(self, vector: Sequence[float], beside: Sequence[float] | None = None) -> dict[str, float]:
        return dict(zip(self.labels, self.chances(vector, beside), strict=True))

    def chances(self, vector: Sequence[float], beside: Sequence[float] | None = None) -> tuple[float, ...]:
        """beside: what another has to say of each label, added to its own logits."""
        logits = [
            (sum(map(operator.mul, row, vector)) + bias) / self.temperature
            for row, bias in zip(self.weight, self.bias, strict=True)
        ]
        if beside:
            logits = [*map(operator.add, logits, beside)]
        if not self.one:
            return tuple(1 / (1 + math.exp(-max(-60.0, min(60.0, logit)))) for logit in logits)
        return _softmax(logits)


def _softmax(logits: Sequence[float]) -> tuple[float, ...]:
    top = max(logits)
    powers = [math.exp(logit - top) for logit in logits]
    return tuple(power / sum(powers) for power in powers)


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
        return Reading(_softmax(logits), flags={}, subject="self", time="now", scenarios={}, window=window)


def load_heads(path: Path) -> Heads:
    """Raises Unavailable."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        heads = {one["name"]: _head(one) for one in data["heads"]}
        ngrams = _load_ngrams(path.with_name(NGRAMS), str(data["ngrams_sha256"]))
        limits, alone = data["thresholds"], data["thresholds"]["alone"]
        sha256, temperature = str(data["encoder_sha256"]), float(alone["temperature"])
        found = Heads(heads, _thresholds(limits), ngrams, _thresholds(alone), temperature, sha256)
        found.read([0.0] * len(heads["tier"].weight[0]), "")
        if not temperature > 0:
            raise ValueError(f"a temperature of {temperature}")
    except FileNotFoundError:
        raise Unavailable(f"the file {path.name} is missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise Unavailable(f"the file {path.name} is damaged") from None
    return found


def _thresholds(data: Mapping[str, Any]) -> Thresholds:
    tiers, excused = ({int(k): float(v) for k, v in data[name].items()} for name in ("tiers", "excused"))
    flags = {k: float(v) for k, v in data.get("flags", {}).items()}
    return Thresholds(tiers, excused, flags)


def _load_ngrams(path: Path, sha256: str) -> Ngrams:
    """Raises Unavailable."""
    _check(path, sha256)
    try:
        return Ngrams.from_bytes(path.read_bytes())
    except (OSError, ValueError):
        raise Unavailable(f"the file {path.name} is damaged") from None


READ = ("tier", "flags", "subject", "time", "scenario")


def _head(data: Mapping[str, Any]) -> Head:
    weight = tuple(tuple(map(float, row)) for row in data["weight"])
    bias = tuple(map(float, data["bias"]))
    if not len(weight) == len(bias) == len(data["labels"]):
        raise ValueError("rows, biases and labels differ in number")
    return Head(data["name"], tuple(data["labels"]), bool(data["one"]), weight, bias, float(data["temperature"]))


def _likeliest(chances: Mapping[str, float]) -> str:
    return max(chances, key=lambda label: chances[label])


class Classifier:
    """Reads messages with the encoder. Thread-safe; call `start` before an event loop begins: it makes a process."""

    def __init__(
        self,
        folder: Path,
        *,
        patience: float = PATIENCE,
        engine: Callable[[], ProcessEngine] = ProcessEngine,
    ) -> None:
        self._folder = folder
        self._patience = patience
        self._make = engine
        self._engine: ProcessEngine | None = None
        self._heads: Heads | None = None
        self._failure: str | None = None
        self._deaths = 0
        self._pool = ThreadPoolExecutor(1, "risk-encoder")
        self._loading: Future[None] | None = None
        self._running: Future[list[Reading]] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to load; returns at once."""
        with self._lock:
            if self._loading is None and self._failure is None:
                self._engine = self._make()
                self._loading = self._pool.submit(self._load, self._engine)

    @property
    def loading(self) -> bool:
        """Whether it is still being loaded, so that reading would wait for that."""
        with self._lock:
            return self._loading is not None and not self._loading.done()

    def read(self, text: str) -> list[Reading]:
        """One reading for each part of the text. Raises Unavailable."""
        self.start()
        with self._lock:
            if self._failure:
                raise Unavailable(self._failure)
            if self._running and not self._running.done():
                raise Unavailable("the encoder is still busy with an earlier message")
            loading = self._loading
            self._running = running = self._pool.submit(self._read, text)
        patience = self._patience if loading and loading.done() else LOAD_PATIENCE
        try:
            return running.result(patience)
        except TooSlow:
            raise Unavailable("the encoder took too long") from None

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
            embed = partial(self._vector, engine) if glossed else engine.embed
            return self._pool.submit(embed, text).result(LOAD_PATIENCE)
        except TooSlow:
            raise Unavailable("the encoder took too long") from None
        except (TideError, RuntimeError) as error:  # it died, or it is being closed
            raise Unavailable(str(error)) from None

    def close(self) -> None:
        self._failure = self._failure or "the encoder was closed"
        if self._engine:
            self._engine.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # -- in the worker -----------------------------------------------------------------------------------------------

    def _load(self, engine: ProcessEngine) -> None:
        try:
            self._heads = load_heads(self._folder / HEADS)
            path = self._folder / ENCODER
            _check(path, self._heads.sha256)
            engine.load(EngineSpec(path, name="risk-encoder", embedding=True, gpu="off"))
        except Unavailable as error:
            self._fail(str(error))
        except TideError as error:
            self._fail(error.message)

    def _read(self, text: str) -> list[Reading]:
        if self._failure or self._heads is None or self._engine is None:
            raise Unavailable(self._failure or "the encoder is not loaded")
        try:
            return self._heads.readings(text, partial(self._vector, self._engine))
        except (TideError, Unavailable) as error:
            self._died()
            raise Unavailable(error.message if isinstance(error, TideError) else str(error)) from None

    def _vector(self, engine: ProcessEngine, text: str) -> list[float]:
        """Of a text in another language the mean with that of its English words: the heads are linear."""
        own, words = engine.embed(text), gloss.english(text)
        return [(a + b) / 2 for a, b in zip(own, engine.embed(words), strict=True)] if words else own

    def _died(self) -> None:
        """Start anew, a few times."""
        self._deaths += 1
        with self._lock:
            self._loading = None
            if self._deaths >= MOST_DEATHS:
                self._failure = "the encoder ended several times"
                return
        if self._engine:
            self._engine.close()
        self.start()

    def _fail(self, why: str) -> None:
        self._failure = why
        if self._engine:
            self._engine.kill()


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


def _check(path: Path, sha256: str) -> None:
    """Raises Unavailable unless the file is there and whole."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise Unavailable(f"the file {path.name} is missing") from None
    if found != sha256:
        raise Unavailable(f"the file {path.name} is damaged")
