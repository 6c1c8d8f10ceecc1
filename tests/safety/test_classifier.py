"""The risk encoder that is shipped, in its own process; and every way in which it can fail."""

import json
import os
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tide_chat.engine.process import ProcessEngine
from tide_chat.safety.assessment import Tier
from tide_chat.safety.classifier import (
    ENCODER,
    HEADS,
    LONG,
    MOST_WINDOWS,
    NGRAMS,
    OVERLAP,
    WHOLE,
    WINDOW,
    Classifier,
    load_heads,
    parts_of,
)
from tide_chat.safety.encoder import LOAD_PATIENCE, Unavailable, default_folder
from tide_chat.safety.join import COUNTED, is_reduced
from tide_chat.safety.router import Router, assess
from tide_chat.safety.state import RiskState


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The shipped files in a folder where they may be damaged."""
    for name in (ENCODER, HEADS, NGRAMS):
        shutil.copy(default_folder() / name, tmp_path / name)
    return tmp_path


def _failure(folder: Path) -> str:
    """What the router says when this folder's encoder cannot be used; the rules must still work."""
    one = Classifier(folder, patience=30)
    try:
        route = Router(one).assess
        grave, calm = route("I want to kill myself", None), route("good morning", None)
    finally:
        one.close()
    assert grave.tier >= Tier.T3
    assert calm.tier is Tier.T0
    assert is_reduced(grave)
    assert is_reduced(calm)
    return str(calm.reasons[0])


IMPLIED = "i have written to all of them and paid the rent up to friday, nobody will have to deal with me after that"


def test_n_grams_go_on_without_the_encoder(copied: Path) -> None:
    (copied / ENCODER).unlink()
    one = Classifier(copied, patience=30)
    try:
        heard = Router(one).assess(IMPLIED)
    finally:
        one.close()
    assert assess(IMPLIED).tier < Tier.T2
    assert (heard.tier >= Tier.T2, is_reduced(heard)) == (True, True)
    assert heard.reasons[1].rule in COUNTED.values()


# What no rule knows, and the encoder learnt: near in words, far apart in meaning.
@pytest.mark.parametrize(
    ("grave", "calm"),
    [
        (
            "wrote the passwords down for my brother and cancelled everything after the 30th",
            "wrote the shopping list down for my brother and cancelled the milk",
        ),
        (
            "some nights i hope my heart just stops while i sleep",
            "some nights my heart races so much that i cannot sleep",
        ),
    ],
)
def test_what_is_only_implied(classifier: Classifier, grave: str, calm: str) -> None:
    (high,), (low,) = classifier.read(grave), classifier.read(calm)
    assert high.at_least(2) > 0.5 > low.at_least(2)


# In the words of the tables of `gloss`: heavy nights are no wish to die.
@pytest.mark.parametrize(
    ("grave", "heavy"),
    [
        ("j'ai plus envie de vivre", "encore un cauchemar cette nuit, je tremble"),
        ("ich will nicht mehr aufwachen", "ich kann nicht schlafen, der lärm von damals ist wieder da"),
        ("no quiero despertar mañana", "anoche otra vez el ruido de los disparos, no dormí nada"),
        ("não quero mais acordar", "a sirene me deixa tremendo até hoje"),
        ("vorrei non svegliarmi più", "stanotte ancora l'incubo del terremoto, tremo"),
        ("mujhe jeena nahi hai", "raat ko neend nahi aati, wahi awaaz yaad aati hai"),
        ("aku capek hidup, pengen tidur selamanya", "semalam mimpi buruk lagi, sesek napas"),
    ],
)
def test_other_languages_are_told_apart(classifier: Classifier, grave: str, heavy: str) -> None:
    (high,), (low,) = classifier.read(grave), classifier.read(heavy)
    assert high.at_least(2) > 0.5 > low.at_least(2)
    assert low.at_least(1) > 0.5


# Short and plain, and of a kind that the encoder by itself is unsure of.
@pytest.mark.parametrize(
    "text",
    [
        "tell my kids I love them and I'm sorry",
        "please tell my wife I loved her",
        "I should have died in that crash",
        "I have been saving up my tablets for weeks",
        "goodbye everyone, thanks for all",
        "mujhe marna hai",
        "pengen mati",
    ],
)
def test_the_encoder_does_not_talk_down_what_is_plain(classifier: Classifier, text: str) -> None:
    assert Router(classifier).assess(text, None).tier >= Tier.T2


@pytest.mark.parametrize(
    ("calm", "grave"),
    [
        ("im safe. my wife is here", "im safe now, i took all of them"),
        ("sorry. that was the song lyrics im writing. im ok", "sorry. im ok, i know how and it is tonight"),
        ("im off now, see you sunday", "see you soon mum. i took them all"),
        ("sorry im ok now", "im fine, i just want to die"),
        (
            "thank you for keeping me company this year. see you thursday",
            "thank you for keeping me company this year. i won't need to log in after thursday",
        ),
    ],
)
def test_who_says_to_be_safe_is_believed_if_that_is_all(classifier: Classifier, calm: str, grave: str) -> None:
    route = Router(classifier).assess
    assert route(calm, None).tier < Tier.T2
    assert route(grave, None).tier >= Tier.T2


@pytest.mark.parametrize("text", ["does it matter", "Does it even matter?"])
def test_asking_back_is_no_question_about_a_way(classifier: Classifier, text: str) -> None:
    route = Router(classifier).assess
    asked = RiskState().after(route("I wish I was dead", None), "I wish I was dead")
    found = route(text, asked)
    assert (found.flags, found.tier) == ((), Tier.T2)
    assert "method_seeking" not in str(found.reasons)
    later = asked.after(found, text)
    assert route("yes", later).tier == Tier.T3


def test_chances_are_chances(classifier: Classifier) -> None:
    (reading,) = classifier.read("my neighbour shouts at night and i cannot sleep")
    assert sum(reading.tiers) == pytest.approx(1, abs=1e-6)
    assert [reading.at_least(tier) for tier in range(5)] == sorted(
        (reading.at_least(tier) for tier in range(5)), reverse=True
    )
    assert all(0 <= chance <= 1 for chance in reading.flags.values())


def test_the_same_text_gets_the_same_reading(classifier: Classifier) -> None:
    assert classifier.read("the night is long") == classifier.read("the night is long")


def test_a_statement_deep_in_a_long_text_is_heard(classifier: Classifier) -> None:
    chatter = "the garden was quiet and the kettle was on and we talked about the weather. " * 20
    assert len(classifier.read(chatter)) > 1
    assert Router(classifier).assess(chatter).tier < Tier.T2
    assert Router(classifier).assess(f"{chatter} i am going to kill myself tonight. {chatter}").tier >= Tier.T3


@pytest.mark.parametrize("words", [0, 1, WHOLE, WHOLE + 1, 3 * WINDOW, LONG, LONG + 1, 2 * LONG, 100_000])
def test_parts_cover_the_text_and_are_few(words: int) -> None:
    text = " ".join(f"w{i}" for i in range(words))
    found = list(parts_of(text))
    whole = [part for part, window in found if not window]
    windows = [part for part, window in found if window]
    assert 1 <= len(whole) <= 2
    assert len(windows) <= MOST_WINDOWS
    assert bool(windows) is (words > WHOLE)
    for parts in filter(None, (whole, windows)):
        assert parts[0].split()[:1] == text.split()[:1]
        assert parts[-1].split()[-1:] == text.split()[-1:]
    if words <= 2 * LONG:
        assert set(text.split()) == {word for part in whole for word in part.split()}
    if words <= WINDOW + (MOST_WINDOWS - 1) * (WINDOW - OVERLAP):
        assert set(text.split()) == {word for part, _ in found for word in part.split()}


@pytest.mark.parametrize("text", ["", "\x00" * 5000, "🙂" * 3000, "a" * 200_000, "\ud800", "[CLS] [SEP] [MASK]"])
def test_absurd_input_is_read(classifier: Classifier, text: str) -> None:
    assert classifier.read(text)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert "is missing" in _failure(tmp_path)


def test_a_missing_encoder_is_said(copied: Path) -> None:
    (copied / ENCODER).unlink()
    assert f"{ENCODER} is missing" in _failure(copied)


def test_a_damaged_encoder_is_never_run(copied: Path) -> None:
    data = bytearray((copied / ENCODER).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (copied / ENCODER).write_bytes(data)
    assert f"{ENCODER} is damaged" in _failure(copied)


def test_missing_ngrams_are_said(copied: Path) -> None:
    (copied / NGRAMS).unlink()
    assert f"{NGRAMS} is missing" in _failure(copied)


def test_damaged_ngrams_are_never_used(copied: Path) -> None:
    data = bytearray((copied / NGRAMS).read_bytes())
    data[-1] ^= 0xFF
    (copied / NGRAMS).write_bytes(data)
    assert f"{NGRAMS} is damaged" in _failure(copied)


@pytest.mark.parametrize("change", ["[]", "{", '{"heads": []}', '{"heads": [{"name": "tier"}]}'])
def test_damaged_heads_are_said(copied: Path, change: str) -> None:
    (copied / HEADS).write_text(change)
    assert f"{HEADS} is damaged" in _failure(copied)


def test_heads_of_another_shape_are_damaged(copied: Path) -> None:
    data = json.loads((copied / HEADS).read_text())
    data["heads"][0]["bias"].pop()
    (copied / HEADS).write_text(json.dumps(data))
    with pytest.raises(Unavailable, match="damaged"):
        load_heads(copied / HEADS)


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_that_divides_nothing_is_damage(copied: Path, temperature: float) -> None:
    data = json.loads((copied / HEADS).read_text())
    data["thresholds"]["alone"]["temperature"] = temperature
    (copied / HEADS).write_text(json.dumps(data))
    with pytest.raises(Unavailable, match="damaged"):
        load_heads(copied / HEADS)


def test_a_slow_encoder_costs_the_deadline_and_no_more() -> None:
    one = Classifier(default_folder(), patience=0.0)
    try:
        one.start()
        _until_loaded(one)
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"too long|busy"):
            one.read("a message")
        assert time.monotonic() - began < 1
    finally:
        one.close()


NOW = "the gun is loaded and i am going to do it tonight"


def test_the_emergency_number_does_not_wait_for_an_encoder_that_is_being_loaded() -> None:
    by_rules = assess(NOW)  # which reads its files
    process = ProcessEngine([sys.executable, "-c", "import sys; sys.stdin.read()"])  # it never answers
    one = Classifier(default_folder(), engine=lambda: process)
    try:
        one.start()
        assert one.loading
        began = time.monotonic()
        found = Router(one).assess(NOW, None)
        assert time.monotonic() - began < LOAD_PATIENCE / 2
        assert found == by_rules
        assert found.tier is Tier.T4
    finally:
        one.close()


def test_a_killed_encoder_comes_back() -> None:
    one = Classifier(default_folder(), patience=30)
    try:
        before = one.read("the night is long")
        os.kill(_pid(one), signal.SIGKILL)
        with pytest.raises(Unavailable):
            one.read("the night is long")
        assert one.read("the night is long") == before
    finally:
        one.close()


def test_a_file_that_is_changed_under_a_running_encoder_raises_nothing(copied: Path) -> None:
    """It is mapped into memory, so what it computes is no number then, and each flag seemed certain."""
    one = Classifier(copied, patience=30)
    try:
        assert one.read("the night is long")
        with (copied / ENCODER).open("r+b") as file:
            file.seek(1 << 20)
            file.write(b"\xff" * ((copied / ENCODER).stat().st_size - (1 << 20)))
        found = Router(one).assess("the night is long", None)
        assert (found.tier, found.flags) == (Tier.T0, ())
        assert is_reduced(found)
        with pytest.raises(Unavailable, match="is damaged"):
            one.read("the night is long")
    finally:
        one.close()


def test_an_encoder_that_dies_again_and_again_is_left_alone() -> None:
    one = Classifier(default_folder(), patience=30)
    try:
        for _ in range(3):
            one.read("a message")
            os.kill(_pid(one), signal.SIGKILL)
            with pytest.raises(Unavailable):
                one.read("a message")
        with pytest.raises(Unavailable, match="several times"):
            one.read("a message")
    finally:
        one.close()


def _until_loaded(one: Classifier) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if not one.loading:
            return
        time.sleep(0.05)
    pytest.fail("the encoder was not loaded")


def _pid(one: Classifier) -> int:
    engine = one._engine
    assert engine
    return engine.pid


@pytest.mark.parametrize("text", ["the night is long", "no puedo dormir y ya no quiero vivir"])
def test_who_looks_on_sees_the_chances_that_decided(classifier: Classifier, text: str) -> None:
    decided = classifier.read(text)
    assert classifier.heads.readings(text, partial(classifier.vector, glossed=True)) == decided
