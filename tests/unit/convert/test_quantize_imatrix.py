"""Importance matrices as files, and the texts that they are made from."""

import json
from pathlib import Path

import gguf
import numpy
import pytest

from convert import imatrix
from convert.imatrix import Entry, Matrix
from tests.integration.gguf_files import write_gguf
from tide_chat.errors import DataError, ModelNotFound, ModelUnusable, UsageError


def matrix() -> Matrix:
    dense = Entry(numpy.array([[2.0, 4.0, 0.0]], numpy.float32), numpy.array([2.0], numpy.float32))
    experts = Entry(numpy.array([[3.0, 6.0], [0.0, 0.0]], numpy.float32), numpy.array([3.0, 0.0], numpy.float32))
    entries = {"blk.0.ffn_down.weight": dense, "blk.0.ffn_up_exps.weight": experts}
    return Matrix(entries, ("dialogues.jsonl",), 7, 512)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    imatrix.write(tmp_path / "m.gguf", matrix(), "llama")
    return tmp_path / "m.gguf"


def test_means_are_per_expert_and_one_where_nothing_was_seen() -> None:
    means = matrix().means()
    assert means["blk.0.ffn_down.weight"].tolist() == [1.0, 2.0, 0.0]
    assert means["blk.0.ffn_up_exps.weight"].tolist() == [1.0, 2.0, 1.0, 1.0]
    assert all(values.dtype == numpy.float32 for values in means.values())


def test_what_is_written_is_read(written: Path) -> None:
    read = imatrix.read(written)
    assert (read.datasets, read.chunks, read.chunk) == (("dialogues.jsonl",), 7, 512)
    assert read.entries.keys() == matrix().entries.keys()
    for name, entry in matrix().entries.items():
        assert read.entries[name].sums.tolist() == entry.sums.tolist()
        assert read.entries[name].counts.tolist() == entry.counts.tolist()


def test_the_form_is_the_one_of_llama_cpp(written: Path) -> None:
    reader = gguf.GGUFReader(written)
    values = {field.name: field.contents() for field in reader.fields.values()}
    assert values["general.type"] == "imatrix"
    assert (values["imatrix.chunk_count"], values["imatrix.chunk_size"]) == (7, 512)
    assert values["imatrix.datasets"] == ["dialogues.jsonl"]
    shapes = {tensor.name: tensor.shape.tolist() for tensor in reader.tensors}  # fastest dimension first
    assert shapes == {
        "blk.0.ffn_down.weight.in_sum2": [3, 1],
        "blk.0.ffn_down.weight.counts": [1, 1],
        "blk.0.ffn_up_exps.weight.in_sum2": [2, 2],
        "blk.0.ffn_up_exps.weight.counts": [1, 2],
    }


def test_a_matrix_without_its_end_is_refused(written: Path) -> None:
    whole = written.read_bytes()
    for size in (0, 10, 100, len(whole) // 2, len(whole) - 40):
        written.write_bytes(whole[:size])
        with pytest.raises(DataError, match="cannot be read"):
            imatrix.read(written)


def test_a_model_is_no_matrix(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        imatrix.read(write_gguf(tmp_path / "model.gguf"))
    assert "It holds a model" in caught.value.details


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -1.0])
def test_values_that_are_no_sums_are_refused(tmp_path: Path, wrong: float) -> None:
    entry = Entry(numpy.array([[1.0, wrong]], numpy.float32), numpy.array([1.0], numpy.float32))
    imatrix.write(tmp_path / "m.gguf", Matrix({"blk.0.ffn_up.weight": entry}, (), 1, 512), "llama")
    with pytest.raises(DataError, match="cannot be read"):
        imatrix.read(tmp_path / "m.gguf")


def test_sums_without_counts_are_refused(written: Path) -> None:
    written.write_bytes(written.read_bytes().replace(b"blk.0.ffn_down.weight.counts", b"blk.0.ffn_down.weight.kounts"))
    with pytest.raises(DataError, match="cannot be read"):
        imatrix.read(written)


def test_dialogues_become_texts(tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    lines = [
        {"user_input": "Hello.", "reference_response": "Hi.", "factors": {}},
        {
            "user_input": "One",
            "reference_response": "Two",
            "more_turns": [{"user_input": "Three", "reference_response": "Four"}],
        },
    ]
    file.write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8")
    assert imatrix.texts_from(file) == ["Hello.\n\nHi.\n\n", "One\n\nTwo\n\nThree\n\nFour\n\n"]


def test_any_other_file_is_one_text(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("Some\ntext.", encoding="utf-8")
    assert imatrix.texts_from(tmp_path / "t.txt") == ["Some\ntext."]


@pytest.mark.parametrize("line", ["{", "[]", "3", '{"user_input": "x"}', '{"user_input": 1, "more_turns": 3}'])
def test_a_line_that_is_no_dialogue_is_named(tmp_path: Path, line: str) -> None:
    good = '{"user_input": "x", "reference_response": "y"}\n'
    (tmp_path / "d.jsonl").write_text(good + line, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        imatrix.texts_from(tmp_path / "d.jsonl")
    assert "line 2" in caught.value.details


def test_texts_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        imatrix.texts_from(tmp_path / "absent.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError):
        imatrix.texts_from(tmp_path / "bytes.txt")


def test_collecting_refuses_before_it_loads_anything(tmp_path: Path, written: Path) -> None:
    out, model = tmp_path / "out.gguf", write_gguf(tmp_path / "model.gguf")
    with pytest.raises(ModelNotFound):
        imatrix.collect(tmp_path / "absent.gguf", out, ["text"])
    with pytest.raises(ModelUnusable):
        imatrix.collect(written, out, ["text"])
    with pytest.raises(ModelUnusable):
        imatrix.collect(write_gguf(tmp_path / "bert.gguf", architecture="bert"), out, ["text"])
    with pytest.raises(DataError, match="no text"):
        imatrix.collect(model, out, [" ", "\n"])
    with pytest.raises(UsageError):
        imatrix.collect(model, out, ["text"], chunk=1)
    with pytest.raises(UsageError):
        imatrix.collect(model, out, ["text"], most=0)
    assert not out.exists()
