"""Disguises undone, as tables by kind; what is no disguise stays as it is; the map back to what was written."""

import base64
import codecs
import os
import subprocess
import sys

import pytest

from tide_chat.safety.assessment import Reason, Tier
from tide_chat.safety.lexicon import load
from tide_chat.safety.normalize import fold, readable, trace
from tide_chat.safety.router import assess

LEXICON = load()
PLAIN = "i want to kill myself. nobody would miss me"


def squeezed(text: str) -> str:
    return fold(text, LEXICON.spellings, LEXICON.vocabulary)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ѕuісіdе", "suicide"),
        ("і wаnt tо dіе", "i want to die"),
        ("ｉ ｗａｎｔ ｔｏ ｄｉｅ", "i want to die"),
        ("𝕚 𝕨𝕒𝕟𝕥 𝕥𝕠 𝕕𝕚𝕖", "i want to die"),
        ("ɪ ᴡᴀɴᴛ ᴛᴏ ᴅɪᴇ", "i want to die"),
        ("ǝᴉp oʇ ʇuɐʍ ᴉ", "i want to die"),
        ("🇰🇮🇱🇱 me", "kill me"),
        ("🅺🅸🅻🅻 me", "kill me"),
        ("ⓚⓘⓛⓛ me", "kill me"),
        ("k\u0336i\u0336l\u0336l\u0336 me", "kill me"),
        ("su\u200bici\u00adde", "suicide"),
        ("i don’t want to live", "i don't want to live"),
    ],
)
def test_letters_that_are_none(written: str, meant: str) -> None:
    assert readable(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("i want to k1ll mys3lf", "i want to kill myself"),
        ("su!c1d3", "suicide"),
        ("$uicide", "suicide"),
        ("w1sh 1 w45 d34d", "wish i was dead"),
        ("1 w4n7 70 d13", "i want to die"),
        ("i wan+ +o d!e t0night", "i want to die tonight"),
        ("vvant", "want"),
        ("k*ll mys*lf", "kill myself"),
        ("su*c*de", "suicide"),
        ("i w*nt t* d**", "i want to die"),
        ("k#ll myself", "kill myself"),
        ("k-ll myself", "kill myself"),
        ("f*ck this", "fuck this"),
    ],
)
def test_signs_for_letters(written: str, meant: str) -> None:
    assert readable(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("k.i.l.l m.y.s.e.l.f", "kill myself"),
        ("k-i-l-l me", "kill me"),
        ("i w a n t t o d i e", "i want to die"),
        ("i  w a n t  t o  d i e", "i want to die"),
        ("   ".join(" ".join(word) for word in PLAIN.split()), PLAIN),
        ("iwanttodie", "i want to die"),
        ("iwanttokillmyselftonight", "i want to kill myself tonight"),
        ("i_want_to_die", "i want to die"),
        ("i.want.to.die", "i want to die"),
        ("wantTo die", "want To die"),
        ("sui cide", "suicide"),
        ("kil lmyself", "kill myself"),
        ("su/ic/ide", "suicide"),
    ],
)
def test_blanks_in_the_wrong_places(written: str, meant: str) -> None:
    assert readable(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("i waaaant to diiiie", "i want to die"),
        ("mysefl", "myself"),
        ("suicde", "suicide"),
        ("suiicide", "suicide"),
        ("kll myslf", "kill myself"),
        ("overdsoe", "overdose"),
        ("tomorow", "tomorrow"),
    ],
)
def test_slips(written: str, meant: str) -> None:
    assert readable(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        base64.b64encode(PLAIN.encode()).decode(),
        base64.urlsafe_b64encode(PLAIN.encode()).decode(),
        base64.b32encode(PLAIN.encode()).decode(),
        PLAIN.encode().hex(),
        PLAIN.encode().hex(" "),
        " ".join(f"{byte:08b}" for byte in PLAIN.encode()),
        codecs.encode(PLAIN, "rot13"),
        PLAIN[::-1],
        PLAIN.replace(" ", "%20"),
        PLAIN.replace(" ", "+"),
        "".join(f"&#{ord(char)};" for char in PLAIN),
        f"<p>{PLAIN}</p>",
        f"**{PLAIN.replace('kill', '**kill**')}**",
        "".join(char.upper() if i % 2 else char for i, char in enumerate(PLAIN)),
    ],
    ids=range(14),
)
def test_the_whole_text_in_another_form(written: str) -> None:
    assert readable(written) == PLAIN


def test_reversed_words_and_pig_latin() -> None:
    assert readable("i tnaw ot eid thginot") == "i want to die tonight"
    assert readable("iyay antway otay ieday") == "i want to die"
    assert readable("hello my friend, eid ot tnaw i") == "hello my friend, i want to die"


def test_emoji_with_meaning_are_words() -> None:
    assert readable("me and my 💊 tonight 🔪") == "me and my pills tonight knife"


@pytest.mark.parametrize(
    "text",
    [
        "I love hearses and heroic dice, Hanna said.",
        "café crème, c'est la vie",
        "я хочу умереть",
        "θέλω να κοιμηθώ",
        "मैं ठीक हूँ",
        "ich möchte schlafen, morgen ist alles besser",
        "Estoy muerta de sueño, mañana hablamos",
        "at 3 a.m. I woke up, e.g. by the phone (2nd time)",
        "I take 50mg at 10pm, b12 and 3 x 20 reps",
        "5 4 3 2 1 things I can see",
        "my mother-in-law's up-to-date well-being check",
        "call 116 123 or see https://example.org/some_page-here",
        "hmm... ok :) lol",
        "brb, ngl tbh idk",
        "NHS, PTSD and the MRI at 14:30",
        "Good morning! How are you?",
        "back at the mill on monday, no pets. he was sad",
        "no rats in here, one screw loose",
        "kept my crocs on for the fete",
        "la nuit je ne dors pas, la crise revient",
        "non ce la faccio più con questi attacchi, va bene solo di giorno",
        "die Karte vom Nachbar liegt unter dem Schrank",
        "sudah malam, hujan lagi, obat dari dokter habis",
    ],
)
def test_what_is_no_disguise_stays(text: str) -> None:
    assert readable(text) == text


def test_a_slip_is_mended_the_same_way_in_every_process() -> None:
    made = """
from tide_chat.safety.words import load
for word in sorted(load().targets)[::9]:
    hidden, bare = word[0] + "*" * (len(word) - 2) + word[-1], word[0] + word[1:].translate(dict.fromkeys(b"aeiou"))
    print(load().corrected(word[:2] + word[3:]), load().filled(hidden), load().voweled(bare))
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", made], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=-1, check=True
        ).stdout
        for seed in "12"
    }
    assert len(found) == 1
    assert found.pop().count(b"\n") > 100


def test_one_line_with_single_blanks() -> None:
    assert readable("  good\n\nmorning \t all ") == "good morning all"


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("ok. I want to k1ll mys3lf tonight", "k1ll mys3lf"),
        ("so k.i.l.l myself, yes", "k.i.l.l myself"),
        ("hm ＫＩＬＬ myself", "ＫＩＬＬ myself"),
    ],
)
def test_reasons_point_at_what_was_written(written: str, part: str) -> None:
    reason = next(reason for reason in assess(written).reasons if reason.words == "kill myself")
    assert reason.span is not None
    assert written[slice(*reason.span)] == reason.written == part


def test_of_a_text_read_as_a_whole_all_is_meant() -> None:
    written = "flesym llik ot tnaw i"
    assert assess(written).tier >= Tier.T3
    assert all(reason.span == (0, len(written)) for reason in assess(written).reasons if reason.span)


def test_a_reason_quotes_what_was_written_and_how_it_was_read() -> None:
    assert str(Reason("rule", "suicide", (0, 7), "su1cide")) == "rule: “su1cide” (suicide)"
    assert str(Reason("rule", "suicide", (0, 7), "Suicide")) == "rule: “Suicide”"
    assert str(Reason("rule", "suicide")) == "rule: “suicide”"
    assert str(Reason("rule", "")) == "rule"


def test_places_in_a_long_text_are_those_of_the_message() -> None:
    filler = "the garden was quiet and the kettle was on. " * 600
    text = filler + "I want to k1ll myself. " + filler
    reason = next(reason for reason in assess(text).reasons if reason.words == "kill myself")
    assert reason.span is not None
    assert text[slice(*reason.span)] == "k1ll myself"


def test_the_map_of_a_phrase_covers_the_phrase() -> None:
    folded = trace("I am going to sleep", LEXICON.spellings, LEXICON.vocabulary)
    at = folded.text.index("gonna")
    assert folded.text == "| im gonna sleep |"
    assert folded.original(at, at + 5) == (5, 13)
