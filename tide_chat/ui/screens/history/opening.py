"""The passphrase: opening the history, and turning it on. Making the key takes about a second, in a thread.

Nobody is held here: one key goes on without keeping, and help lines and care tools are as near as anywhere.
"""

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from tide_chat.errors import TideError
from tide_chat.store import keys
from tide_chat.store.book import Book
from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.panel import problem
from tide_chat.ui.screens.history import words
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain
from tide_chat.wording import say


class Ended(Message):
    """The worker is done; `error` when the history is not open."""

    def __init__(self, error: TideError | None) -> None:
        super().__init__()
        self.error = error


class PassphraseScreen(Panel[bool]):
    """Dismissed with True when the history is open, with False when the person goes on without."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2,ctrl+l", "help_lines", show=False)]
    AUTO_FOCUS = "#passphrase"

    def __init__(self, book: Book) -> None:
        super().__init__(classes="passphrase")
        self.book = book
        self.working = False

    def note(self, text: str) -> None:
        self.query_one("#care-note", Plain).update(neutral(text))

    def box(self, name: str, placeholder: str) -> Input:
        return Input(password=True, id=name, placeholder=say(placeholder), compact=True, classes="secret")

    def text_of(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value

    def work(self, said: str, open_it: Callable[[], bool]) -> None:
        """Open it in a thread; one at a time."""
        if self.working:
            return
        self.working = True
        self.note(said)
        post = self.post_message
        self.run_worker(lambda: post(Ended(_tried(open_it))), name="open history", thread=True)

    def on_ended(self, message: Ended) -> None:
        self.working = False
        if message.error is None:
            self._empty()  # a screen that is gone may stay in memory for a while
            self.opened()
            self.dismiss(True)
            return
        self._anew()
        self.note(problem(message.error))

    def _anew(self) -> None:
        """What cannot be read cannot be mended either."""
        self._empty()
        self.query(Input).first().focus()

    def _empty(self) -> None:
        for box in self.query(Input):
            box.value = ""

    def opened(self) -> None:
        """What else holds once it is open."""

    def action_help_lines(self) -> None:
        self.tide.show_people()

    def action_close(self) -> None:
        self.book.close()
        self.dismiss(False)


class UnlockScreen(PassphraseScreen):
    """A history is there. said: why it is asked for, when something went wrong before. turn_on: it was off so far."""

    title_text = "Open your history"
    keys = "Enter opens it · Esc: talk without keeping · F2 find help now · F8 care tools"

    def __init__(self, book: Book, said: str = "", *, turn_on: bool = False) -> None:
        super().__init__(book)
        self._said, self._turn_on = said, turn_on

    def body(self) -> Iterable[Widget]:
        yield Plain(say(words.UNLOCK), classes="reading")
        yield self.box("passphrase", "passphrase")
        yield Plain(neutral(self._said), id="care-note")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        passphrase = event.value
        if passphrase:
            self.work(say("Opening it. This takes about a second."), lambda: self.book.unlock(passphrase))

    def opened(self) -> None:
        if self._turn_on:
            self.tide.change_settings(history=True)


class TurnOnScreen(PassphraseScreen):
    """There is no history yet. The passphrase is asked for twice."""

    title_text = "Keep your conversations?"
    keys = "Enter goes on · Esc keeps nothing · F2 find help now · Ctrl+Q leaves at once"

    def body(self) -> Iterable[Widget]:
        yield Plain(say(words.TURN_ON), classes="reading")
        yield Plain(say(words.GOOD_PASSPHRASE), classes="field")
        yield self.box("passphrase", "a new passphrase")
        yield self.box("again", "the same again")
        yield Plain("", id="care-note")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        first = self.text_of("passphrase")
        try:
            keys.check(first)
        except TideError as error:
            self.note(problem(error))
            return
        if event.input.id == "passphrase":
            self.note("")
            self.query_one("#again").focus()
        elif self.text_of("again") != first:
            self._anew()
            self.note(say("The two are not the same. Nothing was made yet: please type both again."))
        else:
            self.work(say("Making it. This takes about a second."), lambda: self.book.create(first))

    def action_close(self) -> None:
        if not self.working:  # once begun, it is made or it fails: nothing is left behind that nobody asked for
            super().action_close()

    def opened(self) -> None:
        self.tide.change_settings(history=True)


def _tried(open_it: Callable[[], bool]) -> TideError | None:
    """The worker. Whatever goes wrong is said on the screen, and the app goes on."""
    try:
        open_it()
    except TideError as error:
        return error
    except Exception as error:  # noqa: BLE001 - shown in words
        return TideError("The history could not be opened.", details=type(error).__name__)
    return None
