"""A small text encoder in a process of its own, and every way in which it may fail.

It never lets its caller wait: when the file is missing or damaged, the process dies, or an answer takes too long,
`Unavailable` says so and the rules go on. The file is a plain GGUF, run by the same runtime as the chat model; what is
learnt on top of its vectors stands beside it as JSON. Decides nothing.
"""

import hashlib
import json
import math
import operator
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from tide_chat import paths
from tide_chat.engine.base import EngineSpec
from tide_chat.engine.process import ProcessEngine
from tide_chat.errors import TideError

LOAD_PATIENCE = 5.0  # seconds from the start of the process; after that the rules go on until it is there
MOST_DEATHS = 3

Answer = TypeVar("Answer")


def default_folder() -> Path:
    """Where the encoders that come with the app lie."""
    return paths.shipped_models()


class Unavailable(Exception):
    """Why the encoder did not answer, in plain words."""


@dataclass(frozen=True, slots=True)
class Head:
    """Some outputs: exactly one label holds, or each may."""

    name: str
    labels: tuple[str, ...]
    one: bool
    weight: tuple[tuple[float, ...], ...]  # (labels, width)
    bias: tuple[float, ...]
    temperature: float

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Head":
        """From JSON. Raises ValueError, KeyError, TypeError."""
        weight = tuple(tuple(map(float, row)) for row in data["weight"])
        bias = tuple(map(float, data["bias"]))
        if not len(weight) == len(bias) == len(data["labels"]):
            raise ValueError("rows, biases and labels differ in number")
        return cls(data["name"], tuple(data["labels"]), bool(data["one"]), weight, bias, float(data["temperature"]))

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
        return softmax(logits)


def softmax(logits: Sequence[float]) -> tuple[float, ...]:
    top = max(logits)
    powers = [math.exp(logit - top) for logit in logits]
    return tuple(power / sum(powers) for power in powers)


class Encoder(ABC, Generic[Answer]):
    """Answers with what is made of the vectors. Thread-safe; call `start` before an event loop begins: it makes a
    process."""

    name: str
    file: str

    def __init__(
        self,
        folder: Path,
        *,
        patience: float,
        engine: Callable[[], ProcessEngine] = ProcessEngine,
    ) -> None:
        self._folder = folder
        self._patience = patience
        self._make = engine
        self._engine: ProcessEngine | None = None
        self._failure: str | None = None
        self._deaths = 0
        self._pool = ThreadPoolExecutor(1, self.name)
        self._loading: Future[None] | None = None
        self._running: Future[Answer] | None = None
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

    def read(self, text: str) -> Answer:
        """What is made of the text. Raises Unavailable."""
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

    def close(self) -> None:
        self._failure = self._failure or "the encoder was closed"
        if self._engine:
            self._engine.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # -- what each has of its own, in the worker ---------------------------------------------------------------------

    @abstractmethod
    def _prepare(self) -> str:
        """Read what stands beside the file; returns the file's checksum. Raises Unavailable."""

    @abstractmethod
    def _answer(self, text: str, engine: ProcessEngine) -> Answer:
        """Raises Unavailable, TideError."""

    # -- in the worker -----------------------------------------------------------------------------------------------

    def _load(self, engine: ProcessEngine) -> None:
        try:
            sha256 = self._prepare()
            path = self._folder / self.file
            check(path, sha256)
            engine.load(EngineSpec(path, name=self.name, embedding=True, gpu="off"))
        except Unavailable as error:
            self._fail(str(error))
        except TideError as error:
            self._fail(error.message)

    def _read(self, text: str) -> Answer:
        if self._failure or self._engine is None:
            raise Unavailable(self._failure or "the encoder is not loaded")
        try:
            return self._answer(text, self._engine)
        except (TideError, Unavailable) as error:
            self._died()
            raise Unavailable(error.message if isinstance(error, TideError) else str(error)) from None

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


def read_json(path: Path) -> Any:
    """Raises Unavailable."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unavailable(f"the file {path.name} is missing") from None
    except (OSError, ValueError):
        raise damaged(path) from None


def damaged(path: Path) -> Unavailable:
    return Unavailable(f"the file {path.name} is damaged")


def check(path: Path, sha256: str) -> None:
    """Raises Unavailable unless the file is there and whole."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise Unavailable(f"the file {path.name} is missing") from None
    if found != sha256:
        raise damaged(path)
