"""The loss of direct preference optimization (Rafailov et al. 2023, arXiv 2305.18290), on log-probabilities alone.

Smoothing is the conservative form (Mitchell 2023): a share of pairs is assumed to be the wrong way round. Knows no
model and no text.
"""

import torch
from torch.nn.functional import logsigmoid


def dpo(
    policy: torch.Tensor, reference: torch.Tensor, beta: float, smoothing: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """(n,) losses and (n,) margins. policy, reference: (n, 2) log-probabilities of the better and the worse reply, sums
    over its tokens. margin: beta times how much more the policy prefers the better one than the reference does.
    """
    gained = policy - reference
    margin = beta * (gained[:, 0] - gained[:, 1])
    return -(1 - smoothing) * logsigmoid(margin) - smoothing * logsigmoid(-margin), margin
