"""Figures of a comparison as SVG, the same bytes for the same figures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat.atomic import write_bytes
from training.evaluation.comparison import paper
from training.evaluation.comparison.rows import Row
from training.evaluation.tables import FIGURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Told apart also in grey and with any colour vision (Okabe and Ito).
ZERO_SHOT, FINE_TUNED, PAPER, FLOOR = "#0072B2", "#D55E00", "#888888", "#000000"
_LINE = 0.32  # inches a row
_COLUMNS = 3  # panels beside each other
_NARROWEST = 0.1  # of an axis of means: a difference in the third digit must not look large


def save(figure: Figure, run: Path, name: str, title: str) -> Path:
    """RUN/figures/NAME.svg. title: what a report writes below it."""
    import matplotlib as mpl

    out = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": name, "font.family": "DejaVu Sans"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": title}, bbox_inches="tight")
    path = run / FIGURES / f"{name}.svg"
    write_bytes(path, out.getvalue())
    return path


def means(rows: Sequence[Row], floor: Mapping[str, float]) -> Figure:
    """A panel a metric: each model from zero-shot to fine-tuned; the paper's means, where comparable, in grey below."""
    figure, panels = _panels(rows)
    for metric, panel in panels.items():
        of = [row for row in rows if row.metric == metric]
        for place, row in enumerate(of):
            _dumbbell(panel, place, row)
            _published(panel, place + 0.3, row)
        if metric in floor:
            panel.axvline(floor[metric], color=FLOOR, linestyle=":", linewidth=1)
        _widen(panel)
        _label(panel, [row.model for row in of], metric)
    _legend(figure, floor=bool(floor), published=any(paper.published(row.model) for row in rows))
    return figure


def differences(rows: Sequence[Row]) -> Figure:
    """A panel a metric: fine-tuned minus zero-shot for each model and group, with its interval; right of 0 is more."""
    figure, panels = _panels(rows)
    several = len({row.model for row in rows}) > 1
    for metric, panel in panels.items():
        of = [row for row in rows if row.metric == metric and row.paired]
        for place, row in enumerate(of):
            _interval(panel, place, row)
        panel.axvline(0, color=FLOOR, linewidth=0.8)
        _label(panel, [f"{row.model}, {row.group}" if several else row.group for row in of], metric)
    return figure


def _panels(rows: Sequence[Row]) -> tuple[Figure, dict[str, Any]]:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    metrics = list(dict.fromkeys(row.metric for row in rows))
    lines = max(sum(row.metric == metric for row in rows) for metric in metrics)
    across = min(_COLUMNS, len(metrics))
    down = -(-len(metrics) // across)
    layout = ConstrainedLayoutEngine(h_pad=0.12)  # inches: a metric's name stays clear of the numbers above it
    figure = Figure(figsize=(3.6 * across + 1.5, (_LINE * lines + 1.1) * down), layout=layout)
    axes = figure.subplots(down, across, sharey=True, squeeze=False).flat
    panels = dict(zip(metrics, axes, strict=False))
    for spare in list(axes)[len(metrics) :]:
        spare.set_visible(False)
    return figure, panels


def _dumbbell(panel: Any, place: float, row: Row) -> None:
    ends = [(row.zero_shot.mean, ZERO_SHOT, "o"), (row.fine_tuned.mean, FINE_TUNED, "D")]
    known = [(mean, colour, mark) for mean, colour, mark in ends if mean is not None]
    panel.plot([mean for mean, *_ in known], [place] * len(known), color="#BBBBBB", linewidth=2, zorder=1)
    for mean, colour, mark in known:
        panel.plot(mean, place, mark, color=colour, markersize=6)


def _published(panel: Any, place: float, row: Row) -> None:
    found = paper.published(row.model)
    if found is None or paper.verdict(row.metric).short == paper.NO or (pair := found.means(row.metric)) is None:
        return
    panel.plot(pair[0], place, "o", color=PAPER, markersize=4, fillstyle="none")
    panel.plot(pair[1], place, "D", color=PAPER, markersize=4, fillstyle="none")


def _interval(panel: Any, place: float, row: Row) -> None:
    if row.paired is None:
        return
    found = row.paired.difference
    if found.low is not None and found.high is not None:
        panel.plot([found.low, found.high], [place, place], color=FINE_TUNED, linewidth=2)
    panel.plot(found.value, place, "D", color=FINE_TUNED, markersize=5)


def _widen(panel: Any) -> None:
    low, high = panel.get_xlim()
    if (lacking := _NARROWEST - (high - low)) > 0:
        panel.set_xlim(low - lacking / 2, high + lacking / 2)


def _label(panel: Any, names: Sequence[str], metric: str) -> None:
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.4, -0.6)  # the first on top
    panel.locator_params(axis="x", nbins=5)
    panel.set_title(metric, fontsize=10)
    panel.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(labelsize=9, left=False)


def _legend(figure: Figure, *, floor: bool, published: bool) -> None:
    from matplotlib.lines import Line2D

    shown = [
        Line2D([], [], color=ZERO_SHOT, marker="o", linestyle="", label="zero-shot"),
        Line2D([], [], color=FINE_TUNED, marker="D", linestyle="", label="fine-tuned"),
    ]
    if published:
        shown.append(Line2D([], [], color=PAPER, marker="o", fillstyle="none", linestyle="", label="the paper"))
    if floor:
        shown.append(Line2D([], [], color=FLOOR, linestyle=":", label="wrong reference"))
    figure.legend(handles=shown, loc="outside lower center", ncols=len(shown), frameon=False, fontsize=9)
