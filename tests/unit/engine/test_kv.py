"""Cache planning: the plan must turn the cache into a prefix of what is wanted, whatever both look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.engine import kv
from tide_chat.errors import PromptTooLong

TOKENS = st.lists(st.integers(0, 5), min_size=1, max_size=120)


def apply(cached: list[int], plan: kv.Reuse) -> list[int]:
    """What the cache holds after a plan was carried out."""
    after = cached[: plan.keep] + cached[plan.keep + plan.cut :]
    return after[: plan.cached]


@given(TOKENS, TOKENS, st.booleans())
def test_a_plan_leaves_a_true_prefix_and_something_to_compute(
    cached: list[int], wanted: list[int], shift: bool
) -> None:
    plan = kv.plan(cached, wanted, can_shift=shift)
    assert apply(cached, plan) == wanted[: plan.cached]
    assert plan.cached < len(wanted)
    assert shift or not plan.cut


def test_the_same_prompt_again_computes_one_token() -> None:
    assert kv.plan(range(100), range(100), can_shift=True).cached == 99


def test_dropping_the_oldest_turn_is_a_cut_and_not_a_new_prefill() -> None:
    system, first, second, new = range(20), range(100, 140), range(200, 240), range(300, 310)
    plan = kv.plan([*system, *first, *second], [*system, *second, *new], can_shift=True)
    assert plan == kv.Reuse(keep=20, cut=40, moved=40)


def test_without_shifting_the_rest_is_computed() -> None:
    plan = kv.plan([*range(20), *range(100, 140), *range(200, 240)], [*range(20), *range(200, 240), 1], can_shift=False)
    assert plan == kv.Reuse(keep=20)


def test_the_oldest_turns_leave_first_and_pinned_spans_never() -> None:
    assert kv.fit([(10, True), (30, False), (30, False), (20, True)], 60) == [True, False, True, True]
    assert kv.fit([(10, True), (30, False), (30, False), (20, True)], 90) == [True] * 4


def test_a_message_too_long_by_itself_is_said_with_numbers() -> None:
    with pytest.raises(PromptTooLong, match="longer than the model can read") as caught:
        kv.fit([(10, True), (30, False), (200, True)], 60)
    assert caught.value.details == "It needs 210 tokens and there is room for 60."
    assert caught.value.help
