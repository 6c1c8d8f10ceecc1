"""A GGUF file to an HF folder that trains: weights decoded, config and tokenizer rebuilt from the metadata.

What a quantization lost stays lost: the values are those that the runtime computes with.
"""

import json
from math import prod
from pathlib import Path
from typing import Any

from convert import output
from convert.from_gguf import config, tensors, tokenizer
from convert.from_gguf.source import Source
from convert.weights import SINGLE, STORED, Writer
from tide_chat.errors import UsageError
from tide_chat.progress import Say, quiet

ROOM = 64 << 20  # bytes beside the weights: the tokenizer, and some air


def dequantize(file: Path, out: Path, *, dtype: str = "F32", say: Say = quiet) -> None:
    """Write the folder `out`, which must be new or empty. dtype: F32, F16 or BF16.

    Raises ModelNotFound, ModelUnusable, DataError, UsageError, TideError; leaves no half-written folder.
    """
    if dtype not in config.DTYPES:
        raise UsageError(f"There is no type '{dtype}'.", help=f"Types: {', '.join(config.DTYPES)}.")
    source = Source(file)
    wanted = tensors.targets(source)
    texts = _texts(source, dtype)
    size = sum(prod(target.shape) for target in wanted.values()) * int(STORED[dtype][-1])
    with output.folder(out, size + ROOM) as part:
        for name, content in texts.items():
            (part / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _write_weights(source, wanted, part / SINGLE, dtype, say)


def _texts(source: Source, dtype: str) -> dict[str, dict[str, Any]]:
    model = config.config_of(source)
    return {
        "config.json": model | {"torch_dtype": config.DTYPES[dtype]},
        "generation_config.json": config.generation_of(source),
        "tokenizer.json": tokenizer.tokenizer_of(source),
        "tokenizer_config.json": tokenizer.settings_of(source),
    }


def _write_weights(source: Source, wanted: dict[str, tensors.Target], out: Path, dtype: str, say: Say) -> None:
    with Writer(out, {name: (dtype, target.shape) for name, target in wanted.items()}) as writer:
        for done, (name, target) in enumerate(wanted.items(), 1):
            writer.write(name, tensors.values(source, target, dtype))
            say("decoding", done, len(wanted))
