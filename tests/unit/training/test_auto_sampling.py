"""Drawing in batches: what may be drawn, how often, and that rows do not disturb each other."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tide_chat.engine.base import SamplingParams
from training.evaluation.auto import sampling
from training.evaluation.auto.sampling import Draw

PLAIN = SamplingParams(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0)
LOGITS = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05]))
NOTHING = torch.zeros((1, 0), dtype=torch.long)


def survivors(params: SamplingParams) -> list[int]:
    found: list[int] = torch.isfinite(sampling.kept(LOGITS, params)).nonzero().flatten().tolist()
    return found


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({}, [0, 1, 2, 3]),
        ({"top_k": 2}, [0, 1]),
        ({"top_p": 0.79}, [0, 1]),
        ({"top_p": 0.81}, [0, 1, 2]),
        ({"min_p": 0.2}, [0, 1, 2]),
        ({"top_p": 0.01}, [0]),
        ({"top_k": 3, "min_p": 0.5}, [0, 1]),
    ],
)
def test_what_may_be_drawn(changed: dict[str, float], left: list[int]) -> None:
    assert survivors(replace(PLAIN, **changed)) == left  # type: ignore[arg-type]


@given(
    st.lists(st.floats(-20, 20), min_size=1, max_size=30),
    st.integers(0, 40),
    st.floats(0.01, 1),
    st.floats(0, 0.99),
)
def test_the_likeliest_always_may(values: list[float], top_k: int, top_p: float, min_p: float) -> None:
    scores = torch.tensor(values)
    found = sampling.kept(scores, replace(PLAIN, top_k=top_k, top_p=top_p, min_p=min_p))
    assert found.max() == scores.max()
    assert ((found == scores) | torch.isinf(found)).all()


def test_draws_follow_the_chances() -> None:
    count = 1500
    draw = Draw([replace(PLAIN, seed=n) for n in range(count)], 0)
    drawn = draw(torch.zeros((count, 0), dtype=torch.long), LOGITS.repeat(count, 1)).argmax(1)
    shares = drawn.bincount(minlength=4) / count
    assert torch.allclose(shares, LOGITS.exp(), atol=0.04)


def test_a_row_draws_the_same_alone_and_among_others() -> None:
    params = [replace(PLAIN, seed=n) for n in (3, 4, 5)]
    together, alone = Draw(params, 0), Draw(params[1:2], 0)
    for _ in range(5):
        rows = together(NOTHING.repeat(3, 1), LOGITS.repeat(3, 1)).argmax(1)
        assert rows[1] == alone(NOTHING, LOGITS.repeat(1, 1)).argmax()


def test_no_temperature_is_greedy() -> None:
    draw = Draw([replace(PLAIN, temperature=0, seed=1)], 0)
    assert torch.equal(draw(NOTHING, LOGITS.repeat(1, 1)), LOGITS.repeat(1, 1))


def test_the_penalty_looks_at_the_newest_of_the_reply_only() -> None:
    params = replace(PLAIN, temperature=0, repeat_penalty=2.0, repeat_last_n=2)
    scores = torch.tensor([[2.0, -2.0, 2.0, 2.0]])
    ids = torch.tensor([[2, 3, 0, 1]])  # the prompt is 2; of the reply 3 is too long ago
    assert Draw([params], 1)(ids, scores).tolist() == [[1.0, -4.0, 2.0, 2.0]]


@settings(max_examples=20)
@given(st.floats(1, 2), st.integers(1, 5))
def test_the_penalty_never_makes_a_token_likelier(penalty: float, last: int) -> None:
    scores = torch.tensor([1.0, -1.0, 0.0])
    written = torch.tensor([0, 1, 2, 1])
    found = sampling.penalised(scores, written, replace(PLAIN, repeat_penalty=penalty, repeat_last_n=last))
    assert (found <= scores).all()
