"""What the app and the engine's child process say to each other: one JSON object a line, over pipes, no sockets.

Request  {"id", "op": load|generate|cancel|count|embed, ...}
Answer   {"id", "kind": progress|chunk|result|error, ...}
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from tide_chat import errors
from tide_chat.engine.base import Chunk, EngineInfo, EngineSpec, FinishReason, Prompt, SamplingParams, Span, Usage

Json = dict[str, Any]


def encode(message: Json) -> bytes:
    return json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n"


def decode(line: bytes) -> Json:
    """Raises ValueError on anything but a JSON object."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError(f"expected an object, got {type(message).__name__}")
    return message


def prompt_to_json(prompt: Prompt) -> Json:
    return dataclasses.asdict(prompt)


def prompt_from_json(data: Json) -> Prompt:
    return Prompt(tuple(Span(**span) for span in data["spans"]), data["anew"])


def spec_from_json(data: Json) -> EngineSpec:
    paths = {key: Path(data[key]) if data[key] else None for key in ("adapter", "cache_dir", "chat_template")}
    return EngineSpec(**{**data, **paths, "model": Path(data["model"])})


def params_from_json(data: Json) -> SamplingParams:
    return SamplingParams(**{**data, "stop": tuple(data["stop"])})


def chunk_to_json(chunk: Chunk) -> Json:
    return dataclasses.asdict(chunk)


def chunk_from_json(data: Json) -> Chunk:
    reason = FinishReason(data["finish_reason"]) if data["finish_reason"] else None
    return Chunk(data["text"], data["tokens"], reason, Usage(**data["usage"]) if data["usage"] else None)


def info_from_json(data: Json) -> EngineInfo:
    return EngineInfo(**{**data, "control_tokens": tuple(data["control_tokens"]), "notes": tuple(data["notes"])})


def error_to_json(error: Exception) -> Json:
    """Only types and authored words travel: an unexpected exception's text could hold what somebody wrote."""
    if isinstance(error, errors.TideError):
        words = {"message": error.message, "details": error.details, "help": error.help}
        return {"type": type(error).__name__, **words}
    return {"type": "EngineError", "message": "The model failed.", "details": type(error).__name__, "help": ""}


def error_from_json(data: Json) -> errors.TideError:
    known = getattr(errors, data["type"], errors.EngineError)
    error = known(data["message"], details=data["details"], help=data["help"])
    assert isinstance(error, errors.TideError)
    return error
