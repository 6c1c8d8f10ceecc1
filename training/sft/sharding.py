"""The frozen base in pieces: each process keeps a share of every layer and borrows the rest while the layer computes.

PyTorch's FSDP2 moves the weights. The adapter, the embeddings and the output matrix stay whole on every process, so
gradients, optimizer and files are those of an unsharded run. Knows no data and no loop.
"""

from typing import Any

import torch

from tide_chat.errors import ModelUnusable
from training.sft.devices import Group


def shard(model: Any, group: Group, device: torch.device) -> None:
    """Share out the layers of a model on the CPU, layer by layer, and bring what stays whole to the device.

    model: with its adapter, whose parameters alone want a gradient. Raises ModelUnusable.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    decoder = model.get_base_model().get_decoder()
    layers = getattr(decoder, "layers", None)
    if not layers:
        raise ModelUnusable("This model's layers cannot be shared out.", details=type(decoder).__name__)
    mesh = init_device_mesh(device.type, (group.world,))
    for layer in layers:
        whole = {value for value in layer.parameters() if value.requires_grad}
        fully_shard(layer, mesh=mesh, reshard_after_forward=True, ignored_params=whole)
    fully_shard(decoder, mesh=mesh, ignored_params=set(model.parameters()))  # the root, which fetches a layer ahead
    model.to(device)
