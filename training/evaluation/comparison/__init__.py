"""From replies and scores to a run folder: values, tables and figures. `rows` computes, `tables` and `plots` show."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tide_chat.atomic import write_text
from tide_chat.errors import DataError
from training.evaluation import statistics
from training.evaluation.comparison import plots, rows, tables
from training.evaluation.comparison.rows import Row, Scored, Scores
from training.evaluation.metrics import floor as floors
from training.evaluation.metrics import rouge
from training.evaluation.replies import Reply
from training.evaluation.tables import Table

VALUES = "metrics.jsonl"
_FAMILIES = "Families: the paper's six situations; which scenario is of which is ours (training/data/families.toml)."


@dataclass(frozen=True, slots=True)
class _Compared:
    """Each row computed once, for tables and figures."""

    overall: Sequence[Row]
    by_family: Sequence[Row]
    by_length: Sequence[Row]
    left_out: int

    @classmethod
    def of(cls, scored: Scored, seed: int) -> Self:
        groups = (rows.overall(scored, seed), rows.by_family(scored, seed), rows.by_length(scored, seed))
        return cls(*groups, scored.left_out())


def write(
    run: Path,
    replies: Sequence[Reply],
    scores: Scores,
    *,
    floor: Scores | None = None,
    about: Mapping[str, str] | None = None,
    command: str = "",
    seed: int = 0,
) -> list[Table]:
    """RUN/metrics.jsonl, tables and figures.

    scores, floor: of `metrics.Scorer.with_floor(replies, seed)`. about: of the Scorer. Raises DataError when there
    is nothing to compare or an item is there twice, OSError.
    """
    if not replies or not scores:
        raise DataError("There are no scored replies to compare.")
    found, floor = _Compared.of(Scored.of(replies, scores), seed), floor or {}
    shown = [*_compared(found, floor), *_described(replies, scores, floor, about or {}, seed)]
    made = [replace(table, command=command) for table in shown]
    write_text(run / VALUES, "".join(_lines(replies, scores)))
    for table in made:
        table.write(run)
    _figures(run, found, floor)
    return made


def _compared(found: _Compared, floor: Scores) -> Iterator[Table]:
    yield tables.table_1(found.overall, {metric: statistics.summary(values) for metric, values in floor.items()})
    yield tables.differences(found.overall, found.left_out)
    yield tables.comparable(found.overall)
    yield tables.grouped("by-family", "By family of situations", "family", found.by_family, _FAMILIES)
    yield tables.grouped("by-length", "By length of the user's text", "user's text", found.by_length)


def _described(
    replies: Sequence[Reply], scores: Scores, floor: Scores, about: Mapping[str, str], seed: int
) -> Iterator[Table]:
    yield tables.diversity(replies)
    if floor:
        yield tables.floors(scores, floor)
    if rouge.NAME in scores:
        yield tables.padding(replies, floors.wrong_reference(replies, seed))
    if about:
        yield tables.computed_with(about)


def _figures(run: Path, found: _Compared, floor: Scores) -> None:
    lowest = {metric: mean for metric, values in floor.items() if (mean := statistics.summary(values).mean) is not None}
    plots.save(plots.means(found.overall, lowest), run, "table1", "Means of each model, zero-shot and fine-tuned")
    groups = (("by-family", "family of situations", found.by_family), ("by-length", "length", found.by_length))
    for name, of, some in groups:
        if any(row.paired for row in some):
            title = f"Fine-tuned minus zero-shot by {of}, with 95% intervals; right of 0 is more"
            plots.save(plots.differences(some), run, name, title)


def _lines(replies: Sequence[Reply], scores: Scores) -> Iterator[str]:
    """item, model, state and every value, a JSON object a line."""
    for place, one in enumerate(replies):
        values = {metric: round(of[place], 6) for metric, of in scores.items()}
        line = {"item": one.item, "model": one.model, "state": one.state} | values
        yield json.dumps(line, ensure_ascii=False) + "\n"
