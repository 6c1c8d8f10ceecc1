"""`/why` and `/safety`: reasons in plain words without a score, and the protocol as it stands in the docs."""

import re
from pathlib import Path

import pytest

from tide_chat.safety import lexicon, protocol, why
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier
from tide_chat.safety.join import COUNTED, SOUNDS
from tide_chat.safety.router import assess
from tide_chat.safety.state import RiskState

SCORE = re.compile(
    r"\bT[0-4]\b|\btier\b|score|\d+ of \d+|\d%|weight|classifier|lexicon|encoder|[a-z]+_[a-z]+", re.IGNORECASE
)
SAID = (
    "I want to kill myself tonight",
    "everyone would be better off without me",
    "i cut myself again last night",
    "my mum took all her pills",
    "quiero morir",
    "i am 15 and my dad hits me every night",
    "how many paracetamol does it take to die",
    "this heat is killing me",
    "my character wants to die in the game",
    "hello, the soup was good",
    "nie mogę spać, ciągle o tym myślę",
)


def test_before_the_first_message() -> None:
    assert why.in_words(None) == "There is no message yet."


def test_nothing_made_it_act() -> None:
    assert why.in_words(Assessment()) == "Nothing in your last message made the safety check act."
    assert why.in_words(assess("this heat is killing me")).startswith("Nothing in your last message made")


@pytest.mark.parametrize("said", SAID)
def test_it_is_plain_and_holds_no_score(said: str) -> None:
    words = why.in_words(assess(said))
    assert not SCORE.search(words), words
    assert "!" not in words
    assert len(words.split()) < 200


def test_after_a_grave_turn_it_says_that_this_stays_in_mind() -> None:
    state = RiskState().after(assess("I want to kill myself"), "I want to kill myself")
    words = why.in_words(assess("the garden is quiet today", state))
    assert "stays in mind for a while" in words
    assert not SCORE.search(words)


@pytest.mark.parametrize("flag", Flag)
def test_each_flag_has_a_sentence_also_without_a_reason(flag: Flag) -> None:
    assert f"- {why.sentences().flags[str(flag)]}" in why.in_words(Assessment(flags=(flag,)))
    reason = Reason(f"the encoder, {flag}", "")
    assert f"- {why.sentences().flags[str(flag)]}" in why.in_words(Assessment(flags=(flag,), reasons=(reason,)))


@pytest.mark.parametrize(
    "rule",
    [*SOUNDS.values(), *COUNTED.values(), *(f"{table}, T3: why" for table in lexicon.STATEMENTS), "built-in, T3: x"],
)
def test_each_kind_of_rule_has_a_sentence_of_its_own(rule: str) -> None:
    words = why.in_words(Assessment(Tier.T3, reasons=(Reason(rule, "some words"),)))
    if rule.startswith("flags"):  # those carry a flag, which has the sentence
        return
    assert why.sentences().says["unknown"] not in words


def test_an_unknown_rule_is_no_secret_and_no_riddle() -> None:
    words = why.in_words(Assessment(Tier.T3, reasons=(Reason("zz7, T3: new", "x"),)))
    assert why.sentences().says["unknown"] in words
    assert "zz7" not in words


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ("It is late. I don't want to be here anymore", "“I don't want to be here”"),
        ("k i l l myself, that is what i think of", "“k i l l myself”"),
        ("aSB3YW50IHRvIGRpZQ==", "“wanna die”"),
    ],
)
def test_the_persons_own_words_are_quoted(said: str, quoted: str) -> None:
    assert quoted in why.in_words(assess(said))


def test_without_its_file_there_are_still_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_text: str) -> dict[str, object]:
        raise ValueError

    why.sentences.cache_clear()
    monkeypatch.setattr("tide_chat.wording.tomllib.loads", broken)
    try:
        assert "safety check" in why.in_words(Assessment(Tier.T3, (Flag.MINOR,), reasons=(Reason("x", ""),)))
    finally:
        why.sentences.cache_clear()


# The protocol


def test_the_protocol_is_that_of_the_docs_without_its_marks(checkout: Path) -> None:
    source = (checkout / "docs" / "safety-protocol.md").read_text(encoding="utf-8")
    text = protocol.text()
    assert text.startswith("Safety protocol\n\n")
    for needed in ("No clinician has reviewed", "nobody is watching", "not verified online"):
        assert needed in text
    assert not re.search(r"^#|\*\*|`|^\|", text, re.MULTILINE)
    headings = [line.lstrip("# ") for line in source.splitlines() if line.startswith("#")]
    assert [block.text for block in protocol.blocks() if block.heading] == headings


def test_words_are_neither_lost_nor_added(checkout: Path) -> None:
    source = (checkout / "docs" / "safety-protocol.md").read_text(encoding="utf-8")
    body = [line for line in source.splitlines() if not line.lstrip().startswith("|")]
    words = re.findall(r"\w+", " ".join(body))
    shown = re.findall(r"\w+", "\n".join(block.text for block in protocol.blocks()))
    assert [word for word in words if word not in shown] == []


def test_marks_become_text() -> None:
    source = "# One\n\nTwo **bold**\nthree `code`.\n\n- four\n  more\n- five\n\n| a | b |\n|---|---|\n| T2 | card |\n"
    assert [block.text for block in protocol.parsed(source)] == [
        "One",
        "Two bold three code.",
        "- four more",
        "- five",
        "T2: card.",
    ]


def test_the_wheel_carries_it(checkout: Path) -> None:
    import tomllib

    data = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    included = data["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["docs/safety-protocol.md"] == f"tide_chat/docs/{protocol.NAME}"


def test_where_it_cannot_be_read_the_core_of_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise OSError

    monkeypatch.setattr(protocol, "_source", broken)
    assert protocol.text() == protocol.MISSING
