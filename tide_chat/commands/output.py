"""What commands print alike, the question before something is deleted, and the options for both. Decides nothing."""

import json
import sys
from collections.abc import Container, Sequence
from typing import Any

import click

from tide_chat import wording
from tide_chat.errors import UsageError
from tide_chat.terminal import is_terminal, neutral

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")
yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


def say(text: str = "") -> None:
    """A line, or several, as they are."""
    click.echo(text)


def tell(text: str, /, **values: object) -> None:
    """A line of ours, which is written in English, in the language in use."""
    say(wording.say(text, **values))


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_columns(rows: Sequence[Sequence[str]], right: Container[int] = ()) -> None:
    """A line a row, its cells below each other. right: the columns (from 0) that stand at the right edge."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        click.echo(neutral("  ".join(cells).rstrip()))


def agreed(question: str, yes: bool, what: str, *, can_ask: bool = True) -> bool:
    """Whether it may be done. what: `Deleting`. Raises UsageError where nobody can be asked."""
    if yes:
        return True
    if not (can_ask and is_terminal(sys.stdin)):
        raise UsageError(f"{what} needs a yes.", help="Add --yes.")
    return click.confirm(neutral(question), err=True)
