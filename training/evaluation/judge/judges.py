"""What a judge is, and how it is asked until its answer is right. Knows no protocol and no model."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tide_chat.errors import TideError
from training.evaluation.judge.parse import BadAnswer
from training.evaluation.judge.rubric import Question

ATTEMPTS = 3  # at an answer: once, and two more when it was bad
TEMPERATURE = 0.7  # at 0 calls would differ by the order of the criteria alone
MAX_TOKENS = 128  # of an answer; the longest right one has about 30
NO_ANSWER = "no answer"  # beside parse.BAD
_KEPT = 200  # characters of a bad answer
_T = TypeVar("_T")


class Unanswered(TideError):
    """Nothing usable came back this time; asking again may help."""


class Judge(Protocol):
    @property
    def names(self) -> tuple[str, ...]:
        """What the model may be called among judged models; the first is its name in tables."""
        ...

    @property
    def about(self) -> dict[str, Any]:
        """Everything that its answers follow from, beside the question; for run.json."""
        ...

    @property
    def held(self) -> str | None:
        """How its answers are held to their form; None while none came."""
        ...

    def ask(self, question: Question, seed: int) -> str:
        """The text of an answer. Raises Unanswered, and TideError where asking again is of no use."""
        ...


@dataclass(frozen=True, slots=True)
class Bad:
    """An answer that could not be used, and the beginning of it."""

    why: str
    got: str


def ask(judge: Judge, question: Question, seed: int, read: Callable[[str], _T]) -> tuple[_T | None, tuple[Bad, ...]]:
    """The first right answer, and the bad ones before it; None when all were bad.

    Raises TideError when the judge answered nothing at all: then it is not there, which says nothing about a reply.
    """
    bad: list[Bad] = []
    for attempt in range(ATTEMPTS):
        try:
            text = judge.ask(question, seed_of(seed, attempt) if attempt else seed)
            return read(text), tuple(bad)
        except BadAnswer as error:
            bad.append(Bad(error.why, text[:_KEPT]))
        except Unanswered as error:
            bad.append(Bad(NO_ANSWER, error.details[:_KEPT]))
            if len(bad) == ATTEMPTS and all(one.why == NO_ANSWER for one in bad):
                raise
    return None, tuple(bad)


def seed_of(*parts: object) -> int:
    """31 bits that follow from the parts."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
