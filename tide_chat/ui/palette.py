"""The command palette, fed from the command table."""

from collections.abc import Callable
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tide_chat.ui.commands import COMMANDS, Command, key_label
from tide_chat.ui.screens.actions import Actions
from tide_chat.wording import say


class TideCommands(Provider):
    """Every command of the table, found by a part of its title or slash name."""

    def _run(self, command: Command) -> Callable[[], None]:
        chat = next(screen for screen in self.app.screen_stack if isinstance(screen, Actions))
        return partial(chat.run_slash, command, "")

    @staticmethod
    def _text(command: Command) -> str:
        keys = ", ".join(key_label(key) for key in command.keys)
        return f"{say(command.title)} ({keys})" if keys else say(command.title)

    async def discover(self) -> Hits:
        for command in COMMANDS:
            if command.name != "palette":
                yield DiscoveryHit(self._text(command), self._run(command), help=say(command.help))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in COMMANDS:
            text = self._text(command)
            score = max(matcher.match(text), matcher.match(command.slash))
            if score and command.name != "palette":
                yield Hit(score, matcher.highlight(text), self._run(command), text=text, help=say(command.help))
