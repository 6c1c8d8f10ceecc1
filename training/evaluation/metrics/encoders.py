"""Where the encoders of the metrics are, and how one is loaded. Opens no connection: what is not here is refused."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tide_chat import extras
from tide_chat.errors import MissingExtra, ModelNotFound
from training.data import sources
from training.hushed import hushed

ROBERTA, MINILM = "roberta-large", "all-minilm-l6-v2"
_REPOS = ("FacebookAI/roberta-large", "roberta-large")
_LAYER = {ROBERTA: 17, MINILM: 5}  # 17: bert_score's own; 5 of 6: what it has for distilled models of six layers
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True, slots=True)
class Encoder:
    """What BERTScore compares tokens with. layer: how many layers are computed, the last gives the vectors."""

    name: str
    folder: Path
    layer: int


def minilm(what: str) -> Path:
    """The folder of all-MiniLM-L6-v2. Raises MissingExtra, ModelNotFound."""
    extras.require(what, "train")
    from training.risk.model import base_folder

    try:
        return base_folder()
    except MissingExtra as error:
        raise MissingExtra(what, "train") from error


def for_bertscore(model: str) -> Encoder:
    """`roberta-large` from the hub's cache, a folder that holds it, or the substitute by its name.

    Raises ModelNotFound: nothing is put in its place silently.
    """
    extras.require("BERTScore", "train")
    if model == MINILM:
        return Encoder(MINILM, minilm("BERTScore"), _LAYER[MINILM])
    folder = cached() if model == ROBERTA else Path(model).expanduser()
    if folder is None:
        raise _missing("roberta-large is not in the hub's cache on this computer.")
    if not (folder / "config.json").is_file() or not _is_roberta_large(folder):
        raise _missing(f"{folder} does not hold roberta-large.")
    return Encoder(ROBERTA, folder, _LAYER[ROBERTA])


def cached() -> Path | None:
    """The snapshot in the hub's cache that has config and weights."""
    from huggingface_hub import try_to_load_from_cache

    for repo in _REPOS:
        for name in _WEIGHTS:
            found = try_to_load_from_cache(repo, name)
            if isinstance(found, str) and (Path(found).parent / "config.json").is_file():
                return Path(found).parent
    return None


def digest(folder: Path) -> str:
    """SHA-256 of the weights, in hex."""
    return sources.digest(next(folder / name for name in _WEIGHTS if (folder / name).is_file()))


def device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@cache  # several measures of a run ask for the same
def load(folder: Path, where: str) -> tuple[Any, Any]:
    """(model, tokenizer) of `minilm`."""
    from training.risk.model import load_base

    with hushed():
        model, tokenizer = load_base(folder)
    return model.to(where).eval(), tokenizer


def _is_roberta_large(folder: Path) -> bool:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return (config["model_type"], config["num_hidden_layers"], config["hidden_size"]) == ("roberta", 24, 1024)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _missing(details: str) -> ModelNotFound:
    return ModelNotFound(
        "BERTScore has no encoder to compare with.",
        details=details,
        help="Give a folder that holds roberta-large: --bertscore-model FOLDER. Or choose a substitute, which is named "
        f"in every table and not comparable with published values: --bertscore-model {MINILM}",
    )
