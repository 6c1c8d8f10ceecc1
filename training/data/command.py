"""`tide-train data`: the options and what is printed. Loads what it needs when a sub-command runs."""

import json
from pathlib import Path

import click

from tide_chat.errors import DataError, UsageError

_FOLDER = click.Path(path_type=Path, file_okay=False)
_sources = click.argument("sources", nargs=-1)
_columns = click.option("--columns", default="", help="Which column holds what: user=text,reply=answer.")


@click.group("data", short_help="Fetch, check and split the dialogues.")
def command() -> None:
    """Dialogues to train on.

    SOURCES are `open` (the default: the dialogues that come with the project), `open:plain`, `open:dialogues`, `tide`
    (after `fetch`), or your own csv, tsv, json, jsonl and parquet files and folders of them.
    """


@command.command("check", short_help="Look for everything that should not be trained on.")
@_sources
@_columns
@click.option(
    "--tokenizer", type=click.Path(path_type=Path), help="A tokenizer.json, or a folder with one: counts tokens."
)
@click.option("--max-length", type=click.IntRange(1), default=1024, show_default=True, help="Tokens of a dialogue.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every finding.")
def check_command(
    sources: tuple[str, ...], columns: str, tokenizer: Path | None, max_length: int, as_json: bool
) -> int:
    """Check the form of every row, repetitions, endings, personal data, crisis, stock phrases and leakage.

    Ends with 4 when there are errors. Nothing is changed and no model is loaded.
    """
    from tide_chat.progress import bar
    from training.data import check
    from training.data.schema import Columns
    from training.data.sources import DEFAULT

    with bar() as say:
        report = check.check(
            sources or DEFAULT, columns=Columns.parse(columns), tokenizer=tokenizer, max_length=max_length, say=say
        )
    click.echo(json.dumps(report.to_dict(), ensure_ascii=False) if as_json else report.to_text().rstrip("\n"))
    return 0 if report.passed else DataError.exit_code


@command.command("split", short_help="Split into train, validation and test.")
@_sources
@_columns
@click.option("--out", type=_FOLDER, required=True, help="The folder to write.")
@click.option("--shares", default="80,10,10", show_default=True, help="Percent of train, validation, test.")
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True, help="Of the order of people and rows.")
@click.option("--paper", is_flag=True, help="Rows at random, 6,000 to 4,000, as in the paper. Leaks people.")
def split_command(sources: tuple[str, ...], columns: str, out: Path, shares: str, seed: int, paper: bool) -> int:
    """Write train.jsonl, validation.jsonl, test.jsonl and manifest.json with the hash of each.

    No person and no nearly equal text is on two sides, unless --paper asks for the paper's split; then what leaks is
    printed. The same sources, seed and shares give the same bytes on every machine.
    """
    from tide_chat.progress import bar
    from training.data import split
    from training.data.schema import Columns
    from training.data.sources import DEFAULT

    with bar() as say:
        made = split.split(
            out,
            sources or DEFAULT,
            columns=Columns.parse(columns),
            shares=_shares(shares),
            seed=seed,
            as_in_paper=paper,
            say=say,
        )
    click.echo(made.note)
    for name, part in made.splits.items():
        click.echo(f"{name}: {part.rows:,} dialogues of {part.personas} persons, sha256 {part.sha256[:16]}…")
    click.echo(f"Leakage: {made.leakage}." if made.leakage.any else "Leakage: none.")
    click.echo(f"Written: {out}")
    return 0


@command.command("fetch", short_help="Fetch TIDE from the hub. Uses the network.")
@click.argument("dataset", type=click.Choice(["tide"]), default="tide", expose_value=False)
@click.option("--accept-licence", is_flag=True, help="You have read the licence and accept it. Remembered.")
@click.option("--revision", default="main", show_default=True, help="Branch, tag or commit.")
def fetch_command(accept_licence: bool, revision: str) -> int:
    """Fetch TIDE, the paper's dataset, into the hub's cache. Its licence is shown and has to be accepted once.

    The hub gives it only to accounts that accepted its terms there; HF_TOKEN says which account.
    """
    from training.data import tide

    fetched = tide.fetch(accept=accept_licence, revision=revision)
    click.echo(f"{tide.REPO} at {fetched.revision}: {fetched.folder}")
    return 0


def _shares(given: str) -> tuple[float, float, float]:
    """From percents. Raises UsageError."""
    try:
        train, validation, test = (float(part) / 100 for part in given.split(","))
    except ValueError as error:
        raise UsageError(
            "The shares cannot be read.", details=given, help="Write three percents, as 80,10,10."
        ) from error
    return train, validation, test
