"""From `tokenizer.json` to the vocabulary keys of a GGUF: the file itself is read, no tokenizer class."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError

NORMAL, UNKNOWN, CONTROL = 1, 2, 3
SPACE = "\u2581"  # stands before a word's first piece


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What goes below `tokenizer.ggml.`."""

    model: str
    tokens: list[str]
    types: list[int]
    extra: Mapping[str, Any] = field(default_factory=dict)


def wordpiece(folder: Path) -> Vocabulary:
    """BERT's WordPiece, uncased or cased. Raises DataError."""
    data = _read(folder / "tokenizer.json")
    model = data.get("model", {})
    if model.get("type") != "WordPiece" or not isinstance(model.get("vocab"), dict):
        raise DataError(
            "The tokenizer is not known.", details=f"Got {model.get('type')!r}.", help="Known for bert: WordPiece."
        )
    tokens = [token for token, _ in sorted(model["vocab"].items(), key=lambda pair: int(pair[1]))]
    special = {added["content"]: int(added["id"]) for added in data.get("added_tokens", ()) if added.get("special")}
    types = [CONTROL if token in special else NORMAL for token in tokens]
    ids = {key: _special(special, token, tokens) for key, token in _BERT_SPECIALS.items()}
    return Vocabulary("bert", [_phantom(token, special) for token in tokens], types, {"token_type_count": 2, **ids})


_BERT_SPECIALS = {
    "bos_token_id": "[CLS]",
    "eos_token_id": "[SEP]",
    "cls_token_id": "[CLS]",
    "seperator_token_id": "[SEP]",  # the specification's own spelling
    "unknown_token_id": "[UNK]",
    "padding_token_id": "[PAD]",
    "mask_token_id": "[MASK]",
}


def _special(special: Mapping[str, int], token: str, tokens: list[str]) -> int:
    if token in special:
        return special[token]
    if token in tokens:
        return tokens.index(token)
    raise DataError("The tokenizer lacks a token that BERT needs.", details=token)


def _phantom(token: str, special: Mapping[str, int]) -> str:
    """`##ing` is `ing`, and what begins a word gets a mark: how llama.cpp keeps WordPiece vocabularies."""
    if token in special or (token.startswith("[") and token.endswith("]")):
        return token
    return token[2:] if token.startswith("##") else SPACE + token


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError("There is no tokenizer.", details=f"{path.name}: {error.strerror}") from error
    except ValueError as error:
        raise DataError("The tokenizer cannot be read.", details=f"{path.name}: {error}") from error
    return data if isinstance(data, dict) else {}


WRITERS = {"wordpiece": wordpiece}
