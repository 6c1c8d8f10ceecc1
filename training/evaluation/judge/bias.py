"""Known biases of judges, measured on a run: length, order, and favour for the judge's own replies.

A figure here is a sign and no proof: longer replies may be better replies, and a judge's own may be too.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from training.evaluation import statistics
from training.evaluation.judge import agreement
from training.evaluation.judge.asks import Judgement
from training.evaluation.judge.material import Candidate
from training.evaluation.judge.results import Contest, Rated
from training.evaluation.judge.rubric import FIRST, TIE


@dataclass(frozen=True, slots=True)
class Check:
    """value None: cannot be told here, and `what` says why. n: what the value was computed from."""

    name: str
    what: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0


def of_ratings(
    rated: Sequence[Rated], judgements: Sequence[Judgement], names: Collection[str], seed: int
) -> list[Check]:
    return [_length(rated), _criterion_order(judgements, seed), _own_score(rated, names, seed)]


def of_contests(
    contests: Sequence[Contest], judgements: Sequence[Judgement], names: Collection[str], seed: int
) -> list[Check]:
    return [_longer_wins(contests, seed), _position(judgements, seed), _own_wins(contests, names, seed)]


def own(candidate: Candidate, names: Collection[str]) -> bool:
    """Whether the judge wrote it, as far as names tell."""
    return candidate.model.casefold() in {name.casefold() for name in names}


def _length(rated: Sequence[Rated]) -> Check:
    value, n = agreement.spearman([one.score for one in rated], [_words(one.candidate) for one in rated])
    return Check("length", "Spearman of score and words", value, n=n)


def _criterion_order(judgements: Iterable[Judgement], seed: int) -> Check:
    found = [
        (one.value[one.ask.criteria[0]] - one.value[one.ask.criteria[-1]], one.ask.shown[0].cluster)
        for one in judgements
        if isinstance(one.value, dict)
    ]
    return _mean("order of criteria", "asked first minus asked last, points", found, seed)


def _own_score(rated: Sequence[Rated], names: Collection[str], seed: int) -> Check:
    groups: dict[str, tuple[list[float], list[float], str]] = {}
    for one in rated:
        if one.score is not None:
            sides = groups.setdefault(one.candidate.group, ([], [], one.candidate.cluster))
            (sides[0] if own(one.candidate, names) else sides[1]).append(one.score)
    found = [
        (sum(mine) / len(mine) - sum(others) / len(others), cluster)
        for mine, others, cluster in groups.values()
        if mine and others
    ]
    what = "own minus other replies to the same text, points"
    return _mean("self-preference", what if found else _untold(any(mine for mine, *_ in groups.values())), found, seed)


def _longer_wins(contests: Iterable[Contest], seed: int) -> Check:
    found = []
    for one in contests:
        gap = _words(one.pair[0]) - _words(one.pair[1])
        if one.outcome and gap:
            found.append((float((gap > 0) == (one.outcome > 0)), one.pair[0].cluster))
    return _mean("length", "share of wins that went to the longer reply", found, seed)


def _position(judgements: Iterable[Judgement], seed: int) -> Check:
    decided = [one for one in judgements if one.value not in (None, TIE)]
    found = [(float(one.value == FIRST), one.ask.shown[0].cluster) for one in decided]
    return _mean("position", "share of choices for the reply shown first; 0.5 is none", found, seed)


def _own_wins(contests: Iterable[Contest], names: Collection[str], seed: int) -> Check:
    found, wrote = [], False
    for one in contests:
        mine = [own(side, names) for side in one.pair]
        wrote |= any(mine)
        if one.outcome is not None and mine[0] != mine[1]:
            found.append((float(one.outcome if mine[0] else -one.outcome), one.pair[0].cluster))
    what = "wins minus losses of own replies, per pair"
    return _mean("self-preference", what if found else _untold(wrote), found, seed)


def _untold(wrote: bool) -> str:
    """wrote: whether any reply is the judge's own."""
    if wrote:
        return "not told: no text has a reply of the judge and one of another model"
    return "not told: by its name, the judge did not write any of these"


def _words(candidate: Candidate) -> int:
    return len(candidate.text.split())


def _mean(name: str, what: str, found: Sequence[tuple[float, str]], seed: int) -> Check:
    if not found:
        return Check(name, what)
    values, clusters = zip(*found, strict=True)
    mean = statistics.bootstrap_mean(values, clusters, seed=seed)
    return Check(name, what, mean.value, mean.low, mean.high, len(found))
