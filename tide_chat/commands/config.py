"""`tide-chat config`: where the settings are, what they are, and changing them without breaking them.

`path` and `edit` work when the file is broken; that is when they are needed.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tide_chat.errors import TideError, UsageError
from tide_chat.terminal import is_terminal


@click.group("config", short_help="Show or change the settings.")
def command() -> None:
    """Show or change the settings."""


@command.command("path")
def show_path() -> None:
    """Print where the settings file is, whether or not it is there."""
    from tide_chat import config

    click.echo(config.path())


@command.command("show")
def show() -> None:
    """Print all settings with what they mean. Defaults start with #."""
    from tide_chat import config

    click.echo(config.render(config.load()), nl=False)


@command.command("edit")
def edit() -> None:
    """Change the settings in your editor ($VISUAL or $EDITOR).

    The file is replaced only when what was written can be used.
    """
    from tide_chat import atomic, config

    editor = _editor()
    old = _current()
    with tempfile.TemporaryDirectory(prefix="tide-chat-") as folder:
        draft = Path(folder) / "config.toml"
        draft.write_bytes(old)
        _edit_until_valid(editor, draft)
        new = draft.read_bytes()
    if new == old and config.path().exists():
        click.echo("Nothing was changed.", err=True)
        return
    try:
        atomic.write_bytes(config.path(), new)
    except OSError as error:
        help_text = f"Your text is kept in {_keep(new)}"
        raise TideError("The settings could not be written.", details=str(error), help=help_text) from error
    click.echo(f"Saved: {config.path()}", err=True)


def _current() -> bytes:
    """The file as it is, even when it makes no sense; a commented template when there is none."""
    from tide_chat import config

    try:
        return config.path().read_bytes()
    except FileNotFoundError:
        return config.render(config.Settings()).encode()


def _editor() -> list[str]:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        words = shlex.split(chosen)
    except ValueError as error:
        raise UsageError("$VISUAL or $EDITOR cannot be read as a command.", details=f"{chosen}: {error}") from error
    if words:
        return words
    for name in ("sensible-editor", "nano", "vi", "notepad"):
        if found := shutil.which(name):
            return [found]
    raise UsageError("No editor was found.", help="Name one: EDITOR=nano tide-chat config edit")


def _edit_until_valid(editor: list[str], draft: Path) -> None:
    """Open the editor until the draft can be used, or the user gives up. Raises UsageError."""
    from tide_chat import config

    while True:
        _open(editor, draft)
        try:
            config.parse(_decode(draft.read_bytes()), config.path().name)
        except TideError as error:
            _offer_again(error, draft)
        else:
            return


def _open(editor: list[str], draft: Path) -> None:
    try:
        status = subprocess.run([*editor, str(draft)], check=False).returncode
    except OSError as error:
        raise UsageError(f"The editor could not be started: {editor[0]}", details=str(error.strerror)) from error
    if status:
        raise UsageError(f"The editor ended with status {status}. The settings are as they were.")


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("The settings are not UTF-8 text.", details=str(error)) from error


def _offer_again(error: TideError, draft: Path) -> None:
    """Ask whether to go on editing; when not, keep the text and raise."""
    click.echo(f"{error.message}\n{error.details}", err=True)
    if is_terminal(sys.stdin) and click.confirm("Edit again?", default=True, err=True):
        return
    help_text = f"Your text is kept in {_keep(draft.read_bytes())}"
    raise UsageError("The settings are as they were.", help=help_text) from error


def _keep(text: bytes) -> Path:
    """Put the text beside the settings, or where temporary files go when that folder cannot be written."""
    from tide_chat import atomic, config

    name = "config.rejected.toml"
    try:
        kept = config.path().with_name(name)
        atomic.write_bytes(kept, text)
    except OSError:
        kept = Path(tempfile.mkdtemp(prefix="tide-chat-")) / name
        kept.write_bytes(text)
    return kept
