"""The contract between the pipeline and whatever generates text. Standard library only; knows no model, no terminal."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class FinishReason(StrEnum):
    STOP = "stop"  # the model ended its turn
    LENGTH = "length"  # max_tokens reached
    CANCELLED = "cancelled"  # the user stopped it
    LOOP = "loop"  # it repeated itself and was ended at the last good sentence
    DIED = "engine_died"  # the engine's process ended in mid-reply
    ERROR = "error"  # generation failed


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a prompt, kept or left out whole. It begins at a control token, so spans tokenise independently."""

    text: str
    pinned: bool = False  # never left out: system text, safety text, the newest message
    messages: int = 0  # how many conversation messages it holds
    private: bool = False  # holds words of the person: its state is never written to the disk


@dataclass(frozen=True, slots=True)
class Prompt:
    """Model input, ready to be tokenised. The first span is the system prefix, whose state may be cached on disk.

    anew: it begins a conversation, so nothing but the prefix is taken from what was computed for another.
    """

    spans: tuple[Span, ...]
    anew: bool = False

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How tokens are picked. Penalties look at the reply only, never at what the user wrote."""

    temperature: float = 0.7  # 0 is greedy
    top_k: int = 40  # 0 is off
    top_p: float = 0.9
    min_p: float = 0.05
    repeat_penalty: float = 1.1  # 1 is off
    repeat_last_n: int = 64  # tokens
    seed: int | None = None  # None: drawn anew, reported in Usage
    max_tokens: int = 256  # 0: only read the prompt
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts in tokens, times in seconds."""

    prompt_tokens: int = 0
    cached_tokens: int = 0  # of the prompt, already in the KV cache
    completion_tokens: int = 0
    ttft_s: float = 0.0  # from the request to the first token
    decode_tps: float = 0.0  # tokens a second after the first
    context_tokens: int = 0  # now in the context
    context_size: int = 0
    dropped_messages: int = 0  # oldest messages the model no longer sees
    seed: int = 0
    threads: int = 0
    prefix_tokens: int = 0  # of the prompt, those of the system prefix


@dataclass(frozen=True, slots=True)
class Chunk:
    """A little text. The last chunk has a finish reason; `usage` comes with the first and the last."""

    text: str
    tokens: int = 0
    finish_reason: FinishReason | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What to load and where."""

    model: Path
    name: str = ""  # what the user calls it
    adapter: Path | None = None
    context: int = 4096  # tokens, at most what the model was trained for
    gpu: str = "auto"  # auto, off, or a number of layers
    threads: int | None = None  # None: probed and adapted
    cache_dir: Path | None = None  # for the system prefix's state; None: not kept
    chat_template: Path | None = None  # replaces the one in the file
    extra_bufts: bool = True  # weights repacked for this CPU; off works around native code that crashes on it
    embedding: bool = False  # an encoder: `embed` only, no generation, nothing kept between calls


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What is loaded. Sizes in bytes, context in tokens."""

    name: str
    path: str
    architecture: str = ""
    description: str = ""
    parameters: int = 0
    size: int = 0
    context_size: int = 0
    train_context: int = 0
    chat_template: str = ""
    bos: str = ""
    eos: str = ""
    control_tokens: tuple[str, ...] = ()
    adapter: str | None = None
    device: str = "CPU"
    gpu_layers: int = 0
    threads: int = 1
    build: str = ""  # llama-cpp-python version and instruction sets
    notes: tuple[str, ...] = field(default=())  # workarounds in force, in plain words


class Cancel:
    """A request to stop, settable from any thread. Listeners are called at once, in the setter's thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def set(self) -> None:
        with self._lock:
            self._event.set()
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds; True when it was set."""
        return self._event.wait(timeout)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when set (at once if it already is). Returns a function that takes it back."""
        with self._lock:
            already = self._event.is_set()
            self._listeners.append(listener)
        if already:
            listener()
        return lambda: self._listeners.remove(listener)


class Engine(Protocol):
    """Generates text. One generation at a time; `generate` blocks, so call it from a worker thread."""

    def load(self, spec: EngineSpec, on_progress: Callable[[float], None] | None = None) -> EngineInfo:
        """Load a model. `on_progress` gets 0..1. Raises ModelError, EngineDied."""
        ...

    def generate(self, prompt: Prompt, params: SamplingParams, cancel: Cancel) -> Iterator[Chunk]:
        """Yield chunks; the last has a finish reason. Raises PromptTooLong, EngineError, EngineDied."""
        ...

    def count_tokens(self, text: str) -> int: ...

    def embed(self, text: str) -> list[float]:
        """Mean-pooled, L2-normalised embedding, shape (model width,)."""
        ...

    def info(self, cancel: Cancel | None = None) -> EngineInfo:
        """What is loaded, once it is: waits for a load under way, unless cancelled. Raises ModelError."""
        ...

    def close(self) -> None: ...
