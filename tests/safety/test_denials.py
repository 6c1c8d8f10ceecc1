"""Plain denials and nothing else, and what must not be taken for one."""

import pytest

from tide_chat.safety.assessment import Tier
from tide_chat.safety.classifier import Classifier
from tide_chat.safety.lexicon import load
from tide_chat.safety.router import Router, judge

ONLY_DENIALS = [
    "I'd never kill myself",
    "i would never kill myself",
    "no i'm not going to kill myself",
    "dont worry, im not gonna kill myself lol",
    "I'm not suicidal. Honestly.",
    "nope, not suicidal, just tired",
    "no thoughts of suicide or anything like that",
    "i have no plans to hurt myself",
    "if that's what you're asking: I'm not thinking of ending my life",
    "i could never kill myself, i've got a daughter",
    "I'd never take my own life, it's against my faith.",
    "i'm not thinking about suicide, i swear",
    "not going to hurt myself or anything stupid",
]
MORE_THAN_THAT = [
    "i don't want to die",
    "I'd never kill myself, but I think about it",
    "I'd never kill myself at home",
    "i'm not going to kill myself yet",
    "im not gonna kill myself tonight",
    "i wont kill myself. someone else can do it",
    "not suicidal, just wouldn't duck",
    "I'm not suicidal, just tired of all of it",
    "i'm not suicidal. i've booked the friday and sorted the cat",
    "i don't want to kill myself, i want to have died",
    "i can't promise i'm not going to kill myself",
    "i never said i'd kill myself",
    "why wouldn't i kill myself",
    "my brother isn't going to kill himself",
    "i would never kill myself like he did",
    "not only suicidal",
    "i'm not suicidal. i could though",
    "i'd never kill myself. i would",
    "i'm not suicidal or i am",
    "i'm not suicidal. well, not really",
    "I said I'd never kill myself",
    "i'd never kill myself with the kids at home",
    "i want to kill myself",
    "no",
    "",
]


def is_only_denial(text: str) -> bool:
    return judge(text, load())[1].denied


@pytest.mark.parametrize("text", ONLY_DENIALS)
def test_a_denial_and_nothing_else(text: str) -> None:
    assert is_only_denial(text)


@pytest.mark.parametrize("text", MORE_THAN_THAT)
def test_what_else_is_said_is_left_to_the_encoder(text: str) -> None:
    assert not is_only_denial(text)


@pytest.mark.parametrize("text", ONLY_DENIALS)
def test_with_the_encoder_it_brings_no_card(classifier: Classifier, text: str) -> None:
    assert Router(classifier).assess(text).tier <= Tier.T1
