"""Drawing tokens for a batch as the app's engine draws them for one: the same steps in the same order, a seed a row.

Noise is added to what is left of the logits and the largest is taken (Gumbel-max), which is drawing by their chances.
So a row's reply does not depend on what else is in its batch, beyond the last bits of the sums. The random numbers are
others than llama.cpp's: with equal seeds the two engines write different replies. Knows no model.
"""

from collections.abc import Sequence

import torch

from tide_chat.engine.base import SamplingParams

_NONE = float("-inf")


class Draw:
    """A LogitsProcessor of transformers, for greedy search. start: tokens of the padded prompt."""

    def __init__(self, params: Sequence[SamplingParams], start: int) -> None:
        self._params, self._start = params, start
        self._sources = [torch.Generator().manual_seed(one.seed or 0) for one in params]

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """ids (B, T), scores (B, V): the next scores, of which the largest is the token drawn."""
        rows = zip(ids[:, self._start :], scores.float(), self._params, self._sources, strict=True)
        return torch.stack([_row(*row) for row in rows])


def _row(written: torch.Tensor, scores: torch.Tensor, params: SamplingParams, source: torch.Generator) -> torch.Tensor:
    scores = penalised(scores, written, params)
    if params.temperature <= 0:
        return scores
    scores = kept(scores, params) / params.temperature
    chances = torch.rand(scores.shape, generator=source, dtype=torch.float64).clamp(min=1e-30)
    return scores + (-torch.log(-torch.log(chances))).to(scores.device, scores.dtype)


def penalised(scores: torch.Tensor, written: torch.Tensor, params: SamplingParams) -> torch.Tensor:
    """What the reply has said lately becomes less likely; the prompt does not count. scores (V,), written (T,)."""
    recent = written[-params.repeat_last_n :].unique() if params.repeat_last_n else written[:0]
    if params.repeat_penalty == 1.0 or not len(recent):
        return scores
    found = scores[recent]
    lowered = torch.where(found > 0, found / params.repeat_penalty, found * params.repeat_penalty)
    return scores.index_copy(0, recent, lowered)


def kept(scores: torch.Tensor, params: SamplingParams) -> torch.Tensor:
    """The scores that may be drawn, the others -inf: top k, of these top p, of these min p. scores (V,)."""
    ordered, order = scores.sort(descending=True)
    if params.top_k:
        ordered = ordered.masked_fill(torch.arange(len(ordered), device=scores.device) >= params.top_k, _NONE)
    chances = ordered.softmax(0)
    if params.top_p < 1:
        ordered = ordered.masked_fill(chances.cumsum(0) - chances >= params.top_p, _NONE)
    ordered = ordered.masked_fill(chances < params.min_p * chances[0], _NONE)
    return torch.full_like(scores, _NONE).index_copy(0, order, ordered)
