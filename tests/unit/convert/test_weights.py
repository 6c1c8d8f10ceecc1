"""Reading and writing safetensors: values as torch has them, every fault with a name, no half-written file."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy
import pytest
from safetensors.numpy import load_file

from convert.weights import INDEX, SINGLE, Weights, Writer, to_stored
from tide_chat.errors import DataError


def write(file: Path, values: dict[str, Any], dtype: str = "F32") -> Path:
    with Writer(file, {name: (dtype, value.shape) for name, value in values.items()}) as writer:
        for name, value in values.items():
            writer.write(name, to_stored(value, dtype))
    return file


def header(file: Path, entries: dict[str, Any], data: bytes = b"") -> Path:
    encoded = json.dumps(entries).encode()
    file.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)
    return file


def entry(dtype: str = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def noise(*shape: int) -> Any:
    return numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)


def test_round_trip(tmp_path: Path) -> None:
    values = {"b": noise(3, 4), "a": noise(5), "empty": noise(0, 4), "one": noise()}
    found = Weights.of_file(write(tmp_path / "x.safetensors", values))
    assert list(found) == ["a", "b", "empty", "one"]
    for name, value in values.items():
        assert numpy.array_equal(found.floats(name), value)
        assert found.info(name).shape == value.shape


def test_safetensors_reads_it(tmp_path: Path) -> None:
    values = {"b": noise(3, 4), "a": noise(5)}
    read = load_file(write(tmp_path / "x.safetensors", values))
    assert all(numpy.array_equal(read[name], values[name]) for name in values)


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16", "F64"])
def test_types_round_to_nearest(dtype: str, tmp_path: Path) -> None:
    value = noise(64, 64)
    found = Weights.of_file(write(tmp_path / "x.safetensors", {"x": value}, dtype)).floats("x")
    bits = {"F32": 24, "F64": 24, "F16": 11, "BF16": 8}[dtype]
    normal = numpy.abs(value) > 1e-4  # below, half precision has fewer bits
    assert (numpy.abs(found - value) <= 2.0**-bits * numpy.abs(value))[normal].all()


def test_bfloat16_rounds_ties_to_even() -> None:
    bits = numpy.array([0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0x80000001], dtype=numpy.uint32)
    assert to_stored(bits.view(numpy.float32), "BF16").tolist() == [0x3F80, 0x3F82, 0x3F81, 0x3F80, 0x8000]


@pytest.mark.parametrize("most", [1, 7, 12, 1000])
def test_blocks_are_the_whole(most: int, tmp_path: Path) -> None:
    values = {"two": noise(10, 4), "three": noise(5, 3, 2), "long": noise(50)}
    found = Weights.of_file(write(tmp_path / "x.safetensors", values, "BF16"))
    for name, value in values.items():
        blocks = list(found.blocks(name, most))
        assert numpy.array_equal(numpy.concatenate(blocks), found.floats(name))
        assert value.ndim == 1 or max(block.size for block in blocks) <= max(most, value.size // len(value))


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_no_numbers(dtype: str, wrong: float, tmp_path: Path) -> None:
    value = noise(8, 8)
    value[3, 3] = wrong
    file = tmp_path / "x.safetensors"
    bits = {"F32": value, "F16": value.astype(numpy.float16)}
    raw = bits.get(dtype, (value.view(numpy.uint32) >> 16).astype(numpy.uint16))
    with Writer(file, {"x": (dtype, (8, 8))}) as writer:
        writer.write("x", raw)
    for read in (Weights.of_file(file).floats, lambda name: list(Weights.of_file(file).blocks(name, 8))):
        with pytest.raises(DataError, match="no numbers") as caught:
            read("x")
        assert "x in x.safetensors" in caught.value.details


def test_a_sum_that_overflows_is_no_fault(tmp_path: Path) -> None:
    value = numpy.full((4, 4), 1.7e308)
    found = Weights.of_file(write(tmp_path / "x.safetensors", {"x": value}, "F64"))
    assert numpy.array_equal(found.floats("x"), value)


def test_integers_are_no_floats(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.safetensors", {"x": ("I64", (2,))}) as writer:
        writer.write("x", numpy.array([1, 2]))
    found = Weights.of_file(tmp_path / "x.safetensors")
    assert found.raw("x").tolist() == [1, 2]
    with pytest.raises(DataError, match="no floating-point"):
        found.floats("x")


def test_cut_short(tmp_path: Path) -> None:
    whole = write(tmp_path / "x.safetensors", {"x": noise(8, 8)}).read_bytes()
    for size in range(0, len(whole), 7):
        (tmp_path / "x.safetensors").write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"cut short|damaged"):
            Weights.of_file(tmp_path / "x.safetensors")


def test_cut_short_between_opening_and_reading(tmp_path: Path) -> None:
    file = write(tmp_path / "x.safetensors", {"x": noise(8, 8)})
    found = Weights.of_file(file)
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(DataError, match="cut short"):
        found.raw("x")


@pytest.mark.parametrize(
    "wrong",
    [
        entry(shape=(3,)),
        entry(offsets=(0, 4)),
        entry(offsets=(8, 0)),
        entry(offsets=(-8, 0)),
        entry(shape=(-1, -2)),
        entry(dtype="F8_E4M3"),
        entry(dtype="I64"),
        entry(offsets=(0,)),
        entry(offsets=(0, 800)),
        entry(shape=(1 << 62, 4), offsets=(0, 8)),
        {},
        [],
        None,
    ],
)
def test_wrong_headers(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        Weights.of_file(header(tmp_path / "x.safetensors", {"x": wrong}, bytes(8)))


@pytest.mark.parametrize("data", [b"", b"\x00" * 8, b"\xff" * 64, struct.pack("<Q", 4) + b"[1]]", b"PK\x03\x04" * 20])
def test_no_safetensors_file(data: bytes, tmp_path: Path) -> None:
    (tmp_path / SINGLE).write_bytes(data)
    with pytest.raises(DataError):
        Weights.of_model(tmp_path)


def sharded(folder: Path, shards: int = 3, *, index: bool = True) -> Path:
    files = [f"model-{number:05}-of-{shards:05}.safetensors" for number in range(1, shards + 1)]
    for number, file in enumerate(files):
        write(folder / file, {f"t{number}": noise(2, 2)})
    if index:
        where = {f"t{number}": file for number, file in enumerate(files)}
        (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": where}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("index", [True, False])
def test_shards(index: bool, tmp_path: Path) -> None:
    assert list(Weights.of_model(sharded(tmp_path, index=index))) == ["t0", "t1", "t2"]


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_shard_is_missing(index: bool, number: int, tmp_path: Path) -> None:
    sharded(tmp_path, index=index)
    (tmp_path / f"model-{number:05}-of-00003.safetensors").unlink()
    with pytest.raises(DataError, match="Shards of the weights are missing"):
        Weights.of_model(tmp_path)


def test_two_shards_hold_the_same(tmp_path: Path) -> None:
    sharded(tmp_path)
    write(tmp_path / "model-00002-of-00003.safetensors", {"t0": noise(2, 2)})
    with pytest.raises(DataError, match="occurs twice"):
        Weights.of_model(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": []}', '{"weight_map": null}', "{"])
def test_a_damaged_index(text: str, tmp_path: Path) -> None:
    (sharded(tmp_path) / INDEX).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="index"):
        Weights.of_model(tmp_path)


def test_an_index_that_leads_out_of_the_folder(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.safetensors", {"x": noise(2)})
    model = tmp_path / "model"
    model.mkdir()
    (model / INDEX).write_text(json.dumps({"weight_map": {"x": f"../{secret.name}"}}), encoding="utf-8")
    with pytest.raises(DataError, match="leads out"):
        Weights.of_model(model)


def test_no_weights_or_pickles_only(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"never read")
    with pytest.raises(DataError, match="no weights") as caught:
        Weights.of_model(tmp_path)
    assert "they can run code" in caught.value.help


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.safetensors", {"x": noise(2)})
    model = tmp_path / "model"
    model.mkdir()
    (model / SINGLE).symlink_to(secret)
    with pytest.raises(DataError, match="leads out of the folder"):
        Weights.of_model(model)
    with pytest.raises(DataError, match="leads out of the folder"):
        Weights.of_file(model / SINGLE)


def test_links_within_the_folder_and_the_hubs_cache(tmp_path: Path) -> None:
    write(tmp_path / "a" / "blob", {"x": noise(2)})
    (tmp_path / "a" / SINGLE).symlink_to("blob")
    assert "x" in Weights.of_model(tmp_path / "a")
    repo = tmp_path / "models--o--n"
    write(repo / "blobs" / "0123", {"x": noise(2)})
    snapshot = repo / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (snapshot / SINGLE).symlink_to(Path("..", "..", "blobs", "0123"))
    assert "x" in Weights.of_model(snapshot)
    (snapshot / SINGLE).unlink()
    (snapshot / SINGLE).symlink_to(write(tmp_path / "other", {"x": noise(2)}))
    with pytest.raises(DataError, match="leads out of the folder"):
        Weights.of_model(snapshot)


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no weights"):
        Weights.of_model(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot be read"):
        Weights.of_file(tmp_path / "nowhere.safetensors")


def test_a_missing_tensor(tmp_path: Path) -> None:
    found = Weights.of_file(write(tmp_path / "x.safetensors", {"x": noise(2)}))
    with pytest.raises(DataError, match="missing"):
        found.raw("y")


class Failed(BaseException):
    """What a writer meets in the middle."""


def _write_half(out: Path, failure: type[BaseException]) -> None:
    with Writer(out, {"x": ("F32", (2,)), "y": ("F32", (2,))}) as writer:
        writer.write("x", noise(2))
        raise failure


@pytest.mark.parametrize("failure", [Failed, KeyboardInterrupt, OSError])
def test_a_writer_that_fails_leaves_nothing(failure: type[BaseException], tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    with pytest.raises(failure):
        _write_half(out, failure)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_fails_keeps_what_was_there(tmp_path: Path) -> None:
    out = write(tmp_path / "x.safetensors", {"x": noise(2)})
    before = out.read_bytes()
    with pytest.raises(Failed):
        _write_half(out, Failed)
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


def test_a_writer_keeps_to_its_plan(tmp_path: Path) -> None:
    with Writer(tmp_path / "x.safetensors", {"x": ("F32", (2,)), "y": ("F32", (2,))}) as writer:
        with pytest.raises(ValueError, match="not the next"):
            writer.write("y", noise(2))
        with pytest.raises(DataError, match="shape changed"):
            writer.write("x", noise(3))
    assert list(tmp_path.iterdir()) == [], "a file that lacks tensors must not appear"


def test_no_disk_space_while_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "x.safetensors", {"x": noise(2)})
    assert list(tmp_path.iterdir()) == []
