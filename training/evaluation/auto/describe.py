"""run.json: all that one has to know to make a run's numbers again, or to doubt them."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from tide_chat.prompt import system_text
from training.data.sources import SourceFile
from training.evaluation import runs
from training.evaluation.auto.conditions import Condition, hashed
from training.sft.metrics import environment

KIND = "auto"  # what wrote the run folder
fingerprint = cache(hashed)  # files do not change during a run


def condition(one: Condition) -> dict[str, Any]:
    """Files by name and hash, sampling, context."""
    return {
        "name": one.name,
        "state": one.state,
        "engine": one.kind,
        "model": _file(one.model),
        "adapter": _file(one.adapter) if one.adapter else None,
        "sampling": {name: value for name, value in asdict(one.sampling).items() if name != "seed"},
        "sampling_from": "the model's makers" if one.advised else "the app's default",
        "context": one.context,
        "style": str(one.style),
        "guided": one.guided,
    }


def run(
    command: str, conditions: Sequence[Condition], files: Sequence[SourceFile], items: int, seed: int, through: str
) -> dict[str, Any]:
    """The description at the start of a run."""
    system = system_text()
    return {
        "kind": KIND,
        "command": command,
        **environment(),
        "hardware": runs.hardware(),
        "conditions": [condition(one) for one in conditions],
        "data": [asdict(file) for file in files],
        "items": items,
        "seed": seed,
        "seeds": "of each reply: the last 31 of the first 32 bits of SHA-256 of seed/item, the same for all models",
        "through": through,
        "prompt": {"sha256": hashlib.sha256(system.encode()).hexdigest(), "characters": len(system)},
    }


def _file(path: Path) -> dict[str, str]:
    return {"name": path.name, "sha256": fingerprint(path)}
