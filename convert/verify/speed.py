"""How fast files decode, one after the other and that several times: what else the machine does slows all of them.

So the ratios can be believed on a busy machine, and seconds only on a quiet one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from convert.verify.runtime import Runtime
from tide_chat.progress import Say, quiet

ROUNDS = 5
PROMPT, TOKENS = 16, 64  # read at once, and decoded one at a time


@dataclass(frozen=True, slots=True)
class Speed:
    """tokens_per_second: of the best round. ratio: to the first file in the same round, the median of all rounds."""

    tokens_per_second: float
    ratio: float


def measure(files: Sequence[Path], threads: int | None = None, say: Say = quiet) -> list[Speed]:
    """One file is in memory at a time. Raises ModelUnusable, EngineError, EngineDied."""
    rounds = []
    for done in range(ROUNDS):
        rounds.append([_pace(file, threads) for file in files])
        say("measuring speed", done + 1, ROUNDS)
    by_file = list(zip(*rounds, strict=True))
    return [
        Speed(max(paces), median(pace / first for pace, first in zip(paces, by_file[0], strict=True)))
        for paces in by_file
    ]


def _pace(file: Path, threads: int | None) -> float:
    """Tokens a second. Which tokens they are makes no difference."""
    with Runtime(file, threads) as runtime:
        tokens = [number % runtime.about.vocabulary for number in range(PROMPT + TOKENS)]
        return TOKENS / runtime.pace(tokens, PROMPT)
