"""A whole run: ask, put together, write the run folder. Behind `tide-eval judge`."""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tide_chat.errors import TideError
from tide_chat.progress import Say, quiet
from training.data.sources import digest
from training.evaluation import runs
from training.evaluation.judge import asks, bias, material, results, rubric, store, tables
from training.evaluation.judge.asks import Ask, Judgement
from training.evaluation.judge.judges import ATTEMPTS, Judge
from training.evaluation.study import design, records
from training.evaluation.tables import Table
from training.sft.metrics import environment, write_run

KIND = "judge"
_LIBRARIES = ("krippendorff", "llama-cpp-python", "scipy")


@dataclass(frozen=True, slots=True)
class Job:
    """sources: replies.jsonl files or folders of studies. limit: texts. command: as it was typed."""

    judge: Judge
    sources: tuple[Path, ...]
    out: Path
    calls: int
    pairwise: bool
    limit: int | None
    seed: int
    command: str

    @property
    def mode(self) -> str:
        return "pairwise" if self.pairwise else "rating"


def run(job: Job, say: Say = quiet) -> list[Table]:
    """All tables, the scores or wins first. Raises DataError, UsageError, ModelError, TideError."""
    candidates = material.chosen(material.read(job.sources), job.limit, job.seed)
    planned = tuple(
        asks.comparisons(material.pairs(candidates), job.calls, job.seed)
        if job.pairwise
        else asks.ratings(candidates, job.calls, job.seed)
    )
    earlier = runs.earlier(
        job.out,
        kind=KIND,
        mode=job.mode,
        judge=job.judge.about,
        help="A run has one judge and one mode. Name a new folder with --out.",
    )
    try:
        about = _about(job, len(candidates), len(planned))
        write_run(job.out, about)
        judgements, made = _judged(job, planned, say)
        found = _results(job, judgements)
        for table in found:
            table.write(job.out)
        way = job.judge.held or earlier.get("held")
        write_run(job.out, about | {"held": way, "finished": runs.now(), "asked": made, "of": len(planned)})
    except OSError as error:
        raise TideError("The run folder cannot be written.", details=f"{job.out}: {error.strerror or error}") from error
    return found


def _judged(job: Job, planned: Sequence[Ask], say: Say) -> tuple[list[Judgement], int]:
    """All judgements, and how many were not there yet."""
    found, made = [], 0
    with store.opened(job.out) as kept:
        for number, ask in enumerate(planned):
            say("judging", number, len(planned))
            key = ask.key(job.judge)
            judgement = kept.get(key, ask)
            if judgement is None:
                judgement = asks.answer(job.judge, ask)
                kept.put(key, judgement)
                made += 1
            found.append(judgement)
    return found, made


def _results(job: Job, judgements: Sequence[Judgement]) -> list[Table]:
    names, output = job.judge.names, tables.output(judgements, job.command)
    if job.pairwise:
        contests = results.contests(judgements)
        checks = bias.of_contests(contests, judgements, names, job.seed)
        first = tables.pairs(contests, job.command, job.seed)
        agreement = tables.agreement_of_verdicts(contests, job.command)
    else:
        rated = results.rated(judgements)
        _write_gold(job.out, rated)
        checks = bias.of_ratings(rated, judgements, names, job.seed)
        first = tables.scores(rated, job.command, job.seed)
        agreement = tables.agreement_of_scores(rated, job.command)
    return [first, agreement, tables.bias(checks, job.command), output]


def _write_gold(out: Path, rated: Sequence[results.Rated]) -> None:
    """Replies without a score are not there."""
    scored = ((one.candidate, one.score) for one in rated)
    gold = (records.Gold(*one.key, round(score, 4)) for one, score in scored if score is not None)
    records.write_gold(out / records.GOLD, gold)


def _about(job: Job, replies: int, questions: int) -> dict[str, Any]:
    return {
        "kind": KIND,
        "command": job.command,
        **environment(),
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "hardware": runs.hardware(),
        "judge": job.judge.about,
        "mode": job.mode,
        "rubric": rubric.CRITERIA,
        "data": [_source(path) for path in job.sources],
        "replies": replies,
        "questions": questions,
        "calls": job.calls,
        "attempts": ATTEMPTS,
        "seed": job.seed,
        "seeds": "of each question: the first 31 bits of SHA-256 of seed, replies and call; also the order of criteria",
        "caution": tables.CAUTION,
    }


def _source(path: Path) -> dict[str, str]:
    file = path / design.FILE if path.is_dir() else path
    return {"name": file.name, "sha256": digest(file)}
