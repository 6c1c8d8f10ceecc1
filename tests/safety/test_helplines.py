"""The directory: fresh, complete, well formed, and safe where nothing is known."""

import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tide_chat.safety import helplines

COUNTRIES = sorted(helplines.directory())
HOST = r"[a-z\d-]+(\.[a-z\d-]+)+"
YEAR = timedelta(days=365)


def test_about_thirty_countries_are_listed() -> None:
    assert len(COUNTRIES) >= 25
    assert {
        "US",
        "CA",
        "GB",
        "IE",
        "AU",
        "NZ",
        "DE",
        "AT",
        "CH",
        "FR",
        "ES",
        "IT",
        "NL",
        "BE",
        "PT",
        "IN",
        "ZA",
    } <= set(COUNTRIES)


@pytest.mark.parametrize("code", COUNTRIES)
def test_no_entry_is_over_a_year_old(code: str) -> None:
    """Fails one day on purpose: numbers change, so look at each again and set `checked_on`."""
    checked = helplines.directory()[code].checked_on
    today = datetime.now(UTC).date()
    assert checked <= today + timedelta(days=1), f"{code} was checked in the future"
    assert today - checked <= YEAR, f"{code} was last checked on {checked}"


@pytest.mark.parametrize("code", COUNTRIES)
def test_each_country_is_well_formed(code: str) -> None:
    country = helplines.directory()[code]
    assert re.fullmatch(r"[A-Z]{2}", code)
    assert re.fullmatch(r"\d{2,3}", country.emergency.number)
    assert country.lines("crisis"), "a country without a crisis line is better left out"
    assert country.languages
    assert country.verified_online is False
    for entry in country.entries:
        assert entry.need in {"crisis", "veterans", "abuse", "sexual", "youth", "poison", "substance", "eating", "deaf"}
        assert entry.line.how in {"call", "text", "chat", "open"}
        online = entry.line.how in {"chat", "open"}
        assert re.fullmatch(HOST if online else r"\*?[\d +\-]{2,16}", entry.line.number), entry.line
        assert entry.line.name
        assert re.fullmatch(HOST, entry.source), entry.line
    assert country.source


@pytest.mark.parametrize(
    ("country", "number"),
    [("US", "911"), ("GB", "999"), ("AU", "000"), ("NZ", "111"), ("DE", "112"), ("us", "911"), (" gb ", "999")],
)
def test_emergency_numbers(country: str, number: str) -> None:
    assert helplines.emergency(country).number == number


def test_each_row_of_the_file_names_its_source(checkout: Path) -> None:
    text = (checkout / "tide_chat" / "safety" / "helplines" / "directory.toml").read_text(encoding="utf-8")
    for code, country in tomllib.loads(text).items():
        assert country["checked_on"]
        assert country["verified_online"] is False, code
        assert all(row["source"] for row in country["lines"]), code


@pytest.mark.parametrize(("how", "countries"), [("text", 5), ("chat", 3)])
def test_people_who_cannot_speak_have_other_ways(how: str, countries: int) -> None:
    directory = helplines.directory().values()
    assert sum(any(entry.line.how == how for entry in country.entries) for country in directory) >= countries


@pytest.mark.parametrize("need", ["veterans", "deaf", "youth", "abuse", "poison"])
def test_each_need_is_served_in_several_countries(need: str) -> None:
    assert sum(bool(country.lines(need)) for country in helplines.directory().values()) >= 5


def test_veterans_have_their_own_route() -> None:
    (call, text, chat) = helplines.lines_for("US", "veterans")
    assert chat.number == "veteranscrisisline.net"
    assert (call.number, text.number, text.how) == ("988", "838255", "text")
    assert "press 1" in call.note


@pytest.mark.parametrize("country", [None, "", "XX", "ZZZ", "🙂"])
def test_an_unknown_country_gets_what_works_anywhere(country: str | None) -> None:
    assert helplines.emergency(country).number == "112"
    assert helplines.lines_for(country, "crisis") == helplines.ANYWHERE[1:]
    assert helplines.overview(country) == helplines.ANYWHERE


def test_the_footnote_says_how_to_set_the_country() -> None:
    assert "config edit" in helplines.footnote(None)
    assert "no list for XX" in helplines.footnote("XX")
    for country in (None, "US", "XX"):
        assert "may have changed" in helplines.footnote(country)


def test_the_overview_begins_with_the_emergency_number() -> None:
    lines = helplines.overview("GB")
    assert lines[0].number == "999"
    assert len(lines) > 5


def test_a_directory_that_cannot_be_read_leaves_the_safe_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_text: str) -> dict[str, object]:
        raise ValueError

    monkeypatch.setattr("tide_chat.safety.helplines.tomllib.loads", broken)
    helplines.directory.cache_clear()
    try:
        assert helplines.emergency("US").number == "112"
        assert helplines.lines_for("US", "crisis")
    finally:
        helplines.directory.cache_clear()


def test_without_a_country_the_key_that_sets_it_is_named() -> None:
    """A command of the terminal alone is no help to somebody who is in the app."""
    assert "F5" in helplines.UNKNOWN
