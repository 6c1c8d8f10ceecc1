"""The real app at a real terminal with a history that is kept: killed before it answers, come back to, left."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.terminal import Terminal
from tide_chat import config
from tide_chat.config import Settings
from tide_chat.safety import disclosure
from tide_chat.store.vault import Vault

pytestmark = pytest.mark.usefixtures("embedded_model")

APP = ("-m", "tide_chat", "--model", "smollm2-135m", "--country", "US", "--seed", "5")
PASSPHRASE = "four words of mine"
MARKER = "zqxwplantedvqz"
UNSENT = "qvwplantedunsent"
F11 = b"\x1b[23~"
SAID = "▌".encode()  # beside what the person said, and nowhere else


@pytest.fixture
def kept(tide_home: Path) -> Vault:
    config.save(Settings(history=True, reduced_motion=True, max_tokens=12))
    disclosure.accept()
    vault = Vault()
    vault.create(PASSPHRASE)
    return vault


@pytest.fixture
def opened(kept: Vault) -> Iterator[Terminal]:
    with Terminal(*APP) as program:
        unlock(program)
        yield program


def unlock(program: Terminal) -> None:
    program.until(b"Open your history")
    program.type(f"{PASSPHRASE}\r".encode())
    program.until(b"kept in your encrypted history")


def written(home: Path) -> list[bytes]:
    """Every file the app wrote."""
    return [path.read_bytes() for path in home.parent.rglob("*") if path.is_file()]


def test_what_was_sent_survives_a_kill_and_stands_in_no_file(kept: Vault, opened: Terminal, tide_home: Path) -> None:
    opened.type(f"{MARKER} tonight\r".encode())
    opened.until(SAID)
    with kept.open(kept.unlock(PASSPHRASE)) as beside:
        end = time.monotonic() + 60
        while not beside.count():
            assert time.monotonic() < end
            time.sleep(0.02)
        opened.type(UNSENT.encode())
        while (UNSENT,) not in beside.rows("SELECT text FROM paper"):
            assert time.monotonic() < end
            opened.look()
    files = written(tide_home)
    opened.process.kill()
    opened.process.wait()
    files += written(tide_home)
    assert len(files) > 5
    planted = [word.encode() for word in (MARKER, UNSENT, PASSPHRASE)]
    assert not [file for file in files if any(word in file for word in planted)]
    with kept.open(kept.unlock(PASSPHRASE)) as archive:
        assert archive.messages(1)[0].message.text == f"{MARKER} tonight"

    with Terminal(*APP) as later:
        unlock(later)
        later.until(UNSENT.encode())  # not sent, and not lost
        later.type(F11)
        later.until(MARKER.encode())
        later.type(b"\r")
        later.until(SAID)
        later.type(b"\x11")
        assert later.end() == 0
    assert not [file for file in written(tide_home) if any(word in file for word in planted)]
