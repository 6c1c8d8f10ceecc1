"""Adapters into their base model: a folder like the base's, whose weights need no adapter. Tensor by tensor, on numpy.

Knows folders and files; what changes is found and computed by `changes`. At most one tensor of the base and one layer
of each adapter are in memory.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert import adapters as adapter_folders
from convert import changes, output, specials, weights
from convert.adapters import Adapter
from convert.changes import Changes
from convert.weights import FLOATS, INDEX, SINGLE, STORED, Array, Info, Weights, Writer
from tide_chat.errors import DataError, UsageError
from tide_chat.progress import Say, quiet

DTYPES = {"f32": "F32", "f16": "F16", "bf16": "BF16"}
CONFIG_NAMES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
STRETCH = 1 << 18  # values at a time: they stay in the cache of a processor
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"

# What goes along from the base's folder: settings, tokenizer, templates, terms. No weights, no code, no model card.
COMPANIONS = (
    "config.json",
    "generation_config.json",
    "tokenizer*.json",
    "tokenizer.model",
    "*.tiktoken",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece*.model",
    "chat_template.*",
    "additional_chat_templates/*.jinja",
    "LICENSE*",
    "NOTICE*",
    "USE_POLICY*",
)
RUN = "run.json"


@dataclass(frozen=True, slots=True)
class Merged:
    """changed: tensors that differ from the base. untied: input and output embedding, one before, are now two."""

    out: Path
    changed: int
    untied: bool

    def __str__(self) -> str:
        untied = " Input and output embedding, one before, are two now, so the model is larger." if self.untied else ""
        return f"{self.changed} tensors changed.{untied}"


@dataclass(frozen=True, slots=True)
class _Tensor:
    """One tensor of the result. source: where the base has it."""

    name: str
    source: Info
    dtype: str

    @property
    def size(self) -> int:
        import numpy

        return self.source.count * int(numpy.dtype(STORED[self.dtype]).itemsize)


@dataclass(frozen=True, slots=True)
class _Plan:
    """shards: file name to its tensors, in the base's order."""

    base: Weights
    changes: Changes
    shards: Mapping[str, Sequence[_Tensor]]
    untied: bool

    @property
    def size(self) -> int:
        return sum(tensor.size for shard in self.shards.values() for tensor in shard)


def merge(
    base: Path, adapters: Sequence[tuple[Path, float]], out: Path, *, dtype: str | None = None, say: Say = quiet
) -> Merged:
    """Write the folder `out`. adapters: (folder, how much of it). dtype: f32, f16 or bf16; the base's own otherwise.

    Computes in float32. Where the input embedding also serves as output (tied) and either is changed, both are written
    and the config says so: only that computes what was trained. Raises UsageError, DataError, TideError for a disk that
    fills up; leaves no half-written folder.
    """
    if dtype is not None and dtype.lower() not in DTYPES:
        raise UsageError(f"There is no type '{dtype}'.", help=f"Types: {', '.join(DTYPES)}.")
    if not adapters:
        raise UsageError("There is no adapter to merge.")
    config = read_config(base)
    read = [(adapter_folders.read(folder), strength) for folder, strength in adapters]
    plan = _plan(config, Weights.of_model(base), read, DTYPES[dtype.lower()] if dtype else None)
    with output.folder(out, plan.size) as part:
        _write_weights(plan, part, say)
        _copy_companions(base, part)
        _write_config(config, plan.untied, dtype, part)
        _copy_runs([adapter for adapter, _ in read], part)
    return Merged(out, len(plan.changes.names), plan.untied)


def read_config(base: Path) -> dict[str, Any]:
    """The base model's config.json. Raises DataError, also for a quantized model."""
    config = specials.read_json(base / "config.json", needed=True)
    if config.get("quantization_config"):
        raise DataError(
            "The base model is quantized.",
            details=str(base),
            help="Take the weights it was made from: adapters trained on a quantized base fit them too.",
        )
    return config


# Planning


def _plan(config: Mapping[str, Any], base: Weights, read: Sequence[tuple[Adapter, float]], dtype: str | None) -> _Plan:
    tied = _is_tied(config, base)
    infos = {**base.infos, HEAD: base.info(EMBEDDING)} if tied else base.infos
    found = changes.find(base, infos, read)
    untied = tied and bool(found.names & {EMBEDDING, HEAD})
    if not tied and config.get("tie_word_embeddings"):
        _refuse_unknown_tie(config, base, found)
    shards: dict[str, list[_Tensor]] = {}
    for info in sorted(base.infos.values(), key=lambda info: (info.file.name, info.begin)):
        shard = shards.setdefault(info.file.name, [])
        if info.name == HEAD and tied:
            continue  # some files hold the tied tensor twice; what counts is the embedding
        shard.append(_Tensor(info.name, info, _dtype(info, dtype)))
        if info.name == EMBEDDING and untied:
            shard.append(_Tensor(HEAD, info, _dtype(info, dtype)))
    return _Plan(base, found, {name: shard for name, shard in shards.items() if shard}, untied)


def _is_tied(config: Mapping[str, Any], base: Weights) -> bool:
    """Whether the output is the embedding: known for models whose two are called by the usual names."""
    generates = any(str(name).endswith("ForCausalLM") for name in config.get("architectures") or ())
    return generates and EMBEDDING in base and (HEAD not in base or bool(config.get("tie_word_embeddings")))


def _refuse_unknown_tie(config: Mapping[str, Any], base: Weights, found: Changes) -> None:
    """Other names of a tied embedding are not known, so which change would untie it is not known either."""
    if not any("LMHead" in str(name) or "CausalLM" in str(name) for name in config.get("architectures") or ()):
        return
    for name in sorted(found.names):
        if base.info(name).shape[0] == config.get("vocab_size"):
            raise DataError(
                "The adapter changes an embedding that is also the output, under a name that is not known.",
                details=name,
            )


def _dtype(info: Info, wanted: str | None) -> str:
    return wanted if wanted and info.dtype in FLOATS else info.dtype


# Writing


def _write_weights(plan: _Plan, part: Path, say: Say) -> None:
    done = 0
    for file, tensors in plan.shards.items():
        with Writer(part / file, {t.name: (t.dtype, t.source.shape) for t in tensors}) as writer:
            for tensor in tensors:
                say("merging", done, plan.size)
                writer.write(tensor.name, _values(plan, tensor))
                done += tensor.size
    say("merging", done, plan.size)
    if set(plan.shards) != {SINGLE}:
        where = {tensor.name: file for file, tensors in plan.shards.items() for tensor in tensors}
        _write_json(part / INDEX, {"metadata": {"total_size": plan.size}, "weight_map": dict(sorted(where.items()))})


def _values(plan: _Plan, tensor: _Tensor) -> Array:
    """As they are to be stored, in the tensor's shape."""
    import numpy

    source, name = plan.changes.wholes.get(tensor.name, (plan.base, tensor.source.name))
    added = plan.changes.by_tensor.get(tensor.name, ())
    if not added and source.info(name).dtype == tensor.dtype:
        return _unchanged(source, name)
    stored = numpy.empty(tensor.source.shape, dtype=STORED[tensor.dtype])
    first = 0
    for block in changes.merged(lambda: source.blocks(name, STRETCH), added):
        stored[first : first + len(block)] = changes.rounded(block, tensor.dtype, tensor.name)
        first += len(block)
    return stored


def _unchanged(source: Weights, name: str) -> Array:
    values, info = source.raw(name), source.info(name)
    if info.dtype in FLOATS:
        flat = values.reshape(-1)
        for first in range(0, flat.size, STRETCH):
            weights.as_floats(flat[first : first + STRETCH], info)  # raises for values that are no numbers
    return values


def _copy_companions(base: Path, part: Path) -> None:
    for pattern in COMPANIONS:
        for file in sorted(base.glob(pattern)):
            if file.is_file():
                target = part / file.relative_to(base)
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(weights.inside(base, file), target)


def _write_config(config: Mapping[str, Any], untied: bool, dtype: str | None, part: Path) -> None:
    """The base's own file, byte for byte, unless something of it became untrue."""
    changed = dict(config)
    if untied:
        changed["tie_word_embeddings"] = False
    if dtype:
        key = "torch_dtype" if "torch_dtype" in config else "dtype"
        changed[key] = CONFIG_NAMES[DTYPES[dtype.lower()]]
    if changed != config:
        _write_json(part / "config.json", changed)


def _copy_runs(read: Sequence[Adapter], part: Path) -> None:
    """How each adapter was trained: run.json, or run-1.json and so on for several."""
    for number, adapter in enumerate(read, 1):
        file = adapter.folder / RUN
        if file.is_file():
            name = RUN if len(read) == 1 else f"run-{number}.json"
            shutil.copyfile(weights.inside(adapter.folder, file), part / name)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
