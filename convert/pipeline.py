"""From a run folder to files that the app loads, in one go: merge, write, quantize, verify, install.

Each step is a module of its own; this one only knows their order and what the files are called. What a step wrote is
kept, so a later step that fails loses nothing.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convert import gguf_file, imatrix, merge, quantize, sources
from tide_chat.progress import Say, quiet

if TYPE_CHECKING:
    from convert.verify.report import Report

DIALOGUES = Path(__file__).resolve().parent.parent / "training" / "data_files" / "dialogues"
CALIBRATION, HELD_OUT = DIALOGUES / "dialogues.jsonl", DIALOGUES / "plain.jsonl"
ADAPTER = "adapter_config.json"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for. quants: names of types; base: a folder or owner/name, else what the adapter names."""

    source: Path
    out: Path
    quants: tuple[str, ...]
    base: str | None = None
    name: str = ""
    download: bool = False
    install: bool = False
    samples: int = 16
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """One file, what verifying it found, and what the app calls it."""

    file: Path
    report: "Report"
    alias: str | None = None


def run(job: Job, tell: Tell, say: Say = quiet) -> list[Made]:
    """Raises TideError. Files of finished steps stay in `out`."""
    name = job.name or job.source.resolve().name
    job.out.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".merged-", dir=job.out))
    try:
        folder = _merged(job, scratch / name, tell, say)
        full = job.out / f"{name}-f16.gguf"
        gguf_file.convert(folder, full, "f16", name=name, say=say)
        tell(f"Written: {full}")
        files = [full, *_quantized(job, full, name, tell, say)]
        return _verified(job, files, folder, tell, say)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _merged(job: Job, target: Path, tell: Tell, say: Say) -> Path:
    if not (job.source / ADAPTER).is_file():
        return job.source
    base = sources.folder(job.base or sources.base_of(job.source), download=job.download)
    merge.merge(base, [(job.source, 1.0)], target, say=say)
    tell(f"Merged {job.source} into {base}")
    return target


def _quantized(job: Job, full: Path, name: str, tell: Tell, say: Say) -> list[Path]:
    kinds = [kind for kind in job.quants if kind.lower() != "f16"]
    matrix = None
    if any(quantize.type_of(kind).gains for kind in kinds):
        matrix = job.out / f"{name}.imatrix.gguf"
        texts, names = imatrix.texts_from(CALIBRATION), [CALIBRATION.name]
        done = imatrix.collect(full, matrix, texts, threads=job.threads, most=CHUNKS, datasets=names, say=say)
        tell(f"Written: {matrix}. {done}")
    files = []
    for kind in kinds:
        file = job.out / f"{name}-{kind.lower()}.gguf"
        result = quantize.quantize(full, file, kind, imatrix=matrix, threads=job.threads, say=say)
        tell(f"Written: {file}. {result}")
        files.append(file)
    return files


CHUNKS = 16  # of 512 tokens; a few thousand tokens are enough for means of squares


def _verified(job: Job, files: Sequence[Path], folder: Path, tell: Tell, say: Say) -> list[Made]:
    """The first file is the unquantized one: a source to quantize from, not to install."""
    from convert.verify import verify_all

    reports = verify_all(files, folder, dialogues=HELD_OUT, samples=job.samples, threads=job.threads, say=say)
    made = []
    for file, report in zip(files, reports, strict=True):
        tell(str(report))
        wanted = job.install and file is not files[0]
        if wanted:
            report.demand()
        made.append(Made(file, report, _installed(file, tell) if wanted else None))
    return made


def _installed(file: Path, tell: Tell) -> str:
    from tide_chat.registry import import_model

    done = import_model(file, None, "auto")
    tell(f"{done.installed.alias} is ready. Use it with: tide-chat --model {done.installed.alias}")
    return done.installed.alias
