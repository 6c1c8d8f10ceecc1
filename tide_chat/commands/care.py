"""`tide-chat care`: a care tool line by line. Loads no model, opens no history and keeps nothing."""

from typing import TYPE_CHECKING

import click

from tide_chat.errors import UsageError

if TYPE_CHECKING:
    from tide_chat.commands.care_lines import CareLines

_OTHERS = ("check-in",)


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from tide_chat.care.names import TOOLS

    return [word for word in (*TOOLS, *_OTHERS) if word.startswith(incomplete)]


@click.command("care", short_help="Go through a care tool, without a model.")
@click.option("--still", is_flag=True, help="Nothing comes by itself; you count.")
@click.argument("tool", required=False, shell_complete=_complete)
@click.argument("argument", required=False, default="")
def command(tool: str | None, argument: str, still: bool) -> int:
    """Go through a care tool line by line; without TOOL, list what there is. No model is loaded and nothing is kept.

    TOOL: ground, breathe, orient, muscles, place, sleep, check-in. ARGUMENT: the way of breathing, or the number.
    """
    from tide_chat import compose, config, terminal
    from tide_chat.care.keeping import Care
    from tide_chat.commands.care_lines import CareLines
    from tide_chat.commands.line_input import LineInput
    from tide_chat.commands.turns import help_text

    settings = config.load()
    lines = CareLines(
        LineInput(),
        Care(),
        lambda: help_text(compose.country(settings)),
        still=still or terminal.still(settings.reduced_motion),
        prefix="tide-chat care ",
    )
    try:
        _go(lines, tool, argument)
    except EOFError:  # the input ended at a question
        click.echo()
    return 0


def _go(lines: "CareLines", tool: str | None, argument: str) -> None:
    from tide_chat.care.names import TOOLS

    if tool is None:
        lines.menu()
    elif tool in TOOLS:
        lines.tool(tool, argument)
    elif tool == "check-in":
        lines.check_in(argument)
    else:
        raise UsageError("There is no such tool.", details=tool, help=f"There are: {', '.join((*TOOLS, *_OTHERS))}.")
