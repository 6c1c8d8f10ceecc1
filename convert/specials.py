"""Special tokens, what is put around a text, and the chat template: from the files beside `tokenizer.json`.

Keys are those below `tokenizer.` of the GGUF specification.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tide_chat.errors import DataError

Settings = Mapping[str, Any]
Keys = dict[str, Any]

_NAMES = {
    "bos": "bos_token_id",
    "eos": "eos_token_id",
    "unk": "unknown_token_id",
    "sep": "seperator_token_id",  # the specification's own spelling
    "pad": "padding_token_id",
    "mask": "mask_token_id",
}
_INSTEAD = {"bos": "cls", "eos": "sep"}  # what BERT calls them


def read_json(path: Path, *, needed: bool = False) -> dict[str, Any]:
    """An object; an empty one when the file is absent and not needed. Raises DataError."""
    if not needed and not path.exists():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"There is no {path.name}.", details=str(path.parent)) from error
    except OSError as error:
        raise DataError(f"There is no readable {path.name}.", details=f"{path.parent}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} cannot be read.", details=str(error)) from error
    if not isinstance(data, dict):
        raise DataError(f"{path.name} cannot be read.", details="It holds no object.")
    return data


def keys(folder: Path, config: Settings, tokenizer: Settings, ids: Mapping[str, int]) -> Keys:
    """ids: token to its number. Raises DataError."""
    settings = read_json(folder / "tokenizer_config.json")
    generation = read_json(folder / "generation_config.json")
    tokens = _tokens(settings, config, ids)
    found: Keys = {f"ggml.{_NAMES[kind]}": number for kind, number in tokens.items()}
    template = _template(folder, settings)
    if template:
        found["chat_template"] = template
    turn = _end_of_turn(tokens.get("eos"), (generation, config), template, ids)
    if turn is not None:
        found["ggml.eot_token_id"] = turn
    return found | _around(tokenizer.get("post_processor"), settings, tokens, ids)


def _tokens(settings: Settings, config: Settings, ids: Mapping[str, int]) -> dict[str, int]:
    found = {}
    for kind in _NAMES:
        for called in (kind, _INSTEAD.get(kind, kind)):
            number = _token(called, settings, config, ids)
            if number is not None:
                found[kind] = number
                break
    return found


def _token(kind: str, settings: Settings, config: Settings, ids: Mapping[str, int]) -> int | None:
    """By its text in tokenizer_config.json, else by its number in config.json."""
    text = settings.get(f"{kind}_token")
    text = text.get("content") if isinstance(text, Mapping) else text
    if isinstance(text, str) and text in ids:
        return ids[text]
    number = config.get(f"{kind}_token_id")
    number = number[0] if isinstance(number, list) and number else number
    return number if isinstance(number, int) and number in ids.values() else None


def _template(folder: Path, settings: Settings) -> Any:
    """A text, or a list of named ones as tokenizer_config.json may hold. Raises DataError."""
    path = folder / "chat_template.jinja"
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise DataError("The chat template cannot be read.", details=f"{path.name}: {error}") from error
    template = settings.get("chat_template") or read_json(folder / "chat_template.json").get("chat_template")
    if template is None or isinstance(template, str):
        return template
    if isinstance(template, list) and all(
        isinstance(one, Mapping) and {"name", "template"} <= set(one) for one in template
    ):
        return template
    raise DataError("The chat template cannot be read.", details=f"It is a {type(template).__name__}.")


def _end_of_turn(eos: int | None, configs: tuple[Settings, ...], template: Any, ids: Mapping[str, int]) -> int | None:
    """The token that ends a turn where it is not the one that ends a text: among those that generation stops at, the
    first that the template writes, unless it writes the other.
    """
    stops = [number for config in configs for number in _listed(config.get("eos_token_id"))]
    texts = {number: text for text, number in ids.items() if number in stops or number == eos}
    written = [number for number in stops if number in texts and texts[number] in str(template or "")]
    return written[0] if written and eos not in written else None


def _listed(value: Any) -> list[int]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, int)]


def _around(section: Any, settings: Settings, tokens: Mapping[str, int], ids: Mapping[str, int]) -> Keys:
    """Whether a text gets a token before it and one after it. Raises DataError when it gets other ones."""
    first, last = _template_ends(section)
    for kind, text in (("bos", first), ("eos", last)):
        if text is not None and ids.get(text) != tokens.get(kind):
            raise DataError(
                "The tokenizer puts a token around texts that a GGUF cannot name.", details=f"{text} as {kind}"
            )
    decided = first is not None or last is not None or _is_bytes_alone(section)
    return {
        f"ggml.add_{kind}_token": text is not None if decided else bool(settings.get(f"add_{kind}_token", False))
        for kind, text in (("bos", first), ("eos", last))
    }


def _is_bytes_alone(section: Any) -> bool:
    """Such a tokenizer adds nothing, whatever tokenizer_config.json says."""
    return isinstance(section, Mapping) and any(part.get("type") == "ByteLevel" for part in _parts(section))


def _parts(section: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if section.get("type") == "Sequence":
        return [part for one in section.get("processors", ()) for part in _parts(one)]
    return [section]


def _template_ends(section: Any) -> tuple[str | None, str | None]:
    """The texts of the special tokens before and after a single text. Raises DataError for other arrangements."""
    ends: tuple[str | None, str | None] = (None, None)
    for part in () if section is None else _parts(section):
        kind = part.get("type")
        if kind == "TemplateProcessing":
            ends = _ends(part.get("single", ()))
        elif kind == "BertProcessing":
            ends = (str(part["cls"][0]), str(part["sep"][0]))
        elif kind != "ByteLevel":
            raise DataError(
                "The post-processor is not known.",
                details=str(kind),
                help="Known: TemplateProcessing, BertProcessing, ByteLevel, or a sequence of them.",
            )
    return ends


def _ends(single: Any) -> tuple[str | None, str | None]:
    names = [piece.get("SpecialToken", {}).get("id") if isinstance(piece, Mapping) else None for piece in single]
    middle = names.index(None) if None in names else -1
    before, after = names[:middle], names[middle + 1 :]
    if middle < 0 or len(before) > 1 or len(after) > 1 or None in after:
        raise DataError("The post-processor is not known.", details=f"A text is surrounded by {names}.")
    return (before[0] if before else None, after[0] if after else None)
