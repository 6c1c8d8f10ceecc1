"""`tide-chat compare`: the same message to two models, side by side, rated 1 to 5. Ratings go to `tide-eval study`.

In the app by default, line by line with --plain. Knows neither screen nor engine.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tide_chat.commands import options, turns
from tide_chat.commands.output import say
from tide_chat.errors import UsageError
from tide_chat.terminal import neutral, require_app

if TYPE_CHECKING:
    from tide_chat.clinician.ratings import Sitting
    from tide_chat.clinician.sides import Comparison, Pair
    from tide_chat.commands.line_input import LineInput
    from tide_chat.compose import AppOptions
    from tide_chat.safety.cards import Card

NOTE = "For role-play, with made-up words. The safety check runs for both sides as in the app."


@click.command("compare", short_help="Rate the replies of two models, side by side.")
@click.argument("first")
@click.argument("second")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder for ratings, a new one."
)
@click.option("--open", "openly", is_flag=True, help="Show who wrote what. Without it, that is said after rating.")
@click.option("--rater", default="rater-1", show_default=True, help="Who rates, as a code and not a name.")
@click.option("--scenario", default="compare", show_default=True, help="Under which name the ratings are analysed.")
@click.option("--plain", is_flag=True, help="Line by line instead of in the app.")
@options.with_options
def command(
    first: str,
    second: str,
    out: Path,
    openly: bool,
    rater: str,
    scenario: str,
    plain: bool,
    chat_template: Path | None,
    **given: Any,
) -> int:
    """Send each message to FIRST and SECOND and rate both replies, for example of smollm2-135m and smollm2-135m-tide.

    Blind: which is A and which is B is drawn for each message by --seed, and told after rating. --out gets ratings.csv
    and raters.csv for `tide-eval study analyse`, and replies.jsonl. One model is in memory at a time.
    """
    if given.pop("model", None):
        raise UsageError("--model has no place here.", help="The two models are FIRST and SECOND.")
    from tide_chat.clinician.ratings import Sitting
    from tide_chat.clinician.sides import sides

    both = sides(first, second)
    sitting = Sitting.begin(out, rater, scenario)
    chosen = options.for_nobody(
        options.to_be_examined(options.read(chat_template, model=both[0].found_by or both[0].name, **given))
    )
    if plain:
        return _lines(chosen, sitting, both, blind=not openly)
    require_app("Without a terminal, add --plain.")
    from tide_chat.ui.screens.clinician.side_by_side import run

    return run(chosen, sitting, both, blind=not openly)


def _lines(chosen: "AppOptions", sitting: "Sitting", both: Any, *, blind: bool) -> int:
    from tide_chat.clinician.ratings import HOLDS
    from tide_chat.clinician.sides import Comparison
    from tide_chat.commands.line_input import LineInput
    from tide_chat.compose import Session

    say(NOTE)
    with Session(chosen.settings, chosen.chat_template) as session:
        comparison = Comparison(session, both, seed=chosen.settings.seed or 0, blind=blind)
        lines = LineInput()
        try:
            while True:
                text = lines.message("Message, empty to end: ")
                if not text.strip():
                    break
                _one(comparison, sitting, lines, text)
        except EOFError:
            pass
    say(sitting.summary())
    if sitting.ratings:
        click.echo(f"Written: {sitting.folder}\n{HOLDS}", err=True)
    return 0


def _one(comparison: "Comparison", sitting: "Sitting", lines: "LineInput", text: str) -> None:
    from tide_chat.clinician.sides import LETTERS
    from tide_chat.engine.base import Cancel

    def show(what: "Card | str") -> None:
        say(neutral(what) if isinstance(what, str) else f"\n{turns.card_text(what)}\n")

    pair = comparison.answer(text, Cancel(), lambda words: click.echo(words, err=True), show)
    _show(pair, blind=comparison.blind)
    if not pair.can_be_rated:
        say("These are not rated.")
        return
    begun = time.monotonic()
    scores = [_score(lines, letter) for letter in LETTERS]
    sitting.rate(pair, scores, time.monotonic() - begun)
    if comparison.blind:
        say(". ".join(f"{letter} was {one.side.shown}" for letter, one in zip(LETTERS, pair.answers, strict=True)))


def _show(pair: "Pair", *, blind: bool) -> None:
    from tide_chat.clinician.sides import LETTERS

    first, second = pair.answers
    if first.problem and first.problem == second.problem and first.result.reply == second.result.reply:
        say(f"Both: {neutral(first.result.reply.strip()) or '(nothing)'}\n\n  {first.problem}")
        return
    for letter, answer in zip(LETTERS, pair.answers, strict=True):
        who = letter if blind else f"{letter}, {answer.side.shown}"
        say(f"{who}: {neutral(answer.result.reply.strip()) or '(nothing)'}\n")
        if answer.problem:
            say(f"  {answer.problem}")


def _score(lines: "LineInput", letter: str) -> int:
    """Asks until the answer is a whole number from 1 to 5. Raises EOFError."""
    from tide_chat.clinician.ratings import QUESTION, SCALE

    while True:
        typed = lines.ask(f"{letter}. {QUESTION}: ").strip()
        if typed.isdecimal() and int(typed) in SCALE:
            return int(typed)
        say("A whole number from 1 to 5, please.")
