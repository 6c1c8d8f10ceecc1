"""`ask`: stdout holds the answer alone, the JSON shape is the contract, and safety needs no model."""

import io
import json
import sys

import pytest

from tide_chat import cli
from tide_chat.commands import ask
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.errors import DataError, EngineDied, ModelNotFound
from tide_chat.turn import Companion

FIELDS = [
    "reply",
    "tier",
    "flags",
    "reasons",
    "cards",
    "route",
    "model",
    "adapter",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "ttft_s",
    "decode_tps",
    "finish_reason",
    "guard",
]
CRISIS = "I am going to kill myself tonight"


def answer(text: str, engine: ScriptedEngine, *, as_json: bool = False) -> int:
    return ask.answer(Companion(engine, country="US"), text, as_json=as_json)


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def test_stdout_holds_the_answer_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer("It was a long day.", ScriptedEngine(["That sounds tiring."])) == 0
    assert capsys.readouterr() == ("That sounds tiring.\n", "")


def test_blanks_at_the_end_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    answer("It was a long day.", ScriptedEngine(["That sounds tiring.\n\nRest now. \n"]))
    assert capsys.readouterr().out == "That sounds tiring.\n\nRest now.\n"


def test_the_json_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer("It was a long day.", ScriptedEngine(["That sounds tiring — rest."]), as_json=True) == 0
    out, err = capsys.readouterr()
    value = json.loads(out)
    assert list(value) == FIELDS
    assert value["reply"] == "That sounds tiring — rest."
    assert (value["tier"], value["route"], value["finish_reason"]) == ("T0", "model", "stop")
    assert (value["model"], value["adapter"]) == ("scripted", None)
    assert value["cards"] == value["flags"] == value["guard"] == []
    assert value["completion_tokens"] == 5
    assert isinstance(value["decode_tps"], float)
    assert "—" in out
    assert err == ""


def test_in_a_crisis_the_reply_is_authored_and_the_card_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    engine = ScriptedEngine(["Never said."])
    assert answer(CRISIS, engine) == 0
    out, err = capsys.readouterr()
    assert engine.prompts == []
    assert len(out.strip()) > 40
    assert "988" in err
    assert "911" in err


def test_in_a_crisis_the_json_names_tier_route_and_cards(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(CRISIS, ScriptedEngine(), as_json=True) == 0
    value = json.loads(capsys.readouterr().out)
    assert list(value) == FIELDS
    assert value["tier"] in ("T3", "T4")
    assert value["route"] == "authored"
    assert value["cards"]
    assert value["reasons"]
    assert all(isinstance(reason, str) for reason in value["reasons"])
    assert value["model"] is None


def test_a_crisis_needs_no_model_and_loads_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tide_chat.compose.Registry.load", lambda: pytest.fail("a model was looked for"))
    assert cli.main(["ask", "--country", "us", CRISIS]) == 0
    out, err = capsys.readouterr()
    assert out.strip()
    assert "988" in err


def test_without_a_model_the_code_is_3_and_it_says_how_to_get_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ask", "--model", "qwen2.5-1.5b-q4", "hello"]) == 3
    out, err = capsys.readouterr()
    assert out.strip() == ""
    assert "tide-chat models pull qwen2.5-1.5b-q4" in err


def test_an_unknown_model_is_3_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ask", "--model", "qwen2.5-1.5b-q44", "hello"]) == 3
    assert "qwen2.5-1.5b-q4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("failure", "code"), [(EngineDied("It ended."), 1), (ModelNotFound("There is none.", help="Get one."), 3)]
)
def test_a_failed_turn_has_the_code_of_its_error(
    failure: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer("Hello there.", ScriptedEngine([failure])) == code
    assert capsys.readouterr().err


def test_control_characters_of_the_model_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    answer("Hello there.", ScriptedEngine(["\x1b]0;owned\x07I \x1b[31mhear\x1b[0m you."]))
    assert capsys.readouterr().out == "I hear you.\n"


@pytest.mark.parametrize("arguments", [[], [""], ["  \n"], ["--json", ""]])
def test_no_message_is_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ask", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "tide-chat ask -" in err


@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_nothing_in_the_pipe_is_wrong_use(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, data)
    assert cli.main(["ask", "-"]) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"caf\xe9", "position 3 is 0xe9"), (b"a" * (ask.TEXT_LIMIT + 1), f"more than {ask.TEXT_LIMIT} bytes")],
    ids=["latin-1", "too long"],
)
def test_a_bad_pipe_is_invalid_data(
    data: bytes, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe(monkeypatch, data)
    assert cli.main(["ask", "-"]) == 4
    assert said in capsys.readouterr().err


def test_a_pipe_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, "\ufeffone\ntwo é\n".encode())
    assert ask._message(("-",)) == "one\ntwo é\n"


def test_words_need_no_quotes_and_must_be_text() -> None:
    assert ask._message(("a", "long", "day")) == "a long day"
    with pytest.raises(DataError):
        ask._message(("caf\udce9",))
