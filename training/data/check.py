"""`check`: every kind of fault that can be seen in dialogues without a model, in one report. Changes nothing."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tide_chat.progress import Say, quiet
from training.data import sources
from training.data.checks import crisis, duplicates, endings, leakage, lengths, personal, stock
from training.data.findings import Check, Checked, of_problem
from training.data.report import Report
from training.data.schema import Columns, Row

CHECKS: tuple[Check, ...] = (
    duplicates.check,
    endings.check,
    personal.check,
    crisis.check,
    stock.check,
    leakage.check,
)
_NAMES = "names of people (a pattern for them finds too much else)"
_LENGTH = "length in tokens (--tokenizer was not given)"
_LEAKAGE = "leakage (the files are not splits of one another)"


def check(
    names: Sequence[str] = sources.DEFAULT,
    *,
    columns: Columns | None = None,
    tokenizer: Path | None = None,
    max_length: int = 1024,
    say: Say = quiet,
) -> Report:
    """Read the sources and look at every row. max_length: tokens of a dialogue, with `tokenizer` only.

    Raises DataError for a file that cannot be read at all; what is wrong with single rows is in the report.
    """
    chosen = CHECKS if tokenizer is None else (*CHECKS, lengths.checker(lengths.counter(tokenizer), max_length))
    loaded = sources.read(names, columns)
    done = [one(loaded.rows, say) for one in chosen] if loaded.rows else []
    return _report(loaded, done, _not_checked(loaded.rows, tokenizer))


def _report(loaded: sources.Loaded, done: Sequence[Checked], not_checked: tuple[str, ...]) -> Report:
    dialogues = [row.dialogue for row in loaded.rows]
    return Report(
        files=loaded.files,
        dialogues=len(dialogues),
        exchanges=sum(len(dialogue.exchanges) for dialogue in dialogues),
        personas=len({dialogue.persona_id for dialogue in dialogues} - {None}),
        scenarios=dict(sorted(Counter(dialogue.scenario for dialogue in dialogues).items())),
        measures=tuple(measure for one in done for measure in one.measures),
        findings=(*map(of_problem, loaded.problems), *(finding for one in done for finding in one.findings)),
        not_checked=not_checked,
    )


def _not_checked(rows: Sequence[Row], tokenizer: Path | None) -> tuple[str, ...]:
    split = len({row.split for row in rows if row.split}) > 1
    return (_NAMES, *(() if tokenizer else (_LENGTH,)), *(() if split else (_LEAKAGE,)))
