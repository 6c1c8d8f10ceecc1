"""The loss on log-probabilities alone: against numbers worked out by hand, and its laws."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.preference.loss import dpo

NUMBERS = st.floats(-80, -0.5)
FOUR = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)


def of(
    policy: tuple[float, float], reference: tuple[float, float], beta: float, smoothing: float = 0.0
) -> tuple[float, float]:
    losses, margins = dpo(torch.tensor([policy]).double(), torch.tensor([reference]).double(), beta, smoothing)
    return float(losses[0]), float(margins[0])


def test_by_hand() -> None:
    """The better reply gained 2, the worse lost 1: a margin of 0.5 * 3, and log(1 + e^-1.5) = 0.201413."""
    loss, margin = of((-10.0, -13.0), (-12.0, -12.0), beta=0.5)
    assert margin == pytest.approx(1.5)
    assert loss == pytest.approx(0.2014133, abs=1e-6)
    smoothed, _ = of((-10.0, -13.0), (-12.0, -12.0), beta=0.5, smoothing=0.1)
    assert smoothed == pytest.approx(0.9 * 0.2014133 + 0.1 * 1.7014133, abs=1e-6)


@given(FOUR, st.floats(0.01, 1))
def test_the_reference_itself_is_undecided(values: tuple[float, ...], beta: float) -> None:
    loss, margin = of((values[0], values[1]), (values[0], values[1]), beta)
    assert loss == pytest.approx(math.log(2))
    assert margin == 0


@given(FOUR, st.floats(0.01, 1))
def test_it_falls_as_the_better_reply_gains(values: tuple[float, ...], beta: float) -> None:
    better, worse, *reference = values
    before, _ = of((better, worse), (reference[0], reference[1]), beta)
    after, _ = of((better + 1, worse), (reference[0], reference[1]), beta)
    assert after < before or before < 1e-9
