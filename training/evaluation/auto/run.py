"""A whole run: generate, measure, write the run folder. Behind `tide-eval auto`."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tide_chat.atomic import write_text
from tide_chat.errors import TideError
from tide_chat.progress import Say, quiet
from training.data.sources import SourceFile
from training.evaluation import replies as reply_files
from training.evaluation import runs
from training.evaluation.auto import describe, samples, scoring, screen
from training.evaluation.auto.generate import Generated, Plan, generate
from training.evaluation.auto.scoring import Wanted
from training.evaluation.tables import Cell, Table
from training.sft.metrics import write_run

REPLIES, APP, CACHE = "replies.jsonl", "app.jsonl", "cache"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """files: what the items came from. command: as it was typed, for run.json and under the tables."""

    plan: Plan
    files: tuple[SourceFile, ...]
    out: Path
    wanted: Wanted
    command: str


def run(job: Job, tell: Tell, say: Say = quiet) -> Table | None:
    """The table of all conditions; None where this process is not the one that writes it, or parts are lacking.

    Raises DataError, UsageError, ModelError, EngineError, MissingExtra, TideError.
    """
    shard = job.plan.shard
    earlier = runs.earlier(job.out, kind=describe.KIND)
    about = describe.run(
        job.command, job.plan.conditions, job.files, len(job.plan.items), job.plan.seed, job.plan.through
    ) | {"machines": earlier.get("machines", {})}
    try:
        if shard.leads:
            write_run(job.out, about)
        made = generate(job.plan, say)
        if made is None or (shard.meets and not shard.leads):
            tell(f"Part {shard.name} is there.")
            return None
        return _results(job, about, made, say)
    except OSError as error:
        raise TideError("The run folder cannot be written.", details=f"{job.out}: {error.strerror or error}") from error


def _results(job: Job, about: dict[str, Any], made: Generated, say: Say) -> Table:
    reply_files.write(job.out / REPLIES, made.replies)
    if any(one.app for one in made.written):
        write_text(job.out / APP, "".join(_app_lines(made)))
    samples.write(job.out, made.replies, job.plan.seed)
    found = scoring.score(made.replies, job.wanted.measures, [one.joules for one in made.written], say)
    scores, scorer = dict(found.scores), job.wanted.scorer
    if scorer:
        scores |= scoring.compare(job.out, made.replies, scorer, job.command, job.plan.seed, say)
    scoring.write_scores(job.out, made.replies, scores)
    tables = scoring.tables(found, job.command, job.plan.seed)
    if any(one.app for one in made.written):
        tables += [_app_table(made, job.command), screen.write(job.out, made.replies, made.written, job.command)]
    for table in tables:
        table.write(job.out)
    ended = {"finished": runs.now(), "generated": made.made, "of": len(made.replies)}
    machines = about["machines"] | {name: found for name, found in made.machines.items() if found}
    write_run(job.out, about | ended | {"machines": machines})
    return tables[0]


def _app_lines(made: Generated) -> Sequence[str]:
    return [
        json.dumps({"item": one.item, "model": one.model, "state": one.state, **(written.app or {})}) + "\n"
        for one, written in zip(made.replies, made.written, strict=True)
    ]


def _app_table(made: Generated, command: str) -> Table:
    """What the pipeline did, by condition."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for reply, written in zip(made.replies, made.written, strict=True):
        app = written.app or {}
        counted = counts.setdefault(reply.condition, Counter())
        counted.update([f"route: {app.get('route')}", f"tier: {app.get('tier')}", *app_events(app)])
    what = sorted({name for counted in counts.values() for name in counted})
    rows: tuple[tuple[Cell, ...], ...] = tuple((name, *(one[name] for one in counts.values())) for name in what)
    columns = ("what the app did", *(" ".join(one) for one in counts))
    note = "Replies. A reply with two actions of a kind counts once."
    return Table("app", "Routes, tiers and guard", columns, rows, note, command)


def app_events(app: dict[str, Any]) -> list[str]:
    """The cards shown and the guard's actions, each kind once, and whether the router had to do without its encoder."""
    events = [f"card: {card}" for card in app.get("cards", ())] + [f"guard: {one}" for one in app.get("guard", ())]
    return sorted(set(events)) + (["assessed without the encoder"] if app.get("reduced") else [])
