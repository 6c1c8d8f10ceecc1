"""Where weights come from: a folder, or a repository of the hub by its name. Knows nothing of what they are."""

import json
import re
from pathlib import Path

from tide_chat.errors import DataError, HubError, ModelNotFound

WANTED = ("*.safetensors", "*.json", "*.jinja", "*.model", "merges.txt")  # never pickles
_REPO = re.compile(r"[\w.-]+/[\w.-]+")


def folder(given: str, *, download: bool = False) -> Path:
    """The folder that `given` names: a path, or `owner/name` in the hub's cache, fetched first when `download` says so.

    Raises ModelNotFound, HubError.
    """
    path = Path(given).expanduser()
    if path.is_dir():
        return path
    if path.exists() or not _REPO.fullmatch(given):
        raise ModelNotFound(
            "There is no such folder.", details=given, help="Give a folder with config.json, or owner/name of the hub."
        )
    return _from_hub(given, download)


def _from_hub(repo: str, download: bool) -> Path:
    from tide_chat.registry import hub

    hub.library()  # first, so that it sends nothing about the user
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return hub.snapshot(repo, WANTED, download=download)
    except LocalEntryNotFoundError as error:
        if download:
            raise HubError("The hub could not be reached.", details=f"{repo} at {hub.endpoint()}") from error
        raise ModelNotFound(
            "The model is not on this computer.", details=repo, help="Fetch it with --download, or give a folder."
        ) from error
    except HfHubHTTPError as error:
        raise HubError(
            "The hub refused.",
            details=f"{repo}: {error.response.status_code}",
            help="Check the name. A gated model asks for its licence to be accepted there, and for HF_TOKEN here.",
        ) from error


def base_of(adapter: Path) -> str:
    """What the adapter says it was trained on. Raises DataError."""
    try:
        found = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "The adapter does not say what it belongs to.", details=str(error), help="Name --base."
        ) from error
    return str(found)
