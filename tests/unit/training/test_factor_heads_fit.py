"""The file of the inspector's factor heads: what it says of its error is what was counted."""

import json
from pathlib import Path

import pytest

from tide_chat.clinician.factors import Heads
from training.evaluation.measures.factors import Head
from training.evaluation.measures.fit import Example
from training.factors import fit

NAMES = ("emotion_recognition", "distress_normalization", "supportive_reflection")


def example(factors: tuple[bool, bool, bool], split: str = "test") -> Example:
    return Example(f"Words {factors}.", factors, split, True, "d1")


def head(recall: float, false_alarms: float, there: int) -> Head:
    error = {"precision": 0.9, "recall": recall, "false_alarms": false_alarms, "there": there}
    return Head((0.5, -0.5), 0.1, 0.5, error, error | {"precision": 0.6})


@pytest.mark.parametrize(("found", "false", "there", "held"), [(3, 1, 4, 10), (0, 0, 4, 10), (4, 6, 4, 10)])
def test_right_is_the_share_of_sentences_about_which_it_is_right(found: int, false: int, there: int, held: int) -> None:
    made = head(found / there, false / (held - there), there)
    assert fit.right(made, held) == pytest.approx((found + held - there - false) / held)


def test_the_app_reads_the_file_and_shows_the_lower_precision(tmp_path: Path) -> None:
    encoder = tmp_path / "encoder.gguf"
    encoder.write_bytes(b"weights")
    ours = [example((True, False, False)), example((False, False, False)), example((False, True, False), "train")]
    text = fit.document([head(0.5, 0.1, 1)] * 3, ours, [], encoder)
    values = json.loads(text)
    assert values["made"]["held_out"]["sentences"] == 2
    assert [values["heads"][name]["always_no_is_right"] for name in NAMES] == [0.5, 1.0, 1.0]
    (tmp_path / "heads.json").write_text(text, encoding="utf-8")
    heads = Heads.read(tmp_path / "heads.json")
    assert [one.precision for one in heads.heads] == [0.6, 0.6, 0.6]
    assert heads.heads[0].found([1.0, 0.0])
    assert not heads.heads[0].found([0.0, 1.0])
