"""The report in a real Chromium: it asks for nothing, complains of nothing, runs nothing and fits a phone."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.unit.training import report_runs
from training.evaluation import cli
from training.evaluation.tables import Table


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    columns = tuple(f"a column with a name {number}" for number in range(20))
    run = report_runs.automatic(folder / "auto")
    Table("wide", "A wide table", columns, (("x" * 20,) * 20,)).write(run)
    arguments = ["report", str(run), str(report_runs.simulated(folder / "made-up")), "--out", str(folder / "out")]
    assert cli.main(arguments) == 0
    return folder / "out" / "report.html"


@pytest.mark.parametrize("width", [390, 1280])
def test_it_stands_alone_and_only_wide_tables_scroll(browser: Browser, report: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(report.as_uri())
    wide = page.get_by_role("region", name="A wide table")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert wide.evaluate("box => box.scrollWidth > box.clientWidth")
    assert page.get_by_role("img").count() == 3
    assert page.locator("use").first.evaluate("one => one.getBBox().width") > 0  # its target is found
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.close()
    assert asked == [report.as_uri()]
    assert complaints == []
