"""The heads of the three factors: the shipped file belongs to the shipped encoder, and says how often it is wrong."""

import json
from pathlib import Path

import pytest

from tide_chat import paths
from tide_chat.clinician.factors import FILE, NAMES, Heads, sentences
from tide_chat.engine.base import EngineSpec
from tide_chat.engine.process import ProcessEngine
from tide_chat.safety.classifier import ENCODER, HEADS, Classifier
from tide_chat.safety.encoder import Unavailable, default_folder

REPLY = (
    "You sound exhausted, and frightened of going back there. After what happened, a body that stays on guard is very "
    "common. Would it help to sit by the window for a minute? The bus leaves at nine."
)


@pytest.fixture(scope="module")
def shipped() -> Heads:
    sha256 = json.loads((default_folder() / HEADS).read_text(encoding="utf-8"))["encoder_sha256"]
    heads = Heads.shipped(sha256)
    assert heads is not None
    return heads


def test_with_another_encoder_there_are_none() -> None:
    assert Heads.shipped("0" * 64) is None


def test_each_is_better_than_always_no() -> None:
    values = json.loads((paths.shipped_models() / FILE).read_text(encoding="utf-8"))
    held = values["made"]["held_out"]["sentences"]
    for head in values["heads"].values():
        error = head["error"]
        right = error["recall"] * error["there"] + (1 - error["false_alarms"]) * (held - error["there"])
        assert right / held > head["always_no_is_right"] + 0.1


def test_the_card_has_the_numbers_of_the_file(checkout: Path) -> None:
    card = (checkout / "models" / "factor-heads.md").read_text(encoding="utf-8")
    values = json.loads((checkout / "models" / FILE).read_text(encoding="utf-8"))["heads"]
    for name, head in values.items():
        row = next(line for line in card.splitlines() if line.startswith(f"| {NAMES[name]}"))
        numbers = [head["error"][key] for key in ("precision", "recall", "false_alarms")]
        numbers += [head["outside"][key] for key in ("precision", "recall")]
        for number in numbers:
            assert f"{number:.2f}".removeprefix("0") in row


def test_a_reply_sentence_by_sentence(shipped: Heads) -> None:
    engine = ProcessEngine()
    try:
        engine.load(EngineSpec(default_folder() / ENCODER, embedding=True, gpu="off", threads=1))
        section = shipped.section(REPLY, engine.embed)
    finally:
        engine.close()
    assert "An automatic guess" in section.lines[0].text
    assert (
        "emotion recognition 9, distress normalization 8, supportive reflection 9. It finds about 5 of 10"
        in section.lines[0].text
    )
    found = {line.text: line.label for line in section.lines[1:]}
    assert len(found) == 4
    assert "emotion recognition" in found["You sound exhausted, and frightened of going back there."]
    assert "supportive reflection" in found["Would it help to sit by the window for a minute?"]
    assert found["The bus leaves at nine."] == "none found"


def test_an_encoder_that_is_not_there_says_so() -> None:
    classifier = Classifier(default_folder())
    with pytest.raises(Unavailable, match="not loaded"):
        classifier.vector("a")
    classifier.close()
    with pytest.raises(Unavailable, match="closed"):
        classifier.vector("a")


def test_sentences_hold_words() -> None:
    assert sentences("One.  Two!\n\n...\n- three") == ("One.", "Two!", "- three")
    assert sentences("") == ()
