"""The rows of a comparison as tables: the paper's Table 1, differences, families, lengths, floors. Computes no metric
but ROUGE-L with padding.
"""

from collections.abc import Iterator, Mapping, Sequence

from training.evaluation import statistics
from training.evaluation.comparison import paper
from training.evaluation.comparison.rows import Row, Scores
from training.evaluation.metrics import distinct, rouge
from training.evaluation.replies import Reply, by_condition
from training.evaluation.statistics import Summary
from training.evaluation.tables import Cell, Table

PADDED = (160, 200)  # tokens: between them the padding guess meets the paper's values
_STATISTICS = ("zs", "zs sd", "ft", "ft sd", "difference", "low", "high", "Wilcoxon p", "Holm p", "d", "rank-biserial")
_NOTE = (
    "zs: zero-shot, ft: fine-tuned, difference: ft minus zs on the same items with its 95% interval (BCa bootstrap of "
    "whole personas, or dialogues where none is named). Wilcoxon signed-rank, which takes items as independent; Holm "
    "over the rows of a metric. d: mean difference over the sd of the differences; rank-biserial: 1 where all rose."
)


def table_1(rows: Sequence[Row], floor: Mapping[str, Summary]) -> Table:
    """As the paper prints it, and its own values below each model that it has."""
    metrics = tuple(dict.fromkeys(row.metric for row in rows))
    lines: list[tuple[Cell, ...]] = []
    for model in dict.fromkeys(row.model for row in rows):
        of = {row.metric: row for row in rows if row.model == model}
        lines.append((model, "here", *(_both(of[metric]) for metric in metrics)))
        if published := paper.published(model):
            lines.append((published.model, "paper", *(_pair(published.means(metric)) for metric in metrics)))
    lines.append(("lowest to highest of its models", "paper", *(_span(metric) for metric in metrics)))
    if floor:
        lines.append(("against a wrong reference", "floor", *(_mean_sd(floor.get(metric)) for metric in metrics)))
    lines.append(("comparable with the paper", "", *(paper.verdict(metric).short for metric in metrics)))
    note = "Zero-shot / fine-tuned, means with sd in brackets; the paper prints means. Floor: see `floor`. " + _WHY
    return Table(
        "table1",
        "Automatic metrics in the form of the paper's Table 1",
        ("model", "source", *metrics),
        tuple(lines),
        note,
    )


_WHY = "Why a column is comparable or not: `comparable`."


def differences(rows: Sequence[Row], left_out: int) -> Table:
    """Every model in every metric with its statistics, beside the paper's means."""
    lines = tuple((row.metric, row.model, row.n, *_statistics(row), *_beside(row)) for row in rows)
    partners = f" {left_out} replies had no partner in the other state and were left out." if left_out else ""
    columns = ("metric", "model", "n", *_STATISTICS, "paper zs", "paper ft", "comparable")
    return Table("differences", "Zero-shot against fine-tuned", columns, lines, f"{_NOTE} {_WHY}{partners}")


def grouped(name: str, title: str, group: str, rows: Sequence[Row], note: str = "") -> Table:
    lines = tuple((row.metric, row.model, row.group, row.n, *_statistics(row)) for row in rows)
    return Table(name, title, ("metric", "model", group, "n", *_STATISTICS), lines, f"{_NOTE} {note}".strip())


def comparable(rows: Sequence[Row]) -> Table:
    """For each metric whether its values may be put beside the paper's, and why."""
    metrics = dict.fromkeys(row.metric for row in rows)
    lines = tuple((metric, _span(metric), (seen := paper.verdict(metric)).short, seen.why) for metric in metrics)
    note = "On TIDE: with the data and the split that the paper used; other data have another level."
    return Table(
        "comparable", "What may be compared with the paper", ("metric", "paper", "comparable", "why"), lines, note
    )


def floors(scores: Scores, floor: Scores) -> Table:
    """Each metric with right and wrong references."""
    lines = tuple(
        (
            metric,
            (right := statistics.summary(scores[metric])).mean,
            right.sd,
            (wrong := statistics.summary(values)).mean,
            wrong.sd,
        )
        for metric, values in floor.items()
    )
    note = (
        "All replies against their own reference, and each against the reference of another item. A metric tells "
        "something only by how far it is above the second."
    )
    return Table(
        "floor",
        "What a wrong reference gives",
        ("metric", "reference", "sd", "wrong reference", "wrong sd"),
        lines,
        note,
    )


def padding(replies: Sequence[Reply], wrong: Sequence[Reply]) -> Table:
    """ROUGE-L as the standard gives it and with the padding counted, with right and wrong references."""
    tokens = rouge.Tokens()
    lines: list[tuple[Cell, ...]] = []
    for name, some in (("reference", replies), ("wrong reference", wrong)):
        cut = [(tokens[one.text], tokens[one.reference]) for one in some]
        lines.append(("standard", name, *_mean_and_sd([rouge.f1(*two) for two in cut])))
        for length in PADDED:
            values = [rouge.padded_f1(*two, length) for two in cut]
            lines.append((f"padding to {length} tokens counted", name, *_mean_and_sd(values)))
    lines.append(("the paper", "reference", _span(rouge.NAME), None))
    note = (
        "The paper's ROUGE-L is far above what the standard gives for such texts. Filling both texts up to one length "
        "and counting the filling as common words comes near, with a wrong reference too: such a value says how short "
        "the texts are. That the paper did this is a guess."
    )
    return Table(
        "rouge-padding", "How ROUGE-L gets near .8", ("computed", "against", "ROUGE-L", "sd"), tuple(lines), note
    )


def diversity(replies: Sequence[Reply]) -> Table:
    """Distinct-1 and -2 of all replies of a condition together."""
    lines: list[tuple[Cell, ...]] = []
    for (model, state), items in by_condition(replies).items():
        texts = [reply.text for reply in items.values()]
        words = sum(len(distinct.words(text)) for text in texts)
        lines.append((model, state, len(texts), words, *distinct.pooled(texts), *_paper_distinct(model, state)))
    note = (
        f"Pooled: {distinct.TOKENS}, of all replies together. It falls with the number of words, so that only rows of "
        "about as many words compare. How the paper counted is not said, and its values are neither of the two."
    )
    columns = (
        "model",
        "state",
        "replies",
        "words",
        *(f"{name} pooled" for name in distinct.NAMES),
        *(f"{name} paper" for name in distinct.NAMES),
    )
    return Table("distinct", "How varied all replies of a model are", columns, tuple(lines), note)


def computed_with(about: Mapping[str, str]) -> Table:
    return Table("metrics", "What the metrics were computed with", ("metric", "with"), tuple(about.items()))


def _statistics(row: Row) -> Iterator[Cell]:
    before, after = row.zero_shot, row.fine_tuned
    yield from (before.mean, before.sd, after.mean, after.sd)
    if (found := row.paired) is None:
        yield from [None] * 7
        return
    yield from (found.difference.value, found.difference.low, found.difference.high)
    yield from (found.test.p, row.holm, found.d, found.test.rank_biserial)


def _beside(row: Row) -> tuple[Cell, ...]:
    published = paper.published(row.model)
    means = published.means(row.metric) if published else None
    return (*(means or (None, None)), paper.verdict(row.metric).short)


def _paper_distinct(model: str, state: str) -> tuple[Cell, Cell]:
    published = paper.published(model)
    if published is None:
        return None, None
    values = published.zero_shot if state == "zs" else published.fine_tuned
    return values[-2], values[-1]


def _mean_and_sd(values: Sequence[float]) -> tuple[Cell, Cell]:
    found = statistics.summary(values)
    return found.mean, found.sd


def _both(row: Row) -> str:
    return f"{_mean_sd(row.zero_shot) or '–'} / {_mean_sd(row.fine_tuned) or '–'}"


def _mean_sd(of: Summary | None) -> str | None:
    if of is None or of.mean is None:
        return None
    return f"{of.mean:.2f}" if of.sd is None else f"{of.mean:.2f} ({of.sd:.2f})"


def _pair(means: tuple[float, float] | None) -> str | None:
    return None if means is None else f"{means[0]:.2f} / {means[1]:.2f}"


def _span(metric: str) -> str | None:
    found = paper.span(metric)
    return None if found is None else f"{found[0]:.2f} to {found[1]:.2f}"
