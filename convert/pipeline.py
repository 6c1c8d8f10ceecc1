"""From a run folder to files that the app loads, in one go: merge, write, quantize, verify, install.

Each step is a module of its own; this one only knows their order and what the files are called. What a step wrote is
kept, so a later step that fails loses nothing.
"""

import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from convert import gguf_file, imatrix, merge, quantize, sources
from convert.quantize_types import Kind
from convert.verify import Report, dialogues, verify_all
from convert.verify.report import NAME
from tide_chat.progress import bar

DIALOGUES = Path(__file__).resolve().parent.parent / "training" / "data_files" / "dialogues"
CALIBRATION, HELD_OUT = DIALOGUES / "dialogues.jsonl", DIALOGUES / "plain.jsonl"
ADAPTER = "adapter_config.json"
FULL = quantize.type_of("f16")  # what all others are made from
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for.

    name: what the files begin with. quants: names of types. base: a folder or owner/name, else what the adapter names.
    data: dialogues to verify with, else our open ones.
    """

    source: Path
    name: str
    out: Path
    quants: tuple[str, ...]
    base: str | None = None
    data: Path | None = None
    download: bool = False
    install: bool = False
    samples: int = 16
    threads: int | None = None


def run(job: Job, tell: Tell) -> list[Report]:
    """What verifying found, of the f16 file first; files of finished steps stay in `out`.

    Each step has a bar of its own, so that what is told stands between them. Raises TideError: for types that are not
    known and dialogues that cannot be read before any work.
    """
    kinds = dict.fromkeys(quantize.type_of(name) for name in job.quants)  # in that order, each once
    dialogues.load(job.data or HELD_OUT, job.samples)
    scratch = job.out / f".{job.name}.merged"
    shutil.rmtree(scratch, ignore_errors=True)  # left by a run that was killed
    try:
        folder = _merged(job, scratch / job.name, tell)
        full = _file(job, FULL)
        with bar() as say:
            gguf_file.convert(folder, full, "f16", name=job.name, say=say)
        tell(f"Written: {full}")
        files = {FULL: full} | _quantized(job, full, [kind for kind in kinds if kind != FULL], tell)
        wanted = {files[kind] for kind in kinds} if job.install else set()
        return _verified(job, list(files.values()), wanted, folder, tell)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _file(job: Job, kind: Kind) -> Path:
    return job.out / f"{job.name}-{kind.name.lower()}.gguf"


def _merged(job: Job, target: Path, tell: Tell) -> Path:
    """In f32: a base in bf16 would round the sum to 8 bits, which costs more than the 11 of f16 do afterwards."""
    if not (job.source / ADAPTER).is_file():
        return job.source
    base = sources.folder(job.base or sources.base_of(job.source), download=job.download)
    with bar() as say:
        done = merge.merge(base, [(job.source, 1.0)], target, dtype="f32", say=say)
    tell(f"Merged {job.source} into {base}: {done}")
    return target


def _quantized(job: Job, full: Path, kinds: Sequence[Kind], tell: Tell) -> dict[Kind, Path]:
    matrix = None
    if any(kind.gains for kind in kinds):
        matrix = job.out / f"{job.name}.imatrix.gguf"
        texts, names = imatrix.texts_from(CALIBRATION), [CALIBRATION.name]
        with bar() as say:
            done = imatrix.collect(full, matrix, texts, threads=job.threads, most=CHUNKS, datasets=names, say=say)
        tell(f"Written: {matrix}. {done}")
    files = {}
    for kind in kinds:
        file = files[kind] = _file(job, kind)
        with bar() as say:
            result = quantize.quantize(full, file, kind.name, imatrix=matrix, threads=job.threads, say=say)
        tell(f"Written: {file}. {result}")
    return files


CHUNKS = 16  # of 512 tokens; a few thousand tokens are enough for means of squares


def _verified(job: Job, files: Sequence[Path], wanted: Collection[Path], folder: Path, tell: Tell) -> list[Report]:
    """wanted: what to bring into the app, if it passes."""
    data = job.data or HELD_OUT
    with bar() as say:
        reports = verify_all(files, folder, dialogues=data, samples=job.samples, threads=job.threads, say=say)
    for file, report in zip(files, reports, strict=True):
        tell(str(report))
        if file in wanted and not report.passed:
            tell(f"{file.name} is not installed. All that was found: {file.with_name(NAME)}")
        elif file in wanted:
            _install(file, tell)
    return reports


def _install(file: Path, tell: Tell) -> None:
    from tide_chat.registry import import_model

    alias = import_model(file).installed.alias
    tell(f"{alias} is ready. Use it with: tide-chat --model {alias}")
