"""The risk encoder's run folder to the files that the app loads: a GGUF, beside it its heads as JSON, and n-grams."""

import hashlib
import json
from pathlib import Path

from convert import gguf_file
from tide_chat import atomic
from tide_chat.errors import DataError
from tide_chat.safety.classifier import ENCODER, HEADS, NGRAMS


def write(run: Path, out: Path, kind: str) -> str:
    """Returns what was written, in words. Raises DataError, MissingExtra."""
    try:
        heads = json.loads((run / "heads.json").read_text(encoding="utf-8"))
        trained = json.loads((run / "run.json").read_text(encoding="utf-8"))
        ngrams = (run / "ngrams.bin").read_bytes()
    except (OSError, ValueError) as error:
        raise DataError(
            "This is not the run folder of a risk encoder.",
            details=str(error),
            help="Make one: tide-train risk --out RUN",
        ) from error
    encoder = out / ENCODER
    gguf_file.convert(
        run,
        encoder,
        kind,
        name="tide-chat risk encoder",
        licence="apache-2.0",
        description="an encoder fine-tuned on hand-written risk-labelled messages; models/risk-encoder.md",
    )
    heads["encoder_sha256"] = hashlib.sha256(encoder.read_bytes()).hexdigest()
    heads["ngrams_sha256"] = hashlib.sha256(ngrams).hexdigest()
    heads["trained"] = trained
    atomic.write_bytes(out / NGRAMS, ngrams)
    atomic.write_text(out / HEADS, json.dumps(heads, separators=(",", ":")) + "\n")
    return f"{encoder} ({encoder.stat().st_size / 1e6:.1f} MB), {NGRAMS} ({len(ngrams) / 1e6:.1f} MB) and {HEADS}"
