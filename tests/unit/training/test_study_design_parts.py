"""Codes, limits, form values, questions, and the file of ratings: small laws."""

import sqlite3
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from tide_chat.errors import DataError
from training.evaluation.study import codes
from training.evaluation.study.questions import EDUCATION, REGIONS, About
from training.evaluation.study.records import FAILED, PASSED, UNSEEN
from training.evaluation.study.store import FILE, Rating, Store
from training.evaluation.study.web import forms
from training.evaluation.study.web.limits import Buckets


def test_codes_differ_and_are_read_however_they_are_typed() -> None:
    made = {codes.new() for _ in range(500)}
    assert len(made) == 500
    for code in made:
        for typed in (code, code.lower(), code.replace("-", ""), f" {code[:3]} {code[3:]} "):
            assert codes.read(typed) == code
        assert codes.read(code.replace("0", "O").replace("1", "l")) == code


@given(st.text(max_size=30))
def test_what_is_no_code_is_none_or_has_the_one_form(typed: str) -> None:
    read = codes.read(typed)
    assert read is None or codes.read(read) == read


def test_a_bucket_empties_fills_again_and_is_each_clients_own() -> None:
    now = [0.0]
    buckets = Buckets(3, 0.5, lambda: now[0])
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]
    assert not buckets.has("a")
    assert buckets.take("b")
    now[0] = 2.0
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]


def test_regions_are_the_states_and_the_capital() -> None:
    assert len(REGIONS) == 51
    assert REGIONS["DC"] == "District of Columbia"
    assert REGIONS["WY"] == "Wyoming"
    assert all(len(code) == 2 and code.isupper() and name[0].isupper() for code, name in REGIONS.items())
    assert "graduate" in EDUCATION


@pytest.mark.parametrize("wrong", ["0", "6", "", "4.0", " 4", "-1", "٤", "1e0", "x" * 1000])
def test_only_one_to_five_is_a_mark(wrong: str) -> None:
    marks = forms.marks(MultiDict([("reply-1", "5"), ("reply-2", wrong)]), 2)
    assert dict(marks.values) == {1: 5}
    assert set(marks.errors) == {"reply-2"}


def test_a_mark_given_twice_is_none() -> None:
    assert forms.marks(MultiDict([("reply-1", "5"), ("reply-1", "1")]), 1).errors


def test_nobody_has_to_say_anything() -> None:
    assert forms.about(MultiDict()) == (About(), {})
    said = {"age": " 41 ", "gender": "woman", "education": "graduate", "region": "CA"}
    assert forms.about(MultiDict(said)) == (About(41, "woman", "graduate", "CA"), {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("age", "17"),
        ("age", "121"),
        ("age", "4e1"),
        ("age", "9" * 99),
        ("gender", "x"),
        ("region", "ca"),
    ],
)
def test_what_is_not_in_the_list_is_told_at_its_field(field: str, value: str) -> None:
    assert set(forms.about(MultiDict({field: value}))[1]) == {field}


def test_a_stamp_holds_for_its_rater_and_page_only() -> None:
    stamp = forms.Stamp("k" * 64)
    text = stamp.make(3, 7, 12.25)
    assert stamp.read(text, 3, 7) == 12.25
    assert stamp.read(text, 3, 8) is None
    assert stamp.read(text, 4, 7) is None
    assert stamp.read(text + "x", 3, 7) is None
    assert stamp.read("", 3, 7) is None
    assert forms.Stamp("j" * 64).read(text, 3, 7) is None


def page(first: int, mark: int = 3) -> list[Rating]:
    return [Rating(f"i{place}", place, mark, 1.5) for place in range(first, first + 5)]


def test_a_page_is_kept_whole_once_and_on_disk(tmp_path: Path) -> None:
    with Store(tmp_path, "f") as store:
        rater = store.new_rater("t")
        assert store.rate(rater.number, page(1))
        assert not store.rate(rater.number, page(1, mark=5))
        assert not store.rate(rater.number, page(3, mark=5))  # overlaps: nothing of it
        assert store.rated(rater.number) == page(1)
        with sqlite3.connect(tmp_path / FILE) as other:
            assert other.execute("SELECT count(*), max(rating) FROM ratings").fetchone() == (5, 3)
            assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.close()
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in tmp_path.iterdir())
        assert len(list(tmp_path.iterdir())) == 3
    with Store(tmp_path, "f") as again:
        assert again.rated(rater.number) == page(1)
        assert again.with_code(rater.code) == rater


def test_a_beginning_an_end_and_a_check_happen_once(tmp_path: Path) -> None:
    with Store(tmp_path, "f") as store:
        rater = store.new_rater("t")
        assert store.new_rater("t") == rater
        assert rater.attention == UNSEEN
        assert store.attend(rater.number, passed=False)
        assert not store.attend(rater.number, passed=True)
        assert store.finish(rater.number, About(41, "man", "bachelor", "NY"))
        assert not store.finish(rater.number, About())
        found = store.rater(rater.number)
        assert found
        assert (found.attention, found.about) == (FAILED, About(41, "man", "bachelor", "NY"))
        assert found.finished
        assert store.attend(store.new_rater("u").number, passed=True)
        assert [one.attention for one in store.everything()[0]] == [FAILED, PASSED]


def test_who_withdraws_leaves_nothing_in_the_file_and_no_number_is_given_again(tmp_path: Path) -> None:
    with Store(tmp_path, "f") as store:
        first, second = store.new_rater("ticket-one"), store.new_rater("ticket-two")
        store.rate(second.number, [replace(one, item=f"secret-{one.item}") for one in page(1)])
        store.withdraw(second.number)
        assert store.rater(second.number) is None
        assert store.rated(second.number) == []
        assert not store.rate(second.number, page(1))
        files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert first.code.encode() in files
        assert second.code.encode() not in files
        assert b"secret-" not in files
        assert store.new_rater("ticket-three").number > second.number


def test_one_of_many_at_once_wins(tmp_path: Path) -> None:
    with Store(tmp_path, "f") as store:
        rater = store.new_rater("t")
        won: list[int] = []

        def send(mark: int) -> None:
            if store.rate(rater.number, page(1, mark)):
                won.append(mark)

        threads = [threading.Thread(target=send, args=(mark,)) for mark in (1, 2, 3, 4, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert store.rated(rater.number) == page(1, won[0])


def test_the_file_belongs_to_one_study(tmp_path: Path) -> None:
    Store(tmp_path, "f").close()
    with pytest.raises(DataError, match="was changed"):
        Store(tmp_path, "g")
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match="cannot be used"):
        Store(tmp_path, "f")
