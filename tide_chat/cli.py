"""`tide-chat`: finds the command, and is the one place where errors become words and exit codes.

Loads a command only when it is used, so that `--help` stays fast. Knows nothing of what commands do.

Exit codes: 0 done; 1 ran and failed; 2 wrong use or configuration; 3 model missing or unusable; 4 data invalid;
130 interrupted. A reader that closes the pipe early (`| head`) has what it wanted: that is 0.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tide_chat import __version__
from tide_chat.commands import options
from tide_chat.errors import TideError, UsageError, in_words
from tide_chat.terminal import neutral, require_app

# What `--help` says of each, so that it need not load them; a test compares.
COMMANDS = {
    "ask": "Answer one message and end.",
    "plain": "Talk line by line, for screen readers and pipes.",
    "models": "List, download, import, check and remove models.",
    "history": "Keep conversations, encrypted; search, export and delete them.",
    "care": "Go through a care tool, without a model.",
    "serve": "Show the app in a browser, on this computer only.",
    "replay": "Play a demonstration, or run a receipt anew.",
    "compare": "Rate the replies of two models, side by side.",
    "assess": "Show what the safety layer sees in a text.",
    "doctor": "Check whether everything works here.",
    "config": "Show or change the settings.",
    "bench": "Measure speed and memory on this machine.",
    "completion": "Print the script that completes commands in a shell.",
}

INTERRUPTED = 130


class _ReaderLeft(Exception):
    """The pipe was closed. Not an OSError, because click makes an exit of 1 of those."""


class LazyGroup(click.Group):
    """Commands by name; each lives in a module of its own name below `tide_chat.commands`."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"tide_chat.commands.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise UsageError(f"There is no command '{_short(args[0])}'.", help=_nearest(args[0]))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderLeft from error

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _nearest(name: str) -> str:
    if " " in name:
        return "To say something: tide-chat ask TEXT"
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    return f"Did you mean: tide-chat {near[0]}" if near else "All commands: tide-chat --help"


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@options.with_options
@click.option("--inspect", is_flag=True, default=None, help="For clinicians: switches the inspector on (Alt+I).")
@click.version_option(__version__, "--version", message="tide-chat %(version)s")
@click.pass_context
def app(ctx: click.Context, /, inspect: bool | None, **given: Any) -> int:
    """A quiet place to talk, on this machine only. With no command, the app opens.

    tide-chat is a program, not a person, and no substitute for care. Nothing that is said leaves this machine.
    """
    if ctx.invoked_subcommand:
        _refuse_before(ctx, ctx.invoked_subcommand)
        return 0
    require_app("Without a terminal: tide-chat plain, or tide-chat ask TEXT.")
    chosen = options.read(**given)
    from tide_chat.ui.app import run

    return run(options.to_be_examined(chosen) if inspect else chosen)


def _refuse_before(ctx: click.Context, command: str) -> None:
    """An option before a command would be ignored; say so instead."""
    for param in ctx.command.params:
        if param.name and ctx.params.get(param.name) is not None:
            option = param.opts[0]
            raise UsageError(
                f"{option} stands before the command, where it has no effect.",
                help=f"Put it behind: tide-chat {command} {option} ...",
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line. Returns the exit code; never lets a traceback reach the user."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character still shows the rest
    try:
        return _run(arguments)
    except (BrokenPipeError, _ReaderLeft):
        _close_stdout()
        return 0


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = app.main(arguments, prog_name="tide-chat", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a closed pipe is still understood
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TideError as error:
        _say(str(error))
        return error.exit_code
    except (BrokenPipeError, _ReaderLeft):
        raise
    except OSError as error:
        _say(in_words(error))
        return 1
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        _say(_crash(error))
        return 1


def _say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more
        click.echo(neutral(text), err=True)


def _crash(error: Exception) -> str:
    """What went wrong and where, never with values: they could hold what was said."""
    import traceback

    if os.environ.get("TIDE_CHAT_DEBUG"):
        return "".join(traceback.format_exception(error))
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "tide_chat" in Path(frame.filename).parts] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    return (
        f"Something went wrong inside tide-chat: {type(error).__name__} in {place}.\n"
        "Nothing that was said is in this message. What a history keeps is kept there, encrypted.\n"
        "With TIDE_CHAT_DEBUG=1 in the environment, the same command shows the details for a report."
    )


def _close_stdout() -> None:
    """Let the interpreter's last flush go nowhere instead of failing."""
    handle = os.open(os.devnull, os.O_WRONLY)
    os.dup2(handle, 1)
    os.close(handle)
