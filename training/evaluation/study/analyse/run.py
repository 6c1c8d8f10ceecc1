"""An analysis from the files of a study to a run folder: filters, tables, figures, run.json. Prints nothing."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from tide_chat.atomic import write_text
from tide_chat.errors import DataError, TideError
from tide_chat.progress import Say, quiet
from training.data.sources import digest
from training.evaluation import runs
from training.evaluation import tables as files
from training.evaluation.study import records
from training.evaluation.study.analyse import figures, filters
from training.evaluation.study.analyse.plan import WATERMARK, Plan, directions
from training.evaluation.study.analyse.sheet import Sheet, sheet
from training.evaluation.study.analyse.tables import (
    by_region,
    differences,
    gold,
    groups,
    means,
    order,
    powers,
    quality,
    raters,
)
from training.evaluation.study.records import SIMULATED, Key, Study
from training.evaluation.tables import Table
from training.sft.metrics import RUN, environment, write_run

KIND = "study"
_LIBRARIES = ("numpy", "scipy", "krippendorff", "matplotlib")


@dataclass(frozen=True, slots=True)
class Done:
    """tables, figures: those of this run, by file name."""

    filtered: filters.Filtered
    tables: tuple[Table, ...]
    figures: tuple[str, ...]
    simulated: bool


def analyse(folder: Path, gold_file: Path | None, out: Path, plan: Plan, say: Say = quiet) -> Done:
    """gold_file None: the last filter is not used. Raises DataError, UsageError, TideError."""
    runs.earlier(out, kind=KIND)
    study = records.read(folder)
    scores = None if gold_file is None else _gold(gold_file, study)
    plan = replace(plan, simulated=study.simulated)
    filtered = filters.apply(study, plan.bounds, scores)
    kept = sheet(study, filtered.kept)
    made = []
    for done, table in enumerate(_tables(study, kept, filtered, plan)):
        say(table.title, done, 0)
        made.append(plan.marked(table))
    drawn = _figures(kept, plan, say)
    about = _about(study, gold_file, filtered, plan)
    try:
        _write(out, made, drawn, about)
    except OSError as error:
        raise TideError("The analysis cannot be written.", details=f"{out}: {error.strerror}") from error
    return Done(filtered, tuple(made), tuple(drawn), study.simulated)


def _gold(path: Path, study: Study) -> dict[Key, float]:
    """A judge may have failed at a reply; a file without any of the rated ones is a wrong file."""
    scores = records.read_gold(path)
    rated = {one.key for one in study.ratings}
    if rated and not rated & scores.keys():
        raise DataError(
            "None of the rated replies has a gold score.",
            details=f"{path}: {len(scores)} scores; a rated reply is {', '.join(min(rated))}",
            help="Score this study: tide-eval judge STUDY. Or leave the filter out: --no-gold-filter",
        )
    return scores


def _tables(study: Study, kept: Sheet, filtered: filters.Filtered, plan: Plan) -> Iterator[Table]:
    yield raters.filtered(filtered)
    yield raters.people(kept.raters)
    yield means.means(kept, plan)
    contests = means.contests(kept)
    yield means.won(contests)
    yield means.sign_tests(contests)
    yield differences.by_model(kept, plan)
    yield differences.by_scenario(kept, plan)
    for direction in directions(plan):
        yield groups.compared(kept, direction, plan)
    yield by_region.regions(kept)
    yield quality.variance(kept)
    yield quality.agreed(kept, plan)
    yield order.order(kept, plan)
    yield powers.powers(kept, directions(plan), plan)
    if filtered.gold_used:
        yield gold.compared(kept, sheet(study, filtered.before_gold))


def _figures(kept: Sheet, plan: Plan, say: Say) -> dict[str, str]:
    """File name to SVG; without those that there is nothing for."""
    prefix = SIMULATED if plan.simulated else ""
    made = {}
    for name, draw in (("study-densities", figures.densities), ("study-regions", figures.maps)):
        say(name, 0, 0)
        if (text := draw(kept, plan)) is not None:
            made[f"{prefix}{name}.svg"] = text
    return made


def _about(study: Study, gold_file: Path | None, filtered: filters.Filtered, plan: Plan) -> dict[str, object]:
    sources = (*study.files, *([gold_file] if gold_file else []))
    return {
        "kind": KIND,
        "command": plan.command,
        "simulated": plan.simulated,
        **environment(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "hardware": runs.hardware(),
        "data": {path.name: digest(path) for path in sources},
        "seed": plan.draws.seed,
        "draws": plan.draws.count,
        "bounds": asdict(plan.bounds) | {"older_than": plan.older_than},
        "raters": len(filtered.kept),
        "filters": [asdict(step) for step in filtered.steps],
    } | ({"caution": WATERMARK} if plan.simulated else {})


def _write(out: Path, tables: list[Table], drawn: dict[str, str], about: dict[str, object]) -> None:
    """run.json last: a folder that has it is whole. What an earlier analysis left goes."""
    (out / RUN).unlink(missing_ok=True)
    for folder in (files.FOLDER, files.FIGURES):
        for path in (out / folder).glob("*study-*"):
            path.unlink()
    for table in tables:
        table.write(out)
    for name, text in drawn.items():
        write_text(out / files.FIGURES / name, text)
    write_run(out, about)
