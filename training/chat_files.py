"""What an HF folder says about text: tokenizer, chat template and special tokens, as the app would see them.

Reads `tokenizer.json` itself, since wrappers around it have changed token ids before. Knows no weights, no dialogues.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat.errors import DataError, MissingExtra, ModelNotFound, ModelUnusable
from tide_chat.prompt import Renderer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class ChatFiles:
    """tokenizer: adds nothing by itself. first: the ids that begin every text. stops: ids at which generation ends."""

    tokenizer: "Tokenizer"
    renderer: Renderer
    control: tuple[str, ...]  # texts that become one token wherever they stand
    first: tuple[int, ...]
    stops: frozenset[int]
    vocabulary: int  # rows of the embedding; every id lies below
    unknown: int | None  # the id that stands for what cannot be written

    def decode(self, ids: list[int]) -> str:
        """The text of `ids`, control tokens included."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=False))


def load(folder: Path, template: Path | None = None) -> ChatFiles:
    """template: a Jinja file that replaces the folder's own.

    Raises ModelNotFound, ModelUnusable, TemplateMissing, DataError, MissingExtra.
    """
    tokenizer = _tokenizer(folder / "tokenizer.json")
    settings, config = _object(folder / "tokenizer_config.json"), _object(folder / "config.json")
    generation = _object(folder / "generation_config.json")
    added = {number: str(token.content) for number, token in tokenizer.get_added_tokens_decoder().items()}
    words = {kind: _word(kind, settings, config, tokenizer) for kind in ("bos", "eos", "unk")}
    control = tuple(sorted({text for text in (*added.values(), words["unk"]) if len(text.strip()) > 1}))
    source = _text(template) if template else _template(folder, settings)
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    return ChatFiles(
        tokenizer,
        Renderer(source, bos=words["bos"], eos=words["eos"], control_tokens=control),
        control,
        _first(tokenizer, settings, words["bos"]),
        frozenset(number for one in (generation, config) for number in _listed(one.get("eos_token_id"))),
        int(config.get("vocab_size", size)),
        tokenizer.token_to_id(words["unk"]) if words["unk"] else None,
    )


def _tokenizer(path: Path) -> "Tokenizer":
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("Training", "train") from error
    if not path.is_file():
        raise ModelNotFound(
            "There is no tokenizer to train with.",
            details=f"{path.parent} has no {path.name}.",
            help="Name an HF folder; tide-convert dequantize makes one of a GGUF file.",
        )
    try:
        made = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for whatever is wrong with the file
        raise ModelUnusable(f"{path.name} cannot be read.", details=str(error)) from error
    made.no_truncation()
    made.no_padding()
    return made


def _object(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(_text(path))
    except ValueError as error:
        raise DataError(f"{path.name} cannot be read.", details=f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{path.name} cannot be read.", details=f"{path} holds no object.")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read.", details=f"{path}: {error}") from error


def _template(folder: Path, settings: Settings) -> str:
    """In the order of transformers 5; "" when there is none, which the renderer refuses with words."""
    if (path := folder / "chat_template.jinja").is_file():
        return _text(path)
    found = settings.get("chat_template") or _object(folder / "chat_template.json").get("chat_template")
    if isinstance(found, list):
        named = {one.get("name"): one.get("template") for one in found if isinstance(one, Mapping)}
        found = named.get("default")
    return found if isinstance(found, str) else ""


def _word(kind: str, settings: Settings, config: Settings, tokenizer: "Tokenizer") -> str:
    text = settings.get(f"{kind}_token")
    text = text.get("content") if isinstance(text, Mapping) else text
    if isinstance(text, str):
        return text
    numbers = _listed(config.get(f"{kind}_token_id"))
    return (tokenizer.id_to_token(numbers[0]) or "") if numbers else ""


def _first(tokenizer: "Tokenizer", settings: Settings, bos: str) -> tuple[int, ...]:
    """The begin token where the tokenizer puts one before each text: as its post-processor does, else its settings."""
    if tokenizer.post_processor is not None:
        around = tokenizer.encode("", add_special_tokens=True).ids
        return tuple(around[:1]) if around[:1] == [tokenizer.token_to_id(bos)] else ()
    number = tokenizer.token_to_id(bos) if bos and settings.get("add_bos_token") else None
    return () if number is None else (number,)


def _listed(value: Any) -> list[int]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, int)]
