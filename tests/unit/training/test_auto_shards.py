"""Who answers what, and how long the leader waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.errors import TideError, UsageError
from training.evaluation.auto import shards
from training.evaluation.auto.shards import Shard


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(shards, "GLANCE", 0.001)


@given(st.integers(1, 9), st.lists(st.integers()))
def test_the_parts_are_the_whole(world: int, whole: list[int]) -> None:
    parts = [Shard(rank, world).of(whole) for rank in range(world)]
    assert sorted(one for part in parts for one in part) == sorted(whole)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_alone() -> None:
    assert shards.find(None) == Shard(0, 1, 0, meets=True)


def test_under_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "5")
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert shards.find(None) == Shard(5, 8, 1)
    assert shards.find("2/4") == Shard(1, 4, 0, meets=False)


@pytest.mark.parametrize(("rank", "world"), [("x", "2"), ("2", "2"), ("-1", "2")])
def test_a_wrong_environment(rank: str, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", world)
    with pytest.raises(UsageError):
        shards.find(None)


@pytest.mark.parametrize("given_shard", ["", "1", "0/2", "3/2", "a/b", "1/2/3"])
def test_a_wrong_shard(given_shard: str) -> None:
    with pytest.raises(UsageError, match="shard"):
        shards.find(given_shard)


def test_waiting_ends_when_nothing_is_lacking() -> None:
    left = iter([3, 3, 2, 1, 0])
    heard: list[int] = []
    shards.wait(lambda: next(left), heard.append)
    assert heard == [3, 3, 2, 1]


def test_waiting_ends_with_words_when_nobody_writes() -> None:
    with pytest.raises(TideError, match="2 replies"):
        shards.wait(lambda: 2, lambda _: None, patience=0.01)
