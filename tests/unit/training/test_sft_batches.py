"""Who reads what: every sequence once an epoch, however many processes there are, and hardly any padding."""

import random
from pathlib import Path

import numpy
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.training.test_render import TALK, encoder
from tide_chat.messages import Conversation
from training.recipe import Training
from training.render import Example
from training.sft import batches
from training.sft.devices import Group

LENGTHS = st.lists(st.integers(5, 300), min_size=1, max_size=200)


def example(ids: list[int], first: int) -> Example:
    return Example(numpy.array(ids, numpy.int32), numpy.arange(len(ids)) >= first, 1, 1)


@given(LENGTHS, st.integers(1, 20), st.booleans(), st.integers(0, 3))
def test_an_epoch_reads_every_sequence_once(lengths: list[int], size: int, grouped: bool, epoch: int) -> None:
    order = batches.steps(lengths, size, epoch=epoch, seed=1, grouped=grouped)
    assert sorted(i for step in order for i in step) == list(range(len(lengths)))
    assert len(order) == -(-len(lengths) // size)
    assert all(len(step) <= size for step in order)
    assert order == batches.steps(lengths, size, epoch=epoch, seed=1, grouped=grouped)


@given(LENGTHS, st.integers(1, 4), st.integers(1, 8), st.integers(0, 2000), st.integers(0, 4))
def test_processes_share_a_step_and_no_pass_is_too_large(
    lengths: list[int], world: int, batch: int, tokens: int, prefix: int
) -> None:
    step = range(len(lengths))
    shares = [
        batches.passes(step, lengths, batch=batch, tokens=tokens, rank=rank, world=world, prefix=prefix)
        for rank in range(world)
    ]
    assert sorted(i for share in shares for part in share for i in part) == list(step)
    for part in (part for share in shares for part in share):
        size = prefix + len(part) * (max(lengths[i] for i in part) - prefix)
        assert len(part) <= batch or size <= tokens


@given(LENGTHS, st.integers(1, 4), st.integers(1, 8), st.integers(0, 2000))
def test_processes_that_lend_each_other_layers_have_as_many_passes(
    lengths: list[int], world: int, batch: int, tokens: int
) -> None:
    step, wanted = range(len(lengths)), Training(batch=batch, tokens_per_pass=tokens, sharding="full")
    shares = [batches.share(step, lengths, 0, wanted, Group(rank, world)) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    alone = wanted.model_copy(update={"sharding": "none"})
    for rank, share in enumerate(shares):
        assert [part for part in share if part] == batches.share(step, lengths, 0, alone, Group(rank, world))


def test_epochs_differ_and_so_do_seeds() -> None:
    lengths = list(range(10, 90))
    orders = [
        batches.steps(lengths, 8, epoch=epoch, seed=seed, grouped=True) for epoch, seed in ((0, 1), (1, 1), (0, 2))
    ]
    assert orders[0] != orders[1]
    assert orders[0] != orders[2]


def test_grouping_by_length_leaves_little_padding() -> None:
    source = random.Random(1)
    lengths = [source.randint(60, 400) for _ in range(800)]

    def padding(grouped: bool) -> float:
        order = batches.steps(lengths, 8, epoch=0, seed=1, grouped=grouped)
        read = sum(max(lengths[i] for i in step) * len(step) for step in order)
        return 1 - sum(lengths) / read

    assert padding(True) < 0.02
    assert padding(False) > 0.3


def test_the_common_prefix_ends_before_anything_is_learnt() -> None:
    assert batches.common_prefix([example([1, 2, 3, 4, 5], 4), example([1, 2, 9, 4, 5], 4)]) == 2
    assert batches.common_prefix([example([1, 2, 3, 4], 2), example([1, 2, 3, 4], 2)]) == 1
    assert batches.common_prefix([example([1, 2, 3], 2), example([7, 2, 3], 2)]) == 0
    assert batches.common_prefix([example([1, 2, 3, 4, 5, 6], 5), example([1, 2, 3], 2)]) == 1
    assert batches.common_prefix([]) == 0


def test_stacked_arrays_hold_prefix_and_rest() -> None:
    found = batches.stacked([example([1, 2, 3, 4, 5], 3), example([1, 2, 9, 8], 3)], 2)
    assert found.prefix.tolist() == [1, 2]
    assert found.ids.tolist() == [[3, 4, 5], [9, 8, 0]]
    assert found.mask.tolist() == [[False, True, True], [False, True, False]]
    assert found.computed == 8


def test_tokens_are_made_once_and_kept(tmp_path: Path) -> None:
    one, path, calls = encoder("qwen2.5"), tmp_path / "run" / "tokens.npz", 0

    def make() -> batches.Made:
        nonlocal calls
        calls += 1
        return one.examples([TALK, Conversation(TALK.messages[:2])], 4096)

    first, counts = batches.cached(path, "a", make)
    again, same = batches.cached(path, "a", make)
    assert calls == 1
    assert counts == same
    for a, b in zip(first, again, strict=True):
        assert (a.ids.tolist(), a.mask.tolist()) == (b.ids.tolist(), b.mask.tolist())
        assert (a.replies, a.ended, a.source) == (b.replies, b.ended, b.source)
    batches.cached(path, "b", make)
    assert calls == 2
    path.write_bytes(path.read_bytes()[:100])
    batches.cached(path, "b", make)
    assert calls == 3
    batches.cached(path, "b", make)
    assert calls == 3
    assert [file.name for file in path.parent.iterdir()] == ["tokens.npz"]
