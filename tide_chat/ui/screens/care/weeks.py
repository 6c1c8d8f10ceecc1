"""Check-ins over weeks as a plot, and below it the same in words."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tide_chat.care import weeks
from tide_chat.care.keeping import Care
from tide_chat.errors import TideError
from tide_chat.ui.screens.care.panel import CarePanel, problem
from tide_chat.ui.screens.confirm import Confirm
from tide_chat.ui.widgets.plain import Plain


class WeeksScreen(CarePanel):
    """A point for each check-in. D deletes them all, after asking."""

    title_text = "My check-ins"
    keys = "D deletes them all · Esc goes back · Ctrl+Q leaves at once"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("d", "delete", show=False)]

    def __init__(self, care: Care) -> None:
        super().__init__(care)
        self._problem = ""
        try:
            self.check_ins = tuple(care.journal.read())
        except (TideError, OSError) as error:
            self.check_ins, self._problem = (), problem(error)

    def body(self) -> Iterable[Widget]:
        if self.check_ins:
            from tide_chat.ui.widgets.chart import Chart

            yield Chart(self.check_ins)
        for words in () if self._problem else weeks.in_words(self.check_ins):
            yield Plain(words)
        yield Plain(self._problem or self.care.where, id="care-note")

    def action_delete(self) -> None:
        if self.check_ins:
            question = Confirm(
                "Delete all check-ins?", "They cannot be brought back.", yes="Delete them", no="Keep them"
            )
            self.app.push_screen(question, self._delete)

    def _delete(self, agreed: bool | None) -> None:
        if not agreed:
            return
        try:
            self.care.journal.clear()
        except (TideError, OSError) as error:
            self.query_one("#care-note", Plain).update(problem(error))
        else:
            self.app.switch_screen(WeeksScreen(self.care))
