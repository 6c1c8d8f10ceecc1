"""`tide-train sft`, `families`, `mix`, `recipes` and `data show`: the options and what is printed.

Loads what it needs when it runs.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tide_chat import extras

if TYPE_CHECKING:
    from training.recipe import Recipe
    from training.sft.prepared import Job, Prepare

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_template = click.option("--chat-template", "template", type=_FILE, help="A Jinja file, instead of the model's own.")


@dataclass(frozen=True, slots=True)
class Options:
    """What every command that trains is told. data: a folder, of what the command says. start: an adapter's folder."""

    name: str
    model: Path
    data: Path
    out: Path
    start: Path | None
    overrides: tuple[str, ...]
    device: str
    resume: bool
    dry_run: bool
    template: Path | None

    def recipe(self) -> "Recipe":
        """Raises UsageError, DataError."""
        from training import recipe
        from training.sft import begun

        found = recipe.load(self.name, self.overrides)
        return begun.recipe_for(found, self.start, self.overrides) if self.start else found


def training_options(data: str) -> Callable[[Callable[[Options], int]], Callable[..., int]]:
    """Gives a command these options, as one value. data: what --data holds."""
    options = (
        click.option("--recipe", "name", required=True, help="A name that `recipes` lists, or a TOML file."),
        click.option(
            "--model", type=_FOLDER, required=True, help="The model's folder; `tide-convert dequantize` makes one."
        ),
        click.option("--data", type=_FOLDER, required=True, help=data),
        click.option("--out", type=_FOLDER, required=True, help="The run folder to write."),
        click.option("--from", "start", type=_FOLDER, help="An adapter's folder to begin with, of the same model."),
        click.option("--set", "overrides", multiple=True, metavar="A.B=VALUE", help="Replace a field of the recipe."),
        click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True),
        click.option("--resume", is_flag=True, help="Go on with the run in --out."),
        click.option("--dry-run", is_flag=True, help="Print what would be done, with an estimate; write nothing."),
        _template,
    )

    def given(command: Callable[[Options], int]) -> Callable[..., int]:
        @functools.wraps(command)
        def called(**values: Any) -> int:
            return command(Options(**values))

        return functools.reduce(lambda made, option: option(made), reversed(options), called)

    return given


def carry_out(job: "Job", prepare: "Prepare", dry_run: bool) -> None:
    """Train and say so, or print the plan. Of several processes the leader alone talks."""
    from tide_chat.progress import bar
    from training.sft import devices, loop

    if dry_run:
        loop.dry_run(job, click.echo, prepare)
        return
    with bar() as say:
        done = loop.train(job, click.echo, say, prepare)
    if not devices.from_environment().leads:
        return
    held = "" if done.best is None else f", held-out loss {done.best:.4f} at step {done.best_step}"
    click.echo(f"{done.steps} steps{held}. Next: tide-convert all {job.out} --base {job.model}")


@click.command("sft", short_help="Fine-tune a model by a recipe.")
@training_options("What `tide-train data split` wrote.")
def sft(given: Options) -> int:
    """Train a LoRA adapter on the train part of a split; its validation part decides which state is kept.

    The run folder holds the adapter in peft's format, run.json, metrics.jsonl, samples.jsonl and checkpoints. Then:
    tide-convert all RUN --base MODEL --install
    """
    extras.require("Fine-tuning", "train")
    from training import scenarios
    from training.sft.prepared import prepare

    job = scenarios.job(given, given.recipe(), scenarios.load(given.data))
    carry_out(job, prepare, given.dry_run)
    return 0


@click.command("families", short_help="Train an adapter for each family of scenarios.")
@training_options("What `tide-train data split` wrote.")
def families(given: Options) -> int:
    """Train one adapter for each of the paper's six families, each in a folder of its own within --out.

    Begin with a common adapter (--from): it stays where training on a family does not lower that family's held-out
    loss. Families that are finished are left as they are with --resume.
    """
    extras.require("Fine-tuning", "train")
    from training import scenarios

    scenarios.each_family(given, carry_out, click.echo)
    return 0


@click.command("mix", short_help="Mix adapters of one model by weight.")
@click.argument("adapters", nargs=-1, required=True, metavar="RUN=WEIGHT...")
@click.option("--out", type=_FOLDER, required=True, help="The folder to write.")
@click.option("--rank", type=click.IntRange(1), help="Reduce to this rank, and say what that loses.")
def mix(adapters: tuple[str, ...], out: Path, rank: int | None) -> int:
    """Write an adapter that does what the others do together, each by its weight: run-a=0.7 run-b=0.3.

    Exact without --rank; the ranks add up. Needs no base model.
    """
    extras.require("Mixing adapters", "train")
    from training import mixing

    done = mixing.mix([mixing.weighted(one) for one in adapters], out, rank)
    click.echo(f"{done}\nWritten: {out}")
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
    examples, counts = encoder.examples(chosen, max_length)
    console = Console(soft_wrap=True, highlight=False, emoji=False)
    in_colour = console.color_system is not None and not console.no_color
    console.print(shown.legend() if in_colour else shown.PLAIN_LEGEND)
    for example in examples:
        console.print(shown.coloured(encoder, example) if in_colour else shown.plain(encoder, example), markup=False)
    if counts.dropped:
        click.echo(f"{counts.dropped} of {counts.dialogues} dialogues do not fit {max_length} tokens.", err=True)
    return 0
