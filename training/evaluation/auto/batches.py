"""Replies of an HF folder, with a peft adapter or without, by transformers: many at once, on a GPU where there is one.

Prompts are those of the app's renderer and have the token ids of the app's runtime. Of the time of a batch each of its
replies gets an equal share; a first token's time is not known.
"""

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tide_chat import extras
from tide_chat.engine import kv
from tide_chat.engine.base import FinishReason
from tide_chat.errors import DataError, ModelUnusable, PromptTooLong, TideError
from tide_chat.reasoning import ReasoningFilter
from training import chat_files
from training.evaluation.auto import energy, writers
from training.evaluation.auto.cache import Written
from training.evaluation.auto.conditions import Condition
from training.evaluation.auto.items import Item
from training.evaluation.auto.writers import Ask

if TYPE_CHECKING:
    import torch

SIZES = {"cpu": 4, "cuda": 64, "mps": 8}  # replies at once; halved where memory does not suffice
AHEAD = 16  # batches whose prompts are sorted by length together


class BatchWriter:
    """A Writer. local: number of this process on its machine, for the GPU it takes."""

    def __init__(self, condition: Condition, local: int = 0, size: int | None = None) -> None:
        extras.require("Generating with transformers", "train")
        self._condition, self._local, self._size = condition, local, size
        self._files = chat_files.load(condition.model)
        self._model: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._model = None

    def asks(self, items: Sequence[Item], seed: int) -> list[Ask]:
        return writers.asks(self._condition, self._files.renderer, items, seed)

    def write(self, asks: Sequence[Ask]) -> Iterator[tuple[Ask, Written]]:
        self._load()
        ready: list[tuple[Ask, list[int]]] = []
        for ask in asks:
            try:
                ready.append((ask, self._ids(ask)))
            except PromptTooLong:
                yield ask, Written("", FinishReason.ERROR)
        step = AHEAD * self._size_now()
        for start in range(0, len(ready), step):
            yield from self._batches(sorted(ready[start : start + step], key=lambda one: len(one[1])))

    def about(self) -> dict[str, Any]:
        if self._model is None:
            return {}
        from training.sft import devices

        return {"device": devices.describe(self._model.device), "dtype": str(self._model.dtype), "batch": self._size}

    def _size_now(self) -> int:
        self._size = self._size or SIZES[self._model.device.type]
        return self._size

    def _batches(self, ready: "list[tuple[Ask, list[int]]]") -> Iterator[tuple[Ask, Written]]:
        import torch

        meter = energy.Meter()
        while ready:
            part = ready[: self._size_now()]
            try:
                made = self._batch(part, meter)
            except torch.OutOfMemoryError as error:
                if self._size == 1:
                    raise TideError("There is not enough memory for one reply.", details=str(error)) from error
                self._size = max(1, self._size_now() // 2)
                torch.cuda.empty_cache()
                continue
            yield from zip((ask for ask, _ in part), made, strict=True)
            ready = ready[len(part) :]

    def _batch(self, part: "Sequence[tuple[Ask, list[int]]]", meter: energy.Meter) -> list[Written]:
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        from training.evaluation.auto.sampling import Draw

        ids, mask = _padded([ids for _, ids in part], self._model.device)
        wanted = [ask.params for ask, _ in part]
        stops = sorted(self._files.stops)
        most = max(one.max_tokens for one in wanted)
        config = GenerationConfig(max_new_tokens=most, do_sample=False, eos_token_id=stops, pad_token_id=stops[0])
        meter.used()
        began = time.perf_counter()
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=config,
                logits_processor=LogitsProcessorList([Draw(wanted, ids.shape[1])]),
            )
        written = out[:, ids.shape[1] :].tolist()
        seconds, joules = time.perf_counter() - began, meter.used()
        share = round(seconds / len(part), 4), None if joules is None else joules / len(part)
        return [self._written(ask, len(ids), row, *share) for (ask, ids), row in zip(part, written, strict=True)]

    def _written(self, ask: Ask, asked: int, row: list[int], seconds: float, joules: float | None) -> Written:
        end = next((i for i, token in enumerate(row) if token in self._files.stops), None)
        ids = row[: ask.params.max_tokens] if end is None else row[:end]
        reasoning = ReasoningFilter(inside=ask.thinks)
        text = reasoning.feed(str(self._files.tokenizer.decode(ids, skip_special_tokens=True))) + reasoning.flush()
        finish = FinishReason.LENGTH if end is None else FinishReason.STOP
        return Written(text.strip(), finish, asked, len(ids), 0.0, seconds, joules)

    def _ids(self, ask: Ask) -> list[int]:
        """As the app's engine makes them: span by span, the oldest left out where there is no room."""
        spans = [self._files.tokenizer.encode(one.text, add_special_tokens=False).ids for one in ask.prompt.spans]
        first = list(self._files.first)
        if spans[0][: len(first)] != first:
            spans[0] = first + spans[0]
        sizes = [(len(ids), span.pinned) for ids, span in zip(spans, ask.prompt.spans, strict=True)]
        stay = kv.fit(sizes, self._condition.context - ask.params.max_tokens - 1)
        return [token for kept, ids in zip(stay, spans, strict=True) if kept for token in ids]

    def _load(self) -> None:
        """Raises ModelUnusable, DataError."""
        if self._model is None:
            self._model = _loaded(self._condition, self._local)
            if not self._files.stops:
                raise ModelUnusable("The model does not say at which token a reply ends.", details=self._condition.name)


def _loaded(condition: Condition, local: int) -> Any:
    from transformers import AutoModelForCausalLM

    from training.hushed import hushed
    from training.sft import devices

    device = devices.device_of("auto", devices.Group(local=local))
    dtype = devices.dtype_of("auto", device)
    try:
        with hushed():
            model = AutoModelForCausalLM.from_pretrained(condition.model, dtype=dtype, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelUnusable("The model cannot be loaded.", details=f"{condition.model}: {error}") from error
    if condition.adapter:
        model = _adapted(model, condition)
    return model.to(device).eval()


def _adapted(model: Any, condition: Condition) -> Any:
    from peft import PeftModel

    from training.hushed import hushed

    try:
        with hushed():
            return PeftModel.from_pretrained(model, str(condition.adapter))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise DataError("The adapter does not fit the model.", details=f"{condition.adapter}: {error}") from error


def _padded(rows: Sequence[Sequence[int]], device: "torch.device") -> "tuple[torch.Tensor, torch.Tensor]":
    """ids and mask, (B, T), padded at the left."""
    import torch

    width = max(map(len, rows))
    ids = [[0] * (width - len(row)) + list(row) for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)
