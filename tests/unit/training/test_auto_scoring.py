"""Scores, tables and samples from replies, without a model."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.training.auto_replies import reply
from tide_chat.errors import UsageError
from training.evaluation.auto import samples, scoring
from training.evaluation.auto.scoring import Wanted
from training.evaluation.measures import catalogue
from training.evaluation.metrics import Settings
from training.evaluation.replies import FINE_TUNED, Reply

WORDS = catalogue.named(["words", "violations", "tokens"])


def some() -> list[Reply]:
    """Six items of three persons, answered in two states."""
    made = [
        replace(reply(f"{'word ' * (n + 1)}.", item=f"d{n}/0"), persona_id=f"p{n // 2}", tokens=n) for n in range(6)
    ]
    return [*made, *(replace(one, state=FINE_TUNED, text="I am a human.") for one in made)]


def test_what_is_wanted() -> None:
    assert Wanted.of(["words"], Settings()) == Wanted(catalogue.named(["words"]))
    assert Wanted.of(["measures"], Settings()).measures == catalogue.MEASURES
    made = Wanted.of(["rouge_l", "stock"], Settings())
    assert (made.measures, made.scorer is not None) == (catalogue.named(["stock"]), True)
    with pytest.raises(UsageError, match="nothing_like_it"):
        Wanted.of(["nothing_like_it"], Settings())


def test_scores_are_a_line_a_reply(tmp_path: Path) -> None:
    found = scoring.score(some(), WORDS, [1.5, *[None] * 11])
    scoring.write_scores(tmp_path, found.replies, found.scores)
    lines = [json.loads(line) for line in (tmp_path / scoring.SCORES).read_text().splitlines()]
    assert len(lines) == 12
    assert lines[0] == {
        "item": "d0/0",
        "model": "m",
        "state": "zs",
        "words": 1.0,
        "violations": 0.0,
        "tokens": None,
        "joules": 1.5,
    }


def test_tables_have_means_by_condition_and_the_reference() -> None:
    found = scoring.score(some(), WORDS, [None] * 12)
    overview, zero_shot, _ = scoring.tables(found, "tide-eval auto", 0)
    assert overview.columns == ("measure", "unit", "better", "m zs", "m ft", "reference")
    violations, words, tokens, joules = overview.rows
    assert words[3:] == (3.5, 4.0, 3.0)
    assert violations[3:] == (0, 1000, 0)
    assert tokens[3:] == (3.0, 3.0, None)
    assert joules[3:] == (None, None, None)
    assert "6 stop" in overview.note
    assert zero_shot.name == "measures-m-zs"
    name, _, mean, low, high, sd, count = zero_shot.rows[1]
    assert (name, mean, count) == ("Words", 3.5, 6)
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low < 3.5 < high
    assert sd == pytest.approx(math.sqrt(3.5))


def test_the_classifiers_error_stands_beside_its_numbers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    found = scoring.score(some(), WORDS, [None] * 12)
    assert "classifier" not in scoring.tables(found, "", 0)[0].note
    monkeypatch.setattr(catalogue, "score", lambda replies, wanted, say: {"factors": [0.5] * len(replies)})
    with_factors = scoring.score(some(), catalogue.named(["factors"]), [None] * 12)
    assert "precision" in scoring.tables(with_factors, "", 0)[0].note


def test_one_persons_replies_are_drawn_together() -> None:
    assert replace(reply("x", item="d1/3"), persona_id="p").cluster == "p"
    assert reply("x", item="d1/3").cluster == "d1"


def test_samples_are_drawn_by_the_seed() -> None:
    whole = [reply(f"text {n}", item=f"d{n}/0") for n in range(40)]
    page = samples.page(whole, 1)
    assert page.count("\n## ") == samples.COUNT
    assert page == samples.page(whole, 1) != samples.page(whole, 2)
    assert "10 of 40 items, drawn by seed 1" in page


def test_samples_show_everything_as_it_came() -> None:
    said = ("Hello", "Hi.", "It is late")
    page = samples.page([replace(reply("", item="d/1"), said=said), reply("a <b>\n\nc", item="d/1", model="n")], 0)
    for line in ("> Hello", "**Assistant (of the data)**", "> *(nothing)*", "> a \\<b>", "> c", "> That sounds hard."):
        assert f"\n{line}\n" in page


def test_several_conditions_are_compared_by_situation() -> None:
    about = ["panic_public", "panic_public", "flashback", "small_win_recovery", "other", ""] * 2
    replies = [replace(one, scenario=scenario) for one, scenario in zip(some(), about, strict=True)]
    *_, table = scoring.tables(scoring.score(replies, WORDS, [None] * 12), "tide-eval auto", 0)
    assert table.name == "measures-by-family"
    assert table.columns == ("situation", "items", "measure", "m zs", "m ft")
    assert table.rows == (("panic", 2, "Words", 1.5, 4.0), ("reliving", 1, "Words", 3.0, 4.0))
