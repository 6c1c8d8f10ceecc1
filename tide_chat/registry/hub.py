"""What the hub says about a file, and its failures in words. The only module that knows huggingface_hub.

Needs: HF_ENDPOINT (another hub), HF_TOKEN (for models behind a licence). Sends no usage data.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from tide_chat import __version__
from tide_chat.errors import HubError
from tide_chat.registry.catalogue import Model
from tide_chat.registry.places import hub_cache_dir

_ENDPOINT = "https://huggingface.co"
_ANSWER_TIMEOUT = 15.0  # seconds
_QUIET = ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_UPDATE_CHECK", "HF_HUB_DISABLE_PROGRESS_BARS")
_LATER = "What has been downloaded is kept. Run the same command again to go on."


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the hub, fixed to one commit."""

    url: str
    sha256: str
    size: int  # bytes
    commit: str


class BusyHub(HubError):
    """The hub cannot answer just now; trying again may help."""


def endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or _ENDPOINT).rstrip("/")


def library() -> Any:
    """huggingface_hub, with everything it might report about the user turned off."""
    for variable in _QUIET:
        os.environ[variable] = "1"
    import huggingface_hub
    from huggingface_hub import constants, utils  # noqa: F401 - `utils` becomes an attribute only when imported

    constants.HF_HUB_DISABLE_TELEMETRY = True  # in case it was imported before the variables were set
    return huggingface_hub


def headers() -> dict[str, str]:
    """What every request says about us: the name of the app, and the user's token if there is one.

    Spelt as the library spells them, so that they replace its own.
    """
    token = library().get_token()
    access = {"authorization": f"Bearer {token}"} if token else {}
    return {"user-agent": f"tide-chat/{__version__}", "Accept-Encoding": "identity", **access}


def describe(model: Model) -> RemoteFile:
    """Ask the hub for size and checksum. Raises HubError."""
    hub, file = library(), model.file
    with translated(model):
        asked = hub.hf_hub_url(file.repo, file.file, revision=file.revision, endpoint=endpoint())
        answer = hub.get_hf_file_metadata(
            asked, headers=headers(), token=False, endpoint=endpoint(), timeout=_ANSWER_TIMEOUT
        )
    if answer.size is None or not re.fullmatch(r"[0-9a-f]{64}", answer.etag or ""):
        raise HubError(
            "The hub gave no checksum for this file, so a download could not be checked.",
            details=f"{file.repo}/{file.file} at {endpoint()}",
            help="If HF_ENDPOINT is set, check that it names a real hub.",
        )
    commit = answer.commit_hash or file.revision
    return RemoteFile(
        hub.hf_hub_url(file.repo, file.file, revision=commit, endpoint=endpoint()), answer.etag, answer.size, commit
    )


def snapshot(
    repo: str, patterns: Sequence[str], *, kind: str = "model", revision: str = "main", download: bool = True
) -> Path:
    """The files of a repository that match, in the hub's cache; kind: model or dataset. Without `download` nothing is
    asked of the hub. Raises what the library raises: the callers know what to say.
    """
    found = library().snapshot_download(
        repo,
        repo_type=kind,
        revision=revision,
        allow_patterns=list(patterns),
        cache_dir=hub_cache_dir(),
        endpoint=endpoint(),
        local_files_only=not download,
    )
    return Path(found)


@contextmanager
def translated(model: Model) -> Iterator[None]:
    """Turn the library's exceptions into HubErrors that say what to do."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.OfflineModeIsEnabled:
        raise HubError("Downloads are turned off here.", help="Unset HF_HUB_OFFLINE and try again.") from None
    except errors.GatedRepoError:
        raise _gated(model) from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
        raise _not_there(model, error) from None
    except errors.HfHubHTTPError as error:
        raise _refused(model, error.response) from None
    except httpx2.TransportError as error:
        raise BusyHub(
            "The hub could not be reached.",
            details=f"{endpoint()}: {str(error) or type(error).__name__}",
            help=f"Check the network connection and try again. {_LATER}",
        ) from None
    except httpx2.HTTPError as error:
        raise HubError("The hub gave an answer that makes no sense.", details=str(error), help=_LATER) from None


def _gated(model: Model) -> HubError:
    has_token = bool(os.environ.get("HF_TOKEN"))
    return HubError(
        f"{model.entry.title} is only given to people who accepted its licence.",
        details=f"{endpoint()}/{model.file.repo}",
        help="Open that page, sign in and accept the licence"
        + (". Then check that HF_TOKEN belongs to the same account" if has_token else ", then set HF_TOKEN")
        + " and try again. A file you have already can be added with: tide-chat models import",
    )


def _not_there(model: Model, error: Exception) -> HubError:
    response = getattr(error, "response", None)
    if response is not None and response.status_code in (401, 403):
        return _gated(model)
    return HubError(
        f"The hub has no {model.file.file} at the place this app knows.",
        details=f"{endpoint()}/{model.file.repo} at {model.file.revision}",
        help="A newer version of the app may know where it went. A file from elsewhere can be added with: "
        "tide-chat models import",
    )


def _refused(model: Model, response: Any) -> HubError:
    code = int(response.status_code)
    details = f"{model.file.repo}: answer {code}"
    if code == 429:
        when = _when(response.headers)
        return HubError(
            "The hub asks to wait: too many downloads.", details=details, help=f"Try again {when}. {_LATER}"
        )
    if code in (401, 403):
        return _gated(model)
    if code >= 500 or code == 408:
        return BusyHub("The hub has a problem of its own.", details=details, help=f"Try again later. {_LATER}")
    return HubError("The hub refused the download.", details=details, help=_LATER)


def _when(answered: Any) -> str:
    seconds = _seconds(answered)
    if seconds is None:
        return "in some minutes"
    if seconds < 90:
        return f"in {seconds} seconds"
    minutes = -(-seconds // 60)
    return f"in {minutes} minutes" if minutes < 90 else f"in {-(-minutes // 60)} hours"


def _seconds(answered: Any) -> int | None:
    """How long to wait, from Retry-After (seconds or a date) or RateLimit."""
    value = str(answered.get("Retry-After") or "").strip()
    if value.isdecimal():
        return int(value)
    try:
        return max(1, round((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()))
    except (ValueError, TypeError):
        reset = re.search(r"\bt\s*=\s*(\d+)", str(answered.get("RateLimit") or ""))
        return int(reset.group(1)) if reset else None


def raise_for_status(answer: Any) -> None:
    """Raise the library's own exception for an answer that is an error."""
    library().utils.hf_raise_for_status(answer)
