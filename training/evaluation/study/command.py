"""`tide-eval study`: the options and what is printed. Loads what it needs when a sub-command runs."""

from pathlib import Path

import click

from tide_chat import entry, extras
from training.evaluation.study.analyse.command import analyse, simulate

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_study = click.argument("study", type=_FOLDER)


@click.group("study", short_help="The human study: make it, run it, analyse it.")
def command() -> None:
    """People rate how empathetic replies are, on a web page of this machine, without knowing who wrote them."""


command.add_command(analyse)
command.add_command(simulate)


@command.command("new", short_help="Build a study from replies.")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="REPLIES.jsonl...")
@click.option("--pairs", required=True, help="Models of each block, as the replies name them: A+B,C+D. Or one: A.")
@click.option("--scenarios", default="", help="Their names, with commas. Default: all that the replies have.")
@click.option("--dialogues", type=_FILE, help="Lines `scenario,item`: which dialogue stands for it, not the seed.")
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True, help="Of the dialogues and all orders.")
@click.option("--out", type=_FOLDER, required=True, help="The study's folder, a new one.")
@click.option("--title", default="A study of replies", show_default=True, help="What raters read on top.")
@click.option("--contact", default="", help="Who asks and how to reach them; raters read it before they agree.")
@click.option("--country", default="US", show_default=True, help="Whose help lines raters are shown.")
def new(
    files: tuple[Path, ...],
    pairs: str,
    scenarios: str,
    dialogues: Path | None,
    seed: int,
    out: Path,
    title: str,
    contact: str,
    country: str,
) -> int:
    """Build the paper's design: scenarios times blocks, and in each the models of the block, zero-shot and fine-tuned,
    beside the reference.

    REPLIES.jsonl are files of `tide-eval auto`. One dialogue stands for each scenario, drawn by --seed. A cell without
    a reply is named, and nothing is written.
    """
    from training.evaluation.study import design, draw, make

    made = make.make(
        files,
        draw.Wanted(make.blocks(pairs), make.names(scenarios), make.chosen(dialogues), seed),
        make.Shown(title, contact, country.upper()),
        out,
    )
    click.echo(make.summary(made))
    for item in draw.telltales(made.items):
        click.echo(
            f"This reply names its maker, so raters may guess it: {item.id}, {item.model} {item.state}.", err=True
        )
    click.echo(f"{out / design.FILE}\nNext: tide-eval study serve {out}")
    return 0


@command.command("serve", short_help="Offer the study's pages to raters.")
@_study
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8300, show_default=True, help="0: any that is free.")
@click.option("--open-to-network", is_flag=True, help="Allow a --host that other machines can reach.")
@click.option("--proxied-as", default="", metavar="NAME", help="The name that a reverse proxy on this machine serves.")
def serve(study: Path, host: str, port: int, open_to_network: bool, proxied_as: str) -> int:
    """Offer the pages of STUDY until Ctrl+C, and keep each answer in STUDY/raters.sqlite3.

    Only this machine reaches them by default. To let raters in from elsewhere, put a reverse proxy with TLS before it
    and name it with --proxied-as. It can be ended and started at any time: no saved answer is lost.
    """
    extras.require("Serving a study", "eval")
    from training.evaluation.study import serve as served

    place = served.Place(host, port, proxied_as, open_to_network)
    served.serve(study, place, lambda text: click.echo(text, err=True))
    return entry.INTERRUPTED


@command.command("export", short_help="Write ratings and raters as CSV files.")
@_study
@click.option(
    "--out", type=_FOLDER, required=True, help="The folder to write ratings.csv, raters.csv, study.json into."
)
def export(study: Path, out: Path) -> int:
    """Write what raters answered, for `tide-eval study analyse`. The pages may be served meanwhile."""
    from training.evaluation.study import export as exported

    raters, ratings = exported.export(study, out)
    click.echo(f"{raters} raters, {ratings} ratings: {out}")
    return 0
