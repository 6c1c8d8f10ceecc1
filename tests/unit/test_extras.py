"""Optional parts: names agree with pyproject.toml, and a missing one is said in one line."""

import tomllib
from pathlib import Path

import pytest

from tide_chat import extras
from tide_chat.errors import MissingExtra


def test_the_names_are_those_of_the_distribution(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras.EXTRAS) == set(project["optional-dependencies"])


def test_what_is_there_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.EXTRAS, "train", ("json", "tomllib"))
    assert extras.is_installed("train")
    extras.require("Training", "train")


def test_one_module_missing_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.EXTRAS, "train", ("json", "no_such_module_here"))
    with pytest.raises(MissingExtra, match="Training needs the 'train' extra") as caught:
        extras.require("Training", "train")
    assert caught.value.exit_code == 2
    assert caught.value.help == "Install it: pip install 'tide-chat[train]'"
