"""Where people can be reached: emergency numbers and help lines by country, from `helplines/directory.toml`.

The directory was written from memory and is not verified online; every card says that numbers may have changed. The
country comes from the caller (settings or locale), never from the network. Knows no card and no tier.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from typing import Any

from tide_chat import wording
from tide_chat.safety.lines import HelpLine

FOOTNOTE = "Numbers may have changed since {checked}, and were not verified online."
UNKNOWN = "Your country is not set, so these work in many places. To set it: tide-chat config edit, or F5 in the chat."
NOT_LISTED = "There is no list for {country} yet, so these work in many places."

# Safe anywhere: 112 reaches emergency services from mobile phones in most countries; of the directory only the name.
ANYWHERE = (
    HelpLine("Local emergency number", "112", note="or the emergency number where you are"),
    HelpLine("A list of help lines by country", "findahelpline.com", how="open"),
)
_MISSING_DATE = date(2026, 11, 24)
_MONTHS = "January February March April May June July August September October November December".split()


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to reach a person, and what it is for."""

    need: str  # crisis, veterans, abuse, sexual, youth, poison, substance, eating, deaf
    line: HelpLine
    source: str  # who publishes it


@dataclass(frozen=True, slots=True)
class Country:
    """What is known of one country."""

    code: str
    name: str
    emergency: HelpLine
    entries: tuple[Entry, ...]
    languages: tuple[str, ...]
    checked_on: date
    verified_online: bool
    source: str = ""

    def lines(self, *needs: str) -> tuple[HelpLine, ...]:
        """Help lines for these needs, in the order asked for."""
        return tuple(entry.line for need in needs for entry in self.entries if entry.need == need)


@wording.cached
def directory() -> Mapping[str, Country]:
    """All countries by code; empty when the file cannot be read, and then the safe defaults hold."""
    try:
        text = (files("tide_chat.safety") / "helplines" / "directory.toml").read_text(encoding="utf-8")
        return {code: _country(code, data) for code, data in tomllib.loads(text).items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def find(country: str | None) -> Country | None:
    """The country's entry, None when it is unknown or not listed."""
    return directory().get((country or "").strip().upper())


def emergency(country: str | None) -> HelpLine:
    known = find(country)
    return known.emergency if known else anywhere()[0]


def anywhere() -> tuple[HelpLine, ...]:
    """`ANYWHERE` in the language in use."""
    return tuple(replace(line, name=wording.say(line.name), note=wording.say(line.note)) for line in ANYWHERE)


def lines_for(country: str | None, *needs: str, most: int = 3) -> tuple[HelpLine, ...]:
    """At most `most` lines for these needs; where none is known, the ones that work anywhere."""
    known = find(country)
    return (known.lines(*needs)[:most] if known else ()) or anywhere()[1:]


def overview(country: str | None) -> tuple[HelpLine, ...]:
    """Everything that is known for a country, the emergency number first."""
    known = find(country)
    if known is None:
        return anywhere()
    return (known.emergency, *(entry.line for entry in known.entries), anywhere()[1])


def footnote(country: str | None) -> str:
    """What has to stand below any list of numbers."""
    known = find(country)
    checked = known.checked_on if known else _MISSING_DATE
    note = wording.say(FOOTNOTE).format(checked=_month(checked))
    if known:
        return note
    return f"{note} {wording.say(UNKNOWN if not country else NOT_LISTED).format(country=country)}"


def _month(day: date) -> str:
    return wording.say("{month} {year}").format(month=wording.say(_MONTHS[day.month - 1]), year=day.year)


def _country(code: str, data: Mapping[str, Any]) -> Country:
    emergency_line = HelpLine(
        wording.say("Emergency"), data["emergency"], note=wording.say(data.get("emergency_note", ""))
    )
    return Country(
        code,
        data["name"],
        emergency_line,
        tuple(_entry(row) for row in data["lines"]),
        tuple(data["languages"]),
        data["checked_on"],
        data["verified_online"],
        data["source"],
    )


def _entry(row: Mapping[str, Any]) -> Entry:
    spoken = wording.say("in {languages}").format(languages=", ".join(row["languages"])) if "languages" in row else ""
    notes = (wording.say(row.get("note", "")), wording.say(_PURPOSE.get(row["need"], "")), spoken)
    note, hours = "; ".join(part for part in notes if part), wording.say(row.get("hours", ""))
    return Entry(row["need"], HelpLine(row["name"], row["number"], row["how"], hours, note), row["source"])


_PURPOSE = {
    "veterans": "for veterans and service members",
    "abuse": "for violence at home",
    "sexual": "for sexual violence",
    "youth": "for children and young people",
    "poison": "for poisoning",
    "substance": "for alcohol and drugs",
    "eating": "for eating disorders",
    "deaf": "",
}
