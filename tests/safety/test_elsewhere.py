"""The plainest statements of a wish to die are heard in languages that the check does not cover otherwise."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tide_chat.safety import cards, elsewhere, unread, why
from tide_chat.safety.assessment import Tier
from tide_chat.safety.router import assess

SAID = {
    "Dutch": "ik wil niet meer leven zo",
    "Polish": "Kochanie, chcę umrzeć. nie mam już siły",
    "Swedish": "det är mörkt nu och jag vill dö",
    "Norwegian": "jeg orker ikke leve lenger",
    "Danish": "siden ulykken vil jeg dø. jeg vil dø",
    "Finnish": "öisin mietin että haluan kuolla",
    "Czech": "už nechci žít, nikomu to neříkej",
    "Slovak": "ráno som povedal: chcem zomrieť",
    "Romanian": "de luni nu mai vreau să trăiesc",
    "Hungarian": "meg akarok halni, hagyjatok",
    "Turkish": "ARTIK YAŞAMAK İSTEMİYORUM",
    "Vietnamese": "mệt quá, không muốn sống nữa",
    "Tagalog": "pagod na ako, gusto ko na lang mamatay",
    "Swahili": "usiku huu nataka kufa",
    "Croatian": "ne živi mi se više, majko",
    "Catalan": "des de dilluns no vull viure",
    "Russian": "Мама, я больше не хочу жить",
    "Ukrainian": "після того дня не хочеться жити",
    "Bulgarian": "от вчера не искам да живея",
    "Greek": "δεν θέλω πια να ζω, κουράστηκα",
    "Hebrew": "נמאס לי, אני רוצה למות",
    "Arabic": "والله لا أريد أن أعيش بعد الآن",
    "Persian": "خسته‌ام، می‌خوام بمیرم",
    "Urdu": "اب میں جینا نہیں چاہتا",
    "Hindi": "अब मैं जीना नहीं चाहती",
    "Bengali": "আমি আর বাঁচতে চাই না",
    "Thai": "เหนื่อยมาก ไม่อยากมีชีวิตอยู่",
    "Chinese": "真的好累,我不想活了",
    "Japanese": "もう疲れた。死にたい",
    "Korean": "너무 힘들어서 살고 싶지 않아",
}
GRAVER = ("я хочу убить себя", "chcę się zabić", "kendimi öldüreceğim", "我想自杀", "自殺したい", "سأقتل نفسي")
NOT_SAID = (
    "nie chcę umrzeć, chcę zobaczyć wnuki",
    "не хочу умереть в этой очереди",
    "אני לא רוצה למות, אני רוצה לישון",
    "宝贝想死你了",
    "不想自杀,只是睡不着",
    "jeg vil dog gerne leve",
    "сегодня хорошая погода",
    "I want to die of laughter, kappa",
    "dua lipa te vdes",
    "死にたいわけじゃないです。眠れないだけ",
    "죽고 싶은 건 아니에요",
    "মরতে চাই না, শুধু ঘুমাতে চাই",
    "ไม่ได้อยากตาย แค่เหนื่อย",
    "तब मैं जीना नहीं चाहती थी",
)


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_it_is_heard(said: str) -> None:
    assert elsewhere.heard(said)[0] is Tier.T2
    assert assess(said).tier >= Tier.T2


@pytest.mark.parametrize("said", GRAVER)
def test_what_will_be_done_is_graver(said: str) -> None:
    assert assess(said).tier is Tier.T3


@pytest.mark.parametrize("said", NOT_SAID)
def test_what_is_denied_or_a_saying_is_not(said: str) -> None:
    assert elsewhere.heard(said) == (Tier.T0, ())


def test_the_card_of_the_tier_and_the_one_in_the_persons_own_language() -> None:
    found = assess("Я не хочу жить")
    assert [card.id for card in cards.cards_for(found, None)] == ["t2", "language"]
    first = cards.cards_for(found, "DE")[0]
    assert first.body.startswith("Русский: проверка безопасности")
    assert "112" in first.body.splitlines()[0]
    assert cards.cards_for(assess("i dont want to live any more"), "DE")[0].body in first.body
    assert "“не хочу жить” can mean thoughts of not wanting to live" in why.in_words(found)


def test_every_line_of_the_table_is_read_and_hears_itself() -> None:
    table = Path(elsewhere.__file__).parent / "languages" / "plainest.tsv"
    lines = [line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("#")][1:]
    assert len(elsewhere.statements()) == len(lines) > 250
    for statement in elsewhere.statements():
        assert Tier.T2 <= statement.tier <= Tier.T4
        assert statement.reason in elsewhere.heard(statement.reason.words)[1]
    folded = [statement.words for statement in elsewhere.statements()]
    assert len(set(folded)) == len(folded)


def test_without_the_table_nothing_is_heard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(elsewhere, "files", lambda _: tmp_path)
    monkeypatch.setattr(unread, "_found", {})
    assert elsewhere.statements.__wrapped__() == ()


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_it_and_folding_twice_is_folding_once(said: str) -> None:
    elsewhere.heard(said)
    assert elsewhere.fold(elsewhere.fold(said)) == elsewhere.fold(said)


def test_letters_may_be_composed_or_not() -> None:
    for said in SAID.values():
        assert elsewhere.heard(unicodedata.normalize("NFC", said))[0] is Tier.T2
        assert elsewhere.heard(unicodedata.normalize("NFD", said))[0] is Tier.T2
