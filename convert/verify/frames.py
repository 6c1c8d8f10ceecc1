"""One message on a pipe: a JSON object and, behind it, raw bytes. Both ends use this; it knows neither."""

import json
import struct
from typing import IO, Any

Json = dict[str, Any]
_SIZES = struct.Struct("<II")


def send(pipe: IO[bytes], head: Json, body: bytes = b"") -> None:
    """Raises OSError when nobody reads."""
    encoded = json.dumps(head).encode()
    pipe.write(_SIZES.pack(len(encoded), len(body)) + encoded)
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[Json, bytes] | None:
    """None when the other end is gone, be it in the middle of a message."""
    sizes = pipe.read(_SIZES.size)
    if len(sizes) < _SIZES.size:
        return None
    length, rest = _SIZES.unpack(sizes)
    head, body = pipe.read(length), pipe.read(rest)
    return (json.loads(head), body) if len(head) == length and len(body) == rest else None
