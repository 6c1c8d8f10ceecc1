"""Puts adversarial prompts to the whole app with a real model, and looks at what reached the screen.

Two judges that know nothing of each other look at every reply: the guard itself, once more over the whole text, and the
list in `forbidden.py`. A line is written for each prompt as it ends, so that an interrupted run goes on where it was.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tide_chat.compose import Session
from tide_chat.config import Settings, with_options
from tide_chat.engine.base import FinishReason
from tide_chat.errors import DataError, ModelError
from tide_chat.events import Done, Notice, TextDelta, TurnResult
from tide_chat.progress import Say
from tide_chat.safety import join
from tide_chat.safety.guard import Gate, default_screen
from tide_chat.safety.guard_screen import Reading
from tide_chat.turn import Companion
from training.evaluation.lines import adding, whole
from training.evaluation.safety import forbidden
from training.evaluation.safety.rows import Attack

LINES = "adversarial.jsonl"
COUNTRY = "US"  # whose lines the cards have; the guard knows those of every country
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setup:
    """What all prompts of a run share. `model` None: the best installed one."""

    model: str | None = None
    seed: int = 0
    threads: int | None = None

    def settings(self) -> Settings:
        return with_options(Settings(country=COUNTRY), model=self.model, seed=self.seed, threads=self.threads)


def run(attacks: Sequence[Attack], path: Path, setup: Setup, say: Say) -> list[Json]:
    """The records of these prompts, in their order. What `path` already holds is not asked again, but judged anew.

    Raises OSError, DataError, ModelError.
    """
    keys = {attack.id: _key(attack, setup) for attack in attacks}
    done = {one["id"]: one for one in _read(path) if keys.get(one["id"]) == one["key"]}
    missing = [attack for attack in attacks if attack.id not in done]
    if missing:
        with Session(setup.settings()) as session, adding(path) as file:
            for record in ask(session.companion, missing, keys):
                file.add(record)
                done[record["id"]] = record
                say("adversarial prompts", len(done), len(attacks))
    return [_judged(done[attack.id]) for attack in attacks]


def ask(companion: Companion, attacks: Iterable[Attack], keys: dict[str, str]) -> Iterator[Json]:
    """Each prompt in a conversation of its own. Raises ModelError."""
    for attack in attacks:
        companion.clear()
        companion.pinned_cards = ()
        turns = [_turn(companion, text) for text in attack.turns]
        yield {"id": attack.id, "key": keys[attack.id], "category": attack.category, "turns": turns}


def _turn(companion: Companion, text: str) -> Json:
    events = list(companion.reply(text))
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    notices = [event.text for event in events if isinstance(event, Notice)]
    (done,) = (event for event in events if isinstance(event, Done))
    if isinstance(done.result.error, ModelError):
        raise done.result.error
    return _described(done.result, shown, notices)


def _described(result: TurnResult, shown: str, notices: list[str]) -> Json:
    return {
        "route": result.route,
        "tier": result.assessment.tier.name,
        "reduced": join.is_reduced(result.assessment),
        "cards": list(result.cards),
        "finish": str(result.finish_reason),
        "guard": list(result.guard),
        "model": result.model,
        "shown": shown,
        "notices": notices,
        "error": result.error.message if result.error else None,
        "violations": list(violations(shown, authored=result.route == "authored")),
    }


def _judged(record: Json) -> Json:
    """The record with what the guard and the list of today say."""
    turns = [
        {**turn, "violations": list(violations(turn["shown"], authored=turn["route"] == "authored"))}
        for turn in record["turns"]
    ]
    return {**record, "turns": turns}


def violations(shown: str, *, authored: bool = False) -> Iterator[Json]:
    """What should not be in a shown reply. Authored text is reviewed by people; only the list looks at it."""
    for category, words in forbidden.found(shown):
        yield {"by": "list", "category": category, "words": words}
    if authored:
        return
    for part in _parts(shown):
        gate = Gate()
        gate.feed(part)
        gate.flush(FinishReason.STOP)
        for held in gate.held:
            yield {"by": "guard", "category": held.category, "words": held.text}
        if not gate.held and (finding := Reading(default_screen()).gravest(part)):
            yield {"by": "guard", "category": finding.category, "words": finding.rule}


def _parts(shown: str) -> list[str]:
    """The model's own words, cut where the guard put a line: what stood on both sides of it was never one thought."""
    lines = [re.escape(line) for answer in default_screen().book.answers.values() for line in answer.lines]
    return [part for part in re.split("|".join(lines), shown) if part.strip()]


# -- the file of a run -----------------------------------------------------------------------------------------------


def _key(attack: Attack, setup: Setup) -> str:
    """Tells whether a line is the answer to this prompt under this set-up."""
    text = json.dumps([attack.category, attack.turns, setup.model, setup.seed])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(path: Path) -> Iterator[Json]:
    """The whole lines; one that was being written when the run ended is dropped. Raises DataError, OSError."""
    if not path.is_file():
        return
    for number, line in enumerate(whole(path.read_bytes()).splitlines(), 1):
        try:
            record = json.loads(line)
            record["id"], record["key"], record["turns"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError("A line is not a record of a run.", details=f"{path.name}:{number}") from error
        yield record


# -- the page --------------------------------------------------------------------------------------------------------


def page(name: str, records: Sequence[Json]) -> str:
    """adversarial.md."""
    turns = [turn for record in records for turn in record["turns"]]
    model = ", ".join(sorted({turn["model"] for turn in turns if turn["model"]})) or "none was needed"
    hit = [record for record in records if any(turn["violations"] for turn in record["turns"])]
    said = (
        f"`{name}`: {len(records)} prompts, {len(turns)} turns, model {model}. "
        f"Prompts with anything on the screen that must not be there: {len(hit)}."
    )
    parts = ["# Adversarial prompts against the whole app", said]
    for title, counts in (
        ("Violations by category", Counter(f"{v['category']} ({v['by']})" for t in turns for v in t["violations"])),
        ("What the guard did", Counter(action for turn in turns for action in turn["guard"])),
        ("Routes", Counter(turn["route"] for turn in turns)),
        ("Tiers", Counter(turn["tier"] for turn in turns)),
        ("How replies ended", Counter(turn["finish"] for turn in turns if turn["route"] == "model")),
        ("Trouble", Counter(trouble for turn in turns for trouble in _trouble(turn))),
    ):
        parts += [f"## {title}", _counted(counts)]
    parts += ["## By category", _by_category(records), "## Violations", _listed(hit)]
    return "\n\n".join(parts) + "\n"


def _trouble(turn: Json) -> Iterator[str]:
    if turn["error"]:
        yield turn["error"]
    if turn["reduced"]:
        yield "assessed without the encoder"
    if not turn["shown"].strip():
        yield "nothing was shown"


def _counted(counts: "Counter[str]") -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "\n".join(f"- {name}: {count}" for name, count in ordered) or "None."


def _by_category(records: Sequence[Json]) -> str:
    rows = ["| category | prompts | with a violation | authored replies |", "|---|---|---|---|"]
    for category in sorted({record["category"] for record in records}):
        of = [record for record in records if record["category"] == category]
        bad = sum(any(turn["violations"] for turn in record["turns"]) for record in of)
        authored = sum(turn["route"] == "authored" for record in of for turn in record["turns"])
        rows.append(f"| {category} | {len(of)} | {bad} | {authored} |")
    return "\n".join(rows)


def _listed(hit: Iterable[Json]) -> str:
    lines = [
        f"- {record['id']}, turn {number}, {one['by']}, {one['category']}: {' '.join(one['words'].split())}"
        for record in hit
        for number, turn in enumerate(record["turns"], 1)
        for one in turn["violations"]
    ]
    return "\n".join(lines) or "None."
