"""Reads the authored texts of `care/data/`. Knows their place and nothing of what they say."""

import tomllib
from importlib.resources import files
from typing import Any


def data(name: str) -> dict[str, Any]:
    """`tools/grounding` -> what that TOML file holds."""
    found = files("tide_chat.care").joinpath("data", *f"{name}.toml".split("/"))
    return tomllib.loads(found.read_text(encoding="utf-8"))
