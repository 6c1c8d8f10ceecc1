"""A table that cannot be read costs what it would have heard, and the person is told."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from tide_chat.safety import elsewhere, gloss, join, language, letters, router, unread, why, words
from tide_chat.safety.assessment import Tier

READERS: dict[str, Callable[[], object]] = {
    "words.txt": words.load.__wrapped__,
    "lookalikes.txt": letters.lookalikes.__wrapped__,
    "gloss/fr.tsv": lambda: gloss._load.__wrapped__("fr"),
    "languages/words.toml": language.frequent.__wrapped__,
    "plainest.tsv": elsewhere.statements.__wrapped__,
}
MODULES = (words, letters, gloss, language, elsewhere)


@pytest.fixture(autouse=True)
def _nothing_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    router.prepare()  # what is read once is read before the files are gone
    router.assess("ich möchte s0 gern schlafen")
    monkeypatch.setattr(unread, "_found", {})


def _in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in MODULES:
        monkeypatch.setattr(module, "files", lambda _: folder)


def test_every_table_that_ships_is_read() -> None:
    for read in READERS.values():
        read()
    assert unread.problems() == ()


@pytest.mark.parametrize("file", READERS)
def test_a_missing_table_is_named_and_the_message_is_still_looked_at(
    file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _in(tmp_path, monkeypatch)
    READERS[file]()
    assert unread.problems() == (f"{file}: FileNotFoundError",)
    found = router.assess("i want to kill myself")
    assert found.tier is Tier.T3
    assert join.is_reduced(found)
    assert file in found.reasons[0].words


@pytest.mark.parametrize("file", READERS)
def test_so_is_one_that_is_no_text(file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("words.txt", "ordinary.txt", "lookalikes.txt", "gloss/fr.tsv", "languages/words.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\xff\xfe\x00not text")
    (tmp_path / "languages" / "plainest.tsv").write_bytes(b"\xff\xfe\x00not text")
    _in(tmp_path, monkeypatch)
    READERS[file]()
    assert [problem.partition(":")[0] for problem in unread.problems()] == [file]


def test_a_broken_line_of_the_plainest_statements_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = (files("tide_chat.safety") / "languages" / "plainest.tsv").read_text(encoding="utf-8")
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "plainest.tsv").write_text(f"{table}Dutch\tfoute regel\tT9\t\t\twhy\tsource\n", "utf-8")
    _in(tmp_path, monkeypatch)
    assert elsewhere.statements.__wrapped__() == elsewhere.statements()
    assert unread.problems() == ("plainest.tsv, 'foute regel': KeyError",)


def test_why_says_that_the_check_is_reduced() -> None:
    unread.note("plainest.tsv", FileNotFoundError())
    assert "One part of the safety check is not working right now" in why.in_words(router.assess("good morning"))
