"""Quantizing with the real runtime, on tiny models and on the embedded one."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import gguf
import numpy
import psutil
import pytest

from convert import imatrix, quantize
from convert.imatrix import Entry, Matrix
from convert.native import Native
from convert.quantize import TYPES
from convert.quantize_types import Kind
from tests.integration.tiny_gguf import Tiny, tiny, types, values
from tide_chat.errors import DataError, EngineDied, ModelUnusable, UsageError
from tide_chat.registry.gguf_header import read_header


@pytest.fixture(scope="module")
def smollm(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Rows of 256 and 512: whole blocks for every type."""
    return tiny("smollm", tmp_path_factory.mktemp("smollm"), 256)


def _is_clean(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if ".part" in path.name]


def test_a_model_becomes_smaller_and_says_how(smollm: Tiny, tmp_path: Path) -> None:
    out, told = tmp_path / "with spaces äö" / "tiny q4.gguf", []
    done = quantize.quantize(
        smollm.file, out, "q4_k_m", threads=1, say=lambda what, done, total: told.append((what, done, total))
    )
    found = types(out)
    assert done.file == out
    assert done.size == out.stat().st_size < smollm.file.stat().st_size / 4
    assert dict(done.types) == {name: [*found.values()].count(name) for name in found.values()}
    assert {"Q4_K", "Q6_K", "F32"} == done.types.keys()
    sizes = {tensor.name: int(tensor.n_bytes) for tensor in gguf.GGUFReader(out).tensors}
    assert done.bits == pytest.approx(8 * sum(sizes.values()) / read_header(out).parameters)
    assert (done.fallbacks, done.unweighted) == ((), ())
    assert read_header(out).quantization == "Q4_K_M"
    assert {what for what, _, _ in told} == {"Quantizing"}
    counts = [count for _, count, _ in told]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, told[-1][2])
    assert len(counts) == len(found) + 1
    assert _is_clean(tmp_path)


def test_each_tensor_stays_near_what_it_was(smollm: Tiny, tmp_path: Path) -> None:
    before, errors = values(smollm.file), {}
    for kind in ("q8_0", "q4_k_m", "q2_k"):
        quantize.quantize(smollm.file, tmp_path / "out.gguf", kind, threads=1)
        after = values(tmp_path / "out.gguf")
        assert after.keys() == before.keys()
        weights = [name for name in before if before[name].ndim > 1]
        errors[kind] = max(
            float(numpy.linalg.norm(after[name] - before[name]) / numpy.linalg.norm(before[name])) for name in weights
        )
        assert all((after[name] == before[name]).all() for name in before if name not in weights)
    assert errors["q8_0"] < 0.01 < errors["q4_k_m"] < 0.1 < errors["q2_k"] < 0.4


def test_q8_0_is_that_of_the_formats_own_library(smollm: Tiny, tmp_path: Path) -> None:
    quantize.quantize(smollm.file, tmp_path / "out.gguf", "Q8_0", threads=2)
    before = values(smollm.file)
    for tensor in gguf.GGUFReader(tmp_path / "out.gguf").tensors:
        if tensor.tensor_type.name == "Q8_0":
            theirs = gguf.quants.quantize(before[tensor.name], gguf.GGMLQuantizationType.Q8_0)
            assert (numpy.asarray(tensor.data).ravel() == theirs.ravel()).all(), tensor.name


def test_what_the_table_says_of_importance_is_so(tmp_path: Path) -> None:
    """Each type that can do without a matrix is made with one too: other bytes or the same. The others are refused.

    They are not all made: the search grids of some take llama.cpp many seconds to set up.
    """
    file, _ = _written(tmp_path / "small.gguf", layers=1, width=256, inner=512, narrow=8, tokens=8, rows=8)
    matrix = _any_matrix(file)
    with Native() as native:

        def made(kind: Kind, matrix: Path | None) -> bytes:
            """The weights' bytes."""
            out, given = tmp_path / "out.gguf", str(matrix) if matrix else None
            native.ask("quantize", source=str(file), out=str(out), number=kind.number, threads=1, imatrix=given)
            assert read_header(out).file_type == kind.number
            sizes = [tensor["size"] for tensor in native.ask("tensors", files=[str(out)])]
            return out.read_bytes()[-sum(-(-size // 32) * 32 for size in sizes) :]

        for kind in TYPES:
            if kind.imatrix == "needed":
                with pytest.raises(ModelUnusable) as caught:
                    made(kind, None)
                assert "requires an imatrix" in caught.value.details
            else:
                assert (made(kind, None) == made(kind, matrix)) == (kind.imatrix == "unused"), kind


def _any_matrix(model: Path) -> Path:
    source = numpy.random.default_rng(1)
    entries = {
        tensor.name: Entry(source.random((1, int(tensor.shape[0])), numpy.float32), numpy.ones(1, numpy.float32))
        for tensor in gguf.GGUFReader(model).tensors
        if tensor.name.startswith("blk.") and len(tensor.shape) > 1
    }
    imatrix.write(model.with_name("m.gguf"), Matrix(entries, (), 1, 512), "llama")
    return model.with_name("m.gguf")


def test_bits_of_the_table_are_those_of_a_model_of_that_shape(tmp_path: Path) -> None:
    """Llama-3.2-3B with no bytes in it: the file is one hole."""
    file, count = _written(tmp_path / "hollow.gguf", layers=28, width=3072, inner=8192, narrow=1024, tokens=128256)
    with Native() as native:
        for kind in TYPES:
            size = native.ask("estimate", source=str(file), number=kind.number)
            assert 8 * size / count == pytest.approx(kind.bits, abs=0.006), kind


def _written(
    file: Path, *, layers: int, width: int, inner: int, narrow: int, tokens: int, rows: int | None = None
) -> tuple[Path, int]:
    """A llama model of that shape, and how many values it has.

    With `rows`, each matrix has so many, all random: enough to quantize, too few to run. Else f16, a hole on the disk.
    """
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (tokens, width), "output_norm": (width,)}
    for layer in range(layers):
        square = dict.fromkeys(("attn_q", "attn_output"), (width, width))
        thin = dict.fromkeys(("attn_k", "attn_v"), (narrow, width))
        wide = {"ffn_gate": (inner, width), "ffn_up": (inner, width), "ffn_down": (width, inner)}
        norms = dict.fromkeys(("attn_norm", "ffn_norm"), (width,))
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in (square | thin | wide | norms).items()}
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_block_count(layers)
    writer.add_context_length(2048)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(24)
    writer.add_head_count_kv(8)
    writer.add_layer_norm_rms_eps(1e-5)
    source, size = numpy.random.default_rng(0), 0
    for name, shape in shapes.items():
        if rows:
            short = (rows, *shape[1:]) if len(shape) > 1 else shape
            writer.add_tensor(f"{name}.weight", source.standard_normal(short, numpy.float32))
        else:
            dtype = numpy.dtype(numpy.float16 if len(shape) > 1 else numpy.float32)
            writer.add_tensor_info(f"{name}.weight", shape, dtype, prod(shape) * dtype.itemsize)
            size += prod(shape) * dtype.itemsize
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file() if rows else writer.write_ti_data_to_file()
    writer.close()
    if not rows:
        os.truncate(file, file.stat().st_size + 32 + size)
    return file, sum(map(prod, shapes.values()))


@pytest.mark.parametrize(("width", "instead"), [(96, "Q5_0"), (80, "F16")])
def test_rows_that_are_no_whole_blocks_are_named(tmp_path: Path, width: int, instead: str) -> None:
    odd_rows = tiny("smollm", tmp_path, width)
    done = quantize.quantize(odd_rows.file, tmp_path / "out.gguf", "q4_k_m", threads=1)
    found = types(tmp_path / "out.gguf")
    odd = {name for name, kind in found.items() if kind != "F32"}
    assert {fallback.tensor for fallback in done.fallbacks} == odd
    assert {fallback.columns for fallback in done.fallbacks} == {width, 2 * width}
    assert all(fallback.type == found[fallback.tensor] for fallback in done.fallbacks)
    assert {fallback.tensor: fallback.type for fallback in done.fallbacks}["blk.0.attn_q.weight"] == instead
    assert "256 does not divide" in str(done)


def test_a_model_in_parts_becomes_one_file(smollm: Tiny, tmp_path: Path) -> None:
    parts = _split(smollm.file, tmp_path / "model.gguf", 5)
    assert len(parts) > 2
    quantize.quantize(parts[0], tmp_path / "from-parts.gguf", "q8_0", threads=1)
    quantize.quantize(smollm.file, tmp_path / "from-one.gguf", "q8_0", threads=1)
    of_parts, of_one = values(tmp_path / "from-parts.gguf"), values(tmp_path / "from-one.gguf")
    assert of_parts.keys() == of_one.keys()
    assert all((of_parts[name] == of_one[name]).all() for name in of_one)
    with pytest.raises(ModelUnusable, match="one of"):
        quantize.quantize(parts[1], tmp_path / "out.gguf", "q8_0", threads=1)
    parts[-1].unlink()
    with pytest.raises(ModelUnusable):
        quantize.quantize(parts[0], tmp_path / "out.gguf", "q8_0", threads=1)
    assert not (tmp_path / "out.gguf").exists()


def _split(source: Path, out: Path, tensors: int) -> list[Path]:
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(out, "llama", split_max_tensors=tensors)
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            kind, *inner = field.types
            writer.add_key_value(field.name, field.contents(), kind, sub_type=inner[-1] if inner else None)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, numpy.array(tensor.data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(out.parent.glob(f"{out.stem}-*.gguf"))


# -- refusals and faults ---------------------------------------------------------------------------------------------


def test_a_quantized_source_is_refused_unless_asked_for(embedded_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="quantized already") as caught:
        quantize.quantize(embedded_model, tmp_path / "out.gguf", "q8_0", threads=1)
    assert "Q4_1" in caught.value.details
    assert "--allow-requantize" in caught.value.help
    assert not any(tmp_path.iterdir())
    done = quantize.quantize(embedded_model, tmp_path / "out.gguf", "q8_0", threads=2, allow_requantize=True)
    assert done.types.keys() == {"Q8_0", "F32"}


def test_a_type_that_needs_a_matrix_is_refused_without(smollm: Tiny, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="IQ2_XS needs an importance matrix"):
        quantize.quantize(smollm.file, tmp_path / "out.gguf", "iq2_xs", threads=1)
    assert not any(tmp_path.iterdir())


def test_the_source_is_never_replaced(smollm: Tiny, tmp_path: Path) -> None:
    (tmp_path / "link.gguf").symlink_to(smollm.file)
    before = smollm.file.read_bytes()
    for out in (smollm.file, tmp_path / "link.gguf"):
        with pytest.raises(UsageError, match="replace its source"):
            quantize.quantize(smollm.file, out, "q8_0", threads=1)
    assert smollm.file.read_bytes() == before


def _broken(how: str, data: bytes) -> bytes:
    match how:
        case "empty":
            return b""
        case "text":
            return b"This is no model. " * 100
        case "cut in the header":
            return data[:3000]
        case "cut in the weights":
            return data[:-5000]
        case "no numbers":
            return data[:-2000] + b"\xff" * 1000 + data[-1000:]
        case "unknown architecture":
            return data.replace(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0llamo")
        case _:
            return data.replace(b"llama.block_count", b"llama.block_kount")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("empty", "empty"),
        ("text", "not in GGUF format"),
        ("cut in the header", "cut off"),
        ("cut in the weights", "at least"),
        ("no numbers", "invalid data"),
        ("unknown architecture", "llamo"),
        ("a key missing", "llama.block_count"),
    ],
)
def test_a_broken_source_is_one_clear_error(smollm: Tiny, tmp_path: Path, how: str, said: str) -> None:
    source, out = tmp_path / "broken.gguf", tmp_path / "out" / "out.gguf"
    source.write_bytes(_broken(how, smollm.file.read_bytes()))
    with pytest.raises(ModelUnusable) as caught:
        quantize.quantize(source, out, "q4_k_m", threads=1)
    assert said in caught.value.details
    assert not out.exists()
    assert _is_clean(tmp_path)


def test_no_room_is_seen_before_anything_is_written(
    smollm: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: real._replace(free=100_000))
    with pytest.raises(DataError, match="not enough room"):
        quantize.quantize(smollm.file, tmp_path / "out.gguf", "q8_0", threads=1)
    assert not any(tmp_path.iterdir())


@pytest.fixture
def file_limit() -> Iterator[Any]:
    """Limits how large a file this process and its children may write: a disk that fills up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("missing", [1_000_000, 40])
def test_a_disk_that_fills_up_leaves_nothing(smollm: Tiny, tmp_path: Path, file_limit: Any, missing: int) -> None:
    size = quantize.quantize(smollm.file, tmp_path / "whole.gguf", "q8_0", threads=1).size
    file_limit(size - missing)
    with pytest.raises(DataError, match=r"could not be written|not whole"):
        quantize.quantize(smollm.file, tmp_path / "out.gguf", "q8_0", threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["whole.gguf"]


def _natives() -> list[psutil.Process]:
    alive = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "convert.native" in child.cmdline()]


def test_ctrl_c_ends_the_child_and_leaves_nothing(smollm: Tiny, tmp_path: Path) -> None:
    seen: list[psutil.Process] = []

    def interrupt(_what: str, done: int, _total: int) -> None:
        seen.extend(_natives())
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantize.quantize(smollm.file, tmp_path / "out.gguf", "q2_k", threads=1, say=interrupt)
    assert seen
    assert not any(child.is_running() for child in seen)
    assert not any(tmp_path.iterdir())


def test_a_crash_of_native_code_is_an_error_with_its_last_words(smollm: Tiny, tmp_path: Path) -> None:
    def kill(_what: str, _done: int, _total: int) -> None:
        for child in _natives():
            child.send_signal(signal.SIGSEGV)

    with pytest.raises(EngineDied) as caught:
        quantize.quantize(smollm.file, tmp_path / "out.gguf", "q2_k", threads=1, say=kill)
    assert "SIGSEGV" in caught.value.details
    assert not any(tmp_path.iterdir())
    with Native() as native, pytest.raises(EngineDied) as caught:
        native.ask("no such job")
    assert "KeyError: 'no such job'" in caught.value.details


def test_the_child_ends_with_its_parent() -> None:
    script = "from convert.native import Native\nwith Native() as n:\n    print(n._child.pid, flush=True)\n    input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(10)
    assert not child.is_running()
