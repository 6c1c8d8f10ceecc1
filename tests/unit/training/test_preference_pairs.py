"""Pairs of replies: what each rule makes worse, that no side of a split sees the other, and that files are verified."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.unit.training import data_rows
from tide_chat.errors import DataError, UsageError
from tide_chat.messages import Message, Role
from training.data import near, sources, split
from training.data.checks.stock import in_reply
from training.preference import pairs, rules
from training.preference.turns import Turn, known_factors, turns
from training.recipe import Pairs as Shares

FEELING, NORMAL, OFFER = (
    "Being startled in the shop sounds frightening.",
    "Many bodies jump before they can think.",
    "Would you like to sit down for a moment?",
)


def turn(name: str, reply: str, *, scenario: str = "panic", persona: str = "p1", factors: tuple[str, ...] = ()) -> Turn:
    return Turn(f"{name}/1", name, persona, scenario, (Message(Role.USER, "It was loud."),), reply, factors)


MINE = turn("a", f"{FEELING} {NORMAL} {OFFER}", factors=(FEELING, NORMAL, OFFER))
OTHERS = (
    turn("b", "Missing her must hurt. Grief comes in waves. What was she like on a good day?", scenario="grief"),
    turn(
        "c",
        "Waking at three is tiring. Sleep after fear is light. What helps you rest?",
        scenario="sleep",
        persona="p2",
    ),
    turn("d", "Your heart raced. That passes. Which shop was it, and who was with you?", persona="p3"),
    turn("e", "You ran out. That was wise. How far away is the door from your seat?", persona="p4"),
)
POOL = rules.Pool((MINE, *OTHERS), ("It's okay to feel this way. Take it one day at a time.",))


def made(rule: str, of: Turn = MINE) -> rules.Worse | None:
    return rules.RULES[rule](of, POOL, random.Random(3))


def test_a_reply_that_misses_the_message_is_of_another_person_and_scenario() -> None:
    found = {made.text for seed in range(30) if (made := rules.misses_message(MINE, POOL, random.Random(seed)))}
    assert found == {OTHERS[1].reply}  # b is of the same person, d and e of the same scenario


def test_a_generic_reply_is_of_the_list() -> None:
    assert made("generic") == rules.Worse(POOL.generic[0])


def test_questions_pile_up_behind_the_first_sentence() -> None:
    found = made("question_pile_up")
    assert found is not None
    first, *asked = rules.sentences(found.text)
    assert first == FEELING
    assert len(asked) == rules.QUESTIONS
    assert all(one.endswith("?") for one in asked)
    assert asked[-1] == OFFER
    assert set(found.of) == {"d", "e"}


def test_a_reply_that_begins_with_a_question_has_no_pile() -> None:
    assert made("question_pile_up", turn("a", f"{OFFER} {FEELING}")) is None


def test_the_offer_comes_before_the_feeling_and_no_word_is_lost() -> None:
    found = made("before_validation")
    assert found == rules.Worse(f"{OFFER} {FEELING} {NORMAL}")
    assert made("before_validation", turn("a", MINE.reply)) is None  # parts not known
    cut = turn("a", "You ran, and that is usual.", factors=("You ran,", "and that is usual", "and that is usual."))
    assert made("before_validation", cut) is None  # a part that is no sentence


def test_what_is_nearly_the_same_is_no_pair() -> None:
    same = turn("z", f"{FEELING} {NORMAL} {OFFER} Yes.", scenario="other", persona="p9")
    assert rules.misses_message(MINE, rules.Pool((same,), ()), random.Random(1)) is None


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split of our own dialogues, a part of each set."""
    source = tmp_path_factory.mktemp("source") / "some.jsonl"
    found = [one for name in ("plain", "dialogues") for one in sources.dialogues((f"open:{name}",))[:120]]
    data_rows.write(source, found)
    out = tmp_path_factory.mktemp("split") / "split"
    split.split(out, (str(source),), shares=(0.7, 0.2, 0.1))
    return out


@pytest.fixture(scope="module")
def built(divided: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pairs") / "pairs"
    pairs.build(divided, out)
    return out


def test_every_pair_keeps_the_rules(divided: Path, built: Path) -> None:
    found = pairs.read(built)
    assert set(found.manifest.parts["train"].rules) == set(rules.RULES)
    for part, read in (("train", found.train), ("validation", found.held)):
        dialogues = {one.dialogue_id: one for one in split.dialogues(divided, part)}
        sentences = {words for one in dialogues.values() for reply in one.replies for words in rules.sentences(reply)}
        assert len(read) > len(dialogues)
        for pair in read:
            own = dialogues[pair.turn.partition("/")[0]]
            assert pair.chosen in own.replies
            assert pair.rejected != pair.chosen
            if pair.rule == "before_validation":
                assert Counter(near.words(pair.rejected)) == Counter(near.words(pair.chosen))
            else:
                shingles = (near.shingles(pair.rejected), near.shingles(pair.chosen))
                assert near.jaccard(*shingles) < near.ALIKE
            if pair.rule == "misses_message":
                assert all(dialogues[name].scenario != own.scenario for name in pair.of)
            if pair.rule == "question_pile_up":
                assert set(rules.sentences(pair.rejected)) <= sentences


def test_the_two_sides_share_no_worse_reply(built: Path) -> None:
    found = pairs.read(built)
    train, held = ({pair.rejected for pair in part} for part in (found.train, found.held))
    assert not train & held
    assert any(pair.rule == "generic" for pair in found.held)


def test_the_same_split_gives_the_same_bytes(divided: Path, built: Path, tmp_path: Path) -> None:
    pairs.build(divided, tmp_path / "again")
    pairs.build(divided, tmp_path / "other", seed=1)
    for name in ("train.jsonl", "validation.jsonl", "manifest.json"):
        assert (tmp_path / "again" / name).read_bytes() == (built / name).read_bytes()
    assert (tmp_path / "other" / "train.jsonl").read_bytes() != (built / "train.jsonl").read_bytes()
    pairs.build(divided, tmp_path / "again")  # it is there already
    with pytest.raises(UsageError, match="something else"):
        pairs.build(divided, tmp_path / "other")


def test_what_was_changed_is_refused(divided: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    pairs.build(divided, out)
    with (out / "train.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match="was changed"):
        pairs.read(out)
    (out / "train.jsonl").unlink()
    with pytest.raises(DataError, match="missing"):
        pairs.read(out)
    with pytest.raises(DataError, match="holds no pairs"):
        pairs.read(divided)
    with pytest.raises(DataError, match="holds no split"):
        pairs.build(tmp_path / "nowhere", tmp_path / "out")


def test_one_pair_of_each_reply_is_drawn_by_the_shares(built: Path) -> None:
    found = pairs.read(built).train
    drawn = pairs.choose(found, Shares(), 42)
    assert len(drawn) == len({pair.turn for pair in found})
    assert pairs.choose(found, Shares(), 42) == drawn
    assert pairs.choose(found, Shares(), 43) != drawn
    alone = Shares(misses_message=0, question_pile_up=0, before_validation=0, generic=0.1)
    assert {pair.rule for pair in pairs.choose(found, alone, 42)} == {"generic"}
    counts = Counter(pair.rule for pair in drawn)
    assert counts["misses_message"] > counts["question_pile_up"] > 0


def test_our_dialogues_have_their_parts() -> None:
    found = known_factors()
    assert len(found) == 2250
    ours = list(turns(sources.dialogues(("open:plain",)), found))
    assert all(len(one.factors) == 3 for one in ours)
    other = turns([data_rows.dialogue(name="s0001")], found)  # a dialogue that happens to have the same name
    assert [one.factors for one in other] == [()]


def test_generic_replies_are_stock_and_differ() -> None:
    found = pairs.generic_replies()
    assert len(found) == len(set(found)) == 60
    assert all(in_reply(one) for one in found)
    assert list(near.pairs(found)) == []
    ours = [reply for one in sources.dialogues() for reply in one.replies]
    assert not set(found) & set(ours)


def test_a_pair_survives_its_line(built: Path) -> None:
    first = pairs.read(built).train[0]
    line = json.loads(first.to_line())
    assert line["before"][-1] == {"role": "user", "text": first.before[-1].text}
    better, worse = first.conversations
    assert better.messages[:-1] == worse.messages[:-1] == first.before
    assert (better.messages[-1].text, worse.messages[-1].text) == (first.chosen, first.rejected)
