"""From logits on held-out themes to temperature, share of the n-grams, and thresholds chosen by cost. Knows no model.

A missed T3 or T4 costs most. Costs are per share, so the mix of tiers in the data does not matter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import torch

from tide_chat.safety.assessment import Tier
from training.risk import data
from training.risk.data import Row

MISSED_GRAVE, MISSED_T2 = 12.0, 5.0
ALARM_T0, ALARM_T1 = 24.0, 9.0
GRAVE_FOUND = 0.94  # of T3 and T4 on the held-out themes: never fewer, whatever false alarms cost
SAID = 0.65  # of the n-grams alone; a text of which they know nothing has 0.6, three tiers of five
STEPS = tuple(i / 200 for i in range(4, 197))
FLAG_BETA = 1.3  # of the F-measure: a missed flag costs somewhat more than one too many
FLAG_STEPS = tuple(limit for limit in STEPS if 0.5 <= limit <= 0.8)  # likelier than not; beyond is chance of few lines
EXCUSE = 1.6  # factor on the odds needed after an explicit rule
TEMPERATURES = tuple(0.1 + 0.05 * i for i in range(68))
SHARES = tuple(0.05 * i for i in range(21))


@dataclass(frozen=True, slots=True)
class Calibration:
    """temperature: of the tier head. share: of the n-grams' logits beside it. Thresholds by tier number and by flag.

    alone_temperature, alone: of those n-grams and by tier, where they have to do without the encoder.
    """

    temperature: float
    share: float
    tiers: dict[int, float]
    flags: dict[str, float]
    alone_temperature: float
    alone: dict[int, float]

    def as_json(self) -> dict[str, object]:
        """In the form that the app reads (`tide_chat/safety/classifier.py`)."""
        alone = {"temperature": self.alone_temperature, **_by_tier(self.alone)}
        return {**_by_tier(self.tiers), "flags": self.flags, "alone": alone}


def calibrate(
    tier_logits: torch.Tensor, ngram_logits: torch.Tensor, flag_logits: torch.Tensor, rows: Sequence[Row]
) -> Calibration:
    """tier_logits and ngram_logits (rows, 5), flag_logits (rows, flags). Judged by the rows of which each is known."""
    tiered = [i for i, row in enumerate(rows) if row.tier is not None]
    flagged = [i for i, row in enumerate(rows) if row.flags is not None]
    tiers = torch.tensor([int(rows[i].tier or 0) for i in tiered])
    temperature, share = _likeliest(tier_logits[tiered], ngram_logits[tiered], tiers)
    counted = share * ngram_logits[tiered]
    chances = (tier_logits[tiered] / temperature + counted).softmax(-1)
    limits = _limits(chances, tiers)
    limits[2] = min(limits[2], _finding(chances[:, 2:].sum(-1), tiers))
    alone_temperature = min(TEMPERATURES, key=lambda each: _loss(counted / each, tiers))
    alone = _limits((counted / alone_temperature).softmax(-1), tiers)
    alone[2] = max(alone[2], SAID)
    raised = flag_logits[flagged].sigmoid()
    carried = [rows[i].flags or frozenset() for i in flagged]
    flags = {
        flag: _best_f(raised[:, number], torch.tensor([flag in each for each in carried]))
        for number, flag in enumerate(data.FLAGS)
    }
    return Calibration(temperature, share, limits, flags, round(alone_temperature, 3), alone)


def _likeliest(logits: torch.Tensor, ngrams: torch.Tensor, tiers: torch.Tensor) -> tuple[float, float]:
    """The temperature and the share that make the labels likeliest; of equals the least share."""
    settings = product(TEMPERATURES, SHARES)
    temperature, share = min(settings, key=lambda each: _loss(logits / each[0] + each[1] * ngrams, tiers))
    return round(temperature, 3), round(share, 3)


def _loss(logits: torch.Tensor, tiers: torch.Tensor) -> float:
    return float(torch.nn.functional.cross_entropy(logits, tiers))


def _limits(chances: torch.Tensor, tiers: torch.Tensor) -> dict[int, float]:
    return {
        2: _cheapest(chances[:, 2:].sum(-1), tiers, _cost_of_two),
        3: _cheapest(chances[:, 3:].sum(-1), tiers, _cost_of_three),
        4: _cheapest(chances[:, 4], tiers, _cost_of_four),
    }


def _by_tier(limits: dict[int, float]) -> dict[str, object]:
    excused = {tier: _odds(limit, EXCUSE) for tier, limit in limits.items()}
    return {"tiers": limits, "excused": excused}


def _share(raised: torch.Tensor, tiers: torch.Tensor, wanted: Iterable[Tier]) -> float:
    of = sum((tiers == int(tier) for tier in wanted), torch.zeros_like(tiers)).bool()
    return float(raised[of].float().mean()) if of.any() else 0.0


def _cost_of_two(raised: torch.Tensor, tiers: torch.Tensor) -> float:
    missed = MISSED_GRAVE * (1 - _share(raised, tiers, (Tier.T3, Tier.T4)))
    missed += MISSED_T2 * (1 - _share(raised, tiers, (Tier.T2,)))
    return missed + ALARM_T0 * _share(raised, tiers, (Tier.T0,)) + ALARM_T1 * _share(raised, tiers, (Tier.T1,))


def _cost_of_three(raised: torch.Tensor, tiers: torch.Tensor) -> float:
    missed = 5.0 * (1 - _share(raised, tiers, (Tier.T3, Tier.T4)))
    return missed + 6.0 * _share(raised, tiers, (Tier.T0, Tier.T1)) + 1.5 * _share(raised, tiers, (Tier.T2,))


def _cost_of_four(raised: torch.Tensor, tiers: torch.Tensor) -> float:
    missed = 3.0 * (1 - _share(raised, tiers, (Tier.T4,)))
    return missed + 8.0 * _share(raised, tiers, (Tier.T0, Tier.T1, Tier.T2)) + 2.0 * _share(raised, tiers, (Tier.T3,))


def _cheapest(chance: torch.Tensor, tiers: torch.Tensor, cost: Callable[[torch.Tensor, torch.Tensor], float]) -> float:
    costs = [cost(chance >= limit, tiers) for limit in STEPS]
    best = min(costs)
    near = [limit for limit, each in zip(STEPS, costs, strict=True) if each <= best * 1.01]
    return round(near[0], 4)  # among equals the most watchful


def _finding(chance: torch.Tensor, tiers: torch.Tensor) -> float:
    """The highest limit that finds GRAVE_FOUND of T3 and T4; of those that find as many the most watchful."""
    found = {limit: _share(chance >= limit, tiers, (Tier.T3, Tier.T4)) for limit in STEPS}
    highest = max((limit for limit in STEPS if found[limit] >= GRAVE_FOUND), default=STEPS[0])
    return min(limit for limit in STEPS if found[limit] == found[highest])


def _best_f(chance: torch.Tensor, wanted: torch.Tensor) -> float:
    def measure(limit: float) -> float:
        got = chance >= limit
        both = float((got & wanted).sum())
        weight = FLAG_BETA**2
        return (1 + weight) * both / max(1e-9, weight * float(wanted.sum()) + float(got.sum()))

    scores = [measure(limit) for limit in FLAG_STEPS]
    best = max(scores)
    near = [limit for limit, each in zip(FLAG_STEPS, scores, strict=True) if each >= best - 0.005]
    return round(near[len(near) // 2], 4)


def _odds(chance: float, factor: float) -> float:
    odds = factor * chance / (1 - chance)
    return round(odds / (1 + odds), 4)
