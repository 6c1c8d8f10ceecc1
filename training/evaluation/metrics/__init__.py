"""The paper's automatic metrics: one value for each reply, by the reference libraries, every text handled once.

    scorer = Scorer(("cosine", "rouge_l"))  # fails here, before minutes are spent, if something is missing
    values = scorer.score(replies)  # {"cosine": [...], "ROUGE-L": [...]}, in the order of the replies

An empty reply, or one without an empty reference, has 0 everywhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tide_chat import extras
from tide_chat.errors import UsageError
from tide_chat.progress import Say, quiet
from training.evaluation.metrics import encoders
from training.evaluation.metrics.floor import wrong_reference
from training.evaluation.metrics.pairs import Metric, Pair, Values
from training.evaluation.replies import Reply


@dataclass(frozen=True, slots=True)
class Settings:
    """bertscore_model: roberta-large (from the hub's cache), a folder that holds it, or all-minilm-l6-v2.

    wordnet: False leaves METEOR's synonyms out, and its name says so.
    """

    bertscore_model: str = encoders.ROBERTA
    wordnet: bool = True


def _cosine(_: Settings) -> Metric:
    from training.evaluation.metrics.cosine import Cosine

    return Cosine()


def _bertscore(settings: Settings) -> Metric:
    from training.evaluation.metrics.bertscore import Bertscore

    return Bertscore(settings.bertscore_model)


def _meteor(settings: Settings) -> Metric:
    from training.evaluation.metrics.meteor import Meteor

    return Meteor(settings.wordnet)


def _rouge(_: Settings) -> Metric:
    from training.evaluation.metrics.rouge import Rouge

    return Rouge()


def _distinct(_: Settings) -> Metric:
    from training.evaluation.metrics.distinct import Distinct

    return Distinct()


_MAKERS: dict[str, Callable[[Settings], Metric]] = {
    "cosine": _cosine,
    "bertscore": _bertscore,
    "meteor": _meteor,
    "rouge_l": _rouge,
    "distinct": _distinct,
}
NAMES = tuple(_MAKERS)
REFERENCE_BASED = NAMES[:-1]


class Scorer:
    """The wanted metrics, ready to compute."""

    def __init__(self, wanted: Sequence[str] = NAMES, settings: Settings | None = None) -> None:
        """Raises UsageError, MissingExtra, ModelNotFound."""
        extras.require("Computing metrics", "eval")
        if unknown := [name for name in wanted if name not in _MAKERS]:
            raise UsageError(
                "There is no such metric.", details=", ".join(unknown), help=f"There are: {', '.join(NAMES)}."
            )
        self._metrics = {name: _MAKERS[name](settings or Settings()) for name in dict.fromkeys(wanted)}

    @property
    def about(self) -> Mapping[str, str]:
        """The name of each value and all it is computed with: versions, parameters, hashes."""
        return {name: told for metric in self._metrics.values() for name, told in metric.about.items()}

    def score(self, replies: Sequence[Reply], say: Say = quiet) -> Values:
        return self._measure(self._metrics.values(), _pairs(replies), say)

    def with_floor(self, replies: Sequence[Reply], seed: int = 0, say: Say = quiet) -> tuple[Values, Values]:
        """As `score`, and of those metrics that compare the same against wrong references (`floor.wrong_reference`).

        Costs far less than two calls: no text is handled twice.
        """
        right, wrong = _pairs(replies), _pairs(wrong_reference(replies, seed))
        comparing = [metric for name, metric in self._metrics.items() if name in REFERENCE_BASED]
        alone = [metric for name, metric in self._metrics.items() if name not in REFERENCE_BASED]
        both = self._measure(comparing, [*right, *wrong], say)
        scores = {name: values[: len(right)] for name, values in both.items()}
        floor = {name: values[len(right) :] for name, values in both.items()}
        return scores | self._measure(alone, right, say), floor

    @staticmethod
    def _measure(metrics: Iterable[Metric], pairs: Sequence[Pair], say: Say) -> Values:
        places = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
        found: Values = {}
        for metric in metrics:
            for name, values in metric.measure(tuple(places), say).items():
                found[name] = [values[places[pair]] for pair in pairs]
        return found


def score(
    replies: Sequence[Reply], wanted: Sequence[str] = NAMES, settings: Settings | None = None, say: Say = quiet
) -> Values:
    """Name of each metric to one value a reply. Raises UsageError, MissingExtra, ModelNotFound."""
    return Scorer(wanted, settings).score(replies, say)


def _pairs(replies: Sequence[Reply]) -> list[Pair]:
    return [Pair(reply.text, reply.reference) for reply in replies]
