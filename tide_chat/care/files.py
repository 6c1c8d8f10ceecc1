"""Reads the authored texts of `care/data/`. Knows their place and nothing of what they say."""

from typing import Any

from tide_chat import wording


def data(name: str) -> dict[str, Any]:
    """`tools/grounding` -> what that TOML file holds, in the language in use."""
    return wording.read("tide_chat.care", f"data/{name}.toml")
