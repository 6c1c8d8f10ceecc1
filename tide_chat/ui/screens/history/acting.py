"""Does what was chosen for a conversation: opens the screen it needs, and changes the file when that is agreed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tide_chat.errors import TideError
from tide_chat.terminal import neutral
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.screens.history import words
from tide_chat.ui.screens.history.choices import Choice, NameScreen
from tide_chat.ui.screens.history.delete_all import DeleteAllScreen
from tide_chat.ui.screens.history.export import HistoryExport
from tide_chat.ui.screens.history.lists import HistoryScreen, TurnsScreen
from tide_chat.wording import say

if TYPE_CHECKING:
    from tide_chat.store.archive import Archive
    from tide_chat.ui.history import HistoryApp


def act(app: "HistoryApp", id: int, choice: Choice | str) -> None:
    """`choice` for the conversation `id`. A failure is said where one is."""
    archive = app.book.archive
    if archive is None:
        return
    try:
        _act(app, archive, id, Choice(choice))
    except TideError as error:
        app.tell(error.short)


def _act(app: "HistoryApp", archive: "Archive", id: int, choice: Choice) -> None:
    match choice:
        case Choice.GO_ON:
            app.go_on_with(id)
        case Choice.NAME:
            _name(app, archive, id)
        case Choice.COPY:
            app.push_screen(TurnsScreen(archive, id))
        case Choice.FILE:
            app.push_screen(HistoryExport(lambda: archive.record(id)))
        case Choice.DELETE:
            _delete(app, archive, id)
        case Choice.ALL:
            _delete_all(app)
        case Choice.NEW:
            app.pop_screen()
            app.chat.call_later(app.chat.action_clear)


def _name(app: "HistoryApp", archive: "Archive", id: int) -> None:
    def keep(name: str | None) -> None:
        if name is not None:
            _changed(app, lambda: archive.rename(id, name))

    app.push_screen(NameScreen(archive.summary(id).title), keep)


def _delete(app: "HistoryApp", archive: "Archive", id: int) -> None:
    if app.chat.turns.held or (id == app.book.open_id and app.chat.turns.running):
        app.tell(say(words.OPENING if app.chat.turns.held else words.BUSY))
        return

    def delete(agreed: bool | None) -> None:
        if agreed:
            _changed(app, lambda: _deleted(app, id))

    question = Confirm(
        "Delete this conversation?",
        f"{neutral(archive.summary(id).name)}\n{say('It cannot be brought back.')}",
        yes="Delete it",
        no="Keep it",
    )
    app.push_screen(question, delete)


def _delete_all(app: "HistoryApp") -> None:
    if app.chat.turns.held or app.chat.turns.running:
        app.tell(say(words.OPENING if app.chat.turns.held else words.BUSY))
    else:
        app.push_screen(DeleteAllScreen(), lambda agreed: app.delete_history() if agreed else None)


def _deleted(app: "HistoryApp", id: int) -> None:
    if app.book.delete(id):
        app.chat.forget()


def _changed(app: "HistoryApp", change: Callable[[], None]) -> None:
    """Change the file, then show the list anew."""
    try:
        change()
    except TideError as error:
        app.tell(error.short)
        return
    if isinstance(app.screen, HistoryScreen):
        app.screen.again()
