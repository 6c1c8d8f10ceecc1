"""A real encrypted file, new in each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tide_chat.store.archive import Archive
from tide_chat.store.vault import Vault

PASSPHRASE = "four words of mine"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """Where one could be."""
    return Vault(tmp_path / "history")


@pytest.fixture
def archive(vault: Vault) -> Iterator[Archive]:
    """The open file, made with PASSPHRASE."""
    with vault.open(vault.create(PASSPHRASE)) as opened:
        yield opened
