"""Which dialogues a recipe's scenarios name, and the paper's families of them."""

import pytest

from tests.unit.training import data_rows
from tide_chat.errors import UsageError
from training import recipe, scenarios
from training.data import sources
from training.data.families import families, family_of
from training.data.schema import Dialogue


def dialogue(scenario: str) -> Dialogue:
    return data_rows.dialogue(name=scenario or "none").model_copy(update={"scenario": scenario})


NAMES = ("panic_public", "grief_anger", "flashback", "other", "")
ALL = [dialogue(name) for name in NAMES]


def test_there_are_the_papers_six() -> None:
    assert [family.number for family in families()] == [1, 2, 3, 4, 5, 6]
    assert all(family.about and family.scenarios for family in families())


def test_a_scenario_belongs_to_one_family_at_most_and_is_one_of_ours() -> None:
    named = [scenario for family in families() for scenario in family.scenarios]
    assert len(named) == len(set(named))
    ours = {one.scenario for one in sources.dialogues()}
    assert set(named) <= ours
    assert {one for one in ours if family_of(one) is None} == {
        "other",
        "small_win_recovery",
        "help_seeking_ambivalence",
    }


@pytest.mark.parametrize(
    ("scenario", "family"), [("panic_public", "panic"), ("substance_coping", "drinking"), ("other", None), ("", None)]
)
def test_family_of(scenario: str, family: str | None) -> None:
    assert family_of(scenario) == family


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((), ["panic_public", "grief_anger", "flashback", "other", ""]),
        (("flashback",), ["flashback"]),
        (("panic", "other"), ["panic_public", "other"]),
        (("grief_anger",), ["grief_anger"]),  # a scenario and the family that holds it
    ],
)
def test_matching(wanted: tuple[str, ...], found: list[str]) -> None:
    scenarios.check(NAMES, wanted)
    assert [one.scenario for one in scenarios.matching(ALL, wanted)] == found


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("panic_publik", "Did you mean panic_public"),
        ("xyz", "There are: flashback, grief_anger"),
        ("", "There are"),
    ],
)
def test_names_that_are_not_there(wanted: str, said: str) -> None:
    with pytest.raises(UsageError, match="no scenario") as caught:
        scenarios.check(NAMES, (wanted,))
    assert said in caught.value.help


def test_they_are_a_field_of_the_recipe() -> None:
    found = recipe.load("tide-smollm2-135m", ['data.scenarios=["panic", "flashback"]'])
    assert found.data.scenarios == ("panic", "flashback")
