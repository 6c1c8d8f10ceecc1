"""Which of llama.cpp's pre-tokenizers splits text as a `tokenizer.json` does: recognised by its steps.

llama.cpp has the splitting of each family in its code and a GGUF only names it, so a wrong name gives wrong tokens
without any error: what is not exactly one of the known ones is refused.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tide_chat.errors import DataError

Step = tuple[object, ...]

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


@dataclass(frozen=True, slots=True)
class Known:
    """steps: what a pre-tokenizer does, see `_steps`. token: one that tells families of equal steps apart, "" for any.

    whole_words: whether a word that is a token is taken before any merging (`ignore_merges`).
    """

    name: str
    steps: tuple[Step, ...]
    token: str = ""
    whole_words: bool = False


_BYTES: Step = ("ByteLevel", "whole")
_QWEN2: tuple[Step, ...] = (("Split", _WORDS + r"|\p{N}" + _REST), _BYTES)
_LLAMA3: tuple[Step, ...] = (("Split", _WORDS + r"|\p{N}{1,3}" + _REST), _BYTES)
_DIGITS: tuple[Step, ...] = (("Digits", "each"), ("ByteLevel", "words"))

# The first that fits is taken: those with a token of their own come before those without.
TABLE = (
    Known("deepseek-r1-qwen", _QWEN2, token="<｜begin▁of▁sentence｜>"),
    Known("qwen2", _QWEN2),
    Known("llama-bpe", _LLAMA3, whole_words=True),
    Known("refact", _DIGITS, token="<fim_prefix>"),
    Known("smollm", _DIGITS),
)


def name(data: Mapping[str, Any], tokens: Collection[str]) -> str:
    """data: a `tokenizer.json` with a byte-level BPE. Raises DataError, naming the known ones."""
    steps = tuple(_steps(data.get("pre_tokenizer")))
    whole_words = bool(data["model"].get("ignore_merges"))
    for known in TABLE:
        if known.steps == steps and known.whole_words == whole_words and (not known.token or known.token in tokens):
            return known.name
    raise DataError(
        "The pre-tokenizer is not known.",
        details="; ".join(" ".join(map(str, step)) for step in steps) or "tokenizer.json has none.",
        help=f"Known: {', '.join(sorted(known.name for known in TABLE))}.",
    )


def _steps(section: Any) -> list[Step]:
    """A section `pre_tokenizer` as a flat list of what it does."""
    if not isinstance(section, Mapping):
        return []
    kind = section.get("type")
    if kind == "Sequence":
        return [step for part in section.get("pretokenizers", ()) for step in _steps(part)]
    if kind == "Split" and section.get("behavior") == "Isolated" and not section.get("invert"):
        pattern = section.get("pattern")
        return [("Split", pattern.get("Regex") if isinstance(pattern, Mapping) else None)]
    if kind == "Digits" and section.get("individual_digits"):
        return [("Digits", "each")]
    if kind == "ByteLevel" and not section.get("add_prefix_space"):
        return [("ByteLevel", "words" if section.get("use_regex", True) else "whole")]
    return [(str(kind), "in a form that is not known")]
