"""`tide-convert` as its user runs it: from a run folder to a model that the app lists, and bad input to one line."""

import json
from pathlib import Path

import pytest

from convert import cli, sources
from tests.integration import tiny_models
from tests.integration.hub_server import HubServer
from tests.unit.convert import folders
from tide_chat.errors import HubError, ModelNotFound
from tide_chat.registry import Registry

RANK = 4


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path with a blank and an umlaut in it, as users have them."""
    return tiny_models.llama(tmp_path_factory.mktemp("Größe eins") / "my base", width=256)


@pytest.fixture(scope="module")
def run_folder(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "tide-tiny"
    values = folders.pair("model.layers.0.mlp.down_proj", inner=inner(base), outer=256, rank=RANK)
    settings = {"r": RANK, "lora_alpha": 8, "target_modules": ["down_proj"], "base_model_name_or_path": str(base)}
    return folders.adapter(folder, values, **settings)


def inner(base: Path) -> int:
    return int(json.loads((base / "config.json").read_text(encoding="utf-8"))["intermediate_size"])


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: str | Path) -> str:
    """The one message on standard error. Nothing that looks like a crash."""
    assert cli.main([str(argument) for argument in arguments]) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return err


def test_from_a_run_to_the_app(run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "files"
    arguments = ["all", run_folder, "--quant", "q8_0", "--out", out, "--install", "--samples", "2", "--threads", "1"]
    assert cli.main([str(argument) for argument in arguments]) == 0
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


def test_what_does_not_pass_is_not_installed(
    base: Path, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file of the run held against the base alone: its values are others."""
    merged, file = tmp_path / "merged", tmp_path / "merged.gguf"
    assert cli.main(["merge", str(base), str(run_folder), "--out", str(merged)]) == 0
    assert "1 tensors changed" in capsys.readouterr().out
    assert cli.main(["gguf", str(merged), "--out", str(file)]) == 0
    assert cli.main(["verify", str(base), str(file), "--samples", "1", "--threads", "1"]) == 1
    assert "FAIL" in capsys.readouterr().out


def test_merging_with_a_scale_of_nothing_gives_the_base(base: Path, run_folder: Path, tmp_path: Path) -> None:
    assert cli.main(["merge", str(base), f"{run_folder}=0", "--out", str(tmp_path / "same")]) == 0
    for file in base.glob("*.safetensors"):
        assert (tmp_path / "same" / file.name).stat().st_size == file.stat().st_size


def test_an_adapter_as_gguf(run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lora", str(run_folder), "--out", str(tmp_path / "adapter.gguf")]) == 0
    assert "adapter.gguf" in capsys.readouterr().out


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
