"""Fifty raters at once, a server that is killed in the middle, and how it is started and ended."""

import random
import socket
import stat
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.integration.study_server import Served, Visitor, make_study, rows
from training.evaluation import cli
from training.evaluation.study import design, records
from training.evaluation.study.serve import SECRET_FILE
from training.evaluation.study.store import FILE

RATERS = 50
Kept = dict[str, list[tuple[int, int]]]  # code: place and mark of each rating


def kept(study: Path) -> Kept:
    found: Kept = {}
    query = "SELECT code, position, rating FROM ratings JOIN raters ON number = rater ORDER BY code, position"
    for code, position, rating in rows(study, query):
        found.setdefault(code, []).append((position, rating))
    return found


def test_fifty_raters_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    study = make_study(tmp_path, scenarios=2)
    together = threading.Barrier(RATERS)

    def rate(number: int, address: str) -> tuple[str, list[tuple[int, int]]]:
        visitor, chance = Visitor(address, f"127.0.2.{number + 1}"), random.Random(number)
        sent: list[tuple[int, int]] = []
        together.wait(60)
        visitor.begin()
        while visitor.path.startswith("/page/"):
            form = visitor.marks() | {"csrf_token": visitor.hidden("csrf_token")}
            page, names = visitor.path, [name for name in form if name.startswith("reply-")]
            if len(names) > 1:
                form |= {name: str(chance.randint(1, 5)) for name in names}
                sent += [(len(sent) + 1 + i, int(form[name])) for i, name in enumerate(sorted(names))]
            visitor.ask("POST", page, form)
            if chance.random() < 0.3:  # the same page again, as after Back
                visitor.ask("POST", page, form | {names[0]: "1"})
        visitor.post("/about-you", age=str(20 + number))
        assert visitor.path == "/thanks"
        return visitor.code, sent

    with Served(study) as served, ThreadPoolExecutor(RATERS) as pool:
        sent = dict(pool.map(lambda number: rate(number, served.address), range(RATERS)))
    assert len(sent) == RATERS
    assert kept(study) == sent
    assert cli.main(["study", "export", str(study), "--out", str(tmp_path / "out")]) == 0
    found = records.read(tmp_path / "out")
    assert sorted(one.age or 0 for one in found.raters.values()) == list(range(20, 20 + RATERS))
    assert all(one.finished and one.attention == "passed" for one in found.raters.values())
    places = Counter((one.item, (one.position - 1) % 5) for one in found.ratings)
    assert set(places.values()) == {RATERS // 5}  # each reply at each place of its page


def test_what_was_acknowledged_before_kill_9_is_there_after_it(tmp_path: Path) -> None:
    study = make_study(tmp_path, scenarios=4, models=4)
    acknowledged: dict[str, int] = {}
    enough = threading.Event()

    def rate(number: int, address: str) -> Visitor:
        visitor = Visitor(address, f"127.0.3.{number + 1}")
        try:
            visitor.begin()
            while visitor.path.startswith("/page/"):
                ratings = len(visitor.marks()) - 1
                token = {"csrf_token": visitor.hidden("csrf_token")}
                visitor.once("POST", visitor.path, visitor.marks(1 + number % 5) | token)
                assert visitor.status == 303
                acknowledged[visitor.code] = acknowledged.get(visitor.code, 0) + (ratings if ratings > 1 else 0)
                if sum(acknowledged.values()) > 200:
                    enough.set()
                visitor.get("/go-on")
        except (OSError, HTTPException):
            enough.set()
        return visitor

    served = Served(study)
    with ThreadPoolExecutor(12) as pool:
        going = [pool.submit(rate, number, served.address) for number in range(12)]
        assert enough.wait(60)
        served.kill()
        visitors = [one.result() for one in going]
    assert any(not visitor.path.startswith("/about") for visitor in visitors)
    found = kept(study)
    for code, count in acknowledged.items():
        assert len(found[code]) >= count
        assert [place for place, _ in found[code]] == list(range(1, len(found[code]) + 1))
        assert len(found[code]) % 5 == 0  # whole pages
    with Served(study) as again:
        for visitor in (one for one in visitors if one.code):
            visitor.address = again.address
            visitor.get("/go-on")  # the cookie still holds: the key is kept
            while visitor.path.startswith("/page/"):
                visitor.rate()
            assert visitor.path == "/about-you"
    assert {len(ratings) for ratings in kept(study).values()} == {40}


def test_ctrl_c_ends_it_with_130_and_files_are_private(tmp_path: Path) -> None:
    study = make_study(tmp_path, scenarios=1)
    served = Served(study)
    Visitor(served.address).begin()
    assert served.interrupt() == 130
    assert "1 raters, 0 ratings" in served.said
    assert "Traceback" not in served.said
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in study.iterdir()}
    assert files == {design.FILE: 0o600, SECRET_FILE: 0o600, FILE: 0o600}
    assert stat.S_IMODE(study.stat().st_mode) == 0o700
    started = time.monotonic()
    with pytest.raises(OSError, match="refused"):
        Visitor(served.address).get("/")
    assert time.monotonic() - started < 5


def test_another_machine_is_let_in_only_in_so_many_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = make_study(tmp_path, scenarios=1)
    assert cli.main(["study", "serve", str(study), "--host", "0.0.0.0"]) == 2
    assert "--open-to-network" in capsys.readouterr().err
    assert not (study / FILE).exists()
    with Served(study, "--host", "0.0.0.0", "--open-to-network") as served:
        assert "nothing is encrypted" in served.said


def test_behind_a_proxy_its_word_counts_for_the_client(tmp_path: Path) -> None:
    study = make_study(tmp_path, scenarios=1)
    with Served(study, "--proxied-as", "study.example.org") as served:
        assert "https://study.example.org/" in served.said

        def come(client: str) -> Visitor:
            forwarded = {"X-Forwarded-For": client, "X-Forwarded-Proto": "https", "Host": "study.example.org"}
            return Visitor(served.address, also=forwarded)

        assert "Secure" in come("203.0.113.1").get("/").headers["Set-Cookie"]
        assert come("203.0.113.1").begin().path == "/page/1"
        guesser = come("203.0.113.2").get("/resume")
        assert [guesser.post("/resume", code="x").status for _ in range(11)] == [400] * 10 + [429]
        assert come("203.0.113.3").get("/resume").post("/resume", code="x").status == 400


def test_what_cannot_be_served_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["study", "serve", str(tmp_path)]) == 4
    assert "There is no study here" in capsys.readouterr().err
    assert cli.main(["study", "export", str(make_study(tmp_path)), "--out", str(tmp_path / "out")]) == 4
    assert "Nobody has begun" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert cli.main(["study", "serve", str(tmp_path / "study"), "--port", str(taken.getsockname()[1])]) == 2
    assert "--port" in capsys.readouterr().err


def test_a_study_that_was_changed_is_not_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = make_study(tmp_path, scenarios=1)
    with Served(study) as served:
        Visitor(served.address).begin()
    file = study / design.FILE
    file.write_text(file.read_text(encoding="utf-8").replace('"seed": 7', '"seed": 8'), encoding="utf-8")
    assert cli.main(["study", "serve", str(study), "--port", "0"]) == 4
    assert "was changed" in capsys.readouterr().err
