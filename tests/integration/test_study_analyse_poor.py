"""`tide-eval study analyse` on poor data and wrong input: dashes with reasons, errors in words, no half a file."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.study_files import QUICK, run, table, written
from tests.unit.training.study_rows import Given
from training.evaluation import tables
from training.evaluation.tables import Table


def test_the_same_bytes_again(tmp_path: Path) -> None:
    folder = written(tmp_path / "study", {"r1": RATED, "r2": OTHER, "r3": RATED})
    for name in ("a", "b"):
        assert run("analyse", folder, "--out", tmp_path / name, *QUICK) == 0
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.svg")]
    assert len(files) == 2
    assert all((tmp_path / "a" / one).read_bytes() == (tmp_path / "b" / one).read_bytes() for one in files)


PAGE = (("panic", "A", "zs"), ("panic", "A", "ft"), ("panic", "reference", "reference"))
RATED = dict(zip(PAGE, (3, 4, 5), strict=True))
OTHER = dict(zip(PAGE, (2, 4, 4), strict=True))
POOR: dict[str, tuple[dict[str, Given], dict[str, Any]]] = {
    "one rater": ({"r1": RATED}, {}),
    "two raters, one age": ({"r1": RATED, "r2": OTHER}, {}),
    "no ages, no sex, no school, no state": (
        {"r1": RATED, "r2": OTHER, "r3": RATED}, {"age": None, "gender": "", "education": "", "region": ""},
    ),
    "constant": ({f"r{i}": dict.fromkeys(PAGE, 3) for i in range(6)}, {}),
    "no reference": ({"r1": {PAGE[0]: 3, PAGE[1]: 4}, "r2": {PAGE[0]: 2, PAGE[1]: 2}}, {}),
    "zero-shot alone": ({"r1": {PAGE[0]: 3}, "r2": {PAGE[0]: 2}}, {}),
    "reference alone": ({"r1": {PAGE[2]: 3}, "r2": {PAGE[2]: 2}}, {}),
    "all too quick": ({"r1": RATED, "r2": OTHER}, {"minutes": 2.0}),
    "nobody": ({}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", POOR)
def test_poor_data_gives_dashes_and_reasons(name: str, tmp_path: Path) -> None:
    given, about = POOR[name]
    folder = written(tmp_path / "study", given, **about)
    assert run("analyse", folder, "--out", tmp_path / "run", *QUICK) == 0
    made = tables.read_all(tmp_path / "run")
    assert len(made) == 15
    assert not any(one.name.startswith("simulated") or "SIMULATED" in one.note for one in made)
    text = "".join(one.markdown() for one in made)
    assert "nan" not in text
    assert "A dash: " in text
    for one in made:
        if any(cell is None for row in one.rows for cell in row) and one.name not in ("study-wins", "study-raters"):
            assert "A dash: " in one.note, one.name


def test_one_rater_is_told_why(tmp_path: Path) -> None:
    folder = written(tmp_path / "study", {"r1": RATED})
    run("analyse", folder, "--out", tmp_path / "run", *QUICK)
    assert "one rater gives no interval" in (tmp_path / "run/tables/study-means.md").read_text(encoding="utf-8")
    assert "a group has fewer than two raters" in (tmp_path / "run/tables/study-age.md").read_text(encoding="utf-8")
    assert table(tmp_path / "run", "study-wins")["A"]["panic"] == "FT"


def test_gold_of_another_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "study", {"r1": RATED})
    (folder / "gold.csv").write_text("item,model,state,score\nelse,A,zs,3\n", encoding="utf-8")
    assert run("analyse", folder, "--gold", folder / "gold.csv", "--out", tmp_path / "run") == 4
    assert "None of the rated replies has a gold score" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_replies_that_the_judge_failed_at(tmp_path: Path) -> None:
    folder = written(tmp_path / "study", {"r1": RATED, "r2": OTHER})
    (folder / "gold.csv").write_text("item,model,state,score\npanic-A-zs,A,zs,3\n", encoding="utf-8")
    assert run("analyse", folder, "--gold", folder / "gold.csv", "--out", tmp_path / "run", *QUICK) == 0
    note = Table.read(tmp_path / "run/tables/study-filters.json").note
    assert "2 of 3 replies have no gold score" in note


def test_a_folder_is_written_anew_but_not_over_another_kind_of_run(tmp_path: Path) -> None:
    folder, out = written(tmp_path / "study", {"r1": RATED, "r2": OTHER}), tmp_path / "run"
    assert run("analyse", folder, "--out", out, *QUICK) == 0
    (out / "tables/simulated-study-means.json").write_text("left over", encoding="utf-8")
    assert run("analyse", folder, "--out", out, *QUICK) == 0
    assert not (out / "tables/simulated-study-means.json").exists()
    (out / "run.json").write_text('{"kind": "auto"}', encoding="utf-8")
    assert run("analyse", folder, "--out", out, *QUICK) == 2


@pytest.mark.parametrize(
    "options",
    [("--gold", "g.csv", "--no-gold-filter"), ("--min-minutes", "80"), ("--draws", "1"), ("--min-share", "2")],
)
def test_options_that_contradict(options: tuple[str, ...], tmp_path: Path) -> None:
    folder = written(tmp_path / "study", {"r1": RATED})
    assert run("analyse", folder, "--out", tmp_path / "run", *options) == 2
    assert not (tmp_path / "run").exists()


def test_no_study_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyse", tmp_path, "--out", tmp_path / "run") == 4
    assert "ratings.csv" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "study", {"r1": RATED})
    (tmp_path / "run").write_text("a file", encoding="utf-8")
    assert run("analyse", folder, "--out", tmp_path / "run" / "deeper", *QUICK) == 1
    assert "cannot be written" in capsys.readouterr().err
