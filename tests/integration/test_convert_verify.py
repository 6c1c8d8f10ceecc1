"""Verification of tiny models: right files pass, files that are wrong in one point fail at that point."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convert import gguf_file
from convert.verify import Report, compare, dialogues, speed, verify
from convert.verify import folder as folders
from convert.verify.measure import measure, sample
from convert.verify.reference import Reference
from convert.verify.runtime import Runtime
from convert.weights import SINGLE, Weights, Writer
from tests.integration import tiny_models
from tide_chat.errors import DataError, EngineDied, ModelNotFound, ModelUnusable, TideError

Spoil = Callable[[Path], None]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.llama(tmp_path_factory.mktemp("llama") / tiny_models.FOLDERS["llama"])


@pytest.fixture(scope="module")
def right(llama: Path) -> Path:
    gguf_file.convert(llama, llama.parent / "right.gguf", "f32")
    return llama.parent / "right.gguf"


def checked(file: Path, folder: Path) -> Report:
    return verify(file, folder, samples=1, threads=1)


def failing(report: Report) -> set[str]:
    return {line.what for line in report.failures}


@pytest.mark.parametrize(
    ("family", "kind"),
    [("smollm", "f32"), ("qwen2", "f16"), ("deepseek", "f32"), ("phi3", "bf16"), ("granitemoe", "f32")],
)
def test_every_family_passes(family: str, kind: str, tmp_path: Path) -> None:
    folder = tiny_models.MAKERS[family](tmp_path / tiny_models.FOLDERS[family])
    gguf_file.convert(folder, tmp_path / "m.gguf", kind)
    report = checked(tmp_path / "m.gguf", folder)
    assert failing(report) == set()
    assert report.numbers.tokens > 100
    assert report.numbers.top_agreement > 0.98
    wanted = {"values", "tokenisation", "rendered chats", "tokens that end a reply", "KL divergence, mean"}
    if kind == "bf16":  # its bytes are judged, its divergence is reported
        wanted.remove("KL divergence, mean")
    assert {line.what for line in report.lines if line.passed} >= wanted


def test_what_was_found_is_kept_beside_the_file(right: Path, llama: Path) -> None:
    told: list[tuple[str, int, int]] = []
    report = verify(right, llama, samples=1, threads=1, say=lambda *one: told.append(one))
    assert report.passed
    assert {what for what, _, _ in told} == {"comparing values", "comparing logits", "replying"}
    assert told.count(("comparing logits", 1, 1)) == 1
    assert report.stops
    assert (report.stops.replies, report.stops.greedy) == (1, 1)
    entry = json.loads((right.parent / "verify.json").read_text(encoding="utf-8"))["files"]["right.gguf"]
    assert (entry["passed"], entry["kind"], entry["sha256"]) == (True, "F32", report.sha256)
    assert entry["numbers"]["kl_mean"] == report.numbers.kl_mean < 1e-9


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


def rewrite(folder: Path, change: Callable[[str, Any], Any]) -> None:
    """Every tensor of a folder anew, as f32."""
    stored = Weights.of_model(folder)
    values = {name: change(name, stored.floats(name)) for name in stored}
    with Writer(folder / SINGLE, {name: ("F32", tensor.shape) for name, tensor in values.items()}) as writer:
        for name, tensor in values.items():
            writer.write(name, tensor)


def not_permuted(folder: Path) -> None:
    """What a converter writes that forgets about the order of rows, once the right one has run over this."""

    def change(name: str, values: Any) -> Any:
        heads = {"q_proj": tiny_models.HEADS, "k_proj": tiny_models.KV_HEADS}.get(name.split(".")[-2], 0)
        if not heads:
            return values
        half = values.shape[0] // heads // 2
        return values.reshape(heads, half, 2, -1).swapaxes(1, 2).reshape(values.shape)

    rewrite(folder, change)


def other_base(folder: Path) -> None:
    edit(folder / "config.json", lambda config: config.update(rope_theta=400000.0))


def other_epsilon(folder: Path) -> None:
    edit(folder / "config.json", lambda config: config.update(rms_norm_eps=1e-4))


def swapped_tokens(folder: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        vocabulary = data["model"]["vocab"]
        vocabulary["a"], vocabulary["e"] = vocabulary["e"], vocabulary["a"]

    edit(folder / "tokenizer.json", change)


def other_template(folder: Path) -> None:
    edit(folder / "tokenizer_config.json", lambda data: data.update(chat_template=data["chat_template"] + "x"))


@pytest.mark.parametrize(
    ("spoil", "fails"),
    [
        (not_permuted, {"values", "KL divergence, mean"}),
        (other_base, {"rope base", "rope scaling", "KL divergence, mean"}),
        (other_epsilon, {"rms_norm_eps"}),
        (swapped_tokens, {"token texts", "tokenisation", "tokenisation, framed", "rendered chats"}),
        (other_template, {"chat template", "rendered chats"}),
    ],
)
def test_a_wrong_file_fails_where_it_is_wrong(spoil: Spoil, fails: set[str], llama: Path, tmp_path: Path) -> None:
    spoiled = tmp_path / llama.name
    shutil.copytree(llama, spoiled)
    spoil(spoiled)
    gguf_file.convert(spoiled, tmp_path / "wrong.gguf", "f32")
    report = checked(tmp_path / "wrong.gguf", llama)
    assert failing(report) >= fails
    # What has nothing to do with it still passes.
    assert {"tensors", "shapes", "num_hidden_layers", "control tokens"}.isdisjoint(failing(report))
    assert json.loads((tmp_path / "verify.json").read_text())["files"]["wrong.gguf"]["passed"] is False


def cut_short(right: Path, out: Path) -> None:
    out.write_bytes(right.read_bytes()[:-5000])


def no_gguf(_right: Path, out: Path) -> None:
    out.write_text("no model at all")


def missing(_right: Path, _out: Path) -> None:
    pass


def another_architecture(_right: Path, out: Path) -> None:
    gguf_file.convert(tiny_models.qwen2(out.parent / "qwen"), out, "f32", name="other")


def another_vocabulary(_right: Path, out: Path) -> None:
    gguf_file.convert(tiny_models.smollm(out.parent / "smollm"), out, "f32", name="other")


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (cut_short, ModelUnusable, "cut off"),
        (no_gguf, ModelUnusable, "not a usable model"),
        (missing, ModelNotFound, "no file"),
        (another_architecture, DataError, "other architectures"),
        (another_vocabulary, DataError, "other vocabularies"),
    ],
)
def test_what_cannot_be_compared_is_an_error_and_leaves_no_report(
    make: Callable[[Path, Path], None], kind: type[TideError], words: str, right: Path, llama: Path, tmp_path: Path
) -> None:
    make(right, tmp_path / "m.gguf")
    with pytest.raises(kind, match=words):
        checked(tmp_path / "m.gguf", llama)
    assert not (tmp_path / "verify.json").exists()


def test_a_folder_without_its_parts_is_an_error(right: Path, llama: Path, tmp_path: Path) -> None:
    shutil.copytree(llama, tmp_path / "half")
    (tmp_path / "half" / "tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"no tokenizer\.json"):
        checked(right, tmp_path / "half")
    with pytest.raises(DataError, match=r"no config\.json"):
        checked(right, tmp_path)


def test_several_files_make_a_table_and_a_plot(
    llama: Path, right: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "ROUNDS", 1)
    files = [tmp_path / "a.gguf", tmp_path / "b.gguf"]
    shutil.copy(right, files[0])
    gguf_file.convert(llama, files[1], "q8_0")
    found = compare(files, llama, tmp_path / "quality.md", samples=1, threads=1)
    exact, rounded = (report.numbers.kl_mean for report in found)
    assert exact < 1e-9 < rounded < 1e-2
    assert found[0].bits_per_weight == 32
    assert 8.5 <= found[1].bits_per_weight < 9
    table = (tmp_path / "quality.md").read_text(encoding="utf-8")
    cells = [line.split(" | ") for line in table.splitlines()[2:4]]
    assert [row[1] for row in cells] == ["F32", "Q8_0"]
    assert cells[0][-2] == "1.00"  # the first file beside itself
    assert all(float(row[-3]) > 0 for row in cells)
    assert (tmp_path / "quality.svg").read_text(encoding="utf-8").count("<circle") == 2
    assert json.loads((tmp_path / "verify.json").read_text())["files"].keys() == {"a.gguf", "b.gguf"}


def test_what_dialogues_begin_with_is_counted_once(right: Path, llama: Path) -> None:
    original = folders.read(llama)
    chats = dialogues.load(None, 2)
    with Runtime(right, 1) as runtime:
        samples = [sample(original, runtime, chat).ids for chat in chats]
        numbers = [
            measure(original, runtime, Reference(llama, 1), part)[0] for part in (chats, chats[:1], [chats[0]] * 2)
        ]
    shared = next(at for at, (one, other) in enumerate(zip(*samples, strict=False)) if one != other)
    assert shared > 20  # the system message
    both, first, same = (found.tokens for found in numbers)
    assert both == sum(map(len, samples)) - shared
    assert first == same == len(samples[0])


def test_logits_are_kept_where_they_are_asked_for_again(llama: Path) -> None:
    once, again = Reference(llama, 1), Reference(llama, 1, keep=True)
    assert once.logits([1, 2]) is not once.logits([1, 2])
    assert again.logits([1, 2]) is again.logits([1, 2])
    assert (once.logits([1, 2]) == again.logits([1, 2])).all()


def test_a_model_without_a_template_is_compared_on_plain_text(llama: Path, tmp_path: Path) -> None:
    shutil.copytree(llama, tmp_path / "plain")
    edit(tmp_path / "plain" / "tokenizer_config.json", lambda data: data.pop("chat_template"))
    gguf_file.convert(tmp_path / "plain", tmp_path / "m.gguf", "f32", name="plain")
    report = checked(tmp_path / "m.gguf", tmp_path / "plain")
    assert report.passed
    assert report.stops is None
    assert "rendered chats" not in {line.what for line in report.lines}


def test_a_runtime_that_dies_in_the_middle_is_an_error(right: Path) -> None:
    with Runtime(right, 1) as runtime:
        answers = runtime.logits(runtime.tokenize("Some words, many words. " * 40))
        next(answers)
        runtime._child.kill()
        with pytest.raises(EngineDied, match="-9"):
            list(answers)
