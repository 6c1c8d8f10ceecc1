"""What a generator offers, and what it is asked. There are three: `llama`, `batches` (transformers), `through_app`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Protocol, Self

from tide_chat.engine.base import Prompt, SamplingParams
from tide_chat.prompt import Renderer
from tide_chat.turn import THINKING_TOKENS
from training.evaluation.auto import beside
from training.evaluation.auto.cache import Written
from training.evaluation.auto.conditions import Condition
from training.evaluation.auto.items import Item


@dataclass(frozen=True, slots=True)
class Ask:
    """One reply to write. thinks: the prompt has opened a block of reasoning, which is no part of the reply."""

    item: Item
    prompt: Prompt
    params: SamplingParams  # with its seed
    thinks: bool


class Writer(Protocol):
    """Writes for one condition. Weights are loaded when the first reply is asked for, and not to make prompts."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None: ...

    def asks(self, items: Sequence[Item], seed: int) -> list[Ask]:
        """One for each item, in their order. Raises ModelError."""
        ...

    def write(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, Written]]:
        """In any order. Raises ModelError, EngineError, TideError."""
        ...

    def about(self) -> dict[str, Any]:
        """What runs the model, for run.json: build, device, threads. Empty while nothing was loaded."""
        ...


def asks(condition: Condition, renderer: Renderer, items: Sequence[Item], seed: int) -> list[Ask]:
    """One for each item, with the app's prompt. A model that thinks gets as many tokens for that as in the app."""
    made = []
    notes = beside.notes(items) if condition.guided else ("",) * len(items)
    system = condition.system
    for item, note in zip(items, notes, strict=True):
        prompt = renderer.render(system, item.conversation, note=note)
        thinks = renderer.thinks(prompt)
        tokens = condition.sampling.max_tokens + (THINKING_TOKENS if thinks else 0)
        params = replace(condition.sampling, seed=item.seed(seed), max_tokens=tokens)
        made.append(Ask(item, prompt, params, thinks))
    return made
