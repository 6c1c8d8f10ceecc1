"""What the inspector says of a turn: marks that lose no letter, and every part that a turn has."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.clinician.inspection import DID, Line, Looked, bracketed, merged, sections, text
from tide_chat.clinician.recorded import Turn
from tide_chat.engine.base import EngineInfo, FinishReason, SamplingParams, Usage
from tide_chat.events import TurnResult
from tide_chat.safety import guard
from tide_chat.safety.assessment import Assessment, Flag, Reason, Tier
from tide_chat.safety.classifier import Reading, Thresholds
from tide_chat.safety.guard import Held

spans = st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=6)


@given(st.text("abc ", max_size=50), spans)
def test_marks_are_in_order_apart_and_lose_no_letter(words: str, found: list[tuple[int, int]]) -> None:
    marks = merged(found, len(words))
    flat = [edge for mark in marks for edge in mark]
    assert flat == sorted(set(flat))
    assert bracketed(Line("", words, marks)).replace("[", "").replace("]", "") == words
    covered = {i for start, end in found for i in range(max(0, start), min(end, len(words)))}
    assert covered == {i for start, end in marks for i in range(start, end)}


@pytest.fixture
def turn() -> Turn:
    reasons = (Reason("lexicon, T2: a burden", "burden", (5, 11)), Reason("the encoder: sounds like it", ""))
    result = TurnResult(
        "I am here.",
        Assessment(Tier.T2, (Flag.WITHDRAWAL,), "self", "now", reasons),
        cards=("t2",),
        model="smol",
        usage=Usage(320, 284, 49, 1.1, 14.5, 369, 4096, seed=5, threads=2),
        finish_reason=FinishReason.LENGTH,
        guard=("replaced:method", "long_reply"),
        scenario="reliving",
        guidance="Say where they are now.",
    )
    held = (Held("replaced", "method", "rule", "names a method", "Take the"),)
    info = EngineInfo("smol", "/m/smol.gguf", device="CPU", build="runtime 1", notes=("Repacked weights are off.",))
    return Turn("I, a burden to all", result, held, "<s>prompt", SamplingParams(temperature=0.2), info, 4.63)


def test_every_part_of_a_turn_is_there(turn: Turn) -> None:
    shown = text(sections(turn, Looked(missing="the file is missing", files={"SHA-256": "abc123"})))
    for part in (
        "I, a [burden] to all",
        "Tier: T2: a passive wish to die",
        "Flags: withdrawal",
        "About: self, now",
        "Reason: lexicon, T2: a burden: “burden”",
        "It did not take part: the file is missing.",
        "the model wrote the reply",
        "Scenario: reliving",
        "Guidance: Say where they are now.",
        "Did: replaced:method, long_reply",
        "Held back: “Take the” (replaced; method: names a method)",
        "SHA-256: abc123",
        "Runs on: CPU; runtime 1",
        "Repacked weights are off.",
        "Seed: 5, drawn anew for this turn",
        "temperature 0.2",
        "320 in the prompt, 284 of them cached; 49 written; 369 of 4096",
        "Ended by: length",
        "<s>prompt",
    ):
        assert part in shown


def test_heavy_distress_that_no_rule_saw_says_who_heard_it(turn: Turn) -> None:
    reading = Reading((0.1, 0.85, 0.05, 0.0, 0.0), {}, "self", "now", {"panic": 1.0})
    limits = Thresholds({2: 0.5, 3: 0.2, 4: 0.2}, {}, {})
    heavy = replace(turn, result=replace(turn.result, assessment=Assessment(Tier.T1)))
    shown = text(sections(heavy, Looked((reading,), limits)))
    assert "Reason: no rule fired; the encoder hears heavy distress" in shown
    assert "T1 or higher: 0.90, taken from 0.50 on" in shown
    ordinary = replace(turn, result=replace(turn.result, assessment=Assessment()))
    assert "Reason: no rule fired\n" in text(sections(ordinary, Looked((reading,), limits)))


def test_what_no_model_wrote_is_told_apart(turn: Turn) -> None:
    shown = text(sections(replace(turn, result=replace(turn.result, beside=("That makes sense.",))), Looked()))
    assert "Prepared as well: That makes sense." in shown
    shown = text(sections(replace(turn, result=replace(turn.result, route="authored")), Looked()))
    assert "Route: prepared words; no model was asked" in shown
    assert "people" not in shown  # a program wrote them, and nobody has reviewed them


def test_every_act_of_the_guard_is_said_in_words(turn: Turn) -> None:
    source = Path(guard.__file__).read_text(encoding="utf-8")
    acts = set(re.findall(r'actions\.append\("(\w+)"\)|_UNWANTED = "(\w+)"|return "(\w+_\w+)"|"(said_before)"', source))
    assert {"".join(found) for found in acts} == set(DID)
    shown = text(sections(turn, Looked()))
    assert "long_reply: the reply was ended after as many sentences" in shown


def test_no_scenario_and_no_guidance_say_why(turn: Turn) -> None:
    info = EngineInfo("smol", "/m/smol.gguf", description="llama 256M Q4_1", parameters=134_515_008)
    unsure = Assessment(scenarios={"nightmares_sleep": 0.51, "other": 0.4})
    result = replace(turn.result, scenario="", guidance="", assessment=unsure)
    shown = text(sections(replace(turn, result=result, info=info), Looked()))
    assert "with 0.51, taken from 0.95 on" in shown
    assert "Guidance: none: a model this small follows none" in shown
    assert "Weights: 135 million, llama Q4_1" in shown
    unlikely = replace(result, assessment=Assessment(scenarios={"nightmares_sleep": 0.01, "other": 0.9}))
    assert "Scenario: none: no situation is likely" in text(sections(replace(turn, result=unlikely), Looked()))
    result = replace(result, assessment=Assessment())
    shown = text(sections(replace(turn, result=result), Looked()))
    assert "Scenario: none: the encoder took no part" in shown
    assert "Guidance: none\n" in shown


def test_what_was_said_stays_out_of_every_repr(turn: Turn) -> None:
    for words in ("Take the", "burden", "I am here", "<s>prompt"):
        assert words not in repr(turn)
