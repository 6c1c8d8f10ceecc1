"""Replies are kept line by line, survive a kill, and are never mixed up."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tide_chat.errors import DataError, UsageError
from training.evaluation.auto.cache import Store, Written, key

ONE = Written("That sounds hard.", "stop", 10, 4, 0.1, 0.5, 2.0, {"route": "model"})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writing("a"):
        store.put("k", ONE)
    again = Store(tmp_path)
    assert again.get("k") == ONE
    assert "other" not in again


@given(st.text(), st.text())
def test_a_key_is_of_all_its_parts(a: str, b: str) -> None:
    assert (key(prompt=a) == key(prompt=b)) == (a == b)
    assert key(prompt=a, model="x") != key(prompt=a, model="y")
    assert key(model="x", prompt=a) == key(prompt=a, model="x")


def test_a_half_line_is_cut_off_by_its_writer_and_waited_for_by_others(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writing("a"):
        store.put("k", ONE)
    path = tmp_path / "a.jsonl"
    line = json.dumps({"key": "half", "text": "x", "finish": "stop"}).encode()
    path.write_bytes(path.read_bytes() + line[:20])
    reader = Store(tmp_path)
    assert "k" in reader
    assert "half" not in reader
    path.write_bytes(path.read_bytes() + line[20:] + b"\n")
    assert reader.refresh() == 1
    assert "half" in reader
    path.write_bytes(path.read_bytes() + line[:20])
    with store.writing("a"):
        store.put("after", ONE)
    assert {name for name in ("k", "half", "after") if name in Store(tmp_path)} == {"k", "half", "after"}


def test_every_kill_point_of_a_line_leaves_a_file_that_can_go_on(tmp_path: Path) -> None:
    with (store := Store(tmp_path)).writing("a"):
        store.put("k", ONE)
    whole = (tmp_path / "a.jsonl").read_bytes()
    for size in range(len(whole)):
        (tmp_path / "a.jsonl").write_bytes(whole[:size])
        again = Store(tmp_path)
        with again.writing("a"):
            again.put("new", ONE)
        found = Store(tmp_path)
        assert "new" in found
        assert "k" not in found


def test_a_damaged_line_is_an_error_and_not_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"key": "k"}\n')
    with pytest.raises(DataError, match="damaged"):
        Store(tmp_path)


def _hold(folder: Path) -> None:
    store = Store(folder)
    with store.writing("a"):
        store.put("held", ONE)
        time.sleep(60)


def test_two_processes_do_not_write_one_file_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_hold, args=(tmp_path,))
    child.start()
    store = Store(tmp_path)
    try:
        while "held" not in store:
            time.sleep(0.01)
            store.refresh()
        with pytest.raises(UsageError, match="Another process"), store.writing("a"):
            pass
        with store.writing("b"):
            store.put("beside", ONE)
    finally:
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    with store.writing("a"):
        store.put("free", ONE)
    assert all(name in Store(tmp_path) for name in ("held", "beside", "free"))
