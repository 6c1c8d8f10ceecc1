"""How far a long piece of work of the developers' commands is, told to whoever asked for it. Knows no work."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str, int, int], None]  # what is being done, how much is done, of how much


def quiet(_what: str, _done: int, _total: int) -> None:
    """For callers that do not watch."""


@contextmanager
def bar() -> Iterator[Say]:
    """A bar on standard error while it is a terminal; otherwise nothing. It is wiped at the end, whatever happened.

    The words beside it may change with every step.
    """
    if not sys.stderr.isatty():
        yield quiet
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)
