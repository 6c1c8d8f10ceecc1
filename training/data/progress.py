"""How far a check or a split is: one line on standard error while that is a terminal, otherwise nothing."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from training.data.findings import Say, quiet

_OFTEN = 0.2  # seconds between two changes of the line


@contextmanager
def line() -> Iterator[Say]:
    """The line is wiped at the end, whatever happened."""
    if not sys.stderr.isatty():
        yield quiet
        return
    last = 0.0

    def say(what: str, done: int, whole: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _OFTEN:
            last = time.monotonic()
            click.echo(f"\r{what}: {done:,} of {whole:,}\x1b[K", err=True, nl=False)

    try:
        yield say
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)
