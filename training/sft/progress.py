"""How far a run is: one bar on standard error while that is a terminal. Knows only what it is told."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str, int, int], None]


@contextmanager
def bar() -> Iterator[Say]:
    """The words beside the bar may change with every step."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _whole: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, whole: progress.update(task, description=what, completed=done, total=whole)
