"""Profile and guidance with the real model: nothing personal on the disk, and what is in the cache stays of use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tide_chat.engine.base import Cancel, EngineSpec, SamplingParams, Usage
from tide_chat.engine.process import ProcessEngine
from tide_chat.messages import Conversation
from tide_chat.profile import Profile, Style
from tide_chat.prompt import Renderer, system_text

MARKER = "Zqxwplanted"
NOTE = "Slow and steady. Stay with this moment."


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def engine(embedded_model: Path, cache: Path) -> Iterator[ProcessEngine]:
    process = ProcessEngine()
    process.load(EngineSpec(embedded_model, context=1024, cache_dir=cache, threads=1))
    yield process
    process.close()


def read(engine: ProcessEngine, profile: Profile, talk: Conversation, note: str = "") -> Usage:
    """What reading the prompt took; nothing is written."""
    system = "\n".join((system_text(), *profile.lines()))
    prompt = Renderer.of(engine.info()).render(system, talk, note=note, private=profile.personal)
    (first, *_) = engine.generate(prompt, SamplingParams(max_tokens=0), Cancel())
    assert first.usage
    return first.usage


def states(cache: Path) -> list[Path]:
    return list((cache / "prefix").glob("*")) if cache.exists() else []


def test_a_name_is_in_the_prefix_and_in_no_file(engine: ProcessEngine, cache: Path) -> None:
    named = Profile(Style.LAYERED, MARKER, ("the lake",))
    talk = Conversation().user("It was a long day.")
    first = read(engine, named, talk)
    again = read(engine, named, talk.assistant("I see.").user("And hot."))
    assert first.cached_tokens == 0
    assert again.cached_tokens >= first.prompt_tokens - 8
    assert states(cache) == []
    read(engine, Profile(Style.LAYERED), talk)
    assert len(states(cache)) == 1
    assert all(MARKER.encode() not in path.read_bytes() for path in cache.rglob("*") if path.is_file())


def test_a_style_is_read_once_and_then_taken_from_the_disk(engine: ProcessEngine) -> None:
    talk = Conversation().user("It was a long day.")
    cold = read(engine, Profile(Style.BRIEF), talk)
    other = read(engine, Profile(), talk)
    back = read(engine, Profile(Style.BRIEF), talk)
    assert (cold.cached_tokens, other.cached_tokens) == (0, 0)
    assert back.cached_tokens > 200


def test_guidance_costs_its_own_words_alone(engine: ProcessEngine) -> None:
    talk = Conversation().user("It was a long day.")
    plain = read(engine, Profile(), talk)
    noted = read(engine, Profile(), talk, NOTE)
    assert noted.prompt_tokens - noted.cached_tokens < 40
    reply = "It was. You kept going all the same, and that took strength."
    after = read(engine, Profile(), talk.assistant(reply).user("Yes."))
    assert after.cached_tokens >= plain.prompt_tokens - 8
