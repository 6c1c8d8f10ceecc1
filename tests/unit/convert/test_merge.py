"""Merging without torch: the arithmetic on small matrices, what is refused, and that nothing half-done is left."""

import builtins
import json
import shutil
from pathlib import Path
from typing import Any

import numpy
import pytest

from convert import merge as merging
from convert.merge import merge
from convert.weights import Weights, Writer
from tests.unit.convert import folders
from tests.unit.convert.folders import CONFIG, INNER, TOKENS, UP, WIDTH, Q, adapter, base, noise, pair, q_pair
from tide_chat.errors import DataError, TideError, UsageError

A, B = f"base_model.model.{Q}.lora_A.weight", f"base_model.model.{Q}.lora_B.weight"
WEIGHT = f"{Q}.weight"


def failure(error: type[TideError], *arguments: Any, **how: Any) -> str:
    with pytest.raises(error) as caught:
        merge(*arguments, **how)
    return str(caught.value)


def nothing_left(folder: Path, *but: str) -> bool:
    return {file.name for file in folder.iterdir()} == {*but}


def test_the_sum(tmp_path: Path) -> None:
    one, two = adapter(tmp_path / "one"), adapter(tmp_path / "two", q_pair(seed=70), use_rslora=True)
    done = merge(base(tmp_path / "base"), [(one, 1.0), (two, -0.25)], tmp_path / "out")
    values, after = folders.base_values(), Weights.of_model(tmp_path / "out")
    first, second = q_pair(), q_pair(seed=70)
    wanted = values[WEIGHT] + 2 * first[B] @ first[A] - 0.25 * 4 / 2**0.5 * second[B] @ second[A]
    assert numpy.abs(after.floats(WEIGHT) - wanted).max() < 1e-5
    assert all(numpy.array_equal(after.floats(name), values[name]) for name in values if name != WEIGHT)
    assert (done.out, done.changed, done.untied) == (tmp_path / "out", 1, False)


def test_stretches_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large tensors are read in parts: here in parts of a row, with DoRA by row and by column."""
    prefix = "base_model.model.model.embed_tokens.lora_"
    values = q_pair() | {f"base_model.model.{Q}.lora_magnitude_vector": numpy.abs(noise(WIDTH, seed=9)) + 1}
    values |= {
        prefix + "embedding_A": noise(2, TOKENS, seed=3),
        prefix + "embedding_B": noise(WIDTH, 2, seed=4),
        prefix + "magnitude_vector": numpy.abs(noise(WIDTH, seed=5)) + 1,
    }
    trained = adapter(tmp_path / "a", values, use_dora=True)
    model = base(tmp_path / "base")
    merge(model, [(trained, 1.0)], tmp_path / "whole")
    blocks = Weights.blocks
    monkeypatch.setattr(Weights, "blocks", lambda self, name, most=1: blocks(self, name, 1))
    merge(model, [(trained, 1.0)], tmp_path / "parts")
    whole, parts = Weights.of_model(tmp_path / "whole"), Weights.of_model(tmp_path / "parts")
    assert all(numpy.abs(whole.floats(name) - parts.floats(name)).max() < 1e-6 for name in whole)
    norms = numpy.linalg.norm(whole.floats(WEIGHT), axis=1)
    assert numpy.abs(norms - values[f"base_model.model.{Q}.lora_magnitude_vector"]).max() < 1e-5
    norms = numpy.linalg.norm(whole.floats("model.embed_tokens.weight"), axis=0)
    assert numpy.abs(norms - values[prefix + "magnitude_vector"]).max() < 1e-5


def test_a_row_of_zeros_stays_so_with_dora(tmp_path: Path) -> None:
    values, pair_ = folders.base_values(), q_pair()
    values[WEIGHT][3] = 0
    pair_[B][3] = 0
    magnitude = numpy.linalg.norm(values[WEIGHT], axis=1)
    trained = adapter(tmp_path / "a", pair_ | {f"base_model.model.{Q}.lora_magnitude_vector": magnitude}, use_dora=True)
    merge(base(tmp_path / "base", values=values), [(trained, 1.0)], tmp_path / "out")
    assert not Weights.of_model(tmp_path / "out").floats(WEIGHT)[3].any()


def test_a_tied_head_that_the_file_holds_twice(tmp_path: Path) -> None:
    """The embedding counts, as it does when such a file is loaded."""
    trained = adapter(tmp_path / "a", pair("lm_head", WIDTH, TOKENS))
    done = merge(base(tmp_path / "base", tie_word_embeddings=True), [(trained, 1.0)], tmp_path / "out")
    values, after, change = folders.base_values(), Weights.of_model(tmp_path / "out"), pair("lm_head", WIDTH, TOKENS)
    product = change["base_model.model.lm_head.lora_B.weight"] @ change["base_model.model.lm_head.lora_A.weight"]
    assert done.untied
    assert numpy.array_equal(after.floats("model.embed_tokens.weight"), values["model.embed_tokens.weight"])
    wanted = values["model.embed_tokens.weight"] + 2 * product
    assert numpy.abs(after.floats("lm_head.weight") - wanted).max() < 1e-5


def test_a_tie_that_nothing_touches_stays(tmp_path: Path) -> None:
    values = folders.base_values()
    del values["lm_head.weight"]
    copy = {"base_model.model.model.embed_tokens.base_layer.weight": values["model.embed_tokens.weight"]}
    trained = adapter(tmp_path / "a", q_pair() | copy)
    model = base(tmp_path / "base", values=values, tie_word_embeddings=True)
    done = merge(model, [(trained, 1.0)], tmp_path / "out")
    assert (done.untied, done.changed) == (False, 1)
    assert "lm_head.weight" not in Weights.of_model(tmp_path / "out")
    assert (tmp_path / "out" / "config.json").read_bytes() == (model / "config.json").read_bytes()


def test_whole_layers(tmp_path: Path) -> None:
    whole = {"base_model.model.model.norm.weight": noise(WIDTH, seed=8)}
    one, two = adapter(tmp_path / "one", q_pair() | whole), adapter(tmp_path / "two", q_pair(seed=3) | whole)
    model = base(tmp_path / "base", dtype="BF16")
    merge(model, [(one, 1.0)], tmp_path / "out")
    after = Weights.of_model(tmp_path / "out")
    assert after.info("model.norm.weight").dtype == "BF16"
    assert numpy.abs(after.floats("model.norm.weight") - noise(WIDTH, seed=8)).max() < 2e-2
    assert "neither scaled nor added" in failure(DataError, model, [(one, 0.5)], tmp_path / "half")
    assert "neither scaled nor added" in failure(DataError, model, [(one, 1.0), (two, 1.0)], tmp_path / "both")


def test_files_of_the_base(tmp_path: Path) -> None:
    model = base(tmp_path / "base", shards=2)
    kept = ["tokenizer.model", "merges.txt", "chat_template.jinja", "LICENSE", "special_tokens_map.json"]
    left = ["README.md", "pytorch_model.bin", "modeling_x.py", "adapter_config.json", "training_args.bin", ".env"]
    for name in (*kept, *left):
        (model / name).write_text(name, encoding="utf-8")
    (model / "additional_chat_templates").mkdir()
    (model / "additional_chat_templates" / "tool.jinja").write_text("t", encoding="utf-8")
    merge(model, [(adapter(tmp_path / "a"), 1.0)], tmp_path / "out")
    there = {str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*") if file.is_file()}
    shards = {f"model-0000{number}-of-00002.safetensors" for number in (1, 2)}
    assert there == {
        *kept,
        *shards,
        "config.json",
        "tokenizer.json",
        "model.safetensors.index.json",
        "additional_chat_templates/tool.jinja",
    }


def test_how_it_was_trained_goes_along(tmp_path: Path) -> None:
    one, two, model = adapter(tmp_path / "one"), adapter(tmp_path / "two"), base(tmp_path / "base")
    (two / "run.json").write_text("2", encoding="utf-8")
    merge(model, [(two, 1.0)], tmp_path / "single")
    merge(model, [(one, 1.0), (two, 1.0)], tmp_path / "several")
    assert (tmp_path / "single" / "run.json").read_text(encoding="utf-8") == "2"
    assert (tmp_path / "several" / "run-2.json").read_text(encoding="utf-8") == "2"
    assert not (tmp_path / "several" / "run.json").exists()


def test_companions_that_link_out_of_the_folder(tmp_path: Path) -> None:
    model = base(tmp_path / "base")
    (tmp_path / "secret").write_text("s", encoding="utf-8")
    (model / "merges.txt").symlink_to(tmp_path / "secret")
    assert "leads out" in failure(DataError, model, [(adapter(tmp_path / "a"), 1.0)], tmp_path / "out")
    assert nothing_left(tmp_path, "a", "base", "secret")


@pytest.mark.parametrize(
    ("values", "settings", "words"),
    [
        (pair("model.layers.7.self_attn.q_proj", WIDTH, WIDTH), {}, "model.layers.7.self_attn.q_proj"),
        (pair(Q, WIDTH, WIDTH + 2), {}, f"{Q}: the adapter's tensors are [2, 8] and [10, 2], {WEIGHT} is [8, 8]"),
        (pair(UP, INNER, WIDTH), {}, "[12, 8]"),
        (pair("model.norm", WIDTH, WIDTH), {}, "model.norm.weight is [8]"),
        (pair(Q, WIDTH, WIDTH, rank=3), {}, "3 in the tensors, 2 in the settings"),
        (q_pair() | {"base_model.model.model.other.weight": noise(8)}, {}, "model.other.weight"),
        (
            q_pair() | {"base_model.model.model.norm.weight": noise(9)},
            {},
            "model.norm.weight is [8], the adapter's [9]",
        ),
        (pair("model.layers.0.self_attn", WIDTH, WIDTH), {"target_parameters": ["self_attn.w"]}, "no such layer"),
        (q_pair() | pair(f"{Q}.base_layer", WIDTH, WIDTH), {}, "change the same tensor"),
    ],
)
def test_an_adapter_for_another_base(values: Any, settings: dict[str, Any], words: str, tmp_path: Path) -> None:
    trained = adapter(tmp_path / "a", values, **settings)
    assert words in failure(DataError, base(tmp_path / "base"), [(trained, 1.0)], tmp_path / "out")
    assert nothing_left(tmp_path, "a", "base")


def test_the_adapter_says_where_it_belongs(tmp_path: Path) -> None:
    trained = adapter(tmp_path / "a", pair("other", 8, 8))
    assert "owner/base" in failure(DataError, base(tmp_path / "base"), [(trained, 1.0)], tmp_path / "out")


def test_a_magnitude_of_the_wrong_length(tmp_path: Path) -> None:
    values = q_pair() | {f"base_model.model.{Q}.lora_magnitude_vector": noise(WIDTH + 1)}
    trained = adapter(tmp_path / "a", values, use_dora=True)
    words = failure(DataError, base(tmp_path / "base"), [(trained, 1.0)], tmp_path / "out")
    assert "[9], not [8]" in words
    assert nothing_left(tmp_path, "a", "base")


@pytest.mark.parametrize("where", [A, B, WEIGHT, "model.norm.weight"])
def test_values_that_are_no_numbers(where: str, tmp_path: Path) -> None:
    values, change = folders.base_values(), q_pair()
    for tensors in (values, change):
        if where in tensors:
            tensors[where].flat[3] = float("nan")
    model, trained = base(tmp_path / "base", values=values), adapter(tmp_path / "a", change)
    words = failure(DataError, model, [(trained, 1.0)], tmp_path / "out")
    assert "no numbers" in words
    assert where in words
    assert nothing_left(tmp_path, "a", "base")


@pytest.mark.parametrize(("dtype", "scale"), [("f16", 1e5), ("bf16", 3e38)])
def test_values_that_the_type_cannot_hold(dtype: str, scale: float, tmp_path: Path) -> None:
    values = folders.base_values()
    values[WEIGHT][0, 0] = scale
    values[WEIGHT][0, 1] = 3.4e38 if dtype == "bf16" else 0
    model, trained = base(tmp_path / "base", values=values), adapter(tmp_path / "a", q_pair())
    assert "too large" in failure(DataError, model, [(trained, 1.0)], tmp_path / "out", dtype=dtype)
    assert nothing_left(tmp_path, "a", "base")


def test_a_truncated_base(tmp_path: Path) -> None:
    model, trained = base(tmp_path / "base"), adapter(tmp_path / "a")
    file = model / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    assert "cut short" in failure(DataError, model, [(trained, 1.0)], tmp_path / "out")
    assert nothing_left(tmp_path, "a", "base")


@pytest.mark.parametrize("config", ["", "[]", "{", '{"quantization_config": {"bits": 4}}'])
def test_a_base_that_cannot_be_used(config: str, tmp_path: Path) -> None:
    model = base(tmp_path / "base")
    (model / "config.json").write_text(config, encoding="utf-8")
    assert failure(DataError, model, [(adapter(tmp_path / "a"), 1.0)], tmp_path / "out")
    assert nothing_left(tmp_path, "a", "base")


def test_wrong_use(tmp_path: Path) -> None:
    model, trained = base(tmp_path / "base"), adapter(tmp_path / "a")
    assert "f32, f16, bf16" in failure(UsageError, model, [(trained, 1.0)], tmp_path / "out", dtype="q8_0")
    assert "no adapter" in failure(UsageError, model, [], tmp_path / "out")


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    model, trained = base(tmp_path / "base"), adapter(tmp_path / "a")
    before = (model / "model.safetensors").read_bytes()
    assert "exists already" in failure(UsageError, model, [(trained, 1.0)], model)
    assert (model / "model.safetensors").read_bytes() == before
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert "exists already" in failure(UsageError, model, [(trained, 1.0)], tmp_path / "file")
    (tmp_path / "empty").mkdir()
    merge(model, [(trained, 1.0)], tmp_path / "empty")
    assert (tmp_path / "empty" / "model.safetensors").exists()
    merge(model, [(trained, 1.0)], tmp_path / "new" / "deep" / "out")
    assert (tmp_path / "new" / "deep" / "out" / "config.json").exists()


def test_no_room_before_and_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, trained = base(tmp_path / "base"), adapter(tmp_path / "a")
    full = shutil._ntuple_diskusage(100, 100, 0)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _folder: full)
        words = failure(DataError, model, [(trained, 1.0)], tmp_path / "out")
    assert "not enough room" in words
    assert "kB" in words

    def no_space(self: Writer, name: str, values: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Writer, "write", no_space)
    assert "No space left" in failure(TideError, model, [(trained, 1.0)], tmp_path / "out")
    assert nothing_left(tmp_path, "a", "base")


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def stop(_what: str, done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge(base(tmp_path / "base"), [(adapter(tmp_path / "a"), 1.0)], tmp_path / "out", say=stop)
    assert nothing_left(tmp_path, "a", "base")


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    merge(
        base(tmp_path / "base", shards=2),
        [(adapter(tmp_path / "a"), 1.0)],
        tmp_path / "out",
        say=lambda _what, done, total: said.append((done, total)),
    )
    assert said == sorted(said)
    assert said[-1][0] == said[-1][1] == sum(value.nbytes for value in folders.base_values().values())


def test_no_torch_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def guarded(name: str, *rest: Any) -> Any:
        assert name.partition(".")[0] not in ("torch", "transformers", "peft", "safetensors", "gguf"), name
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", guarded)
    merge(base(tmp_path / "base"), [(adapter(tmp_path / "a"), 1.0)], tmp_path / "out", dtype="bf16")
    config = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert config == CONFIG | {"torch_dtype": "bfloat16"}
    assert merging.DTYPES["bf16"] == Weights.of_model(tmp_path / "out").info(WEIGHT).dtype
