"""METEOR, ROUGE-L and Distinct against the reference libraries, and on texts that are broken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer

from tide_chat.progress import quiet
from training.evaluation.metrics import distinct, meteor, rouge
from training.evaluation.metrics.pairs import Pair
from training.evaluation.metrics.wordnet import WordNet

WORDS = st.lists(st.sampled_from("I i you feel felt feeling feels sad unhappy a the , . !".split()), max_size=25)
TEXTS = WORDS.map(" ".join)
EMOJI = "\U0001f622\U0001f62d"


@pytest.fixture(scope="module")
def wordnet() -> WordNet:
    return WordNet.load()


@pytest.mark.parametrize(
    ("key", "metric"),
    [("meteor", meteor.Meteor()), ("meteor_no_wordnet", meteor.Meteor(synonyms=False)), ("rouge_l", rouge.Rouge())],
    ids=str,
)
def test_values_are_those_of_the_reference_libraries(
    golden: list[dict[str, object]], key: str, metric: meteor.Meteor | rouge.Rouge
) -> None:
    pairs = [Pair(str(one["text"]), str(one["reference"])) for one in golden]
    (values,) = metric.measure(pairs, quiet).values()
    assert values == [one[key] for one in golden]


def test_wordnet_makes_a_difference_on_the_golden_pairs(golden: list[dict[str, object]]) -> None:
    assert sum(one["meteor"] != one["meteor_no_wordnet"] for one in golden) >= 5


@given(TEXTS, TEXTS)
def test_rouge_is_rouge_scores(text: str, reference: str) -> None:
    found = rouge.Rouge().measure([Pair(text, reference)], quiet)[rouge.NAME]
    assert found == [RougeScorer(["rougeL"]).score(reference, text)["rougeL"].fmeasure]


@given(st.lists(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd")))
def test_a_common_subsequence_does_not_depend_on_the_order_of_the_two(one: list[str], other: list[str]) -> None:
    assert rouge.common(one, other) == rouge.common(other, one) <= min(len(one), len(other))
    assert rouge.common(one, one + other) == len(one)


@settings(max_examples=20, deadline=None)  # each reads WordNet
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8))
def test_meteor_of_many_pairs_is_nltks_of_each(wordnet: WordNet, two: list[tuple[str, str]]) -> None:
    """What is remembered, and synonyms left out because no reference has them, must not show."""
    pairs = [Pair(*one) for one in two]
    cut = meteor.Tokens()
    theirs = [single_meteor_score(cut[one.reference], cut[one.text], wordnet=wordnet) for one in pairs]
    assert meteor.Meteor().measure(pairs, quiet)[meteor.NAME] == theirs


@pytest.mark.parametrize(
    ("word", "some"),
    [
        ("went", {"go", "travel"}),
        ("geese", {"goose"}),
        ("unhappy", {"dysphoric"}),
        ("comics", {"funnies"}),
        ("galore", {"abounding"}),
    ],
)
def test_synonyms(wordnet: WordNet, word: str, some: set[str]) -> None:
    assert some <= wordnet.synonyms(word)


@pytest.mark.parametrize("word", ["", "xyzzy", EMOJI, "hot_dog", "'", "The"])
def test_words_without_synonyms(wordnet: WordNet, word: str) -> None:
    assert wordnet.synonyms(word) == frozenset()


def test_synonyms_are_single_words_in_lower_case(wordnet: WordNet) -> None:
    found = wordnet.synonyms("earth") | wordnet.synonyms("dog") | wordnet.synonyms("uk")
    assert found
    assert all(word == word.lower() and "_" not in word for word in found)


def test_the_licence_goes_with_the_words() -> None:
    from training.evaluation.metrics import wordnet as module

    head = module.text()[:2500]
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in head
    assert "without fee" in head


@pytest.mark.parametrize("text", ["", "  \n", EMOJI, "?!"], ids=["empty", "space", "emoji", "marks"])
def test_a_reply_without_words_has_0(text: str) -> None:
    pair = Pair(text, "That must hurt.")
    for metric in (meteor.Meteor(), rouge.Rouge(), distinct.Distinct()):
        assert all(values == [0.0] for values in metric.measure([pair], quiet).values())


def test_ten_thousand_words() -> None:
    long = "you are not alone in this " * 1700
    pair = Pair(long, "You are not alone.")
    assert 0 < rouge.Rouge().measure([pair], quiet)[rouge.NAME][0] < 0.001
    assert 0 < meteor.Meteor().measure([pair], quiet)[meteor.NAME][0] < 0.1
    assert rouge.common(long.split(), long.split()) == 10_200


def test_padding_makes_anything_alike() -> None:
    one, other = "we are here".split(), "nothing in common".split()
    assert rouge.f1(one, other) == 0
    assert rouge.padded_f1(one, other, 100) == pytest.approx(0.97)
    assert rouge.padded_f1(one, other, 2) == 0


def test_distinct_by_hand() -> None:
    values = distinct.Distinct().measure([Pair("Yes, yes, I do. I do!", ""), Pair("No", "")], quiet)
    assert values == {"Distinct-1": [3 / 6, 1.0], "Distinct-2": [4 / 5, 0.0]}


def test_pooled_distinct_counts_no_pair_across_replies() -> None:
    assert distinct.pooled(["a b", "a b", "b a"]) == (2 / 6, 2 / 3)
    assert distinct.pooled([]) == (0.0, 0.0)
    assert distinct.words("Don’t you?") == ["don’t", "you"]
