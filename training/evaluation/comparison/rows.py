"""Zero-shot against fine-tuned, model by model and metric by metric, from replies and their scores. No computing of
metrics, no files.

A difference is always of the same items. Dialogues of one persona are not independent: intervals draw whole personas,
or dialogues where no persona is named. Wilcoxon's test does take items as independent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from training.data.families import families, family_of
from training.evaluation import statistics
from training.evaluation.replies import FINE_TUNED, ZERO_SHOT, Reply, by_condition
from training.evaluation.statistics import Paired, Summary

Scores = Mapping[str, Sequence[float]]  # metric to one value a reply, in the order of the replies
ALL, NO_FAMILY = "all", "none of the six"
_PARTS = 3  # of the user's texts by length


@dataclass(frozen=True, slots=True)
class Row:
    """One model in one metric. paired: None when only one of the states is there. holm: over the rows of a metric."""

    metric: str
    model: str
    group: str
    zero_shot: Summary
    fine_tuned: Summary
    paired: Paired | None
    holm: float | None = None

    @property
    def n(self) -> int:
        return max(self.zero_shot.n, self.fine_tuned.n)


@dataclass(frozen=True, slots=True)
class Scored:
    """Values by metric, condition and item."""

    replies: Mapping[tuple[str, str], Mapping[str, Reply]]
    values: Mapping[str, Mapping[tuple[str, str], Mapping[str, float]]]

    @classmethod
    def of(cls, replies: Sequence[Reply], scores: Scores) -> "Scored":
        """Raises DataError for an item that is there twice, ValueError for scores of other replies."""
        conditions = by_condition(replies)
        for metric, values in scores.items():
            if len(values) != len(replies):
                raise ValueError(f"{metric} has {len(values)} values for {len(replies)} replies")
        found = {
            metric: {
                condition: {r.item: v for r, v in zip(replies, values, strict=True) if r.condition == condition}
                for condition in conditions
            }
            for metric, values in scores.items()
        }
        return cls(conditions, found)

    @property
    def models(self) -> list[str]:
        return list(dict.fromkeys(model for model, _ in self.replies))

    def items(self, model: str) -> list[str]:
        """Those that all states of the model answered."""
        zero_shot, fine_tuned = (self.replies.get((model, state), {}) for state in (ZERO_SHOT, FINE_TUNED))
        if not (zero_shot and fine_tuned):
            return list(zero_shot or fine_tuned)
        return [item for item in zero_shot if item in fine_tuned]

    def reply(self, model: str, item: str) -> Reply:
        return next(self.replies[one][item] for one in self.replies if one[0] == model and item in self.replies[one])

    def left_out(self) -> int:
        """Replies that have no partner in the other state of their model."""
        return sum(len(replies) - len(self.items(model)) for (model, _), replies in self.replies.items())


def overall(scored: Scored, seed: int = 0) -> list[Row]:
    """A row for each metric and model."""
    return _grouped(scored, lambda _: ALL, [ALL], seed)


def by_family(scored: Scored, seed: int = 0) -> list[Row]:
    """A row for each metric, model and family of situations that occurs."""
    order = [*(family.name for family in families()), NO_FAMILY]
    return _grouped(scored, lambda reply: family_of(reply.scenario) or NO_FAMILY, order, seed)


def by_length(scored: Scored, seed: int = 0) -> list[Row]:
    """A row for each metric, model and third of the items by how many words the user's last text has."""
    lengths = sorted(
        _words(one) for one in {r.item: r for each in scored.replies.values() for r in each.values()}.values()
    )
    edges = sorted({lengths[len(lengths) * part // _PARTS - 1] for part in range(1, _PARTS + 1)}) if lengths else []
    names = _ranges(edges)
    return _grouped(
        scored, lambda reply: names[next(e for e in edges if _words(reply) <= e)], list(names.values()), seed
    )


def _grouped(scored: Scored, group_of: Callable[[Reply], str], order: Sequence[str], seed: int) -> list[Row]:
    rows = []
    for model in scored.models:
        groups: dict[str, list[str]] = {}
        for item in scored.items(model):
            groups.setdefault(group_of(scored.reply(model, item)), []).append(item)
        present = [(name, groups[name]) for name in order if name in groups]
        rows += [_row(scored, metric, model, name, items, seed) for metric in scored.values for name, items in present]
    return [row for metric in scored.values for row in _adjusted([one for one in rows if one.metric == metric])]


def _row(scored: Scored, metric: str, model: str, group: str, items: Sequence[str], seed: int) -> Row:
    states = [scored.values[metric].get((model, state), {}) for state in (ZERO_SHOT, FINE_TUNED)]
    before, after = ([state[item] for item in items if item in state] for state in states)
    both = None
    if before and after:
        both = statistics.paired(before, after, [scored.reply(model, item).cluster for item in items], seed=seed)
    return Row(metric, model, group, statistics.summary(before), statistics.summary(after), both)


def _adjusted(rows: Sequence[Row]) -> list[Row]:
    """With Holm's correction over all of them."""
    adjusted = iter(statistics.holm([row.paired.test.p for row in rows if row.paired]))
    return [replace(row, holm=next(adjusted)) if row.paired else row for row in rows]


def _words(reply: Reply) -> int:
    return len(reply.said[-1].split())


def _ranges(edges: Sequence[int]) -> dict[int, str]:
    """Upper edge to the name of the range that ends there."""
    lowest = [0, *(edge + 1 for edge in edges)]
    last = edges[-1] if edges else 0
    return {
        high: f"up to {high} words"
        if low == 0
        else f"{low} words or more"
        if high == last
        else f"{low} to {high} words"
        for low, high in zip(lowest, edges, strict=False)
    }
