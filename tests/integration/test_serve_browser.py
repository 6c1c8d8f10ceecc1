"""`tide-chat serve` in a real Chromium, with the embedded model: a walk through it, and who is kept out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.integration.serving import PATIENCE_S, Serving, Shown

pytestmark = pytest.mark.usefixtures("embedded_model")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text("max_tokens = 8\nthreads = 1\n", encoding="utf-8")
    with Serving(home, "--model", "smollm2-135m", "--seed", "5") as one:
        yield one


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Fails when anything is asked for elsewhere."""
    one = browser.new_context(viewport={"width": 1100, "height": 800})
    asked: list[str] = []
    one.on("request", lambda request: asked.append(request.url))
    yield one
    one.close()
    assert {urlsplit(url).hostname for url in asked if not url.startswith("data:")} <= {"127.0.0.1"}


@contextmanager
def opened(context: BrowserContext, address: str) -> Iterator[tuple[Page, Shown]]:
    """Fails when the page complains: a policy that forbids too much does so."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    shown = Shown(page)
    page.goto(address)
    yield page, shown
    # What textual-serve's script still has to say when the page goes is no fault.
    assert [text for text in complaints if "WebSocket is already in CLOSING" not in text] == []


def blank(page: Page) -> None:
    page.wait_for_url("about:blank")
    assert page.locator("body").inner_text() == ""


def test_from_the_address_to_the_quick_exit(context: BrowserContext, serving: Serving) -> None:
    with opened(context, serving.address) as (page, shown):
        assert "token" not in page.url
        shown.until("This is a program, not a person.")
        page.keyboard.press("Enter")
        shown.until("ready · offline")
        page.keyboard.type("The bus was late again.")
        page.keyboard.press("Enter")
        shown.until("writing, Esc stops")
        shown.until("ready · offline")
        page.keyboard.type("I want to end my life tonight")
        page.keyboard.press("Enter")
        shown.until("There are people to talk with right now")
        shown.until("are you safe right now?")
        page.keyboard.press("F2")
        shown.until("People you can reach now")
        page.keyboard.press("Control+q")
        blank(page)
        page.go_back()
        assert "people" not in page.content()
    serving.until_apps(0)


def test_before_anything_is_there_the_page_says_that_it_begins(context: BrowserContext, serving: Serving) -> None:
    page = context.new_page()
    page.route_web_socket("**/ws?*", lambda _: None)  # no app ever answers
    page.goto(serving.address)
    assert page.get_by_text("Starting.").is_visible()
    again = page.url
    page.close()
    with opened(context, again) as (page, shown):
        shown.until("This is a program")
        page.get_by_text("Starting.").wait_for(state="hidden")


def test_a_wrong_token_shows_nothing_and_starts_no_app(context: BrowserContext, serving: Serving) -> None:
    page, (place, _, _) = context.new_page(), serving.address.partition("token=")
    for address in (f"{place}token=guessed", place.rstrip("?&")):
        answer = page.goto(address)
        assert answer
        assert answer.status == 403
        assert "tide-chat" not in page.title()
    assert serving.apps() == []


def test_leaving_by_word_and_by_button_makes_the_page_blank(context: BrowserContext, serving: Serving) -> None:
    with opened(context, serving.address) as (page, shown):
        shown.until("This is a program")
        again = page.url
        page.keyboard.press("Enter")
        shown.until("Write here.")
        page.keyboard.type("/leave")
        page.keyboard.press("Enter")
        blank(page)
    serving.until_apps(0)
    with opened(context, again) as (page, shown):  # the same browser may come back, to a new app
        shown.until("Write here.")
        page.get_by_role("button", name="Leave at once").click()
        blank(page)
    serving.until_apps(0)


def test_a_closed_page_ends_its_app_and_ctrl_c_ends_all(context: BrowserContext, serving: Serving) -> None:
    with opened(context, serving.address) as (page, shown):
        shown.until("This is a program")
        again = page.url
        serving.until_apps(1)
        page.close()
        serving.until_apps(0)
    with opened(context, again) as (page, shown):
        shown.until("This is a program")
        apps = serving.apps()
        inner = [child for app in apps for child in app.children(recursive=True)]
        assert serving.interrupt() == 0
        blank(page)
    gone, alive = psutil.wait_procs([*apps, *inner], timeout=PATIENCE_S)  # the model's process notices by itself
    assert (len(gone), alive) == (len(apps) + len(inner), [])
    assert "Traceback" not in serving.said


def test_another_page_of_this_browser_cannot_open_the_web_socket(
    context: BrowserContext, serving: Serving, tmp_path: Path
) -> None:
    """Not even one on this computer, for which the browser would send the cookie along."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.html").write_text("<title>Another page</title>", encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "other"))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with opened(context, serving.address) as (page, shown), ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        shown.until("This is a program")
        mine = page.url.replace("http", "ws") + "ws"
        foreign = context.new_page()
        foreign.goto(f"http://127.0.0.1:{other.server_port}/")
        opens = """address => new Promise(done => {
            const socket = new WebSocket(address);
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        })"""
        assert foreign.evaluate(opens, mine) == "refused"
        framed = foreign.evaluate("address => fetch(address).then(() => 'read', () => 'refused')", page.url)
        assert framed == "refused"
        other.shutdown()
    assert len(serving.apps()) <= 1
