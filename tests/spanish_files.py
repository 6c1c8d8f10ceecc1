"""The texts of an authored file and of its Spanish one, each with its place."""

import re
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

PLACES = re.compile(r"\{\w+\}")


def both(file: Path, left_out: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """left_out: names whose values are no texts to translate."""
    one, other = (tomllib.loads(path.read_text(encoding="utf-8")) for path in (file, file.parent / "es" / file.name))
    return dict(_texts(one, left_out)), dict(_texts(other, left_out))


def _texts(value: Any, left_out: Collection[str], path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in left_out:
                yield from _texts(one, left_out, f"{path}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _texts(one, left_out, f"{path}.{number}")
    elif isinstance(value, str):
        yield path, value
