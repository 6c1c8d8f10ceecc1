"""`tide-chat replay`: a script played in the app or line by line, and receipts run anew.

Knows neither screen nor engine; what is played and compared comes from `tide_chat.clinician`.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tide_chat import wording
from tide_chat.commands import options, turns
from tide_chat.commands.output import say
from tide_chat.engine.base import FinishReason
from tide_chat.errors import UsageError
from tide_chat.events import CardShown, Done, Notice
from tide_chat.terminal import neutral, require_app

if TYPE_CHECKING:
    from tide_chat.clinician.again import Compared
    from tide_chat.clinician.desk import Desk
    from tide_chat.clinician.receipt import Receipt
    from tide_chat.clinician.script import Script
    from tide_chat.compose import AppOptions

_FIRST = "evening"  # the script that is played when none is named
_FILE = click.Path(path_type=Path, dir_okay=False)
_INTERRUPTED = 130
_WORDS = ("country", "language", "reply_style")  # settings that decide what is said
WATERMARK = "DEMONSTRATION. The person is made up."


@click.command("replay", short_help="Play a demonstration, or run a receipt anew.")
@click.argument("script", default=_FIRST, metavar="[SCRIPT]")
@click.option(
    "--pace", type=click.FloatRange(1, 1000), default=20, show_default=True, help="Characters typed a second."
)
@click.option("--by-key", is_flag=True, help="Each step waits for F6.")
@click.option("--large", is_flag=True, help="Wide spacing and high contrast, for a projector.")
@click.option("--plain", is_flag=True, help="Line by line instead of in the app.")
@click.option("--write-receipt", type=_FILE, metavar="FILE", help="With --plain: a receipt of the whole, a new file.")
@click.option("--receipt", type=_FILE, metavar="FILE", help="Instead of a script: run this receipt anew and compare.")
@options.with_options
def command(
    script: str,
    pace: float,
    by_key: bool,
    large: bool,
    plain: bool,
    write_receipt: Path | None,
    receipt: Path | None,
    chat_template: Path | None,
    **given: Any,
) -> int:
    """Play SCRIPT, lines of a made-up person: a .toml file, or `evening`, which comes with the app.

    "Demonstration" stays on the screen, and nothing is kept. A receipt (/receipt in the app, or --write-receipt) lets
    a colleague run the same conversation: --receipt says for each reply whether it is the same, and what is different.
    """
    chosen = options.read(chat_template, **given)
    if receipt:
        return _again(receipt, chosen)
    from tide_chat.clinician.script import load
    from tide_chat.ui.commands import COMMANDS

    loaded = load(script, {one.name for one in COMMANDS})
    chosen = options.for_nobody(options.to_be_examined(chosen))
    if plain:
        return _lines(loaded, chosen, write_receipt)
    if write_receipt:
        raise UsageError("--write-receipt needs --plain.", help="In the app, /receipt writes one.")
    require_app("Without a terminal, add --plain.")
    from tide_chat.ui.screens.clinician.stage import run

    return run(chosen, loaded, pace=pace, by_key=by_key, large=large)


# -- line by line ----------------------------------------------------------------------------------------------------


def _lines(script: "Script", chosen: "AppOptions", write_receipt: Path | None) -> int:
    from tide_chat.clinician import receipt
    from tide_chat.clinician.desk import Desk
    from tide_chat.clinician.script import Kind

    if write_receipt:
        receipt.check(write_receipt)  # before minutes are spent
    say(f"{WATERMARK}\n{neutral(script.title)}. {neutral(script.about)}\n")
    with Desk.opened(chosen) as desk:
        code = 0
        for step in script.steps:
            if step.kind is Kind.SAY:
                code = max(code, _turn(desk, step.text))
                if code == _INTERRUPTED:
                    return code
            elif step.kind is Kind.NOTE:
                say(f"Note: {neutral(step.text)}\n")
            elif step.kind is Kind.OPEN:
                say(f"In the app, /{step.text} opens here.\n")
        if write_receipt:
            path = receipt.write(write_receipt, desk.receipt())
            click.echo(f"Written: {path}\n{receipt.HOLDS}", err=True)
    return code


def _turn(desk: "Desk", text: str) -> int:
    """One line of the script and what is answered. Returns the exit code."""
    say(f"You: {neutral(text)}")
    code = 0
    for event in turns.read(lambda cancel: desk.talk.reply(text, cancel)):
        match event:
            case CardShown(card):
                say(f"\n{turns.card_text(card)}\n")
            case Notice(words):
                say(words)
            case Done(result):
                say(f"Reply: {result.reply.strip()}\n")
                stopped = result.finish_reason is FinishReason.CANCELLED
                code = _INTERRUPTED if stopped else result.error.exit_code if result.error else 0
    return code


# -- receipts --------------------------------------------------------------------------------------------------------


def _again(path: Path, chosen: "AppOptions") -> int:
    from tide_chat.clinician import again, receipt
    from tide_chat.clinician.desk import Desk
    from tide_chat.clinician.recorded import Do
    from tide_chat.config import with_options
    from tide_chat.engine.base import Cancel

    paid = receipt.read(path)
    settings = with_options(options.for_nobody(chosen).settings, **_as_there(paid, chosen))
    wording.use(settings.language)
    with Desk.opened(replace(chosen, settings=settings)) as desk:
        change = desk.session.change_to
        use = change if settings.model is None else lambda _: change(settings.model or "")
        same = [_told(one) for one in again.run(paid, desk.talk, use, desk.files_in_use, Cancel())]
    in_all = sum(one.do is not Do.TAKE_BACK for one in paid.steps)
    found = sum(map(bool, same))
    say(f"{found} of {in_all} replies are the same.")
    return 0 if found == in_all else 1


def _as_there(paid: "Receipt", chosen: "AppOptions") -> dict[str, Any]:
    """The settings of the receipt, where this run was told no others. Threads count: sums depend on them.

    What decides about words is the receipt's, whatever is in the settings file here; only the command line is stronger.
    """
    there = {"threads": min(paid.made.threads, os.cpu_count() or 1) or None, **paid.settings}
    now, file = chosen.settings.model_dump(exclude_defaults=True), chosen.saved.model_dump(exclude_defaults=True)
    told = {name for name, value in now.items() if name not in _WORDS or value != file.get(name)}
    return {name: value for name, value in there.items() if name not in told}


def _told(one: "Compared") -> bool | None:
    words = {True: "the same", False: "DIFFERS", None: "not compared"}[one.same]
    say(f"Turn {one.number}: {words}. “{neutral(one.text[:60])}{'...' if len(one.text) > 60 else ''}”")
    for reason in one.different:
        say(f"  {neutral(reason)}")
    return one.same
