"""An answer of a known form: what stands in it anyway, and what is chosen. Knows no model.

A model held by a grammar writes a token at a time what cannot be otherwise. Here it reads that, and is asked only where
answers differ.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from math import exp
from typing import Any

Tokens = list[int]
Logits = Callable[[Tokens, Sequence[int]], Sequence[float]]  # (tokens to read, tokens that may follow)
CLOSE = "}"


def parts(schema: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(what comes first, the values of which one follows) of each field, as compact JSON; CLOSE ends it.

    schema: of an object whose fields have an `enum` each.
    """
    for number, (name, field) in enumerate(schema["properties"].items()):
        yield f"{',' if number else '{'}{json.dumps(name)}:", tuple(json.dumps(value) for value in field["enum"])


def chosen(options: Sequence[Tokens], logits: Logits, draw: random.Random, temperature: float) -> tuple[int, int]:
    """(index of the option drawn, how many of its tokens were read). No option is the beginning of another.

    Each token is drawn from those that an option goes on with, as a grammar does it.
    """
    left, read = list(range(len(options))), 0
    while len(left) > 1:
        shared = _shared([options[index] for index in left])
        heads = sorted({options[index][shared] for index in left})
        token = _drawn(heads, logits(options[left[0]][read:shared], heads), draw, temperature)
        left, read = [index for index in left if options[index][shared] == token], shared
    return left[0], read


def _drawn(tokens: Sequence[int], logits: Sequence[float], draw: random.Random, temperature: float) -> int:
    highest = max(logits)
    return draw.choices(tokens, [exp((one - highest) / temperature) for one in logits])[0]


def _shared(options: Sequence[Tokens]) -> int:
    """How many first tokens are the same in all."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*options, strict=False)))
