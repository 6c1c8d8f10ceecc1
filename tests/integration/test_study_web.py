"""The study's pages over real HTTP, one rater at a time: what is kept, what is refused, what nobody gets to see."""

import csv
import itertools
import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.integration.study_server import MODELS, Served, Visitor, make_study, rows
from training.evaluation import cli
from training.evaluation.study import design, records
from training.evaluation.study.store import FILE, Store
from training.evaluation.study.web import create_app
from training.evaluation.study.web.limits import Buckets, Limits

Arrive = Callable[[], Visitor]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("study"), scenarios=2, models=2)


@pytest.fixture(scope="module")
def served(study: Path) -> Iterator[Served]:
    with Served(study) as one:
        yield one


@pytest.fixture(scope="module")
def addresses() -> Iterator[str]:
    return (f"127.0.1.{i}" for i in itertools.count(1))


@pytest.fixture
def arrive(served: Served, addresses: Iterator[str]) -> Arrive:
    """Someone new, from another address."""
    return lambda: Visitor(served.address, next(addresses))


@contextmanager
def application(folder: Path, **options: Any) -> Iterator[tuple[Flask, Store]]:
    """The pages of a small study, without a server. options: of `create_app`."""
    study = make_study(folder, scenarios=1)
    with Store(study, design.fingerprint(study)) as store:
        yield create_app(design.read(study), store, "k" * 64, **options), store


def kept(study: Path, code: str) -> list[tuple[object, ...]]:
    return rows(
        study,
        "SELECT item, position, rating FROM ratings JOIN raters ON number = rater WHERE code = ? ORDER BY position",
        code,
    )


def to_the_end(visitor: Visitor) -> Visitor:
    while visitor.path.startswith("/page/"):
        visitor.rate()
    return visitor


def test_from_consent_to_thanks_and_into_the_files(study: Path, arrive: Arrive, tmp_path: Path) -> None:
    visitor = to_the_end(arrive().begin())
    assert visitor.path == "/about-you"
    visitor.post("/about-you", age="52", gender="man", education="graduate", region="VT")
    assert (visitor.status, visitor.path) == (200, "/thanks")
    assert visitor.code in visitor.text
    assert cli.main(["study", "export", str(study), "--out", str(tmp_path / "out")]) == 0
    found = records.read(tmp_path / "out")
    assert not found.simulated
    rater = next(one for one in found.raters.values() if one.age == 52)
    assert (rater.gender, rater.education, rater.region, rater.attention) == ("man", "graduate", "VT", "passed")
    assert rater.consent
    assert rater.minutes is not None
    mine = [one for one in found.ratings if one.rater == rater.rater]
    assert [one.position for one in mine] == list(range(1, 11))
    assert {(one.scenario, one.model, one.state) for one in mine} == {
        (scenario, model, state)
        for scenario in ("panic", "grief")
        for model, state in [*itertools.product(MODELS[:2], ("zs", "ft")), ("reference", "reference")]
    }
    assert all(one.rating == 4 and 0 <= one.seconds < 60 for one in mine)
    with (tmp_path / "out" / records.RATERS).open(encoding="utf-8") as file:
        assert visitor.code not in file.read()
    with (tmp_path / "out" / records.RATINGS).open(encoding="utf-8") as file:
        assert next(csv.reader(file)) == "rater item scenario block model state position rating seconds".split()


def test_no_page_and_no_address_says_who_wrote_what(arrive: Arrive) -> None:
    visitor = arrive().get("/")
    seen = [visitor.text]
    visitor.post("/", agree="yes")
    seen += [visitor.get(path).text for path in ("/code", "/instructions", "/go-on")]
    while visitor.path.startswith("/page/"):
        seen.append(visitor.text + visitor.path + str(visitor.headers))
        visitor.rate()
    seen.append(visitor.text)
    assert sum("Reply 5" in text for text in seen) == 2
    for text in seen:
        # the texts themselves end with a mark that is ours
        plain = re.sub(r"\[\d(zs|ft)?\]", "", text)
        telling = [*MODELS, "zero.?shot", "fine.?tun", "reference", "-zs", "-ft", r"s\d-b\d"]
        assert not re.search("|".join(telling), plain, re.IGNORECASE)


def test_without_agreeing_nothing_begins(study: Path, arrive: Arrive) -> None:
    before = rows(study, "SELECT count(*) FROM raters")
    visitor = arrive().get("/").post("/")
    assert visitor.status == 400
    assert "tick the box" in visitor.text
    assert rows(study, "SELECT count(*) FROM raters") == before
    for path in ("/page/1", "/about-you", "/thanks", "/code", "/instructions", "/stopped", "/withdraw"):
        assert visitor.get(path).path == "/"


def test_two_clicks_on_begin_are_one_rater(arrive: Arrive) -> None:
    visitor = arrive().get("/")
    cookie, token = visitor.cookie, visitor.hidden("csrf_token")
    codes = set()
    for _ in range(2):
        visitor.cookie = cookie
        visitor.ask("POST", "/", {"csrf_token": token, "agree": "yes"})
        codes.add(visitor.code_shown())
    assert len(codes) == 1


def test_a_page_sent_again_changes_nothing_and_leads_on(study: Path, arrive: Arrive) -> None:
    visitor = arrive().begin()
    first, marks, token = visitor.path, visitor.marks(4), visitor.hidden("csrf_token")
    visitor.rate(4)
    now = visitor.path
    before = kept(study, visitor.code)
    visitor.ask("POST", first, marks | {"csrf_token": token, "reply-1": "1"})
    assert visitor.path == now
    assert "first answers stand" in visitor.text
    assert kept(study, visitor.code) == before
    assert visitor.get(first).path == now
    assert "first answers stand" in visitor.text
    assert "first answers stand" not in visitor.get(now).text


def test_no_page_is_jumped_over(study: Path, arrive: Arrive) -> None:
    visitor = arrive().begin()
    assert visitor.get("/page/3").path == "/page/1"
    assert visitor.get("/about-you").path == "/page/1"
    assert visitor.post("/about-you").path == "/page/1"
    assert visitor.post("/page/3", **visitor.marks()).path == "/page/1"
    assert kept(study, visitor.code) == []
    assert visitor.get("/page/0").status == 404
    assert visitor.get("/page/99").status == 404


def to_a_page_of_five(visitor: Visitor) -> Visitor:
    while visitor.text.count("<fieldset") != 5:
        visitor.rate()
    return visitor


def test_a_page_with_something_missing_comes_back_with_what_was_marked(study: Path, arrive: Arrive) -> None:
    visitor = to_a_page_of_five(arrive().begin())
    page, marks, before = visitor.path, visitor.marks(3), kept(study, visitor.code)
    del marks["reply-2"]
    visitor.post(page, **marks)
    assert visitor.status == 400
    assert visitor.text.count("checked") == 4
    assert 'href="#reply-2"' in visitor.text
    assert kept(study, visitor.code) == before
    assert visitor.hidden("shown") == marks["shown"]  # the time goes on
    assert visitor.rate(3).status == 200
    assert len(kept(study, visitor.code)) == len(before) + 5


@pytest.mark.parametrize("wrong", ["0", "6", "x", "", "\x00", "4 OR 1=1", "<b>"])
def test_a_wrong_mark_is_told_and_not_kept(wrong: str, study: Path, arrive: Arrive) -> None:
    visitor = to_a_page_of_five(arrive().begin())
    before = kept(study, visitor.code)
    visitor.post(visitor.path, **visitor.marks() | {"reply-5": wrong})
    assert visitor.status == 400
    assert "please choose one of the five" in visitor.text
    assert kept(study, visitor.code) == before


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"shown": "forged"},
        {"csrf_token": "forged"},
        {"csrf_token": ""},
        {"more": "x" * 40_000},
    ],
    ids=["nothing", "time", "token", "no token", "too long"],
)
def test_what_is_not_our_form_is_a_friendly_page(form: dict[str, str], study: Path, arrive: Arrive) -> None:
    visitor = arrive().begin()
    sent = {"csrf_token": visitor.hidden("csrf_token"), **visitor.marks(), **form} if form else {}
    visitor.ask("POST", visitor.path, sent)
    assert visitor.status == (413 if "more" in form else 400)
    assert "<h1>" in visitor.text
    assert "What you sent before is saved" in visitor.text
    assert kept(study, visitor.code) == []


def test_the_code_leads_back_from_another_device(study: Path, arrive: Arrive) -> None:
    visitor = arrive().begin().rate()
    page = visitor.path
    visitor.post("/stop")
    assert visitor.path == "/stopped"
    assert visitor.code in visitor.text
    assert "988" in visitor.text
    assert visitor.get(page).path == "/stopped"  # this browser is free for the next
    other = arrive().get("/resume")
    other.post("/resume", code=visitor.code.lower().replace("-", " "))
    assert (other.status, other.path) == (200, page)
    other.code = visitor.code
    to_the_end(other).post("/about-you")
    assert other.path == "/thanks"
    assert len(kept(study, visitor.code)) == 10
    again = arrive().get("/resume").post("/resume", code=visitor.code)
    assert again.path == "/thanks"


def test_nobody_gets_more_guesses_by_a_header(arrive: Arrive) -> None:
    guesser = arrive().get("/resume")
    statuses = []
    for i in range(11):
        guesser.also = {"X-Forwarded-For": f"203.0.113.{i}"}
        statuses.append(guesser.post("/resume", code="x").status)
    assert statuses == [400] * 10 + [429]


def test_codes_cannot_be_guessed_for_long(arrive: Arrive) -> None:
    known = arrive().begin()
    guesser = arrive().get("/resume")
    statuses = [guesser.post("/resume", code="0000-0000").status for _ in range(10)]
    assert statuses == [400] * 10
    token = guesser.hidden("csrf_token")
    guesser.ask("POST", "/resume", {"csrf_token": token, "code": known.code})  # the right one, too late
    assert guesser.status == 429
    assert "Retry-After" in guesser.headers
    assert arrive().get("/resume").post("/resume", code=known.code).status == 200


def test_someone_who_sends_very_much_has_to_wait(tmp_path: Path) -> None:
    limits = Limits(requests=Buckets(5, 0.001), starts=Buckets(1, 0.001))
    with application(tmp_path, limits=limits) as (app, _):

        def get(address: str, path: str) -> tuple[int, str]:
            with app.test_client() as client:
                answer = client.get(path, environ_base={"REMOTE_ADDR": address}, buffered=True)
                return answer.status_code, answer.text

        assert [get("10.0.0.1", "/resume")[0] for _ in range(6)] == [200] * 5 + [429]
        assert "a little fast" in get("10.0.0.1", "/")[1]
        assert get("10.0.0.1", "/static/style.css")[0] == 200
        assert get("10.0.0.2", "/")[0] == 200


def test_only_so_many_begin_from_one_place(tmp_path: Path) -> None:
    with application(tmp_path, limits=Limits(starts=Buckets(2, 0.001))) as (app, store):
        statuses = []
        for _ in range(3):
            client = app.test_client()
            token = re.search(r'csrf_token" value="([^"]+)', client.get("/").text)
            assert token
            statuses.append(client.post("/", data={"csrf_token": token[1], "agree": "yes"}).status_code)
        assert statuses == [303, 303, 429]
        assert len(store.everything()[0]) == 2


def test_a_disk_that_takes_nothing_is_told_and_leads_nowhere(tmp_path: Path) -> None:
    with application(tmp_path) as (app, _):
        client = app.test_client()
        token = re.search(r'csrf_token" value="([^"]+)', client.get("/").text)
        assert token
        connection = sqlite3.connect(tmp_path / "study" / FILE)
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON raters BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        connection.close()
        answer = client.post("/", data={"csrf_token": token[1], "agree": "yes"})
        assert answer.status_code == 503
        assert "could not be saved" in answer.text
        assert "disk full" not in answer.text


def test_behind_a_proxy_with_tls_cookies_are_for_tls(tmp_path: Path) -> None:
    with application(tmp_path, https=True) as (app, _):
        cookie = app.test_client().get("/", base_url="https://localhost").headers["Set-Cookie"]
        assert "Secure" in cookie


def test_withdrawing_deletes_everything(study: Path, arrive: Arrive) -> None:
    visitor = arrive().begin().rate().rate()
    assert kept(study, visitor.code)
    visitor.post("/stop")
    visitor.get("/withdraw")
    assert visitor.post("/withdraw").status == 400
    assert kept(study, visitor.code)
    visitor.post("/withdraw", sure="yes")
    assert visitor.path == "/withdrawn"
    assert rows(study, "SELECT * FROM raters WHERE code = ?", visitor.code) == []
    assert kept(study, visitor.code) == []
    assert arrive().get("/resume").post("/resume", code=visitor.code).status == 400


def test_two_clicks_on_finish_end_at_the_thanks(arrive: Arrive) -> None:
    visitor = to_the_end(arrive().begin())
    cookie, token = visitor.cookie, visitor.hidden("csrf_token")
    for _ in range(2):
        visitor.cookie = cookie
        visitor.ask("POST", "/about-you", {"csrf_token": token, "age": "30"})
        assert visitor.path == "/thanks"


def test_wrong_words_about_oneself_come_back(arrive: Arrive) -> None:
    visitor = to_the_end(arrive().begin())
    visitor.post("/about-you", age="seven", region="CA")
    assert visitor.status == 400
    assert 'href="#age"' in visitor.text
    assert re.search(r'value="CA" selected', visitor.text)


def test_every_page_has_its_guards(arrive: Arrive) -> None:
    visitor = arrive()
    for path in ("/", "/resume", "/nothing", "/static/style.css"):
        headers = visitor.once("GET", path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Server" not in headers
        assert ("no-store" in headers["Cache-Control"]) == (not path.startswith("/static"))
    cookie = arrive().once("GET", "/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    visitor.once("GET", "/")
    assert not re.search(r"(src|href)=\"(https?:)?//", visitor.text)
    assert "<script" not in visitor.text
    assert '<html lang="en">' in visitor.text


def test_another_name_for_this_machine_is_not_answered(served: Served) -> None:
    place = urlsplit(served.address)
    with socket.create_connection((place.hostname, place.port), 10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n")
        answer = b""
        while more := connection.recv(4096):
            answer += more
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"csrf" not in answer
