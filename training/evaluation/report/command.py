"""`tide-eval report`: the options and what is printed."""

from pathlib import Path

import click

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("report", short_help="One report from the results of the others.")
@click.argument("runs", metavar="RUN...", type=_FOLDER, nargs=-1, required=True)
@click.option("--out", type=_FOLDER, required=True, help="The folder to write: report.html, report.md and figures.")
def command(runs: tuple[Path, ...], out: Path) -> int:
    """Put what other evaluations left in their run folders on one page that can be handed on.

    report.html needs no other file and no network; report.md says the same, with the figures beside it. A report
    that is already in the folder is replaced.
    """
    from training.evaluation.report import collect, markdown, page, publish

    found = collect.read_all(runs)
    files = {"report.html": page.page(found), "report.md": markdown.page(found), **markdown.figures(found)}
    publish.publish(out, files)
    tables, figures = sum(len(run.tables) for run in found), sum(len(run.figures) for run in found)
    click.echo(f"Runs: {len(found)}, tables: {tables}, figures: {figures}. Open {out / 'report.html'}")
    return 0
