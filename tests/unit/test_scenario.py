"""The situations, and when one is spoken of. With the real encoder: tests/safety/test_scenario_encoder.py."""

import pytest

from tide_chat import scenario
from tide_chat.paths import shipped_models
from tide_chat.safety.classifier import HEADS, load_heads
from tide_chat.scenario import SURE, find, guidances
from training.data.families import families


def test_the_papers_six_are_the_families_that_training_knows() -> None:
    ours = {one.name: set(one.scenarios) for one in guidances()}
    papers = {one.name: set(one.scenarios) for one in families()}
    assert papers == {name: ours[name] for name in papers}


def test_every_label_of_the_encoder_but_other_belongs_to_one_situation() -> None:
    labels = load_heads(shipped_models() / HEADS).heads["scenario"].labels
    named = [label for one in guidances() for label in one.scenarios]
    assert sorted([*named, "other"]) == sorted(labels)


def test_guidance_is_a_few_plain_words() -> None:
    for one in guidances():
        assert len(one.text.split()) <= 26, one.name
        assert "!" not in one.text


@pytest.mark.parametrize(
    ("chances", "name"),
    [
        ({}, None),
        ({"other": 1.0}, None),
        ({"panic_public": SURE}, "panic"),
        ({"panic_public": SURE - 0.01}, None),
        ({"flashback": 0.5, "nightmares_sleep": 0.45}, "reliving"),
        ({"flashback": 0.5, "avoidance": 0.45}, None),
    ],
)
def test_only_a_sure_situation_is_spoken_of(chances: dict[str, float], name: str | None) -> None:
    found = find(chances)
    assert (found.name if found else None) == name


def test_the_labels_of_a_situation_count_together() -> None:
    one = guidances()[0]
    assert scenario.chance(one, dict.fromkeys(one.scenarios, 0.25)) == pytest.approx(0.25 * len(one.scenarios))
