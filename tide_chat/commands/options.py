"""Options that several commands share, and the settings that they make together with the file.

Knows the settings, not the model: whether a name means anything is the registry's business.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from tide_chat.compose import AppOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _complete_model(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from tide_chat.commands.completion import aliases

    found = [CompletionItem(alias) for alias in aliases() if alias.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


def _complete_gpu(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [word for word in ("auto", "off") if word.startswith(incomplete)]


def _number(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | int | None:
    """Layers as a number; words are for the settings to judge."""
    return int(value) if value and re.fullmatch("[0-9]{1,9}", value) else value


def _upper(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    return value.upper() if value else value


_OPTIONS = (
    click.option(
        "--model", metavar="M", shell_complete=_complete_model, help="Alias of a model, or the path of a .gguf file."
    ),
    click.option(
        "--gpu",
        metavar="auto|off|N",
        callback=_number,
        shell_complete=_complete_gpu,
        help="What runs on the graphics card; N is layers.",
    ),
    click.option("--threads", type=int, metavar="N", help="Processor threads. Measured when not given."),
    click.option("--context", type=int, metavar="N", help="How much the model sees at once, in tokens."),
    click.option("--seed", type=int, metavar="N", help="The same seed gives the same replies."),
    click.option(
        "--chat-template",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A chat template in Jinja, for model files that carry none.",
    ),
    click.option("--country", metavar="XX", callback=_upper, help="Country for help lines: two letters, such as US."),
)


def with_options(command: _Command) -> _Command:
    """Add the shared options; the command gets them as keyword arguments for `read`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read(chat_template: Path | None = None, **given: Any) -> "AppOptions":
    """The settings of this run. Raises UsageError."""
    from tide_chat import config, wording
    from tide_chat.compose import AppOptions

    saved = config.load()
    wording.use(saved.language)
    return AppOptions(config.with_options(saved, **given), saved, chat_template)


def to_be_examined(chosen: "AppOptions") -> "AppOptions":
    """With the inspector on, and a seed where none is set, so that replies can be had again."""
    seed = chosen.settings.seed
    settings = chosen.settings.model_copy(update={"seed": secrets.randbelow(2**31) if seed is None else seed})
    return replace(chosen, settings=settings, inspect=True)


def for_nobody(chosen: "AppOptions") -> "AppOptions":
    """For a demonstration: nothing is kept, and nothing of the presenter's own is in it."""
    own = {"history": False, "call_me": None, "avoid_topics": None}
    return replace(chosen, settings=chosen.settings.model_copy(update=own))
