"""`tide-convert` as its user runs it: from a run folder to a model that the app lists, and bad input to one line."""

import errno
import json
import os
import shutil
import tomllib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import gguf
import numpy
import pytest

from convert import cli, sources
from convert.verify import report
from convert.weights import SINGLE, Weights
from tests.integration import tiny_models
from tests.integration.hub_server import HubServer
from tests.unit.convert import folders
from tide_chat import atomic
from tide_chat.errors import HubError, ModelNotFound
from tide_chat.registry import Registry

RANK = 4
DOWN = "model.layers.0.mlp.down_proj"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path with a blank and an umlaut in it, as users have them."""
    return tiny_models.llama(tmp_path_factory.mktemp("Größe eins") / "my base", width=256)


@pytest.fixture(scope="module")
def run_folder(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "tide-tiny"
    values = folders.pair(DOWN, inner=inner(base), outer=256, rank=RANK)
    settings = {"r": RANK, "lora_alpha": 8, "target_modules": ["down_proj"], "base_model_name_or_path": str(base)}
    return folders.adapter(folder, values, **settings)


def inner(base: Path) -> int:
    return int(json.loads((base / "config.json").read_text(encoding="utf-8"))["intermediate_size"])


def run(*arguments: str | Path) -> int:
    return cli.main([str(argument) for argument in arguments])


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: str | Path) -> str:
    """The one message on standard error. Nothing that looks like a crash."""
    assert run(*arguments) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return err


def test_from_a_run_to_the_app(
    base: Path, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "files"
    options = ["--quant", "q8_0", "--install", "--samples", "2", "--threads", "1"]
    assert run("all", run_folder, "--out", out, *options) == 0
    words = capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == [
        "tide-tiny-f16.gguf",
        "tide-tiny-q8_0.gguf",
        "verify.json",
    ]
    assert "Use it with: tide-chat --model tide-tiny-q8_0" in words
    assert "tide-tiny-q8_0" in {one.alias for one in Registry.load().installed()}
    found = json.loads((out / "verify.json").read_text(encoding="utf-8"))["files"]
    assert found["tide-tiny-q8_0.gguf"]["passed"]
    assert found["tide-tiny-f16.gguf"]["numbers"]["kl_mean"] < 1e-5
    assert_rounded_once(out / "tide-tiny-f16.gguf", base, run_folder)


def assert_rounded_once(file: Path, base: Path, run_folder: Path) -> None:
    """The sum in f16: not first to the base's 8 bits of bf16 and then to f16."""
    adapter = Weights.of_file(run_folder / "adapter_model.safetensors")
    a, b = (adapter.floats(f"base_model.model.{DOWN}.lora_{part}.weight") for part in "AB")
    wanted = Weights.of_model(base).floats(f"{DOWN}.weight") + 8 / RANK * (b @ a)
    (found,) = (one.data for one in gguf.GGUFReader(file).tensors if one.name == "blk.0.ffn_down.weight")
    assert (numpy.abs(found.astype(numpy.float32) - wanted) <= numpy.abs(wanted) * 2**-11 + 1e-6).all()


def test_what_was_asked_for_and_passes_is_installed(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here f16 passes, and nothing is good enough for Q8_0. Each type is made once, however it is written."""
    monkeypatch.setattr(report, "KL_LIMITS", {**report.KL_LIMITS, "Q8_0": 0.0})
    other = tmp_path / ".other.merged"  # of another run, at work in this folder
    other.mkdir()
    options = ["--quant", "q8_0,Q8-0,f16", "--install", "--samples", "1", "--threads", "1"]
    assert run("all", run_folder, "--name", "tiny", "--out", tmp_path, *options) == 1
    words = capsys.readouterr().out
    assert words.count("Written:") == 2
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [other]
    assert "tiny-q8_0.gguf is not installed." in words
    names = {one.alias for one in Registry.load().installed()}
    assert "tiny-f16" in names
    assert "tiny-q8_0" not in names


def test_a_file_of_another_model_does_not_pass(
    base: Path, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file of the run held against the base alone: its values are others."""
    merged, file = tmp_path / "merged", tmp_path / "merged.gguf"
    assert run("merge", base, run_folder, "--out", merged) == 0
    assert "1 tensors changed" in capsys.readouterr().out
    assert run("gguf", merged, "--out", file) == 0
    assert run("verify", base, file, "--samples", "1", "--threads", "1") == 1
    assert "FAIL" in capsys.readouterr().out


def test_merging_with_a_scale_of_nothing_gives_the_base(base: Path, run_folder: Path, tmp_path: Path) -> None:
    assert cli.main(["merge", str(base), f"{run_folder}=0", "--out", str(tmp_path / "same")]) == 0
    for file in base.glob("*.safetensors"):
        assert (tmp_path / "same" / file.name).stat().st_size == file.stat().st_size


def test_an_adapter_as_gguf(run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lora", str(run_folder), "--out", str(tmp_path / "adapter.gguf")]) == 0
    assert "adapter.gguf" in capsys.readouterr().out


def test_an_adapter_goes_where_its_entry_says(base: Path, run_folder: Path, checkout: Path, tmp_path: Path) -> None:
    """A second time changes nothing: what ships can be made again by this command."""
    entry, file = tmp_path / "smollm2-135m-tide.toml", tmp_path / "smollm2-135m-tide.lora.gguf"
    shutil.copy(checkout / "models" / entry.name, entry)
    before = tomllib.loads(entry.read_text(encoding="utf-8"))
    assert run("ship", run_folder, "--entry", entry) == 0
    after, text, written = tomllib.loads(entry.read_text(encoding="utf-8")), entry.read_bytes(), file.read_bytes()
    assert after["adapter"] == {"file": file.name, "sha256": sha256(written).hexdigest()} != before["adapter"]
    assert {**after, "adapter": None} == {**before, "adapter": None}
    assert run("ship", run_folder, "--entry", entry, "--base", base) == 0
    assert (entry.read_bytes(), file.read_bytes()) == (text, written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alias = 1",
        "[adapter",
        '[adapter]\nfile = "a.gguf"\nsha256 = ""',
        f'[adapter]\nfile = "../a.gguf"\nsha256 = "{"0" * 64}"',
        f'[adapter]\nfile = ""\nsha256 = "{"0" * 64}"',
        f'[adapter]\nfile = ".."\nsha256 = "{"0" * 64}"',
        f'[adapter]\nfile = "entry.toml"\nsha256 = "{"0" * 64}"',
    ],
)
def test_an_entry_without_an_adapter(
    text: str, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = tmp_path / "models" / "entry.toml"
    entry.parent.mkdir()
    entry.write_text(text)
    assert "no" in fails(capsys, 4, "ship", run_folder, "--entry", entry)
    assert entry.read_text() == text
    assert [path.name for path in tmp_path.rglob("*.gguf")] == []


def test_a_checksum_that_stands_there_twice(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = tmp_path / "entry.toml"
    entry.write_text(f'other = "{"0" * 64}"\n[adapter]\nfile = "a.gguf"\nsha256 = "{"0" * 64}"')
    assert "stands there 2 times" in fails(capsys, 4, "ship", run_folder, "--entry", entry)
    assert [path.name for path in tmp_path.iterdir()] == ["entry.toml"]


def test_an_entry_that_cannot_be_written(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = tmp_path / "entry.toml"
    entry.write_text(f'[adapter]\nfile = "a.gguf"\nsha256 = "{"0" * 64}"')

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic, "write_text", full)
    assert "a.gguf is new already" in fails(capsys, 1, "ship", run_folder, "--entry", entry)
    assert (tmp_path / "a.gguf").is_file()


def test_there_and_back(base: Path, tmp_path: Path) -> None:
    assert cli.main(["gguf", str(base), "--out", str(tmp_path / "a.gguf"), "--type", "f32"]) == 0
    assert cli.main(["dequantize", str(tmp_path / "a.gguf"), "--out", str(tmp_path / "back")]) == 0
    assert cli.main(["gguf", str(tmp_path / "back"), "--out", str(tmp_path / "b.gguf"), "--type", "f32"]) == 0
    assert cli.main(["verify", str(base), str(tmp_path / "b.gguf"), "--samples", "1", "--threads", "1"]) == 0


@pytest.mark.parametrize("step", ["gguf", "merge", "verify"])
def test_a_folder_that_is_not_there(step: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rest = {"gguf": ["--out", "x.gguf"], "merge": ["adapter", "--out", "x"], "verify": ["x.gguf"]}[step]
    assert "There is no such folder." in fails(capsys, 3, step, tmp_path / "nothing", *rest)


def test_a_repository_that_was_never_fetched(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing is fetched unless it was asked for."""
    assert "Fetch it with --download" in fails(capsys, 3, "gguf", "some/model", "--out", tmp_path / "x.gguf")
    assert list(tmp_path.iterdir()) == []


def test_a_scale_that_is_no_number(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "A scale is no number." in fails(capsys, 2, "merge", base, "adapter=much", "--out", tmp_path / "out")


def test_an_unknown_type_is_found_before_any_work(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "files"
    assert "There is no type 'q4_k_x'." in fails(capsys, 2, "all", run_folder, "--quant", "q4_k_x", "--out", out)
    assert not out.exists()


def test_dialogues_are_read_before_any_work(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "held.jsonl").write_text("{}\n", encoding="utf-8")
    held, out = tmp_path / "held.jsonl", tmp_path / "files"
    assert "held.jsonl, line 1" in fails(capsys, 4, "all", run_folder, "--data", held, "--out", out)
    assert not out.exists()


@pytest.mark.parametrize("step", ["all", "gguf", "dequantize", "lora"])
def test_a_file_where_a_folder_should_be(
    step: str, base: Path, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert run("gguf", base, "--out", tmp_path / "m.gguf") == 0
    source = {"all": base, "gguf": base, "dequantize": tmp_path / "m.gguf", "lora": run_folder}[step]
    assert "could not be written" in fails(capsys, 1, step, source, "--out", tmp_path / "file" / "out")
    assert (tmp_path / "file").read_text() == "mine"


def test_types_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["types"]) == 0
    assert "q4_k_m" in capsys.readouterr().out


def test_a_model_from_the_hub_without_its_pickles(base: Path, tmp_path: Path, hub_server: HubServer) -> None:
    for file in base.iterdir():
        hub_server.add("maker/tiny", file.name, file.read_bytes())
    hub_server.add("maker/tiny", "pytorch_model.bin", b"anything")
    out = tmp_path / "tiny.gguf"
    assert cli.main(["gguf", "maker/tiny", "--out", str(out)]) == 3
    assert cli.main(["gguf", "maker/tiny", "--out", str(out), "--download"]) == 0
    asked = {request.path.rpartition("/")[2] for request in hub_server.log if request.server == "hub"}
    assert "config.json" in asked
    assert "pytorch_model.bin" not in asked
    asked_before = len(hub_server.log)
    assert cli.main(["gguf", "maker/tiny", "--out", str(out)]) == 0  # from the cache
    assert len(hub_server.log) == asked_before


def test_adapter_and_base_of_the_hub(
    base: Path, run_folder: Path, tmp_path: Path, hub_server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result lies in the folder of whoever asked, under the repository's name; the hub's cache stays as it is."""
    for repo, folder in (("maker/tiny", base), ("me/my-tuned", run_folder)):
        for file in folder.iterdir():
            if file.is_file():
                hub_server.add(repo, file.name, file.read_bytes())
    monkeypatch.chdir(tmp_path)
    options = ["--base", "maker/tiny", "--quant", "q8_0", "--samples", "1", "--threads", "1"]
    assert run("all", "me/my-tuned", *options) == 3
    assert run("all", "me/my-tuned", *options, "--download") == 0
    names = {"my-tuned-f16.gguf", "my-tuned-q8_0.gguf", "verify.json"}
    assert {path.name for path in (tmp_path / "my-tuned" / "gguf").iterdir()} == names
    title = gguf.GGUFReader(tmp_path / "my-tuned" / "gguf" / "my-tuned-q8_0.gguf").fields["general.name"].contents()
    assert title == "my-tuned"


def test_a_repository_that_the_hub_does_not_have(
    tmp_path: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    hub_server.add("maker/other", "config.json", b"{}")
    assert "The hub refused." in fails(capsys, 1, "gguf", "maker/none", "--out", tmp_path / "x.gguf", "--download")


def test_the_hub_is_asked_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that nobody answers at: a port of this machine that is closed."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelNotFound):
        sources.folder("some/model")
    with pytest.raises(HubError):
        sources.folder("some/model", download=True)


def shard_missing(base: Path, _run: Path) -> None:
    (base / SINGLE).rename(base / "model-00001-of-00002.safetensors")


def cut_short(base: Path, _run: Path) -> None:
    os.truncate(base / SINGLE, (base / SINGLE).stat().st_size - 1000)


def only_a_pickle(base: Path, _run: Path) -> None:
    (base / SINGLE).rename(base / "pytorch_model.bin")


def pickled_adapter(_base: Path, run: Path) -> None:
    (run / "adapter_model.safetensors").rename(run / "adapter_model.bin")


def link_out(base: Path, _run: Path) -> None:
    (base / SINGLE).rename(base.parent / "elsewhere.safetensors")
    (base / SINGLE).symlink_to(base.parent / "elsewhere.safetensors")


def another_base(_base: Path, run: Path) -> None:
    folders.write(run / "adapter_model.safetensors", folders.pair(DOWN, inner=7, outer=256, rank=RANK))


def no_number(_base: Path, run: Path) -> None:
    values = folders.pair(DOWN, inner=inner(_base), outer=256, rank=RANK)
    next(iter(values.values()))[1, 1] = numpy.nan
    folders.write(run / "adapter_model.safetensors", values)


def edit_config(key: str, value: object) -> Callable[[Path, Path], None]:
    def edit(base: Path, _run: Path) -> None:
        file = base / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {key: value}), encoding="utf-8")

    return edit


def unknown_tokenizer(base: Path, _run: Path) -> None:
    file = base / "tokenizer.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    data["pre_tokenizer"] = {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always"}
    file.write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (shard_missing, "Shards of the weights are missing. 1 of 2"),
        (cut_short, "cut short"),
        (only_a_pickle, "Pickles (.bin, .pt) are refused"),
        (pickled_adapter, "pickle"),
        (link_out, "out of the folder"),
        (another_base, "does not fit"),
        (no_number, "no number"),
        (edit_config("intermediate_size", 96), "shape"),
        (edit_config("model_type", "mamba"), "Known: bert, granitemoe, llama, phi3, qwen2."),
        (unknown_tokenizer, "Known: "),
    ],
)
def test_bad_input_is_one_error_and_leaves_nothing(
    spoil: Callable[[Path, Path], None],
    said: str,
    base: Path,
    run_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoiled, tuned, out = tmp_path / "base", tmp_path / "run", tmp_path / "out"
    shutil.copytree(base, spoiled)
    shutil.copytree(run_folder, tuned)
    spoil(spoiled, tuned)
    assert said in " ".join(fails(capsys, 4, "all", tuned, "--base", spoiled, "--out", out, "--install").split())
    assert not out.exists() or list(out.iterdir()) == []
