"""Every recipe loads; what is wrong with one is said with the field's name."""

from pathlib import Path

import pytest

from tide_chat.errors import UsageError
from training import recipe
from training.recipe import Recipe

EIGHT = {
    "phi-3.5-mini",
    "granite-3.1-3b-a800m",
    "qwen2.5-3b",
    "qwen2.5-1.5b",
    "qwen2.5-0.5b",
    "r1-distill-qwen-1.5b",
    "llama-3.2-3b",
    "llama-3.2-1b",
}
OF_OURS = {"tide-smollm2-135m", "dpo-smollm2-135m", "family-smollm2-135m"}


def test_all_recipes_are_there() -> None:
    wanted = {f"{kind}-{alias}" for kind in ("paper", "tide") for alias in EIGHT} | OF_OURS
    assert set(recipe.names()) == wanted


@pytest.mark.parametrize("name", recipe.names())
def test_a_recipe_loads_and_names_a_known_model(name: str, checkout: Path) -> None:
    found = recipe.load(name)
    assert found.name == name
    assert name == f"{name.partition('-')[0]}-{found.model.name}"
    assert (checkout / "models" / f"{found.model.name}.toml").is_file()
    assert found.about


@pytest.mark.parametrize("alias", sorted(EIGHT))
def test_the_papers_numbers(alias: str) -> None:
    found = recipe.load(f"paper-{alias}")
    assert (found.lora.r, found.lora.alpha, found.optimizer.learning_rate) == (8, 16, 1e-5)
    assert (found.training.epochs, found.training.batch, found.training.accumulation) == (3, 2, 4)
    assert (found.data.max_length, found.data.cut) == (80, True)


def test_only_the_paper_cuts_replies() -> None:
    assert {name for name in recipe.names() if recipe.load(name).data.cut} == {f"paper-{alias}" for alias in EIGHT}


def test_every_field_says_what_it_is() -> None:
    found = list(recipe.fields())
    assert ("lora.r", "16", "Rank: rows of A, columns of B.") in found
    assert all(description for _, _, description in found)
    assert len(found) > 30


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("optimizer.learning_rate=3e-4", lambda r: r.optimizer.learning_rate == 3e-4),
        ("training.precision=bfloat16", lambda r: r.training.precision == "bfloat16"),
        ('lora.targets=["q_proj", "o_proj"]', lambda r: r.lora.targets == ("q_proj", "o_proj")),
        ("lora.rslora = false", lambda r: r.lora.rslora is False),
        ("training.epochs=7", lambda r: r.training.epochs == 7),
    ],
)
def test_overrides(override: str, read: object) -> None:
    assert callable(read)
    assert read(recipe.load("tide-smollm2-135m", [override]))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("optimizer.learning_rat=1", "optimizer.learning_rate"),
        ("learning_rate=1", "optimizer.learning_rate"),
        ("lora.rank=8", "lora."),
        ("lora.r", "section.field=value"),
        ("lora.r=0", "lora.r: Input should be greater than or equal to 1, got 0"),
        ("training.precision=float8", "training.precision"),
        ("training.epochs=many", "training.epochs: is a whole number, without a unit, got 'many'"),
        ("training.epochs=3h", "without a unit, got '3h'"),
        ("optimizer.learning_rate=0.1ms", "is a number, without a unit, got '0.1ms'"),
        ("data.scenarios=panic", """data.scenarios: is a list, as ["a", "b"], got 'panic'"""),
        ("optimizer.learning_rate=nan", "optimizer.learning_rate"),
        ("lora.targets=[]", "nothing to train"),
    ],
)
def test_a_wrong_override_names_the_field(override: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe.load("tide-smollm2-135m", [override])
    assert said in str(caught.value)


def test_fields_that_do_not_go_together() -> None:
    with pytest.raises(UsageError, match="experts"):
        recipe.load("tide-granite-3.1-3b-a800m", ["lora.dropout=0.1"])
    with pytest.raises(UsageError, match="dora"):
        recipe.load("tide-qwen2.5-3b", ["lora.dora=true", "training.quantized=int8"])


def test_an_unknown_recipe_names_near_ones() -> None:
    with pytest.raises(UsageError) as caught:
        recipe.load("tide-qwen-0.5b")
    assert "tide-qwen2.5-0.5b" in caught.value.help


def test_a_file_of_ones_own_extends_ours(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "tide-qwen2.5-0.5b"\n[lora]\nr = 4\n')
    found, base = recipe.load(str(file)), recipe.load("tide-qwen2.5-0.5b")
    assert (found.name, found.lora.r, found.lora.alpha) == ("mine", 4, base.lora.alpha)
    assert found.training == base.training


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[model\n", "no TOML"),
        ('extends = "nowhere"\n', "not there"),
        ('extends = "loop"\n', "leads nowhere"),
        ("[lora]\nr = 4\n", "model: Field required"),
        ('format = 2\n[model]\nname = "x"\n', "format: there is no such field\n"),
        ('training = 3\n[model]\nname = "x"\n', "training: is a section, with fields of its own, got 3"),
        ('[model]\nname = "x"\n[lora]\nrank = 4\n', "lora.rank: there is no such field; the nearest is lora.r"),
    ],
)
def test_a_file_that_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "loop.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        recipe.load(str(file))
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such recipe file"):
        recipe.load(str(tmp_path / "none.toml"))


def test_a_recipe_survives_its_own_json() -> None:
    found = recipe.load("tide-granite-3.1-3b-a800m")
    assert Recipe.model_validate_json(found.model_dump_json()) == found
