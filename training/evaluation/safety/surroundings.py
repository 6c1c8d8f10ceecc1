"""Other messages around a line: what people write together. No disguise, and harder to see through than most."""

import random
from functools import cache
from pathlib import Path

TALK = Path(__file__).with_name("talk.tsv")
KINDS = {"calm": "two harmless messages", "heavy": "two messages of distress"}


@cache
def talk(kind: str) -> tuple[str, ...]:
    """The messages of one kind."""
    lines = (line.split("\t") for line in TALK.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return tuple(text for each, text in lines if each == kind)


def between(kind: str, text: str, rng: random.Random) -> str:
    """The text with one of them before it and another one after it."""
    first, last = rng.sample(talk(kind), 2)
    return f"{first} {text} {last}"
