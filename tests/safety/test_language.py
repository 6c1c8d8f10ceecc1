"""A language that the check does not understand is noticed, quietly and once; one that it understands never is."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.events import CardShown, Done, Event
from tide_chat.safety import cards, language
from tide_chat.safety.assessment import Assessment, Reason, Tier
from tide_chat.safety.router import assess
from tide_chat.turn import Companion

NOT_COVERED = {
    "Dutch": ("Ik wil dood", "ik voel me al weken zo alleen en niemand begrijpt het", "ik kan niet meer slapen"),
    "Polish": ("chcę się zabić", "nie mogę spać, ciągle o tym myślę", "nie chce mi sie zyc"),
    "Swedish": ("jag vill inte leva längre", "jag orkar inte mer, allt är svart", "det är så tyst här på natten"),
    "Norwegian": ("jeg vil dø", "jeg orker ikke mer og vil ikke leve lenger"),
    "Danish": ("jeg vil ikke leve mere", "jeg har det meget dårligt i dag"),
    "Catalan": ("no vull viure", "avui tampoc dormo, el cap no para", "fa un any i encara no puc passar per la plaça"),
    "Albanian": ("nuk dua të jetoj", "sonte prap nuk fle dot, kam frikë"),
    "Somali": ("ma rabo inaan noolaado", "habeenkii ma seexdo, waan baqayaa"),
    "Lithuanian or Latvian": ("nenoriu gyventi", "vėl nemiegu, bijau nakties", "negribu dzīvot, man ir bail"),
    "Estonian": ("ma ei taha enam elada", "täna jälle ei saa und ja mul on paha olla"),
    "Finnish": ("en jaksa enää elää", "haluan kuolla", "minulla on paha olo tänään ja en saa unta"),
    "Turkish": ("ölmek istiyorum", "artık yaşamak istemiyorum", "bugün çok kötü hissediyorum"),
    "Czech or Slovak": ("nechci už žít", "chci umřít dnes v noci", "nemůžu spát a je mi zle"),
    "Romanian": ("vreau să mor", "nu mai pot dormi și nu mai vreau nimic"),
    "Hungarian": ("meg akarok halni", "nem tudok aludni és nagyon félek"),
    "Vietnamese": ("tôi muốn chết", "tôi không ngủ được đêm nay"),
    "Tagalog": ("gusto ko nang mamatay", "hindi ako makatulog at pagod na ako"),
    "Swahili": ("nataka kufa", "sina nguvu tena na maisha yangu"),
    "Russian, Ukrainian or another language in Cyrillic letters": ("Хочу умереть", "Я не могу больше так жить"),
    "Arabic, Persian, Urdu or another language in Arabic letters": ("اريد ان اموت", "لا أستطيع النوم"),
    "Chinese or Japanese": ("我想死", "我不想活了"),
    "Japanese": ("死にたい", "もう生きたくない"),
    "Korean": ("죽고 싶어",),
    "Hindi or another language in Devanagari letters": ("मैं मरना चाहता हूँ",),
    "Bengali": ("আমি মরতে চাই",),
    "Greek": ("θέλω να πεθάνω",),
    "Hebrew": ("אני רוצה למות",),
    "Thai": ("ฉันอยากตาย",),
}
COVERED = (
    "I can't sleep again, same dream about the road",
    "im so done with all of it tbh",
    "no",
    "ok",
    "lol nvm",
    "hmm",
    "k i l l m y s e l f",
    "su1c1de",
    "I wаnt tо diе",  # some of the letters are Cyrillic
    "ωhaτs τhε ροιητ οf mε. sεrιουs qυεsτιοη. ι ωουld ηοτ mιηd ηοτ βειηg",
    "gonna crash till monday, nights on the ward again",
    "my π day cake was a disaster",
    "aye it's a dreich day the day, cannae be bothered wi it",
    "Wagwan bruv, man's not hot",
    "I said спасибо to the nurse and she laughed",
    "Hans Müller und I went to Kraków",
    "no puedo dormir otra vez, el mismo sueño",
    "ya no puedo más",
    "je n'arrive plus à dormir, toujours le même rêve",
    "j'en peux plus",
    "ich kann nicht mehr schlafen, immer derselbe Traum",
    "mir geht es heute nicht gut",
    "não consigo dormir de novo, sempre o mesmo sonho",
    "tô muito cansada hoje",
    "non riesco a dormire, sempre lo stesso sogno",
    "sto male oggi",
    "main bahut thak gaya hoon, neend nahi aati",
    "aku capek banget, gak bisa tidur lagi",
    "😢😢😢 ...",
    "1234 5678",
    "hahahahahahaha",
    "def main(): return [x for x in range(10)]",
)


@pytest.mark.parametrize(("name", "said"), [(name, said) for name, lines in NOT_COVERED.items() for said in lines])
def test_it_is_noticed_and_named(name: str, said: str) -> None:
    assert language.uncovered(said) == name
    assert Reason(language.RULE, name) in assess(said).reasons


@pytest.mark.parametrize("said", COVERED)
def test_a_covered_language_slang_and_disguise_are_left_alone(said: str) -> None:
    assert language.uncovered(said) is None


def test_many_words_of_a_language_that_no_list_has() -> None:
    zulu = (
        "ngizizwa ngikhathele kakhulu futhi angikwazi ukulala ebusuku ngoba ngicabanga ngaye njalo usuku nosuku kunzima"
    )
    assert language.uncovered(zulu) == language.UNKNOWN


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_it(said: str) -> None:
    assert len(language.noticed(said)) <= 1


def test_it_costs_under_a_millisecond_and_never_grows() -> None:
    language.uncovered("warm")
    said = "It was a long week, and I did not sleep. Ze zeggen dat het beter wordt. " * 2
    start = time.process_time()
    for _ in range(50):
        language.uncovered(said)
    assert (time.process_time() - start) / 50 < 0.001
    start = time.process_time()
    language.uncovered("слово " * 200_000)
    assert time.process_time() - start < 0.2


def test_without_the_lists_scripts_are_still_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "frequent", lambda: language.Words({}, {}, {}))
    assert language.uncovered("Хочу умереть")
    assert language.uncovered("Ik wil dood") is None


# The card


def card(noticed: str = "Polish", country: str | None = "GB") -> cards.Card:
    (one,) = cards.cards_for(Assessment(reasons=(Reason(language.RULE, noticed),)), country)
    return one


def test_the_checklist_beside_its_text() -> None:
    text = cards.text("language")
    parts = {"title": text.title, "body": text.body, "reply": text.reply}
    for required in text.required:
        assert re.search(required.pattern, parts[required.where]), required.element
    assert len(text.body.split()) <= 80
    assert "!" not in text.title + text.body + text.reply


def test_each_line_has_the_emergency_number_and_where_to_find_a_line() -> None:
    lines = cards.text("language").said
    assert sum(not line.only for line in lines) >= 15
    for line in lines:
        assert "{emergency}" in line.text
        assert "findahelpline.com" in line.text
        assert "!" not in line.text
    shown = card().body
    assert "{emergency}" not in shown
    assert shown.count("999") > 15


@pytest.mark.parametrize("name", NOT_COVERED)
def test_the_language_that_was_noticed_stands_first(name: str) -> None:
    own = [line.text for line in cards.text("language").said if name in line.languages]
    assert own, name
    first = card(name, None).body.split("\n\n")[0]
    assert first == own[0].replace("{emergency}", "112")


def test_its_words_are_simple() -> None:
    assert all(len(word.strip(".,")) <= 14 for word in cards.text("language").body.split() if "." not in word[:-1])


# In a conversation


def shown(events: list[Event]) -> list[str]:
    return [event.card.id for event in events if isinstance(event, CardShown)]


def test_the_card_comes_once_in_a_conversation_and_the_model_replies() -> None:
    one = Companion(ScriptedEngine(["Rozumiem.", "Yes.", "Again."]), system="Be kind.", country="US")
    events = list(one.reply("nie mogę spać, ciągle o tym myślę"))
    assert shown(events) == ["language"]
    assert isinstance(events[-1], Done)
    assert events[-1].result.route == "model"
    assert events[-1].result.assessment.tier is Tier.T0
    assert shown(list(one.reply("nie wiem co mam robić dzisiaj"))) == []
    one.clear()
    assert shown(list(one.reply("nie wiem co mam robić dzisiaj"))) == ["language"]
