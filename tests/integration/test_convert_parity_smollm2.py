"""A real model with its whole vocabulary by both converters; llama.cpp recognises its pre-tokenizer by itself."""

from pathlib import Path

import gguf

from convert.dequantize import dequantize
from convert.gguf_file import convert
from tests.integration import llama_converter


def test_smollm2_is_converted_alike(embedded_model: Path, tmp_path: Path, checkout: Path) -> None:
    folder, ours, theirs = tmp_path / "SmolLM2-135M-Instruct", tmp_path / "ours.gguf", tmp_path / "theirs.gguf"
    dequantize(embedded_model, folder, dtype="BF16")
    convert(folder, ours, "bf16")
    llama_converter.run(checkout, [llama_converter.Job(folder, theirs, "bf16")])
    pair = llama_converter.Pair(gguf.GGUFReader(ours), gguf.GGUFReader(theirs))
    pair.assert_same_tensors()
    assert len(pair.ours.tensors) == 272
    assert pair.differing() == {"tokenizer.ggml.add_space_prefix"}
    assert llama_converter.keys(pair.ours)["tokenizer.ggml.pre"][1] == "smollm"
