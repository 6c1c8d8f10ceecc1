"""What a model wrote is said to the app in pieces, whole in the cache, and asked for once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.engine.base import Cancel, Chunk, FinishReason, Prompt, SamplingParams, Span
from tide_chat.engine.scripted import ScriptedEngine
from tide_chat.errors import PromptTooLong
from tide_chat.reasoning import ReasoningFilter
from training.evaluation.auto.cache import Store, Written
from training.evaluation.auto.conditions import Condition
from training.evaluation.auto.items import Item
from training.evaluation.auto.writers import Ask
from training.evaluation.auto.wrote import Wrote, seconds, usage_of

ITEM = Item("d1/0", ("Fireworks again.",), "They are loud.")


def ask(text: str = "a prompt", *, thinks: bool = False) -> Ask:
    return Ask(ITEM, Prompt((Span(text),)), SamplingParams(seed=1), thinks)


@pytest.fixture
def condition(tmp_path: Path) -> Condition:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF")
    return Condition("m", "zs", "llama", model, None, SamplingParams(), 4096, False)


def said(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def test_a_model_is_asked_once_and_what_it_wrote_is_kept_whole(condition: Condition, tmp_path: Path) -> None:
    engine = ScriptedEngine(["It was loud. You stayed.", "Something else."])
    store, cancel, heard = Store(tmp_path / "cache"), Cancel(), []
    with store.writing("a"):
        wrote = Wrote(engine, store, condition)
        for chunk in wrote.generate(ask(), cancel):
            heard.append(chunk)
            if chunk.text.startswith("loud."):
                cancel.set()
        assert (said(heard), heard[-1].finish_reason) == ("It was loud. ", FinishReason.CANCELLED)
        assert wrote.newest
        assert (wrote.newest.text, wrote.newest.finish) == ("It was loud. You stayed.", "stop")
    again = Wrote(engine, Store(tmp_path / "cache"), condition)
    whole = list(again.generate(ask(), Cancel()))
    assert (said(whole), whole[-1].finish_reason) == ("It was loud. You stayed.", FinishReason.STOP)
    assert len(engine.prompts) == 1


def test_another_prompt_is_asked_for(condition: Condition, tmp_path: Path) -> None:
    engine, store = ScriptedEngine(["One.", "Two."]), Store(tmp_path / "cache")
    with store.writing("a"):
        wrote = Wrote(engine, store, condition)
        assert [said(list(wrote.generate(ask(text), Cancel()))) for text in "aba"] == ["One.", "Two.", "One."]


def test_a_model_that_thinks_has_done_so(condition: Condition, tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    with store.writing("a"):
        wrote = Wrote(ScriptedEngine(["It hurts. </think> You stayed."]), store, condition)
        reasoning = ReasoningFilter(inside=True)
        shown = said(list(wrote.generate(ask(thinks=True), Cancel())))
    assert (reasoning.feed(shown) + reasoning.flush()).strip() == "You stayed."


def test_a_prompt_that_is_too_long_is_told_as_the_app_tells_it(condition: Condition, tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    with store.writing("a"):
        wrote = Wrote(ScriptedEngine([PromptTooLong("Too long.")]), store, condition)
        with pytest.raises(PromptTooLong):
            list(wrote.generate(ask(), Cancel()))


@given(st.integers(0, 40), st.integers(0, 300), st.floats(0, 9), st.floats(0, 90))
def test_no_part_takes_longer_than_the_whole(said: int, tokens: int, first: float, after: float) -> None:
    written = Written("x" * 40, "stop", 9, tokens, first, first + after)
    assert seconds(usage_of(written, said)) <= written.seconds + 1e-9
    assert seconds(usage_of(written, 40)) == pytest.approx(written.seconds if tokens > 1 else first)
