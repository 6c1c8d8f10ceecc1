"""Importance matrices against what transformers computes, and what they do for a quantized model."""

import ctypes
from pathlib import Path
from typing import Any

import gguf
import numpy
import pytest

from convert import ggml, imatrix, quantize
from convert.imatrix import Entry, Matrix
from tests.integration import tiny_models
from tests.integration.tiny_gguf import Tiny, tiny, types, values
from tide_chat.errors import DataError, EngineError, ModelUnusable

TEXTS = [*tiny_models.CORPUS]


@pytest.fixture(scope="module")
def smollm(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Rows of 256 and 512: whole blocks for every type."""
    return tiny("smollm", tmp_path_factory.mktemp("smollm"), 256)


@pytest.fixture(scope="module")
def granite(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """With experts."""
    return tiny("granitemoe", tmp_path_factory.mktemp("granite"), 256)


@pytest.fixture(scope="module")
def importance(smollm: Tiny) -> Path:
    """What the tiny model's columns carry when it reads the texts."""
    out = smollm.file.with_name("importance.gguf")
    imatrix.collect(smollm.file, out, TEXTS, threads=1, chunk=64, datasets=["corpus"])
    return out


@pytest.fixture(scope="module")
def experts(granite: Tiny) -> Path:
    """The same of a model with experts."""
    imatrix.collect(granite.file, granite.file.with_name("importance.gguf"), TEXTS, threads=1, chunk=64)
    return granite.file.with_name("importance.gguf")


def _inputs(folder: Path, ids: list[list[int]]) -> tuple[Any, dict[str, Any]]:
    """The model as transformers runs it, and what flows into each of its modules: float64 (tokens, columns)."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    seen: dict[str, list[Any]] = {}

    def watch(name: str) -> Any:
        def hook(_module: Any, given: Any) -> None:
            seen.setdefault(name, []).append(given[0].detach().reshape(-1, given[0].shape[-1]).double().numpy())

        return hook

    for name, module in model.named_modules():
        if name.startswith("model.layers.") and (isinstance(module, torch.nn.Linear) or name.endswith("_moe")):
            module.register_forward_pre_hook(watch(name))
    with torch.no_grad():
        for tokens in ids:
            model(torch.tensor([tokens]))
    return model, {name: numpy.concatenate(rows) for name, rows in seen.items()}


def _tokens(of: Tiny, chunk: int) -> list[list[int]]:
    """The texts' tokens by the folder's own tokenizer, in chunks as the collector makes them."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(of.folder / "tokenizer.json"))
    ids = [token for text in TEXTS for token in tokenizer.encode(text, add_special_tokens=False).ids]
    return [ids[at : at + chunk] for at in range(0, len(ids), chunk)]


LINEAR = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def test_sums_are_those_of_transformers(smollm: Tiny, importance: Path) -> None:
    ids = _tokens(smollm, 64)
    _, inputs = _inputs(smollm.folder, ids)
    matrix = imatrix.read(importance)
    assert (matrix.datasets, matrix.chunk, matrix.chunks) == (("corpus",), 64, len(ids))
    assert matrix.entries.keys() == {
        f"blk.{layer}.{name}.weight" for name in LINEAR for layer in range(tiny_models.LAYERS)
    }
    for name, entry in matrix.entries.items():
        _, layer, part, _ = name.split(".")
        rows = inputs[f"model.layers.{layer}.{LINEAR[part]}"]
        assert entry.counts.tolist() == [len(rows)] == [sum(map(len, ids))]
        numpy.testing.assert_allclose(entry.sums[0], (rows**2).sum(axis=0), rtol=1e-5)


def test_each_expert_has_the_sums_of_the_tokens_that_chose_it(granite: Tiny, experts: Path) -> None:
    model, inputs = _inputs(granite.folder, _tokens(granite, 64))
    entries = imatrix.read(experts).entries
    assert len(entries) == 8 * tiny_models.LAYERS  # four of attention, the router, three of experts
    for layer in range(tiny_models.LAYERS):
        prefix = f"model.layers.{layer}.block_sparse_moe"
        rows, weights = inputs[prefix], dict(model.get_submodule(prefix).named_parameters())
        router, into = (weights[name].detach().double().numpy() for name in ("router.weight", "experts.gate_up_proj"))
        chosen = numpy.argsort(-(rows @ router.T), axis=1)[:, :2]
        for expert in range(tiny_models.EXPERTS):
            mine = rows[(chosen == expert).any(axis=1)]
            gate, up = numpy.split(mine @ into[expert].T, 2, axis=1)
            down = gate / (1 + numpy.exp(-gate)) * up
            for part, expected in (("gate", mine), ("up", mine), ("down", down)):
                entry = entries[f"blk.{layer}.ffn_{part}_exps.weight"]
                assert entry.counts[expert] == len(mine)
                numpy.testing.assert_allclose(entry.sums[expert], (expected**2).sum(axis=0), rtol=1e-5)


def test_a_model_with_experts_is_quantized_with_its_matrix(granite: Tiny, experts: Path, tmp_path: Path) -> None:
    done = quantize.quantize(granite.file, tmp_path / "out.gguf", "iq2_xxs", imatrix=experts, threads=1)
    assert done.unweighted == ()
    assert types(tmp_path / "out.gguf")["blk.0.ffn_gate_inp.weight"] == "F32"


def test_with_a_matrix_the_columns_that_matter_lose_less(smollm: Tiny, importance: Path, tmp_path: Path) -> None:
    means = {name: each.astype(numpy.float64) for name, each in imatrix.read(importance).means().items()}
    before = values(smollm.file)
    for kind in ("q2_k", "q4_0"):
        loss = {}
        for matrix in (None, importance):
            quantize.quantize(smollm.file, tmp_path / "out.gguf", kind, imatrix=matrix, threads=2)
            after = values(tmp_path / "out.gguf")
            loss[matrix] = {name: ((after[name] - before[name]) ** 2 * means[name]).sum() for name in means}
        assert sum(loss[importance].values()) < 0.93 * sum(loss[None].values()), kind


def test_the_result_notes_the_matrix(smollm: Tiny, importance: Path, tmp_path: Path) -> None:
    quantize.quantize(smollm.file, tmp_path / "out.gguf", "q4_k_m", imatrix=importance, threads=1)
    fields = {field.name: field.contents() for field in gguf.GGUFReader(tmp_path / "out.gguf").fields.values()}
    assert {key: value for key, value in fields.items() if key.startswith("quantize.imatrix.")} == {
        "quantize.imatrix.file": "importance.gguf",
        "quantize.imatrix.dataset": "corpus",
        "quantize.imatrix.entries_count": 14,
        "quantize.imatrix.chunks_count": imatrix.read(importance).chunks,
    }


def test_a_matrix_of_another_model_is_refused(smollm: Tiny, tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    for name, columns in (("blk.0.ffn_up.weight", 255), ("blk.7.ffn_up.weight", 256)):
        entry = Entry(numpy.ones((1, columns), numpy.float32), numpy.ones(1, numpy.float32))
        imatrix.write(tmp_path / "m.gguf", Matrix({name: entry}, (), 1, 64), "llama")
        with pytest.raises(DataError, match="belongs to another model"):
            quantize.quantize(smollm.file, out, "q4_k_m", imatrix=tmp_path / "m.gguf", threads=1)
    assert not out.exists()


def test_weights_that_the_matrix_lacks_are_named(smollm: Tiny, importance: Path, tmp_path: Path) -> None:
    whole = imatrix.read(importance)
    left = {name: entry for name, entry in whole.entries.items() if "ffn_up" not in name}
    imatrix.write(tmp_path / "m.gguf", Matrix(left, whole.datasets, whole.chunks, whole.chunk), "llama")
    done = quantize.quantize(smollm.file, tmp_path / "out.gguf", "q4_k_m", imatrix=tmp_path / "m.gguf", threads=1)
    assert set(done.unweighted) == {"blk.0.ffn_up.weight", "blk.1.ffn_up.weight"}
    assert "lacks 2 weights" in str(done)


def test_chunks_are_spread_over_the_texts(smollm: Tiny, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    done = imatrix.collect(
        smollm.file,
        tmp_path / "out.gguf",
        TEXTS,
        threads=1,
        chunk=32,
        most=3,
        say=lambda _what, done, total: told.append((done, total)),
    )
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert (done.chunks, done.tokens) == (3, 96)
    every = _tokens(smollm, 32)
    picked = [every[at * len(every) // 3] for at in range(3)]
    _, inputs = _inputs(smollm.folder, picked)
    expected = (inputs["model.layers.1.mlp.down_proj"] ** 2).sum(axis=0)
    sums = imatrix.read(tmp_path / "out.gguf").entries["blk.1.ffn_down.weight"].sums[0]
    numpy.testing.assert_allclose(sums, expected, rtol=1e-5)


def test_control_tokens_in_a_text_stay_text(smollm: Tiny, tmp_path: Path) -> None:
    done = imatrix.collect(smollm.file, tmp_path / "out.gguf", ["<|im_start|>"], threads=1)
    assert done.tokens > 3


def test_a_model_that_computes_no_numbers_is_refused(smollm: Tiny, tmp_path: Path) -> None:
    data = bytearray(smollm.file.read_bytes())
    norm = next(tensor for tensor in gguf.GGUFReader(smollm.file).tensors if tensor.name == "blk.0.attn_norm.weight")
    data[norm.data_offset : norm.data_offset + 4] = numpy.float32("nan").tobytes()
    (tmp_path / "nan.gguf").write_bytes(data)
    with pytest.raises(DataError, match="no numbers"):
        imatrix.collect(tmp_path / "nan.gguf", tmp_path / "out.gguf", TEXTS, threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["nan.gguf"]


def test_a_model_that_cannot_be_loaded_is_refused(smollm: Tiny, tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(smollm.file.read_bytes()[:-5000])
    with pytest.raises(ModelUnusable) as caught:
        imatrix.collect(tmp_path / "cut.gguf", tmp_path / "out.gguf", TEXTS, threads=1)
    assert "not within the file bounds" in caught.value.details
    assert [path.name for path in tmp_path.iterdir()] == ["cut.gguf"]


def test_tensors_of_another_layout_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    ggml.check_layout()
    fields: Any = ggml.Tensor._fields_

    class Older(ctypes.Structure):
        _fields_ = (*fields[:2], ("backend", ctypes.c_int64), *fields[2:])

    monkeypatch.setattr(ggml, "Tensor", Older)
    with pytest.raises(EngineError, match="unknown way"):
        ggml.check_layout()


def test_what_llama_cpp_lacks_is_named() -> None:
    with pytest.raises(EngineError) as caught:
        ggml.function("ggml_no_such_function", None)
    assert caught.value.details == "ggml_no_such_function"
