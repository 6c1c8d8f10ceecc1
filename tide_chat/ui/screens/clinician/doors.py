"""Who gets in: the inspector after it was switched on, a receipt after a turn, a comparison of two models.

Each answers with a hint, or nothing.
"""

import contextlib
import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App

from tide_chat.clinician.desk import NO_TURN, Desk
from tide_chat.clinician.inspection import ASK, WHAT_IT_SHOWS
from tide_chat.errors import TideError, in_words
from tide_chat.terminal import neutral
from tide_chat.ui.screens.clinician.inspector import NO, YES, InspectorScreen
from tide_chat.ui.screens.clinician.receipt import ReceiptScreen
from tide_chat.ui.screens.confirm import Confirm

if TYPE_CHECKING:
    from tide_chat.clinician.aside import Aside
    from tide_chat.clinician.ratings import Sitting
    from tide_chat.clinician.sides import Comparison

BUSY = "A reply is being written. It can be looked at when it is whole."
NO_DESK = "There is nothing to look at here."
HOW = (
    "/compare MODEL MODEL FOLDER, such as /compare smollm2-135m smollm2-135m-tide ratings. The folder gets the "
    "messages, replies and ratings, not encrypted. Write open behind it to see from the start who wrote what."
)
RATER, SCENARIO = "rater-1", "compare"  # as those of the command by default


def inspect(app: App[Any], desk: Desk | None, *, answering: bool) -> str:
    """Opens the inspector, or asks first."""
    if desk is None or answering:
        return BUSY if answering else NO_DESK

    def switched(agreed: bool | None) -> None:
        if agreed:
            desk.on = True
            app.push_screen(InspectorScreen(desk))

    if desk.on:
        app.push_screen(InspectorScreen(desk))
    else:
        app.push_screen(Confirm(ASK, WHAT_IT_SHOWS, yes=YES, no=NO), switched)
    return ""


def receipt(app: App[Any], desk: Desk | None, *, answering: bool) -> str:
    """Opens the screen that says where the file goes."""
    if desk is None or answering:
        return BUSY if answering else NO_DESK
    if desk.talk.newest_turn is None:
        return NO_TURN
    app.push_screen(ReceiptScreen(desk))
    return ""


def compare(app: App[Any], desk: Desk | None, words: str) -> str:
    """Says what is written, and opens the screen of two replies when that is agreed to. words: behind /compare."""
    if desk is None:
        return NO_DESK
    try:
        first, second, folder, *more = _parts(words)
    except ValueError:  # too few, or a quote that is not closed
        return HOW
    if more not in ([], ["open"]):
        return HOW
    try:
        _ask_to_compare(app, desk, (first, second), Path(folder), blind=not more)
    except TideError as error:
        return error.short
    except OSError as error:
        return neutral(in_words(error))
    return ""


def _parts(words: str) -> list[str]:
    """As a shell reads them, but a backslash is a backslash: Windows has it in paths. Raises ValueError."""
    parts = shlex.shlex(words, posix=True)
    parts.escape, parts.commenters, parts.whitespace_split = "", "", True
    return list(parts)


def _ask_to_compare(app: App[Any], desk: Desk, models: tuple[str, str], folder: Path, *, blind: bool) -> None:
    """Raises TideError, OSError."""
    from tide_chat.clinician.aside import Aside
    from tide_chat.clinician.ratings import HOLDS, Sitting
    from tide_chat.clinician.sides import Comparison, sides

    both, sitting = sides(*models), Sitting.begin(folder, RATER, SCENARIO)
    aside = Aside(desk.session)
    comparison = Comparison(aside, both, seed=secrets.randbelow(1 << 31), blind=blind)
    question = Confirm("Compare two models?", neutral(f"{sitting.folder}\n{HOLDS}"), yes="Open", no="Not now")
    app.push_screen(question, lambda agreed: _compare(app, aside, comparison, sitting) if agreed else None)


def _compare(app: App[Any], aside: "Aside", comparison: "Comparison", sitting: "Sitting") -> None:
    from tide_chat.ui.screens.clinician.side_by_side import CompareScreen

    def back() -> None:
        with contextlib.suppress(TideError):  # then the model that answered last goes on
            aside.close()

    def ended(_nothing: None) -> None:
        app.run_worker(back, name="back", thread=True)

    app.push_screen(CompareScreen(comparison, sitting), ended)
