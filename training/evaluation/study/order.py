"""In which order a rater sees the pages and the replies on them: a function of the saved seed and the rater's number.

Pages come in rounds. In a round each scenario comes once, with another block than in the rounds before, so that the
same words are never on two pages in a row. Balance, over raters who come one after another: each scenario takes each
place of a round equally often, each block each round, each reply each place of its page; scenarios also follow each
other equally often where their number is even (a Williams design). What no square decides is shuffled by the seed.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from training.evaluation.study.design import Item, Scenario, Study

_T = TypeVar("_T")

# The attention check looks like any other page, in the middle third.
CHECK_SAID = "The bus was late again this morning, so I read two chapters on the bench."
CHECK_REPLY = "This reply is here to see whether the pages are being read. Please do not rate it: choose {answer}."
CHECK_ANSWER = 2


@dataclass(frozen=True, slots=True)
class Page:
    """number: from 1. first: the place of its first reply among all. No items: the attention check."""

    number: int
    said: tuple[str, ...]
    items: tuple[Item, ...] = ()
    first: int = 0

    @property
    def is_check(self) -> bool:
        return not self.items

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(item.text for item in self.items) or (CHECK_REPLY.format(answer=CHECK_ANSWER),)


def pages(study: Study, rater: int) -> tuple[Page, ...]:
    """What the rater of this number (from 1) sees, first page first."""
    compared: list[tuple[Scenario, tuple[Item, ...]] | None] = list(_compared(study, rater - 1))
    compared.insert(_check_place(study.seed, rater, len(compared)), None)
    made, first = [], 1
    for number, one in enumerate(compared, 1):
        if one is None:
            made.append(Page(number, (CHECK_SAID,)))
            continue
        scenario, items = one
        made.append(Page(number, scenario.said, items, first))
        first += len(items)
    return tuple(made)


def _compared(study: Study, row: int) -> Iterator[tuple[Scenario, tuple[Item, ...]]]:
    count, blocks = len(study.scenarios), len(study.blocks)
    round_of_scenarios = [study.scenarios[i] for i in _williams(count, row, f"{study.seed}:scenarios")]
    order_of_blocks = {
        one.name: _turned(range(1, blocks + 1), row, f"{study.seed}:blocks:{one.name}") for one in study.scenarios
    }
    for number in range(blocks):
        for scenario in round_of_scenarios:
            block = order_of_blocks[scenario.name][number]
            items = study.compared(scenario.name, block)
            yield scenario, tuple(_turned(items, row, f"{study.seed}:replies:{scenario.name}:{block}"))


def _turned(things: Sequence[_T], row: int, seed: str) -> list[_T]:
    """A row of a Latin square over shuffled things; each square has its own shuffle."""
    square, turn = divmod(row, len(things))
    shuffled = _shuffled(things, f"{seed}:{square}")
    return shuffled[turn:] + shuffled[:turn]


def _williams(count: int, row: int, seed: str) -> list[int]:
    square, turn = divmod(row, count)
    labels = _shuffled(range(count), f"{seed}:{square}")
    zigzag = [(place + 1) // 2 if place % 2 else (count - place // 2) % count for place in range(count)]
    return [labels[(step + turn) % count] for step in zigzag]


def _shuffled(things: Sequence[_T], seed: str) -> list[_T]:
    made = list(things)
    random.Random(seed).shuffle(made)
    return made


def _check_place(seed: int, rater: int, count: int) -> int:
    return random.Random(f"{seed}:check:{rater}").randint(count // 3, 2 * count // 3)
