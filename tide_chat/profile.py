"""What the person chose about how replies should be: a style, what to be called, what not to bring up. Never inferred.

Knows the settings and the words for the system prompt (`prompts/`), no model and no screen.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:  # pydantic costs a tenth of a second
    from tide_chat.config import Settings

BRIEF_SENTENCES = 2
NAME_LENGTH, TOPICS_LENGTH = 40, 200  # characters, as the settings have it
FIT = (
    "With any model the program itself ends a short reply. The very small one that comes with the app follows no style "
    "by itself: there the program adds a written line for the other two."
)


class Style(StrEnum):
    NONE = "none"
    REASSURE = "reassure"  # reassurance before anything to do
    LAYERED = "layered"  # understanding, and something concrete
    BRIEF = "brief"


@dataclass(frozen=True, slots=True)
class Profile:
    """The default asks for nothing. name and topics are personal: they may hold for this session only."""

    style: Style = Style.NONE
    name: str = ""
    topics: tuple[str, ...] = ()  # not to be brought up

    @classmethod
    def of(cls, settings: "Settings") -> Self:
        """What the settings keep."""
        return cls(Style(settings.reply_style), settings.call_me or "", topics_in(settings.avoid_topics or ""))

    @property
    def personal(self) -> bool:
        """Whether it holds words of the person's own, which go into no file but the settings."""
        return bool(self.name or self.topics)

    @property
    def most_sentences(self) -> int | None:
        """Sentences that a reply may have; None leaves it as it is."""
        return BRIEF_SENTENCES if self.style is Style.BRIEF else None

    def lines(self, carried: str = "") -> tuple[str, ...]:
        """Lines for the system prompt, none for the default. carried: what the person let be known from before."""
        words = _words()
        style = words["style"][self.style]["text"]
        found = [style] if style else []
        own = {"name": self.name, "topics": ", ".join(self.topics), "carried": carried.strip()}
        found += [words["words"][what]["text"].replace(f"{{{what}}}", text) for what, text in own.items() if text]
        return tuple(found)


def described(style: Style) -> tuple[str, str]:
    """Title and explanation of a style, for whoever chooses."""
    words = _words()["style"][style]
    return words["title"], words["about"]


def kept(profile: Profile, *, personal: bool) -> dict[str, str | None]:
    """Settings that keep this profile; personal: name and topics too, which otherwise are taken out."""
    return {
        "reply_style": profile.style.value,
        "call_me": profile.name or None if personal else None,
        "avoid_topics": ",".join(profile.topics) or None if personal else None,  # never longer than what was typed
    }


def keeps_personal(settings: "Settings") -> bool:
    """Whether name or topics are in the settings file."""
    return bool(settings.call_me or settings.avoid_topics)


def written_for(style: Style, situation: str) -> tuple[str, ...]:
    """Lines for a very small model's replies: those of the situation, then those for any. None for most styles."""
    lines = _read("added.toml").get(style, {})
    return (*lines.get(situation, ()), *lines.get("any", ()))


def topics_in(text: str) -> tuple[str, ...]:
    """Topics from a line with commas between them, each once."""
    return tuple(dict.fromkeys(topic for part in text.split(",") if (topic := " ".join(part.split()))))


def _words() -> dict[str, Any]:
    return _read("profile.toml")


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("tide_chat") / "prompts" / name).read_text(encoding="utf-8"))
