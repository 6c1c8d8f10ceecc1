"""The model picker: what is here, what could be fetched, how far a fetch is. Fetching asks first: it goes online."""

from collections.abc import Callable, Iterable

from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tide_chat.engine.base import Cancel
from tide_chat.errors import TideError
from tide_chat.registry.machine import human_size
from tide_chat.terminal import neutral
from tide_chat.ui.messages import PullEnded, PullProgress, Switched
from tide_chat.ui.ports import ModelRow, Shelf
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain, PlainOptions
from tide_chat.wording import say

KEYS = "Enter chooses · Esc closes · Ctrl+Q leaves at once"
ONLINE = """\
This uses the network: {size} from {where}. Nothing you wrote is sent.
It is the only time this app goes online."""
KEYS_PULLING = "Esc stops the download; what has come so far is kept"


def bar(done: int, total: int, width: int = 24) -> str:
    """A download as text."""
    if not total:
        return say("{size} so far", size=human_size(done))
    share = min(1.0, done / total)
    filled = int(width * share)
    drawn, size = f"{'█' * filled}{'░' * (width - filled)} {share:.0%}", human_size(done)
    return f"{drawn}  {say('{number} of {all}', number=size, all=human_size(total))}"


class ModelScreen(Panel[None]):
    """Installed models first. Choosing one switches to it and keeps the conversation."""

    title_text = "Models"
    keys = KEYS
    AUTO_FOCUS = "#models"

    def __init__(self, shelf: Shelf, alias: str = "", in_use: str = "") -> None:
        super().__init__()
        self._in_use = in_use
        self._shelf = shelf
        self._alias = alias
        self._rows: dict[str, ModelRow] = {}
        self._cancel: Cancel | None = None

    def body(self) -> Iterable[Widget]:
        yield PlainOptions(id="models")
        yield Plain("", id="model-note")

    def on_mount(self) -> None:
        self._fill()
        row = self._rows.get(self._alias) or next(iter(self._rows.values()), None)
        if row:
            self._describe(row)

    def _fill(self) -> None:
        rows = sorted(self._shelf.rows(), key=lambda row: not row.installed)
        self._rows = {row.alias: row for row in rows}
        models = self.query_one(OptionList)
        with self.prevent(OptionList.OptionHighlighted):  # a note about a download must not be written over
            models.clear_options()
            models.add_options(Option(self._line(row), id=row.alias) for row in rows)
            models.highlighted = list(self._rows).index(self._alias) if self._alias in self._rows else 0

    def _line(self, row: ModelRow) -> Content:
        here = say("in use") if row.alias == self._in_use else say("here")
        where = here if row.installed else say("fetch {size}", size=human_size(row.size))
        return Content.assemble((row.alias.ljust(26), "bold"), f" {where}")

    def note(self, text: str) -> None:
        self.query_one("#model-note", Plain).update(text)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        row = self._rows.get(event.option_id or "")
        if row and self._cancel is None:
            self._describe(row)

    def _describe(self, row: ModelRow) -> None:
        parts = (row.title, human_size(row.size), row.licence, say(row.warning))
        self.note(neutral("\n".join(part for part in parts if part)))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        row = self._rows.get(event.option_id or "")
        if row is None or self._cancel is not None:
            return
        if row.installed:
            self._use(row.alias)
            return
        where = row.where or say("the model's download site")
        details = say(ONLINE, size=human_size(row.size), where=where)
        question = Confirm(say("Fetch {name}?", name=row.alias), details, yes="Fetch it", no="Not now")
        self.app.push_screen(question, lambda agreed: self._pull(row.alias) if agreed else None)

    def _use(self, alias: str) -> None:
        self.tide.chat.action_stop()
        shelf, post = self._shelf, self.post_message
        self.run_worker(lambda: _switch(shelf, alias, post), name="switch", thread=True)

    def _pull(self, alias: str) -> None:
        cancel = self._cancel = Cancel()
        self.query_one("#panel-keys", Plain).update(say(KEYS_PULLING))
        self.note(say("Starting the download."))
        shelf, post = self._shelf, self.post_message
        self.run_worker(lambda: _fetch(shelf, alias, cancel, post), name="pull", thread=True)

    def on_pull_progress(self, message: PullProgress) -> None:
        self.note(bar(message.done, message.total))

    def on_pull_ended(self, message: PullEnded) -> None:
        self._cancel = None
        self.query_one("#panel-keys", Plain).update(say(KEYS))
        self._alias = message.alias
        self._fill()
        if message.error is not None:
            self.note(neutral(str(message.error)))
        elif message.stopped:
            self.note(say("Stopped. Choosing it again goes on from here."))
        else:
            self.note(say("{name} is here now. Enter switches to it.", name=message.alias))

    def on_switched(self, message: Switched) -> None:
        if message.error is None:
            self.tide.change_settings(model=message.alias)
            self.dismiss(None)
        else:
            self.note(neutral(str(message.error)))

    def action_close(self) -> None:
        if self._cancel is not None:
            self._cancel.set()
            return
        self.dismiss(None)

    def on_unmount(self) -> None:
        if self._cancel is not None:
            self._cancel.set()


def _switch(shelf: Shelf, alias: str, post: Callable[[Message], bool]) -> None:
    """The worker: ending the model before takes a moment."""
    error: TideError | None = None
    try:
        shelf.use(alias)
    except TideError as problem:
        error = problem
    post(Switched(alias, error))


def _fetch(shelf: Shelf, alias: str, cancel: Cancel, post: Callable[[Message], bool]) -> None:
    """The worker: download, and say how it went."""
    error: TideError | None = None

    def report(done: int, total: int) -> None:
        post(PullProgress(done, total))

    try:
        shelf.pull(alias, report, cancel)
    except TideError as problem:
        error = problem
    except Exception as problem:  # noqa: BLE001 - shown in words, and the app goes on
        error = TideError("The download failed.", details=f"{type(problem).__name__}: {problem}")
    post(PullEnded(alias, stopped=cancel.is_set(), error=None if cancel.is_set() else error))
