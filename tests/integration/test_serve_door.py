"""Who is kept out of `tide-chat serve`, by real HTTP; no app is started for them."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from tests.integration.serving import Serving
from tide_chat import cli, extras
from tide_chat.serving.door import COOKIE

WEB_SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Serving(tmp_path_factory.mktemp("home")) as one:
        yield one


@pytest.fixture(scope="module")
def entered(serving: Serving) -> tuple[str, str]:
    """The page's place, and the cookie of the browser that was first."""
    path = serving.address.removeprefix(f"http://{serving.host}")
    assert serving.ask("/")[0] == 403
    assert serving.ask(f"{path[:-1]}!")[0] == 403
    assert serving.ask(path, Host="evil.example.org")[0] == 403  # none of these uses the token up
    status, _, headers = serving.ask(path)
    assert status == 303
    cookie = SimpleCookie(headers["Set-Cookie"])[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == headers["Location"]
    return headers["Location"], f"{COOKIE}={cookie.value}"


def test_the_token_is_good_for_one_use(serving: Serving, entered: tuple[str, str]) -> None:
    path = serving.address.removeprefix(f"http://{serving.host}")
    for cookie in ({}, {"Cookie": entered[1]}):
        status, text, headers = serving.ask(path, **cookie)
        assert status == 403
        assert "used already" in text
        assert "Set-Cookie" not in headers


@pytest.mark.parametrize("path", ["", "ws", "own/page.js", "textual/js/textual.js"])
def test_without_the_cookie_nothing_is_shown(serving: Serving, entered: tuple[str, str], path: str) -> None:
    for headers in ({}, {"Cookie": f"{COOKIE}=guess"}):
        status, text, _ = serving.ask(f"{entered[0]}{path}", Origin=f"http://{serving.host}", **headers)
        assert status == 403
        assert "does not know this browser" in text


def test_a_refusal_is_a_page_that_reads_well(serving: Serving) -> None:
    status, text, headers = serving.ask("/")
    assert status == 403
    assert headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert '<html lang="en">' in text
    assert "prefers-color-scheme: light" in text
    assert "$" not in text


def test_the_pages_are_spanish_where_the_person_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    with Serving(tmp_path) as one:
        _, refused, _ = one.ask("/")
        path = one.address.removeprefix(f"http://{one.host}")
        headers = one.ask(path)[2]
        cookie = SimpleCookie(headers["Set-Cookie"])[COOKIE].value
        _, page, _ = one.ask(headers["Location"], Cookie=f"{COOKIE}={cookie}")
    assert '<html lang="es">' in refused
    assert "Esta dirección abre tide-chat una sola vez" in refused
    assert '<html lang="es">' in page
    assert "Salir al momento" in page
    assert "<code>tide-chat plain</code> en una terminal" in page
    assert "$" not in page


def test_with_it_the_page_is_shown_and_nothing_of_it_is_kept(serving: Serving, entered: tuple[str, str]) -> None:
    for path in ("", "own/page.js", "own/page.css", "textual/js/textual.js", "textual/css/xterm.css"):
        status, text, headers = serving.ask(f"{entered[0]}{path}", Cookie=entered[1])
        assert status == 200
        assert text
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_the_page_names_no_other_computer(serving: Serving, entered: tuple[str, str]) -> None:
    for path in ("", "own/page.js", "own/page.css", "textual/css/xterm.css"):
        text = serving.ask(f"{entered[0]}{path}", Cookie=entered[1])[1]
        elsewhere = [word for word in text.split('"') if "//" in word and serving.host not in word]
        assert not [word for word in elsewhere if word.startswith(("http", "//", "ws"))], path


@pytest.mark.parametrize("host", ["evil.example.org", "evil.example.org:80", "127.0.0.1", "127.0.0.1:1"])
def test_another_name_for_this_computer_is_refused(serving: Serving, entered: tuple[str, str], host: str) -> None:
    status, text, _ = serving.ask(entered[0], Host=host, Cookie=entered[1])
    assert status == 403
    assert "on the same computer" in text


@pytest.mark.parametrize("origin", ["http://evil.example.org", "null", "http://127.0.0.1:1", None])
def test_a_web_socket_from_elsewhere_is_refused(serving: Serving, entered: tuple[str, str], origin: str | None) -> None:
    headers = WEB_SOCKET | {"Cookie": entered[1]} | ({"Origin": origin} if origin else {})
    status, text, _ = serving.ask(f"{entered[0]}ws", **headers)
    assert status == 403
    assert "Only the page of tide-chat itself" in text
    assert serving.apps() == []


def test_the_folders_show_no_list_and_lead_nowhere(serving: Serving, entered: tuple[str, str]) -> None:
    for path in ("own/", "textual/", "own/../../door.py", "own/%2e%2e/door.py", "other", "download/x"):
        assert serving.ask(f"{entered[0]}{path}", Cookie=entered[1])[0] in (403, 404)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "example.org", "::"])
def test_other_hosts_are_refused_with_words(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--host", host]) == 2
    said = capsys.readouterr().err
    assert "on this computer only" in said
    assert host in said


def test_a_port_that_is_taken_is_said(serving: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--port", serving.host.rsplit(":", 1)[1]]) == 2
    assert "Another port" in capsys.readouterr().err


def test_what_is_wrong_with_an_option_is_said_before_any_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--threads", "0"]) == 2
    assert "threads" in capsys.readouterr().err


def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(extras.EXTRAS, "serve", ("no_such_module_here",))
    assert cli.main(["serve"]) == 2
    assert "tide-chat[serve]" in capsys.readouterr().err
