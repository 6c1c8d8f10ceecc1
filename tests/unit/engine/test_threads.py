"""The thread tuner against simulated machines: never 10% slower than the best fixed count, quiet, busy or changing."""

import random
from collections.abc import Callable

import pytest

from tide_chat.engine.threads import ThreadTuner, candidates

Rates = dict[int, float]  # seconds a token, by thread count

# Measured on two cores with SmolLM2 (docs/performance.md): quiet, and with a neighbour on one core.
QUIET: Rates = {1: 0.0215, 2: 0.0133}
BUSY: Rates = {1: 0.0217, 2: 0.0400}
STALLED: Rates = {1: 0.0217, 2: 0.2200}


def run(tuner: ThreadTuner, rates: Callable[[int], Rates], tokens: int, noise: float = 0.08) -> float:
    """Seconds for so many tokens; `rates` tells the machine's state at a token."""
    dice, total = random.Random(1), 0.0
    for token in range(tokens):
        seconds = rates(token)[tuner.pick()] * dice.uniform(1 - noise, 1 + noise)
        tuner.record(seconds)
        total += seconds
    return total


@pytest.mark.parametrize("rates", [QUIET, BUSY, STALLED], ids=["quiet", "busy", "stalled"])
def test_close_to_the_best_fixed_choice(rates: Rates) -> None:
    tuner = ThreadTuner([1, 2])
    run(tuner, lambda _: rates, 6)  # the probe while loading
    assert run(tuner, lambda _: rates, 600) <= 1.10 * min(rates.values()) * 600


@pytest.mark.parametrize(("before", "after"), [(QUIET, STALLED), (QUIET, BUSY), (BUSY, QUIET), (STALLED, QUIET)])
def test_a_change_is_noticed(before: Rates, after: Rates) -> None:
    tuner = ThreadTuner([1, 2])
    run(tuner, lambda _: before, 500)
    settle = run(tuner, lambda _: after, 400)
    assert tuner.current == min(after, key=lambda count: after[count])
    assert settle <= 1.5 * min(after.values()) * 400


def test_eight_cores_find_the_middle() -> None:
    rates = {1: 0.08, 4: 0.02, 7: 0.03, 8: 0.05}
    tuner = ThreadTuner(list(rates))
    run(tuner, lambda _: rates, 100)
    assert tuner.current == 4


def test_one_candidate_is_never_tried_against_itself() -> None:
    tuner = ThreadTuner([3])
    run(tuner, lambda _: {3: 0.01}, 200)
    assert tuner.pick() == tuner.current == 3
    assert not tuner.probing


@pytest.mark.parametrize(("cores", "expected"), [(1, [1]), (2, [1, 2]), (4, [1, 2, 3, 4]), (8, [1, 4, 7, 8])])
def test_candidates(cores: int, expected: list[int]) -> None:
    assert candidates(cores) == expected
