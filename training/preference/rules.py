"""The rules by which a reply is set against a worse one. Each is worse in one way, which has a name.

- misses_message: a real reply to somebody else, in another scenario. Warm, and beside the point.
- generic: a reply that would fit anybody, of `generic-replies.txt`.
- question_pile_up: its first sentence, then three questions: its own and those of replies to others.
- before_validation: the same words, with the offer or question before the feeling is named.

But for the last, none is a near-duplicate of the better reply.

Nothing is worded here: every sentence is of the reviewed data. Candidates of like length are taken, since a model
learns to tell long from short more easily than good from bad. Knows no file and no model.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from training.data import near
from training.preference.turns import Turn

TRIES = 12  # candidates that are drawn, of which those of the most similar length are taken
GENERIC_TRIES = 3  # fewer, or the same few of a short list would serve always
QUESTIONS = 3
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_QUESTION_WORDS = range(4, 25)


@dataclass(frozen=True, slots=True)
class Pool:
    """What rejected replies are taken from: of one side of a split alone."""

    turns: Sequence[Turn]
    generic: Sequence[str]


@dataclass(frozen=True, slots=True)
class Worse:
    """of: the dialogues whose words it took, besides its own."""

    text: str
    of: tuple[str, ...] = ()


Rule = Callable[[Turn, Pool, random.Random], Worse | None]


def misses_message(turn: Turn, pool: Pool, source: random.Random) -> Worse | None:
    drawn = (source.choice(pool.turns) for _ in range(TRIES))
    others = [one for one in drawn if one.scenario != turn.scenario and not turn.same_person(one)]
    return _nearest(turn, [Worse(one.reply, (one.dialogue_id,)) for one in others])


def generic(turn: Turn, pool: Pool, source: random.Random) -> Worse | None:
    drawn = source.sample(pool.generic, min(GENERIC_TRIES, len(pool.generic)))
    return _nearest(turn, [Worse(text) for text in drawn])


def question_pile_up(turn: Turn, pool: Pool, source: random.Random) -> Worse | None:
    first, *rest = sentences(turn.reply)
    own = [one for one in rest if one.endswith("?")][-1:]
    if first.endswith("?"):
        return None
    near_by = [one for one in pool.turns if one.scenario == turn.scenario and not turn.same_person(one)]
    found: dict[str, str] = {}  # a question of another to the dialogue it is of
    for other in source.sample(near_by, len(near_by)):
        for question in sentences(other.reply):
            if question.endswith("?") and len(near.words(question)) in _QUESTION_WORDS and question not in own:
                found.setdefault(question, other.dialogue_id)
        if len(found) >= TRIES:
            break
    asked = sorted(found, key=len)[: QUESTIONS - len(own)]  # short ones: three are longer than what they replace
    if len(asked) + len(own) < QUESTIONS:
        return None
    text = " ".join([first, *asked, *own])
    return None if _alike(text, turn.reply) else Worse(text, tuple(dict.fromkeys(found[one] for one in asked)))


def before_validation(turn: Turn, _pool: Pool, _source: random.Random) -> Worse | None:
    if not turn.factors:
        return None
    last = turn.factors[-1]
    before, _, after = turn.reply.partition(last)
    rest = " ".join(f"{before} {after}".split())
    return Worse(f"{last} {rest}") if rest and before.strip() and _whole(last) and _whole(rest) else None


RULES: dict[str, Rule] = {
    "misses_message": misses_message,
    "generic": generic,
    "question_pile_up": question_pile_up,
    "before_validation": before_validation,
}


def worse(turn: Turn, pool: Pool, seed: int) -> Iterator[tuple[str, Worse]]:
    """By each rule that has one: (rule, worse reply), which differs."""
    for name, rule in RULES.items():
        found = rule(turn, pool, random.Random(f"{seed}/{name}/{turn.name}"))
        if found and found.text != turn.reply:
            yield name, found


def sentences(text: str) -> list[str]:
    return _SENTENCE.split(text.strip())


def _nearest(turn: Turn, found: Sequence[Worse]) -> Worse | None:
    """Of those that are no near-duplicate, the one with the most similar number of words."""
    wanted = len(turn.reply.split())
    fit = [one for one in found if not _alike(one.text, turn.reply)]
    return min(fit, key=lambda one: abs(len(one.text.split()) - wanted), default=None)


def _alike(first: str, second: str) -> bool:
    return near.jaccard(near.shingles(first), near.shingles(second)) >= near.ALIKE


def _whole(text: str) -> bool:
    """Whether it begins and ends as sentences do."""
    return text[-1] in ".!?" and not text[0].islower()
