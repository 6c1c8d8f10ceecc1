"""A receipt run anew on a scripted engine: what can be compared, and what ends it. Inference is proved elsewhere."""

import pytest

from tide_chat.clinician import again, receipt
from tide_chat.clinician.again import Compared
from tide_chat.clinician.receipt import ModelFiles, Receipt
from tide_chat.clinician.recorded import Recorded
from tide_chat.engine.base import Cancel
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.errors import EngineDied, EngineError


def recorded(*replies: str | Exception) -> Recorded:
    return Recorded(ScriptedEngine(replies), system="Be kind.", country="US")


def paid(talk: Recorded) -> Receipt:
    return Receipt(receipt.made(talk.newest_asked), (), {}, talk.sampling, talk.earlier, tuple(talk.steps))


def run(one: Receipt, *replies: str) -> list[Compared]:
    return list(again.run(one, recorded(*replies), lambda _: None, lambda name: ModelFiles(name, ""), Cancel()))


def test_the_same_words_are_the_same_and_others_end_it() -> None:
    talk = recorded("One.", "Two.", "Three.")
    for said in ("It was long.", "And cold.", "And wet."):
        list(talk.reply(said))
    assert [one.same for one in run(paid(talk), "One.", "Two.", "Three.")] == [True, True, True]
    assert [one.same for one in run(paid(talk), "One.", "Other.")] == [True, False]


@pytest.mark.parametrize(
    ("failure", "said"), [(EngineDied("gone"), "stopped working"), (EngineError("odd"), "failed in this reply")]
)
def test_a_reply_that_the_model_did_not_end_is_not_blamed_on_sums(failure: Exception, said: str) -> None:
    talk = recorded("One.", failure, "Three.")
    for text in ("It was long.", "And cold.", "And wet."):
        list(talk.reply(text))
    found = run(paid(talk), "One.", "Two.", "Three.")
    assert [one.same for one in found] == [True, None]
    assert said in found[-1].different[0]


def test_a_stopped_reply_is_said_to_be_one() -> None:
    talk, cancel = recorded("One."), Cancel()
    cancel.set()
    list(talk.reply("It was long.", cancel))
    (found,) = run(paid(talk), "One.")
    assert found.same is None
    assert "stopped by hand" in found.different[0]


def test_what_was_computed_anew_there_is_computed_anew_here() -> None:
    talk = recorded("One.", "Two.")
    list(talk.reply("It was long."))
    talk.compute_anew()
    list(talk.reply("And cold."))
    engine = ScriptedEngine(["One.", "Two."])
    here = Recorded(engine, system="Be kind.", country="US")
    list(again.run(paid(talk), here, lambda _: None, lambda name: ModelFiles(name, ""), Cancel()))
    assert [prompt.anew for prompt in engine.prompts] == [True, True]
