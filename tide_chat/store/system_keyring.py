"""The key of the history in the system's keyring, only when the user asks for it. Knows no passphrase.

Only keyrings that the system itself protects are used. One that writes a plain file is refused, and so is every one
that we do not know. What is kept is the key of this one history, never the passphrase, which may open other things.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tide_chat import extras
from tide_chat.errors import StoreError, TideError
from tide_chat.store.keys import KEY_BYTES, Key

SERVICE = "tide-chat history"
TRUSTED = frozenset(
    {
        "keyring.backends.macOS",
        "keyring.backends.SecretService",
        "keyring.backends.libsecret",
        "keyring.backends.kwallet",
    }
)


def keep(file: Path, key: Key) -> None:
    """Put the key of `file` into the keyring. Raises StoreError, MissingExtra."""
    with _told():
        _backend().set_password(SERVICE, str(file), key.raw.hex())


def find(file: Path) -> Key | None:
    """The key of `file`, None when the keyring has none that could be one. Raises StoreError, MissingExtra."""
    with _told():
        found = _backend().get_password(SERVICE, str(file))
    try:
        raw = bytes.fromhex(found or "")
    except ValueError:
        return None
    return Key(raw) if len(raw) == KEY_BYTES else None


def forget(file: Path) -> None:
    """Take the key of `file` out, if it is there. Raises StoreError, MissingExtra."""
    with _told():
        backend = _backend()
        if backend.get_password(SERVICE, str(file)) is not None:
            backend.delete_password(SERVICE, str(file))


def _backend() -> Any:
    """The first trusted keyring that works here."""
    extras.require("The keyring", "keyring")
    import keyring

    chosen = keyring.get_keyring()
    for backend in getattr(chosen, "backends", [chosen]):
        if type(backend).__module__ in TRUSTED:
            return backend
    raise StoreError(
        "This system has no keyring that tide-chat can trust.",
        details=f"There is: {type(chosen).__module__}",
        help="The history opens with its passphrase as before.",
    )


@contextmanager
def _told() -> Iterator[None]:
    """Failures of whatever keyring it is, in words."""
    try:
        yield
    except TideError:
        raise
    except Exception as error:
        raise StoreError(
            "The system's keyring did not answer.",
            details=type(error).__name__,
            help="The history opens with its passphrase as before.",
        ) from error
