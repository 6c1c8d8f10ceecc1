"""Rules and encoder together. Either may raise the tier; only the rules' explicit reasons make it harder to raise.

Knows assessments and readings, no texts. The encoder speaks in readable reasons and never as a score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier
from tide_chat.safety.classifier import Reading, Thresholds

_Key = TypeVar("_Key", int, str)

REDUCED = "the check is reduced: the encoder did not take part"
HEAVY = 0.5  # chance of T1 or higher from which the encoder says T1
FIRMER = 0.55  # share of what is left to certainty that is asked for on top

# Chance of T2 or higher from which what the rules found counts. What is said in plain words always does.
DONE = 0.05  # what is done, held or stood at, where the encoder is all but certain that nothing is meant
DOUBTFUL = 0.08  # words that often stand in harmless messages as well
TOGETHER = 0.25  # small signs that say much together, in a long message by accident too

NOT_BORNE_OUT = "words that are often harmless, and the encoder does not bear them out"

_LIKE = {
    Tier.T2: "sounds like a wish to be dead, being a burden, or self-injury",
    Tier.T3: "sounds like intent, a way, preparation or goodbye",
    Tier.T4: "sounds like something that is happening now or today",
}
SOUNDS = {tier: f"{like}, to the encoder" for tier, like in _LIKE.items()}
COUNTED = {tier: f"{like}, by its n-grams" for tier, like in _LIKE.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """Words that the rules found, and the chance of T2 or higher that the encoder has to give them."""

    tier: Tier
    needed: float
    place: tuple[int, int] = (0, 0)  # in what the encoder reads; not used where nothing is needed


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules know beside their verdict.

    excused: an explicit rule lowered what they found. denied: the message is a plain denial and nothing else.
    """

    excused: bool = False
    found: tuple[Found, ...] = ()
    denied: bool = False

    def borne_out(self, chance: float) -> Tier:
        """The gravest tier found that counts where the encoder gives this chance."""
        return max((each.tier for each in self.found if chance >= each.needed), default=Tier.T0)

    def in_doubt(self, chance: float) -> tuple[tuple[int, int], ...]:
        """Places of what would be graver than all that counts at this chance."""
        least = max(self.borne_out(chance), Tier.T1)
        return tuple(each.place for each in self.found if each.tier > least)


def join(rules: Assessment, readings: Sequence[Reading], limits: Thresholds, context: Context) -> Assessment:
    """The graver of both. Tier and flags of the parts of a long text are taken together."""
    heard = max((_tier(reading, limits, context) for reading in readings), default=Tier.T0)
    gravest = max(readings, key=lambda reading: reading.at_least(2), default=None)
    said = context.borne_out(gravest.at_least(2)) if gravest else rules.tier
    flags = _flags(readings, limits)
    reasons = list(rules.reasons)
    if said < rules.tier:
        reasons.insert(0, Reason(NOT_BORNE_OUT, ""))
    if heard > max(said, Tier.T1):
        reasons.insert(0, Reason(SOUNDS[heard], ""))
    reasons += [Reason(f"the encoder, {flag}", "") for flag in flags if flag not in rules.flags]
    tier = max(said, heard)
    found = {*rules.flags, *flags}
    return replace(
        rules,
        tier=tier,
        flags=tuple(flag for flag in Flag if flag in found),
        subject=_subject(rules, gravest, tier),
        time=gravest.time if gravest else rules.time,
        reasons=tuple(reasons),
        scenarios=_scenarios(readings),
    )


def counted(rules: Assessment, readings: Sequence[Reading], limits: Thresholds, context: Context) -> Assessment:
    """The graver of the rules and of T2 or higher by n-grams, where they have to do without the encoder."""
    heard = max((_tier(reading, limits, context) for reading in readings), default=Tier.T0)
    if heard <= max(rules.tier, Tier.T1):
        return rules
    return replace(rules, tier=heard, reasons=(Reason(COUNTED[heard], ""), *rules.reasons))


def without_encoder(rules: Assessment, why: str) -> Assessment:
    """What was found without it, with a reason that says so."""
    return replace(rules, reasons=(Reason(REDUCED, why), *rules.reasons))


def firmer(limits: Thresholds) -> Thresholds:
    """For several messages read together: the greater part of what is left to certainty is asked for on top.

    The encoder was taught single messages, and several are more likely to look like something that none of them is; in
    more words there are more signs. For a window of a long text too, which is a message without what explains it.
    """
    return replace(
        limits,
        tiers=_firmer(limits.tiers),
        excused=_firmer(limits.excused),
        flags=_firmer(limits.flags),
    )


def _firmer(limits: Mapping[_Key, float]) -> dict[_Key, float]:
    return {key: limit + FIRMER * (1 - limit) for key, limit in limits.items()}


def is_reduced(assessment: Assessment) -> bool:
    return any(reason.rule.startswith("the check is reduced") for reason in assessment.reasons)


def _tier(reading: Reading, limits: Thresholds, context: Context) -> Tier:
    """First whether there is anything grave at all, then how grave it is."""
    chosen = _chosen(reading, limits, context)
    if context.denied or reading.at_least(2) < chosen[2]:
        return Tier.T1 if reading.at_least(1) >= HEAVY else Tier.T0
    return next((tier for tier in (Tier.T4, Tier.T3) if reading.at_least(tier) >= chosen[int(tier)]), Tier.T2)


def asked(reading: Reading, limits: Thresholds) -> Thresholds:
    """More of a window, and more again where it is one of several messages read together."""
    return firmer(limits) if reading.window else limits


def _chosen(reading: Reading, limits: Thresholds, context: Context) -> Mapping[int, float]:
    own = asked(reading, limits)
    return own.excused if context.excused else own.tiers


def _flags(readings: Sequence[Reading], limits: Thresholds) -> tuple[Flag, ...]:
    least = [(reading.flags, asked(reading, limits).flags) for reading in readings]
    return tuple(flag for flag in Flag if any(chances[str(flag)] >= limit[str(flag)] for chances, limit in least))


def _scenarios(readings: Sequence[Reading]) -> dict[str, float]:
    """The mean over the parts of a long text."""
    labels = readings[0].scenarios if readings else {}
    return {label: sum(reading.scenarios[label] for reading in readings) / len(readings) for label in labels}


def _subject(rules: Assessment, reading: Reading | None, tier: Tier) -> str:
    """A grave message is about the writer, unless both say otherwise."""
    if reading is None or (tier >= Tier.T2 and rules.subject == "self"):
        return rules.subject
    return reading.subject
