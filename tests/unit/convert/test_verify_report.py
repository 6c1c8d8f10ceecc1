"""The verdict, the file that keeps it, the table and the plot."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from convert.verify import page, plot
from convert.verify import report as reports
from convert.verify.report import Line, Numbers, Report, Stops, judged
from convert.verify.speed import Speed

NUMBERS = Numbers(1000, 2e-7, 1e-6, 3e-6, 0.998, 12.5, 12.25, 0.001)
STOPS = Stops(4, 3, 0.75, 2, 1)
REPORT = Report("m.gguf", "tiny", "00", "F16", 2_000_000, 16.0, (Line("layers", True, "2"),), NUMBERS, STOPS)
BAD = replace(REPORT, file="bad|1.gguf", kind="Q4_K_M", lines=(*REPORT.lines, Line("rope base", False, "1", "HF: 2")))


@pytest.mark.parametrize(
    ("kind", "kl", "passed"),
    [
        ("F32", 9.9e-7, True),
        ("F32", 1e-6, False),
        ("F16", 9.9e-6, True),
        ("F16", 1e-5, False),
        ("BF16", 2e-4, None),
        ("Q8_0", 9e-3, True),
        ("Q8_0", 2e-2, False),
        ("Q4_K_M", 3.0, None),
        ("F32", float("nan"), False),
    ],
)
def test_limits(kind: str, kl: float, passed: bool | None) -> None:
    assert judged(kind, replace(NUMBERS, kl_mean=kl)).passed is passed


def test_one_failing_line_fails_the_report() -> None:
    assert REPORT.passed
    assert not BAD.passed
    assert [line.what for line in BAD.failures] == ["rope base"]


def test_a_line_that_is_only_reported_fails_nothing() -> None:
    assert replace(REPORT, lines=(Line("speed", None, "slow"),)).passed


def test_files_of_one_folder_share_the_file(tmp_path: Path) -> None:
    out = reports.write(REPORT, tmp_path / "m.gguf")
    reports.write(BAD, tmp_path / "bad|1.gguf")
    reports.write(replace(REPORT, size=7), tmp_path / "m.gguf")
    found = reports.read(out)
    assert {name: (entry["passed"], entry["size"]) for name, entry in found.items()} == {
        "m.gguf": (True, 7),
        "bad|1.gguf": (False, 2_000_000),
    }
    assert found["m.gguf"]["numbers"]["kl_mean"] == 2e-7
    assert [path.name for path in tmp_path.iterdir()] == ["verify.json"]


def test_a_file_that_makes_no_sense_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "verify.json").write_text("{oh")
    out = reports.write(REPORT, tmp_path / "m.gguf")
    assert list(json.loads(out.read_text())["files"]) == ["m.gguf"]


def test_the_table_has_a_row_a_file() -> None:
    lines = page.table([REPORT, BAD], [Speed(50.0, 1.0), Speed(75.0, 1.5)], "plot.svg").splitlines()
    columns = "2.0 | 16.00 | 2e-07 | 1e-06 | 99.8% | 12.500 | +2.04% ± 0.20% | 50.0 | 1.00"
    assert lines[2] == f"| m.gguf | F16 | {columns} | pass |"
    assert lines[3].startswith("| bad\\|1.gguf | Q4_K_M |")
    assert lines[3].endswith("| 75.0 | 1.50 | FAIL |")
    assert "12.250" in lines[5]
    assert lines[-1] == "![Size and divergence of each file](plot.svg)"


def test_how_far_above_the_original_is_no_logarithm() -> None:
    double = replace(REPORT, numbers=replace(NUMBERS, perplexity=2 * NUMBERS.perplexity_hf))
    assert "| +100.00% ± 0.40% |" in page.table([double], [Speed(50.0, 1.0)]).splitlines()[2]


def test_details_end_with_what_failed() -> None:
    assert page.details(BAD).splitlines()[-2:] == ["FAIL  rope base: 1 (HF: 2)", "bad|1.gguf: FAILED: 1 of 2 checks"]
    assert page.details(REPORT).splitlines()[-1] == "m.gguf: passed"


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - written by the code under test


def test_the_plot_puts_small_divergence_low_and_large_files_right() -> None:
    small = replace(REPORT, kind="Q2 <&>", size=500_000, numbers=replace(NUMBERS, kl_mean=0.4))
    root = parsed(plot.svg([REPORT, small]))
    space = "{http://www.w3.org/2000/svg}"
    points = [(float(point.attrib["cx"]), float(point.attrib["cy"])) for point in root.iter(f"{space}circle")]
    (left, high), (right, low) = points
    assert left < right
    assert high < low  # pixels count from above
    assert all(0 < x < plot.WIDTH and 0 < y < plot.HEIGHT for x, y in points)
    assert "Q2 <&>" in [text.text for text in root.iter(f"{space}text")]


@pytest.mark.parametrize("kl", [0.0, 1.0, 1e-3])
def test_one_file_alone_can_be_plotted(kl: float) -> None:
    one = replace(REPORT, numbers=replace(NUMBERS, kl_mean=kl))
    assert parsed(plot.svg([one])).tag.endswith("svg")
