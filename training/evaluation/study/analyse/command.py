"""`tide-eval study analyse` and `simulate`: the options and what is printed. Loads what computes when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tide_chat import entry, extras
from tide_chat.errors import UsageError

if TYPE_CHECKING:
    from training.evaluation.study.analyse.run import Done

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_POSITIVE = click.FloatRange(0)


@click.command("analyse", short_help="Filters, tables, figures and tests from ratings.")
@click.argument("folder", type=_FOLDER)
@click.option("--out", type=_FOLDER, required=True, help="The run folder to write.")
@click.option("--gold", type=_FILE, help="A judge's scores, item,model,state,score: turns the last filter on.")
@click.option("--no-gold-filter", is_flag=True, help="Say that the last filter is left out on purpose.")
@click.option("--min-minutes", type=_POSITIVE, default=10, show_default=True, help="Shortest whole session.")
@click.option("--max-minutes", type=_POSITIVE, default=75, show_default=True, help="Longest whole session.")
@click.option("--min-share", type=click.FloatRange(0, 1), default=1, show_default=True, help="Of the replies rated.")
@click.option("--min-page-seconds", type=_POSITIVE, default=10, show_default=True, help="Of a rater's median page.")
@click.option("--max-sd", type=_POSITIVE, default=0.6, show_default=True, help="Last filter: flatter than this, and")
@click.option(
    "--min-mae", type=_POSITIVE, default=0.9, show_default=True, help="farther from the gold scores than this."
)
@click.option("--older-than", type=click.IntRange(0), default=60, show_default=True, help="Years, for the older group.")
@click.option("--difference", type=click.FloatRange(0, min_open=True), default=0.15, show_default=True, help="Points.")
@click.option("--draws", type=click.IntRange(100), default=2000, show_default=True, help="For intervals.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws.")
def analyse(
    folder: Path,
    out: Path,
    gold: Path | None,
    no_gold_filter: bool,
    min_minutes: float,
    max_minutes: float,
    min_share: float,
    min_page_seconds: float,
    max_sd: float,
    min_mae: float,
    older_than: int,
    difference: float,
    draws: int,
    seed: int,
) -> int:
    """Read ratings.csv and raters.csv of FOLDER, take out raters as the paper does, and write tables and figures.

    The last filter takes out raters who are both flat and far from a judge's gold scores. It needs --gold, and
    selects for agreement with that judge: a table shows the results with and without it.
    """
    extras.require("Analysing a study", "eval")
    if gold and no_gold_filter:
        raise UsageError("--gold and --no-gold-filter contradict each other.")
    if min_minutes > max_minutes:
        raise UsageError(f"--min-minutes {min_minutes:g} is above --max-minutes {max_minutes:g}.")
    from tide_chat.progress import bar
    from training.evaluation.study.analyse import run
    from training.evaluation.study.analyse.filters import Bounds
    from training.evaluation.study.analyse.plan import Plan
    from training.evaluation.study.analyse.resample import Draws

    bounds = Bounds((min_minutes, max_minutes), min_share, min_page_seconds, max_sd, min_mae)
    plan = Plan(bounds, Draws(draws, seed), older_than, difference, command=entry.typed())
    with bar() as say:
        done = run.analyse(folder, gold, out, plan, say)
    _print(done, out)
    return 0


@click.command("simulate", short_help="Make up a study, for trying out the analysis.")
@click.option("--out", type=_FOLDER, required=True, help="The folder to write.")
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True, help="Of everything random.")
@click.option("--raters", type=click.IntRange(1, 10_000), default=150, show_default=True, help="Who begin.")
def simulate(out: Path, seed: int, raters: int) -> int:
    """Write a study of the paper's design that no person took part in, with effects that are known.

    Files and raters are named `simulated-...`, and everything that is made from them says so.
    """
    extras.require("Simulating a study", "eval")
    from training.evaluation.study import simulate as simulated

    made = simulated.write(out, seed, raters)
    bad = sum(map(len, made.bad.values()))
    click.echo(f"SIMULATED: {len(made.raters)} raters, {bad} of them bad, {len(made.ratings)} ratings: {out}")
    click.echo(f"Next: tide-eval study analyse {out} --gold {out / 'simulated-gold.csv'} --out RUN")
    return 0


def _print(done: "Done", out: Path) -> None:
    from training.evaluation.study.analyse.plan import WATERMARK

    if done.simulated:
        click.echo(WATERMARK)
    for step in done.filtered.steps:
        click.echo(f"{step.name:<11} {step.left:>5} left{f', {len(step.removed)} out' if step.removed else ''}")
    click.echo(f"{len(done.tables)} tables, {len(done.figures)} figures: {out}")
