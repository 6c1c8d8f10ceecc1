"""`tokenizer.json` and `tokenizer_config.json` from the vocabulary of a GGUF: byte-level BPE, and SentencePiece's BPE.

The result cuts text as the runtime does with the file. Where a model's own tokenizer also normalises text (NFC in
Qwen's), the file does not say so, and neither does the result.
"""

from collections.abc import Mapping
from typing import Any

from convert import pretokenizers
from convert.from_gguf.source import Source
from tide_chat.errors import DataError

Json = dict[str, Any]

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # token types of the GGUF specification
SPACE = "\u2581"

# The runtime's names for pre-tokenizers that cut as another one does.
_ALSO = {"llama3": "llama-bpe", "llama-v3": "llama-bpe", "starcoder": "refact"}
PRES: Mapping[str, pretokenizers.Known] = {
    "gpt-2": pretokenizers.Known("gpt-2", (("ByteLevel", "words"),)),
    **{known.name: known for known in pretokenizers.TABLE},
}
_STRIPPING = ("phi-3", "phi3")  # the runtime knows by the model's name that spaces after special tokens belong to them
_KEEPING = ("<unk>", "<s>", "<|endoftext|>")  # but not after these
_BEGINS = ("llama-bpe",)  # where a text begins with the first token when the file does not say


def tokenizer_of(source: Source) -> Json:
    """The whole `tokenizer.json`. Raises DataError for tokenizers that are not known."""
    kind = source.get("tokenizer.ggml.model")
    if kind == "gpt2":
        return _byte_level(source)
    if kind == "llama":
        return _sentence_piece(source)
    raise DataError("The tokenizer is not known.", details=repr(kind), help="Known: gpt2 (byte-level BPE), llama.")


def settings_of(source: Source) -> Json:
    """The whole `tokenizer_config.json`, chat template included. Raises DataError."""
    tokens = vocabulary(source)
    settings: Json = {
        "tokenizer_class": "PreTrainedTokenizerFast",  # loads tokenizer.json as it is; others would rebuild parts of it
        "clean_up_tokenization_spaces": False,
        "model_max_length": int(source.need("context_length")),
    }
    for name, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        token = source.get(f"tokenizer.ggml.{key}_token_id")
        if token is not None and 0 <= int(token) < len(tokens):
            settings[f"{name}_token"] = tokens[int(token)]
    if template := source.get("tokenizer.chat_template"):
        settings["chat_template"] = template
    return settings


def vocabulary(source: Source) -> list[str]:
    """The tokens in the order of their ids. Raises DataError."""
    tokens = source.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, list) or not tokens:
        raise DataError("The file carries no vocabulary.", details=source.path.name)
    return [str(token) for token in tokens]


def token_types(source: Source) -> list[int]:
    """One a token; all NORMAL where the file does not say. Raises DataError."""
    tokens = vocabulary(source)
    types = source.get("tokenizer.ggml.token_type") or [NORMAL] * len(tokens)
    if len(types) != len(tokens):
        raise DataError("The vocabulary is damaged.", details=f"{len(tokens)} tokens, {len(types)} types")
    return [int(kind) for kind in types]


def _byte_level(source: Source) -> Json:
    name = str(source.get("tokenizer.ggml.pre", "default"))
    pre, vocab = PRES.get(_ALSO.get(name, name)), _vocab(source)
    if pre is None:
        raise DataError("The pre-tokenizer is not known.", details=name, help=f"Known: {', '.join(sorted(PRES))}.")
    merges = [_halves(str(merge)) for merge in source.get("tokenizer.ggml.merges") or ()]
    if lacking := next((pair for pair in merges if not {*pair, "".join(pair)} <= vocab.keys()), None):
        raise DataError("A merge needs a token that is not in the vocabulary.", details=" ".join(lacking))
    after: Json = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    framed = _frame(source, pre.name in _BEGINS)
    return _file(
        _added(source),
        _bpe(vocab, merges) | {"ignore_merges": pre.whole_words},
        pre_tokenizer={"type": "Sequence", "pretokenizers": [_step(*step) for step in pre.steps]},
        post_processor={"type": "Sequence", "processors": [after, framed]} if framed else after,
        decoder={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    )


def _step(kind: object, what: object) -> Json:
    """One step of `pretokenizers.Known` as `tokenizer.json` has it."""
    if kind == "Split":
        return {"type": "Split", "pattern": {"Regex": what}, "behavior": "Isolated", "invert": False}
    if kind == "Digits":
        return {"type": "Digits", "individual_digits": True}
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": what == "words"}


def _sentence_piece(source: Source) -> Json:
    vocab = _vocab(source)
    prefix = bool(source.get("tokenizer.ggml.add_space_prefix", True))
    unknown = source.get("tokenizer.ggml.unknown_token_id", 0)
    replace: Json = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    undo: list[Json] = [
        {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    first: list[Json] = [{"type": "Prepend", "prepend": SPACE}] if prefix else []
    last: list[Json] = [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if prefix else []
    model = _bpe(vocab, _merges_by_score(source, vocab)) | {
        "unk_token": vocabulary(source)[int(unknown)],
        "fuse_unk": True,
        "byte_fallback": True,
    }
    return _file(
        _added(source),
        model,
        normalizer={"type": "Sequence", "normalizers": [*first, replace]},
        post_processor=_frame(source, bos=True),
        decoder={"type": "Sequence", "decoders": [*undo, *last]},
    )


def _merges_by_score(source: Source, vocab: Mapping[str, int]) -> list[tuple[str, str]]:
    """SentencePiece joins the pair whose token has the best score: that order, spelled out as merges."""
    scores = source.get("tokenizer.ggml.scores")
    if not isinstance(scores, list) or len(scores) != len(vocabulary(source)):
        raise DataError("The vocabulary carries no scores.", details=source.path.name)
    types = token_types(source)
    found: list[tuple[float, int, tuple[str, str]]] = []
    for token, number in vocab.items():
        if types[number] not in (NORMAL, USER, UNUSED):
            continue
        pairs = [(token[:at], token[at:]) for at in range(1, len(token))]
        known = [pair for pair in pairs if pair[0] in vocab and pair[1] in vocab]
        known.sort(key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))
        found.extend((-float(scores[number]), number, pair) for pair in known)
    found.sort(key=lambda entry: entry[:2])
    return [pair for _, _, pair in found]


def _vocab(source: Source) -> dict[str, int]:
    """Token to id, without the ids that stand for nothing. Raises DataError when a token occurs twice."""
    found: dict[str, int] = {}
    for number, (token, kind) in enumerate(zip(vocabulary(source), token_types(source), strict=True)):
        if kind == UNUSED:
            continue
        if token in found:
            raise DataError("A token occurs twice.", details=f"{token!r} is {found[token]} and {number}.")
        found[token] = number
    return found


def _halves(merge: str) -> tuple[str, str]:
    left, _, right = merge[1:].partition(" ")  # the first letter may itself be a space
    return merge[:1] + left, right


def _bpe(vocab: Mapping[str, int], merges: list[tuple[str, str]]) -> Json:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": dict(vocab),
        "merges": [list(pair) for pair in merges],
    }


def _added(source: Source) -> list[Json]:
    """Tokens that text is searched for before anything else."""
    flags = {"single_word": False, "lstrip": False, "normalized": False}
    strips = any(part in str(source.get("general.name", "")).lower() for part in _STRIPPING)
    return [
        {"id": number, "content": token, **flags, "rstrip": strips and token not in _KEEPING, "special": kind != USER}
        for number, (token, kind) in enumerate(zip(vocabulary(source), token_types(source), strict=True))
        if kind in (UNKNOWN, CONTROL, USER)
    ]


def _frame(source: Source, bos: bool) -> Json | None:
    """What is put around every text: begin, end, both or nothing."""
    begins = bool(source.get("tokenizer.ggml.add_bos_token", bos))
    ends = bool(source.get("tokenizer.ggml.add_eos_token", False))
    tokens = vocabulary(source)
    used: list[tuple[str, int]] = []
    for wanted, key in ((begins, "bos"), (ends, "eos")):
        number = source.get(f"tokenizer.ggml.{key}_token_id")
        if wanted and number is not None:
            used.append((key, int(number)))
    if not used:
        return None

    def piece(key: str, kind: int) -> list[Json]:
        return [{"SpecialToken": {"id": tokens[n], "type_id": kind}} for name, n in used if name == key]

    def text(name: str, kind: int) -> list[Json]:
        return [*piece("bos", kind), {"Sequence": {"id": name, "type_id": kind}}, *piece("eos", kind)]

    special = {tokens[n]: {"id": tokens[n], "ids": [n], "tokens": [tokens[n]]} for _, n in used}
    pair = text("A", 0) + text("B", 1)
    return {"type": "TemplateProcessing", "single": text("A", 0), "pair": pair, "special_tokens": special}


def _file(added: list[Json], model: Json, **parts: Json | None) -> Json:
    empty = dict.fromkeys(("normalizer", "pre_tokenizer", "post_processor", "decoder"))
    head: Json = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added}
    return head | empty | parts | {"model": model}
