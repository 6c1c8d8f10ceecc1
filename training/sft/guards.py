"""What stands around a run: Ctrl+C waits for the end of a step, the CPU gives the same bits, and full memory has words.

Knows the recipe's names for what to change, and nothing of the loop.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch

from tide_chat.errors import TideError
from training.recipe import Recipe

STDERR = 2
ANSWER = b"\nEnding after this step, with a checkpoint. Ctrl+C again ends at once.\n"


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Ctrl+C and a polite kill become a wish, fulfilled between steps; the second one acts at once.

    Ctrl+C is answered, since a step may take minutes.
    """
    wish = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return

    def note(number: int, _frame: Any) -> None:
        if wish.is_set():
            raise KeyboardInterrupt
        wish.set()
        if number == signal.SIGINT:
            with suppress(OSError):  # past Python's own buffers: one of them may be in use at this moment
                os.write(STDERR, ANSWER)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deterministic(device: str) -> Iterator[None]:
    """On the CPU, where it costs nothing that counts."""
    if device != "cpu" and (torch.cuda.is_available() or torch.backends.mps.is_available()):
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


@contextmanager
def out_of_memory(recipe: Recipe) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_memory(error):
            raise
        tokens = max(recipe.data.max_length, recipe.training.tokens_per_pass // 2)
        raise TideError(
            "There is not enough memory for this recipe.",
            details=str(error).splitlines()[0] if str(error) else "",
            help=f"Try --set training.tokens_per_pass={tokens}, --set training.batch=1, then "
            "--set training.checkpointing=true. A run with checkpoints goes on with --resume only as it was begun.",
        ) from error


def _is_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error) or "out of memory" in str(error)
