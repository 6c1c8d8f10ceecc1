"""Rotary position embeddings as a config describes them, and the factors that a GGUF keeps of them.

Reads both forms of config: `rope_theta` beside `rope_scaling`, and `rope_parameters`, as transformers 5 writes it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tide_chat.errors import DataError

Config = Mapping[str, Any]

_OLD_NAMES = {"su": "longrope"}


@dataclass(frozen=True, slots=True)
class Rope:
    """kind: default, linear, llama3 or longrope. theta: the base of the wavelengths. settings: what the kind needs."""

    kind: str
    theta: float
    settings: Config

    def number(self, key: str) -> float:
        """Raises DataError."""
        value = self.settings.get(key)
        if not isinstance(value, int | float):
            raise DataError("config.json lacks a value.", details=f"{key}, for the rope scaling '{self.kind}'")
        return float(value)

    def numbers(self, key: str, count: int) -> list[float]:
        """A list of that many. Raises DataError."""
        values = self.settings.get(key)
        if not isinstance(values, list) or len(values) != count:
            got = len(values) if isinstance(values, list) else "none"
            raise DataError("The factors of the rope scaling do not fit.", details=f"{key}: {got}, expected {count}.")
        return [float(value) for value in values]


def of(config: Config, known: Sequence[str]) -> Rope:
    """Raises DataError for a kind of scaling that is not among the known ones."""
    settings = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    kind = str(settings.get("rope_type") or settings.get("type") or "default")
    kind = _OLD_NAMES.get(kind, kind)
    if kind not in known:
        raise DataError(f"The rope scaling '{kind}' is not known.", help=f"Known here: {', '.join(known)}.")
    theta = settings.get("rope_theta", config.get("rope_theta"))
    for key in ("original_max_position_embeddings", "partial_rotary_factor"):
        if config.get(key) is not None:
            settings.setdefault(key, config[key])
    return Rope(kind, 10000.0 if theta is None else float(theta), settings)


def llama3_factors(rope: Rope, size: int) -> list[float]:
    """What each of the size / 2 frequencies is divided by: short waves stay, long ones are slowed, between is blended.

    Computed in float32, as torch does. Source: Llama 3.1's scaling, huggingface.co/blog/llama31.
    """
    import numpy

    factor = rope.number("factor")
    low, high = rope.number("low_freq_factor"), rope.number("high_freq_factor")
    context = rope.number("original_max_position_embeddings")
    one = numpy.float32(1)
    exponents = numpy.arange(0, size, 2, dtype=numpy.float32) / numpy.float32(size)
    waves = numpy.float32(2 * math.pi) / (one / numpy.float32(rope.theta) ** exponents)
    factors = []
    for wave in waves:
        if wave < numpy.float32(context / high):
            factors.append(1.0)
        elif wave > numpy.float32(context / low):
            factors.append(factor)
        else:
            blend = (numpy.float32(context) / wave - numpy.float32(low)) / numpy.float32(high - low)
            factors.append(float(one / ((one - blend) / numpy.float32(factor) + blend)))
    return factors


def longrope_attention(rope: Rope, longest: int, original: int) -> float:
    """What attention is scaled by under longrope: sqrt(1 + ln s / ln original), s how far the context was stretched.

    Source: LongRoPE, arXiv:2402.13753, as the models' configs use it; `attention_factor` there goes first.
    """
    given = rope.settings.get("attention_factor")
    if given is not None:
        return float(given)
    stretch = longest / original
    return math.sqrt(1 + math.log(stretch) / math.log(original)) if stretch > 1 else 1.0
