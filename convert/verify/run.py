"""Verify one GGUF, or compare several, against the HF folder that they came from."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from convert.from_gguf.source import Source
from convert.verify import dialogues as held_out
from convert.verify import folder as folders
from convert.verify import page, plot, speed, structure, tokens
from convert.verify import report as reports
from convert.verify.folder import Chat, Folder
from convert.verify.measure import measure
from convert.verify.reference import Reference
from convert.verify.report import Line, Report, Stops
from convert.verify.runtime import Runtime
from tide_chat import atomic
from tide_chat.errors import TideError, UsageError
from tide_chat.progress import Say, quiet
from tide_chat.registry.download import sha256_of

SAMPLES = 8  # dialogues


def verify(
    file: Path,
    folder: Path,
    *,
    dialogues: Path | None = None,
    samples: int = SAMPLES,
    threads: int | None = None,
    say: Say = quiet,
) -> Report:
    """Hold `file` against the model in `folder`, and write `verify.json` beside it.

    dialogues: JSON lines; without them the built-in ones are used. A difference is a failing line of the report. Raises
    ModelNotFound, ModelUnusable, DataError, EngineDied and MissingExtra when nothing can be compared; then nothing is
    written.
    """
    return verify_all([file], folder, dialogues=dialogues, samples=samples, threads=threads, say=say)[0]


def verify_all(
    files: Sequence[Path],
    folder: Path,
    *,
    dialogues: Path | None = None,
    samples: int = SAMPLES,
    threads: int | None = None,
    say: Say = quiet,
) -> list[Report]:
    """`verify` for several files; the original model is loaded once. Raises as `verify` does."""
    if not files:
        raise UsageError("There is no file to verify.")
    chats = held_out.load(dialogues, samples)
    sources = [Source(file) for file in files]
    original = folders.read(folder)
    for source in sources:
        structure.refuse_another(source, original)
    reference = Reference(folder, threads, keep=len(sources) > 1)
    found = []
    for source in sources:
        report = _verify(source, original, reference, chats, threads, say)
        reports.write(report, source.path)
        found.append(report)
    return found


def compare(
    files: Sequence[Path],
    folder: Path,
    out: Path,
    *,
    dialogues: Path | None = None,
    samples: int = SAMPLES,
    threads: int | None = None,
    say: Say = quiet,
) -> list[Report]:
    """Verify all, and measure their speed; write `out` (Markdown, one row a file) and a plot beside it (.svg).

    Raises as `verify` does, and TideError when nothing can be written.
    """
    found = verify_all(files, folder, dialogues=dialogues, samples=samples, threads=threads, say=say)
    speeds = speed.measure(files, threads, say)
    picture = out.with_suffix(".svg")
    try:
        atomic.write_text(picture, plot.svg(found))
        atomic.write_text(out, page.table(found, speeds, picture.name))
    except OSError as error:
        raise TideError("The table cannot be written.", details=f"{out}: {error.strerror or error}") from error
    return found


def _verify(
    source: Source, folder: Folder, reference: Reference, chats: Sequence[Chat], threads: int | None, say: Say
) -> Report:
    lines = [
        *structure.metadata(source, folder),
        *structure.vocabulary(source, folder),
        *structure.weights(source, folder, say),
    ]
    with Runtime(source.path, threads) as runtime:
        lines += tokens.tokenisation(folder, runtime)
        lines.append(tokens.endings(folder, runtime, chats))
        if folder.template:
            lines.append(tokens.rendering(source, folder, runtime, chats))
        numbers, stops = measure(folder, runtime, reference, chats, say)
    kind = source.header.quantization
    lines.append(reports.judged(kind, numbers))
    lines += _endings(stops)
    return Report(
        file=source.path.name,
        folder=folder.path.resolve().name,
        sha256=sha256_of(source.path),
        kind=kind,
        size=source.header.size,
        bits_per_weight=source.bits_per_weight,
        lines=tuple(lines),
        numbers=numbers,
        stops=stops,
    )


def _endings(stops: Stops | None) -> Iterator[Line]:
    """Reported, not judged: a model may never have learned to end, and then its file is not at fault."""
    if stops is None:
        return
    first = f"likeliest in {stops.rank_first} of {stops.replies}, probability {stops.probability:.3f}"
    yield Line("end of a reply, learned", None, first)
    yield Line("end of a reply, emitted", None, f"{stops.emitted} of {stops.greedy} greedy replies end by themselves")
