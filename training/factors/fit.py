"""Makes models/factor-heads.json: python -m training.factors.fit

The same sentences, division and choice of settings as the evaluation's classifier of the three factors
(`training/evaluation/measures/fit.py`), on the vectors of the risk encoder, which the app has loaded anyway. The
evaluation keeps its own, which knows a larger encoder; this one needs no library that the app does not have.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat import atomic, paths
from tide_chat.clinician.factors import FILE
from tide_chat.engine.base import EngineSpec
from tide_chat.engine.process import ProcessEngine
from tide_chat.errors import TideError
from tide_chat.progress import Say, bar
from tide_chat.safety.classifier import ENCODER
from training.data import sources
from training.evaluation.measures import fit
from training.evaluation.measures.factors import FACTORS, Head
from training.evaluation.measures.fit import Example

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Smaller ones than the evaluation's: what tells the factors apart is a small part of a vector that was made for risk.
PENALTIES = (3e-6, 1e-5, 3e-5, 1e-4)


def vectors(encoder: Path, texts: Sequence[str], say: Say) -> "NDArray[Any]":
    """(texts, width), as the app embeds them, in a process of their own. Raises ModelError, EngineDied."""
    import numpy

    engine = ProcessEngine()
    try:
        engine.load(EngineSpec(encoder, name="risk-encoder", embedding=True, gpu="off"))
        rows = []
        for done, text in enumerate(texts, 1):
            rows.append(engine.embed(text))
            say("sentences", done, len(texts))
        return numpy.array(rows, numpy.float32)
    finally:
        engine.close()


def document(heads: Sequence[Head], ours: Sequence[Example], others: Sequence[Example], encoder: Path) -> str:
    """The file: how it was made, the encoder it belongs to, and each head with its error beside the majority's."""
    held = fit.held_out(ours)
    made = fit.about("python -m training.factors.fit", ours, others)
    rows = {
        name: asdict(head) | {"always_no_is_right": _always_no(held, index)}
        for index, (name, head) in enumerate(zip(FACTORS, heads, strict=True))
    }
    return json.dumps({"made": made, "encoder_sha256": sources.digest(encoder), "heads": rows}, indent=1) + "\n"


def right(head: Head, held: int) -> float:
    """The share of held-out sentences about which the head is right, from its rates."""
    there = int(head.error["there"])
    hits = head.error["recall"] * there
    false = head.error["false_alarms"] * (held - there)
    return (hits + held - there - false) / held


def _always_no(held: Sequence[Example], factor: int) -> float:
    return round(1 - sum(one.factors[factor] for one in held) / len(held), 4)


def main() -> int:
    encoder = paths.shipped_models() / ENCODER
    ours, others = list(fit.examples()), fit.outside()
    with bar() as say:
        texts = list(dict.fromkeys(one.text for one in (*ours, *others)))
        known = dict(zip(texts, vectors(encoder, texts, say), strict=True))
    import numpy

    heads = fit.heads(ours, others, numpy.stack([known[one.text] for one in (*ours, *others)]), PENALTIES)
    where = paths.shipped_models() / FILE
    atomic.write_text(where, document(heads, ours, others, encoder))
    held = fit.held_out(ours)
    for index, (name, head) in enumerate(zip(FACTORS, heads, strict=True)):
        sys.stdout.write(
            f"{name}: precision {head.error['precision']:.2f}, recall {head.error['recall']:.2f}, "
            f"right {right(head, len(held)):.2f} (always no: {_always_no(held, index):.2f}), "
            f"outside {head.outside['precision']:.2f} and {head.outside['recall']:.2f}\n"
        )
    sys.stdout.write(f"{where}\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TideError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
