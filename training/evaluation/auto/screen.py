"""What the app showed beside what the model wrote: how many replies have a fault before and after it.

For runs through the app. The faults are rules (`measures.writing`, `measures.safety`); whether a reply makes sense is
none of them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tide_chat.atomic import write_text
from training.evaluation.auto import scoring
from training.evaluation.auto.cache import Written
from training.evaluation.measures import safety, writing
from training.evaluation.replies import Reply
from training.evaluation.tables import Cell, Table

TABLE, FAULTS = "screen", "faults.jsonl"
Values = list[float]
FAULT_OF: dict[str, Callable[[Sequence[Reply]], Values]] = {
    "Loops": writing.loops,
    "Speaker label or control token": writing.role_leaks,
    "Repeats the system prompt": writing.prompt_leaks,
    "Ends in mid-sentence": writing.unfinished,
    "Broken opening": writing.broken_openings,
    "The guard would hold something back": safety.violations,
    "A stock phrase": writing.stock_phrases,
    "Empty": lambda replies: [float(not reply.text.strip()) for reply in replies],
}
_NOTE = (
    "Replies that have it. Written: what the model wrote to its own end, of the replies for which it was asked. "
    "Screen: all replies as they were shown, authored words included. Seconds: until the last word that was shown."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """Of one condition. written: what the model wrote, for the replies for which it was asked. screen: all replies."""

    name: str
    written: list[Reply]
    screen: list[Reply]

    @property
    def columns(self) -> tuple[str, str]:
        return f"{self.name}, written", f"{self.name}, screen"


def write(run: Path, replies: Sequence[Reply], written: Sequence[Written], command: str) -> Table:
    """The table, and for reading a file of the replies with a fault on the screen. Raises OSError."""
    found = shown(replies, written)
    wrote = {(reply.condition, reply.item): reply.text for one in found for reply in one.written}
    lines = [
        {"fault": fault, "item": reply.item, "model": reply.model, "state": reply.state, "said": reply.said[-1],
         "shown": reply.text, "wrote": wrote.get((reply.condition, reply.item))}
        for one in found for fault, of in FAULT_OF.items()
        for reply, value in zip(one.screen, of(one.screen), strict=True) if value
    ]  # fmt: skip
    write_text(run / FAULTS, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return table(found, command)


def shown(replies: Sequence[Reply], written: Sequence[Written]) -> list[Shown]:
    """By condition. A reply on the screen counts as ended, whoever ended it."""
    found: dict[tuple[str, str], Shown] = {}
    for reply, one in zip(replies, written, strict=True):
        of = found.setdefault(reply.condition, Shown(" ".join(reply.condition), [], []))
        of.screen.append(replace(reply, finish="stop"))
        if one.app and one.app["wrote"] is not None:
            of.written.append(replace(reply, text=one.app["wrote"], finish=one.app["wrote_finish"]))
    return list(found.values())


def table(found: Sequence[Shown], command: str) -> Table:
    """A row for each fault; then how many replies there are, their words, and seconds."""
    sides = [side for one in found for side in (one.written, one.screen)]
    rows: list[tuple[Cell, ...]] = [("Replies", *map(len, sides))]
    rows += [(fault, *(int(sum(of(side))) for side in sides)) for fault, of in FAULT_OF.items()]
    rows.append(("Words, mean", *(scoring.mean(writing.length(side)) for side in sides)))
    times = [
        None if side is one.written else scoring.mean([r.seconds for r in side])
        for one in found
        for side in (one.written, one.screen)
    ]
    rows.append(("Seconds, mean", *times))
    columns = ("what", *(column for one in found for column in one.columns))
    return Table(TABLE, "What reached the screen", columns, tuple(rows), _NOTE, command, digits=1)
