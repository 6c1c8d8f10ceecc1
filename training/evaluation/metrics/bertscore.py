"""BERTScore F1 (Zhang et al., 2019) by the `bert_score` library, a text that is in many pairs encoded once.

The pairs go to the library in blocks of those that share texts, so that memory does not grow with their number.
With roberta-large the value rescaled by the library's baseline stands beside the raw one; published values are
either, and the paper's look raw. A substitute encoder has neither a baseline nor comparable values.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from tide_chat.progress import Say
from training.evaluation.metrics import encoders
from training.evaluation.metrics.encoders import Encoder
from training.evaluation.metrics.pairs import Pair, Values
from training.hushed import hushed

NAME = "BERTScore F1"
_BLOCK = 1024  # pairs
_BATCH = {"cpu": 16, "cuda": 256}  # texts; on a processor larger batches fall out of its cache and are slower


class Bertscore:
    def __init__(self, model: str) -> None:
        """Raises ModelNotFound, MissingExtra."""
        self._encoder = encoders.for_bertscore(model)
        self.name = name(self._encoder)
        self._baseline = baseline(self._encoder)

    @cached_property
    def about(self) -> Mapping[str, str]:
        one = self._encoder
        weights = f"weights {encoders.digest(one.folder)[:12]}, no idf, the tokens that fit the encoder"
        raw = {self.name: f"{settings(one, rescaled=False)}, {weights}; not rescaled"}
        if self._baseline is None:
            return raw
        return raw | {f"{self.name}, rescaled": f"{settings(one, rescaled=True)}, baseline {self._baseline:.6f}"}

    def measure(self, pairs: Sequence[Pair], say: Say) -> Values:
        values = dict.fromkeys(pairs, 0.0)
        whole = together([pair for pair in values if not pair.empty])
        with hushed():
            scorer = load(self._encoder) if whole else None
        for start in range(0, len(whole), _BLOCK):
            say(self.name, start, len(whole))
            block = whole[start : start + _BLOCK]
            values.update(zip(block, f1(scorer, block), strict=True))
        return dict(self._named([values[pair] for pair in pairs]))

    def _named(self, raw: list[float]) -> Iterator[tuple[str, list[float]]]:
        yield self.name, raw
        if (low := self._baseline) is not None:
            yield f"{self.name}, rescaled", [(value - low) / (1 - low) for value in raw]


def together(pairs: Sequence[Pair]) -> list[Pair]:
    """In an order in which those that share a reply or a reference are close."""
    first: dict[str, str] = {}
    for pair in pairs:
        first.setdefault(pair.text, pair.reference)
    return sorted(pairs, key=lambda pair: (first[pair.text], pair.text))


def name(encoder: Encoder) -> str:
    """The plain name is for what is published; a substitute says what it is."""
    return NAME if encoder.name == encoders.ROBERTA else f"{NAME} ({encoder.name}, layer {encoder.layer})"


def settings(encoder: Encoder, *, rescaled: bool) -> str:
    """What the library calls the hash: encoder, layer, versions."""
    from bert_score.utils import get_hash

    return str(get_hash(encoder.name, encoder.layer, False, rescaled, False, False))


def baseline(encoder: Encoder) -> float | None:
    """The library's F1 of unrelated English sentences; None for an encoder that it has none for."""
    path = files("bert_score") / "rescale_baseline" / "en" / f"{encoder.name}.tsv"
    if not path.is_file():
        return None
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return next(float(row["F"]) for row in rows if int(row["LAYER"]) == encoder.layer)


@cache  # several measures of a run ask for the same
def load(encoder: Encoder) -> Any:
    """The library's BERTScorer."""
    from bert_score import BERTScorer

    where = encoders.device()
    return BERTScorer(str(encoder.folder), num_layers=encoder.layer, device=where, batch_size=_BATCH[where])


def f1(scorer: Any, pairs: Sequence[Pair]) -> list[float]:
    """pairs: none empty; the library fails on those."""
    texts, references = [pair.text for pair in pairs], [pair.reference for pair in pairs]
    found = scorer.score(texts, references, batch_size=scorer.batch_size)[2]
    return [float(value) for value in found]
