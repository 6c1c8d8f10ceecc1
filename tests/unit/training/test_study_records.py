"""The three files of a study: what is written is read again, and what is wrong is named by file, line and column."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.training.study_rows import rater
from tide_chat.errors import DataError
from training.evaluation.study import records
from training.evaluation.study.records import ATTENTION, RATED_STATES, Gold, Rater, Rating

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
TIMES = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
SECONDS = st.floats(0, 1e6)
A_RATING = st.builds(
    Rating, WORDS, WORDS, WORDS, st.just("1"), WORDS, st.sampled_from(RATED_STATES), st.integers(1, 120),
    st.integers(1, 5), SECONDS,
)  # fmt: skip
A_RATER = st.builds(
    Rater, WORDS, st.none() | st.integers(18, 99), st.just("") | WORDS, st.just("") | WORDS,
    st.sampled_from(["", "OH"]), TIMES, st.none() | TIMES, st.sampled_from(ATTENTION), st.booleans(),
)  # fmt: skip

RATINGS = "rater,item,scenario,block,model,state,position,rating,seconds\nr1,i1,panic,1,A,zs,1,4,9.5\n"
RATERS = (
    "rater,age,gender,education,region,started,finished,attention,consent\n"
    "r1,44,woman,graduate,oh,2026-03-01T09:00:00Z,2026-03-01T09:20:00Z,passed,yes\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ratings.csv").write_text(RATINGS, encoding="utf-8")
    (tmp_path / "raters.csv").write_text(RATERS, encoding="utf-8")
    return tmp_path


@given(st.lists(A_RATING, max_size=5, unique_by=lambda one: (one.rater, *one.key)))
def test_ratings_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[Rating]) -> None:
    path = tmp_path_factory.mktemp("study") / "ratings.csv"
    records.write_ratings(path, rows)
    assert records.read_ratings(path) == tuple(rows)


@given(st.lists(A_RATER, max_size=5, unique_by=lambda one: one.rater))
def test_raters_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[Rater]) -> None:
    path = tmp_path_factory.mktemp("study") / "raters.csv"
    records.write_raters(path, rows)
    assert records.read_raters(path) == tuple(rows)


def test_gold_comes_back(tmp_path: Path) -> None:
    records.write_gold(tmp_path / "gold.csv", [Gold("i1", "A", "zs", 3.6667)])
    assert records.read_gold(tmp_path / "gold.csv") == {("i1", "A", "zs"): 3.6667}


def test_a_folder_is_read(folder: Path) -> None:
    study = records.read(folder)
    assert study.ratings == (Rating("r1", "i1", "panic", "1", "A", "zs", 1, 4, 9.5),)
    assert study.raters["r1"].minutes == 20
    assert study.raters["r1"].region == "OH"
    assert not study.simulated


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("ratings.csv", "zs,1,4", "zs,1,6", "line 2, column rating: must be a whole number from 1 to 5, got '6'"),
        ("ratings.csv", "zs,1,4", "zs,1,4.0", "line 2, column rating: must be a whole number from 1 to 5, got '4.0'"),
        ("ratings.csv", "zs,1,4", "fine,1,4", "line 2, column state: must be one of zs, ft, reference, got 'fine'"),
        ("ratings.csv", "zs,1,4", "zs,0,4", "line 2, column position: must be a whole number from 1, got '0'"),
        ("ratings.csv", "9.5", "nan", "line 2, column seconds: must be seconds, 0 or more, got 'nan'"),
        ("ratings.csv", "r1,i1", ",i1", "line 2, column rater: must not be empty, got ''"),
        ("ratings.csv", "9.5\n", "9.5,1\n", "line 2"),
        ("ratings.csv", ",seconds", ",time", "line 1: seconds"),
        ("ratings.csv", "9.5\n", "9.5\nr1,i1,panic,1,A,zs,2,4,1\n", "line 3: ('r1', 'i1', 'A', 'zs')"),
        ("raters.csv", ",44,", ",old,", "line 2, column age: must be a whole number of years, or empty, got 'old'"),
        ("raters.csv", ",oh,", ",Ohio,", "line 2, column region: must be the two letters of a US state, or empty, got"),
        ("raters.csv", ",passed,", ",ok,", "line 2, column attention: must be one of passed, failed, unseen, got 'ok'"),
        ("raters.csv", ",yes", ",1", "line 2, column consent: must be one of yes, no, got '1'"),
        ("raters.csv", "2026-03-01T09:20:00Z", "soon", "line 2, column finished: must be a time like"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, name: str, old: str, new: str, place: str) -> None:
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        records.read(folder)
    assert name in caught.value.details
    assert place in caught.value.details


def test_other_columns_are_passed_over_and_a_mark_of_excel_too(folder: Path) -> None:
    text = RATINGS.replace("rater,", "note,rater,", 1).replace("r1,", "x,r1,", 1)
    (folder / "ratings.csv").write_text(text, encoding="utf-8-sig")
    assert len(records.read(folder).ratings) == 1


def test_a_stranger_among_the_ratings(folder: Path) -> None:
    (folder / "ratings.csv").write_text(RATINGS.replace("r1,", "r9,"), encoding="utf-8")
    with pytest.raises(DataError, match="not among the raters"):
        records.read(folder)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        records.read(tmp_path)


def test_simulated_and_real_files_do_not_mix(folder: Path) -> None:
    (folder / "simulated-ratings.csv").write_text(RATINGS, encoding="utf-8")
    with pytest.raises(DataError, match="simulated raters and with others"):
        records.read(folder)


def test_each_mark_alone_makes_a_study_simulated(folder: Path) -> None:
    (folder / "study.json").write_text(json.dumps({"simulated": True}), encoding="utf-8")
    assert records.read(folder).simulated
    (folder / "study.json").unlink()
    (folder / "raters.csv").rename(folder / "simulated-raters.csv")
    assert records.read(folder).simulated
    (folder / "simulated-raters.csv").unlink()
    records.write_raters(folder / "raters.csv", [rater("simulated-0001")])
    records.write_ratings(folder / "ratings.csv", [])
    assert records.read(folder).simulated
