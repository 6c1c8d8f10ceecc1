"""How long an assessment of 60 words takes on this machine, now. The only figures of the report that vary."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tide_chat.safety import join
from tide_chat.safety.classifier import Classifier
from tide_chat.safety.encoder import Unavailable, default_folder
from tide_chat.safety.router import Router, assess, prepare
from training.evaluation.safety.counting import percentile
from training.evaluation.safety.judges import PATIENCE, EncoderUnusable, Judge

WORDS = 60
TEXTS = 100
RULES_P95_MS, BOTH_P95_MS, LOADING_MS = 2.0, 15.0, 300.0
_WARM_UP = 5


def texts_of(texts: Sequence[str], words: int = WORDS, count: int = TEXTS) -> list[str]:
    """`count` texts of so many words, cut from the given ones one after the other, beginning anew where they end."""
    stream = _words(texts)
    return [" ".join(next(stream) for _ in range(words)) for _ in range(count)]


def _words(texts: Sequence[str]) -> Iterator[str]:
    while True:
        for text in texts:
            yield from text.split()


def rules(texts: Sequence[str]) -> dict[str, Any]:
    """Milliseconds for rules alone."""
    return _measured(assess, texts, RULES_P95_MS)


def both(texts: Sequence[str], folder: Path | None = None) -> dict[str, Any]:
    """Milliseconds as the app asks, with a warm encoder of its own, and how long that took to load.

    `late`: answers that came without the encoder, since it took longer than the app waits.
    """
    encoder = Classifier(folder or default_folder())
    try:
        began = time.perf_counter()
        _wait(encoder)
        loading = (time.perf_counter() - began) * 1000
        found = _measured(Router(encoder).assess, texts, BOTH_P95_MS)
    finally:
        encoder.close()
    return {**found, "loading_ms": round(loading, 1), "loading_met": loading <= LOADING_MS}


def _wait(encoder: Classifier) -> None:
    """Until the first reading is there. Raises EncoderUnusable."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            encoder.read("good morning")
            return
        except Unavailable as error:
            if time.monotonic() > end:
                raise EncoderUnusable(str(error)) from error
            time.sleep(0.005)


def _measured(judge: Judge, texts: Sequence[str], limit: float) -> dict[str, Any]:
    prepare()  # as the app does while it starts
    for text in texts[:_WARM_UP]:
        judge(text, None)
    spent, late = [], 0
    for text in texts:
        began = time.perf_counter()
        found = judge(text, None)
        spent.append((time.perf_counter() - began) * 1000)
        late += join.is_reduced(found)
    p95 = percentile(spent, 95)
    return {
        "texts": len(spent),
        "p50_ms": round(percentile(spent, 50), 2),
        "p95_ms": round(p95, 2),
        "p95_limit_ms": limit,
        "met": p95 <= limit,
        "late": late,
    }
