"""The study in a real Chromium, from consent to thanks: desktop and phone, without JavaScript, by keyboard alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.integration.study_server import Served, make_study, rows

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("study"), scenarios=1, models=4)


@pytest.fixture(scope="module")
def served(study: Path) -> Iterator[Served]:
    with Served(study) as one:
        yield one


@contextmanager
def opened(browser: Browser, served: Served, **given: object) -> Iterator[Page]:
    """Fails when the page asks for anything elsewhere, or complains."""
    context: BrowserContext = browser.new_context(**given)  # type: ignore[arg-type]
    asked: list[str] = []
    complaints: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.set_default_timeout(10_000)
    try:
        page.goto(served.address)
        yield page
    finally:
        context.close()
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(served.address).netloc}
    # What the browser itself says about an answer of 400 is no fault of the page.
    assert [text for text in complaints if "status of 400" not in text] == []


def begin(page: Page) -> str:
    page.get_by_label("I am 18 or older").check()
    page.get_by_role("button", name="Begin").click()
    code = page.locator(".code").inner_text()
    page.get_by_role("link", name="Go on").click()
    page.get_by_role("link", name="Show the first page").click()
    return code


def mark(page: Page) -> int:
    """Marks each reply of the page; returns how many."""
    groups = page.locator("fieldset").all()
    for place, group in enumerate(groups):
        group.get_by_role("radio").nth(1 if len(groups) == 1 else place % 5).check()
    return len(groups)


def ratings(study: Path, code: str) -> list[int]:
    query = "SELECT rating FROM ratings JOIN raters ON number = rater WHERE code = ? ORDER BY position"
    return [rating for (rating,) in rows(study, query, code)]


@pytest.mark.parametrize(
    ("viewport", "scripts"), [(DESKTOP, True), (PHONE, False)], ids=["desktop", "phone without JavaScript"]
)
def test_from_consent_to_thanks(
    viewport: dict[str, int], scripts: bool, browser: Browser, served: Served, study: Path
) -> None:
    with opened(browser, served, viewport=viewport, java_script_enabled=scripts) as page:
        code = begin(page)
        count = 0
        while "/page/" in page.url:
            width = page.locator("body").bounding_box()
            assert width
            assert width["width"] <= viewport["width"]
            mark(page)
            page.get_by_role("button", name="Save and go on").click()
            count += 1
        assert count == 3  # two blocks and the check
        page.get_by_label("Age").fill("44")
        page.get_by_label("US state").select_option("Ohio")
        page.get_by_role("button", name="Finish").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Thank you"
        assert page.locator(".code").inner_text() == code
    assert ratings(study, code) == [1, 2, 3, 4, 5] * 2


def test_nothing_is_wider_than_a_phone(browser: Browser, served: Served) -> None:
    with opened(browser, served, viewport={"width": 320, "height": 640}) as page:
        begin(page)
        for path in ("", "resume", "code", "instructions", "withdraw", "go-on"):
            page.goto(served.address + path)
            page.locator("summary").click()
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        for label in page.locator(".scale label").all():
            box = label.bounding_box()
            assert box
            assert box["height"] >= 44


def test_back_and_reload_change_nothing(browser: Browser, served: Served, study: Path) -> None:
    with opened(browser, served, viewport=DESKTOP) as page:
        code = begin(page)
        while mark(page) == 1:
            page.get_by_role("button", name="Save and go on").click()
        page.get_by_role("button", name="Save and go on").click()
        page.wait_for_load_state()
        now, before = page.url, ratings(study, code)
        assert before
        page.reload()
        assert page.url == now
        page.go_back()
        assert page.url == now
        assert page.get_by_role("status").inner_text().startswith("That page was saved before")
        assert ratings(study, code) == before


def test_stop_and_come_back_by_code(browser: Browser, served: Served, study: Path) -> None:
    with opened(browser, served, viewport=PHONE, java_script_enabled=False) as page:
        code = begin(page)
        mark(page)
        page.get_by_role("button", name="Save and go on").click()
        where, before = page.url, ratings(study, code)
        page.get_by_role("button", name="Stop for now").click()
        assert page.get_by_role("heading", level=1).inner_text() == "You have stopped"
        assert page.locator(".code").inner_text() == code
    with opened(browser, served, viewport=DESKTOP) as page:
        page.get_by_role("link", name="I have a code").click()
        page.get_by_label("Your code").fill(code.lower())
        page.get_by_role("button", name="Go on").click()
        assert page.url == where
        assert ratings(study, code) == before


def test_by_keyboard_alone(browser: Browser, served: Served, study: Path) -> None:
    with opened(browser, served, viewport=DESKTOP) as page:
        press = page.keyboard.press

        def focused() -> str:
            return str(page.evaluate("document.activeElement.innerText || document.activeElement.name"))

        def to(what: str) -> None:
            """Tab until it has the focus, which must be visible."""
            for _ in range(30):
                press("Tab")
                if what in focused():
                    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", what
                    return
            raise AssertionError(f"the keyboard does not reach {what}")

        def go(what: str) -> None:
            to(what)
            with page.expect_navigation():
                press("Enter")

        press("Tab")
        assert focused() == "Skip to the page’s content"
        to("agree")
        press("Space")
        go("Begin")
        code = page.locator(".code").inner_text()
        go("Go on")
        go("Show the first page")
        while "/page/" in page.url:
            count = page.locator("fieldset").count()
            for place in range(1, count + 1):
                to(f"reply-{place}")
                press("Space")
                press("ArrowRight")
            go("Save and go on")
        to("age")
        page.keyboard.type("63")
        go("Finish")
        assert page.get_by_role("heading", level=1).inner_text() == "Thank you"
    assert ratings(study, code) == [2] * 10


def test_what_is_wrong_is_told_first_and_leads_to_its_field(browser: Browser, served: Served) -> None:
    with opened(browser, served, viewport=DESKTOP) as page:
        page.get_by_role("button", name="Begin").click()
        alert = page.get_by_role("alert")
        assert "tick the box" in alert.inner_text()
        assert page.title().startswith("Please look again")
        page.wait_for_function("document.activeElement.getAttribute('role') == 'alert'")
        alert.get_by_role("link").click()
        assert page.evaluate("document.activeElement.id") == "agree"
        box = page.get_by_label("I am 18 or older")
        assert "tick the box" in page.locator(f"#{box.get_attribute('aria-describedby')}").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(scheme: str, browser: Browser, served: Served) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    with opened(browser, served, viewport=DESKTOP, color_scheme=scheme) as page:
        page.get_by_role("button", name="Begin").click()
        checked = [page.evaluate(CONTRASTS)]
        begin(page)
        mark(page)
        checked.append(page.evaluate(CONTRASTS))
        for ratios in checked:
            assert len(ratios) > 15
            assert min(ratios.values()) >= 4.5, ratios


# Text to contrast, for each element with text of its own. Grounds are opaque or nothing here.
CONTRASTS = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length == 3 || colour[3] == 1) return colour;
    }
    throw new Error("nothing is behind it");
  };
  const found = {};
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some(node => node.nodeType == 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))];
    found[element.innerText] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return found;
}"""
