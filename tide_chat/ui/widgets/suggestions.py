"""The commands that fit what is being typed after a slash."""

from textual.content import Content
from textual.widgets.option_list import Option

from tide_chat.ui.commands import Command, completions
from tide_chat.ui.widgets.plain import PlainOptions
from tide_chat.wording import say


class Suggestions(PlainOptions):
    """A short list above the box. The box keeps the focus."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__(id="suggestions")
        self.display = False
        self.found: tuple[Command, ...] = ()

    def show_for(self, text: str) -> bool:
        """Show what fits `text`. Returns whether there is anything."""
        found = completions(text)
        if found != self.found:
            self.found = found
            self.clear_options()
            self.add_options(Option(self._line(command), id=command.name) for command in found)
            self.highlighted = 0 if found else None
        self.display = bool(found)
        return bool(found)

    @staticmethod
    def _line(command: Command) -> Content:
        return Content.assemble(
            (f"{command.slash} {command.argument}".strip().ljust(16), "bold"), f" {say(command.title)}"
        )

    @property
    def chosen(self) -> Command | None:
        return self.found[self.highlighted] if self.display and self.highlighted is not None else None

    def hide(self) -> None:
        self.display = False
        self.found = ()
