"""An answer of the judge as a value, or what is wrong with it. Guesses nothing: an answer is right or bad."""

import json
from collections.abc import Collection
from typing import Any

from training.evaluation.judge.rubric import SCALE, VERDICTS

NOT_JSON, WRONG_FIELDS, OUT_OF_SCALE = BAD = ("not JSON", "wrong fields", "not on the scale")


class BadAnswer(ValueError):
    """why: one of BAD."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def scores(text: str, criteria: Collection[str]) -> dict[str, int]:
    """Criterion to whole number of the scale, in the order of `criteria`. Raises BadAnswer."""
    values = _object(text, criteria)
    low, high = SCALE
    if not all(type(value) is int and low <= value <= high for value in values.values()):  # True is an int too
        raise BadAnswer(OUT_OF_SCALE)
    return {name: values[name] for name in criteria}


def verdict(text: str) -> str:
    """One of VERDICTS. Raises BadAnswer."""
    value = _object(text, ("better",))["better"]
    if value not in VERDICTS:
        raise BadAnswer(OUT_OF_SCALE)
    return str(value)


def _object(text: str, names: Collection[str]) -> dict[str, Any]:
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise BadAnswer(NOT_JSON) from None
    if not isinstance(pairs, _Pairs) or sorted(name for name, _ in pairs) != sorted(names):
        raise BadAnswer(WRONG_FIELDS)
    return dict(pairs)


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, so that a field given twice is seen."""
