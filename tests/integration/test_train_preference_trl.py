"""The preference loss against TRL's own, on the same log-probabilities, where TRL is installed."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch

from training.preference.loss import dpo

POLICY = torch.tensor([[-9.0, -12.0], [-30.0, -21.0], [-5.5, -5.0]])
REFERENCE = torch.tensor([[-10.0, -11.0], [-28.0, -25.0], [-5.5, -6.0]])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("beta", [0.05, 0.3])
def test_as_trl_computes_it(beta: float) -> None:
    trainer = pytest.importorskip("trl.trainer.dpo_trainer").DPOTrainer
    losses, margins = dpo(POLICY, REFERENCE, beta)
    loss, metrics = _theirs(trainer, beta)
    assert float(losses.mean()) == pytest.approx(loss, rel=1e-6)
    assert float(margins.mean()) == pytest.approx(metrics["rewards/margins"][0], rel=1e-5)
    assert float((margins > 0).float().mean()) == pytest.approx(metrics["rewards/accuracies"][0])


def _theirs(trainer: Any, beta: float) -> tuple[float, Any]:
    """What its method makes of a model that gives these log-probabilities for replies of one token."""
    rows, count = POLICY.T.reshape(-1, 1), 2 * len(POLICY)  # the better replies, then the worse ones
    ones = torch.ones(count, 1)
    outputs = SimpleNamespace(log_probs=rows, entropy=ones, mean_logits=ones, is_top1=ones.bool())
    itself = MagicMock(
        aux_loss_enabled=False,
        ld_alpha=None,
        precompute_ref_logps=True,
        f_divergence_type="reverse_kl",
        loss_types=["sigmoid"],
        loss_weights=[1.0],
        beta=beta,
        use_weighting=False,
        _tp_size=1,
        _total_train_tokens=0,
        _metrics={"train": defaultdict(list)},
    )
    itself.accelerator.device = "cpu"
    itself.accelerator.gather = itself.accelerator.gather_for_metrics = lambda value: value
    inputs = {
        "input_ids": torch.ones(count, 2, dtype=torch.long),
        "attention_mask": torch.ones(count, 2, dtype=torch.long),
        "completion_mask": torch.tensor([[0, 1]] * count),
        "ref_chosen_logps": REFERENCE[:, 0],
        "ref_rejected_logps": REFERENCE[:, 1],
    }
    return float(trainer._compute_loss(itself, lambda **_: outputs, inputs, False)), itself._metrics["train"]
