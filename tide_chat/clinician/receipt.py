"""A receipt: with it, a colleague gets the same text on another machine, or is told which turn differs and why.

It holds what the user wrote, and of each reply only its SHA-256. Reading and writing it; `again.py` runs it anew.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from tide_chat.care import export
from tide_chat.clinician.recorded import Do, Step, Turn
from tide_chat.engine.base import SamplingParams
from tide_chat.errors import DataError
from tide_chat.messages import Conversation, Message, Role

FORMAT, SUFFIX = 1, ".json"
HOLDS = (
    "It holds every line that was written in this conversation, also lines that were changed afterwards, and of the "
    "replies only checksums. It is not encrypted: whoever can open the file can read it."
)
HOLDS_EARLIER = "The conversation that this one went on from is in it as a whole, with its replies."
_ALLOWED: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
    int | None: (int, type(None)),
}
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files behind an alias, by SHA-256 in hex. adapter_sha256 is empty without an adapter."""

    alias: str
    model_sha256: str
    adapter_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """With what: versions and hardware, for saying what is different elsewhere."""

    tide_chat: str
    runtime: str  # of the native library, with its instruction sets
    system: str
    device: str
    threads: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """settings: those that bear on replies. earlier: with what the conversation began."""

    made: Made
    models: tuple[ModelFiles, ...]
    settings: Mapping[str, Any]
    sampling: SamplingParams
    earlier: Conversation
    steps: tuple[Step, ...]


def holds(earlier: Conversation) -> str:
    """What is in the file, for who is about to write it."""
    return f"{HOLDS} {HOLDS_EARLIER}" if earlier.messages else HOLDS


def made(turn: Turn | None) -> Made:
    """Of this program, here and now; what a model brings is empty until one was asked."""
    import platform

    from tide_chat import __version__

    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    if turn is None or turn.info is None:
        return Made(__version__, "", system, "", 0)
    return Made(__version__, turn.info.build, system, turn.info.device, turn.result.usage.threads)


def write(where: str | Path, receipt: Receipt) -> Path:
    """Returns the whole path. Never writes over another file. Raises UsageError, OSError."""
    return export.write(where, to_text(receipt), (SUFFIX,))


def check(where: str | Path) -> None:
    """Raises UsageError where no receipt can be written."""
    export.checked(where, (SUFFIX,))


def to_text(receipt: Receipt) -> str:
    values = {
        "tide_chat_receipt": FORMAT,
        "made": asdict(receipt.made),
        "models": [asdict(one) for one in receipt.models],
        "settings": dict(receipt.settings),
        "sampling": asdict(receipt.sampling),
        "earlier": [asdict(message) for message in receipt.earlier.messages],
        "steps": [asdict(one) for one in receipt.steps],
    }
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def read(path: Path) -> Receipt:
    """Raises DataError."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("The receipt cannot be read.", details=f"{path}: {error}") from error


def parse(text: str, source: str) -> Receipt:
    """`source` names the text in errors. Raises DataError."""
    try:
        values = json.loads(text)
        if not isinstance(values, dict) or values.get("tide_chat_receipt") != FORMAT:
            raise ValueError(f"tide_chat_receipt must be {FORMAT}")
        return _receipt(values)
    except json.JSONDecodeError as error:
        raise _damaged(source, f"line {error.lineno}: {error.msg}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(source, f"{type(error).__name__}: {error}") from error


def _receipt(values: Mapping[str, Any]) -> Receipt:
    sampling = values["sampling"]
    messages = (_row(Message, row | {"role": Role(row["role"])}) for row in values["earlier"])
    return Receipt(
        _row(Made, values["made"]),
        tuple(_row(ModelFiles, row) for row in values["models"]),
        dict(values["settings"]),
        _row(SamplingParams, sampling | {"stop": tuple(sampling["stop"])}),
        Conversation(tuple(messages)),
        tuple(_row(Step, row | {"do": Do(row["do"])}) for row in values["steps"]),
    )


def _row(kind: type[_Row], row: Mapping[str, Any]) -> _Row:
    """Raises TypeError where a field is missing, unknown or of another type."""
    made_row = kind(**row)
    for field in fields(kind):  # type: ignore[arg-type]
        value = getattr(made_row, field.name)
        allowed = _ALLOWED.get(field.type)
        if allowed and not (isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))):
            named = " or ".join(kind.__name__ for kind in allowed)
            raise TypeError(f"{field.name} must be {named}, got {value!r}")
    return made_row


def _damaged(source: str, what: str) -> DataError:
    return DataError(
        "This is not a receipt that can be read.",
        details=f"{source}: {what}",
        help="/receipt in the app writes one, and so does tide-chat replay --write-receipt FILE.",
    )
