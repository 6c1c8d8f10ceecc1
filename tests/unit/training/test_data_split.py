"""Splits keep people and nearly equal texts together, are the same bytes everywhere, and are written whole or not."""

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.training.data_rows import REPLY, SAID, dialogue, rows, write
from tide_chat.errors import DataError, TideError, UsageError
from tide_chat.progress import quiet
from training import folders
from training.data import sources
from training.data import split as splitting
from training.data.assign import disjoint, paper
from training.data.check import check
from training.data.grouping import Groups, group
from training.data.manifest import Manifest
from training.data.schema import Dialogue
from training.data.split import dialogues, split, verified

WORDS = "rain stone table winter river garden letter window silver morning engine paper harbour candle bridge".split()


def text(number: int) -> str:
    """A sentence that resembles no other one."""
    digest = hashlib.sha256(str(number).encode()).digest()
    return " ".join(f"{WORDS[byte % len(WORDS)]}{byte}" for byte in digest[:12]) + "."


def people(count: int, each: int) -> list[Dialogue]:
    return [
        dialogue(text(number), text(-1 - number), name=f"d{number}", persona=f"p{number // each}")
        for number in range(count * each)
    ]


def singles(count: int) -> list[Dialogue]:
    return [dialogue(text(number), text(-1 - number), name=f"d{number}") for number in range(count)]


@pytest.fixture
def source(tmp_path: Path) -> str:
    return str(write(tmp_path / "set.jsonl", people(20, 5)))


def test_people_are_never_on_two_sides(source: str, tmp_path: Path) -> None:
    made = split(tmp_path / "out", [source])
    parts = {name: dialogues(tmp_path / "out", name) for name in made.splits}
    persons = {name: {one.persona_id for one in part} for name, part in parts.items()}
    assert {name: len(part) for name, part in parts.items()} == {"train": 80, "validation": 10, "test": 10}
    assert not persons["train"] & persons["test"]
    assert not persons["train"] & persons["validation"]
    assert not persons["validation"] & persons["test"]
    assert sorted(one.dialogue_id for part in parts.values() for one in part) == sorted(f"d{i}" for i in range(100))
    assert not made.leakage.any
    assert check([str(tmp_path / "out")]).passed


def test_nearly_equal_texts_without_a_person_stay_together(tmp_path: Path) -> None:
    alike = [dialogue(f"{SAID} Again {number}.", text(number), name=f"a{number}") for number in range(4)]
    source = write(tmp_path / "set.jsonl", [*singles(60), *alike])
    for seed in range(5):
        out = tmp_path / f"out{seed}"
        made = split(out, [str(source)], shares=(0.5, 0.25, 0.25), seed=seed)
        homes = {n for n in made.splits for one in dialogues(out, n) if one.dialogue_id.startswith("a")}
        assert len(homes) == 1
        assert not made.leakage.any


def test_a_stock_reply_does_not_tie_everything_together(tmp_path: Path) -> None:
    source = write(tmp_path / "set.jsonl", [dialogue(text(i), REPLY, name=f"d{i}") for i in range(100)])
    made = split(tmp_path / "out", [str(source)])
    assert made.splits["train"].rows == 80
    assert "pairs of nearly equal texts are not kept together" in made.note
    assert made.leakage.near_replies > 0


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 200)), min_size=12, max_size=40, unique_by=lambda one: one[1]),
    st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_groups_are_whole_and_every_row_has_a_place(named: list[tuple[int, int]], seed: int) -> None:
    data = rows([dialogue(text(n), text(-1 - n), name=f"d{n}", persona=f"p{p}" if p else None) for p, n in named])
    groups = group(data, 2, quiet)
    assert sorted(member for members in groups.members for member in members) == list(range(len(data)))
    assume(len(groups.members) > 6)
    chosen = disjoint(data, groups, (0.5, 0.25, 0.25), seed)
    assert all(len({chosen[member] for member in members}) == 1 for members in groups.members)
    assert set(chosen) == {"train", "validation", "test"}


def test_the_split_is_this_one_on_every_machine(source: str, tmp_path: Path) -> None:
    made = split(tmp_path / "out", [source], seed=7)
    assert made.splits["test"].sha256 == hashlib.sha256((tmp_path / "out" / "test.jsonl").read_bytes()).hexdigest()
    assert {one.persona_id for one in dialogues(tmp_path / "out", "test")} == {"p14", "p18"}
    assert paper(10, 42)[0] == ["test", *["train"] * 6, *["test"] * 3]
    renamed = write(tmp_path / "renamed.jsonl", people(20, 5))
    assert split(tmp_path / "again", [str(renamed)], seed=7).splits == made.splits


def test_another_seed_is_another_split(source: str, tmp_path: Path) -> None:
    one, two = split(tmp_path / "1", [source], seed=1), split(tmp_path / "2", [source], seed=2)
    assert one.splits["test"].sha256 != two.splits["test"].sha256


def test_again_changes_nothing_and_another_split_is_refused(source: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = split(out, [source])
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()}
    assert split(out, [source]) == made
    for options in ({"seed": 1}, {"as_in_paper": True}, {"shares": (0.5, 0.25, 0.25)}):
        with pytest.raises(UsageError, match="something else in this folder"):
            split(out, [source], **options)
    assert before == {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.iterdir()}
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="not a folder that can be read"):
        split(tmp_path / "file", [source])
    (tmp_path / "empty").mkdir()
    assert split(tmp_path / "empty", [source]) == made


def test_a_share_of_nothing_makes_no_file(source: str, tmp_path: Path) -> None:
    made = split(tmp_path / "out", [source], shares=(0.9, 0.0, 0.1))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["manifest.json", "test.jsonl", "train.jsonl"]
    assert made.splits["train"].rows == 90
    with pytest.raises(DataError, match="has no validation"):
        dialogues(tmp_path / "out", "validation")


@pytest.mark.parametrize("shares", [(0.8, 0.1, 0.2), (1.2, -0.1, -0.1), (0.0, 0.5, 0.5), (float("nan"), 0.5, 0.5)])
def test_shares_that_make_no_whole(shares: tuple[float, float, float], source: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="together 1"):
        split(tmp_path / "out", [source], shares=shares)


def test_too_few_groups(tmp_path: Path) -> None:
    source = write(tmp_path / "set.jsonl", people(2, 10))
    with pytest.raises(DataError, match="nothing left for test") as caught:
        split(tmp_path / "out", [str(source)])
    assert caught.value.details == "20 dialogues in 2 groups that must stay whole"
    assert not (tmp_path / "out").exists()


def test_the_papers_split_scaled_and_its_leakage(source: str, tmp_path: Path) -> None:
    made = split(tmp_path / "out", [source], as_in_paper=True)
    assert {name: part.rows for name, part in made.splits.items()} == {"train": 60, "test": 40}
    assert (
        made.note == "There are 100 rows and not the paper's 10,000: 60 to train and 40 to evaluate, in its proportion."
    )
    assert (made.method, made.seed, made.shares) == ("paper", 42, (0.6, 0.0, 0.4))
    assert made.leakage.personas > 10
    assert made.leakage.rows >= made.leakage.personas
    report = check([str(tmp_path / "out")])
    assert sum(finding.kind == "leak-persona" for finding in report.findings) == made.leakage.personas


@pytest.mark.parametrize(
    ("count", "left", "said"), [(10_000, 0, "as in the paper."), (10_500, 500, "500 rows are left")]
)
def test_the_papers_split_at_full_size(count: int, left: int, said: str) -> None:
    chosen, note = paper(count, 42)
    assert (chosen.count("train"), chosen.count("test"), chosen.count("")) == (6_000, 4_000, left)
    assert said in note
    with pytest.raises(DataError, match="too few"):
        paper(1, 42)


def test_rows_at_fault_stop_it(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", singles(3))
    path.write_text(path.read_text(encoding="utf-8") + "{}\n" * 6, encoding="utf-8")
    with pytest.raises(DataError, match="12 faults were found") as caught:
        split(tmp_path / "out", [str(path)])
    assert caught.value.details.startswith("set.jsonl, row 4: column user_input is missing\n")
    assert caught.value.details.endswith("\n…")


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_in_the_middle_leaves_nothing(
    failure: BaseException, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def fail_at_the_second(handle: int) -> None:
        synced.append(handle)
        if len(synced) == 2:
            raise failure

    monkeypatch.setattr(os, "fsync", fail_at_the_second)
    with pytest.raises(TideError if isinstance(failure, OSError) else KeyboardInterrupt) as caught:
        split(tmp_path / "new" / "out", [source])
    if isinstance(failure, OSError):
        assert "No space left on device" in str(caught.value)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_disk_without_room(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "disk_lacking", lambda folder, size: size // 2)
    with pytest.raises(DataError, match="not enough room") as caught:
        split(tmp_path / "out", [source])
    assert "are needed" in caught.value.details
    assert not (tmp_path / "out").exists()


def test_files_that_were_changed_or_lost_are_noticed(source: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = split(out, [source])
    assert verified(out) == made
    whole = (out / "test.jsonl").read_bytes()
    (out / "test.jsonl").write_bytes(whole + b"\n")
    with pytest.raises(DataError, match="was changed"):
        dialogues(out, "train")
    (out / "test.jsonl").unlink()
    with pytest.raises(DataError, match="is missing"):
        verified(out)


def test_a_manifest_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no split"):
        Manifest.read(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"method": "coin"}), encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read") as caught:
        Manifest.read(tmp_path)
    assert "method" in caught.value.details


def test_our_own_dialogues_in_the_default_split(tmp_path: Path) -> None:
    data = sources.load(["open:plain"])
    groups = Groups(tuple((position,) for position in range(len(data.rows))), 0)
    chosen = disjoint(data.rows, groups, splitting.SHARES, 42)
    assert [chosen.count(name) for name in ("train", "validation", "test")] == [624, 78, 78]
