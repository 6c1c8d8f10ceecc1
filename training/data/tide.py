"""TIDE, the dataset of the paper: fetched from the hub after its licence was accepted, read from the hub's cache later.

Nothing of it comes with this project. It is gated: the hub gives it to an account that accepted the terms there, known
by HF_TOKEN. Knows nothing of its rows.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tide_chat.errors import DataError, HubError, TideError
from tide_chat.registry import hub
from tide_chat.registry.places import hub_cache_dir
from training.data import licence
from training.data.tables import FORMATS

REPO = "yenopoya/TIDE"
LICENCE = licence.Licence(
    dataset=REPO,
    name="CC BY-NC 4.0",
    terms="You may use, share and change the data and must name its authors. You may not use it commercially, and a\n"
    "model trained on it is best treated the same way. Its page may ask for more.",
    address="https://creativecommons.org/licenses/by-nc/4.0/legalcode",
)
_CARD_NAME = "cc-by-nc-4.0"  # what the dataset's card calls the licence
_WANTED = (*(f"*{suffix}" for suffix in FORMATS), "README.md")
_OWN_FILE = "Files that you have already can be used as they are: give their path in place of `tide`."


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where the files lie, and the commit they are of."""

    folder: Path
    revision: str


def fetch(*, accept: bool = False, revision: str = "main") -> Fetched:
    """Bring the data into the hub's cache. Raises UsageError (licence), HubError, DataError."""
    licence.require(LICENCE, accept=accept)
    with _translated():
        found = hub.snapshot(REPO, _WANTED, kind="dataset", revision=revision)
    fetched = Fetched(found, found.name)
    _same_licence(fetched.folder)
    licence.remember(LICENCE, fetched.revision)
    return fetched


def folder() -> Path:
    """Where `fetch` put it. Opens no connection. Raises UsageError when the licence was not accepted, DataError."""
    licence.require(LICENCE)
    cached = hub_cache_dir() / f"datasets--{REPO.replace('/', '--')}"
    accepted = licence.recall(LICENCE)
    for name in (accepted.revision if accepted else "", _ref(cached)):
        if name and (found := cached / "snapshots" / name).is_dir():
            return found
    raise DataError(
        "TIDE is not on this computer.", details=str(cached), help=f"Fetch it: tide-train data fetch tide. {_OWN_FILE}"
    )


def _ref(cached: Path) -> str:
    try:
        return (cached / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _same_licence(folder: Path) -> None:
    """The card says under which licence the data come; another one than was accepted is not accepted."""
    try:
        head = (folder / "README.md").read_text(encoding="utf-8").partition("---")[2].partition("\n---")[0]
    except (OSError, ValueError):
        return
    named = re.search(r"^license:\s*[\"']?([\w.-]+)", head, re.MULTILINE)
    if named and named[1].casefold() != _CARD_NAME:
        raise DataError(
            "TIDE comes under another licence now than this version of the project knows.",
            details=f"{hub.endpoint()}/datasets/{REPO}: {named[1]}; known: {_CARD_NAME}",
            help=f"Read it there. {_OWN_FILE}",
        )


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the library's exceptions into errors that say what to do."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.LocalEntryNotFoundError as error:  # it looked for a cached copy after something else failed
        raise _meaning(error.__cause__ or error) from None
    except (errors.HfHubHTTPError, errors.OfflineModeIsEnabled, httpx2.HTTPError) as error:
        raise _meaning(error) from None
    except OSError as error:
        raise HubError("The data could not be written.", details=str(error), help="Is the disk full?") from error


def _meaning(error: BaseException) -> TideError:
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled):
        return HubError("Downloads are turned off here.", help=f"Unset HF_HUB_OFFLINE and try again. {_OWN_FILE}")
    if isinstance(error, errors.RevisionNotFoundError):
        return HubError("TIDE has no such revision.", details=f"{hub.endpoint()}/datasets/{REPO}", help="Try main.")
    if not isinstance(error, errors.HfHubHTTPError):
        return HubError(
            "The hub could not be reached.",
            details=f"{hub.endpoint()}: {error}",
            help=f"Check the network connection and try again. {_OWN_FILE}",
        )
    status = error.response.status_code
    if status in (401, 403) or isinstance(error, errors.GatedRepoError | errors.RepositoryNotFoundError):
        return _gated()
    return HubError("The hub refused.", details=f"{REPO}: answer {status}", help=f"Try again later. {_OWN_FILE}")


def _gated() -> HubError:
    page = f"{hub.endpoint()}/datasets/{REPO}"
    if hub.library().get_token():
        return HubError(
            "TIDE is not open to the account of this token.",
            details=page,
            help=f"Sign in there with that account, accept the terms, and check that the token may read. {_OWN_FILE}",
        )
    return HubError(
        "TIDE is only given to people who accepted its terms on the hub, and there is no token here.",
        details=page,
        help=f"Sign in there, accept the terms, make a token that may read and set HF_TOKEN to it. {_OWN_FILE}",
    )
