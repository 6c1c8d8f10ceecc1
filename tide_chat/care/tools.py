"""The tools as data: a title, why one might do it, steps. Knows neither time nor screen.

All texts are AI-written and wait for a clinician's review; `source` names the guideline or study a tool leans on.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tide_chat import wording
from tide_chat.care.files import data
from tide_chat.care.names import IDS

Seconds = Annotated[float, Field(gt=0, le=120)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Step(_Value):
    """One step. seconds: how long it lasts by itself; without it, the person does. own: a person's words."""

    text: str = ""
    seconds: Seconds | None = None
    own: bool = False

    def still(self) -> str:
        """The words for where nothing moves by itself."""
        if not self.seconds:
            return self.text
        counted = wording.say("For about {seconds} seconds, counted in your own time.")
        return f"{self.text} {counted.format(seconds=f'{self.seconds:.0f}')}"


class Phase(_Value):
    """A part of a breath. to: how full the breath is at its end, 0 to 1."""

    does: Literal["in", "out", "still"]
    seconds: Seconds
    to: Annotated[float, Field(ge=0, le=1)] | None = None
    label: str = ""

    @property
    def words(self) -> str:
        return self.label or wording.say(self.does)


class Pattern(_Value):
    """A way of breathing: phases that come again `rounds` times."""

    id: str
    title: str
    note: str
    rounds: Annotated[int, Field(ge=1, le=60)]
    phases: Annotated[tuple[Phase, ...], Field(min_length=2)]

    @property
    def holds(self) -> bool:
        """Whether the breath is ever kept still."""
        return any(phase.does == "still" for phase in self.phases)

    @property
    def round_s(self) -> float:
        return sum(phase.seconds for phase in self.phases)

    @property
    def total_s(self) -> float:
        return self.rounds * self.round_s


class Tool(_Value):
    """One tool. paper: which of the person's own texts belongs to it (`keeping.Paper`)."""

    id: str
    title: str
    short: str
    source: str
    why: str
    close: str
    steps: tuple[Step, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    paper: str = ""
    own: str = ""  # how the person's words are shown: `{own}`
    missing: str = ""  # what stands there while there are none

    def filled(self, own: str, **words: str) -> "Tool":
        """The tool with the person's own words and the day put in. Steps that end up empty are left out."""
        own_words = self.own.replace("{own}", own.strip()) if own.strip() else self.missing
        steps = [
            step.model_copy(update={"text": own_words if step.own else _put(step.text, words)}) for step in self.steps
        ]
        update = {"steps": tuple(step for step in steps if step.text), "close": _put(self.close, words)}
        return self.model_copy(update=update)


def _put(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@wording.cached
def all_tools() -> tuple[Tool, ...]:
    """Every tool, in the order of `IDS`."""
    return tuple(Tool.model_validate(data(f"tools/{name}")) for name in IDS)


def find(name: str) -> Tool:
    """The tool called `name`. Raises KeyError."""
    found = next((tool for tool in all_tools() if tool.id == name), None)
    if found is None:
        raise KeyError(name)
    return found
