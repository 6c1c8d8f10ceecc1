"""Rules and encoder together: who may raise, what makes it harder, and that no score is ever said."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.safety import join
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier
from tide_chat.safety.classifier import Classifier, Reading, Thresholds
from tide_chat.safety.encoder import Unavailable
from tide_chat.safety.router import Router, assess

FLAGS = {str(flag): 0.5 for flag in Flag}
LIMITS = Thresholds({2: 0.5, 3: 0.5, 4: 0.5}, {2: 0.8, 3: 0.8, 4: 0.8}, FLAGS)
PLAIN, EXCUSED = join.Context(), join.Context(excused=True)


def reading(*tiers: float, flag: Flag | None = None) -> Reading:
    flags = {str(each): 0.9 if each is flag else 0.0 for each in Flag}
    return Reading(tiers, flags, "self", "now", {"other": 1.0})


CALM, HALF, GRAVE = reading(1, 0, 0, 0, 0), reading(0.6, 0, 0.4, 0, 0), reading(0, 0, 0, 0.1, 0.9)


@pytest.mark.parametrize(
    ("heard", "context", "tier"),
    [
        (CALM, PLAIN, Tier.T0),
        (HALF, PLAIN, Tier.T0),
        (GRAVE, PLAIN, Tier.T4),
        (GRAVE, EXCUSED, Tier.T4),
        (reading(0.3, 0, 0.7, 0, 0), EXCUSED, Tier.T1),
        (reading(0.2, 0.8, 0, 0, 0), PLAIN, Tier.T1),
        (GRAVE, join.Context(excused=True, denied=True), Tier.T1),
        (reading(0.1, 0.1, 0.2, 0.55, 0.05), PLAIN, Tier.T3),
    ],
)
def test_the_encoder_alone(heard: Reading, context: join.Context, tier: Tier) -> None:
    assert join.join(Assessment(), [heard], LIMITS, context).tier is tier


CHANCES = st.lists(st.floats(0.01, 1), min_size=5, max_size=5).map(lambda xs: [x / sum(xs) for x in xs])


@given(st.sampled_from(Tier), CHANCES, st.booleans())
def test_the_encoder_never_lowers(tier: Tier, chances: list[float], excused: bool) -> None:
    rules = Assessment(tier, (Flag.MINOR,), reasons=(Reason("a rule", "its words"),))
    joined = join.join(rules, [reading(*chances)], LIMITS, join.Context(excused, (join.Found(tier, 0),)))
    assert joined.tier >= tier
    assert Flag.MINOR in joined.flags
    assert set(rules.reasons) <= set(joined.reasons)


@given(CHANCES)
def test_no_reason_is_a_score(chances: list[float]) -> None:
    for reason in join.join(Assessment(), [reading(*chances, flag=Flag.ABUSE_NOW)], LIMITS, PLAIN).reasons:
        assert not re.search(r"\d", str(reason))


def test_flags_of_both_and_the_gravest_window() -> None:
    rules = Assessment(Tier.T1, (Flag.MINOR,))
    joined = join.join(rules, [CALM, GRAVE, reading(1, 0, 0, 0, 0, flag=Flag.ABUSE_NOW)], LIMITS, PLAIN)
    assert joined.tier is Tier.T4
    assert joined.flags == (Flag.ABUSE_NOW, Flag.MINOR)
    assert joined.reasons[0].rule == join.SOUNDS[Tier.T4]


def test_more_is_asked_of_several_messages_read_together() -> None:
    limits = join.firmer(LIMITS)
    assert join.join(Assessment(), [reading(0.2, 0, 0.8, 0, 0)], limits, PLAIN).tier is Tier.T2
    assert join.join(Assessment(), [reading(0.25, 0, 0.75, 0, 0)], limits, PLAIN).tier < Tier.T2


def test_more_is_asked_of_a_window_of_a_long_text() -> None:
    for heard, tier in ((reading(0.4, 0, 0, 0.6, 0), Tier.T1), (reading(0.1, 0, 0, 0.9, 0), Tier.T3)):
        assert join.join(Assessment(), [CALM, replace(heard, window=True)], LIMITS, PLAIN).tier is tier
        assert join.join(Assessment(), [CALM, heard], LIMITS, PLAIN).tier is Tier.T3
    flagged = reading(1, 0, 0, 0, 0, flag=Flag.ABUSE_NOW)
    flags = {**flagged.flags, str(Flag.ABUSE_NOW): 0.6}
    assert join.join(Assessment(), [CALM, replace(flagged, flags=flags)], LIMITS, PLAIN).flags == (Flag.ABUSE_NOW,)
    assert join.join(Assessment(), [CALM, replace(flagged, flags=flags, window=True)], LIMITS, PLAIN).flags == ()


def test_without_the_encoder_that_is_said() -> None:
    alone = join.without_encoder(Assessment(Tier.T2), "the file is missing")
    assert alone.tier is Tier.T2
    assert join.is_reduced(alone)
    assert not join.is_reduced(Assessment(Tier.T2))


def test_n_grams_raise_where_there_is_no_encoder_and_lower_nothing() -> None:
    rules = Assessment(Tier.T1, (Flag.MINOR,), reasons=(Reason("a rule", "its words"),))
    raised = join.counted(rules, [CALM, GRAVE], LIMITS, PLAIN)
    assert (raised.tier, raised.flags) == (Tier.T4, (Flag.MINOR,))
    assert [reason.rule for reason in raised.reasons] == [join.COUNTED[Tier.T4], "a rule"]
    assert join.counted(rules, [CALM], LIMITS, PLAIN) == rules
    for heavy, context in ((reading(0.2, 0.8, 0, 0, 0), PLAIN), (reading(0.3, 0, 0, 0.7, 0), EXCUSED)):
        assert join.counted(Assessment(), [heavy], LIMITS, context) == Assessment()


SLIGHT = reading(0.2, 0.7, 0.04, 0.04, 0.02)  # far from what the encoder raises by itself, and not nothing


@pytest.mark.parametrize(("heard", "tier"), [(CALM, Tier.T0), (SLIGHT, Tier.T3), (HALF, Tier.T3), (GRAVE, Tier.T4)])
def test_doubtful_words_need_the_encoder_to_bear_them_out(heard: Reading, tier: Tier) -> None:
    rules = Assessment(Tier.T3, reasons=(Reason("a rule", "its words"),))
    joined = join.join(rules, [heard], LIMITS, join.Context(found=(join.Found(Tier.T3, join.DOUBTFUL),)))
    assert joined.tier is tier
    assert set(rules.reasons) <= set(joined.reasons)
    assert (joined.reasons[0].rule == join.NOT_BORNE_OUT) == (heard is CALM)


def test_each_kind_of_finding_needs_its_own_chance() -> None:
    needed = (join.DONE, 0.04, 0.05), (join.DOUBTFUL, 0.07, 0.08), (join.TOGETHER, 0.24, 0.25)
    for chance, below, above in needed:
        context = join.Context(found=(join.Found(Tier.T2, 0), join.Found(Tier.T3, chance, (3, 9))))
        assert (context.borne_out(below), context.borne_out(above)) == (Tier.T2, Tier.T3)
        assert (context.in_doubt(below), context.in_doubt(above)) == (((3, 9),), ())


def test_without_the_encoder_doubtful_words_count() -> None:
    assert join.without_encoder(Assessment(Tier.T3), "the file is missing").tier is Tier.T3


class Fixed(Classifier):
    """Always this reading, or none where there is no encoder."""

    def __init__(self, heard: Reading | None) -> None:
        super().__init__(Path("none"))
        self._heard = heard

    @property
    def thresholds(self) -> Thresholds:
        return LIMITS

    def read(self, text: str) -> list[Reading]:
        if self._heard is None:
            raise Unavailable("the file is missing")
        return [self._heard]


def test_an_encoder_that_is_not_there_bears_out_nothing_and_talks_nothing_down() -> None:
    text = "I have given up on life"
    assert Router(Fixed(CALM)).assess(text).tier is Tier.T0
    alone = Router(Fixed(None)).assess(text)
    assert (alone.tier, join.is_reduced(alone)) == (Tier.T2, True)
    assert alone.reasons[1:] == assess(text).reasons


class Hidden(Fixed):
    """Hears something in few words alone."""

    def __init__(self) -> None:
        super().__init__(CALM)
        self.read_: list[str] = []

    def read(self, text: str) -> list[Reading]:
        self.read_.append(text)
        return [CALM if len(text.split()) > MANY else SLIGHT]


MANY = 30  # words
TALK = "they never gave him back to his mother and i am the one she asks about it every sunday after mass"


@pytest.mark.parametrize("before", ["", f"{TALK}. "])
@pytest.mark.parametrize("after", ["", f". {TALK}"])
def test_what_much_talk_hides_from_the_encoder_is_read_once_more_by_itself(before: str, after: str) -> None:
    encoder = Hidden()
    found = Router(encoder).assess(f"{before}I have given up on life{after}")
    assert found.tier is Tier.T2
    whole, *closer = encoder.read_
    assert [len(each.split()) <= MANY and "given up on life" in each for each in closer] == [True] * bool(
        before and after
    )
    assert all(each in whole for each in closer)


def test_nothing_is_read_once_more_where_nothing_is_in_doubt() -> None:
    for text in (f"{TALK}. {TALK}", f"{TALK}. I want to kill myself. {TALK}"):
        encoder = Hidden()
        Router(encoder).assess(text)
        assert encoder.read_ == [text]
