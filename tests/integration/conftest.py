"""A hub on this machine, and a computer that knows no other; a real browser."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.integration.gguf_files import gguf_bytes
from tests.integration.hub_server import HubServer
from tide_chat.registry import transfer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HUB_REPO = "Qwen/Qwen2.5-0.5B-Instruct-GGUF"
HUB_FILE = "qwen2.5-0.5b-instruct-q4_k_m.gguf"

QUIET = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()


@pytest.fixture
def hub_server(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """HF_ENDPOINT points at it; no token, no cache, and no waiting between attempts."""
    import huggingface_hub
    from huggingface_hub import constants

    cache = tmp_path_factory.mktemp("hub-home")
    monkeypatch.setenv("HF_HOME", str(cache))
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(cache / "token"))
    monkeypatch.setattr(transfer, "RETRY_WAITS", (0.0, 0.0))
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server
        huggingface_hub.close_session()


@pytest.fixture
def hub_model(hub_server: HubServer) -> bytes:
    """The bytes of a file on the hub that the catalogue knows as qwen2.5-0.5b-q4."""
    data = gguf_bytes(architecture="qwen2", weights=100_000, name="Qwen2.5 0.5B Instruct")
    hub_server.add(HUB_REPO, HUB_FILE, data)
    return data


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """torch computes with one thread: tiny models gain nothing by more, and results do not depend on the machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("No Chromium is installed: no page was opened.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield one
        one.close()
