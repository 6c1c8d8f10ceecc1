"""Distinct-1 and -2 (Li et al., 2016): the share of different words, and of different pairs of words.

For each reply, and for all replies of a model together (`pooled`). The paper does not say which it gives; pooled
values fall with the amount of text, so they compare only between equally many replies.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from tide_chat.progress import Say
from training.evaluation.metrics.pairs import Pair, Values

NAMES = ("Distinct-1", "Distinct-2")
TOKENS = "words of letters and digits, case folded, no punctuation"
_WORD = re.compile(r"\w+(?:['’]\w+)*")


class Distinct:
    @property
    def about(self) -> Mapping[str, str]:
        return dict.fromkeys(NAMES, f"per reply, {TOKENS}; 0 where there is none")

    def measure(self, pairs: Sequence[Pair], say: Say) -> Values:
        cut = [words(pair.text) for pair in pairs]
        return {NAMES[0]: [_share(one) for one in cut], NAMES[1]: [_share(list(pairwise(one))) for one in cut]}


def pooled(texts: Iterable[str]) -> tuple[float, float]:
    """Distinct-1 and -2 of all texts together; a pair of words lies within one text."""
    cut = [words(text) for text in texts]
    return _share([word for one in cut for word in one]), _share([two for one in cut for two in pairwise(one)])


def words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _share(items: Sequence[object]) -> float:
    return len(set(items)) / len(items) if items else 0.0
