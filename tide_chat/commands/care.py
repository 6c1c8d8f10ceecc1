"""`tide-chat care`: a care tool line by line. Loads no model.

It asks for no passphrase unless told to: nobody has to type one before they can breathe.
"""

from typing import TYPE_CHECKING

import click

from tide_chat.errors import UsageError

if TYPE_CHECKING:
    from tide_chat.care.keeping import Care
    from tide_chat.commands.care_lines import CareLines
    from tide_chat.config import Settings
    from tide_chat.store.archive import Archive

_OTHERS = ("check-in",)


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from tide_chat.care.names import TOOLS

    return [word for word in (*TOOLS, *_OTHERS) if word.startswith(incomplete)]


@click.command("care", short_help="Go through a care tool, without a model.")
@click.option("--still", is_flag=True, help="Nothing comes by itself; you count.")
@click.option("--history", "open_it", is_flag=True, help="Open the history first, so that check-ins are kept in it.")
@click.argument("tool", required=False, shell_complete=_complete)
@click.argument("argument", required=False, default="")
def command(tool: str | None, argument: str, still: bool, open_it: bool) -> int:
    """Go through a care tool line by line; without TOOL, list what there is. No model is loaded.

    Nothing is kept, unless you keep a history that your keyring opens, or that --history opens with its passphrase.

    TOOL: ground, breathe, orient, muscles, place, sleep, check-in. ARGUMENT: the way of breathing, or the number.
    """
    from tide_chat import compose, config, terminal, wording
    from tide_chat.care.keeping import Care
    from tide_chat.commands.care_lines import CareLines
    from tide_chat.commands.line_input import LineInput
    from tide_chat.commands.turns import help_text

    settings, care = config.load(), Care()
    wording.use(settings.language)
    archive = _opened(settings, care, ask=open_it)
    lines = CareLines(
        LineInput(),
        care,
        lambda: help_text(compose.country(settings)),
        still=still or terminal.still(settings.reduced_motion),
        prefix="tide-chat care ",
    )
    try:
        _go(lines, tool, argument)
    except EOFError:  # the input ended at a question
        click.echo()
    finally:
        if archive:
            archive.close()
    return 0


def _opened(settings: "Settings", care: "Care", *, ask: bool) -> "Archive | None":
    """The open history, in which `care` keeps things then. Raises StoreError, UsageError when it was asked for."""
    care.locked = settings.history
    if not ask and not (settings.history and settings.history_keyring):
        return None
    from tide_chat.care.checkin import CheckIn
    from tide_chat.commands.history_access import Passphrases, by_keyring, open_archive
    from tide_chat.store.care import in_file

    archive = open_archive(Passphrases(piped=False)) if ask else by_keyring(settings)
    if archive:
        care.keep_in(*in_file(archive, CheckIn))
    return archive


def _go(lines: "CareLines", tool: str | None, argument: str) -> None:
    from tide_chat import wording
    from tide_chat.care.names import TOOLS

    if tool is None:
        lines.menu()
    elif tool in TOOLS:
        lines.tool(tool, argument)
    elif tool == "check-in":
        lines.check_in(argument)
    else:
        there_are = wording.say("There are: {names}.", names=", ".join((*TOOLS, *_OTHERS)))
        raise UsageError("There is no such tool.", details=tool, help=there_are)
