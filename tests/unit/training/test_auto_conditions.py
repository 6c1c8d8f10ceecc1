"""What the command line says about models, and the conditions that follow."""

from pathlib import Path

import pytest

from tests.integration.gguf_files import gguf_bytes
from tide_chat.errors import DataError, ModelNotFound, UsageError
from tide_chat.profile import Profile, Style
from tide_chat.prompt import system_text
from training.evaluation.auto import conditions
from training.evaluation.auto.conditions import parse


@pytest.fixture
def gguf(tmp_path: Path) -> str:
    path = tmp_path / "some-model.gguf"
    path.write_bytes(gguf_bytes(architecture="llama", weights=1000, name="Some"))
    return str(path)


@pytest.fixture
def adapter(tmp_path: Path) -> str:
    path = tmp_path / "tuned.gguf"
    path.write_bytes(b"GGUF")
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    path = tmp_path / "Qwen2.5-0.5B"
    path.mkdir()
    (path / "config.json").write_text("{}")
    (path / "model.safetensors").write_bytes(b"weights")
    return str(path)


def named(*models: str, adapter: str | None = None, state: str | None = None) -> list[tuple[str, str]]:
    return [(one.name, one.state) for one in parse(models, adapter, state, 99)]


def test_a_model_is_zero_shot_and_with_an_adapter_fine_tuned(gguf: str, adapter: str) -> None:
    assert named(gguf, f"{gguf}+{adapter}") == [("some-model", "zs"), ("some-model", "ft")]


def test_adapter_asks_for_both_states_unless_one_is_named(gguf: str, adapter: str) -> None:
    assert named(gguf, adapter=adapter) == [("some-model", "zs"), ("some-model", "ft")]
    assert named(gguf, adapter=adapter, state="ft") == [("some-model", "ft")]
    assert named(gguf, adapter=adapter, state="zs") == [("some-model", "zs")]


def test_names_and_states(gguf: str, folder: str) -> None:
    assert named(f"a={gguf}", f"a:ft={gguf}") == [("a", "zs"), ("a", "ft")]
    assert named(gguf, state="ft") == [("some-model", "ft")]
    assert named(folder) == [("Qwen2.5-0.5B", "zs")]


def test_sampling_is_the_makers_where_the_catalogue_knows_the_name(gguf: str, folder: str) -> None:
    known, unknown = parse([f"qwen2.5-0.5b={gguf}", gguf], None, None, 99)
    assert known.advised
    assert not unknown.advised
    assert known.sampling.max_tokens == unknown.sampling.max_tokens == 99
    (same,) = parse([folder], None, None, 99)
    assert same.advised
    assert same.sampling == known.sampling


@pytest.mark.usefixtures("embedded_model")
def test_an_alias() -> None:
    (one,) = parse(["smollm2-135m"], None, None, 256)
    assert (one.name, one.state, one.kind, one.advised) == ("smollm2-135m", "zs", "llama", True)


def test_what_is_wrong_has_words(gguf: str, adapter: str, folder: str) -> None:
    with pytest.raises(UsageError, match="same name"):
        parse([gguf, gguf], None, None, 9)
    with pytest.raises(UsageError, match="one --model"):
        parse([gguf, folder], adapter, None, 9)
    with pytest.raises(UsageError, match="zs or ft"):
        parse([f"a:tuned={gguf}"], None, None, 9)
    with pytest.raises(UsageError, match="not zero-shot"):
        parse([f"a:zs={gguf}+{adapter}"], None, None, 9)
    with pytest.raises(UsageError, match="engine"):
        parse([gguf], None, None, 9, "transformers")
    with pytest.raises(ModelNotFound, match="adapter"):
        parse([f"{gguf}+nowhere.gguf"], None, None, 9)
    with pytest.raises(DataError, match="peft"):
        parse([f"{folder}+{adapter}"], None, None, 9)
    with pytest.raises(DataError, match="GGUF"):
        parse([f"{gguf}+{folder}"], None, None, 9)


def test_hashes_follow_contents_and_names_but_not_what_is_beside_a_model(folder: str) -> None:
    path = Path(folder)
    before = conditions.hashed(path)
    (path / "README.md").write_text("words")
    assert conditions.hashed(path) == before
    (path / "model.safetensors").write_bytes(b"others")
    assert conditions.hashed(path) != before
    assert conditions.hashed(None) == ""


def test_each_model_answers_in_each_style_without_and_with_guidance(gguf: str) -> None:
    found = conditions.fitted(parse([gguf], None, None, 99), [Style.NONE, Style.BRIEF], (False, True))
    assert [one.name for one in found] == [
        "some-model",
        "some-model.guided",
        "some-model.brief",
        "some-model.brief.guided",
    ]
    assert [one.guided for one in found] == [False, True] * 2
    assert found[0].system == system_text()
    assert found[2].system == f"{system_text()}\n{Profile(Style.BRIEF).lines()[0]}"
