"""Whether a file is a model this app can chat with. Reads its header only."""

from dataclasses import dataclass
from pathlib import Path

from tide_chat.errors import ModelUnusable
from tide_chat.registry.gguf_header import GgufHeader, read_header
from tide_chat.registry.gguf_tables import NOT_CHAT, TRIED_ARCHITECTURES
from tide_chat.registry.machine import human_size
from tide_chat.terminal import neutral

_ANOTHER = "Choose a chat model: its name often ends in Instruct or Chat."


@dataclass(frozen=True, slots=True)
class Checked:
    """A usable file, and what the user should know about it all the same."""

    header: GgufHeader
    warnings: tuple[str, ...]


def check(path: Path) -> Checked:
    """Raises ModelNotFound, ModelUnusable."""
    header = read_header(path)
    _refuse_other_kinds(header)
    if not header.complete:
        raise ModelUnusable(
            f"{path.name} is cut off.",
            details=f"It has {human_size(header.size)} of {human_size(header.needed)}.",
            help="Download or copy it again.",
        )
    return Checked(header, tuple(_warnings(header)))


def _refuse_other_kinds(header: GgufHeader) -> None:
    name = header.path.name
    if header.kind != "model":
        raise ModelUnusable(
            f"{name} is not a model by itself.", details=f"It is of the kind {neutral(header.kind)!r}.", help=_ANOTHER
        )
    if header.architecture in NOT_CHAT:
        raise ModelUnusable(
            f"{name} is not a chat model.", details=f"Its family is {header.architecture}.", help=_ANOTHER
        )
    if header.parts > 1:
        raise ModelUnusable(
            f"{name} is one of {header.parts} parts of a model.",
            help="Get the model as a single file, or join the parts with llama-gguf-split --merge.",
        )
    if not header.tensor_count or not header.architecture:
        raise ModelUnusable(f"{name} holds no model, only a description.", help=_ANOTHER)


def _warnings(header: GgufHeader) -> list[str]:
    warnings = []
    if header.architecture not in TRIED_ARCHITECTURES:
        family = neutral(header.architecture)
        warnings.append(f"Models of the family {family} have not been tried with this app. It may or may not work.")
    if header.chat_template is None:
        warnings.append("The file carries no chat template. To use it, give one with --chat-template.")
    return warnings
