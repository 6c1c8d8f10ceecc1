"""The prefix cache on disk: keyed by all that matters, never half-written, never fatal."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tide_chat.engine.prefix_cache import KEPT, PrefixCache, fingerprint


def write(path: Path, tokens: Sequence[int]) -> bool:
    return bool(path.write_text(" ".join(map(str, tokens))))


def read(path: Path, tokens: Sequence[int]) -> bool:
    return path.read_text() == " ".join(map(str, tokens))


def test_round_trip(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path / "prefix", "model")
    assert not cache.restore([1, 2], read)
    cache.store([1, 2], write)
    assert cache.restore([1, 2], read)
    assert not cache.restore([1, 2, 3], read)


def test_another_identity_is_another_file(tmp_path: Path) -> None:
    PrefixCache(tmp_path, "model", "adapter a").store([1], write)
    assert not PrefixCache(tmp_path, "model", "adapter b").restore([1], read)


def test_a_damaged_file_is_a_miss_and_goes(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path)
    cache.store([1], write)
    path = cache.path([1])
    assert path
    path.write_text("garbage")
    assert not cache.restore([1], read)
    assert not path.exists()


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def full(path: Path, tokens: Sequence[int]) -> bool:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    PrefixCache(tmp_path).store([1], full)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    cache = PrefixCache(blocker / "prefix")
    cache.store([1], write)
    assert not cache.restore([1], read)


def test_the_least_recently_used_leave(tmp_path: Path) -> None:
    cache = PrefixCache(tmp_path)
    for number in range(KEPT + 3):
        cache.store([number], write)
        path = cache.path([number])
        assert path
        os.utime(path, (number, number)) if path.exists() else None
    assert len(list(tmp_path.glob("*.state"))) == KEPT
    assert cache.restore([KEPT + 2], read)


def test_fingerprints_tell_files_apart(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"a" * 10)
    two.write_bytes(b"b" * 10)
    os.utime(two, ns=(one.stat().st_atime_ns, one.stat().st_mtime_ns))
    assert fingerprint(one) != fingerprint(two)
    assert fingerprint(one) == fingerprint(one)


@pytest.mark.parametrize("folder", [None])
def test_no_folder_means_no_cache(folder: None) -> None:
    cache = PrefixCache(folder)
    cache.store([1], write)
    assert cache.path([1]) is None
