"""`tide-train`: data and fine-tuning. The libraries that compute are loaded by the sub-command that needs them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tide_chat import entry
from tide_chat.errors import MissingExtra, UsageError
from training import commands
from training.data.command import command as data
from training.preference import command as preference
from training.sft import together

PARTS = ("tier", "flags", "subject", "time", "scenario", "ngrams")

app = entry.group("tide-train", "Prepare data and fine-tune the models that tide-chat runs.")
for each in (commands.show, preference.pairs):
    data.add_command(each)
for each in (data, commands.sft, preference.dpo, commands.families, commands.mix, commands.recipes):
    app.add_command(each)


@app.command("risk", short_help="Train the risk encoder of the safety layer.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The run folder to write.")
@click.option("--base", type=click.Path(path_type=Path), help="An HF folder to start from; default all-MiniLM-L6-v2.")
@click.option("--epochs", type=click.IntRange(1, 50), help="Passes over the data.")
@click.option("--learning-rate", type=click.FloatRange(0, 1, min_open=True), help="Of the encoder, at its peak.")
@click.option("--seed", type=int, help="Of everything random.")
@click.option("--fold", type=click.IntRange(-1, 9), help="Which tenth of the themes is held out; -1: none.")
@click.option("--limit", type=click.IntRange(8), help="Only so many lines, to try the way.")
@click.option("--teachers", type=click.FloatRange(0, 1), help="How much the teachers' chances count; 0: labels alone.")
@click.option("--rounded", is_flag=True, default=None, help="With weights in four bits, as the app's file holds them.")
@click.option("--bfloat16", is_flag=True, default=None, help="Half the time, on processors that know it.")
@click.option("--dropout", type=click.FloatRange(0, 0.9), help="In the encoder.")
@click.option("--frozen", type=click.IntRange(0), help="So many first layers, and the word embeddings, learn nothing.")
@click.option("--leave-out", type=click.IntRange(0, 3), help="A quarter of the themes, for a teacher to judge.")
@click.option("--device", default="cpu", help="cpu or cuda.", type=click.Choice(["cpu", "cuda"]), show_default=True)
@click.option("--only-head", type=click.Choice(PARTS), help="Train this alone, on the encoder of the run --base.")
def risk(
    out: Path,
    base: Path | None,
    limit: int | None,
    only_head: str | None,
    leave_out: int | None,
    device: str,
    **given: float | bool | None,
) -> int:
    """Train the encoder that reads tier, flags, subject, time and scenario; calibrate it on held-out themes.

    Writes an HF folder with heads.json, ngrams.bin and run.json; `tide-convert risk` makes of it what the app loads.
    """
    try:
        from training.risk.run import computing_on, train
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    chosen = {key: value for key, value in given.items() if value is not None}
    fixed = chosen.keys() - {"seed", "fold"} | ({"leave_out"} if leave_out is not None else set())
    if only_head and fixed:
        help_ = f"Leave out {', '.join(sorted('--' + name.replace('_', '-') for name in fixed))}."
        raise UsageError("One head alone is trained in fixed steps.", help=help_)
    with computing_on(device):
        train(out, base, chosen, limit, click.echo, only_head=only_head, leave_out=leave_out)
    return 0


@app.command("guard", short_help="Train the encoder of the output guard.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The run folder to write.")
@click.option("--base", type=click.Path(path_type=Path), help="An HF folder to start from; default all-MiniLM-L6-v2.")
@click.option("--epochs", type=click.IntRange(1, 50), help="Passes over the data.")
@click.option("--learning-rate", type=click.FloatRange(0, 1, min_open=True), help="Of the encoder, at its peak.")
@click.option("--seed", type=int, help="Of everything random.")
@click.option("--fold", type=click.IntRange(0, 5), help="Which sixth of the themes is held out.")
@click.option("--limit", type=click.IntRange(8), help="Only so many sentences, to try the way.")
def guard(out: Path, base: Path | None, limit: int | None, **given: float | None) -> int:
    """Train the encoder that finds what a model must not say; choose its limits on held-out themes.

    Writes an HF folder with heads.json and run.json; `tide-convert guard` makes of it what the app loads.
    """
    try:
        from training.guard.train import Recipe, train
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    chosen: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    train(out, base, Recipe(**chosen), click.echo, limit)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    code = entry.run(app, arguments)
    together.leave(code)
    return code
