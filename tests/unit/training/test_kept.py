"""Which folders a run may begin in: those that hold nothing but what a run itself keeps."""

from pathlib import Path

import numpy
import pytest

from training.sft import kept

NAMES = ("tokens.npz", "reference.npz")


def test_what_a_run_kept_is_its_own(tmp_path: Path) -> None:
    assert not kept.alone(tmp_path / "nothing", NAMES)
    assert kept.alone(tmp_path, NAMES)
    for name in NAMES:
        kept.write(tmp_path / name, "made of", values=numpy.arange(3))
    (tmp_path / ".tokens.npz.part").write_bytes(b"cut off")
    assert kept.alone(tmp_path, NAMES)
    found = kept.read(tmp_path / "tokens.npz", "made of")
    assert found is not None
    assert found["values"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["mine.npz", ".hidden", "tokens.npz", "reference.npz"])
def test_other_peoples_files_are_not(name: str, tmp_path: Path) -> None:
    kept.write(tmp_path / "tokens.npz", "made of", values=numpy.arange(3))
    with (tmp_path / name).open("wb") as file:
        numpy.savez(file, values=numpy.arange(3))
    assert not kept.alone(tmp_path, NAMES)


def test_what_is_no_file_of_arrays_is_not(tmp_path: Path) -> None:
    (tmp_path / "tokens.npz").write_text("words")
    assert not kept.alone(tmp_path, NAMES)
    (tmp_path / "tokens.npz").unlink()
    (tmp_path / "tokens.npz").mkdir()
    assert not kept.alone(tmp_path, NAMES)
