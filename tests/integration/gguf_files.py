"""Small files in GGUF format, made for tests: real in every byte, without a model that could talk."""

import struct
from pathlib import Path
from typing import Any

_STRING, _ARRAY, _U32, _F32_TENSOR = 8, 9, 4, 0
Entry = tuple[str, int, Any]

TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key: str, kind: int, value: Any) -> bytes:
    head = text(key) + struct.pack("<I", kind)
    if kind == _STRING:
        return head + text(value)
    if kind == _ARRAY:
        return head + struct.pack("<IQ", _STRING, len(value)) + b"".join(map(text, value))
    return head + struct.pack("<I", value)


def gguf_bytes(
    *,
    architecture: str = "llama",
    template: str | None = TEMPLATE,
    kind: str | None = "model",
    name: str = "Tiny",
    weights: int = 1024,
    version: int = 3,
    tensors: int = 1,
    extra: tuple[Entry, ...] = (),
) -> bytes:
    """`weights` numbers of four bytes in each of `tensors` tensors."""
    entries: list[Entry] = [
        ("general.architecture", _STRING, architecture),
        ("general.name", _STRING, name),
        ("general.file_type", _U32, 0),
        (f"{architecture}.context_length", _U32, 2048),
        (f"{architecture}.block_count", _U32, 2),
        ("tokenizer.ggml.tokens", _ARRAY, ["<s>", "</s>", "a", "b"]),
        *extra,
    ]
    if kind is not None:
        entries.append(("general.type", _STRING, kind))
    if template is not None:
        entries.append(("tokenizer.chat_template", _STRING, template))
    data = b"GGUF" + struct.pack("<IQQ", version, tensors, len(entries))
    data += b"".join(entry(*one) for one in entries)
    for number in range(tensors):
        data += text(f"blk.{number}.weight") + struct.pack("<IQIQ", 1, weights, _F32_TENSOR, number * weights * 4)
    data += bytes(-len(data) % 32)
    return data + b"".join(bytes([number % 251]) * 4 for number in range(weights * tensors))


def write_gguf(path: Path, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf_bytes(**how))
    return path
