"""A few settings, kept as soon as they are changed. What is chosen is marked with words and signs, not with colour."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tide_chat.config import Settings
from tide_chat.store.book import State
from tide_chat.ui import themes
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.screens.history.words import TURN_OFF
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain, PlainOptions, mark

if TYPE_CHECKING:
    pass

NEWLINE = "New lines: Ctrl+J works in every terminal, so does a \\ at the end of a line and then Enter."
COUNTRY = "Country for help lines: two letters, such as US, GB or IN. Empty: from your system."
KEEP = "keep"
NO_COLOUR = "NO_COLOR is set, so no colours are shown until it is not."
MOTION = "motion"


class SettingsScreen(Panel[None]):
    """Colours, movement, country."""

    title_text = "Settings"
    keys = "Enter chooses, Tab moves on, Esc closes"
    AUTO_FOCUS = "#choices"

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def body(self) -> Iterable[Widget]:
        yield PlainOptions(*self._options(), id="choices")
        yield Plain(COUNTRY, classes="setting")
        yield Input(
            self._settings.country or "", id="country", placeholder="from your system", max_length=2, compact=True
        )
        yield Plain("", id="setting-note")
        yield Plain(NEWLINE, classes="setting")

    def _options(self) -> Iterable[Option]:
        yield Option("Colours", disabled=True)
        for name, title in themes.TITLES.items():
            yield Option(f"{mark(name == self._settings.theme)} {title}", id=name)
        yield Option("Movement", disabled=True)
        yield Option(f"{mark(self._settings.reduced_motion)} Keep movement to a minimum", id=MOTION)
        yield Option("Your conversations", disabled=True)
        kept = self.tide.book.state is not State.OFF
        yield Option(f"{mark(kept)} Keep them, encrypted with a passphrase of yours", id=KEEP)

    def on_mount(self) -> None:
        if self.app.no_color:
            self.query_one("#setting-note", Plain).update(NO_COLOUR)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_id == MOTION:
            self.tide.change_settings(reduced_motion=not self._settings.reduced_motion)
        elif event.option_id == KEEP:
            self._keep()
        elif event.option_id:
            self.tide.change_settings(theme=event.option_id)
        self.on_screen_resume()

    def on_screen_resume(self) -> None:
        """Something was changed here, or on the screen that was opened from here."""
        self._settings = self.tide.settings
        self.query_one(PlainOptions).refill(self._options())

    def _keep(self) -> None:
        if self.tide.book.state is State.OFF:
            self.tide.ask_passphrase()
            return
        question = Confirm("Keep nothing from now on?", TURN_OFF, yes="Keep nothing", no="Go on keeping")
        self.app.push_screen(question, lambda agreed: self.tide.turn_history_off() if agreed else None)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Kept when it is two letters, or empty again."""
        value = event.value.strip().upper()
        whole = len(value) == 2 and value.isascii() and value.isalpha()
        if whole or not value:
            self.tide.change_settings(country=value or None)
            self._settings = self.tide.settings
        note = "" if whole or not value else "Two letters, such as US, GB or IN."
        self.query_one("#setting-note", Plain).update(note)
