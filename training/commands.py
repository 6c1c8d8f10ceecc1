"""`tide-train sft`, `recipes` and `data show`: the options and what is printed. Loads what it needs when it runs."""

from pathlib import Path

import click

from tide_chat import extras

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_template = click.option("--chat-template", "template", type=_FILE, help="A Jinja file, instead of the model's own.")


@click.command("sft", short_help="Fine-tune a model by a recipe.")
@click.option("--recipe", "name", required=True, help="A name that `recipes` lists, or a TOML file.")
@click.option("--model", type=_FOLDER, required=True, help="The model's folder; `tide-convert dequantize` makes one.")
@click.option("--data", type=_FOLDER, required=True, help="What `tide-train data split` wrote.")
@click.option("--out", type=_FOLDER, required=True, help="The run folder to write.")
@click.option("--set", "overrides", multiple=True, metavar="A.B=VALUE", help="Replace a field of the recipe.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True)
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, with an estimate; write nothing.")
@_template
def sft(
    name: str,
    model: Path,
    data: Path,
    out: Path,
    overrides: tuple[str, ...],
    device: str,
    resume: bool,
    dry_run: bool,
    template: Path | None,
) -> int:
    """Train a LoRA adapter on the train part of a split; its validation part decides which state is kept.

    The run folder holds the adapter in peft's format, run.json, metrics.jsonl, samples.jsonl and checkpoints. Then:
    tide-convert all RUN --base MODEL --install
    """
    extras.require("Fine-tuning", "train")
    from tide_chat.progress import bar
    from training import recipe
    from training.data import split
    from training.sft import loop

    manifest = split.verified(data)
    parts = {part: [one.conversation for one in split.read(data, manifest, part)] for part in manifest.splits}
    job = loop.Job(
        recipe.load(name, overrides),
        model,
        out,
        parts.get("train", []),
        parts.get("validation", []),
        {part.file: part.sha256 for part in manifest.splits.values()},
        template,
        device,
        resume,
    )
    if dry_run:
        loop.dry_run(job, click.echo)
        return 0
    with bar() as say:
        done = loop.train(job, click.echo, say)
    held = "" if done.best is None else f", held-out loss {done.best:.4f} at step {done.best_step}"
    click.echo(f"{done.steps} steps{held}. Next: tide-convert all {out} --base {model}")
    return 0


@click.command("recipes", short_help="List the recipes, or the fields of one.")
@click.option("--fields", is_flag=True, help="Every field with its default and what it means.")
def recipes(fields: bool) -> int:
    """The recipes that come with the program."""
    from training import recipe

    if fields:
        for field, default, meaning in recipe.fields():
            click.echo(f"{field} = {default or '(needed)'}  # {meaning}")
        return 0
    for name in recipe.names():
        click.echo(f"{name:<34} {recipe.load(name).about}")
    return 0


@click.command("show", short_help="Show what would be learnt, token by token.")
@click.argument("sources", nargs=-1)
@click.option("--model", type=_FOLDER, required=True, help="A folder with tokenizer.json and chat template.")
@click.option("--limit", type=click.IntRange(1), default=1, show_default=True, help="Dialogues to show.")
@click.option("--max-length", type=click.IntRange(8), default=1024, show_default=True, help="Tokens of a dialogue.")
@_template
def show(sources: tuple[str, ...], model: Path, limit: int, max_length: int, template: Path | None) -> int:
    """Print dialogues as a model of that family sees them; what is learnt stands out."""
    extras.require("Showing tokens", "train")
    from rich.console import Console

    from tide_chat.prompt import system_text
    from training import chat_files
    from training import show as shown
    from training.data.sources import DEFAULT, dialogues
    from training.render import ChatEncoder

    encoder = ChatEncoder(chat_files.load(model, template), system_text())
    chosen = [one.conversation for one in dialogues(sources or DEFAULT)[:limit]]
    examples, _ = encoder.examples(chosen, max_length)
    console = Console(soft_wrap=True, highlight=False)
    console.print(shown.legend())
    for example in examples:
        console.print(shown.coloured(encoder, example))
    return 0
