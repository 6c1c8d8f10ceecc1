"""How many threads decode fastest right now. Bookkeeping on measured times; knows neither model nor clock.

Threads meet at spinning barriers many times a token: with a busy neighbour one thread less can be several times faster,
and on a quiet machine every core helps. So each count is probed at the start, the rate is watched, and neighbours of
the count in use are tried again: at once when it slows down, else as often as a small share of the time pays for.
"""

import os
from collections.abc import Sequence

TRIAL = 3  # tokens a trial takes; fewer is noise
TOO_SLOW = 1.5  # a trial ends at once when a token takes so many times longer than usual
SPENT_ON_TRIALS = 0.04  # share of the time that trials of slower counts may cost
REST = 12  # tokens between trials, at least
BETTER = 0.95  # a count must be this much faster to be taken


class ThreadTuner:
    """Choose among `candidates` (thread counts, any order). spent: share of the time that trials may cost."""

    def __init__(self, candidates: Sequence[int], *, spent: float = SPENT_ON_TRIALS) -> None:
        self.candidates = sorted(set(candidates))
        self._spent = spent
        self.current = self.candidates[0]
        self._usual: float | None = None  # seconds a token with `current`
        self._recent: list[float] = []
        self._debt = 0.0  # seconds that trials have cost and that decoding has not yet made up for
        self._since = 0  # tokens since the last trial
        self._trials = list(self.candidates) if len(self.candidates) > 1 else []
        self._results: dict[int, float] = {}

    @property
    def probing(self) -> bool:
        """True until each candidate was tried once."""
        return self._usual is None and bool(self._trials)

    def pick(self) -> int:
        """Threads for the next token."""
        return self._trials[0] if self._trials else self.current

    def record(self, seconds: float) -> None:
        """Time of the token decoded with `pick()` threads."""
        self._recent.append(seconds)
        if self._trials:
            self._record_trial(seconds)
        elif len(self.candidates) > 1:
            self._watch(seconds)

    def _record_trial(self, seconds: float) -> None:
        best = min(self._results.values(), default=seconds)
        self._debt += max(0.0, seconds - best)
        if len(self._recent) < TRIAL and seconds < TOO_SLOW * best:
            return
        self._results[self._trials.pop(0)] = _mean(self._recent)
        self._recent.clear()
        if not self._trials:
            self._decide()

    def _decide(self) -> None:
        results, before = self._results, self.current
        best = min(results, key=lambda count: results[count])
        if self._usual is None or results[best] < BETTER * results[before]:
            self.current = best
        if self.current != before:
            self._debt = 0.0  # what was learned pays for it
        self._usual = results[self.current]
        self._results, self._since = {}, 0

    def _watch(self, seconds: float) -> None:
        self._since += 1
        self._debt = max(0.0, self._debt - self._spent * seconds)
        if len(self._recent) < TRIAL:
            return
        recent = _mean(self._recent)
        self._recent.clear()
        usual = self._usual or recent
        slowed = recent > TOO_SLOW * usual
        if slowed or (self._since >= REST and self._debt <= 0):
            self._results, self._trials = {self.current: recent}, self._neighbours()
        else:
            self._usual = 0.8 * usual + 0.2 * recent

    def _neighbours(self) -> list[int]:
        """The nearest counts, fewer first: too few threads are a little slow, too many can be very slow."""
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


def _mean(times: Sequence[float]) -> float:
    return sum(times) / len(times)
