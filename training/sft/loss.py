"""The loss of a batch, computed where the mask is and nowhere else.

Two savings, both exact. What all sequences begin with (the system prompt) is computed once and its keys and values are
shared, gradients included. And the output matrix, the largest of a small model, is applied to the positions whose next
token is learnt; since it is frozen, the gradient of its input is computed together with the loss, chunk by chunk, so
that the logits of a batch never exist at once. With dropout, sequences share the prefix's noise.
"""

import inspect
import math
from typing import Any

import torch
from torch import nn

from tide_chat.errors import ModelUnusable
from training.sft.batches import Batch

CHUNK = 1 << 26  # logits that exist at once
AGREES = 2e-3  # relative difference allowed between our loss and the model's own in float32
AGREES_HALF = 3e-2  # the same in bfloat16
KNOWN = "Known: qwen2, llama, phi3, granitemoe."


class FrozenHeadLoss(torch.autograd.Function):  # type: ignore[misc]
    """(m,) cross entropies. states (m, width), weight (vocabulary, width), wanted (m,)."""

    @staticmethod
    def forward(
        ctx: Any, states: torch.Tensor, weight: torch.Tensor, wanted: torch.Tensor, scale: float
    ) -> torch.Tensor:
        losses = torch.empty(len(states), dtype=torch.float32, device=states.device)
        gradient = torch.empty_like(states)
        rows = max(1, CHUNK // weight.shape[0])
        for start in range(0, len(states), rows):
            part, target = states[start : start + rows], wanted[start : start + rows, None]
            logits = (part.to(weight.dtype) @ weight.T).float() * scale  # (rows, vocabulary)
            log_sum = logits.logsumexp(-1, keepdim=True)
            losses[start : start + rows] = (log_sum - logits.gather(1, target))[:, 0]
            chance = logits.sub_(log_sum).exp_()
            chance.scatter_add_(1, target, -torch.ones_like(log_sum))
            gradient[start : start + rows] = (chance.to(weight.dtype) @ weight) * scale
        ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return (gradient * outer[0][:, None].to(gradient.dtype), None, None, None)


class Loss:
    """For one model, with or without an adapter in its layers. dtype: that of computing."""

    def __init__(self, model: Any, dtype: torch.dtype) -> None:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self.decoder, self.head = base.get_decoder(), _head(base)
        self.base, self.dtype = base, dtype
        self.scale = 1.0 / float(getattr(base.config, "logits_scaling", 1.0))
        self.device = self.head.weight.device
        known = inspect.signature(self.decoder.forward).parameters
        self._cache_name = "cache" if "cache" in known else "past_key_values"
        self._sharded = hasattr(self.decoder, "unshard")  # FSDP's; its module takes a second to import

    def __call__(self, batch: Batch) -> tuple[torch.Tensor, int]:
        """(sum of the losses of all targets, how many there are)."""
        losses, _ = self.each(batch)
        return losses.sum(), len(losses)

    def each(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """(m,) the loss of each target, sequence by sequence; and (b, t - 1) where they stand, m of them."""
        ids = torch.from_numpy(batch.ids).to(self.device)
        mask = torch.from_numpy(batch.mask).to(self.device)
        states = self._states(ids, torch.from_numpy(batch.prefix).to(self.device))  # (b, t, width)
        mask = mask[:, 1:]
        losses: torch.Tensor = FrozenHeadLoss.apply(
            states[:, :-1][mask], self.head.weight, ids[:, 1:][mask], self.scale
        )
        return losses, mask

    def _autocast(self) -> Any:
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def read(self, ids: torch.Tensor, cache: Any = None) -> torch.Tensor:
        """Hidden states (b, t, width) of ids (b, t), which go on from what `cache` holds and are added to it."""
        more = {} if cache is None else {self._cache_name: cache}
        with self._autocast():
            states: torch.Tensor = self.decoder(input_ids=ids, use_cache=bool(more), **more).last_hidden_state
        return states

    def _states(self, ids: torch.Tensor, prefix: torch.Tensor) -> torch.Tensor:
        if not len(prefix):
            return self.read(ids)
        from transformers import DynamicCache

        cache = DynamicCache(config=self.base.config)
        before = self.read(prefix[None], cache)
        cache.batch_repeat_interleave(len(ids))
        states = self.read(ids, cache)
        # A layer is fetched again when the gradient of its output comes; that of the prefix's last output never would.
        return states + 0 * before.sum() if self._sharded else states

    def verify(self, batch: Batch) -> None:
        """Compare with the model's own loss on a batch. Raises ModelUnusable when they differ or are no numbers."""
        with torch.no_grad():
            wanted, got = self._both_ways(batch)
        half = self.dtype != torch.float32
        if not math.isfinite(wanted):
            raise ModelUnusable(
                "The base model's loss is not a number before the first step.",
                details=f"Its own loss on a sequence is {wanted}.",
                help="Its weights are broken" + (", or it needs --set training.precision=float32." if half else "."),
            )
        limit = AGREES_HALF if half else AGREES
        if not abs(got - wanted) <= limit * max(1.0, abs(wanted)):
            raise ModelUnusable(
                "This model computes its output in a way that is not known here.",
                details=f"Its own loss on a sequence is {wanted:.5f}, ours {got:.5f}.",
                help=KNOWN,
            )

    def _both_ways(self, batch: Batch) -> tuple[float, float]:
        """(the model's own loss, ours) of the first sequence."""
        training = self.base.training
        self.base.eval()
        whole = torch.cat([torch.from_numpy(batch.prefix), torch.from_numpy(batch.ids[0])]).to(self.device)
        keep = torch.cat([torch.zeros(len(batch.prefix), dtype=torch.bool), torch.from_numpy(batch.mask[0])])
        with self._autocast():
            logits = self.base(input_ids=whole[None]).logits[0].float()
        keep = keep.to(self.device)[1:]
        wanted = float(nn.functional.cross_entropy(logits[:-1][keep], whole[1:][keep], reduction="sum"))
        got = float(self(Batch(batch.prefix, batch.ids[:1], batch.mask[:1]))[0])
        self.base.train(training)
        return wanted, got


def _head(base: Any) -> nn.Linear:
    """The output matrix. Raises ModelUnusable."""
    head = base.get_output_embeddings()
    if isinstance(head, nn.Linear) and head.bias is None and not head.weight.requires_grad:
        return head
    adapted = type(head).__module__.startswith("peft")
    raise ModelUnusable(
        "This model's output layer cannot be trained around.",
        details="It has an adapter." if adapted else f"A {base.config.model_type} model is of another kind.",
        help="Leave lm_head out of lora.targets." if adapted else KNOWN,
    )
