"""Rope scaling as configs describe it."""

import math
from typing import Any

import pytest

from convert import rope
from tide_chat.errors import DataError

LLAMA3 = {
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}


@pytest.mark.parametrize(
    "config",
    [
        {"rope_theta": 5e5, "rope_scaling": LLAMA3 | {"rope_type": "llama3"}},
        {"rope_theta": 5e5, "rope_scaling": LLAMA3 | {"type": "llama3"}},
        {"rope_parameters": LLAMA3 | {"rope_type": "llama3", "rope_theta": 5e5}},
    ],
)
def test_all_forms_of_config_mean_the_same(config: dict[str, Any]) -> None:
    found = rope.of(config, ("default", "llama3"))
    assert (found.kind, found.theta) == ("llama3", 5e5)
    assert {key: found.number(key) for key in LLAMA3} == LLAMA3


@pytest.mark.parametrize("config", [{}, {"rope_scaling": None}, {"rope_theta": 10000}])
def test_without_scaling_it_is_the_default(config: dict[str, Any]) -> None:
    assert rope.of(config, ("default",)).kind == "default"
    assert rope.of(config, ("default",)).theta == 10000.0


def test_a_setting_beside_the_scaling_counts_too() -> None:
    config = {"original_max_position_embeddings": 4096, "rope_scaling": {"type": "su"}}
    found = rope.of(config, ("longrope",))
    assert found.kind == "longrope"
    assert found.number("original_max_position_embeddings") == 4096


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DataError, match="'yarn' is not known") as caught:
        rope.of({"rope_scaling": {"type": "yarn", "factor": 4.0}}, ("default", "linear"))
    assert caught.value.help == "Known here: default, linear."


def test_a_missing_setting_is_named() -> None:
    found = rope.of({"rope_scaling": {"type": "linear"}}, ("linear",))
    with pytest.raises(DataError, match="factor, for the rope scaling 'linear'"):
        found.number("factor")


def test_llama3_slows_long_waves_only() -> None:
    found = rope.of({"rope_parameters": LLAMA3 | {"rope_type": "llama3", "rope_theta": 5e5}}, ("llama3",))
    factors = rope.llama3_factors(found, 64)
    waves = [2 * math.pi * 5e5 ** (2 * place / 64) for place in range(32)]
    assert len(factors) == 32
    assert factors == sorted(factors)
    for wave, factor in zip(waves, factors, strict=True):
        if wave < 8192 / 4:
            assert factor == 1.0
        elif wave > 8192:
            assert factor == 32.0
        else:
            blend = (8192 / wave - 1) / 3
            assert factor == pytest.approx(1 / ((1 - blend) / 32 + blend), rel=1e-5)
    assert {1.0, 32.0} < set(factors)


def test_longrope_attention() -> None:
    plain = rope.Rope("longrope", 10000.0, {})
    assert rope.longrope_attention(plain, 131072, 4096) == pytest.approx(1.1902380714238083)
    assert rope.longrope_attention(plain, 4096, 4096) == 1.0
    assert rope.longrope_attention(rope.Rope("longrope", 1e4, {"attention_factor": 1.5}), 131072, 4096) == 1.5


@pytest.mark.parametrize("factors", [None, [1.0] * 7, "1.0"])
def test_factors_must_fit_the_heads(factors: Any) -> None:
    with pytest.raises(DataError, match="do not fit"):
        rope.Rope("longrope", 1e4, {"long_factor": factors}).numbers("long_factor", 8)
