"""Run folders of the safety layer's encoders to the files that the app loads: a GGUF, beside it its heads as JSON."""

import hashlib
import json
from pathlib import Path
from typing import Any

from convert import gguf_file
from tide_chat import atomic
from tide_chat.errors import DataError
from tide_chat.safety import classifier, guard_encoder


def write(run: Path, out: Path, kind: str) -> str:
    """The risk encoder and its n-grams. Returns what was written, in words. Raises DataError, MissingExtra."""
    heads, trained = _read(run, "risk")
    try:
        ngrams = (run / "ngrams.bin").read_bytes()
    except OSError as error:
        raise _no_run("risk", error) from error
    encoder = out / classifier.ENCODER
    heads |= _encoder(run, encoder, kind, "risk", "risk-labelled messages")
    heads["ngrams_sha256"] = hashlib.sha256(ngrams).hexdigest()
    atomic.write_bytes(out / classifier.NGRAMS, ngrams)
    _write_json(out / classifier.HEADS, heads | {"trained": trained})
    return f"{_sized(encoder)}, {_sized(out / classifier.NGRAMS)} and {classifier.HEADS}"


def write_guard(run: Path, out: Path, kind: str) -> str:
    """The guard's encoder. Returns what was written, in words. Raises DataError, MissingExtra."""
    (heads, trained), encoder = _read(run, "guard"), out / guard_encoder.ENCODER
    heads |= _encoder(run, encoder, kind, "guard", "sentences that a model must not say")
    _write_json(out / guard_encoder.HEADS, heads | {"trained": trained})
    return f"{_sized(encoder)} and {guard_encoder.HEADS}"


def _read(run: Path, command: str) -> tuple[dict[str, Any], Any]:
    """The heads, and what the run says of itself."""
    try:
        heads: dict[str, Any] = json.loads((run / "heads.json").read_text(encoding="utf-8"))
        named = {head["name"] for head in heads["heads"]}
        trained = json.loads((run / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_run(command, error) from error
    if {"risk": "tier", "guard": "guard"}[command] not in named:
        raise _no_run(command, f"its heads are {', '.join(sorted(named))}")
    return heads, trained


def _no_run(command: str, why: object) -> DataError:
    return DataError(
        f"This is not the run folder of a {command} encoder.",
        details=str(why),
        help=f"Make one: tide-train {command} --out RUN",
    )


def _encoder(run: Path, file: Path, kind: str, name: str, texts: str) -> dict[str, str]:
    gguf_file.convert(
        run,
        file,
        kind,
        name=f"tide-chat {name} encoder",
        licence="apache-2.0",
        description=f"an encoder fine-tuned on hand-written {texts}; models/{name}-encoder.md",
    )
    return {"encoder_sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def _write_json(path: Path, heads: dict[str, Any]) -> None:
    atomic.write_text(path, json.dumps(heads, separators=(",", ":")) + "\n")


def _sized(file: Path) -> str:
    return f"{file} ({file.stat().st_size / 1e6:.1f} MB)"
