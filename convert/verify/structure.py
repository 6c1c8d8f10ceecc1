"""Metadata, vocabulary, shapes and bytes of a GGUF against an HF folder. Computes nothing with the model."""

from collections.abc import Iterator, Mapping, Sequence
from math import isclose
from typing import Any

from convert import rope
from convert.from_gguf import config as from_gguf
from convert.from_gguf import tensors, tokenizer
from convert.from_gguf.source import Source
from convert.verify.folder import Folder
from convert.verify.report import Line
from convert.weights import Weights, to_stored
from tide_chat.errors import DataError
from tide_chat.progress import Say, quiet

EXACT = ("F32", "F16", "BF16")  # types whose values are HF's own, rounded at most
_LEFT_OUT = ("rotary_emb.inv_freq",)  # computed, not learned
_OTHERWISE = frozenset(  # checked apart, or of no meaning for the result
    {"architectures", "model_type", "hidden_act", "use_sliding_window", "vocab_size", "rope_theta"}
    | {"bos_token_id", "eos_token_id", "pad_token_id", "partial_rotary_factor", "sliding_window"}
)
_SINGLE = 1e-6  # relative: GGUF keeps single precision


def refuse_another(source: Source, folder: Folder) -> None:
    """Raises DataError when the folder holds another kind of model, so that nothing can be compared."""
    kind = str(folder.config.get("model_type"))
    if kind != source.architecture:
        raise DataError(
            "The file and the folder hold models of other architectures.",
            details=f"{source.path.name} is {source.architecture}, {folder.path} is {kind}.",
        )
    if "token_embd.weight" not in source.tensors:
        raise DataError("The file lacks tensors.", details=f"{source.path.name}: token_embd.weight")
    ours, theirs = len(tokenizer.vocabulary(source)), int(folder.config["vocab_size"])
    if ours != theirs or source.tensors["token_embd.weight"].shape[0] != theirs:
        raise DataError(
            "The file and the folder hold models of other vocabularies.", details=f"{ours} tokens, and {theirs}."
        )


def metadata(source: Source, folder: Folder) -> Iterator[Line]:
    """One line a value. Raises DataError."""
    ours = from_gguf.without_scaling(source)
    theirs = dict(folder.config)
    theirs["head_dim"] = theirs.get("head_dim") or theirs["hidden_size"] // theirs["num_attention_heads"]
    for key, value in ours.items():
        if key not in _OTHERWISE:
            wanted = theirs.get(key)
            yield Line(key, _same(value, wanted), _short(value), f"HF: {_short(wanted)}")
    yield from _rope(source, theirs, ours)
    eos = source.get("tokenizer.ggml.eos_token_id")
    yield Line("end of sequence", eos in folder.ends, str(eos), f"HF: {sorted(folder.ends)}")
    template = str(source.get("tokenizer.chat_template") or "")
    same = template == folder.template
    yield Line("chat template", same, f"{len(template)} characters", "the same text" if same else "another text")


def _rope(source: Source, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[Line]:
    wanted = rope.of(theirs, ("default", "linear", "yarn", "llama3", "longrope"))
    base = ours["rope_theta"]
    yield Line("rope base", _same(base, wanted.theta), _short(base), f"HF: {_short(wanted.theta)}")
    found, same = _scaling(source, wanted, theirs["head_dim"])
    yield Line("rope scaling", same, found, f"HF: {wanted.kind}")


def _scaling(source: Source, wanted: rope.Rope, size: int) -> tuple[str, bool]:
    """What the file scales by, and whether it is the same. Factors are compared, not what they were made of."""
    if "rope_freqs.weight" in source.tensors:
        factors = rope.llama3_factors(wanted, size) if wanted.kind == "llama3" else []
        return "llama3", _equal_factors(source, "rope_freqs.weight", factors)
    if "rope_factors_long.weight" in source.tensors:
        return "longrope", wanted.kind == "longrope" and all(
            _equal_factors(source, f"rope_factors_{length}.weight", wanted.settings.get(f"{length}_factor") or [])
            for length in ("long", "short")
        )
    found = str(source.own("rope.scaling.type", "none"))
    if found in ("none", "", "longrope"):
        return "none", wanted.kind == "default"
    return found, found == wanted.kind and _same(float(source.own("rope.scaling.factor", 1.0)), wanted.number("factor"))


def _equal_factors(source: Source, name: str, wanted: Sequence[float]) -> bool:
    import numpy

    found = source.floats(name).ravel()
    return len(found) == len(wanted) and bool(numpy.allclose(found, wanted, rtol=1e-5))


def vocabulary(source: Source, folder: Folder) -> Iterator[Line]:
    """The texts of all tokens, and which of them are special."""
    tokens, types = tokenizer.vocabulary(source), tokenizer.token_types(source)
    theirs = {int(number): str(text) for text, number in folder.tokenizer.get_vocab(with_added_tokens=True).items()}
    other = [n for n, text in sorted(theirs.items()) if n >= len(tokens) or tokens[n] != text]
    shown = f"{len(theirs) - len(other)} of {len(theirs)} are the same"
    example = (
        f"id {other[0]}: {tokens[other[0]]!r}, HF {theirs[other[0]]!r}" if other and other[0] < len(tokens) else ""
    )
    yield Line("token texts", not other, shown, example)
    control = {text for text, kind in zip(tokens, types, strict=True) if kind == tokenizer.CONTROL}
    unlike = sorted(folder.special - control)
    yield Line(
        "control tokens", not unlike, f"{len(control)}", f"not marked: {', '.join(unlike[:3])}" if unlike else ""
    )


def weights(source: Source, folder: Folder, say: Say = quiet) -> Iterator[Line]:
    """Count, shapes, and the values of every tensor that is not quantized. Raises DataError."""
    stored, wanted = Weights.of_model(folder.path), tensors.targets(source)
    tied = "lm_head.weight" not in wanted and bool(folder.config.get("tie_word_embeddings"))
    expected = {name for name in stored if not name.endswith(_LEFT_OUT) and not (tied and name == "lm_head.weight")}
    unlike = sorted(expected ^ set(wanted))
    yield Line("tensors", not unlike, str(len(wanted)), f"HF: {len(expected)}{', ' + unlike[0] if unlike else ''}")
    both = [wanted[name] for name in sorted(expected & set(wanted))]
    shapes = [target.name for target in both if target.shape != stored.info(target.name).shape]
    yield Line("shapes", not shapes, f"{len(both) - len(shapes)} of {len(both)} are the same", ", ".join(shapes[:2]))
    exact = [target for target in both if _type(source, target) in EXACT and target.name not in shapes]
    other = []
    for done, target in enumerate(exact, 1):
        if not _same_values(source, stored, target):
            other.append(target.name)
        say("comparing values", done, len(exact))
    rest = len(both) - len(exact)
    note = f"{rest} quantized ones are judged by what they compute" if rest else ""
    shown = f"{len(exact) - len(other)} of {len(exact)} are equal, bit by bit"
    yield Line("values", not other, shown, ", ".join(other[:2]) or note)


def _type(source: Source, target: tensors.Target) -> str:
    types = {source.tensors[part].type for part in target.parts}
    return types.pop() if len(types) == 1 else "mixed"


def _same_values(source: Source, stored: Weights, target: tensors.Target) -> bool:
    import numpy

    kind = _type(source, target)
    whole = len(target.shape) != 2 or target.heads > 0
    theirs = iter([stored.floats(target.name)]) if whole else stored.blocks(target.name)
    return all(
        numpy.array_equal(to_stored(ours, kind), to_stored(block, kind))
        for ours, block in zip(tensors.blocks(source, target), theirs, strict=True)
    )


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, int | float):
        return isclose(ours, float(theirs), rel_tol=_SINGLE)
    return bool(ours == theirs)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
