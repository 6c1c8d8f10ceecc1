"""The person's own plan on the cards of a tier: first where nothing is urgent, and never at the cost of the card."""

from tide_chat.commands import turns
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.errors import TideError
from tide_chat.events import CardShown
from tide_chat.safety.assessment import Assessment, Flag, Tier
from tide_chat.safety.cards import Card, cards_for, with_plan
from tide_chat.safety.state import RiskState
from tide_chat.turn import Companion

PLAN = "My safety plan\n- People I can ask for help: Maria: 555 0100"


def companion(assessment: Assessment) -> Companion:
    def assess(_text: str, _state: RiskState | None) -> Assessment:
        return assessment

    return Companion(ScriptedEngine(["I hear you."]), country="US", assess=assess)


def shown(talk: Companion) -> list[Card]:
    return [event.card for event in talk.reply("words") if isinstance(event, CardShown)]


def test_a_card_of_a_tier_carries_the_plan_and_stays_pinned_with_it() -> None:
    talk = companion(Assessment(Tier.T2))
    talk.plan = lambda: PLAN
    assert [card.plan for card in shown(talk)] == [PLAN]
    assert talk.pinned_cards[0].plan == PLAN


def test_without_a_plan_the_cards_are_what_they_were() -> None:
    assessment = Assessment(Tier.T3)
    assert shown(companion(assessment)) == list(cards_for(assessment, "US"))


def test_only_the_card_of_the_tier_carries_it() -> None:
    talk = companion(Assessment(Tier.T3, (Flag.METHOD_SEEKING,)))
    talk.plan = lambda: PLAN
    assert {card.id: bool(card.plan) for card in shown(talk)} == {"method_seeking": False, "t3": True}
    assert with_plan(cards_for(Assessment(flags=(Flag.MINOR,)), "US"), PLAN)[0].plan == ""


def test_a_plan_that_cannot_be_read_costs_no_card() -> None:
    for error in (TideError("locked"), OSError("gone"), ZeroDivisionError("a defect")):
        talk = companion(Assessment(Tier.T4))

        def fails(error: Exception = error) -> str:
            raise error

        talk.plan = fails
        assert shown(talk) == list(cards_for(Assessment(Tier.T4), "US"))


def test_the_plan_is_not_read_where_no_card_is_shown() -> None:
    talk, reads = companion(Assessment(Tier.T0)), list[int]()

    def plan() -> str:
        reads.append(1)
        return PLAN

    talk.plan = plan
    assert shown(talk) == []
    assert reads == []


def test_control_characters_of_a_plan_never_reach_a_card() -> None:
    talk = companion(Assessment(Tier.T2))
    talk.plan = lambda: "\x1b[2Jwords"
    assert shown(talk)[0].plan == "words"


def test_in_words_it_stands_before_ours_and_after_an_urgent_number() -> None:
    calm, urgent = (with_plan(cards_for(Assessment(tier), "US"), PLAN)[0] for tier in (Tier.T2, Tier.T4))
    text = turns.card_text(calm)
    assert text.index(calm.title) < text.index(PLAN) < text.index(calm.body.split(".")[0])
    text = turns.card_text(urgent)
    assert text.index("911") < text.index(PLAN) < text.index(urgent.body.split(".")[0])
