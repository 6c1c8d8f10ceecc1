"""What the router concludes about a message: tier, flags and readable reasons. Never shown to the user as a score."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Tier(IntEnum):
    T0 = 0  # ordinary talk, idiom, fiction
    T1 = 1  # heavy distress, no wish to die
    T2 = 2  # passive wish to die, burden, self-injury urges
    T3 = 3  # active ideation, intent, method, preparation, goodbye
    T4 = 4  # plan, intent and means within a day, or an act in progress


class Flag(StrEnum):
    HARM_TO_OTHERS = "harm_to_others"
    ABUSE_NOW = "abuse_now"
    MEDICAL_EMERGENCY = "medical_emergency"
    PSYCHOSIS_MANIA = "psychosis_mania"
    EATING_DISORDER = "eating_disorder"
    MINOR = "minor"
    WORRIED_THIRD_PARTY = "worried_third_party"
    METHOD_SEEKING = "method_seeking"
    AI_DEPENDENCE = "ai_dependence"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the rule that fired, the words it saw, and what was really written there."""

    rule: str
    words: str
    span: tuple[int, int] | None = field(default=None, compare=False)  # of the message, in characters
    written: str = field(default="", compare=False)

    def __str__(self) -> str:
        if not self.words:
            return self.rule
        if not self.written or _plain(self.written) == _plain(self.words):
            return f"{self.rule}: “{self.written or self.words}”"
        return f"{self.rule}: “{self.written}” ({self.words})"


def _plain(words: str) -> str:
    """Letters and digits alone, so that case, punctuation and apostrophes are no difference."""
    return "".join(char for char in words.lower() if char.isalnum())


@dataclass(frozen=True, slots=True)
class Assessment:
    tier: Tier = Tier.T0
    flags: tuple[Flag, ...] = ()
    subject: str = "none"  # self, other, fiction, none
    time: str = "none"  # now, past, future, none
    reasons: tuple[Reason, ...] = ()
    scenarios: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)  # chances; for wording only
