"""How replies should be: chosen by the person, used from the next message on. Name and topics are kept by choice."""

from collections.abc import Iterable
from dataclasses import replace

from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tide_chat.profile import FIT, NAME_LENGTH, TOPICS_LENGTH, Style, described, kept, topics_in
from tide_chat.terminal import neutral
from tide_chat.ui.ports import Talk
from tide_chat.ui.screens.panel import Panel
from tide_chat.ui.widgets.plain import Plain, PlainOptions, mark
from tide_chat.wording import say

FROM_NEXT = "This holds from your next message on."
NAME = "What replies may call you"
TOPICS = "What replies should not bring up, with commas between. You may."
NOTHING = "nothing"
KEEPING = {
    "session": "Only for now: name and topics are forgotten when you leave",
    "file": "In the settings file, as plain text: whoever opens your account here can read them",
}
ELSEWHERE = "Your country, for help lines, is in /settings."


class ProfileScreen(Panel[None]):
    """Style, name, topics, and where the last two are kept."""

    title_text = "How replies should be"
    keys = "Enter chooses, Tab moves on, Esc closes"
    AUTO_FOCUS = "#styles"
    DEFAULT_CSS = """
    ProfileScreen PlainOptions { height: auto; max-height: 100vh; }
    ProfileScreen #keeping { margin: 1 0 0 0; }
    ProfileScreen Input, ProfileScreen Input:focus { background: $panel; background-tint: transparent; padding: 0 1; }
    """

    def __init__(self, talk: Talk, *, personal: bool) -> None:
        """personal: whether name and topics are in the settings file."""
        super().__init__()
        self._talk, self._before = talk, talk.profile
        self._personal = personal

    def body(self) -> Iterable[Widget]:
        profile, nothing = self._talk.profile, say(NOTHING)
        yield PlainOptions(*self._styles(), id="styles")
        yield Plain(say(NAME), classes="setting")
        yield Input(neutral(profile.name), id="name", placeholder=nothing, max_length=NAME_LENGTH, compact=True)
        yield Plain(say(TOPICS), classes="setting")
        yield Input(
            neutral(", ".join(profile.topics)), id="topics", placeholder=nothing, max_length=TOPICS_LENGTH, compact=True
        )
        yield PlainOptions(*self._keeping(), id="keeping")
        yield Plain(say(FIT), classes="setting")
        yield Plain(say(ELSEWHERE), classes="setting")

    def _styles(self) -> Iterable[Option]:
        for style in Style:
            title, about = described(style)
            yield Option(f"{mark(style is self._talk.profile.style)} {say(title)}. {say(about)}", id=style.value)

    def _keeping(self) -> Iterable[Option]:
        yield Option(say("Where name and topics are kept"), disabled=True)
        for where, words in KEEPING.items():
            yield Option(f"{mark((where == 'file') is self._personal)} {say(words)}", id=where)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_id in KEEPING:
            self._personal = event.option_id == "file"
            self.query_one("#keeping", PlainOptions).refill(self._keeping())
        elif event.option_id:
            self._talk.profile = replace(self._talk.profile, style=Style(event.option_id))
            self.query_one("#styles", PlainOptions).refill(self._styles())
        self._keep()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Used at once; written to the file when the box is left or the screen closed, and not with every letter."""
        name, topics = (" ".join(self.query_one(box, Input).value.split()) for box in ("#name", "#topics"))
        self._talk.profile = replace(self._talk.profile, name=name, topics=topics_in(topics))

    def on_input_blurred(self, event: Input.Blurred) -> None:
        self._keep()

    def action_close(self) -> None:
        self._keep()
        super().action_close()

    def _keep(self) -> None:
        """What changed is said first: that it cannot be written, said by `change_settings`, matters more."""
        if self._talk.profile != self._before:
            self._before = self._talk.profile
            self.tide.chat.hint(say(FROM_NEXT))
        self.tide.change_settings(**kept(self._talk.profile, personal=self._personal))
