"""What holds for any text: never raises, bounded work, and disguises that only add nothing."""

from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tide_chat.safety import router
from tide_chat.safety.assessment import Tier
from tide_chat.safety.lexicon import load, read
from tide_chat.safety.normalize import fold
from tide_chat.safety.router import assess, excerpt

LEXICON = load()
GRAVE = (
    "I want to kill myself",
    "i took all my tablets",
    "i don't want to wake up tomorrow",
    "everyone would be better off without me",
    "I've picked a date and written the letters",
)
WORDS = st.sampled_from(
    "i want to die kill myself not my friend wants goodbye 2 4ever k*ll u r i'm | . ! zzzzz 3am 💊".split()
)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(assess(text).tier, Tier)


@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_no_mixture_of_alarming_words_breaks_it(text: str) -> None:
    assert isinstance(assess(text).tier, Tier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "\x00\x01\x02\xff" * 2_000,
        "🙂" * 3_000,
        "\ud800 want to die",
        "a" * 1_000_000,
        "i want " * 150_000,
        "not " * 250_000,
        "k i l l " * 100_000,
        "!" * 500_000,
        "*" * 300_000,
        "i" + "\u0301" * 300_000,
    ],
    ids=range(12),
)
def test_absurd_input_is_answered(text: str) -> None:
    assert isinstance(assess(text).tier, Tier)


def test_what_is_read_of_a_long_text_is_bounded() -> None:
    assert len(excerpt("i want to die " * 100_000)) < 2 * router.EDGE + 2 * router.MIDDLE


@pytest.mark.parametrize("place", ["beginning", "middle", "end"])
def test_a_long_text_is_looked_at_everywhere(place: str) -> None:
    filler = "the garden was quiet and the kettle was on. " * 3_000
    half = len(filler) // 2
    said = " I want to kill myself. "
    text = {"beginning": said + filler, "middle": filler[:half] + said + filler[half:], "end": filler + said}[place]
    assert assess(filler).tier < Tier.T2
    assert assess(text).tier >= Tier.T3


@given(st.text(max_size=200))
def test_folding_is_idempotent(text: str) -> None:
    once = fold(text, LEXICON.spellings, LEXICON.vocabulary)
    assert fold(once, LEXICON.spellings, LEXICON.vocabulary) == once


@given(st.lists(WORDS, max_size=30).map(" ".join))
def test_folding_alarming_words_is_idempotent(text: str) -> None:
    once = fold(text, LEXICON.spellings, LEXICON.vocabulary)
    assert fold(once, LEXICON.spellings, LEXICON.vocabulary) == once


@settings(max_examples=60)
@given(st.sampled_from(GRAVE), st.data())
def test_more_space_and_invisible_characters_never_lower(text: str, data: st.DataObject) -> None:
    spaced = "".join(c + data.draw(st.sampled_from(["", " ", "\n", "\t"])) if c == " " else c for c in text)
    hidden = "".join(c + data.draw(st.sampled_from(["", "\u200b", "\u200d", "\u00ad", "\ufeff"])) for c in spaced)
    assert assess(hidden).tier >= assess(text).tier


@given(st.sampled_from(GRAVE), st.sampled_from([str.upper, str.lower, str.title, str.swapcase]))
def test_case_does_not_matter(text: str, change: object) -> None:
    assert callable(change)
    assert assess(change(text)).tier == assess(text).tier


@given(st.sampled_from(GRAVE), st.text(alphabet="abcdefgh ,", max_size=60))
def test_words_after_a_full_stop_never_hide_it(text: str, rest: str) -> None:
    assert assess(f"{text}. {rest}").tier >= Tier.T2


def test_the_tables_are_read_without_a_problem() -> None:
    assert LEXICON.problems == ()
    assert len(LEXICON.statements) > 300


def test_every_entry_says_why_and_from_where() -> None:
    for entry in (*LEXICON.statements, *LEXICON.cues, *(e for kind in LEXICON.contexts.values() for e in kind)):
        assert entry.why, entry.pattern
        assert entry.source, entry.pattern


def test_every_entry_can_be_looked_up_by_a_word_it_needs() -> None:
    assert [entry.pattern for entry in (*LEXICON.statements, *LEXICON.cues) if not entry.phrase.anchors] == []


def test_with_no_tables_the_plainest_statements_still_work_and_it_says_so(tmp_path: object) -> None:
    assert not isinstance(tmp_path, str)
    reduced = read(files("tide_chat") / "no-such-folder")
    assessment = router.assess_alone("I want to kill myself", reduced)
    assert assessment.tier >= Tier.T3
    assert assessment.reasons[0].rule == router.REDUCED
    assert router.assess_alone("good morning", reduced).tier is Tier.T0


def test_a_broken_line_costs_only_itself(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("lexicon")
    for table in (files("tide_chat.safety") / "lexicon").iterdir():
        (folder / table.name).write_text(table.read_text(encoding="utf-8"), encoding="utf-8")
    with (folder / "direct.tsv").open("a", encoding="utf-8") as table_file:
        table_file.write("(open\tT3\t\t\tbroken\ttest\nfine words\tT9\t\t\tbroken\ttest\n")
    broken = read(folder)
    assert len(broken.problems) == 2
    assert router.assess_alone("goodbye everyone", broken).tier >= Tier.T3
