"""An encoder's matrices as its file will hold them, while it learns: blocks of 32 weights in four bits (Q4_0).

What is learnt is then right for the rounded weights, and so are temperature and thresholds.
"""

import torch
from torch import nn
from torch.nn.utils import parametrize

BLOCK = 32  # weights of a row that share a scale


class Rounded(nn.Module):
    """The weights of a matrix, rounded; gradients pass as if they were not."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        exact = weight.detach()
        return q4_0(exact) + (weight - exact)


def apply(encoder: nn.Module) -> None:
    """From now on each linear layer computes with its weights rounded."""
    for layer in _linear(encoder):
        parametrize.register_parametrization(layer, "weight", Rounded())


def keep(encoder: nn.Module) -> None:
    """The rounded weights take the place of the exact ones. Rounding them once more changes nothing."""
    for layer in _linear(encoder):
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


def q4_0(weight: torch.Tensor) -> torch.Tensor:
    """(rows, columns) to the same shape: what the runtime computes with after Q4_0, its scales in half precision."""
    blocks = weight.reshape(-1, BLOCK)
    widest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    scale = widest / -8
    steps = torch.where(scale == 0, 0, 1 / scale)
    levels = (blocks * steps + 8.5).trunc().clamp(0, 15) - 8
    return (levels * scale.half().float()).reshape(weight.shape)


def _linear(encoder: nn.Module) -> list[nn.Linear]:
    return [layer for layer in encoder.modules() if isinstance(layer, nn.Linear)]
