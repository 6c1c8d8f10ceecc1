"""`tide-eval auto` with real models: llama.cpp and transformers, the bare model and the whole app."""

import json
from pathlib import Path
from typing import Any

import pytest

from convert.gguf_file import convert
from tests.integration import tiny_models
from training.evaluation import replies, tables
from training.evaluation.auto import items
from training.evaluation.auto.batches import BatchWriter
from training.evaluation.auto.conditions import parse
from training.evaluation.cli import main

TALK = [
    {"dialogue_id": "d1", "persona_id": "p1", "user_input": "I could not sleep.", "reference_response": "That is hard.",
     "more_turns": [{"user_input": "Fireworks again.", "reference_response": "They are loud."}]},
    {"dialogue_id": "d2", "persona_id": "p2", "user_input": "He shouted at me.", "reference_response": "That hurt."},
    {"dialogue_id": "d3", "persona_id": "p3", "user_input": "The bus was full.", "reference_response": "Too close."},
]  # fmt: skip
CHEAP = "words,repeated_runs,broken_endings,tokens,seconds"  # no encoder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in TALK))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.smollm(tmp_path_factory.mktemp("tiny") / "tiny-smollm", dtype="float32")


@pytest.fixture(scope="module")
def gguf(folder: Path) -> Path:
    path = folder.with_name("tiny.gguf")
    convert(folder, path, "f32")
    return path


def auto(*arguments: object) -> int:
    return main(["auto", *map(str, arguments), "--metrics", CHEAP, "--threads", "1"])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.usefixtures("embedded_model")
def test_the_model_that_comes_with_the_app_answers(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert auto("--model", "smollm2-135m", "--data", data, "--out", out, "--limit", 2, "--max-tokens", 8) == 0
    found = replies.read(out / "replies.jsonl")
    assert len(found) == 2
    assert all(one.text and one.prompt_tokens > 50 and 0 < one.tokens <= 8 and one.seconds > 0 for one in found)
    assert "smollm2-135m zs" in capsys.readouterr().out
    about = json.loads((out / "run.json").read_text())
    assert about["conditions"][0]["model"]["sha256"].startswith("b179c9523d0e")
    assert about["conditions"][0]["sampling"]["temperature"] == 0.2
    assert about["machines"]["smollm2-135m zs"]["parameters"] > 100_000_000
    assert about["generated"] == 2
    assert (about["kind"], about["items"], about["seed"]) == ("auto", 2, 0)


@pytest.mark.usefixtures("embedded_model")
def test_through_the_app_grave_words_meet_authored_ones(tmp_path: Path) -> None:
    said = [
        {"dialogue_id": "a", "user_input": "I am going to kill myself tonight.", "reference_response": "Please call."},
        {"dialogue_id": "b", "user_input": "I sat in the garden.", "reference_response": "Good."},
    ]
    path, out = tmp_path / "own.jsonl", tmp_path / "run"
    path.write_text("".join(json.dumps(row) + "\n" for row in said))
    code = auto("--model", "smollm2-135m", "--data", path, "--out", out, "--through", "app", "--max-tokens", 12)
    assert code == 0
    grave, ordinary = lines(out / "app.jsonl")
    assert (grave["route"], grave["item"]) == ("authored", "a/0")
    assert grave["cards"]
    assert (ordinary["route"], ordinary["cards"]) == ("model", [])
    first, second = replies.read(out / "replies.jsonl")
    assert first.tokens == 0
    assert second.tokens > 0
    shown = {row[0]: row[1] for row in tables.Table.read(out / "tables" / "app.json").rows}
    assert (shown["route: authored"], shown["route: model"]) == (1, 1)
    screen = {row[0]: row[1:] for row in tables.Table.read(out / "tables" / "screen.json").rows}
    assert screen["Replies"] == (1, 2)
    assert ordinary["wrote"]
    assert grave["wrote"] is None


def test_what_a_model_has_answered_alone_is_not_asked_again_through_the_app(
    data: Path, gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--model", f"m={gguf}", "--data", data, "--max-tokens", 8, "--cache", tmp_path / "cache", "--limit", 2)
    assert auto("--out", tmp_path / "alone", *options) == 0
    alone = replies.read(tmp_path / "alone" / "replies.jsonl")
    monkeypatch.setattr("training.evaluation.auto.llama.Supervisor.generate", None)  # no engine writes
    assert auto("--out", tmp_path / "app", *options, "--through", "app", "--guidance", "off") == 0
    assert [one["wrote"] for one in lines(tmp_path / "app" / "app.jsonl")] == [one.text for one in alone]


def test_several_sources_are_one_run(data: Path, gguf: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"dialogue_id": "e1", "user_input": "The lift stuck.", "reference_response": "Oh."}\n')
    code = auto("--model", f"m={gguf}", "--data", data, "--data", other, "--out", tmp_path / "run", "--max-tokens", 2)
    assert code == 0
    assert {one.item[:2] for one in replies.read(tmp_path / "run" / "replies.jsonl")} == {"d1", "d2", "d3", "e1"}


def test_the_same_seed_writes_the_same_and_the_cache_answers_without_a_model(
    data: Path, gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--data", data, "--max-tokens", 8)
    assert auto("--model", f"m={gguf}", "--out", tmp_path / "a", *options) == 0
    assert auto("--model", f"m={gguf}", "--out", tmp_path / "b", *options) == 0
    assert auto("--model", f"m={gguf}", "--out", tmp_path / "c", *options, "--seed", 1) == 0
    a, b, c = ([one.text for one in replies.read(tmp_path / name / "replies.jsonl")] for name in "abc")
    assert a == b != c
    before = json.loads((tmp_path / "a" / "run.json").read_text())
    monkeypatch.delattr("training.evaluation.auto.llama.Supervisor")  # no engine can start
    assert auto("--model", f"m={gguf}", "--out", tmp_path / "a", *options) == 0
    after = json.loads((tmp_path / "a" / "run.json").read_text())
    assert (before["generated"], after["generated"]) == (4, 0)
    assert after["machines"] == before["machines"]
    assert [one.text for one in replies.read(tmp_path / "a" / "replies.jsonl")] == a


def test_a_shared_cache_answers_another_run_that_asks_for_more(data: Path, gguf: Path, tmp_path: Path) -> None:
    options = ("--model", f"m={gguf}", "--data", data, "--max-tokens", 4, "--cache", tmp_path / "cache")
    assert auto("--out", tmp_path / "a", *options, "--limit", 2) == 0
    assert auto("--out", tmp_path / "b", *options) == 0
    assert json.loads((tmp_path / "b" / "run.json").read_text())["generated"] == 2
    known = {one.item: one.text for one in replies.read(tmp_path / "a" / "replies.jsonl")}
    assert known.items() <= {one.item: one.text for one in replies.read(tmp_path / "b" / "replies.jsonl")}.items()


def test_a_folder_of_another_run_is_left_alone(
    data: Path, gguf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text('{"kind": "study"}')
    assert auto("--model", gguf, "--data", data, "--out", tmp_path) == 2
    assert "another run" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


# -- transformers ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("one_thread")
def test_a_batch_writes_what_each_reply_alone_would_be(data: Path, folder: Path) -> None:
    (condition,) = parse([str(folder)], None, None, 12)
    found, _ = items.read(str(data))
    texts = []
    for size in (1, 4):
        with BatchWriter(condition, size=size) as writer:
            written = {ask.item.id: one for ask, one in writer.write(writer.asks(found, 0))}
        assert set(written) == {item.id for item in found}
        assert all(0 < one.tokens <= 12 and one.prompt_tokens > 50 and one.seconds > 0 for one in written.values())
        texts.append({item: one.text for item, one in written.items()})
    assert texts[0] == texts[1]
    assert len(set(texts[0].values())) > 1


@pytest.mark.usefixtures("one_thread")
def test_both_engines_ask_the_same(data: Path, folder: Path, gguf: Path, tmp_path: Path) -> None:
    models = ("--model", f"hf={folder}", "--model", f"llama={gguf}")
    assert auto(*models, "--data", data, "--out", tmp_path, "--max-tokens", 2) == 0
    found = replies.by_condition(replies.read(tmp_path / "replies.jsonl"))
    hf, llama = found["hf", "zs"], found["llama", "zs"]
    assert {item: one.prompt_tokens for item, one in hf.items()} == {i: one.prompt_tokens for i, one in llama.items()}


@pytest.mark.usefixtures("one_thread")
def test_an_adapter_answers_otherwise(data: Path, folder: Path, tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from training.hushed import hushed

    torch.manual_seed(0)
    with hushed():
        base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
        get_peft_model(base, config).save_pretrained(tmp_path / "tuned")
    out = tmp_path / "run"
    code = auto(
        "--model", f"m={folder}", "--adapter", tmp_path / "tuned", "--data", data, "--out", out, "--max-tokens", 8
    )
    assert code == 0
    found = replies.by_condition(replies.read(out / "replies.jsonl"))
    assert list(found) == [("m", "zs"), ("m", "ft")]
    assert [one.text for one in found["m", "zs"].values()] != [one.text for one in found["m", "ft"].values()]
    about = json.loads((out / "run.json").read_text())["conditions"]
    assert about[0]["adapter"] is None
    assert len(about[1]["adapter"]["sha256"]) == 64


# -- the three factors -------------------------------------------------------------------------------------------------


def test_the_factors_are_found_by_the_real_encoder_and_nonsense_has_none() -> None:
    from tests.unit.training.auto_replies import reply
    from training.evaluation.measures import factors

    good = reply(
        "That sounds frightening, and you sound worn out. After an accident, many people are on guard for a long time. "
        "What helped you get home?"
    )
    nonsense = reply("The report ends with a message. You have stories about all sorts of people. He is a good worker.")
    assert factors.coverage([good, nonsense]) == [1.0, 0.0]
    assert factors.advice_first([good, nonsense]) == [0, 0]


def test_styles_and_guidance_are_conditions_of_their_own(gguf: Path, tmp_path: Path) -> None:
    said = [
        {"dialogue_id": "a", "user_input": "My heart raced in the shop and I ran out.", "reference_response": "Hard."},
        {"dialogue_id": "b", "user_input": "What is the capital of France?", "reference_response": "Paris."},
    ]
    path, out = tmp_path / "own.jsonl", tmp_path / "run"
    path.write_text("".join(json.dumps(row) + "\n" for row in said))
    options = ("--profile", "none", "--profile", "brief", "--guidance", "both", "--max-tokens", 4)
    assert auto("--model", f"m={gguf}", "--data", path, "--out", out, *options) == 0
    tokens = {(one.model, one.item): one.prompt_tokens for one in replies.read(out / "replies.jsonl")}
    assert {model for model, _ in tokens} == {"m", "m.guided", "m.brief", "m.brief.guided"}
    assert tokens["m.brief", "b/0"] > tokens["m", "b/0"] == tokens["m.guided", "b/0"]
    assert tokens["m.guided", "a/0"] > tokens["m", "a/0"]
    about = json.loads((out / "run.json").read_text())["conditions"]
    assert [(one["style"], one["guided"]) for one in about][2:] == [("brief", False), ("brief", True)]


def test_through_the_app_a_style_is_the_companions(gguf: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ("--through", "app", "--profile", "brief", "--limit", 1, "--max-tokens", 8)
    assert auto("--model", f"m={gguf}", "--data", data, "--out", out, *options) == 0
    (app,) = lines(out / "app.jsonl")
    assert {"scenario", "guidance"} <= app.keys()
    assert json.loads((out / "run.json").read_text())["conditions"][0]["guided"] is True
