"""The descriptions in models/, and finding one by name."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tide_chat.engine.base import SamplingParams
from tide_chat.errors import ModelNotFound, UsageError
from tide_chat.registry import Registry

PAPER = {
    "phi-3.5-mini",
    "granite-3.1-3b-a800m",
    "qwen2.5-3b",
    "qwen2.5-1.5b",
    "qwen2.5-0.5b",
    "r1-distill-qwen-1.5b",
    "llama-3.2-3b",
    "llama-3.2-1b",
}
MINIMAL = """
alias = "tiny"
title = "Tiny"
family = "tiny"
maker = "Nobody"
parameters = 1000
context = 2048
kv_bytes_per_token = 100
rank = 1
reasoning = false
[licence]
name = "MIT"
conditions = "None."
[sampling]
temperature = 0.5
top_k = 0
top_p = 1.0
min_p = 0.0
repeat_penalty = 1.0
[quants.q4]
repo = "someone/Tiny-GGUF"
file = "tiny-q4.gguf"
quantization = "Q4_K_M"
size_bytes = 1000
"""


@pytest.fixture
def registry() -> Registry:
    return Registry.load()


class TestShippedDescriptions:
    def test_the_papers_models_and_the_embedded_one(self, registry: Registry) -> None:
        assert {entry.alias for entry in registry.entries} == PAPER | {"smollm2-135m", "smollm2-135m-tide"}

    def test_each_of_the_papers_in_three_quantizations(self, registry: Registry) -> None:
        expected = {"q4": "Q4_K_M", "q5": "Q5_K_M", "q8": "Q8_0"}
        for entry in registry.entries:
            if entry.alias in PAPER:
                assert {name: quant.quantization for name, quant in entry.quants.items()} == expected

    def test_aliases_and_files_are_unique(self, registry: Registry) -> None:
        aliases = [model.alias for model in registry.models]
        files = [(model.file.file.casefold(), model.entry.adapter) for model in registry.models]
        assert len(set(aliases)) == len(aliases) == 8 * 3 + 2
        assert len(set(files)) == len(files)

    def test_sizes_are_those_of_the_quantization(self, registry: Registry) -> None:
        """Bits a parameter, as stored: a slip of a digit or a swapped file shows here."""
        for model in registry.models:
            bits = model.file.size_bytes * 8 / model.entry.parameters
            low, high = {"q4": (4.3, 8.2), "q5": (5.0, 8.7), "q8": (8.0, 11.0)}[model.quant]
            assert low < bits < high, (model.alias, bits)

    def test_a_finer_quantization_is_larger(self, registry: Registry) -> None:
        for entry in registry.entries:
            sizes = [entry.quants[name].size_bytes for name in sorted(entry.quants)]
            assert sizes == sorted(set(sizes))

    def test_files_name_their_quantization(self, registry: Registry) -> None:
        for model in registry.models:
            assert model.file.quantization.casefold() in model.file.file.casefold()

    def test_phi_is_held_to_its_short_context(self, registry: Registry) -> None:
        assert registry.find("phi-3.5-mini-q4").context_limit == 4096
        assert registry.find("llama-3.2-1b-q4").context_limit == 131_072

    def test_only_r1_reasons(self, registry: Registry) -> None:
        assert {entry.alias for entry in registry.entries if entry.reasoning} == {"r1-distill-qwen-1.5b"}

    def test_licences_with_conditions_say_so(self, registry: Registry) -> None:
        by_alias = {entry.alias: entry.licence for entry in registry.entries}
        assert "esearch" in by_alias["qwen2.5-3b"].conditions
        assert "Built with Llama" in by_alias["llama-3.2-1b"].conditions

    def test_sampling_fits_the_engine(self, registry: Registry) -> None:
        for entry in registry.entries:
            params = SamplingParams(**entry.sampling.model_dump())
            assert 0 < params.temperature <= 0.7

    def test_no_addresses_in_descriptions(self, checkout: Path) -> None:
        for path in (checkout / "models").glob("*.toml"):
            assert not re.search(r"https?:|www\.", path.read_text(encoding="utf-8")), path.name

    def test_each_has_notes(self, registry: Registry) -> None:
        assert all(entry.notes for entry in registry.entries)


class TestFinding:
    @pytest.mark.parametrize(
        ("name", "alias"),
        [
            ("qwen2.5-1.5b-q4", "qwen2.5-1.5b-q4"),
            ("QWEN2.5-1.5B-Q8", "qwen2.5-1.5b-q8"),
            (" llama-3.2-3b-q5 ", "llama-3.2-3b-q5"),
            ("qwen2.5-1.5b", "qwen2.5-1.5b-q4"),
            ("smollm2-135m", "smollm2-135m"),
        ],
    )
    def test_names(self, registry: Registry, name: str, alias: str) -> None:
        assert registry.find(name).alias == alias

    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("qwen2.5-15b-q4", "qwen2.5-1.5b-q4"),
            ("qwen-1.5b-q4", "qwen2.5-1.5b-q4"),
            ("smollm", "smollm2-135m"),
            ("llama3.2-1b", "llama-3.2-1b-q4"),
            ("phi", "phi-3.5-mini-q4"),
        ],
    )
    def test_a_slip_gets_the_nearest_name(self, registry: Registry, name: str, near: str) -> None:
        with pytest.raises(ModelNotFound) as caught:
            registry.find(name)
        assert near in caught.value.help
        assert repr(name) in caught.value.message

    def test_half_a_name_gets_each_model_it_could_be(self, registry: Registry) -> None:
        with pytest.raises(ModelNotFound) as caught:
            registry.find("qwen2.5")
        assert "qwen2.5-3b-q4, qwen2.5-1.5b-q4 or qwen2.5-0.5b-q4" in caught.value.help

    @pytest.mark.parametrize("name", ["", "zzzzzz", "x" * 5000, "🙂"])
    def test_nothing_near_says_where_to_look(self, registry: Registry, name: str) -> None:
        with pytest.raises(ModelNotFound) as caught:
            registry.find(name)
        assert caught.value.help == "See them all with: tide-chat models list"


class TestRules:
    def load(self, folder: Path, content: str, name: str = "tiny") -> Registry:
        (folder / f"{name}.toml").write_text(content, encoding="utf-8")
        return Registry.load(folder)

    def test_the_smallest_valid_description(self, tmp_path: Path) -> None:
        (model,) = self.load(tmp_path, MINIMAL).models
        assert model.alias == "tiny-q4"
        assert model.file.revision == "main"

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('alias = "tiny"', 'alias = "Tiny Model"', "alias"),
            ("rank = 1", "rank = 101", "rank"),
            ("rank = 1", 'rank = "1"', "rank"),
            ("rank = 1", "rank = 1\nrnak = 2", "rnak"),
            ("[quants.q4]", "[quants.four]", "four"),
            ('file = "tiny-q4.gguf"', 'file = "../tiny.gguf"', "file"),
            ('file = "tiny-q4.gguf"', 'file = "tiny.bin"', "file"),
            ("size_bytes = 1000", "size_bytes = 0", "size_bytes"),
            ("context = 2048", "context = 2048\ncontext_max = 4096", "2048, got 4096"),
            ("temperature = 0.5", "temperature = 5.0", "temperature"),
            ("reasoning = false", "", "reasoning"),
            ("[licence]", "[licence", "line 11"),
        ],
    )
    def test_a_broken_rule_names_the_file_and_the_field(self, tmp_path: Path, old: str, new: str, said: str) -> None:
        with pytest.raises(UsageError) as caught:
            self.load(tmp_path, MINIMAL.replace(old, new, 1))
        assert "tiny.toml" in caught.value.message
        assert said in caught.value.details

    def test_the_alias_is_the_name_of_the_file(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="must be other, got tiny"):
            self.load(tmp_path, MINIMAL, "other")

    def test_a_description_may_extend_another(self, tmp_path: Path) -> None:
        (tmp_path / "tuned.toml").write_text('extends = "tiny"\nalias = "tuned"\nrank = 2\n')
        tuned, tiny = self.load(tmp_path, MINIMAL).entries
        assert (tuned.alias, tuned.rank) == ("tuned", 2)
        assert tuned.quants == tiny.quants

    def test_extending_what_is_not_there_names_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "tuned.toml").write_text('extends = "none"\nalias = "tuned"\n')
        with pytest.raises(UsageError) as caught:
            self.load(tmp_path, MINIMAL)
        assert "tuned.toml" in caught.value.message
        assert "none.toml" in caught.value.details

    def test_an_empty_list_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="missing"):
            Registry.load(tmp_path)

    def test_values_cannot_be_changed(self, registry: Registry) -> None:
        with pytest.raises(ValueError, match="frozen"):
            registry.entries[0].rank = 1


def test_reading_headers_needs_neither_pydantic_nor_the_hub(checkout: Path) -> None:
    code = (
        "import sys; from tide_chat.registry import read_header; import tide_chat.commands.models;"
        "print(sorted({'pydantic', 'huggingface_hub', 'httpx2', 'textual', 'llama_cpp', 'psutil'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
