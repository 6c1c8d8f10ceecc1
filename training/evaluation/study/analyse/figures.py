"""The paper's figures 2 and 3 as SVG text: densities of ratings with their means, and means by census region.

The same bytes for the same ratings: no date, fixed ids, text as text in the viewer's own font.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy

from training.evaluation.replies import FINE_TUNED, ZERO_SHOT
from training.evaluation.study.analyse.plan import WATERMARK, Plan
from training.evaluation.study.analyse.sheet import Mask, Numbers, Sheet
from training.evaluation.study.analyse.tables import by_region
from training.evaluation.study.records import REFERENCE, SCALE
from training.evaluation.study.regions import REGIONS, STATES

_COLOURS = {ZERO_SHOT: "#0072b2", FINE_TUNED: "#c44e00", REFERENCE: "#555555"}  # told apart by the colour-blind too
_NAMES = {ZERO_SHOT: "zero-shot", FINE_TUNED: "fine-tuned", REFERENCE: "reference"}
_NO_REGION = "#e6e6e6"
_ACROSS = 3  # maps in a row
_GRID = numpy.linspace(SCALE[0] - 1, SCALE[1] + 1, 73)
_Curve = tuple[str, float, Numbers | None]  # state, mean, density


def densities(sheet: Sheet, plan: Plan) -> str | None:
    """A row for each model, a column for each scenario. None: no model was rated."""
    if not sheet.models:
        return None
    from matplotlib.figure import Figure

    panels = [[_panel(sheet, model, scenario) for scenario in sheet.scenarios] for model in sheet.models]
    top = max((curve.max() for line in panels for of in line for _, _, curve in of if curve is not None), default=1.0)
    height = 1.25 * len(panels) + 1.5  # inches
    with _style():
        figure = Figure(figsize=(max(2.0 * len(sheet.scenarios) + 1.2, 7), height))
        axes = figure.subplots(len(panels), len(sheet.scenarios), squeeze=False)
        for ax, of in zip(axes.flatten(), (of for line in panels for of in line), strict=True):
            _draw_panel(ax, of, float(top), last=ax in axes[-1])
        for line, model in zip(axes, sheet.models, strict=True):
            line[0].set_ylabel(model, rotation=0, ha="right", va="center", fontsize=8)
        for ax, scenario in zip(axes[0], sheet.scenarios, strict=True):
            ax.set_title(scenario, fontsize=9, pad=18)
        edges = {"left": 0.16, "right": 0.985, "top": 1 - 1.05 / height, "bottom": 0.5 / height}
        figure.subplots_adjust(**edges, hspace=0.35, wspace=0.08)
        title = "Density of ratings by model and scenario; above each panel, the means"
        _heading(figure, plan, title, height)
        return _svg(figure, plan, title)


def maps(sheet: Sheet, plan: Plan) -> str | None:
    """A map of equal squares for each scenario, each state in the colour of its region's mean. None: no regions."""
    means = {scenario: by_region.means(sheet, sheet.rows(scenario=scenario)) for scenario in sheet.scenarios}
    values = [mean for of in means.values() for mean in of.values()]
    if not values:
        return None
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    rows = -(-len(means) // _ACROSS)
    height = 3.3 * rows + 1.5
    with _style():
        figure = Figure(figsize=(4.2 * _ACROSS, height))
        axes = figure.subplots(rows, _ACROSS, squeeze=False).flatten()
        low, high = min(values), max(values)
        colours = ScalarMappable(Normalize(low, high if high > low else low + 1e-9), "YlGnBu")
        for ax in axes:
            ax.axis("off")
        for ax, (scenario, of) in zip(axes, means.items(), strict=False):
            _map_panel(ax, scenario, of, colours)
        figure.subplots_adjust(
            left=0.02, right=0.98, top=1 - 0.95 / height, bottom=0.95 / height, hspace=0.3, wspace=0.05
        )
        bar = figure.add_axes((0.35, 0.42 / height, 0.3, 0.13 / height))
        figure.colorbar(colours, cax=bar, orientation="horizontal").set_label("mean rating, 1 to 5", fontsize=8)
        bar.tick_params(labelsize=7)
        title = "Mean rating by US census region; * the highest of a scenario"
        _heading(figure, plan, title, height, legend=False)
        return _svg(figure, plan, title)


def _panel(sheet: Sheet, model: str, scenario: str) -> list[_Curve]:
    """By state; the reference is that of the model's own page."""
    rows: dict[str, Mask] = {state: sheet.rows(model, state, scenario) for state in (ZERO_SHOT, FINE_TUNED)}
    rows[REFERENCE] = sheet.reference_of(model, scenario)
    ratings = {state: sheet.rating[mask] for state, mask in rows.items() if mask.any()}
    return [(state, float(values.mean()), _density(values)) for state, values in ratings.items()]


def _draw_panel(ax: Any, curves: list[_Curve], top: float, last: bool) -> None:
    for place, (state, mean, curve) in enumerate(curves):
        colour, reach = _COLOURS[state], top
        if curve is not None:
            ax.plot(_GRID, curve, color=colour, linewidth=1.1)
            reach = float(numpy.interp(mean, _GRID, curve))
        ax.plot([mean, mean], [0, reach], color=colour, linewidth=0.9, linestyle=(0, (3, 1.5)))
        at = 0.18 + 0.32 * place
        ax.text(at, 1.03, f"{mean:.2f}", color=colour, fontsize=7, ha="center", va="bottom", transform=ax.transAxes)
    ax.set_xlim(_GRID[0], _GRID[-1])
    ax.set_ylim(0, 1.05 * top)
    points = range(SCALE[0], SCALE[1] + 1)
    ax.set_xticks(points, [str(point) for point in points] if last else [])
    ax.set_yticks([])
    ax.tick_params(labelsize=7, length=2)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def _density(values: Numbers) -> Numbers | None:
    """Gaussian kernels, Scott's bandwidth. None: ratings that do not vary have no density."""
    from scipy.stats import gaussian_kde

    if len(values) < 2 or numpy.ptp(values) == 0:
        return None
    curve: Numbers = gaussian_kde(values)(_GRID)
    return curve


def _map_panel(ax: Any, title: str, means: dict[str, float], colours: Any) -> None:
    from matplotlib.patches import Rectangle

    for state in STATES.values():
        mean = means.get(state.region)
        colour = _NO_REGION if mean is None else colours.to_rgba(mean)
        ax.add_patch(Rectangle((state.column, state.row), 0.94, 0.94, facecolor=colour, edgecolor="none"))
        ink = "#222222" if mean is None or _luminance(colour) > 0.45 else "white"
        ax.text(state.column + 0.47, state.row + 0.5, state.code, fontsize=6.5, ha="center", va="center", color=ink)
    best = by_region.highest(means)
    shown = (
        f"{name} {means[name]:.2f}{'*' if name == best else ''}" if name in means else f"{name} –" for name in REGIONS
    )
    ax.set_xlim(-0.3, 12.3)
    ax.set_ylim(8.2, -0.2)
    ax.set_aspect("equal")
    ax.set_title(title, fontsize=10)
    ax.text(6, 8.75, " · ".join(shown), fontsize=8, ha="center", va="center")


def _luminance(colour: Any) -> float:
    red, green, blue, _ = colour
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def _heading(figure: Any, plan: Plan, title: str, height: float, legend: bool = True) -> None:
    from matplotlib.lines import Line2D

    if plan.simulated:
        figure.text(
            0.5, 1 - 0.12 / height, WATERMARK, color="#b00020", fontsize=10, weight="bold", ha="center", va="top"
        )
    figure.text(0.5, 1 - 0.34 / height, title, fontsize=10, ha="center", va="top")
    if legend:
        lines = [Line2D([], [], color=_COLOURS[state], label=name) for state, name in _NAMES.items()]
        where = (0.5, 0.0)
        figure.legend(handles=lines, loc="lower center", ncols=3, fontsize=8, frameon=False, bbox_to_anchor=where)


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib as mpl

    with mpl.rc_context({"svg.hashsalt": "tide", "svg.fonttype": "none", "font.family": "sans-serif"}):
        yield


def _svg(figure: Any, plan: Plan, title: str) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": plan.titled(title)})
    text = re.sub(r"(\.\d\d)\d+", r"\1", out.getvalue())  # a hundredth of a point is finer than any screen
    text = re.sub(r"font-family: [^;]*sans-serif", "font-family: sans-serif", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
