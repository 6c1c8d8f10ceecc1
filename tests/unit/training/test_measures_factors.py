"""The classifier of the three factors: its file, how sentences get their labels, and that it learns what it can."""

import dataclasses
from pathlib import Path

import numpy
import pytest

from tests.unit.training.auto_replies import reply
from tide_chat.errors import DataError
from training.evaluation.measures import factors, fit
from training.evaluation.measures.factors import FACTORS, Classifier, Head
from training.evaluation.measures.fit import Example

WIDTH = 384


def classifier(threshold: float = 0.5) -> Classifier:
    """Each factor is one coordinate of the vector."""
    heads = [
        Head(tuple(10.0 * (i == place) for i in range(WIDTH)), -5.0, threshold, {}, {}) for place in range(len(FACTORS))
    ]
    return Classifier(tuple(heads), {})


@pytest.fixture
def by_first_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences that begin with 0, 1 or 2 have that factor."""
    places = {"0": 0, "1": 1, "2": 2}

    def vectors(texts: list[str]) -> "numpy.typing.NDArray[numpy.float32]":
        made = numpy.zeros((len(texts), WIDTH), numpy.float32)
        for row, text in enumerate(texts):
            if text[0] in places:
                made[row, places[text[0]]] = 1
        return made

    monkeypatch.setattr(factors, "vectors", vectors)
    monkeypatch.setattr(factors, "_classifier", classifier)
    factors._found.cache_clear()


def test_the_file_that_comes_with_the_project() -> None:
    found = Classifier.read()
    assert [len(head.weight) for head in found.heads] == [WIDTH] * len(FACTORS)
    for head in found.heads:
        for rates in (head.error, head.outside):
            assert rates["precision"] > 0.65
            assert rates["recall"] > 0.4
            assert rates["false_alarms"] < 0.06
    note = factors.error_note()
    assert f"{found.heads[0].error['precision']:.2f}" in note
    assert "emotion recognition" in note


def test_writing_and_reading_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "factors.json"
    made = dataclasses.replace(classifier(), made={"command": "x"})
    path.write_text(made.to_text())
    assert Classifier.read(path) == made


def test_a_broken_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "factors.json"
    path.write_text('{"heads": {}}')
    with pytest.raises(DataError, match="classifier"):
        Classifier.read(path)


@pytest.mark.usefixtures("by_first_word")
def test_factors_of_replies() -> None:
    found = [reply("0 a. 2 b."), reply("1 a."), reply("x."), reply("")]
    assert factors.recognition(found) == [1, 0, 0, 0]
    assert factors.normalization(found) == [0, 1, 0, 0]
    assert factors.reflection(found) == [1, 0, 0, 0]
    assert factors.coverage(found) == pytest.approx([2 / 3, 1 / 3, 0, 0])


@pytest.mark.usefixtures("by_first_word")
def test_only_as_many_sentences_as_the_app_shows() -> None:
    assert factors.recognition([reply("x. x. x. x. x. 0 in time."), reply("x. x. x. x. x. x. 0 too late.")]) == [1, 0]


@pytest.mark.usefixtures("by_first_word")
def test_the_first_sentence_validates_or_does_not() -> None:
    texts = (
        "0 is felt. 2 is asked.",
        "1 is usual.",
        "2 is asked. 0 is felt.",
        "It makes sense. 2 too.",
        "Nothing.",
        "",
    )
    assert factors.validates_first([reply(text) for text in texts]) == [1, 1, 0, 1, 0, 0]


@pytest.mark.usefixtures("by_first_word")
def test_advice_before_validation() -> None:
    advice = "You could take a walk."
    texts = [advice, f"0 a. {advice}", f"{advice} 0 a.", f"1 {advice}", "x. y.", f"2 a. {advice}"]
    assert factors.advice_first([reply(text) for text in texts]) == [1, 0, 1, 0, 0, 1]


def test_a_sentence_is_of_the_part_that_lies_in_it_or_covers_half_of_it() -> None:
    text = "It hurts, and that is usual. What now? Say more about the long night if you like."
    assert fit._is_of("It hurts, and that is usual.", "It hurts", text)
    assert fit._is_of("What now?", "What now? Say more", text)
    assert not fit._is_of("Say more about the long night if you like.", "What now? Say more", text)
    assert not fit._is_of("What now?", "It hurts", text)


def test_marked_parts_become_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "SOURCES", ("open:plain",))
    found = list(fit.examples())
    assert {one.split for one in found} == {"train", "validation", "test"}
    first = [one for one in found if one.dialogue == "s0001"]
    assert [one.factors for one in first if one.reply] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert all(one.factors == (False, False, False) for one in first if not one.reply)


def test_sentences_outside_have_known_labels_and_every_fold() -> None:
    found = fit.outside()
    assert {one.split for one in found} == {str(fold) for fold in range(fit.FOLDS)}
    assert all(any(one.factors[factor] for one in found) for factor in range(len(FACTORS)))
    assert len({one.text for one in found}) == len(found)


def test_it_learns_what_can_be_learnt_and_counts_its_error_on_others() -> None:
    source = numpy.random.default_rng(1)
    vectors = source.normal(size=(600, 8)) / 8**0.5
    truth = vectors[:, :3] > 0.1  # each factor is a coordinate
    splits = ["train"] * 300 + ["validation"] * 100 + ["test"] * 100
    made = [(tuple(map(bool, row)), name) for row, name in zip(truth, splits + ["0", "1", "2", "3"] * 25, strict=True)]
    examples = [Example(str(i), labels, name, True, str(i)) for i, (labels, name) in enumerate(made)]
    found = fit.fit(examples[:500], examples[500:], vectors)
    for head in found.heads:
        assert head.error["precision"] > 0.9
        assert head.error["recall"] > 0.75
        assert head.outside["precision"] > 0.9
    assert found.made["held_out"] == {"sentences": 100, "dialogues": 100}
    predicted = found.present(vectors[400:500])
    assert (predicted == truth[400:500]).mean() > 0.9
