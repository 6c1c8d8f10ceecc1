"""Crisis in what people say and in replies, as the app's own rules see it, each text by itself.

What is T3 or more never reaches the model in the app, so training on it is for nothing. The rules were written for
messages: of a reply they are often wrong, which is why a person should look and nothing here is an error.
"""

from collections import Counter
from collections.abc import Sequence

from tide_chat.messages import Role
from tide_chat.progress import Say
from tide_chat.safety.assessment import Assessment, Tier
from tide_chat.safety.router import assess
from training.data.findings import Checked, Finding, Measure, Severity, of_row
from training.data.schema import Row

_LISTED = {Role.USER: Tier.T3, Role.ASSISTANT: Tier.T2}  # from here on
_NAMES = {Role.USER: "messages", Role.ASSISTANT: "replies"}
_STEP = 50  # rows between two reports of progress


def check(rows: Sequence[Row], say: Say) -> Checked:
    """Warnings: messages from T3 and replies from T2 on. Measures: how many of each tier."""
    tiers: dict[Role, Counter[Tier]] = {role: Counter() for role in _LISTED}
    found: list[Finding] = []
    for number, row in enumerate(rows):
        if number % _STEP == 0:
            say("assessing risk", number, len(rows))
        for turn, message in enumerate(row.dialogue.turns):
            seen = assess(message.text)
            tiers[message.role][seen.tier] += 1
            if seen.tier >= _LISTED[message.role]:
                kind = "crisis-message" if message.role is Role.USER else "crisis-reply"
                found.append(of_row(kind, Severity.WARNING, row, _reason(seen), turn=turn, text=message.text))
    return Checked(tuple(found), tuple(_counted(role, counts) for role, counts in tiers.items()))


def _reason(seen: Assessment) -> str:
    return f"{seen.tier.name}, {seen.reasons[0]}" if seen.reasons else seen.tier.name


def _counted(role: Role, counts: Counter[Tier]) -> Measure:
    data: dict[str, float | int | str] = {tier.name: counts[tier] for tier in Tier}
    return Measure(f"tiers of {_NAMES[role]}", ", ".join(f"{name} {count}" for name, count in data.items()), data)
