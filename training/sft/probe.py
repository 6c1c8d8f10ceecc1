"""What a position costs in a layer, and a learnt token in the output layer: found out by training two layers once.

The layers are the model's in every size, with zeros for weights, so that nothing has to be loaded. What other programs
take of the machine at that moment is in the time. Knows no steps and no epochs.
"""

import copy
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training.hushed import hushed
from training.recipe import Recipe
from training.render import Example
from training.sft import adapter, batches
from training.sft.loss import FrozenHeadLoss, Loss

LAYERS = 2
WORK = 5e10  # floating point operations of a trial, about: a second of two cores


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one layer for each position, forward and backward, and of the output layer for each learnt token.

    kept: bytes of activations that wait for the backward pass.
    """

    layer_seconds: float
    head_seconds: float
    kept: float


def run(
    recipe: Recipe, config: Any, examples: Sequence[Example], prefix: int, device: torch.device, dtype: torch.dtype
) -> Cost:
    """examples: of the longest pass, the shortest first; on a processor as many are read as the trial has time for."""
    model = _small(recipe, config, device, dtype)
    loss = Loss(model, dtype)
    # What only the first pass takes is not counted: on a card that is kernels for just these shapes, and a small pass
    # there takes as long as a large one.
    card = device.type != "cpu"
    batch = batches.stacked(examples if card else _affordable(model, examples, prefix), prefix)
    _once(loss, batch if card else batches.stacked(examples[:1], prefix))
    with _counted(model) as kept:
        spent = _once(loss, batch)
    targets = int(batch.mask[:, 1:].sum())
    head = _head(loss, targets)
    layers = max(spent - head, 0.0) / LAYERS
    return Cost(layers / batch.computed, head / targets, kept[0] / LAYERS / batch.computed)


def _small(recipe: Recipe, config: Any, device: torch.device, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForCausalLM

    config = copy.deepcopy(config)
    config.num_hidden_layers = LAYERS
    config.__dict__.pop("quantization_config", None)
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:LAYERS]
    with hushed(), torch.device("meta"):
        model = adapter.attach(
            AutoModelForCausalLM.from_config(config, dtype=dtype), Path(config._name_or_path), recipe
        )
    model = model.to_empty(device=device)
    with torch.no_grad():
        for value in (*model.parameters(), *model.buffers()):
            value.zero_()
    return model


def _affordable(model: Any, examples: Sequence[Example], prefix: int) -> Sequence[Example]:
    wide = sum(value.numel() for name, value in model.named_parameters() if ".layers." in name)
    positions = WORK / (6 * wide) - prefix
    longest = len(examples[-1]) - prefix
    return examples[-max(1, min(len(examples), int(positions // longest))) :]


def _once(loss: Loss, batch: batches.Batch) -> float:
    """Seconds of a pass forward and backward."""
    began = _now(loss.device)
    loss(batch)[0].backward()
    return _now(loss.device) - began


def _head(loss: Loss, targets: int) -> float:
    """Seconds of the output layer alone, after a first time on a card."""
    states = torch.zeros(targets, loss.head.weight.shape[1], dtype=loss.dtype, device=loss.device)
    wanted = torch.zeros(targets, dtype=torch.int64, device=loss.device)
    spent = 0.0
    for _ in range(1 if loss.device.type == "cpu" else 2):
        began = _now(loss.device)
        FrozenHeadLoss.apply(states, loss.head.weight, wanted, loss.scale)
        spent = _now(loss.device) - began
    return spent


def _now(device: torch.device) -> float:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()


@contextmanager
def _counted(model: Any) -> Iterator[list[int]]:
    """Bytes that are kept for the backward pass, each storage once, without weights."""
    own = {value.untyped_storage().data_ptr() for value in model.parameters()}
    seen: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    found: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        yield found
    found.append(sum(seen.values()))
