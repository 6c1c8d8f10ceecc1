"""Weights are rounded in training as the file holds them."""

import gguf
import pytest
import torch
from torch import nn

from training.risk import rounding


@pytest.mark.parametrize("scale", [1e-6, 0.02, 3.0])
def test_as_the_file_holds_them(scale: float) -> None:
    weight = torch.randn(64, 384, generator=torch.Generator().manual_seed(5)) * scale
    weight[3] = 0
    weight[4, :32] = torch.tensor([1.0, -1.0] * 16) * scale
    packed = gguf.quants.quantize(weight.numpy(), gguf.GGMLQuantizationType.Q4_0)
    wanted = torch.from_numpy(gguf.quants.dequantize(packed, gguf.GGMLQuantizationType.Q4_0))
    assert torch.equal(rounding.q4_0(weight), wanted)


def test_rounding_twice_is_rounding_once() -> None:
    once = rounding.q4_0(torch.randn(16, 64, generator=torch.Generator().manual_seed(6)))
    assert torch.equal(rounding.q4_0(once), once)


def test_a_layer_computes_rounded_and_learns_exactly() -> None:
    torch.manual_seed(7)
    model = nn.Sequential(nn.Linear(64, 32), nn.LayerNorm(32))
    exact = model[0].weight.detach().clone()
    rounding.apply(model)
    given = torch.randn(2, 64)
    assert torch.equal(model[0](given), nn.functional.linear(given, rounding.q4_0(exact), model[0].bias))
    model[0](given).sum().backward()
    original = model[0].parametrizations.weight.original
    assert original.grad is not None
    assert torch.allclose(original.grad, given.sum(0).expand(32, 64))
    rounding.keep(model)
    assert set(model.state_dict()) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert torch.equal(model[0].weight, rounding.q4_0(exact))
