"""`tide-chat` as its own process, in a home of its own, as on another computer."""

import subprocess
import sys
from pathlib import Path


def furnished(home: Path, settings: str) -> Path:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(settings, encoding="utf-8")
    return home


def tide_chat(home: Path, *arguments: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tide_chat", *arguments],
        input=text,
        env={"TIDE_CHAT_HOME": str(home), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
