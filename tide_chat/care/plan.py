"""A safety plan in the person's own words, as text to show, to keep and to print.

The structure is the Safety Planning Intervention of Stanley and Brown (Cognitive and Behavioral Practice 19, 2012);
titles and hints are our own words in `data/plan.toml`.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tide_chat import wording
from tide_chat.care.files import data
from tide_chat.errors import DataError

_PAPER = 76  # columns; programs that print text cut or break what is over 80
_BRIEF_LINES = 3  # of each part, where the plan stands on a card
MORE = "The whole plan: /plan"


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the plan, with what the person wrote."""

    name: str
    title: str
    hint: str
    text: str = ""


class SafetyPlan(BaseModel):
    """What the person wrote, part by part; empty parts are fine."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    signs: str = ""
    coping: str = ""
    distraction: str = ""
    people: str = ""
    professionals: str = ""
    safer: str = ""

    @property
    def empty(self) -> bool:
        return not any(self.model_dump().values())

    @property
    def sections(self) -> tuple[Section, ...]:
        return tuple(Section(**row, text=getattr(self, row["name"])) for row in texts()["sections"])

    def dumps(self) -> str:
        return self.model_dump_json()

    @classmethod
    def loads(cls, text: str) -> "SafetyPlan":
        """A plan from `dumps`; the empty one from an empty text. Raises DataError."""
        if not text:
            return cls()
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise DataError(
                "The safety plan that was kept cannot be read.", details=f"{len(text)} characters"
            ) from error

    def brief(self) -> str:
        """What fits on a card: all parts but the signs, some lines of each. Empty when there is nothing to show."""
        parts = [_brief(section) for section in self.sections if section.text and section.name != "signs"]
        return "\n".join([texts()["title"], *parts, wording.say(MORE)]) if parts else ""

    def text(self) -> str:
        """The whole plan, to be printed or kept on paper. Markdown that reads well as it is, in lines a page holds."""
        return "\n\n".join([f"# {texts()['title']}", *self._written(), _wrapped(texts()["credit"])]) + "\n"

    def _written(self) -> Iterator[str]:
        for section in self.sections:
            yield f"## {section.title}\n\n{_wrapped(section.text) or '...'}"


def _wrapped(text: str) -> str:
    """In lines that no printer cuts; words and numbers stay whole."""
    fold = partial(textwrap.fill, width=_PAPER, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(fold, text.splitlines()))


def _brief(section: Section) -> str:
    lines = [line.strip() for line in section.text.splitlines() if line.strip()]
    more = " ..." if len(lines) > _BRIEF_LINES else ""
    return f"- {section.title}: {'; '.join(lines[:_BRIEF_LINES])}{more}"


@wording.cached
def texts() -> dict[str, Any]:
    """Title, introduction, credit and the titles of the parts."""
    return data("plan")
