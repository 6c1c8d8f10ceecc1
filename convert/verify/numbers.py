"""KL divergence, agreement and perplexity from two sets of logits. Arrays in, numbers out; knows no model."""

from dataclasses import dataclass, field
from math import exp
from typing import Any

from convert.verify.report import Numbers

Array = Any  # numpy.ndarray

ROWS = 32  # positions worked on at a time: at 150,000 tokens of vocabulary 40 MB in double precision
MOST = 700.0  # nats: beyond this a perplexity is no double-precision number


@dataclass(slots=True)
class Tally:
    """Gathers positions. Logits have shape (positions, vocabulary); `following` is what came next, -1 for nothing."""

    _kl: list[float] = field(default_factory=list)
    _agree: int = 0
    _surprise: list[float] = field(default_factory=list)  # nats, of the runtime, one a position that was followed
    _surprise_hf: list[float] = field(default_factory=list)

    def add(self, theirs: Array, ours: Array, following: list[int]) -> None:
        """theirs: HF's. ours: the runtime's."""
        for first in range(0, len(following), ROWS):
            last = min(first + ROWS, len(following))
            self._add(theirs[first:last], ours[first:last], following[first:last])

    def _add(self, theirs: Array, ours: Array, following: list[int]) -> None:
        import numpy

        p, q = log_softmax(theirs), log_softmax(ours)
        self._kl.extend(float(x) for x in (numpy.exp(p) * (p - q)).sum(axis=-1))
        self._agree += int((theirs.argmax(axis=-1) == ours.argmax(axis=-1)).sum())
        for row, token in enumerate(following):
            if token >= 0:
                self._surprise.append(-float(q[row, token]))
                self._surprise_hf.append(-float(p[row, token]))

    def numbers(self) -> Numbers:
        """Raises ValueError when nothing was added."""
        import numpy

        if not self._kl:
            raise ValueError("no positions")
        ours, theirs = numpy.array(self._surprise or [0.0]), numpy.array(self._surprise_hf or [0.0])
        return Numbers(
            tokens=len(self._kl),
            kl_mean=float(numpy.mean(self._kl)),
            kl_p99=float(numpy.quantile(self._kl, 0.99)),
            kl_max=float(numpy.max(self._kl)),
            top_agreement=self._agree / len(self._kl),
            perplexity=exp(min(MOST, float(ours.mean()))),
            perplexity_hf=exp(min(MOST, float(theirs.mean()))),
            perplexity_error=float((ours - theirs).std() / len(ours) ** 0.5),
        )


def log_softmax(logits: Array) -> Array:
    """In double precision, so that a divergence of 1e-8 nats is not lost in rounding."""
    import numpy

    shifted = logits.astype(numpy.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    return shifted - numpy.log(numpy.exp(shifted).sum(axis=-1, keepdims=True))


def rank_and_probability(logits: Array, token: int) -> tuple[int, float]:
    """(1 for the likeliest, its probability) of one token at one position, logits of shape (vocabulary,)."""
    import numpy

    return int((logits > logits[token]).sum()) + 1, float(numpy.exp(log_softmax(logits[None])[0, token]))
