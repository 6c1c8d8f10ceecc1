"""From `tokenizer.json` to the vocabulary keys of a GGUF: the files themselves are read, no tokenizer class.

Three kinds are known: byte-level BPE, SentencePiece's BPE with bytes for what is unknown, and WordPiece.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from convert import pretokenizers, specials
from tide_chat.errors import DataError

Data = Mapping[str, Any]
Keys = dict[str, Any]

NORMAL, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 3, 4, 5, 6  # 2, for the unknown token, is CONTROL where it is special
SPACE = "\u2581"  # stands for a space
_BYTE_TOKEN = re.compile(r"<0x[0-9A-F]{2}>")
_SPECIAL_BY_ITS_LOOK = re.compile(r"<\|.*\|>|<｜.*｜>|<pad>|<mask>|<unused.*>", re.DOTALL)


class Tokens:
    """All tokens by number, up to the rows of the embedding; numbers without a token are padding that never occurs."""

    def __init__(self, data: Data, rows: int) -> None:
        """Raises DataError."""
        self.added: dict[int, Data] = {int(one["id"]): one for one in data.get("added_tokens", ())}
        self.ids: dict[str, int] = {str(text): int(number) for text, number in data["model"]["vocab"].items()}
        self.ids |= {str(one["content"]): number for number, one in self.added.items()}
        if len(set(self.ids.values())) < len(self.ids):
            raise DataError("The tokenizer gives two tokens one number.")
        if self.ids and max(self.ids.values()) >= rows:
            raise DataError(
                "The tokenizer has more tokens than the model.",
                details=f"Its last is {max(self.ids.values())}, the embedding has {rows} rows.",
            )
        self.texts = [f"[PAD{number}]" for number in range(rows)]
        for text, number in self.ids.items():
            self.texts[number] = text
        known = set(self.ids.values())
        self.types = [NORMAL if number in known else UNUSED for number in range(rows)]


def keys(folder: Path, config: Data, kinds: Sequence[str]) -> Keys:
    """What goes below `tokenizer.`. kinds: names of vocabularies that the architecture can have. Raises DataError."""
    data = specials.read_json(folder / "tokenizer.json", needed=True)
    try:
        kind = _kind(data["model"])
        if kind not in kinds:
            raise DataError(
                "The tokenizer is not known.",
                details=f"{data['model'].get('type')} in tokenizer.json",
                help=f"Known for this architecture: {', '.join(_NAMES[kind] for kind in kinds)}.",
            )
        tokens = Tokens(data, int(config["vocab_size"]))
        written = _WRITERS[kind](data, tokens)
        return (
            {"ggml.model": kind, "ggml.tokens": tokens.texts, "ggml.token_type": tokens.types}
            | written
            | ({"ggml.token_type_count": int(config.get("type_vocab_size", 2))} if kind == "bert" else {})
            | specials.keys(folder, config, data, tokens.ids)
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DataError("tokenizer.json is damaged.", details=f"{type(error).__name__}: {error}") from error


def _kind(model: Data) -> str:
    """What llama.cpp calls the vocabulary."""
    if model.get("type") == "BPE":
        return "llama" if model.get("byte_fallback") else "gpt2"
    return {"WordPiece": "bert"}.get(str(model.get("type")), "")


_NAMES = {"gpt2": "byte-level BPE", "llama": "SentencePiece BPE", "bert": "WordPiece"}


def _refuse(what: str, got: Any, known: str) -> DataError:
    return DataError(f"The tokenizer's {what} is not known.", details=str(got)[:200], help=f"Known: {known}.")


# Byte-level BPE


def _gpt2(data: Data, tokens: Tokens) -> Keys:
    normalizer = data.get("normalizer")
    if normalizer not in (None, {"type": "NFC"}):
        raise _refuse("normalizer", normalizer, "none, NFC")
    for number, added in tokens.added.items():
        if added.get("special") or _SPECIAL_BY_ITS_LOOK.fullmatch(added["content"]):
            tokens.types[number] = CONTROL
        else:
            tokens.types[number] = USER_DEFINED
            tokens.texts[number] = tokens.texts[number].replace(SPACE, " ")
    return {
        "ggml.pre": pretokenizers.name(data, tokens.ids),
        "ggml.merges": [" ".join(pair) for pair in _merges(data["model"])],
        "ggml.add_space_prefix": False,
    }


def _merges(model: Data) -> Iterator[tuple[str, str]]:
    """Pairs, whichever of the two forms they are kept in."""
    for merge in model["merges"]:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        yield left, right


# SentencePiece's BPE


def _llama(data: Data, tokens: Tokens) -> Keys:
    _only_spaces_change(data)
    ordinary = [number for number in sorted(tokens.ids.values()) if number not in tokens.added]
    whole = [number for number in ordinary if not _BYTE_TOKEN.fullmatch(tokens.texts[number])]
    _in_the_order_of_merging(data["model"], tokens.ids)
    scores = [-10000.0] * len(tokens.texts)
    for number in ordinary:
        scores[number], tokens.types[number] = 0.0, BYTE
    for place, number in enumerate(whole):
        scores[number], tokens.types[number] = float(-place), NORMAL
    for number, added in tokens.added.items():
        scores[number], tokens.types[number] = -1000.0, CONTROL if added.get("special") else USER_DEFINED
    return {"ggml.pre": "default", "ggml.scores": scores, "ggml.add_space_prefix": True}


def _only_spaces_change(data: Data) -> None:
    """A mark before the text, and for every space: what the runtime does with such a vocabulary. Raises DataError."""
    section = data.get("normalizer")
    steps = (
        section.get("normalizers") if isinstance(section, Mapping) and section.get("type") == "Sequence" else [section]
    )
    expected = [
        {"type": "Prepend", "prepend": SPACE},
        {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
    ]
    if steps != expected or data.get("pre_tokenizer"):
        raise DataError(
            "The tokenizer treats spaces in another way than llama.cpp.",
            details=f"normalizer {section}, pre_tokenizer {data.get('pre_tokenizer')}"[:300],
            help="A library may have rewritten it: take tokenizer.json from the model that was trained on.",
        )


def _in_the_order_of_merging(model: Data, ids: Mapping[str, int]) -> None:
    """The runtime merges what has the smallest number: that must be the order of the merges. Raises DataError."""
    numbers = [ids[left + right] for left, right in _merges(model)]
    if any(after < before for before, after in itertools.pairwise(numbers)):
        raise DataError("The tokenizer's tokens are not in the order of its merges.", help="Only such ones are known.")


# WordPiece


def _bert(data: Data, tokens: Tokens) -> Keys:
    normalizer, model = data.get("normalizer") or {}, data["model"]
    if normalizer.get("type") != "BertNormalizer" or not normalizer.get("handle_chinese_chars", True):
        raise _refuse("normalizer", normalizer, "BertNormalizer")
    if (data.get("pre_tokenizer") or {}).get("type") != "BertPreTokenizer":
        raise _refuse("pre-tokenizer", data.get("pre_tokenizer"), "BertPreTokenizer")
    if model.get("continuing_subword_prefix") != "##":
        raise _refuse("mark of continued words", model.get("continuing_subword_prefix"), "##")
    for number, added in tokens.added.items():
        tokens.types[number] = CONTROL if added.get("special") else USER_DEFINED
    for number, text in enumerate(tokens.texts):
        if tokens.types[number] != CONTROL:
            tokens.texts[number] = text[2:] if text.startswith("##") else SPACE + text
    written = {"ggml.pre": "default", "ggml.normalizer.lowercase": bool(normalizer.get("lowercase", True))}
    if normalizer.get("strip_accents") is not None:
        written["ggml.normalizer.strip_accents"] = bool(normalizer["strip_accents"])
    return written


_WRITERS: Mapping[str, Callable[[Data, Tokens], Keys]] = {"gpt2": _gpt2, "llama": _llama, "bert": _bert}
