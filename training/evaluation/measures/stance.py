"""What a reply does for the person: questions, advice, and EPITOME's three mechanisms of empathy, by rules.

EPITOME (Sharma et al. 2020, "A Computational Approach to Understanding Empathy Expressed in Text-Based Mental Health
Support") has people or a model rate three levels: 0 none, 1 weak, 2 strong. These are patterns (`patterns.tsv`) and not
its model: they know fixed ways of saying a thing, do not see irony or a feeling named in an image, and take warm words
for warmth. Good for telling conditions apart, not for judging one reply.
"""

from collections.abc import Sequence

from training.evaluation.measures.text import has, sentences, words
from training.evaluation.replies import Reply

NONE, WEAK, STRONG = 0.0, 1.0, 2.0
_TELLING = 5  # letters from which a word of the person's makes a question theirs
_COMMON = frozenset(
    "about after again could doesn doing every feeling first going happen happened happens makes maybe might other "
    "really right should something still thing things think those today would where which while people".split()
)


def questions(replies: Sequence[Reply]) -> list[float]:
    """How many sentences are questions. More than one asks a lot of somebody in distress."""
    return [float(sum(_asks(sentence) for sentence in sentences(reply.text))) for reply in replies]


def advice(replies: Sequence[Reply]) -> list[float]:
    """How many sentences suggest or instruct."""
    return [float(sum(has("advice", sentence) for sentence in sentences(reply.text))) for reply in replies]


def concrete(replies: Sequence[Reply]) -> list[float]:
    """1 where a sentence suggests something to do and names a thing, a part of the body, a number or a time for it.

    By patterns, so only what stands in their list counts as concrete.
    """
    return [float(any(_concrete(sentence) for sentence in sentences(reply.text))) for reply in replies]


def _concrete(sentence: str) -> bool:
    return has("concrete", sentence) and (has("advice", sentence) or has("offer", sentence))


def reactions(replies: Sequence[Reply]) -> list[float]:
    """EPITOME-like level of emotional reactions: warmth said, strong where the own feeling is named."""
    return [_level(reply.text, "reaction") for reply in replies]


def interpretations(replies: Sequence[Reply]) -> list[float]:
    """EPITOME-like level of interpretations: understanding said, strong where a feeling of the person is named."""
    return [_level(reply.text, "interpretation") for reply in replies]


def explorations(replies: Sequence[Reply]) -> list[float]:
    """EPITOME-like level of explorations: a question, strong where it takes up a word or a feeling of the person."""
    return [_explored(reply) for reply in replies]


def _level(text: str, name: str) -> float:
    if has(f"{name}_strong", text):
        return STRONG
    return WEAK if has(f"{name}_weak", text) else NONE


def _explored(reply: Reply) -> float:
    asked = [sentence for sentence in sentences(reply.text) if _asks(sentence)]
    if not asked:
        return NONE
    theirs = {word for word in words(reply.said[-1]) if len(word) >= _TELLING} - _COMMON
    strong = any(theirs.intersection(words(one)) or has("feeling", one) for one in asked)
    return STRONG if strong else WEAK


def _asks(sentence: str) -> bool:
    return "?" in sentence[-4:]
