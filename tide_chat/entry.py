"""What the developers' commands (`tide-train`, `tide-convert`, `tide-eval`) have in common.

Turns errors into a line and an exit code, as `tide-chat` does. Knows nothing of training, converting or evaluating.
"""

import shlex
import sys
from collections.abc import Sequence

import click

from tide_chat import __version__
from tide_chat.errors import TideError

INTERRUPTED = 130


def group(name: str, purpose: str) -> click.Group:
    """A command group."""
    made = click.Group(name, help=purpose, context_settings={"help_option_names": ["-h", "--help"]})
    return click.version_option(__version__, "--version", message=f"{name} %(version)s")(made)


def typed() -> str:
    """The whole command line that `run` runs now, for what a command writes about itself."""
    return click.get_current_context().find_object(str) or ""


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    line = shlex.join([command.name or "", *words])
    try:
        code = command.main(arguments, prog_name=command.name, standalone_mode=False, obj=line)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TideError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0
