"""Who gets in: the inspector after it was switched on, a receipt after a turn. Each answers with a hint, or nothing."""

from typing import Any

from textual.app import App

from tide_chat.clinician.desk import NO_TURN, Desk
from tide_chat.clinician.inspection import ASK, WHAT_IT_SHOWS
from tide_chat.ui.screens.clinician.inspector import NO, YES, InspectorScreen
from tide_chat.ui.screens.clinician.receipt import ReceiptScreen
from tide_chat.ui.screens.confirm import Confirm

BUSY = "A reply is being written. It can be looked at when it is whole."
NO_DESK = "There is nothing to look at here."


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
