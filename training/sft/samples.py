"""Replies of the model in training to a few fixed messages, so that one can read how it gets on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from training.render import ChatEncoder, Example
from training.sft.loss import Loss


@dataclass(frozen=True, slots=True)
class Sample:
    """said: what the prompt ends with, as text. written: by the model. wanted: the reference."""

    said: str
    written: str
    wanted: str


def sample(loss: Loss, encoder: ChatEncoder, example: Example, limit: int) -> Sample:
    """The last reply of an example, written anew: greedily, `limit` tokens at most."""
    start = last_reply(example)
    ids = example.ids.tolist()
    stops = encoder.files.stops | {encoder.end_id}
    written = _greedy(loss, ids[:start], stops, limit)
    decode: Callable[[list[int]], str] = encoder.files.decode
    asked = ids[:start][-200:]
    return Sample(decode(asked), decode(written), decode(ids[start:]))


def last_reply(example: Example) -> int:
    """Where its last run of learnt tokens begins."""
    mask = example.mask.tolist()
    end = len(mask) - 1 - mask[::-1].index(True)
    return next((i + 1 for i in range(end, -1, -1) if not mask[i]), 0)


def _greedy(loss: Loss, prompt: list[int], stops: frozenset[int], limit: int) -> list[int]:
    from transformers import DynamicCache

    cache: Any = DynamicCache(config=loss.base.config)
    written: list[int] = []
    tokens = prompt
    while len(written) < limit:
        with torch.no_grad():
            states = loss.read(torch.tensor([tokens], device=loss.device), cache)
        token = int((states[0, -1].to(loss.head.weight.dtype) @ loss.head.weight.T).argmax())
        if token in stops:
            break
        written.append(token)
        tokens = [token]
    return written
