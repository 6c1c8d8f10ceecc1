"""The app: themes, settings, the first screen, leaving. The chat is in `screens/chat.py`, the core in `ports.Core`."""

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.command import CommandPalette, Provider
from textual.driver import Driver
from textual.events import Event, InputEvent, Key

from tide_chat import ending, wording
from tide_chat.engine.supervisor import EngineState
from tide_chat.errors import TideError
from tide_chat.safety import router
from tide_chat.ui import quick_exit, themes
from tide_chat.ui.commands import COMMANDS as TABLE
from tide_chat.ui.garbage import Garbage
from tide_chat.ui.messages import EngineChanged
from tide_chat.ui.palette import TideCommands
from tide_chat.ui.ports import Core
from tide_chat.ui.screens.chat import ChatScreen
from tide_chat.ui.screens.disclosure import DisclosureScreen
from tide_chat.ui.unsent import UnsentApp

if TYPE_CHECKING:
    from tide_chat.compose import AppOptions


HEIGHTS = [(0, "-short"), (22, "-medium"), (30, "-tall")]  # rows from which a style class holds
WIDTHS = [(0, "-tiny"), (30, "-roomy")]  # columns
END_PATIENCE = 10.0  # seconds to end in good order when told to from outside; then it is left at once


class TideChatApp(UnsentApp):
    """The terminal app."""

    TITLE = "tide-chat"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {TideCommands}
    VERTICAL_BREAKPOINTS = HEIGHTS
    HORIZONTAL_BREAKPOINTS = WIDTHS
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(",".join(c.keys), c.action, show=False, priority=True) for c in TABLE if c.keys and c.anywhere),
        Binding("ctrl+c", "copy_or_say", show=False),
    ]

    def __init__(self, core: Core) -> None:
        self.core = core
        super().__init__()
        self.settings = core.settings
        for theme in themes.THEMES:
            self.register_theme(theme)
        self._apply_settings()
        self.chat = ChatScreen(core)
        self._unsubscribe: Callable[[], None] = lambda: None
        self._running_in: asyncio.AbstractEventLoop | None = None
        self._garbage = Garbage()

    def get_driver_class(self) -> type[Driver]:
        return quick_exit.watching(super().get_driver_class(), self.core.engine.kill, self.write_last_unsent)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"muted": "#a3b0ba", "line": "#4a5864"}

    def on_load(self) -> None:
        self._running_in = asyncio.get_running_loop()

    def on_mount(self) -> None:
        self.push_screen(self.chat)
        self.open_history()
        self.call_after_refresh(self._settle)
        self._unsubscribe = self.core.engine.on_change(self._tell)
        if self.core.words.disclosure_due():
            self.push_screen(DisclosureScreen(self.core.words, self.settings.country), self.begin)
        else:
            self.begin()

    def _settle(self) -> None:
        """With the first screen there, what the first message needs is made, while nobody waits for it."""
        self._garbage.begin()
        self.set_interval(1.0, self._tidy)
        self.run_worker(router.prepare, name="rules", thread=True, exit_on_error=False)

    def _tidy(self) -> None:
        if not (self.chat.turns.running or self.chat.turns.held):
            self._garbage.look()

    def begin(self, _accepted: bool | None = True) -> None:
        """The first screen is behind, and the chat is in front. For apps that put something before it."""

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key) and not self.screen_stack:
            return  # pressed while the app was going
        if isinstance(event, InputEvent):
            self._garbage.touched()
        await super().on_event(event)

    def on_unmount(self) -> None:
        self._unsubscribe()
        self._garbage.end()
        if self.chat.turns.running:
            self.chat.turns.running.cancel.set()

    def end_from_outside(self) -> None:
        """Told by the system, in a signal's handler. When the interface is stuck, it is left as with the leave key."""
        if self._running_in is None:
            raise ending.Ended
        if self._running_in.is_closed():  # it is ending already
            return
        self._running_in.call_soon_threadsafe(self._end)
        late = threading.Timer(END_PATIENCE, self._leave_stuck)
        late.daemon = True
        late.start()

    def _end(self) -> None:
        self.write_last_unsent()  # first: whoever ends it may not wait
        self.exit(ending.ENDED)

    def _leave_stuck(self) -> None:
        if self._running_in is None or self._running_in.is_closed():  # it was not stuck
            return
        self._leave_now(ending.ENDED)

    def _leave_now(self, code: int = 0) -> None:
        attributes = getattr(self._driver, "attrs_before", None)
        quick_exit.leave(self.core.engine.kill, self.write_last_unsent, attributes, code)

    def _tell(self, state: EngineState) -> None:
        """Called in the engine's threads."""
        self.chat.post_message(EngineChanged(state))

    def change_settings(self, **changes: Any) -> None:
        """Use changed settings now and keep them. Where nothing can be written they hold for this session only."""
        changed = self.settings.model_copy(update=changes)
        if changed == self.settings:
            return
        spoken, self.settings = self.settings.language, changed
        if changed.language != spoken:
            wording.use(changed.language)
            self.chat.say_anew()
        self._apply_settings()
        self.core.words.set_country(changed.country)
        try:
            self.core.save_settings(changed)
        except (OSError, TideError):
            self.chat.hint(wording.say("This holds until you leave: the settings file cannot be written."))

    def _apply_settings(self) -> None:
        self.theme = themes.NO_COLOUR if self.no_color else themes.chosen(self.settings.theme)
        self.set_class(self.settings.theme == themes.LARGE, "-projector")
        self.animation_level = "none" if themes.still(self.settings.reduced_motion) else "full"
        if self.is_running:
            self.chat.composer.cursor_blink = self.animation_level != "none"

    @property
    def failure(self) -> Exception | None:
        """What ended the app, when it was not the user."""
        return self._exception

    def _fatal_error(self) -> None:
        """Textual would print the values of variables, which hold what was said. `run` raises the error instead."""
        self._close_messages_no_wait()

    def action_leave_now(self) -> None:
        """Reached only where no keyboard thread watches, and by the command."""
        self._leave_now()

    def action_copy_or_say(self) -> None:
        """Ctrl+C copies what is selected with the mouse; it never ends the app by accident."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
        elif self.screen is self.chat:
            self.chat.hint(wording.say("Esc stops a reply. /quit closes, Ctrl+Q leaves at once and clears the screen."))

    def action_command_palette(self) -> None:
        if self.screen is self.chat:
            self.push_screen(CommandPalette(placeholder=wording.say("Search for commands…"), id="--command-palette"))


def run(options: "AppOptions") -> int:
    """Start the engine's process, then the app. Returns the exit code."""
    from tide_chat.ui.wiring import build

    return run_app(build(options), TideChatApp)


def run_app(core: Core, make: Callable[[Core], TideChatApp]) -> int:
    """Run an app on `core` to its end. Returns the exit code."""
    app: TideChatApp | None = None

    def end() -> None:
        if app is None:
            raise ending.Ended
        app.end_from_outside()

    with ending.told(end):
        try:
            app = make(core)
            try:
                code = app.run() or 0
            finally:
                app.write_last_unsent()
            if app.failure:
                raise app.failure
            return code
        finally:
            core.history.close()
            core.engine.close()
