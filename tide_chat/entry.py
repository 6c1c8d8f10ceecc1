"""What the developers' commands (`tide-train`, `tide-convert`, `tide-eval`) have in common.

Turns errors into a line and an exit code, as `tide-chat` does, and lists honestly what is not there yet. Knows nothing
of training, converting or evaluating.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import click

from tide_chat import __version__
from tide_chat.errors import TideError, UsageError

INTERRUPTED = 130


def group(name: str, purpose: str, planned: Mapping[str, str] = MappingProxyType({})) -> click.Group:
    """A command group; `planned` maps each sub-command that is not there yet to what it is going to do."""
    made = click.Group(name, help=purpose, context_settings={"help_option_names": ["-h", "--help"]})
    made = click.version_option(__version__, "--version", message=f"{name} %(version)s")(made)
    for command, what in planned.items():
        made.add_command(_not_there_yet(name, command, what))
    return made


def _not_there_yet(name: str, command: str, what: str) -> click.Command:
    def refuse(**_: object) -> None:
        raise UsageError(f"{name} {command} is not there yet in version {__version__}.")

    return click.Command(
        command,
        callback=refuse,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        help=f"{what} Not there yet.",
        short_help=f"{what} (not there yet)",
    )


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code."""
    try:
        code = command.main(arguments, prog_name=command.name, standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TideError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0
