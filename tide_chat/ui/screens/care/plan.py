"""The safety plan as it is read: part by part, with a key to write it and one to make it a file."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from tide_chat.care.keeping import Care
from tide_chat.care.plan import SafetyPlan, texts
from tide_chat.errors import TideError
from tide_chat.terminal import neutral
from tide_chat.ui.screens.care.export import ExportScreen
from tide_chat.ui.screens.care.panel import CarePanel, problem
from tide_chat.ui.screens.care.writing import Field, WritingScreen, open_writing
from tide_chat.ui.widgets.plain import Plain

KEYS = "E writes · X makes a file to print · F2 people · Esc goes back"


class PlanScreen(CarePanel):
    """What was written, or what a safety plan is."""

    keys = KEYS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", show=False),
        Binding("x", "export", show=False),
    ]

    def __init__(self, care: Care) -> None:
        self.title_text = str(texts()["title"])
        super().__init__(care)
        self._problem = ""
        try:
            self.plan = care.plan()
        except (TideError, OSError) as error:
            self.plan, self._problem = SafetyPlan(), problem(error)

    def body(self) -> Iterable[Widget]:
        if self.plan.empty:
            yield Plain(self._problem or str(texts()["intro"]), classes="step")
        for section in self.plan.sections:
            written = section.text or (section.hint if self.plan.empty else "")
            if written:
                style = "" if section.text else "$text-muted"
                words = Content.assemble((section.title, "bold $accent"), "\n", (neutral(written), style))
                yield Plain(words, classes="reading")
        yield Plain(str(texts()["credit"]), classes="credit")
        yield Plain(self.care.where, id="care-note")

    def action_edit(self) -> None:
        if self._problem:  # empty boxes would be kept over a plan that is there
            self.app.notify(self._problem, severity="error", markup=False)
            return
        fields = [Field(one.name, one.title, one.hint, one.text) for one in self.plan.sections]
        form = WritingScreen("plan", self.title_text, fields, self._keep, self.care.where)
        open_writing(self.app, form, self._reload)

    def _keep(self, written: dict[str, str]) -> None:
        self.care.keep_plan(SafetyPlan(**written))

    def _reload(self) -> None:
        self.app.switch_screen(PlanScreen(self.care))

    def action_export(self) -> None:
        self.app.push_screen(ExportScreen("safety-plan", self.plan.text()))
