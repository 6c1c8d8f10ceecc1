"""Replies of a GGUF file by llama.cpp, in the app's own child process, with the app's renderer and sampler: the model
alone, without router and guard. One at a time, each with a seed of its own.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tide_chat import atomic, paths
from tide_chat.engine.base import Cancel, Engine, EngineInfo, EngineSpec, FinishReason, Usage
from tide_chat.engine.supervisor import Supervisor
from tide_chat.errors import EngineDied, PromptTooLong
from tide_chat.prompt import Renderer, primer
from tide_chat.reasoning import ReasoningFilter
from training.evaluation.auto import energy, writers
from training.evaluation.auto.cache import Written
from training.evaluation.auto.conditions import Condition
from training.evaluation.auto.items import Item
from training.evaluation.auto.writers import Ask

ATTEMPTS = 2  # at a reply in which the engine's process ends


class LlamaWriter:
    """A Writer. words: where the model's template and control tokens are kept, so that prompts need no weights."""

    def __init__(self, condition: Condition, words: Path, threads: int | None = None) -> None:
        self._condition, self._words = condition, words
        self._spec = EngineSpec(
            model=condition.model,
            name=condition.name,
            adapter=condition.adapter,
            context=condition.context,
            threads=threads,
            cache_dir=paths.cache_dir(),
        )
        self._supervisor: Supervisor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._supervisor:
            self._supervisor.close()

    def asks(self, items: Sequence[Item], seed: int) -> list[Ask]:
        return writers.asks(self._condition, self._renderer(), items, seed)

    def write(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, Written]]:
        meter = energy.Meter()
        for ask in asks:
            yield ask, written(self._engine(), ask, meter)

    def about(self) -> dict[str, Any]:
        if not self._supervisor:
            return {}
        info = self._supervisor.info()
        kept = ("architecture", "description", "parameters", "context_size", "device", "gpu_layers", "threads", "build")
        return {name: getattr(info, name) for name in kept}

    def _engine(self) -> Supervisor:
        if self._supervisor is None:
            self._supervisor = Supervisor(prime=primer(lambda: self._condition.system))
            self._supervisor.load(self._spec)
        return self._supervisor

    def _renderer(self) -> Renderer:
        """From what was kept of an earlier look at this model, else from the model."""
        try:
            known = json.loads(self._words.read_text(encoding="utf-8"))
            return Renderer(known.pop("template"), **known)
        except (OSError, ValueError, TypeError, KeyError):
            info = self._engine().info()
            atomic.write_text(self._words, json.dumps(_words(info), ensure_ascii=False))
            return Renderer.of(info)


def _words(info: EngineInfo) -> dict[str, Any]:
    found = {"template": info.chat_template, "bos": info.bos, "eos": info.eos}
    return found | {"control_tokens": info.control_tokens}


def written(engine: Engine, ask: Ask, meter: energy.Meter) -> Written:
    """What the model answers; finish "error" where the prompt is too long.

    Raises EngineDied when the process ends each time.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _generated(engine, ask, meter)
        except PromptTooLong:
            return Written("", FinishReason.ERROR)
        except EngineDied:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


def _generated(engine: Engine, ask: Ask, meter: energy.Meter) -> Written:
    reasoning, usage, finish, text = ReasoningFilter(inside=ask.thinks), Usage(), FinishReason.STOP, ""
    meter.used()
    began = time.perf_counter()
    for chunk in engine.generate(ask.prompt, ask.params, Cancel()):
        text += reasoning.feed(chunk.text)
        usage, finish = chunk.usage or usage, chunk.finish_reason or finish
    seconds = time.perf_counter() - began
    return Written(
        (text + reasoning.flush()).strip(),
        finish,
        prompt_tokens=usage.prompt_tokens,
        tokens=usage.completion_tokens,
        first_token_s=round(usage.ttft_s, 4),
        seconds=round(seconds, 4),
        joules=meter.used(),
    )
