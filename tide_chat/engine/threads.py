"""How many threads decode fastest right now. Bookkeeping on measured times; knows neither model nor clock.

Threads meet at spinning barriers many times a token: with a busy neighbour one thread less can be several times faster,
and on a quiet machine every core helps. So each count is probed at the start, the rate is watched, and neighbours of
the count in use are tried again: soon when the rate changes, ever more rarely while it does not.
"""

import os
from collections.abc import Sequence

TRIAL = 3  # tokens a trial takes; fewer is noise
FIRST_PAUSE, LONGEST_PAUSE = 24, 384  # tokens between trials
BETTER = 0.95  # a count must be this much faster to be taken
CHANGED = 1.3  # a rate off by this factor calls for a trial at once


class ThreadTuner:
    """Choose among `candidates` (thread counts, any order)."""

    def __init__(self, candidates: Sequence[int]) -> None:
        self.candidates = sorted(set(candidates))
        self.current = self.candidates[-1]
        self._usual: float | None = None  # seconds a token with `current`
        self._recent: list[float] = []
        self._pause = FIRST_PAUSE
        self._since = 0
        self._trials = list(self.candidates) if len(self.candidates) > 1 else []
        self._results: dict[int, float] = {}

    @property
    def probing(self) -> bool:
        """True until each candidate was tried once."""
        return self._usual is None and len(self.candidates) > 1

    def pick(self) -> int:
        """Threads for the next token."""
        return self._trials[0] if self._trials else self.current

    def record(self, seconds: float) -> None:
        """Time of the token decoded with `pick()` threads."""
        self._recent.append(seconds)
        if self._trials:
            self._record_trial()
        else:
            self._watch()

    def _record_trial(self) -> None:
        if len(self._recent) < TRIAL:
            return
        self._results[self._trials.pop(0)] = _typical(self._recent)
        self._recent.clear()
        if not self._trials:
            self._decide()

    def _decide(self) -> None:
        before, results = self.current, self._results
        best = min(results, key=lambda count: results[count])
        if before not in results or best == before or results[best] < BETTER * results[before]:
            self.current = best
        changed = self.current != before
        self._pause = FIRST_PAUSE if changed else min(2 * self._pause, LONGEST_PAUSE)
        self._usual = results[self.current]
        self._results, self._since = {}, 0

    def _watch(self) -> None:
        self._since += 1
        if len(self.candidates) == 1 or len(self._recent) < TRIAL:
            return
        recent = _typical(self._recent[-TRIAL:])
        del self._recent[:-TRIAL]
        usual = self._usual or recent
        strange = not usual / CHANGED < recent < usual * CHANGED
        if self._since >= self._pause or (strange and self._since >= 2 * TRIAL):
            if strange:
                self._pause = FIRST_PAUSE
            self._results = {self.current: recent}
            self._trials = self._neighbours()
            self._recent.clear()
        else:
            self._usual = 0.9 * usual + 0.1 * recent

    def _neighbours(self) -> list[int]:
        at = self.candidates.index(self.current)
        return [self.candidates[i] for i in (at - 1, at + 1) if 0 <= i < len(self.candidates)]


def candidates(cores: int) -> list[int]:
    """Counts worth trying on a machine with so many cores of its own: 1, half, all but one, all."""
    return sorted({1, max(1, cores // 2), max(1, cores - 1), cores})


def usable_cores() -> int:
    """Cores of this process, hyper-threads not counted where the system tells."""
    import psutil

    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        allowed = os.cpu_count() or 1
    return max(1, min(physical, allowed))


def _typical(times: Sequence[float]) -> float:
    return sum(times) / len(times)
