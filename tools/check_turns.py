"""Measures risk over turns on written conversations: `python tools/check_turns.py [--encoder] [--misses]`.

A script counts as met when every turn's tier lies between what is allowed and every flag asked for is there. A false
alarm is a harmless script of which any turn comes out as T2 or higher. `held-out` was written before the rules over
turns and is never tuned on: its misses are counted and not printed, unless asked for by `--held-out-misses`.

Conversations in short messages are counted beside the scripts, those that nothing learnt from (or `--talk a,b`).
"""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tide_chat.safety.assessment import Assessment, Flag, Tier
from tide_chat.safety.classifier import Classifier
from tide_chat.safety.encoder import default_folder
from tide_chat.safety.router import Router
from tide_chat.safety.state import RiskState
from training.risk import conversations
from training.risk.conversations import Conversation

FOLDER = Path(__file__).parent.parent / "tests" / "data" / "turns"
TUNED, HELD_OUT = "scripts", "held-out"
TALK = "held-out-e,held-out-f"

Assess = Callable[[str, RiskState | None], Assessment]


@dataclass(frozen=True, slots=True)
class Script:
    """A conversation, what the person says alone. plain: words that rules alone should understand."""

    id: str
    pattern: str
    turns: Sequence[str]
    expect: Sequence[tuple[Tier, Tier]]  # for each turn the least and the gravest tier allowed
    flags: Mapping[int, Sequence[Flag]] = field(default_factory=dict)  # by turn, from 0: flags that must be there
    plain: bool = False
    known: str = ""  # why it is missed today; counted as a miss, not asserted

    @property
    def harmless(self) -> bool:
        return self.pattern == "harmless"


def scripts(name: str) -> Iterator[Script]:
    for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Script(
            row["id"],
            row["pattern"],
            tuple(row["turns"]),
            tuple((Tier[least], Tier[most]) for least, most in row["expect"]),
            {int(turn): tuple(Flag(flag) for flag in flags) for turn, flags in row.get("flags", {}).items()},
            row.get("plain", False),
            row.get("known", ""),
        )


def course(turns: Iterable[str], assess: Assess) -> list[Assessment]:
    """What is made of each turn."""
    state, found = RiskState(), []
    for turn in turns:
        found.append(assess(turn, state))
        state = state.after(found[-1], turn)
    return found


def misses(script: Script, found: Sequence[Assessment]) -> list[str]:
    """Each turn that came out otherwise than allowed, with the reasons."""
    wrong = []
    for number, (turn, got, (least, most)) in enumerate(zip(script.turns, found, script.expect, strict=True)):
        missing = [flag for flag in script.flags.get(number, ()) if flag not in got.flags]
        if not least <= got.tier <= most or missing:
            wanted = f"{least.name}-{most.name} {' '.join(missing)}".strip()
            reasons = "; ".join(map(str, got.reasons))
            wrong.append(f"{script.id}[{number}] {turn!r}: {got.tier.name}, allowed {wanted} ({reasons})")
    return wrong


def alarmed(found: Sequence[Assessment]) -> bool:
    return any(each.tier >= Tier.T2 for each in found)


def report(name: str, assess: Assess, *, show: bool) -> Iterator[str]:
    judged = [(script, course(script.turns, assess)) for script in scripts(name)]
    risky = [(script, found) for script, found in judged if not script.harmless]
    harmless = [found for script, found in judged if script.harmless]
    met = sum(not misses(script, found) for script, found in risky)
    low = sum(any(a.tier < least for a, (least, _) in zip(f, s.expect, strict=True)) for s, f in risky)
    yield f"{name}: {met} of {len(risky)} scripts met; {low} too low at some turn"
    yield f"{name}: {sum(map(alarmed, harmless))} of {len(harmless)} harmless scripts reach T2 or higher"
    for pattern in dict.fromkeys(script.pattern for script, _ in risky):
        rows = [(script, found) for script, found in risky if script.pattern == pattern]
        yield f"  {pattern}: {sum(not misses(script, found) for script, found in rows)} of {len(rows)}"
    if show:
        yield from (f"  {miss}" for script, found in judged for miss in misses(script, found))


def talk(name: str, assess: Assess) -> Iterator[str]:
    """Counts alone: of harmless conversations, of those with danger, and of messages by themselves."""
    read = [*conversations.read(conversations.FOLDER / f"{name}.jsonl")]
    judged = [(due(each), reached(each, assess)) for each in read]
    harmless = [got for at, got in judged if at is None]
    alarms = sum(got is not None for got in harmless)
    yield f"{name}: {alarms} of {len(harmless)} harmless conversations reach T2 or higher"
    danger = [(at, got) for at, got in judged if at is not None]
    never = sum(got is None for _, got in danger)
    in_time = sum(got is not None and got <= at for at, got in danger)
    yield f"{name}: of {len(danger)} with danger {in_time} reach it by the turn that has it, {never} never"
    turns = [turn for each in read for turn in each.turns if turn.so_far < Tier.T2]
    for tier in (Tier.T0, Tier.T1):
        of = [turn for turn in turns if turn.alone is tier]
        raised = sum(assess(turn.text, None).tier >= Tier.T2 for turn in of)
        yield f"  messages by themselves, {tier.name}: {raised} of {len(of)} raised to T2 or higher"


def due(conversation: Conversation) -> int | None:
    """The first turn that justifies T2 or higher."""
    return next((number for number, turn in enumerate(conversation.turns) if turn.so_far >= Tier.T2), None)


def reached(conversation: Conversation, assess: Assess) -> int | None:
    """The first turn that comes out as T2 or higher."""
    found = course((turn.text for turn in conversation.turns), assess)
    return next((number for number, each in enumerate(found) if each.tier >= Tier.T2), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", action="store_true", help="rules and encoder; without it rules alone")
    parser.add_argument("--misses", action="store_true", help="show what the tuned scripts miss")
    parser.add_argument("--held-out-misses", action="store_true", help="show those of the held-out scripts too")
    parser.add_argument("--talk", default=TALK, help="files of training/data_files/conversations")
    chosen = parser.parse_args()
    classifier = Classifier(default_folder()) if chosen.encoder else None
    try:
        assess = Router(classifier).assess
        for name, show in ((TUNED, chosen.misses), (HELD_OUT, chosen.held_out_misses)):
            for line in report(name, assess, show=show):
                print(line)
        for name in chosen.talk.split(","):
            for line in talk(name, assess):
                print(line)
    finally:
        if classifier:
            classifier.close()


if __name__ == "__main__":
    main()
