"""Where files live. Everything goes below TIDE_CHAT_HOME when it is set, otherwise into the platform's own folders.

Only names folders: creates nothing and knows no file format.
"""

import os
from pathlib import Path

from tide_chat.errors import UsageError

_APP = "tide-chat"


def typed(where: str | Path) -> Path:
    """A path as somebody typed it, whole. Raises UsageError."""
    try:
        return Path(where).expanduser().absolute()
    except RuntimeError as error:  # ~name of nobody
        raise UsageError("There is no such home folder.", details=str(where)) from error


def home() -> Path | None:
    """The folder named by TIDE_CHAT_HOME, None when it is unset or empty."""
    value = os.environ.get("TIDE_CHAT_HOME", "").strip()
    return typed(value) if value else None


def config_dir() -> Path:
    """Settings."""
    return home() or _platform("config")


def data_dir() -> Path:
    """What should survive: models, and the history when it is kept."""
    return home() or _platform("data")


def models_dir() -> Path:
    return data_dir() / "models"


def history_dir() -> Path:
    """Conversations, encrypted, and only when the user chose to keep them."""
    return data_dir() / "history"


def cache_dir() -> Path:
    """What can be made again: the state of system prompts, probe results."""
    base = home()
    return base / "cache" if base else _platform("cache")


def state_dir() -> Path:
    """Small facts about use, such as the day on which the first screen was accepted."""
    base = home()
    return base / "state" if base else _platform("state")


def shipped_models() -> Path:
    """What comes with the app: the list of models and the risk encoder. Package data, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "models"
    return inside if inside.is_dir() else package.parent / "models"


def _platform(kind: str) -> Path:
    import platformdirs  # here, so that `--help` and a set TIDE_CHAT_HOME do not pay for it

    folders = platformdirs.PlatformDirs(_APP, appauthor=False)
    found: Path = getattr(folders, f"user_{kind}_path")
    return found
