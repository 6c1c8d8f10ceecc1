"""A grave first message on a small laptop: the number to call and the first words are on the screen."""

import pytest

from tests.ui.conftest import OpenApp
from tests.ui.doubles import CARD, Doubles
from tests.ui.driving import chat, on_screen, send, until
from tide_chat.care.keeping import Paper
from tide_chat.care.plan import SafetyPlan
from tide_chat.ui.widgets.card import CardDeck

FIRST_WORDS = "The emergency number is first on the card."
MESSAGES = {
    "alone": ("the gun is loaded and i am going to do it tonight", ["t4"]),
    "body": ("I took all my pills an hour ago", ["t4", "medical_emergency"]),
    "program": (
        "you are the only one I can talk to and I am going to hang myself tonight, the rope is ready",
        ["t4", "ai_dependence"],
    ),
    "violence": (
        "he is hitting me right now and I am going to kill myself tonight, I have the pills here",
        ["t4", "abuse_now"],
    ),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18)], ids=str)
@pytest.mark.parametrize(("text", "ids"), MESSAGES.values(), ids=MESSAGES)
async def test_what_matters_most_is_seen_without_a_key(
    open_app: OpenApp, size: tuple[int, int], text: str, ids: list[str]
) -> None:
    async with open_app(size) as pilot:
        await send(pilot, text)
        await pilot.pause()
        deck, seen = chat(pilot).query_one(CardDeck), on_screen(pilot)
        assert [card.id for card in deck.cards] == ids
        assert [view.card for view in deck.query("CardView").results()] == deck.cards  # type: ignore[attr-defined]
        assert "Call 911" in seen
        assert deck.cards[0].title in seen
        await until(pilot, lambda: FIRST_WORDS in " ".join(row.strip(" │▇▁") for row in on_screen(pilot).splitlines()))


async def test_a_plan_of_ones_own_does_not_cover_the_number(open_app: OpenApp, doubles: Doubles) -> None:
    plan = SafetyPlan(signs="the walls come closer. " * 6, coping="cold water on the wrists. " * 6)
    doubles.care.papers.put(Paper.PLAN, plan.dumps())
    doubles.talk.plan = doubles.care.plan_in_short
    async with open_app((80, 24)) as pilot:
        await send(pilot, MESSAGES["alone"][0])
        await pilot.pause()
        assert "Call 911" in on_screen(pilot)


async def test_a_card_of_a_later_turn_comes_on_top(open_app: OpenApp) -> None:
    async with open_app((120, 40)) as pilot:
        await send(pilot, MESSAGES["program"][0])
        await send(pilot, "he is hitting me right now")
        ids = [card.id for card in chat(pilot).query_one(CardDeck).cards]
        assert set(ids) == {"t4", "ai_dependence", "abuse_now"}
        assert ids.index("t4") < ids.index("abuse_now") < ids.index("ai_dependence"), "it came again, with the new one"


async def test_a_card_that_takes_its_room_late_hides_no_beginning(open_app: OpenApp) -> None:
    words = "\n\n".join(["This is where it begins.", *["A line that follows."] * 5])
    async with open_app((80, 24)) as pilot:
        chat(pilot).transcript.grow(words, authored=True)
        chat(pilot).transcript.finish(words, authored=True)
        await pilot.pause()
        chat(pilot).query_one(CardDeck).pin(CARD)
        await until(pilot, lambda: chat(pilot).transcript.size.height < 10)
        await until(pilot, lambda: "This is where it begins." in on_screen(pilot))
        await pilot.press("pagedown")
        chat(pilot).query_one(CardDeck).put_away()
        chat(pilot).query_one(CardDeck).pin(CARD)
        await pilot.pause()
        assert "This is where it begins." not in on_screen(pilot), "whoever reads on is left where they are"
