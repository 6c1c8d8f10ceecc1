"""TIDE_CHAT_HOME holds everything; without it the platform decides."""

from pathlib import Path

import platformdirs
import pytest

from tide_chat import paths


def test_everything_is_below_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIDE_CHAT_HOME", str(tmp_path))
    assert paths.config_dir() == tmp_path
    assert paths.models_dir() == tmp_path / "models"
    assert paths.cache_dir() == tmp_path / "cache"
    assert paths.state_dir() == tmp_path / "state"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [None, "", "  "])
def test_the_platform_decides_otherwise(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is None:
        monkeypatch.delenv("TIDE_CHAT_HOME", raising=False)
    else:
        monkeypatch.setenv("TIDE_CHAT_HOME", value)
    assert paths.config_dir() == Path(platformdirs.user_config_dir("tide-chat", appauthor=False))
    assert paths.models_dir() == Path(platformdirs.user_data_dir("tide-chat", appauthor=False)) / "models"
    assert paths.cache_dir() == Path(platformdirs.user_cache_dir("tide-chat", appauthor=False))
    assert paths.state_dir() == Path(platformdirs.user_state_dir("tide-chat", appauthor=False))


def test_a_relative_home_and_a_tilde_are_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("TIDE_CHAT_HOME", "here")
    assert paths.config_dir() == tmp_path / "here"
    monkeypatch.setenv("TIDE_CHAT_HOME", "~/there")
    assert paths.config_dir() == tmp_path / "me" / "there"
