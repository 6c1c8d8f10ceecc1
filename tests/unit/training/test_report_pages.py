"""The report of two run folders: what is on it, that nothing from a file is live, and that it is whole or not there."""

import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.unit.training import report_runs
from training.evaluation import cli
from training.evaluation.report import collect, facts, limits, markdown, page, prose
from training.evaluation.tables import Table

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Outline(HTMLParser):
    """Elements, ids, addresses, headings; fails where elements are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(name))]


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [report_runs.automatic(tmp_path / "auto"), report_runs.simulated(tmp_path / "made up")]


def report(*arguments: Path | str) -> int:
    return cli.main(["report", *map(str, arguments)])


def test_the_page_has_its_parts_in_order_and_headings_that_skip_no_level(runs: list[Path]) -> None:
    outline = Outline(page.page(collect.read_all(runs)))
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for tag, attributes in outline.elements if tag == "h2"]
    assert ids == ["run", "tables", "figures", "examples", "misses", "limits"]


def test_what_was_run_is_told(runs: list[Path]) -> None:
    said = " ".join("".join(Outline(page.page(collect.read_all(runs))).text).split())
    for one in ("tide-eval auto --model m --data d", "m.gguf, SHA-256 b179: m zs, m ft", "a.gguf, SHA-256 ad42: m ft",
                "test.jsonl, SHA-256 1900, 198 lines", "seed: 7", "torch 2.13.0", "memory 8.0 GiB",
                "commit 68a30d9, with changes that were not committed", "started: 2026-11-26T12:18:58+00:00",
                "r.csv, SHA-256 ff4f", "minutes 10 to 75", "Note of one.", "tide-eval two",
                *limits.LIMITS):  # fmt: skip
        assert one in said


def test_nothing_of_a_file_is_live(runs: list[Path]) -> None:
    text = page.page(collect.read_all(runs))
    outline = Outline(text)
    assert {tag for tag, _ in outline.elements} & {"script", "iframe", "b", "img", "foreignobject", "object"} == set()
    assert all(one.startswith("#") for name in ("href", "src", "xlink:href") for one in outline.values(name))
    assert {attributes["http-equiv"]: attributes["content"] for tag, attributes in outline.elements
            if "http-equiv" in attributes} == {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    }  # fmt: skip
    assert "".join(outline.text).count(report_runs.HOSTILE) == 3  # the cell, the reply and the miss, letter by letter


def test_nothing_of_a_file_is_live_in_markdown(runs: list[Path]) -> None:
    html = MarkdownIt("commonmark").enable("table").render(markdown.page(collect.read_all(runs)))
    outline = Outline(html)
    assert {tag for tag, _ in outline.elements} & {"script", "b", "a"} == set()
    assert outline.values("src") == ["figures/1-1-b.svg", "figures/1-2-by-family.svg", "figures/2-1-by-family.svg"]
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3


def test_ids_are_there_once_and_every_reference_has_its_target(runs: list[Path]) -> None:
    text = page.page(collect.read_all(runs))
    outline = Outline(text)
    ids = outline.values("id")
    assert len(ids) == len(set(ids))
    asked = [one[1:] for one in outline.values("href")] + re.findall(r"url\(#([^)]*)\)", text)
    asked += [one for name in ("aria-labelledby", "aria-describedby") for one in outline.values(name)]
    assert len(asked) > 10
    assert set(asked) <= set(ids)


def test_tables_have_captions_and_scopes(runs: list[Path]) -> None:
    outline = Outline(page.page(collect.read_all(runs)))
    tags = [tag for tag, _ in outline.elements]
    assert tags.count("caption") == tags.count("table") == 5
    assert all(attributes.get("scope") in {"row", "col"} for tag, attributes in outline.elements if tag == "th")


def test_figures_have_an_alternative_in_words(runs: list[Path]) -> None:
    outline = Outline(page.page(collect.read_all(runs)))
    drawings = [attributes for tag, attributes in outline.elements if tag == "svg"]
    assert [one["role"] for one in drawings] == ["img"] * 3
    assert "".join(outline.text).count("It shows: Cosine, zero-shot. Its values are in the tables of this run.") == 3


def test_made_up_data_is_marked_in_every_part_that_shows_it(runs: list[Path]) -> None:
    found = collect.read_all(runs)
    assert page.page(found).count('<article class="simulated"') == 3  # what was run, tables, figures
    assert markdown.page(found).count(limits.SIMULATED) == 4
    for text in (page.page(found[:1]), markdown.page(found[:1])):
        assert limits.SIMULATED not in text
        assert 'class="simulated"' not in text


def test_a_caution_of_the_run_is_a_limit() -> None:
    assert facts.notes({"command": "c", "caution": "They do not stand in for raters."}) == (
        "They do not stand in for raters.",
    )


def test_a_judge_writes_no_reply_and_its_rubric_is_said_in_lines() -> None:
    found = {
        fact.name: fact.lines for fact in facts.facts({"kind": "judge", "rubric": {"fit": "Fit: x?", "a": "A: y?"}})
    }
    assert found["Rubric"] == ("Fit: x?", "A: y?")
    assert "Models" not in found
    assert "Adapters" not in found
    assert {"Models", "Adapters"} <= {fact.name for fact in facts.facts({})}


def test_a_note_is_plain_but_for_names_in_ticks() -> None:
    assert prose.line("see `floor`, <b>") == "see <code>floor</code>, &lt;b&gt;"
    assert prose.line("one ` tick, `<i>`") == "one <code> tick, </code>&lt;i&gt;`"


def test_a_dash_stands_where_its_column_does(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    Table("t", "T", ("a", "words", "n"), (("x", "high", 1.0), ("y", None, None), ("z", "w " * 20, 2))).write(tmp_path)
    text = page.page(collect.read_all([tmp_path]))
    assert '<td class="short">–</td><td class="number">–</td>' in text
    assert f'<td class="long">{"w " * 20}</td>' in text


def test_the_safety_report_is_a_run_too(tmp_path: Path) -> None:
    about = {"data": [{"file": "held-out.jsonl", "lines": 9, "sha256": "ab"}], "seed": 0, "modes": {"both": {"x": {}}}}
    (tmp_path / "run.json").write_text(json.dumps(about), encoding="utf-8")
    (tmp_path / "safety.md").write_text("# Safety report\n\n## Goals\n\n| a | b |\n|---|---|\n| 1 | **x** |\n", "utf-8")
    text = page.page(collect.read_all([tmp_path]))
    assert "held-out.jsonl, SHA-256 ab, 9 lines" in text
    assert "<h4>Goals</h4>" in text
    assert '<th scope="col">a</th>' in text


def test_what_one_asks_first_comes_first(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    for name in ("by-family", "measures", "table1", "about"):
        Table(name, name, ("a",), ((1,),)).write(tmp_path)
    assert [table.name for table in collect.read(tmp_path, 1).tables] == ["table1", "measures", "about", "by-family"]


def test_a_simulated_study_has_the_order_of_a_study(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    for name in ("simulated-study-age", "simulated-study-means", "simulated-study-filters"):
        Table(name, name, ("a",), ((1,),)).write(tmp_path)
    found = [table.name.removeprefix("simulated-study-") for table in collect.read(tmp_path, 1).tables]
    assert found == ["filters", "means", "age"]


def test_the_same_runs_give_the_same_bytes_and_replace_an_earlier_report(runs: list[Path], tmp_path: Path) -> None:
    written = []
    for out in (tmp_path / "one", tmp_path / "two", tmp_path / "two"):
        assert report(*runs, "--out", out) == 0
        written.append({path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()})
    assert written[0] == written[1] == written[2]
    assert len(written[0]) == 5
    assert report(runs[1], "--out", tmp_path / "two") == 0
    assert [path.name for path in (tmp_path / "two" / "figures").iterdir()] == ["1-1-by-family.svg"]
    assert {path.name for path in tmp_path.iterdir()} == {"auto", "made up", "one", "two"}


def _no_description(run: Path) -> None:
    (run / "run.json").unlink()


def _cut_description(run: Path) -> None:
    (run / "run.json").write_text('{"command": ', "utf-8")


def _no_tables(run: Path) -> None:
    shutil.rmtree(run / "tables")


def _cut_table(run: Path) -> None:
    (run / "tables" / "two.json").write_text('{"name": "two"', "utf-8")


def _odd_cell(run: Path) -> None:
    values = json.loads((run / "tables" / "two.json").read_text("utf-8"))
    (run / "tables" / "two.json").write_text(json.dumps(values | {"rows": [["a", 1, {"b": 2}]]}), "utf-8")


def _odd_figure(run: Path) -> None:
    (run / "figures" / "b.svg").write_text("<html/>", "utf-8")


def _no_text(run: Path) -> None:
    (run / "samples.md").write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_no_description, "auto: run.json is not there"),
        (_cut_description, "run.json: "),
        (_no_tables, "tables/*.json"),
        (_cut_table, "two.json: "),
        (_odd_cell, "two.json: {'b': 2}"),
        (_odd_figure, "b.svg: it is not an SVG drawing"),
        (_no_text, "samples.md: "),
    ],
)
def test_a_broken_run_is_named_and_nothing_is_written(
    spoil: object, named: str, runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(spoil)
    spoil(runs[0])
    assert report(*runs, "--out", tmp_path / "out") == 4
    assert named in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"auto", "made up"}


def test_a_folder_with_anything_else_is_left_alone(runs: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(runs[0].rglob("*"))
    assert report(runs[1], "--out", runs[0]) == 2
    assert "This folder holds something else." in capsys.readouterr().err
    assert sorted(runs[0].rglob("*")) == before
