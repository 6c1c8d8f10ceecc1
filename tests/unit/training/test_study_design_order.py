"""Laws of the order in which raters see pages and replies: a function of seed and number, whole and balanced."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.study import order
from training.evaluation.study.design import Item, Scenario, Study
from training.evaluation.study.records import REFERENCE

SIZES = st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(1, 2))  # scenarios, blocks, models a block
SEEDS = st.integers(0, 2**32)


def study(scenarios: int, blocks: int, models: int, seed: int = 0) -> Study:
    said = tuple(Scenario(f"s{i}", f"d{i}/0", (f"what was said {i}",)) for i in range(scenarios))
    states = [("zs", f"m{model}") for model in range(models)] + [("ft", f"m{model}") for model in range(models)]
    items = tuple(
        Item(f"{one.name}-{block}-{model}-{state}", one.name, block, f"{model}{block}", state, f"{one.name} {model}")
        for one in said
        for block in range(1, blocks + 1)
        for state, model in [*states, (REFERENCE, REFERENCE)]
    )
    return Study("A study", "", "US", seed, tuple((f"m{b}",) for b in range(blocks)), said, items)


def rated_pages(made: Study, rater: int) -> list[order.Page]:
    return [page for page in order.pages(made, rater) if not page.is_check]


@given(SIZES, SEEDS, st.integers(1, 10_000))
@settings(max_examples=60, deadline=None)
def test_every_reply_is_seen_once_and_one_check(size: tuple[int, int, int], seed: int, rater: int) -> None:
    made = study(*size, seed)
    pages = order.pages(made, rater)
    assert Counter(item for page in pages for item in page.items) == Counter(made.items)
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert sum(page.is_check for page in pages) == 1
    positions = [page.first + i for page in pages for i in range(len(page.items))]
    assert positions == list(range(1, len(made.items) + 1))


@given(SIZES, SEEDS, st.integers(1, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_page_is_one_scenario_and_one_block(size: tuple[int, int, int], seed: int, rater: int) -> None:
    made = study(*size, seed)
    said = {one.name: one.said for one in made.scenarios}
    for page in rated_pages(made, rater):
        assert len({(item.scenario, item.block) for item in page.items}) == 1
        assert page.said == said[page.items[0].scenario]
        assert {item.state for item in page.items} == {"zs", "ft", REFERENCE}


@given(st.tuples(st.integers(2, 7), st.integers(1, 4), st.just(2)), SEEDS, st.integers(1, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_same_words_are_never_on_two_pages_in_a_row(size: tuple[int, int, int], seed: int, rater: int) -> None:
    for before, after in pairwise(rated_pages(study(*size, seed), rater)):
        assert before.said != after.said


@given(SIZES, SEEDS, st.integers(1, 10_000))
@settings(max_examples=30, deadline=None)
def test_the_order_can_be_had_again(size: tuple[int, int, int], seed: int, rater: int) -> None:
    assert order.pages(study(*size, seed), rater) == order.pages(study(*size, seed), rater)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_raters_and_seeds_differ_in_the_papers_design(seed: int) -> None:
    made = study(6, 4, 2, seed)
    orders = {order.pages(made, rater) for rater in range(1, 41)}
    assert len(orders) == 40
    assert order.pages(study(6, 4, 2, seed + 1), 1) not in orders


@given(SIZES, SEEDS, st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_each_reply_takes_each_place_of_its_page_equally_often(
    size: tuple[int, int, int], seed: int, square: int
) -> None:
    made = study(*size, seed)
    a_page = len(made.items) // (len(made.scenarios) * len(made.blocks))
    places: Counter[tuple[str, int]] = Counter()
    for rater in range(1 + square * a_page, 1 + (square + 1) * a_page):
        for page in rated_pages(made, rater):
            places.update((item.id, i) for i, item in enumerate(page.items))
    assert set(places.values()) == {1}
    assert len(places) == len(made.items) * a_page


@given(SIZES, SEEDS, st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_each_scenario_takes_each_place_of_a_round_and_each_block_each_round(
    size: tuple[int, int, int], seed: int, square: int
) -> None:
    made = study(*size, seed)
    scenarios, blocks = len(made.scenarios), len(made.blocks)
    for count, which in ((scenarios, 0), (blocks, 1)):
        seen: Counter[tuple[object, ...]] = Counter()
        for rater in range(1 + square * count, 1 + (square + 1) * count):
            for number, page in enumerate(rated_pages(made, rater)):
                turn, place = divmod(number, scenarios)
                item = page.items[0]
                seen[(item.scenario, turn, place) if which == 0 else (item.scenario, item.block, turn)] += 1
        assert set(seen.values()) == {1}
        assert len(seen) == scenarios * blocks * count


@given(st.sampled_from([2, 4, 6]), SEEDS)
@settings(max_examples=20, deadline=None)
def test_an_even_number_of_scenarios_follow_each_other_equally_often(scenarios: int, seed: int) -> None:
    made = study(scenarios, 1, 2, seed)
    followed = Counter(
        (before.said, after.said)
        for rater in range(1, scenarios + 1)
        for before, after in pairwise(rated_pages(made, rater))
    )
    assert set(followed.values()) == {1}
    assert len(followed) == scenarios * (scenarios - 1)


def test_the_check_is_in_the_middle_third_and_not_always_in_one_place() -> None:
    made = study(6, 4, 2)
    places = {next(page.number for page in order.pages(made, rater) if page.is_check) for rater in range(1, 60)}
    assert len(places) > 3
    assert places <= set(range(9, 18))
    assert str(order.CHECK_ANSWER) in order.Page(1, ()).texts[0]
