"""report.md: the same as the page, for reading in a terminal or a repository. The figures are files beside it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tide_chat import __version__
from training.evaluation.report import facts, limits, prose, svg
from training.evaluation.report.collect import Figure, Run
from training.evaluation.tables import FIGURES, Cell, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>#~])")
_ODD = re.compile(r"[^A-Za-z0-9-]")
_TICKS = re.compile(r"`+")


def page(runs: Sequence[Run]) -> str:
    """The same bytes for the same runs."""
    marked = [f"**{limits.SIMULATED}**"] if any(run.simulated for run in runs) else []
    made = f"Made by `tide-eval report` of tide-chat {__version__} from {len(runs)} run folder(s)."
    parts = ["# Evaluation report", made, *marked]
    for title, of_run in (
        ("What was run", _facts),
        ("Tables", _tables),
        ("Figures", _figures),
        ("Examples", lambda run: _prose(run.samples)),
        ("Misses", lambda run: _prose(run.misses)),
    ):
        shown = [(run, said) for run in runs if (said := list(of_run(run)))]
        if shown:
            parts += [f"## {title}", *(part for run, said in shown for part in (*_head(run), *said))]
    return "\n\n".join([*parts, *_limits(runs)]) + "\n"


def figures(runs: Sequence[Run]) -> dict[str, str]:
    """File name to SVG."""
    return {name: svg.standalone(figure.drawing) for run in runs for name, figure in _files(run)}


def escaped(text: str) -> str:
    """One line in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """As a code span, whatever ticks are in it."""
    ticks = "`" * (1 + max(map(len, _TICKS.findall(text)), default=0))
    room = " " if "`" in text else ""
    return f"{ticks}{room}{' '.join(text.split())}{room}{ticks}"


def _head(run: Run) -> Iterator[str]:
    yield f"### {escaped(run.title)}"
    if run.simulated:
        yield f"**{limits.SIMULATED}**"


def _facts(run: Run) -> Iterator[str]:
    lines = []
    for fact in facts.facts(run.about):
        said = [code(line) if fact.code else escaped(line) for line in fact.lines]
        lines.append(f"- **{fact.name}:** {'; '.join(said)}")
    yield "\n".join(lines)


def _tables(run: Run) -> Iterator[str]:
    if run.results:
        yield prose.markdown(run.results)
    for table in run.tables:
        yield _table(table)
        command = table.command or str(run.about.get("command") or "")
        yield f"Made by {code(command)}." if command else "The command that makes this table was not recorded."


def _table(table: Table) -> str:
    rows = tuple(tuple(map(_cell, row)) for row in table.rows)
    columns = tuple(map(escaped, table.columns))
    title, note = escaped(table.title), escaped(table.note)
    return replace(table, columns=columns, rows=rows, title=title, note=note, command="").markdown().strip()


def _cell(cell: Cell) -> Cell:
    return escaped(cell) if isinstance(cell, str) else cell


def _figures(run: Run) -> Iterator[str]:
    for name, figure in _files(run):
        yield f"![{escaped(f'{figure.title}. {figure.alternative}')}]({name})"
        yield f"*{escaped(figure.title)}*"


def _files(run: Run) -> Iterator[tuple[str, Figure]]:
    """Names that need no escaping, and that no two figures share."""
    for place, figure in enumerate(run.figures, start=1):
        yield f"{FIGURES}/{run.number}-{place}-{_ODD.sub('_', figure.name)}.svg", figure


def _prose(text: str) -> list[str]:
    return [prose.markdown(text)] if text else []


def _limits(runs: Sequence[Run]) -> Iterator[str]:
    yield "## Limits"
    yield "\n".join(f"- {one}" for one in limits.LIMITS)
    for run in runs:
        if own := facts.notes(run.about):
            yield f"### {escaped(run.title)}"
            yield "\n".join(f"- {escaped(one)}" for one in own)
