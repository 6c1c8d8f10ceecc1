"""A few settings, kept as soon as they are changed. What is chosen is marked with words and signs, not with colour."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tide_chat.config import Settings, country_of
from tide_chat.store.book import State
from tide_chat.ui import themes
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.screens.history.words import TURN_OFF
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain, PlainOptions, mark
from tide_chat.wording import NAMES, say

NEWLINE = "New lines: Ctrl+J works in every terminal, so does a \\ at the end of a line and then Enter."
COUNTRY = "Country for help lines: two letters, such as US, GB or IN. Empty: from your system."
TWO_LETTERS = "Two letters, such as US, GB or IN."
NO_COUNTRY = (
    "There is no country {code}. Until there is one, your system's country holds. Two letters, such as US, GB or IN."
)
KEEP = "keep"
SYSTEM = "system"  # its language
NO_COLOUR = "NO_COLOR is set, so no colours are shown until it is not."
MOTION = "motion"


class SettingsScreen(Panel[None]):
    """Colours, language, movement, conversations, country."""

    title_text = "Settings"
    keys = "Enter chooses, Tab moves on, Esc closes"
    AUTO_FOCUS = "#choices"

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def body(self) -> Iterable[Widget]:
        yield PlainOptions(*self._options(), id="choices")
        yield Plain(say(COUNTRY), id="about-country", classes="setting")
        country = self._settings.country or ""
        yield Input(country, id="country", placeholder=say("from your system"), max_length=2, compact=True)
        yield Plain("", id="setting-note")
        yield Plain(say(NEWLINE), id="about-lines", classes="setting")

    def _options(self) -> Iterable[Option]:
        yield Option(say("Colours"), disabled=True)
        for name, title in themes.TITLES.items():
            yield _choice(name, say(title), name == self._settings.theme)
        yield Option(say("Language of the app's own texts"), disabled=True)
        for name, title in {SYSTEM: say("As your system has it"), **NAMES}.items():
            yield _choice(name, title, name == (self._settings.language or SYSTEM))
        yield Option(say("Movement"), disabled=True)
        yield _choice(MOTION, say("Keep movement to a minimum"), self._settings.reduced_motion)
        yield Option(say("Your conversations"), disabled=True)
        kept = self.tide.book.state is not State.OFF
        yield _choice(KEEP, say("Keep them, encrypted with a passphrase of yours"), kept)

    def on_mount(self) -> None:
        self._note("")
        self.watch(self.query_one("#panel-body"), "virtual_size", self._see_note, init=False)

    def _see_note(self) -> None:
        """While a country is typed; again when the layout has made room for a second row of it."""
        if self.query_one("#country").has_focus:
            self.call_after_refresh(self.query_one("#setting-note").scroll_visible, animate=False)

    def _note(self, text: str) -> None:
        """A line below the country; without one it may say why there are no colours."""
        self.query_one("#setting-note", Plain).update(text or (say(NO_COLOUR) if self.app.no_color else ""))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_id == MOTION:
            self.tide.change_settings(reduced_motion=not self._settings.reduced_motion)
        elif event.option_id == KEEP:
            self._keep()
        elif event.option_id == SYSTEM or event.option_id in NAMES:
            self.tide.change_settings(language=None if event.option_id == SYSTEM else event.option_id)
            self._say_anew()
        elif event.option_id:
            self.tide.change_settings(theme=event.option_id)
        self.on_screen_resume()

    def on_screen_resume(self) -> None:
        """Something was changed here, or on the screen that was opened from here."""
        self._settings = self.tide.settings
        self.query_one(PlainOptions).refill(self._options())

    def _say_anew(self) -> None:
        """The words around the choices, in the language that was chosen."""
        self.query_one("#panel-title", Plain).update(self.heading())
        self.query_one("#panel-keys", Plain).update(say(self.keys))
        self.query_one("#country", Input).placeholder = say("from your system")
        self.query_one("#about-country", Plain).update(say(COUNTRY))
        self.query_one("#about-lines", Plain).update(say(NEWLINE))
        self._note("")

    def _keep(self) -> None:
        if self.tide.book.state is State.OFF:
            self.tide.ask_passphrase()
            return
        question = Confirm("Keep nothing from now on?", TURN_OFF, yes="Keep nothing", no="Go on keeping")
        self.app.push_screen(question, lambda agreed: self.tide.turn_history_off() if agreed else None)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Kept when it is a country, or empty again."""
        value = event.value.strip().upper()
        country = country_of(value)
        if country or not value:
            self.tide.change_settings(country=country)
            self._settings = self.tide.settings
            self._note("")
        else:
            self._note(say(TWO_LETTERS) if len(value) < 2 else say(NO_COUNTRY, code=value))
            self._see_note()


def _choice(name: str, words: str, chosen: bool) -> Option:
    return Option(f"{mark(chosen)} {words}", id=name)
