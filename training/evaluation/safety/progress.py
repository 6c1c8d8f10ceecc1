"""One line on stderr that says how far a long run is. Rewrites itself on a terminal, speaks rarely elsewhere."""

import sys
import time

import click

_OFTEN, _RARELY = 0.2, 10.0  # seconds between two words


class Progress:
    """Call it with what is being done and how far it is."""

    def __init__(self) -> None:
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._last = time.monotonic()

    def __call__(self, what: str, done: int, whole: int) -> None:
        now = time.monotonic()
        if now - self._last < (_OFTEN if self._terminal else _RARELY) and not (self._terminal and done == whole):
            return
        self._last = now
        if self._terminal:
            click.echo(f"\r{what}: {done} of {whole}\x1b[K", err=True, nl=done == whole)
        else:
            click.echo(f"{what}: {done} of {whole}", err=True)
