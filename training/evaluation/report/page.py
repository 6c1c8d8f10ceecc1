"""report.html: the runs as one page that needs nothing else. Only lays out; Jinja escapes what comes from files."""

from collections.abc import Sequence
from pathlib import Path

from tide_chat import __version__
from training.evaluation.report import facts, limits, prose, svg
from training.evaluation.report.collect import Figure, Run
from training.evaluation.tables import Table

_TEMPLATES = Path(__file__).parent / "templates"


def page(runs: Sequence[Run]) -> str:
    """The same bytes for the same runs."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def drawn(figure: Figure, prefix: str) -> Markup:
        return Markup(svg.inline(figure.drawing, prefix, figure.title, figure.alternative))

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "prose": lambda text: Markup(prose.html(text)),
        "line": lambda text: Markup(prose.line(text)),
        "drawn": drawn,
        "numbers": _numbers,
    }
    environment.globals |= {"facts": facts.facts, "notes": facts.notes, "limits": limits, "version": __version__}
    style = Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8"))
    return environment.get_template("report.html").render(runs=runs, style=style)


def _numbers(table: Table, column: int) -> bool:
    """Whether the column has numbers, and dashes, alone."""
    return column > 0 and not any(isinstance(row[column], str) for row in table.rows)
