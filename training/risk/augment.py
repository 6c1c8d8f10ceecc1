"""Random variants of a message that keep its labels: typing slips, lost punctuation, other talk around it."""

import random
import re
import string
from collections.abc import Sequence

_LETTERS = string.ascii_lowercase
_SLIPS = 0.04  # share of words with a slip, when a text gets any
_JOINED = 0.06  # share of short texts without blanks: what the normalizer makes of them is not quite the original
_SHORT = 160  # letters
_BETWEEN = (". ", " ", ", ", " ... ", "\n")


def vary(text: str, around: Sequence[str], rng: random.Random) -> str:
    """One variant. `around`: unrelated messages, each of which is put before it or after it."""
    for other in around:
        first, second = (other, text) if rng.random() < 0.5 else (text, other)
        text = f"{first}{rng.choice(_BETWEEN)}{second}"
    if rng.random() < 0.15:
        text = re.sub(r"[^\w\s']", "", text)
    if rng.random() < 0.08:
        text = text.replace("'", "").replace("’", "")
    if rng.random() < 0.12:
        text = " ".join(_slip(word, rng) if rng.random() < _SLIPS * 4 else word for word in text.split())
    if len(text) <= _SHORT and rng.random() < _JOINED:
        text = re.sub(r"\s+", "", text)
    return text


def _slip(word: str, rng: random.Random) -> str:
    if len(word) < 4:
        return word
    at = rng.randrange(1, len(word) - 1)
    match rng.randrange(4):
        case 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 2:
            return word[:at] + word[at] + word[at:]
        case _:
            return word[:at] + rng.choice(_LETTERS) + word[at + 1 :]
