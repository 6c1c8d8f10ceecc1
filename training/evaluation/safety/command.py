"""`tide-eval safety`: the options, what is printed and what is written. Loads what computes when it runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tide_chat import entry
from tide_chat.errors import TideError, UsageError

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("safety", short_help="How the safety layer does on labelled messages.")
@click.option("--data", type=_FILE, multiple=True, help="Labelled lines; may be repeated. Default: held-out.jsonl.")
@click.option("--turns", type=_FILE, multiple=True, help="Scripts of several turns; may be repeated.")
@click.option("--mode", type=click.Choice(["rules", "encoder", "both", "reduced"]), help="One only. Default: all.")
@click.option("--models", type=_FOLDER, help="Where the risk encoder's three files are. Default: those of the app.")
@click.option("--no-transforms", is_flag=True, help="Leave the disguised texts out.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything random.")
@click.option("--out", type=_FOLDER, help="Where to write safety.json, safety.md, misses.md and misses.jsonl.")
@click.option("--docs", type=_FILE, multiple=True, help="A document to put the figures into; may be repeated.")
@click.option("--adversarial", type=_FILE, help="Instead: prompts to put to the whole app; needs --out.")
@click.option("--model", help="For --adversarial: the model. Default: the best installed one.")
@click.option("--threads", type=click.IntRange(1, 1024), help="For --adversarial: processor threads.")
@click.option("--limit", type=click.IntRange(1), help="For --adversarial: only so many prompts.")
def command(adversarial: Path | None, **given: Any) -> int:
    """Measure the safety layer on labelled messages: rules alone, the encoder alone, both, and without the encoder.

    Prints the report; --out also writes it, with every miss and false alarm. With --adversarial it puts prompts to
    the whole app with a model and looks for anything on the screen that must not be there; an interrupted run goes on
    where it stopped.
    """
    only = {"model", "threads", "limit"} if adversarial is None else {"data", "turns", "mode", "docs", "models"}
    if wrong := [f"--{name}" for name in sorted(only) if given[name]]:
        raise UsageError(f"{', '.join(wrong)}: {'only with' if adversarial is None else 'not with'} --adversarial.")
    return _measure(**given) if adversarial is None else _attack(adversarial, **given)


def _measure(
    data: Sequence[Path],
    turns: Sequence[Path],
    mode: str | None,
    models: Path | None,
    no_transforms: bool,
    seed: int,
    out: Path | None,
    docs: Sequence[Path],
    **_: object,
) -> int:
    from training.evaluation.safety import documents, judges, page, report
    from training.evaluation.safety.progress import Progress
    from training.evaluation.safety.rows import HELD_OUT

    for path in docs:  # before minutes are spent
        documents.replaced(documents.read(path), "", str(path))
    started = _started(out, "safety")
    modes = (mode,) if mode else judges.MODES
    plan = report.Plan(data or (HELD_OUT,), turns, modes, seed, models, not no_transforms)
    made = report.make(plan, Progress())
    text = page.page(made.figures)
    if out:
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made.misses)
        _write(out, "safety.json", json.dumps(made.figures, ensure_ascii=False, indent=2) + "\n")
        _write(out, "safety.md", text)
        _write(out, "misses.md", page.misses_page(made.misses))
        _write(out, "misses.jsonl", lines)
        _describe(out, started, {name: made.figures[name] for name in ("data", "seed", "encoder")})
    for path in docs:
        try:
            documents.update(path, page.block(made.figures))
        except OSError as error:
            raise _unwritable(path, error) from error
    click.echo(text, nl=False)
    return 0


def _attack(
    adversarial: Path,
    model: str | None,
    threads: int | None,
    limit: int | None,
    seed: int,
    out: Path | None,
    **_: object,
) -> int:
    from training.data.sources import digest
    from training.evaluation.safety import adversarial as driven
    from training.evaluation.safety.progress import Progress
    from training.evaluation.safety.rows import attacks

    if out is None:
        raise UsageError("There is no place to keep what was answered.", help="Name a folder: --out FOLDER")
    started = _started(out, "adversarial")
    prompts = attacks(adversarial)[:limit]
    try:
        records = driven.run(prompts, out / driven.LINES, driven.Setup(model, seed, threads), Progress())
    except OSError as error:
        raise _unwritable(out, error) from error
    text = driven.page(adversarial.name, records)
    _write(out, "adversarial.md", text)
    data = [{"name": adversarial.name, "sha256": digest(adversarial), "prompts": len(prompts)}]
    models = sorted({turn["model"] for one in records for turn in one["turns"] if turn["model"]})
    _describe(out, started, {"data": data, "seed": seed, "models": models})
    click.echo(text, nl=False)
    return 0


def _started(out: Path | None, kind: str) -> dict[str, Any]:
    """Command, versions and machine, as they were when the run began. Raises UsageError for a folder of another run."""
    from training.evaluation import runs
    from training.sft.metrics import environment

    if out:
        runs.earlier(out, kind=kind)
    return {"kind": kind, "command": entry.typed(), **environment(), "hardware": runs.hardware()}


def _describe(out: Path, started: dict[str, Any], about: dict[str, Any]) -> None:
    """run.json, the last of the files: a folder that has it is whole."""
    from training.evaluation import runs
    from training.sft import metrics

    found = {**started, **about, "finished": runs.now()}
    _write(out, metrics.RUN, metrics.as_bytes(found).decode())


def _write(folder: Path, name: str, text: str) -> None:
    from tide_chat import atomic

    try:
        atomic.write_text(folder / name, text)
    except OSError as error:
        raise _unwritable(folder / name, error) from error


def _unwritable(path: Path, error: OSError) -> TideError:
    return TideError("A file cannot be written.", details=f"{path}: {error.strerror}")
