"""The app as a demonstration: a script plays in it, and "demonstration" stands on every screen. F6 stops or goes on."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from tide_chat.clinician.script import Script
from tide_chat.ui import commands, themes
from tide_chat.ui.app import TideChatApp, run_app
from tide_chat.ui.ports import Core
from tide_chat.ui.screens.clinician.player import TICK_S, Player
from tide_chat.ui.screens.disclosure import DisclosureScreen
from tide_chat.ui.widgets.plain import Plain

if TYPE_CHECKING:
    from tide_chat.compose import AppOptions

WATERMARK = "DEMONSTRATION · the person is made up"
ENDED = "The script has ended. You can write on by hand."


class Watermark(Plain):
    """One line on top of a screen."""

    DEFAULT_CSS = """
    Watermark {
        dock: top;
        height: 1;
        text-align: center;
        text-style: bold reverse;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """


class DemoApp(TideChatApp):
    """Plays `script`, and is the app in all else."""

    CSS_PATH = "../../app.tcss"  # beside the app, not beside this
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f6", "script_key", show=False, priority=True)]

    def __init__(self, core: Core, script: Script, *, pace: float, by_key: bool = False) -> None:
        super().__init__(core)
        still = self.animation_level == "none"
        self.player = Player(self, script, pace=None if still else pace, by_key=by_key)
        self._by_key = by_key

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(TICK_S, self.player.tick)

    def push_screen(self, screen: Screen[Any] | str, *arguments: Any, **options: Any) -> Any:
        pushed = super().push_screen(screen, *arguments, **options)
        self.call_later(self._mark)
        return pushed

    def switch_screen(self, screen: Screen[Any] | str) -> Any:
        switched = super().switch_screen(screen)
        self.call_later(self._mark)
        return switched

    async def _mark(self) -> None:
        for screen in self.screen_stack:
            if screen.is_attached and not screen.query(Watermark):
                await screen.mount(Watermark(self._watermark))

    @property
    def _watermark(self) -> str:
        if self.player.over:
            return WATERMARK
        if self._by_key:
            return f"{WATERMARK} · F6 next step"
        return f"{WATERMARK} · {'stopped, F6 goes on' if self.player.stopped else 'F6 stops'}"

    def _redraw(self) -> None:
        for screen in self.screen_stack:
            for mark in screen.query(Watermark):
                mark.update(self._watermark)

    def action_script_key(self) -> None:
        self.player.key()
        self._redraw()

    # What the player does

    def ready(self) -> bool:
        if not self.screen_stack:
            return False  # the clock's last tick, while the app is going
        return self.chat.turns.running is None and not isinstance(self.screen, DisclosureScreen)

    def to_chat(self) -> bool:
        if self.screen is self.chat:
            return True
        self.simulate_key("escape")
        return False

    def type(self, text: str) -> None:
        self.chat.composer.insert(text)

    def send(self) -> None:
        self.chat.composer.focus()
        self.chat.composer.post_message(self.chat.composer.Sent(self.chat.composer.text))

    def note(self, text: str) -> None:
        self.chat.transcript.notice(text)
        self.chat.transcript.follow()

    def open(self, command: str) -> None:
        self.chat.run_slash(commands.find(command), "")

    def press(self, key: str) -> None:
        self.simulate_key(key)

    def ask_passphrase(self, _said: str = "") -> None:
        """A demonstration opens nobody's history."""
        self.chat.hint("In a demonstration the history stays closed.")

    def ended(self) -> None:
        self.chat.hint(ENDED)
        self._redraw()


def run(options: "AppOptions", script: Script, *, pace: float, by_key: bool, large: bool) -> int:
    """Start the engine's process, then the app. Returns the exit code."""
    from tide_chat.ui.wiring import build

    if large:
        options = replace(options, settings=options.settings.model_copy(update={"theme": themes.LARGE}))
    return run_app(build(options), lambda core: DemoApp(core, script, pace=pace, by_key=by_key))
