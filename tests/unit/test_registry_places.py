"""Where models are found, and which one is used when none is named."""

import hashlib
from pathlib import Path

import pytest

from tests.integration.gguf_files import write_gguf
from tide_chat import paths
from tide_chat.errors import ModelNotFound, ModelUnusable
from tide_chat.registry import Registry, machine, places, sidecar

COMMIT = "c0ffee" + "0" * 34
GB = 1_000_000_000


@pytest.fixture
def registry() -> Registry:
    return Registry.load()


@pytest.fixture
def no_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package that carries the embedded model were not installed."""
    monkeypatch.setattr(places, "embedded_path", lambda _embedded: None)


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def cache(folder: Path, registry: Registry, alias: str, *, ref: str | None = COMMIT, commit: str = COMMIT) -> Path:
    """Lay a model out as the hub's tools do: blobs by checksum, links in snapshots, a ref."""
    file = registry.find(alias).file
    base = folder / f"models--{file.repo.replace('/', '--')}"
    made = write_gguf(base / "blobs" / "new")
    blob = made.rename(base / "blobs" / hashlib.sha256(made.read_bytes()).hexdigest())
    link = base / "snapshots" / commit / file.file
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(blob)
    if ref:
        (base / "refs").mkdir(exist_ok=True)
        (base / "refs" / file.revision).write_text(ref)
    return link


def own(registry: Registry, alias: str, size: int | None = None) -> Path:
    """Put a model into the models folder; `size` is what its sidecar and the file system say."""
    path = write_gguf(paths.models_dir() / registry.find(alias).file.file)
    if size:
        with path.open("rb+") as file:
            file.truncate(size)  # hollow: takes no room on the disk
        note = sidecar.Sidecar(alias, "0" * 64, size, "hub", sidecar.now())
        sidecar.write(path, note)
    return path


class TestInstalled:
    def test_nothing(self, registry: Registry, no_embedded: None) -> None:
        assert registry.installed() == ()

    def test_the_embedded_model_is_found_in_its_package(self, registry: Registry, embedded_model: Path) -> None:
        plain, tuned = registry.installed()
        assert (plain.alias, plain.place, plain.path) == ("smollm2-135m", "embedded", embedded_model)
        assert (tuned.alias, tuned.place, tuned.path) == ("smollm2-135m-tide", "embedded", embedded_model)
        assert plain.adapter is None
        assert tuned.adapter == paths.shipped_models() / "smollm2-135m-tide.lora.gguf"

    def test_without_its_adapter_there_is_no_tuned_model(
        self, registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(paths, "shipped_models", lambda: tmp_path)
        assert [one.alias for one in registry.installed()] == ["smollm2-135m"]

    def test_weights_in_our_own_folder_serve_the_adapter_too(self, registry: Registry, no_embedded: None) -> None:
        path = own(registry, "smollm2-135m")
        assert [(one.alias, one.path) for one in registry.installed()] == [
            ("smollm2-135m", path),
            ("smollm2-135m-tide", path),
        ]

    def test_its_bytes_are_those_of_the_description(self, registry: Registry, embedded_model: Path) -> None:
        digest = hashlib.sha256(embedded_model.read_bytes()).hexdigest()
        assert registry.find("smollm2-135m").file.sha256 == digest

    def test_a_package_that_is_not_there(self, registry: Registry) -> None:
        embedded = registry.find("smollm2-135m").entry.embedded
        assert embedded
        assert places.embedded_path(embedded.model_copy(update={"package": "no_such_package"})) is None

    def test_our_own_folder(self, registry: Registry, no_embedded: None) -> None:
        path = own(registry, "qwen2.5-0.5b-q8")
        (one,) = registry.installed()
        assert (one.alias, one.place, one.path, one.size) == ("qwen2.5-0.5b-q8", "models", path, path.stat().st_size)

    def test_a_file_put_there_by_hand_is_named_after_it(self, registry: Registry, no_embedded: None) -> None:
        write_gguf(paths.models_dir() / "My Model (new).gguf")
        assert [one.alias for one in registry.installed()] == ["my-model-new"]

    def test_what_is_no_model_file_is_left_out(self, registry: Registry, no_embedded: None) -> None:
        folder = paths.models_dir()
        (folder / "folder.gguf").mkdir(parents=True)
        (folder / "notes.txt").write_text("x")
        (folder / ".hidden.gguf").write_text("x")
        (folder / "nowhere.gguf").symlink_to(folder / "gone")
        assert registry.installed() == ()

    def test_a_broken_sidecar_is_ignored(self, registry: Registry, no_embedded: None) -> None:
        path = own(registry, "qwen2.5-0.5b-q8")
        for content in ("", "[]", '{"alias": 3}', '{"size": "x"}', "\x00"):
            sidecar.path_of(path).write_text(content)
            assert registry.installed()[0].sidecar is None

    def test_the_hubs_cache(self, registry: Registry, no_embedded: None, hub_cache: Path) -> None:
        link = cache(hub_cache, registry, "llama-3.2-1b-q4")
        (one,) = registry.installed()
        assert (one.alias, one.place, one.path) == ("llama-3.2-1b-q4", "hub-cache", link)

    def test_a_snapshot_without_a_ref_counts(self, registry: Registry, no_embedded: None, hub_cache: Path) -> None:
        cache(hub_cache, registry, "llama-3.2-1b-q4", ref=None)
        assert [one.alias for one in registry.installed()] == ["llama-3.2-1b-q4"]

    def test_the_snapshot_of_the_ref_is_preferred(self, registry: Registry, no_embedded: None, hub_cache: Path) -> None:
        cache(hub_cache, registry, "llama-3.2-1b-q4", commit="a" * 40)
        wanted = cache(hub_cache, registry, "llama-3.2-1b-q4", ref="b" * 40, commit="b" * 40)
        assert registry.installed()[0].path == wanted

    def test_an_incomplete_download_there_does_not_count(
        self, registry: Registry, no_embedded: None, hub_cache: Path
    ) -> None:
        link = cache(hub_cache, registry, "llama-3.2-1b-q4")
        blob = link.resolve()
        blob.rename(blob.with_name(f"{blob.name}.incomplete"))
        assert registry.installed() == ()

    def test_our_own_folder_comes_before_the_cache(
        self, registry: Registry, no_embedded: None, hub_cache: Path
    ) -> None:
        cache(hub_cache, registry, "llama-3.2-1b-q4")
        path = own(registry, "llama-3.2-1b-q4")
        assert [one.path for one in registry.installed()] == [path]

    @pytest.mark.parametrize(
        ("variables", "folder"),
        [
            ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
            ({"HUGGINGFACE_HUB_CACHE": "/c", "HF_HOME": "/b"}, "/c"),
            ({"HF_HOME": "/b"}, "/b/hub"),
            ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
            ({"HF_HOME": "$OTHER/b", "OTHER": "/o"}, "/o/b/hub"),
        ],
    )
    def test_the_variables_of_the_hubs_tools_hold(
        self, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str
    ) -> None:
        for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert places.hub_cache_dir() == Path(folder)

    def test_without_variables_it_is_the_home_folder(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert places.hub_cache_dir() == tmp_path / ".cache" / "huggingface" / "hub"


class TestResolving:
    def test_one_model(self, registry: Registry, embedded_model: Path) -> None:
        resolved = registry.resolve()
        assert resolved.path == embedded_model
        assert resolved.why == "smollm2-135m-tide: the model that comes with the app"
        assert resolved.adapter
        assert resolved.model

    def test_none(self, registry: Registry, no_embedded: None) -> None:
        with pytest.raises(ModelNotFound) as caught:
            registry.resolve()
        assert "models list" in caught.value.help

    def test_the_most_capable_that_fits(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "total_memory", lambda: 16 * GB)
        for alias in ("qwen2.5-0.5b-q8", "llama-3.2-3b-q4", "phi-3.5-mini-q8"):
            own(registry, alias, registry.find(alias).file.size_bytes)
        resolved = registry.resolve()
        assert resolved.why == "llama-3.2-3b-q4: the most capable of the 5 models installed"

    def test_too_large_ones_are_passed_over(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "total_memory", lambda: 2 * GB)
        for alias in ("qwen2.5-0.5b-q8", "llama-3.2-3b-q4"):
            own(registry, alias, registry.find(alias).file.size_bytes)
        resolved = registry.resolve()
        assert resolved.alias == "qwen2.5-0.5b-q8"
        assert "fits this computer's memory" in resolved.why

    def test_when_none_fits_the_smallest_is_used(
        self, registry: Registry, no_embedded: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine, "total_memory", lambda: 100_000_000)
        for alias in ("qwen2.5-0.5b-q8", "llama-3.2-3b-q4"):
            own(registry, alias, registry.find(alias).file.size_bytes)
        resolved = registry.resolve()
        assert resolved.alias == "qwen2.5-0.5b-q8"
        assert "may be short" in resolved.why

    def test_the_finer_quantization_wins(self, registry: Registry) -> None:
        for alias in ("qwen2.5-1.5b-q4", "qwen2.5-1.5b-q8", "qwen2.5-1.5b-q5"):
            own(registry, alias, registry.find(alias).file.size_bytes)
        assert registry.resolve().alias == "qwen2.5-1.5b-q8"
        assert registry.resolve("qwen2.5-1.5b").alias == "qwen2.5-1.5b-q8"
        assert registry.resolve("qwen2.5-1.5b-q4").alias == "qwen2.5-1.5b-q4"

    def test_an_unusable_file_is_passed_over(self, registry: Registry, embedded_model: Path) -> None:
        path = own(registry, "llama-3.2-3b-q4")
        path.write_bytes(path.read_bytes()[:-10])
        assert registry.resolve().path == embedded_model

    def test_alone_an_unusable_file_says_what_is_wrong(self, registry: Registry, no_embedded: None) -> None:
        path = own(registry, "llama-3.2-3b-q4")
        path.write_bytes(path.read_bytes()[:-10])
        with pytest.raises(ModelUnusable, match="cut off"):
            registry.resolve()
        with pytest.raises(ModelUnusable, match="cut off"):
            registry.resolve("llama-3.2-3b-q4")

    def test_a_model_without_a_template_is_used_only_when_named(self, registry: Registry, embedded_model: Path) -> None:
        path = write_gguf(paths.models_dir() / registry.find("llama-3.2-3b-q4").file.file, template=None)
        assert registry.resolve().path == embedded_model
        assert registry.resolve("llama-3.2-3b-q4").path == path

    def test_an_imported_model_comes_before_the_smallest(self, registry: Registry) -> None:
        path = write_gguf(paths.models_dir() / "mine.gguf")
        resolved = registry.resolve()
        assert (resolved.path, resolved.model) == (path, None)
        assert registry.resolve("mine").path == path

    def test_known_but_not_here(self, registry: Registry) -> None:
        with pytest.raises(ModelNotFound) as caught:
            registry.resolve("qwen2.5-1.5b-q4")
        assert "1.1 GB" in caught.value.details
        assert caught.value.help == "Get it with: tide-chat models pull qwen2.5-1.5b-q4"

    def test_a_misspelt_imported_name_is_suggested(self, registry: Registry) -> None:
        write_gguf(paths.models_dir() / "grandmother.gguf")
        with pytest.raises(ModelNotFound) as caught:
            registry.resolve("granmother")
        assert "grandmother" in caught.value.help

    def test_a_path(self, registry: Registry, tmp_path: Path) -> None:
        path = write_gguf(tmp_path / "with space" / "Modell Ä.gguf")
        resolved = registry.resolve(str(path))
        assert (resolved.path, resolved.alias, resolved.model) == (path, "modell-ä", None)
        assert resolved.why == "Modell Ä.gguf: the file you chose"

    def test_a_path_in_the_home_folder(
        self, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        path = write_gguf(tmp_path / "m.gguf")
        assert registry.resolve("~/m.gguf").path == path

    def test_a_path_to_a_file_we_know_brings_its_sampling(self, registry: Registry, tmp_path: Path) -> None:
        path = write_gguf(tmp_path / "Qwen2.5-1.5B-Instruct-Q4_K_M.gguf")
        resolved = registry.resolve(str(path))
        assert resolved.model
        assert resolved.model.alias == "qwen2.5-1.5b-q4"

    def test_a_path_to_nothing(self, registry: Registry, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFound):
            registry.resolve(str(tmp_path / "none.gguf"))

    def test_a_path_to_something_else(self, registry: Registry, tmp_path: Path) -> None:
        path = tmp_path / "photo.gguf"
        path.write_bytes(b"\x89PNG" + bytes(100))
        with pytest.raises(ModelUnusable):
            registry.resolve(str(path))


class TestMachine:
    def test_a_limit_of_the_container_holds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        limit = tmp_path / "memory.max"
        monkeypatch.setattr(machine, "_CGROUP_LIMITS", (str(limit), str(tmp_path / "none")))
        whole = machine.total_memory()
        assert whole
        limit.write_text(f"{whole // 4}\n")
        assert machine.total_memory() == whole // 4
        limit.write_text("max\n")
        assert machine.total_memory() == whole

    def test_memory_needed_grows_with_the_conversation(self) -> None:
        assert machine.memory_needed(GB, 100_000, 8192) - machine.memory_needed(GB, 100_000, 4096) == 4096 * 100_000

    def test_the_disk_of_a_folder_that_is_not_there_yet(self, tmp_path: Path) -> None:
        assert machine.disk_lacking(tmp_path / "a" / "b", 10) == 0
        assert machine.disk_lacking(tmp_path / "a" / "b", 10**18) > 0

    @pytest.mark.parametrize(
        ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (98_362_432, "98 MB"), (1_117_320_736, "1.1 GB")]
    )
    def test_sizes_in_words(self, count: int, text: str) -> None:
        assert machine.human_size(count) == text

    @pytest.mark.parametrize(
        ("text", "alias"),
        [
            ("My Model (v2)", "my-model-v2"),
            ("ＡＢＣ", "ａｂｃ"),
            ("../../etc", "etc"),
            ("модель", "модель"),
            ("🙂", ""),
        ],
    )
    def test_names_made_from_titles(self, text: str, alias: str) -> None:
        assert places.alias_from(text) == alias
        assert places.alias_from(alias) == alias
