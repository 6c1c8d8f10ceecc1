"""`tide-eval study simulate` and `analyse`: effects that were put in are found, and everything made is marked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.study_files import number, run, table
from training.evaluation import tables


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    assert run("simulate", "--out", folder, "--seed", "42") == 0
    return folder


@pytest.fixture(scope="module")
def done(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    assert run("analyse", simulated, "--gold", simulated / "simulated-gold.csv", "--out", out) == 0
    return out


def test_the_tables_in_the_docs_are_these(checkout: Path, done: Path) -> None:
    text = (checkout / "docs/evaluation-study.md").read_text(encoding="utf-8")
    shown = [one for one in tables.read_all(done) if one.title in text]
    assert len(shown) == 8
    for one in shown:
        assert replace(one, command="").markdown() in text, one.name


def test_the_filters_find_the_bad_raters(simulated: Path, done: Path) -> None:
    bad = json.loads((simulated / "study.json").read_text(encoding="utf-8"))["bad_raters"]
    rows = table(done, "simulated-study-filters")
    assert rows["duration"]["raters"] == len(bad["too short"]) + len(bad["too long"])
    assert rows["gold"]["left"] == 150 - sum(map(len, bad.values()))


def test_effects_that_were_put_in_are_found_and_no_others(done: Path) -> None:
    ages, education, gender = (table(done, f"simulated-study-{name}") for name in ("age", "education", "gender"))
    for model in ("Phi-3.5-mini", "Llama-3.2-3B"):
        assert number(ages[model]["low"]) > 0
        assert number(ages[model]["Holm (mixed)"]) < 0.01
    for model in ("Qwen2.5-3B", "Qwen2.5-1.5B"):
        assert number(education[model]["high"]) < 0
        assert number(education[model]["Holm (mixed)"]) < 0.01
    assert all(number(row["Holm (mixed)"]) > 0.05 for name, row in gender.items() if name != "all")
    scenarios = table(done, "simulated-study-differences-scenarios")
    assert number(scenarios["1 panic"]["difference"]) > 0.2
    assert number(scenarios["4 abuse"]["difference"]) < -0.1
    regions = table(done, "simulated-study-regions")
    assert {name for name, row in regions.items() if number(row["p (mixed)"]) < 0.001} == {"1 panic", "4 abuse"}
    assert regions["1 panic"]["highest"] == regions["4 abuse"]["highest"] == "West"
    order = table(done, "simulated-study-order")
    assert number(order["slope: each place further down"]["high"]) < 0
    assert number(order["slope: each page later"]["p"]) > 0.05
    variances = table(done, "simulated-study-mixed")
    assert number(variances["sd between raters"]["estimate"]) == pytest.approx(0.37, abs=0.08)
    assert number(variances["reference minus zero-shot"]["low"]) > 0.2


def test_paper_mode_is_surer_than_it_may_be(done: Path) -> None:
    """Of all replies, women differ from men by nothing; Welch on ratings has a far smaller p than the mixed model."""
    row = table(done, "simulated-study-education")["all"]
    assert number(row["p"]) < 0.05 < number(row["p (mixed)"])


def test_every_table_and_figure_is_marked(done: Path) -> None:
    made = tables.read_all(done)
    assert len(made) == 16
    for one in made:
        assert one.name.startswith("simulated-")
        assert one.title.startswith("SIMULATED")
        assert "SIMULATED DATA: no person rated anything." in one.note
        assert one.command.startswith("tide-eval study analyse ")
    drawn = sorted((done / "figures").iterdir())
    assert [path.name for path in drawn] == ["simulated-study-densities.svg", "simulated-study-regions.svg"]
    for path in drawn:
        text = path.read_text(encoding="utf-8")
        assert text.rstrip().endswith("</svg>")
        assert "SIMULATED DATA: no person rated anything." in text
    about = json.loads((done / "run.json").read_text(encoding="utf-8"))
    assert about["simulated"] is True
    assert set(about["data"]) == {"simulated-ratings.csv", "simulated-raters.csv", "simulated-gold.csv"}
