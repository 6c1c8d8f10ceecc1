"""`tide-train data pairs` and `tide-train dpo`: the options and what is printed. Loads what it needs when it runs."""

from pathlib import Path

import click

from tide_chat import extras
from training.commands import Options, carry_out, training_options
from training.preference import SEED

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("pairs", short_help="Build pairs of a better and a worse reply from a split.")
@click.argument("split", type=_FOLDER)
@click.option("--out", type=_FOLDER, required=True, help="The folder to write.")
@click.option("--seed", type=click.IntRange(0), default=SEED, show_default=True, help="Of what is drawn.")
def pairs(split: Path, out: Path, seed: int) -> int:
    """Set each reply of a split against worse ones, by four rules: it misses the message, it is generic, it piles up
    questions, it has its offer before it names the feeling.

    Writes train.jsonl, validation.jsonl and manifest.json with the hash of each. No part takes words of another. Which
    rules are trained on, and how often, is the recipe's: section [pairs].
    """
    from tide_chat.progress import bar
    from training.preference import pairs as built

    with bar() as say:
        made = built.build(split, out, seed=seed, say=say)
    for name, part in made.parts.items():
        rules = ", ".join(f"{rule} {count:,}" for rule, count in part.rules.items())
        click.echo(f"{name}: {part.pairs:,} pairs for {part.turns:,} replies ({rules}), sha256 {part.sha256[:16]}…")
    click.echo(f"Written: {out}")
    return 0


@click.command("dpo", short_help="Tune a model towards the better of two replies.")
@training_options("What `tide-train data pairs` wrote.")
def dpo(given: Options) -> int:
    """Tune an adapter by direct preference optimization on pairs of replies.

    What the model is compared with is the model as it begins: without an adapter, or with that of --from. Held-out
    pairs decide which state is kept. The run folder is that of `sft`.
    """
    extras.require("Fine-tuning", "train")
    from functools import partial

    from training.data import origins
    from training.preference import pairs as built
    from training.preference.prepare import prepare
    from training.sft.prepared import Job

    recipe, found = given.recipe(), built.read(given.data)
    train, held = (built.choose(part, recipe.pairs, recipe.training.seed) for part in (found.train, found.held))
    hashes = {part.file: part.sha256 for part in found.manifest.parts.values()}
    job = Job(
        recipe,
        given.model,
        given.out,
        sources=hashes,
        template=given.template,
        device=given.device,
        resume=given.resume,
        start=given.start,
        origins=origins.of(found.manifest.origins),
    )
    carry_out(job, partial(prepare, train, held), given.dry_run)
    return 0
