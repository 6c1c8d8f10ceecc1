"""An adapter as an entry of the catalogue names it: the GGUF beside the entry, and its checksum in the entry."""

import re
import tomllib
from pathlib import Path

from convert import lora
from tide_chat import atomic
from tide_chat.errors import DataError, TideError
from tide_chat.progress import Say, quiet
from tide_chat.registry.download import sha256_of

_HELP = "It needs [adapter] with file and sha256, as models/smollm2-135m-tide.toml has."


def write(adapter: Path, entry: Path, base: Path, kind: str = "f16", say: Say = quiet) -> Path:
    """The file written. adapter: a folder of peft's; entry: a file of models/ with a table `adapter` in it.

    Raises DataError, also for an entry without an adapter, and what `lora.convert` raises.
    """
    text, file, old = _read(entry)
    out = entry.with_name(file)
    lora.convert(adapter, out, base=base, kind=kind, say=say)
    try:
        atomic.write_text(entry, text.replace(old, sha256_of(out)))
    except OSError as error:
        raise TideError(
            "The entry could not be written.",
            details=f"{entry}: {error.strerror or error}",
            help=f"{file} is new already: give the command again when the entry can be written.",
        ) from error
    return out


def _read(entry: Path) -> tuple[str, str, str]:
    """Its text, and the adapter's file and checksum that it names."""
    try:
        text = entry.read_text(encoding="utf-8")
        adapter = tomllib.loads(text)["adapter"]
        file, checksum = str(adapter["file"]), str(adapter["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "This is not a catalogue entry with an adapter.",
            details=f"{entry}: {error}",
            help=_HELP,
        ) from error
    if not re.fullmatch(r"[^/\\]+\.gguf", file) or not re.fullmatch("[0-9a-f]{64}", checksum):
        raise DataError("This is not a catalogue entry with an adapter.", details=f"{file}, {checksum}", help=_HELP)
    if text.count(checksum) != 1:
        raise DataError(
            "The checksum of the adapter has to stand in the entry once.",
            details=f"{entry}: {checksum} stands there {text.count(checksum)} times.",
        )
    return text, file, checksum
