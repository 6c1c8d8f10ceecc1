"""ROUGE-L F1 (Lin, 2004), with the values of `rouge_score`: its tokenizer, and a longest common subsequence in bits.

Also what ROUGE-L becomes when both texts are padded to one length and the padding is counted: a guess at how the
paper came to values near .8. It is not proven.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from tide_chat.progress import Say
from training.evaluation.metrics.pairs import Pair, Values

NAME = "ROUGE-L"


class Rouge:
    @cached_property
    def about(self) -> Mapping[str, str]:
        from importlib.metadata import version

        return {NAME: f"F1, rouge_score {version('rouge_score')}, its tokenizer (a-z and 0-9), no stemming, whole text"}

    def measure(self, pairs: Sequence[Pair], say: Say) -> Values:
        known = Tokens()
        return {NAME: [f1(known[pair.text], known[pair.reference]) for pair in pairs]}


class Tokens(dict[str, list[str]]):
    """Text to its tokens, each text once."""

    def __missing__(self, text: str) -> list[str]:
        from rouge_score.tokenize import tokenize

        found: list[str] = tokenize(text, None)
        self[text] = found
        return found


def f1(text: Sequence[Any], reference: Sequence[Any]) -> float:
    """0 when either is empty."""
    if not text or not reference:
        return 0.0
    return _f1(common(text, reference), len(text), len(reference))


def padded_f1(text: Sequence[str], reference: Sequence[str], length: int) -> float:
    """As `f1`, both cut or filled at the end to `length` tokens, and the filling counted as if it were words."""
    filled = [[*tokens[:length], *[None] * (length - len(tokens))] for tokens in (text, reference)]
    return f1(*filled)


def common(one: Sequence[Any], other: Sequence[Any]) -> int:
    """The length of the longest common subsequence, a row of the table as the bits of one integer (Hyyrö, 2004)."""
    places: dict[Any, int] = {}
    for place, token in enumerate(one):
        places[token] = places.get(token, 0) | 1 << place
    everywhere = (1 << len(one)) - 1
    row = everywhere
    for token in other:
        met = row & places.get(token, 0)
        row = ((row + met) | (row - met)) & everywhere
    return len(one) - row.bit_count()


def _f1(shared: int, length: int, reference_length: int) -> float:
    """In the order of rouge_score's own steps, so that the last bit is the same."""
    precision, recall = shared / length, shared / reference_length
    return 2 * precision * recall / (precision + recall) if shared else 0.0
