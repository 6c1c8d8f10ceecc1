"""Which part of the items a process answers, and waiting until the others have theirs. Needs no torch.

Processes meet in the cache's folder alone: a run is complete when every key is there, whoever wrote it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tide_chat.errors import TideError, UsageError
from training.sft import devices

T = TypeVar("T")

GLANCE = 1.0  # seconds between two looks at what the others have written
PATIENCE = 1800.0  # seconds in which nobody writes anything


@dataclass(frozen=True, slots=True)
class Shard:
    """rank: 0 to world - 1. meets: whether the others run now, so that the leader can wait for them."""

    rank: int = 0
    world: int = 1
    local: int = 0  # number among the processes of this machine
    meets: bool = True

    @property
    def leads(self) -> bool:
        return self.rank == 0

    @property
    def name(self) -> str:
        return f"{self.rank + 1}-of-{self.world}"

    def of(self, whole: Sequence[T]) -> list[T]:
        return list(whole[self.rank :: self.world])


def find(given: str | None) -> Shard:
    """From `1/4` (parts run by hand), else from what torchrun and accelerate launch set. Raises UsageError."""
    if given is not None:
        return _by_hand(given)
    found = devices.from_environment()
    return Shard(found.rank, found.world, found.local)


def _by_hand(given: str) -> Shard:
    try:
        number, world = map(int, given.split("/"))
    except ValueError:
        number, world = 0, 0
    if not 1 <= number <= world:
        raise UsageError("A shard is a part of the whole, as 1/4.", details=f"got {given!r}")
    return Shard(number - 1, world, 0, meets=False)


def wait(lacking: Callable[[], int], say: Callable[[int], None], patience: float = PATIENCE) -> None:
    """Until `lacking` gives 0; `say` hears each number. Raises TideError when it stays the same for too long."""
    left, since = lacking(), time.monotonic()
    while left:
        say(left)
        time.sleep(GLANCE)
        if (now := lacking()) != left:
            left, since = now, time.monotonic()
        elif time.monotonic() - since > patience:
            raise TideError(
                f"{left} replies of other processes did not come.",
                details=f"Nothing was written for {patience:.0f} s.",
                help="Run the same command again: what is there is kept.",
            )
