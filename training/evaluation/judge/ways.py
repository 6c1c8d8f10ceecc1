"""How servers are asked to hold an answer to its form: they know different ways. Knows no address."""

from itertools import pairwise
from typing import Any

SCHEMA, OBJECT, WORDS = WAYS = ("json_schema", "json_object", "words")  # the firmest first
_NAMED = (b"response_format", b"json_schema", b"json_object")


def asked(way: str, schema: dict[str, Any]) -> dict[str, Any]:
    """What a request has for it. OBJECT: as llama-cpp-python's server takes a schema. WORDS: the text alone says it."""
    if way == SCHEMA:
        form = {"name": "judgement", "strict": True, "schema": schema}
        return {"response_format": {"type": SCHEMA, "json_schema": form}}
    return {"response_format": {"type": OBJECT, "schema": schema}} if way == OBJECT else {}


def refused(status: int, content: bytes) -> bool:
    """Whether an error is about that, whichever status a server takes for it: 400, 422 and 500 are seen."""
    return status >= 400 and any(name in content for name in _NAMED)


def weaker(way: str) -> str | None:
    """The next one to try; None: there is none."""
    return dict(pairwise(WAYS)).get(way)
