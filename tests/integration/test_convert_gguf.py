"""What llama.cpp makes of our GGUF files: the same tokens as the tokenizer, the same logits as transformers."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy
import pytest
import torch
import transformers
from tokenizers import Tokenizer

from convert.gguf_file import convert
from tests.integration import tiny_models

ALL = {**tiny_models.MAKERS, "bert": tiny_models.bert}
F32 = 0  # ggml's number
TEXT = "I could not sleep last night, and the noise of the street would not stop. What helps you, 1234 or 5? " * 2


@pytest.fixture(scope="module", params=list(ALL))
def converted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """Family, folder and its f32 GGUF. The folder has a name that programs like to stumble over."""
    folder = tmp_path_factory.mktemp(f"with space é {request.param}") / tiny_models.FOLDERS[request.param]
    ALL[request.param](folder)
    out = folder.parent / "モデル f32.gguf"
    convert(folder, out, "f32")
    return request.param, folder, out


@pytest.fixture
def vocabulary(converted: tuple[str, Path, Path]) -> Iterator[llama_cpp.Llama]:
    model = llama_cpp.Llama(str(converted[2]), vocab_only=True, verbose=False)
    yield model
    model.close()


def texts(folder: Path) -> list[str]:
    """The corpus, and every special token among words, spaces and other ones."""
    special = list(tiny_models.specials(folder))
    around = [text for token in special for text in (token, f"a{token}b", f" {token} word", f"{token}\n\n {token}")]
    return [*tiny_models.NASTY, *tiny_models.CORPUS, *around, "".join(special), "x".join(special)]


def test_tokens_are_those_of_the_tokenizer(converted: tuple[str, Path, Path], vocabulary: llama_cpp.Llama) -> None:
    family, folder, _ = converted
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in texts(folder):
        if family == "bert" and max(map(len, text.split()), default=0) > 100:
            continue  # one unknown token for tokenizers, pieces for llama.cpp: no file can say it
        expected = tokenizer.encode(text, add_special_tokens=False).ids
        found = vocabulary.tokenize(text.encode(), add_bos=False, special=True)
        assert found == expected, f"{family}: {text!r}"


def test_what_is_put_around_a_text_is_the_same(converted: tuple[str, Path, Path], vocabulary: llama_cpp.Llama) -> None:
    tokenizer = Tokenizer.from_file(str(converted[1] / "tokenizer.json"))
    expected = tokenizer.encode("Hello world").ids
    assert vocabulary.tokenize(b"Hello world", add_bos=True, special=True) == expected


def test_rendered_chats_have_the_same_tokens(converted: tuple[str, Path, Path], vocabulary: llama_cpp.Llama) -> None:
    """With the template that the file carries, by the tokenizer that training uses."""
    family, folder, out = converted
    if family == "bert":
        assert "tokenizer.chat_template" not in gguf.GGUFReader(out).fields
        return
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    messages = [
        {"role": "user", "content": "Hello, I can't sleep."},
        {"role": "assistant", "content": " What keeps you awake?\n"},
        {"role": "user", "content": "\nThe noise 😀"},
    ]
    field = gguf.GGUFReader(out).fields["tokenizer.chat_template"]
    assert field.contents() == tokenizer.chat_template
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    expected = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert vocabulary.tokenize(text.encode(), add_bos=False, special=True) == expected


def test_generation_stops_where_the_model_says(converted: tuple[str, Path, Path], vocabulary: llama_cpp.Llama) -> None:
    family, folder, _ = converted
    if family == "bert":
        assert not (folder / "generation_config.json").exists()
        return
    stops = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))["eos_token_id"]
    native = llama_cpp.llama_model_get_vocab(vocabulary.model)
    known = {number for number in range(vocabulary.n_vocab()) if llama_cpp.llama_vocab_is_eog(native, number)}
    role = {tiny_models.specials(folder)["<|assistant|>"]} if family == "phi3" else set()  # a role, never a reply's end
    assert set(stops if isinstance(stops, list) else [stops]) - role <= known


def test_logits_are_those_of_transformers(converted: tuple[str, Path, Path]) -> None:
    family, folder, out = converted
    if family == "bert":
        ours, theirs = embedded(out), encoded(folder)
        assert float(ours @ theirs) > 1 - 1e-6
        return
    tokens = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(TEXT).ids
    assert len(tokens) > 60
    ours, theirs = runtime_logits(out, tokens), torch_logits(folder, tokens)
    assert divergence(theirs, ours).max() < 1e-6
    assert abs(ours - theirs).max() < 1e-3
    assert theirs.std() > 0.1  # not all alike


@pytest.mark.parametrize("family", ["llama", "phi3"])
def test_the_newer_form_of_config_means_the_same(family: str, tmp_path: Path) -> None:
    files = []
    for form in ("old", "new"):
        folder = tiny_models.MAKERS[family](tmp_path / form / tiny_models.FOLDERS[family], form=form)
        files.append(tmp_path / f"{form}.gguf")
        convert(folder, files[-1], "f16")
    assert files[0].read_bytes() == files[1].read_bytes()


def test_saved_by_transformers_converts_alike(tmp_path: Path) -> None:
    """Loaded and saved again, config and weights are written in another form and order; nothing may change."""
    folder = tiny_models.llama(tmp_path / "one" / "Llama-3.2-1B-Instruct")
    saved = tmp_path / "two" / folder.name
    transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(saved)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(saved)
    for source, out in ((folder, "one.gguf"), (saved, "two.gguf")):
        convert(source, tmp_path / out, "f16")
    one, two = (gguf.GGUFReader(tmp_path / out) for out in ("one.gguf", "two.gguf"))
    fields = [{name: field.contents() for name, field in reader.fields.items()} for reader in (one, two)]
    assert fields[0] == fields[1]
    for ours, theirs in zip(one.tensors, two.tensors, strict=True):
        assert ours.name == theirs.name
        assert numpy.array_equal(ours.data, theirs.data)


def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path) -> None:
    """The system refuses a write half-way, as a full disk does."""
    folder = tiny_models.qwen2(tmp_path / "model")
    script = (
        "import sys; from pathlib import Path; from convert.gguf_file import convert\n"
        "from tide_chat.errors import TideError\n"
        "try: convert(Path(sys.argv[1]), Path(sys.argv[2]), 'f32')\n"
        "except TideError as error: sys.exit(f'{type(error).__name__}: {error}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(tmp_path / "out" / "model.gguf")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        cwd=Path(__file__).resolve().parents[2],
        preexec_fn=limit_files,
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "TideError: The output could not be written.")
    assert "File too large" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


def runtime_logits(file: Path, tokens: list[int]) -> Any:
    """(tokens, vocabulary), with keys and values in float32."""
    model = llama_cpp.Llama(
        str(file), n_ctx=512, n_batch=512, n_threads=1, logits_all=True, type_k=F32, type_v=F32, verbose=False
    )
    try:
        model.eval(tokens)
        return numpy.array(model.scores[: len(tokens)], dtype=numpy.float64)
    finally:
        model.close()


def torch_logits(folder: Path, tokens: list[int]) -> Any:
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        return model(input_ids=torch.tensor([tokens])).logits[0].double().numpy()


def divergence(p: Any, q: Any) -> Any:
    """KL of each row's distributions, in nats."""
    p, q = (values - numpy.logaddexp.reduce(values, axis=1, keepdims=True) for values in (p, q))
    return (numpy.exp(p) * (p - q)).sum(axis=1)


def embedded(file: Path) -> Any:
    model = llama_cpp.Llama(str(file), n_ctx=128, n_threads=1, embedding=True, verbose=False)
    try:
        vector = numpy.array(model.embed(TEXT[:90]), dtype=numpy.float64)
    finally:
        model.close()
    return vector / numpy.linalg.norm(vector)


def encoded(folder: Path) -> Any:
    """The mean of the last layer, of length one."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = transformers.BertModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False)
    with torch.inference_mode():
        hidden = model(input_ids=torch.tensor([tokenizer.encode(TEXT[:90]).ids])).last_hidden_state[0]
    vector = hidden.double().numpy().mean(axis=0)
    return vector / numpy.linalg.norm(vector)
