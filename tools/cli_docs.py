"""Write docs/cli.md from what `--help` says. A test checks that the file is current: python tools/cli_docs.py"""

from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "cli.md"
WIDTH = 100
HEADER = """\
# The command line

Made from `--help` by `python tools/cli_docs.py`; change the commands, not this file.

Results go to standard output, everything else to standard error. Exit codes:

| code | meaning |
|---|---|
| 0 | done; also when the reader of a pipe left early (`tide-chat ... \\| head`) |
| 1 | it ran and failed |
| 2 | wrong use or wrong settings |
| 3 | the model is missing or cannot be used |
| 4 | the input is not valid |
| 130 | interrupted with Ctrl+C |
"""


def page() -> str:
    from tide_chat.cli import app

    sections = [HEADER, *(f"## {name}\n\n```\n{text}\n```\n" for name, text in _helps(app, "tide-chat", None))]
    return "\n".join(sections)


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """The name and help of a command and of everything below it."""
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        max_content_width=WIDTH,
        terminal_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found and not found.hidden:
                yield from _helps(found, child, context)


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(page(), encoding="utf-8")
