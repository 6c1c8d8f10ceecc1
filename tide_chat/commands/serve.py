"""`tide-chat serve`: the app in a browser on this computer. The server is in `tide_chat.serving`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tide_chat import extras
from tide_chat.commands import options


@click.command("serve", short_help="Show the app in a browser, on this computer only.")
@click.option("--host", default="127.0.0.1", metavar="NAME", help="An address of this computer itself. [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Any free one when not given.")
@options.with_options
def command(host: str, port: int, **given: Any) -> int:
    """Show the app in a browser, on this computer only, until Ctrl+C.

    The address that is printed works once and for one browser. When the page is closed, that app ends and nothing of
    it stays in the browser. Ctrl+Q on the page leaves at once; Firefox on Linux closes itself with that key, and
    /leave or the button at the top does the same. Ctrl+N and Ctrl+T stay with the browser: /clear and /edit are the
    same. Needs the extra 'serve'.
    """
    extras.require("The app in a browser", "serve")
    options.read(**given)  # what is wrong with it is said here and not on the page
    from tide_chat.serving import site

    site.serve([sys.executable, "-P", "-m", "tide_chat", *_passed_on(given)], host, port, _say)
    return 0


def _say(address: str) -> None:
    click.echo(f"tide-chat is ready for one browser on this computer:\n\n  {address}\n")
    click.echo("The address works once. Ctrl+C here ends it, and every page of it.", err=True)


def _passed_on(given: Mapping[str, Any]) -> list[str]:
    """The options as they were given, for the app's own command line. Files are named in full."""
    shown = {name: value.absolute() if isinstance(value, Path) else value for name, value in given.items()}
    return [
        word
        for name, value in shown.items()
        if value is not None
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
