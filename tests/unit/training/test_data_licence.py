"""A licence is shown until it is accepted, and remembered with day and revision."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tide_chat.errors import TideError, UsageError
from training.data import licence, tide

TERMS = licence.Licence("maker/set", "CC BY-NC 4.0", "Not for business.", "https://example.org/licence")


def test_it_is_shown_until_it_is_accepted(tide_home: Path) -> None:
    with pytest.raises(UsageError, match="has to be accepted once") as caught:
        licence.require(TERMS)
    assert "Not for business.\nThe whole text: https://example.org/licence" in caught.value.details
    licence.require(TERMS, accept=True)  # for this time: it is written down when the data are there
    with pytest.raises(UsageError):
        licence.require(TERMS)
    licence.remember(TERMS, "c0ffee")
    licence.require(TERMS)
    today = datetime.now(UTC).date().isoformat()
    written = json.loads((tide_home / "licences.json").read_text(encoding="utf-8"))
    assert written == {"maker/set": {"licence": "CC BY-NC 4.0", "accepted": today, "revision": "c0ffee"}}


def test_another_licence_of_the_same_data_is_not_accepted() -> None:
    licence.remember(TERMS, "c0ffee")
    with pytest.raises(UsageError):
        licence.require(replace(TERMS, name="another"))
    with pytest.raises(UsageError):
        licence.require(tide.LICENCE)


def test_the_first_day_and_the_newest_revision_stay(tide_home: Path) -> None:
    first = {"licence": TERMS.name, "accepted": "2026-01-31", "revision": "1"}
    tide_home.mkdir(parents=True)
    (tide_home / "licences.json").write_text(json.dumps({TERMS.dataset: first, "other": first}), encoding="utf-8")
    assert licence.remember(TERMS, "2") == licence.Acceptance(TERMS.name, "2026-01-31", "2")
    assert licence.recall(TERMS) == licence.Acceptance(TERMS.name, "2026-01-31", "2")
    assert licence.recall(replace(TERMS, dataset="other")) is not None


@pytest.mark.parametrize("text", ["", "[]", '{"maker/set": 1}', '{"maker/set": {"licence": "CC BY-NC 4.0"}}'])
def test_a_broken_file_means_to_ask_again(text: str, tide_home: Path) -> None:
    tide_home.mkdir(parents=True)
    (tide_home / "licences.json").write_text(text, encoding="utf-8")
    assert licence.recall(TERMS) is None
    licence.remember(TERMS, "1")
    assert licence.recall(TERMS) is not None


def test_a_folder_that_cannot_be_written(tide_home: Path) -> None:
    tide_home.parent.mkdir(parents=True, exist_ok=True)
    tide_home.write_text("a file", encoding="utf-8")
    with pytest.raises(TideError, match="could not be written down"):
        licence.remember(TERMS, "1")
