"""`tide-eval judge` against a judge that answers over HTTP, well, badly, late or not at all."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.judge_server import JudgeServer
from training.evaluation import cli, replies
from training.evaluation.judge import rubric
from training.evaluation.replies import Reply
from training.evaluation.study import design, records
from training.evaluation.tables import Table

TEXTS = {("d1/0", "zs"): "One two.", ("d1/0", "ft"): "One two three four.", ("d2/0", "zs"): "One."}
TEXTS |= {("d2/0", "ft"): "One two three.", ("d3/0", "zs"): "One two three.", ("d3/0", "ft"): "One two."}


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with JudgeServer() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "replies.jsonl"
    replies.write(path, [Reply(i, "some-model", s, ("I feel low.",), text, "R.") for (i, s), text in TEXTS.items()])
    return path


def judge(source: Path, url: str, *more: str) -> int:
    return cli.main(["judge", str(source), "--url", url, "--out", str(source.parent / "run"), *more])


def table(source: Path, name: str) -> list[dict[str, Any]]:
    found = Table.read(source.parent / "run" / "tables" / f"{name}.json")
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def judgements(source: Path) -> list[dict[str, Any]]:
    lines = (source.parent / "run" / "judgements.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_rating_from_replies_to_tables(server: JudgeServer, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(file, server.url) == 0
    printed = capsys.readouterr().out
    for word in ("CounselBench", ".37", "Krippendorff", "self-preference", "without a right one"):
        assert word in printed
    zs, ft = table(file, "judge")
    assert (zs["replies"], zs["score"], ft["score"]) == (3, pytest.approx(2), pytest.approx(3))
    agreed = table(file, "judge-agreement")[0]
    assert agreed["mean Spearman"] == pytest.approx(1)
    assert agreed["Krippendorff's alpha"] == pytest.approx(1)
    assert table(file, "judge-bias")[0]["value"] == pytest.approx(1)  # this judge counts words
    about = json.loads((file.parent / "run" / "run.json").read_text(encoding="utf-8"))
    assert (about["kind"], about["judge"]["model"], about["of"], about["asked"]) == ("judge", "big-judge", 18, 18)
    gold = records.read_gold(file.parent / "run" / "gold.csv")
    assert gold["d1/0", "some-model", "ft"] == 4


def test_what_is_sent(server: JudgeServer, file: Path) -> None:
    assert judge(file, server.url, "--limit", "1") == 0
    assert len(server.asked) == 6
    assert len({one["seed"] for one in server.asked}) == 6
    for one in server.asked:
        assert "some-model" not in json.dumps(one)
        form = one["response_format"]
        assert form["type"] == "json_schema"
        assert form["json_schema"]["schema"]["additionalProperties"] is False


def test_pairwise_counts_wins_and_ties(server: JudgeServer, file: Path) -> None:
    assert judge(file, server.url, "--pairwise", "--calls", "1") == 0
    (row,) = table(file, "judge-pairs")
    assert (row["first"], row["second"]) == ("some-model zs", "some-model ft")
    assert (row["first wins"], row["second wins"], row["ties"]) == (1, 2, 0)
    assert not (file.parent / "run" / "gold.csv").exists()


def test_a_judge_that_always_takes_the_first_makes_ties_and_is_shown_to(file: Path) -> None:
    with JudgeServer(lambda _: '{"better": "A"}') as server:
        assert judge(file, server.url, "--pairwise", "--calls", "1") == 0
    assert table(file, "judge-pairs")[0]["ties"] == 3
    assert {row["bias"]: row["value"] for row in table(file, "judge-bias")}["position"] == 1


def test_bad_and_malformed_answers_are_asked_again_and_counted(server: JudgeServer, file: Path) -> None:
    server.troubles.extend(["Sure.", '{"warmth": 9}', b'{"choices": []}', b"<html>", 503])
    assert judge(file, server.url, "--calls", "1", "--timeout", "10") == 0
    everything = table(file, "judge-output")[0]
    assert (everything["questions"], everything["without a right one"]) == (6, 1)
    assert (everything["not JSON"], everything["wrong fields"], everything["no answer"]) == (3, 1, 1)
    assert [one["why"] for one in judgements(file)[0]["bad"]] == ["not JSON", "wrong fields", "not JSON"]
    assert judgements(file)[0]["value"] is None
    assert table(file, "judge")[0]["without a score"] == 1


def test_a_late_answer_is_asked_again_and_counted(server: JudgeServer, file: Path) -> None:
    server.troubles.append(60.0)
    assert judge(file, server.url, "--calls", "1", "--timeout", "2") == 0
    assert judgements(file)[0]["value"]
    assert "in time" in judgements(file)[0]["bad"][0]["got"]
    assert table(file, "judge-output")[0]["no answer"] >= 1  # more on a busy machine


def test_a_run_goes_on_after_a_half_line(server: JudgeServer, file: Path) -> None:
    assert judge(file, server.url) == 0
    run = file.parent / "run"
    whole, first = (run / "judgements.jsonl").read_bytes(), (run / "tables" / "judge.csv").read_bytes()
    (run / "judgements.jsonl").write_bytes(whole[:-40])
    server.asked.clear()
    assert judge(file, server.url) == 0
    assert len(server.asked) == 1
    assert (run / "judgements.jsonl").read_bytes() == whole
    assert (run / "tables" / "judge.csv").read_bytes() == first


def test_more_calls_ask_the_new_ones_alone(server: JudgeServer, file: Path) -> None:
    assert judge(file, server.url, "--calls", "1") == 0
    assert judge(file, server.url, "--calls", "2") == 0
    assert len(server.asked) == 12


def test_a_changed_reply_is_judged_again(server: JudgeServer, file: Path) -> None:
    assert judge(file, server.url, "--calls", "1") == 0
    file.write_text(file.read_text(encoding="utf-8").replace("One two three four.", "Oh."), encoding="utf-8")
    assert judge(file, server.url, "--calls", "1") == 0
    assert len(server.asked) == 7
    assert records.read_gold(file.parent / "run" / "gold.csv")["d1/0", "some-model", "ft"] == 1


def test_a_damaged_line_is_named(server: JudgeServer, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(file, server.url, "--calls", "1") == 0
    path = file.parent / "run" / "judgements.jsonl"
    path.write_text("{}\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert judge(file, server.url, "--calls", "1") == 4
    assert "line 1" in capsys.readouterr().err


def test_a_server_that_fails_ends_the_run_and_the_same_command_goes_on(
    server: JudgeServer, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.troubles.extend(['{"fit": 3, "warmth": 3, "genuineness": 3}', 503, 503, 503])
    assert judge(file, server.url, "--calls", "1") == 1
    assert "status 503" in capsys.readouterr().err
    assert len(judgements(file)) == 1
    server.asked.clear()
    assert judge(file, server.url, "--calls", "1") == 0
    assert len(server.asked) == 5


def test_a_busy_server_that_took_a_way_before_is_asked_the_same_way_again(file: Path) -> None:
    class Busy(dict[str, int]):
        """In trouble at the third request only, with a body that names the form."""

        asked = 0

        def get(self, _kind: object, _other: object = None) -> Any:
            self.asked += 1
            return 503 if self.asked == 3 else None

    with JudgeServer(refuses=Busy()) as server:
        assert judge(file, server.url, "--calls", "1") == 0
        assert {one["response_format"]["type"] for one in server.asked} == {"json_schema"}
    assert table(file, "judge-output")[0]["no answer"] == 1


@pytest.mark.parametrize(
    ("refuses", "held", "asked"),
    [
        ({}, "json_schema", 6),
        ({"json_schema": 500}, "json_object", 7),  # as llama-cpp-python's server
        ({"json_schema": 422, "json_object": 400}, "words", 8),
    ],
)
def test_a_server_that_knows_other_ways_to_hold_an_answer_to_its_form(
    file: Path, refuses: dict[str, int], held: str, asked: int
) -> None:
    with JudgeServer(refuses=refuses) as server:
        assert judge(file, server.url, "--calls", "1") == 0
        assert len(server.asked) == asked  # once for each way
        last = server.asked[-1].get("response_format", {})
        schema = last.get("schema") or last.get("json_schema", {}).get("schema")
        assert last.get("type", "words") == held
        assert schema is None if held == "words" else set(schema["required"]) == set(rubric.CRITERIA)
        about = json.loads((file.parent / "run" / "run.json").read_text(encoding="utf-8"))
        assert about["held"] == held
        assert judge(file, server.url, "--calls", "1") == 0  # all is there, and nothing is asked
        assert json.loads((file.parent / "run" / "run.json").read_text(encoding="utf-8"))["held"] == held
    assert table(file, "judge-output")[0]["no answer"] == 0


def test_a_failure_that_is_not_about_the_form_keeps_it(server: JudgeServer, file: Path) -> None:
    server.troubles.extend([500, 500])
    assert judge(file, server.url, "--calls", "1", "--limit", "1") == 0
    assert {asked["response_format"]["type"] for asked in server.asked} == {"json_schema"}
    assert table(file, "judge-output")[0]["no answer"] == 2


def test_nobody_at_the_address(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with JudgeServer() as server:
        url = server.url
    assert judge(file, url, "--judge", "m") == 1
    error = capsys.readouterr().err
    assert "The judge does not answer." in error
    assert "Traceback" not in error


def test_a_wrong_path_and_a_redirect_are_refused(
    server: JudgeServer, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(file, server.url.removesuffix("/v1"), "--judge", "m") == 1
    assert "status 404" in capsys.readouterr().err
    server.troubles.append(307)
    assert judge(file, server.url, "--out", str(file.parent / "other")) == 1
    assert "status 307" in capsys.readouterr().err
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--url", "http://8.8.8.8/v1", "--judge", "m"], "private network"),
        (["--url", "http://[2001:4860:4860::8888]/v1", "--judge", "m"], "private network"),
        (["--url", "ftp://127.0.0.1", "--judge", "m"], "not an address"),
        (["--url", "http://127.0.0.1:99999/v1", "--judge", "m"], "not an address"),
        ([], "Who is to judge?"),
    ],
)
def test_addresses_that_are_not_asked(
    file: Path, more: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["judge", str(file), "--out", str(file.parent / "run"), *more]) == 2
    assert says in capsys.readouterr().err
    assert not (file.parent / "run").exists()


def test_several_models_at_the_address_need_a_name(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with JudgeServer(models=("one", "two")) as server:
        assert judge(file, server.url) == 2
        assert "one, two" in capsys.readouterr().err
        assert judge(file, server.url, "--judge", "two", "--limit", "1", "--calls", "1") == 0
        assert {asked["model"] for asked in server.asked} == {"two"}


def test_a_folder_has_one_judge_and_one_mode(
    server: JudgeServer, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge(file, server.url, "--calls", "1") == 0
    assert judge(file, server.url, "--pairwise") == 2
    assert judge(file, server.url, "--judge", "other") == 2
    assert "another run" in capsys.readouterr().err


def test_gold_of_a_study_fits_its_items(server: JudgeServer, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    items = [
        design.Item(f"s1-b1-{n}", "panic", 1, model, state, "Words. " * n)
        for n, (model, state) in enumerate([("m", "zs"), ("m", "ft"), ("reference", "reference")], 1)
    ]
    scenario = design.Scenario("panic", "d1/0", ("I feel low.",))
    design.write(folder, design.Study("T", "c@example.org", "US", 0, (("m",),), (scenario,), tuple(items), ()))
    assert judge(folder, server.url, "--calls", "1") == 0
    with (tmp_path / "run" / "gold.csv").open(encoding="utf-8", newline="") as rows:
        found = [(row["item"], row["model"], row["state"], float(row["score"])) for row in csv.DictReader(rows)]
    assert found == [(one.id, one.model, one.state, float(n)) for n, one in enumerate(items, 1)]
