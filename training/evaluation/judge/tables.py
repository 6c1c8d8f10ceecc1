"""The tables of a run of the judge. Each says what judge scores are not."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from training.evaluation import statistics
from training.evaluation.judge import agreement
from training.evaluation.judge.asks import Judgement
from training.evaluation.judge.bias import Check
from training.evaluation.judge.judges import NO_ANSWER
from training.evaluation.judge.parse import BAD
from training.evaluation.judge.results import SPLIT, Contest, Rated
from training.evaluation.judge.rubric import CRITERIA
from training.evaluation.tables import Cell, Table

CAUTION = (
    "Scores of a language model overrate replies and miss safety faults (CounselBench); SENSE-7 found a rank "
    "correlation of .37 between a model's and people's ratings of turns. They do not stand in for raters."
)
_KINDS = (*BAD, NO_ANSWER)
_INTERVAL = "low and high: a 95 % bootstrap interval that draws whole persons (or dialogues)."


def scores(rated: Sequence[Rated], command: str, seed: int) -> Table:
    """Mean per condition. Replies without a score are counted, and are in no mean."""
    conditions = dict.fromkeys(one.candidate.condition for one in rated)
    rows = [
        _condition([one for one in rated if one.candidate.condition == condition], seed) for condition in conditions
    ]
    columns = ("model", "state", "replies", "without a score", "score", "low", "high", *CRITERIA)
    note = f"1 to 5, the mean of the calls and of the criteria. {_INTERVAL} {CAUTION}"
    return Table("judge", "Judge scores", columns, tuple(rows), note, command)


def pairs(contests: Sequence[Contest], command: str, seed: int) -> Table:
    compared: dict[tuple[tuple[str, str], tuple[str, str]], list[Contest]] = {}
    for one in contests:
        first, second = one.pair
        compared.setdefault((first.condition, second.condition), []).append(one)
    rows = tuple((" ".join(a), " ".join(b), *_compared(found, seed)) for (a, b), found in compared.items())
    columns = (
        "first",
        "second",
        "pairs",
        "not judged",
        "first wins",
        "second wins",
        "ties",
        "preference",
        "low",
        "high",
    )
    note = (
        "A call is won when both orders of the replies name the same one, and a pair by whom more calls went to; all "
        f"else is a tie. preference: wins of the first minus wins of the second, per pair. {_INTERVAL} {CAUTION}"
    )
    return Table("judge-pairs", "Pairs of replies", columns, rows, note, command)


def agreement_of_scores(rated: Sequence[Rated], command: str) -> Table:
    """Between the calls: Spearman of every two, and alpha over all, of the score and of each criterion."""
    rows = [_agreement("score", _by_call(rated, None))] + [_agreement(name, _by_call(rated, name)) for name in CRITERIA]
    columns = ("", *_pair_names(rated), "mean Spearman", "Krippendorff's alpha")
    note = (
        "Spearman of every two calls over the replies; alpha for interval data. A dash: too few values, or all alike."
    )
    return Table("judge-agreement", "Agreement between the judge's calls", columns, tuple(rows), note, command)


def agreement_of_verdicts(contests: Sequence[Contest], command: str) -> Table:
    calls = [list(call) for call in zip(*(one.calls for one in contests), strict=True)]
    whole = [call for one in contests for call in one.calls if call is not None]
    row: tuple[Cell, ...] = (
        len(calls),
        len(whole),
        agreement.alpha_of_verdicts(calls),
        whole.count(SPLIT) / len(whole) if whole else None,
    )
    columns = ("calls of each pair", "calls judged", "Krippendorff's alpha", "share where the orders disagree")
    note = "Alpha for nominal data over the calls. A dash: too few values, or all alike."
    return Table("judge-agreement", "Agreement between the judge's calls", columns, (row,), note, command)


def bias(checks: Sequence[Check], command: str) -> Table:
    rows = tuple((one.name, one.what, one.value, one.low, one.high, one.n) for one in checks)
    note = (
        "Signs and not proofs: longer replies, or the judge's own, may be better. Who wrote a reply is known by name."
    )
    return Table(
        "judge-bias", "Biases of the judge", ("bias", "what", "value", "low", "high", "n"), rows, note, command
    )


def output(judgements: Sequence[Judgement], command: str) -> Table:
    """What the judge answered, by condition of what was shown."""
    shown: dict[str, list[Judgement]] = {"all": list(judgements)}
    for one in judgements:
        shown.setdefault(" and ".join(sorted(" ".join(each.condition) for each in one.ask.shown)), []).append(one)
    rows = tuple((name, *_output(found)) for name, found in shown.items())
    columns = ("shown", "questions", "answers", "without a right one", *_KINDS)
    note = "Bad answers are asked again, twice at most. A question without a right answer is in no score."
    return Table("judge-output", "What the judge answered", columns, rows, note, command)


def _condition(found: Sequence[Rated], seed: int) -> tuple[Cell, ...]:
    model, state = found[0].candidate.condition
    there = [(one.score, one.candidate.cluster) for one in found if one.score is not None]
    counts = (model, state, len(found), len(found) - len(there))
    if not there:
        return *counts, *([None] * (3 + len(CRITERIA)))
    mean = statistics.bootstrap_mean([score for score, _ in there], [cluster for _, cluster in there], seed=seed)
    means = [one.by_criterion for one in found]
    by_criterion = (fmean(one[name] for one in means if one) for name in CRITERIA)
    return *counts, mean.value, mean.low, mean.high, *by_criterion


def _compared(found: Sequence[Contest], seed: int) -> tuple[Cell, ...]:
    there = [(one.outcome, one.pair[0].cluster) for one in found if one.outcome is not None]
    won = Counter(outcome for outcome, _ in there)
    counts = (len(found), len(found) - len(there), won[1], won[-1], won[0])
    if not there:
        return *counts, None, None, None
    mean = statistics.bootstrap_mean([outcome for outcome, _ in there], [cluster for _, cluster in there], seed=seed)
    return *counts, mean.value, mean.low, mean.high


def _by_call(rated: Sequence[Rated], criterion: str | None) -> list[list[float | None]]:
    """(calls, replies)"""

    def value(call: dict[str, int] | None) -> float | None:
        if call is None:
            return None
        return call[criterion] if criterion else fmean(call.values())

    return [[value(call) for call in calls] for calls in zip(*(one.calls for one in rated), strict=True)]


def _pair_names(rated: Sequence[Rated]) -> list[str]:
    calls = len(rated[0].calls)
    return [f"calls {i} and {j}" for i in range(1, calls + 1) for j in range(i + 1, calls + 1)]


def _agreement(name: str, calls: list[list[float | None]]) -> tuple[Cell, ...]:
    found = agreement.pairwise(calls)
    there = [value for value in found if value is not None]
    return name, *found, fmean(there) if there else None, agreement.alpha(calls)


def _output(found: Sequence[Judgement]) -> tuple[Cell, ...]:
    bad = Counter(one.why for judgement in found for one in judgement.bad)
    right = sum(one.value is not None for one in found)
    answers = right + sum(bad.values()) - bad[NO_ANSWER]
    return len(found), answers, len(found) - right, *(bad[kind] for kind in _KINDS)
