"""`tide-eval auto`: the options and what is printed. Loads what computes when it runs."""

from pathlib import Path
from typing import Any

import click

from tide_chat import entry

_FOLDER = click.Path(path_type=Path, file_okay=False)
_STYLES = ("none", "reassure", "layered", "brief")
_GUIDANCE = {"off": (False,), "on": (True,), "both": (False, True)}
_MODEL = "[NAME[:STATE]=]MODEL[+ADAPTER]"


@click.command("auto", short_help="Let models answer held-out messages, and measure the replies.")
@click.option("--model", "models", multiple=True, required=True, metavar=_MODEL, help="May be repeated.")
@click.option("--adapter", help="For one --model: it answers without and with this adapter.")
@click.option("--data", multiple=True, required=True, help="What `tide-train data split` wrote, or a source it reads.")
@click.option("--out", type=_FOLDER, required=True, help="The run folder to write.")
@click.option("--state", type=click.Choice(["zs", "ft"]), help="Only this one of --adapter; else what a model is.")
@click.option("--limit", type=click.IntRange(1), help="Only so many exchanges, drawn by the seed.")
@click.option("--personas", multiple=True, help="Only exchanges of this person; may be repeated.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything random.")
@click.option("--max-tokens", type=click.IntRange(1), default=256, show_default=True, help="Of a reply.")
@click.option("--metrics", default="", help="With commas: measures, references, or names of some. Default: all.")
@click.option("--bertscore-model", default="roberta-large", show_default=True, help="Or its folder, or a substitute.")
@click.option("--profile", "styles", multiple=True, type=click.Choice(_STYLES), help="Of replies; may be repeated.")
@click.option("--guidance", type=click.Choice(list(_GUIDANCE)), help="Default: on with --through app, else off.")
@click.option("--engine", type=click.Choice(["auto", "llama", "transformers"]), default="auto", show_default=True)
@click.option("--through", type=click.Choice(["model", "app"]), default="model", show_default=True)
@click.option("--cache", type=_FOLDER, help="Where replies are kept. Default: cache, in the run folder.")
@click.option("--shard", metavar="N/OF", help="Only this part of the items, as 1/4.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Processor threads of llama.cpp; 1 where others compute.")
@click.option("--batch", type=click.IntRange(1), help="Replies that transformers writes at once.")
def command(out: Path, **given: Any) -> int:
    """Every model answers every exchange, with the history that the data has; then the replies are measured.

    MODEL is an alias, a GGUF file, or an HF folder (through transformers, with ADAPTER a peft folder). STATE, zs or ft,
    is for a model that was fine-tuned and merged: qwen2.5-1.5b:ft=merged.gguf

    By default the model answers alone, with the app's prompt. --through app asks the whole app, router and guard
    included, and also writes what they did.

    --profile asks in a style that people can choose in the app, --guidance with what the app tells a model where the
    risk encoder is sure of the situation. Each model then answers in each style, without and with guidance.

    Replies are kept by what they follow from: the same command goes on where it was interrupted, and what was answered
    once is not asked again. Under torchrun or accelerate launch the processes share the items; parts made with --shard
    in one run folder are put together by the last of them.
    """
    from tide_chat.progress import bar
    from training.evaluation.auto.run import run

    job = _job(out, **given)
    with bar() as say:
        table = run(job, lambda line: click.echo(line, err=True), say)
    if table:
        click.echo(table.markdown(), nl=False)
        click.echo(f"Written: {out}", err=True)
    return 0


def _job(out: Path, **given: Any) -> Any:
    """Raises UsageError, DataError, ModelError."""
    from tide_chat import extras
    from tide_chat.profile import Style
    from training.evaluation.auto import conditions, items, run, shards
    from training.evaluation.auto.generate import Plan
    from training.evaluation.auto.scoring import Wanted
    from training.evaluation.metrics import Settings

    extras.require("Measuring replies", "eval")
    names = [name.strip() for name in given["metrics"].split(",") if name.strip()]
    wanted = Wanted.of(names, Settings(given["bertscore_model"]))
    shard = shards.find(given["shard"])
    parsed = conditions.parse(given["models"], given["adapter"], given["state"], given["max_tokens"], given["engine"])
    guided = _GUIDANCE[given["guidance"] or ("on" if given["through"] == "app" else "off")]
    found = conditions.fitted(parsed, [Style(name) for name in given["styles"] or ("none",)], guided)
    all_items, files = items.read(*given["data"])
    plan = Plan(
        found,
        items.chosen(all_items, given["limit"], given["seed"], given["personas"]),
        given["seed"],
        given["cache"] or out / run.CACHE,
        shard,
        given["through"],
        given["threads"],
        given["batch"],
    )
    return run.Job(plan, files, out, wanted, entry.typed())
