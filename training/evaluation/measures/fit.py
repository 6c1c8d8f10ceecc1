"""Makes `factors.json`: python -m training.evaluation.measures.fit

Each reply of our open dialogues has one part marked for each factor. A sentence is of a factor when the marked part
lies in it or covers half of it; all other sentences, and those that people say to the app, are not. People are divided
as `tide-train data split` does by default: learnt from train, settings chosen on validation, error counted on test.

All of these were written by one hand. Alone they make a classifier that finds all three factors in any nonsense, so
sentences as other models write them (`factors-outside.tsv`) are learnt too; their error is counted in folds. The
threshold was chosen on the same folds, so that error is a little too good.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat import atomic
from tide_chat.errors import DataError
from tide_chat.progress import bar
from training.data import sources, split
from training.data.assign import PAPER_SEED
from training.data.schema import Dialogue
from training.evaluation.measures.factors import FACTORS, FILE, Classifier, Head, vectors
from training.evaluation.measures.text import sentences
from training.evaluation.metrics import encoders

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCES = ("open:dialogues", "open:plain")  # with every factor marked
OUTSIDE = Path(__file__).with_name("factors-outside.tsv")
FOLDS, TIMES = 4, 20  # of the sentences outside; how often each of them counts
PENALTIES = (3e-5, 1e-4, 3e-4)  # of the squared weights, against the mean loss
COVERED = 0.5  # of a sentence
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence. factors: one truth for each of FACTORS. split: train, validation or test."""

    text: str
    factors: tuple[bool, ...]
    split: str
    reply: bool  # of a reply, or what the person said
    dialogue: str


def examples() -> Iterator[Example]:
    """Every sentence of the first exchanges. Raises DataError."""
    marked = _marked()
    for name, dialogue in _divided():
        said, reply = dialogue.exchanges[0]
        for sentence in sentences(reply):
            truth = tuple(_is_of(sentence, span, reply) for span in marked[dialogue.dialogue_id])
            yield Example(sentence, truth, name, True, dialogue.dialogue_id)
        for sentence in sentences(said):
            yield Example(sentence, (False,) * len(FACTORS), name, False, dialogue.dialogue_id)


def _divided() -> Iterator[tuple[str, Dialogue]]:
    """Each dialogue and the split it is in."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "split"
        manifest = split.split(out, SOURCES)
        for name in manifest.splits:
            yield from ((name, dialogue) for dialogue in split.read(out, manifest, name))


def _marked() -> dict[str, tuple[str, ...]]:
    """The marked parts by dialogue, in the order of FACTORS."""
    lines = (line for path in _files() for line in path.read_text(encoding="utf-8").splitlines())
    rows = [json.loads(line) for line in lines]
    return {row["dialogue_id"]: tuple(row["factors"][name] for name in FACTORS) for row in rows}


def _files() -> list[Path]:
    return [path for name in SOURCES for path in sources.files_of(name)]


def _is_of(sentence: str, span: str, reply: str) -> bool:
    if span in sentence:
        return True
    start, first = reply.index(sentence), reply.index(span)
    shared = min(start + len(sentence), first + len(span)) - max(start, first)
    return shared >= COVERED * len(sentence)


def outside() -> list[Example]:
    """The sentences of OUTSIDE; their split is a fold, 0 to FOLDS - 1. Raises DataError."""
    made = []
    for line in OUTSIDE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        labels, text = line.split("\t")
        if unknown := set(labels.split(",")) - {*FACTORS, "-"}:
            raise DataError("There is no such factor.", details=f"{OUTSIDE.name}: {', '.join(unknown)}")
        fold = int(hashlib.sha256(text.encode()).hexdigest(), 16) % FOLDS
        made.append(Example(text, tuple(name in labels.split(",") for name in FACTORS), str(fold), True, ""))
    return made


def fit(ours: Sequence[Example], others: Sequence[Example], known: "NDArray[Any]") -> Classifier:
    """known (ours + others, 384): the vectors."""
    encoder = {"name": "all-MiniLM-L6-v2", "sha256": encoders.digest(encoders.minilm("Fitting the classifier"))}
    how = about("python -m training.evaluation.measures.fit", ours, others)
    return Classifier(heads(ours, others, known), how | {"encoder": encoder})


def held_out(ours: Sequence[Example]) -> list[Example]:
    """The sentences of replies on which the error is counted."""
    return [one for one in ours if one.split == "test" and one.reply]


def about(command: str, ours: Sequence[Example], others: Sequence[Example]) -> dict[str, Any]:
    """Of what and how, for the file of the heads."""
    held = held_out(ours)
    return {
        "command": command,
        "sources": [{"name": path.name, "sha256": sources.digest(path)} for path in (*_files(), OUTSIDE)],
        "split": f"persona-disjoint, seed {PAPER_SEED}: learnt from train, chosen on validation, error on test",
        "learnt_from": sum(one.split == "train" for one in ours) + len(others),
        "held_out": {"sentences": len(held), "dialogues": len({one.dialogue for one in held})},
        "outside": {"sentences": len(others), "folds": FOLDS},
    }


def heads(
    ours: Sequence[Example],
    others: Sequence[Example],
    known: "NDArray[Any]",
    penalties: Sequence[float] = PENALTIES,
) -> tuple[Head, ...]:
    """One for each of FACTORS. known (ours + others, width): the vectors."""
    return tuple(_Task(ours, others, known, factor).head(penalties) for factor in range(len(FACTORS)))


class _Task:
    """One factor. Arrays with `x` are of our own dialogues, with `o` of the sentences outside."""

    def __init__(self, ours: Sequence[Example], others: Sequence[Example], known: "NDArray[Any]", factor: int) -> None:
        import numpy

        self.x, self.o = known[: len(ours)], known[len(ours) :]
        self.truth = numpy.array([one.factors[factor] for one in ours])
        self.o_truth = numpy.array([one.factors[factor] for one in others])
        self.split = numpy.array([one.split if one.reply or one.split == "train" else "" for one in ours])
        self.fold = numpy.array([int(one.split) for one in others])

    def head(self, penalties: Sequence[float]) -> Head:
        """The penalty and threshold that do best on validation and on the folds outside together; errors beside."""
        tried = [self._with(penalty) for penalty in penalties]
        _, threshold, (weight, bias), apart = max(tried, key=lambda one: one[0])
        test = self.split == "test"
        error = _rates(_chances(self.x[test], weight, bias) >= threshold, self.truth[test])
        away = _rates(apart >= threshold, self.o_truth)
        return Head(tuple(round(float(x), DIGITS) for x in weight), round(bias, DIGITS), threshold, error, away)

    def _with(self, penalty: float) -> "tuple[float, float, tuple[NDArray[Any], float], NDArray[Any]]":
        """(how good, threshold, weights, chances of the sentences outside by models that did not learn them)."""
        import numpy

        apart = numpy.zeros(len(self.o))
        for fold in range(FOLDS):
            there = self.fold == fold
            apart[there] = _chances(self.o[there], *self._learnt(penalty, ~there))
        made = self._learnt(penalty, numpy.ones(len(self.o), bool))
        chosen = self.split == "validation"
        chances = _chances(self.x[chosen], *made)
        good, threshold = max(
            (_good(_rates(chances >= t, self.truth[chosen])) + _good(_rates(apart >= t, self.o_truth)), t)
            for t in (step / 50 for step in range(5, 46))
        )
        return good, threshold, made, apart

    def _learnt(self, penalty: float, kept: "NDArray[Any]") -> "tuple[NDArray[Any], float]":
        import numpy

        train = self.split == "train"
        x, y = numpy.vstack([self.x[train], self.o[kept]]), numpy.append(self.truth[train], self.o_truth[kept])
        weights = numpy.append(numpy.ones(train.sum()), numpy.full(kept.sum(), TIMES))
        return _regression(x.astype(float), y, weights / weights.sum(), penalty)


def _good(rates: dict[str, float]) -> float:
    """F with precision counting twice as much: a long reply has many sentences that may be taken for a factor."""
    precision, recall = rates["precision"], rates["recall"]
    return 1.25 * precision * recall / max(1e-9, 0.25 * precision + recall)


def _regression(
    x: "NDArray[Any]", y: "NDArray[Any]", share: "NDArray[Any]", penalty: float
) -> "tuple[NDArray[Any], float]":
    """Weights (384,) and bias of the logistic regression. share (n,): of each row in the loss; their sum is 1."""
    import numpy
    from scipy.optimize import minimize

    sign = numpy.where(y, 1.0, -1.0)

    def loss(parameters: "NDArray[Any]") -> "tuple[float, NDArray[Any]]":
        weight, bias = parameters[:-1], parameters[-1]
        margin = sign * (x @ weight + bias)
        pull = -sign * share / (1 + numpy.exp(margin))
        value = share @ numpy.logaddexp(0, -margin) + penalty * (weight @ weight)
        return float(value), numpy.append(x.T @ pull + 2 * penalty * weight, pull.sum())

    best = minimize(loss, numpy.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return best[:-1], float(best[-1])


def _chances(x: "NDArray[Any]", weight: "NDArray[Any]", bias: float) -> "NDArray[Any]":
    import numpy

    made: NDArray[Any] = 1 / (1 + numpy.exp(-(x @ weight + bias)))
    return made


def _rates(found: "NDArray[Any]", truth: "NDArray[Any]") -> dict[str, float]:
    """Precision, recall, the share of all other sentences that is taken for the factor, and how many have it."""
    hits, claimed, there = int((found & truth).sum()), int(found.sum()), int(truth.sum())
    false = (claimed - hits) / max(1, len(truth) - there)
    rates = {"precision": hits / max(1, claimed), "recall": hits / max(1, there), "false_alarms": false}
    return {name: round(value, DIGITS) for name, value in rates.items()} | {"there": there}


def main() -> None:
    with bar() as say:
        ours, others = list(examples()), outside()
        made = fit(ours, others, vectors([one.text for one in (*ours, *others)], say))
    atomic.write_text(FILE, made.to_text())
    for name, head in zip(FACTORS, made.heads, strict=True):
        sys.stdout.write(f"{name}: threshold {head.threshold}, held out {head.error}, outside {head.outside}\n")


if __name__ == "__main__":
    main()
