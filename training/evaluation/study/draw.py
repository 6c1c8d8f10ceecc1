"""From replies to what raters see: one dialogue a scenario, drawn by seed, and a reply for every cell of the design.

Knows no file of replies, no rater and no page.
"""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tide_chat.errors import DataError, UsageError
from training.evaluation import replies
from training.evaluation.replies import Reply
from training.evaluation.study.design import Item, Scenario
from training.evaluation.study.records import REFERENCE

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """scenarios: empty means all that the replies have. chosen: scenario to item, where the seed shall not decide."""

    blocks: tuple[tuple[str, ...], ...]
    scenarios: tuple[str, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    scenarios: tuple[Scenario, ...]
    items: tuple[Item, ...]


class _Cells:
    """What the wanted models answered, by scenario."""

    def __init__(self, answered: Sequence[Reply], wanted: Wanted) -> None:
        models = {model for block in wanted.blocks for model in block}
        if unknown := sorted(models - {reply.model for reply in answered}):
            there = ", ".join(sorted({reply.model for reply in answered})) or "none"
            raise DataError("No reply is by this model.", details=", ".join(unknown), help=f"There are: {there}")
        self.conditions = [(m, state) for block in wanted.blocks for m in block for state in replies.STATES]
        self.by_condition = replies.by_condition(reply for reply in answered if reply.model in models)
        self.by_item: dict[str, list[Reply]] = {}
        for items in self.by_condition.values():
            for item, reply in items.items():
                self.by_item.setdefault(item, []).append(reply)

    def items_of(self, scenario: str) -> list[str]:
        return sorted(item for item, found in self.by_item.items() if found[0].scenario == scenario)

    def missing(self, item: str) -> list[str]:
        """Which cells this dialogue cannot fill. An empty reply cannot be rated."""
        absent = []
        for model, state in self.conditions:
            reply = self.by_condition.get((model, state), {}).get(item)
            if reply is None:
                absent.append(f"{model} {state} has no reply to {item}")
            elif not reply.text.strip():
                absent.append(f"{model} {state} has an empty reply to {item}")
        return absent


def draw(answered: Sequence[Reply], wanted: Wanted) -> Drawn:
    """Raises DataError that names each missing cell, UsageError when a model is compared twice."""
    models = [model for block in wanted.blocks for model in block]
    if doubled := sorted({model for model in models if models.count(model) > 1}):
        raise UsageError("A model is in the design twice.", details=", ".join(doubled))
    cells = _Cells(answered, wanted)
    names = wanted.scenarios or tuple(sorted({found[0].scenario for found in cells.by_item.values()} - {""}))
    if not names:
        raise DataError("No reply says which scenario it is in.", help="The field `scenario` is empty everywhere.")
    if other := sorted(set(wanted.chosen) - set(names)):
        raise DataError("A dialogue is chosen for a scenario that is not in the design.", details=", ".join(other))
    scenarios = tuple(_scenario(cells, name, wanted) for name in names)
    items = tuple(item for number, one in enumerate(scenarios, 1) for item in _items(cells, number, one, wanted.blocks))
    return Drawn(scenarios, items)


def telltales(items: Iterable[Item]) -> list[Item]:
    """Replies that say the name of a model's family: raters would see who wrote them."""
    items = tuple(items)
    families = {found[0] for item in items if (found := re.findall(r"[a-z]{3,}", item.model.lower()))} - {REFERENCE}
    names = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(families)))})", re.IGNORECASE)
    return [item for item in items if families and names.search(item.text)]


def _scenario(cells: _Cells, name: str, wanted: Wanted) -> Scenario:
    chosen = wanted.chosen.get(name)
    item = chosen if chosen is not None else _drawn(cells, name, wanted.seed)
    if item not in cells.by_item:
        raise DataError("A chosen dialogue is not there.", details=f"{name}: {item}")
    if missing := cells.missing(item):
        raise DataError("The design has empty cells.", details=_listed(f"{name}: {one}" for one in missing))
    found = cells.by_item[item]
    if len({(reply.said, reply.reference) for reply in found}) != 1 or not found[0].reference.strip():
        raise DataError("The files do not agree on a dialogue, or it has no reference.", details=f"{name}: {item}")
    return Scenario(name, item, found[0].said)


def _drawn(cells: _Cells, name: str, seed: int) -> str:
    """By seed among the openings of dialogues that every condition answered; as in the paper nothing goes before."""
    openings = [item for item in cells.items_of(name) if len(cells.by_item[item][0].said) == 1]
    if not openings:
        there = ", ".join(sorted({found[0].scenario for found in cells.by_item.values()}))
        raise DataError("A scenario has no dialogue.", details=name, help=f"There are: {there}")
    whole = [item for item in openings if not cells.missing(item)]
    if not whole:
        nearest = min(openings, key=lambda item: len(cells.missing(item)))
        raise DataError(
            "The design has empty cells: no dialogue of a scenario was answered by all.",
            details=_listed(f"{name}: {one}" for one in cells.missing(nearest)),
            help=f"These are of {nearest}, where the fewest are missing; {len(openings)} dialogues were looked at.",
        )
    return random.Random(f"{seed}:dialogue:{name}").choice(whole)


def _items(cells: _Cells, number: int, scenario: Scenario, blocks: Sequence[Sequence[str]]) -> Iterable[Item]:
    for block, models in enumerate(blocks, 1):
        for letter, model in zip("ab", models, strict=False):
            for state in replies.STATES:
                text = cells.by_condition[model, state][scenario.item].text.strip()
                yield Item(f"s{number}-b{block}-{letter}-{state}", scenario.name, block, model, state, text)
        reference = cells.by_item[scenario.item][0].reference.strip()
        yield Item(f"s{number}-b{block}-{REFERENCE}", scenario.name, block, REFERENCE, REFERENCE, reference)


def _listed(lines: Iterable[str]) -> str:
    lines = list(lines)
    more = f"\nand {len(lines) - _MOST_NAMED} more" if len(lines) > _MOST_NAMED else ""
    return "\n".join(lines[:_MOST_NAMED]) + more
