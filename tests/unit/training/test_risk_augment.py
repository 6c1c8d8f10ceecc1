"""What is put around a message while the risk encoder learns."""

import random

from tide_chat.safety.assessment import Tier
from training.risk.augment import vary
from training.risk.data import Row
from training.risk.train import Recipe, Trainer

LONG = "word " * 40  # no text of its length loses its blanks


def test_talk_stands_before_after_and_on_both_sides() -> None:
    rng, places = random.Random(4), set()
    for _ in range(60):
        found = vary(LONG + "MARK", ("one", "two"), rng).split("MARK")
        places.add(tuple(sum(f"{each}" in side for each in ("one", "two")) for side in found))
    assert places == {(2, 0), (1, 1), (0, 2)}


def test_nothing_around_leaves_the_words() -> None:
    assert "MARK" in vary(LONG + "MARK", (), random.Random(1))


def test_distress_stands_around_all_but_ordinary_talk() -> None:
    trainer = Trainer(Recipe(heavy=1.0, teachers=0), None, lambda _: None, 400)
    assert trainer.heavy
    for tier, talk in ((Tier.T0, trainer.calm), (Tier.T1, trainer.heavy), (Tier.T3, trainer.heavy)):
        assert trainer._talk(Row("a", "", "", tier=tier)) in talk
    assert trainer._talk(Row("a", "", "")) in trainer.heavy  # a dialogue: below T2, whatever stands beside it
    assert not any(row.flags for row in trainer.train_rows if row.text in set(trainer.heavy))
