"""How the processes of a run find each other, and what is said when one is lost. Knows no model and no data.

A process that ends closes its connections, and the others see that at their next exchange. One that is there and does
not answer, or whose machine is gone, is waited for as long as EXCHANGE says.
"""

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Thread

from tide_chat.errors import TideError

JOIN = 60.0  # seconds in which all have to come
EXCHANGE = 600.0  # seconds; between two exchanges the leader plans, and writes samples and checkpoints
_lost = Event()  # another process is


def join() -> None:
    """Once a program, for good: processes cannot meet twice at one address. Raises TideError after JOIN seconds."""
    import torch.distributed

    if torch.distributed.is_initialized():
        return
    failed: list[Exception] = []

    def connect() -> None:
        try:
            kind = "nccl" if torch.cuda.is_available() else "gloo"
            torch.distributed.init_process_group(kind, timeout=timedelta(seconds=EXCHANGE))
        except Exception as error:  # noqa: BLE001 - a thread's; told below
            failed.append(error)

    # In a thread, since the library waits for ever where another program listens at the address and says nothing.
    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(JOIN)
    if thread.is_alive() or failed:
        _lost.set()
        raise _not_found(failed[0] if failed else None)
    atexit.register(torch.distributed.destroy_process_group)


@contextmanager
def exchanges(world: int) -> Iterator[None]:
    """What the library says when another of `world` processes is lost, in words. Raises TideError."""
    if world == 1:
        yield
        return
    import torch.distributed

    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.distributed.DistError) and "gloo" not in str(error):
            raise
        _lost.set()
        raise TideError(
            "Another process of this run has ended or does not answer.",
            details=_brief(error),
            help="Its own output says why. Start all of them again, with --resume if the run folder has a run.json.",
        ) from error


def leave(code: int) -> None:
    """End the program here if another process was lost: at the usual end the library's waiting threads abort it."""
    if _lost.is_set():
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _not_found(error: Exception | None) -> TideError:
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    rank, world, host, port = (os.environ.get(name, "?") for name in names)
    said = _brief(error) if error else f"Not all came within {JOIN:.0f} seconds."
    return TideError(
        "The processes of this run did not find each other.",
        details=f"Process {rank} of {world}, at {host}:{port}. {said}",
        help="Start all of them at once. MASTER_ADDR and MASTER_PORT name an address of the first machine where no "
        "other program listens.",
    )


def _brief(error: Exception) -> str:
    """Its first sentence, without the place in the library's source."""
    line = (str(error).splitlines() or [""])[0]
    return (line.partition("] ")[2] if line.startswith("[") else line).partition(". ")[0]
