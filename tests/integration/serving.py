"""`tide-chat serve` as its own process, and what a page of it shows: the bytes of its terminal, read as words."""

import os
import re
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Page, WebSocket

_ESCAPES = re.compile(r"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[()][0-9A-Z]|\x1b[^\[]")
PATIENCE_S = 100.0  # other work on the machine may slow all of this down


class Serving:
    """Use as a context manager: ends the process with Ctrl+C's signal."""

    def __init__(self, home: Path, *options: str) -> None:
        command = [sys.executable, "-m", "tide_chat", "serve", "--country", "US", *options]
        environment = os.environ | {"TIDE_CHAT_HOME": str(home)}
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self.process.stdout
        self.said = ""
        while "http://" not in self.said and (line := self.process.stdout.readline()):
            self.said += line
        found = re.search(r"http://\S+", self.said)
        assert found, self.said
        self.address = found[0]
        self.host = urlsplit(self.address).netloc

    def ask(self, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers of one answer. A header named `Host` replaces the true one."""
        place = urlsplit(self.address)
        assert place.hostname
        connection = HTTPConnection(place.hostname, place.port, timeout=PATIENCE_S)
        try:
            connection.putrequest("GET", path, skip_host=True)
            for name, value in ({"Host": self.host} | headers).items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read().decode() if answer.status != 101 else "", dict(answer.getheaders())
        finally:
            connection.close()

    def apps(self) -> list[psutil.Process]:
        """The app processes now."""
        return psutil.Process(self.process.pid).children()

    def until_apps(self, count: int) -> None:
        end = time.monotonic() + PATIENCE_S
        while len(self.apps()) != count:
            assert time.monotonic() < end, self.apps()
            time.sleep(0.05)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout
        self.said += self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.interrupt()


class Shown:
    """What the app wrote to the page so far, without colours and movements."""

    def __init__(self, page: Page) -> None:
        self._page, self._bytes = page, b""
        self._from = 0  # where what was not waited for yet begins
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._keep)

    def _keep(self, frame: str | bytes) -> None:
        self._bytes += frame if isinstance(frame, bytes) else b""

    @property
    def words(self) -> str:
        return " ".join(_ESCAPES.sub(" ", self._bytes.decode(errors="replace")).split())

    def until(self, words: str) -> None:
        """Wait for `words`, after what was waited for before."""
        end = time.monotonic() + PATIENCE_S
        while (at := self.words.find(words, self._from)) < 0:
            assert time.monotonic() < end, f"{words!r} was not shown; shown was: {self.words[-3000:]}"
            self._page.wait_for_timeout(50)
        self._from = at + len(words)
