"""Chat opens no socket: proved below Python, in the app's process and the engine's, by a library that would see it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.shims import NO_SOCKETS, compile_shim

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs LD_PRELOAD")

CHAT = """
from pathlib import Path
from tide_chat.engine.base import EngineSpec, SamplingParams
from tide_chat.engine.supervisor import Supervisor
from tide_chat.prompt import primer, system_text
from tide_chat.turn import Companion
supervisor = Supervisor(prime=primer(system_text))
supervisor.start(EngineSpec(Path({model!r}), context=512, cache_dir=Path({cache!r})))
companion = Companion(supervisor, sampling=SamplingParams(seed=1, max_tokens=16))
for text in ("It was a long day.", "I want to kill myself", "are you a person?"):
    print(repr(list(companion.reply(text))[-1].result.reply))
list(companion.again())
supervisor.close()
"""


@pytest.fixture
def watched(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """(environment with the watching library, its log)."""
    log = tmp_path / "sockets.log"
    library = compile_shim(NO_SOCKETS, tmp_path)
    return {**os.environ, "LD_PRELOAD": str(library), "SOCKET_LOG": str(log)}, log


def families(log: Path) -> set[str]:
    return {line.split()[1] for line in log.read_text().splitlines()} if log.exists() else set()


def test_the_watch_itself_works(watched: tuple[dict[str, str], Path]) -> None:
    environment, log = watched
    code = "import socket; socket.create_connection(('127.0.0.1', 9))"
    failed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert failed.returncode != 0
    assert str(int(socket.AF_INET)) in families(log)


def test_chat_opens_no_socket_in_either_process(
    watched: tuple[dict[str, str], Path], embedded_model: Path, tmp_path: Path
) -> None:
    environment, log = watched
    code = CHAT.format(model=str(embedded_model), cache=str(tmp_path / "cache"))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert [len(line) > 10 for line in done.stdout.splitlines()] == [True] * 3
    assert families(log) == set()


def test_ask_opens_no_socket(watched: tuple[dict[str, str], Path]) -> None:
    environment, log = watched
    command = [sys.executable, "-m", "tide_chat", "ask", "--seed", "1", "--max-tokens", "12", "It was a long day."]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip()
    assert families(log) == set()
