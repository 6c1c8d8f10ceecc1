"""The simulated study: the paper's design, the same for a seed, marked, and never over a study of people."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tide_chat.errors import UsageError
from training.evaluation.study import records, simulate
from training.evaluation.study.questions import EDUCATION, GENDERS
from training.evaluation.study.questions import REGIONS as ASKED
from training.evaluation.study.regions import REGIONS, STATES


def test_the_papers_design() -> None:
    made = simulate.make(1, 40)
    whole = [one for one in made.raters if one.finished]
    mine = [row for row in made.ratings if row.rater == whole[0].rater]
    assert len(mine) == 120
    assert sorted(row.position for row in mine) == list(range(1, 121))
    pages = Counter((row.scenario, row.block) for row in mine)
    assert len(pages) == 24
    assert set(pages.values()) == {5}
    assert {row.block: set() for row in mine}.keys() == {"1", "2", "3", "4"}
    first = {(row.model, row.state) for row in mine if row.page == ("1 panic", "1")}
    models = ("Phi-3.5-mini", "granite-3.1-3b")
    assert first == {(model, state) for model in models for state in ("zs", "ft")} | {("reference", "reference")}
    assert len(made.gold) == 120


def test_the_replies_of_a_page_stand_together_in_an_order_of_their_own() -> None:
    made = simulate.make(1, 40)
    orders = set()
    for rater in [one.rater for one in made.raters if one.finished][:10]:
        mine = sorted((row for row in made.ratings if row.rater == rater), key=lambda row: row.position)
        assert all(len({row.page for row in mine[i : i + 5]}) == 1 for i in range(0, 120, 5))
        orders.add(tuple(row.item for row in mine))
    assert len(orders) == 10


def test_a_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate.write(tmp_path / name, seed, 12)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["simulated-gold.csv", "simulated-raters.csv", "simulated-ratings.csv", "study.json"]
    a, b, c = ([(tmp_path / name / file).read_bytes() for file in files] for name in "abc")
    assert a == b
    assert a[2] != c[2]


def test_it_says_that_it_is_simulated(tmp_path: Path) -> None:
    simulate.write(tmp_path, 5, 12)
    assert json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))["simulated"] is True
    study = records.read(tmp_path)
    assert study.simulated
    assert all(name.startswith("simulated-") for name in study.raters)


def test_what_raters_say_is_what_the_pages_ask() -> None:
    raters = simulate.make(1, 100).raters
    assert {one.gender for one in raters} <= {*GENDERS, ""}
    assert {one.education for one in raters} <= {*EDUCATION, ""}
    assert {one.region for one in raters} <= {*STATES, ""}


def test_each_state_has_a_region_and_a_place_of_its_own() -> None:
    assert STATES.keys() == ASKED.keys()
    assert {one.name for one in STATES.values()} == set(ASKED.values())
    assert {one.region for one in STATES.values()} == set(REGIONS)
    assert Counter(one.region for one in STATES.values()) == {"Northeast": 9, "Midwest": 12, "South": 17, "West": 13}
    assert len({(one.column, one.row) for one in STATES.values()}) == 51


@pytest.mark.parametrize(("name", "text"), [("ratings.csv", "rater\n"), ("study.json", '{"title": "Ours"}')])
def test_a_study_of_people_is_not_touched(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="A study of people is here"):
        simulate.write(tmp_path, 5, 12)
    assert [path.name for path in tmp_path.iterdir()] == [name]
