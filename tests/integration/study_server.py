"""A study, its server as its own process, and a rater without a browser: real HTTP from an address of its own."""

import html
import http.client
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from training.evaluation import replies
from training.evaluation.replies import Reply
from training.evaluation.study import draw, make
from training.evaluation.study.store import FILE

# Names that occur in no text of ours.
MODELS = ("zebrafinch-3b", "walrus-1b", "okapi-2b", "narwhal-7b")
SAID = {
    "panic": "I left my cart in the middle of the store today. My chest went tight and everyone was looking.",
    "grief": "Four months, and I am still furious at everyone who gets to keep theirs.",
    "noise": "The neighbours set off fireworks, and I was under the table before I knew it.",
    "drink": "Two glasses to sleep, then four. I know what it is. I do it all the same.",
}


def some_replies(scenarios: int, models: int, dialogues: int = 2) -> list[Reply]:
    """Every model, zero-shot and fine-tuned, for each dialogue."""
    return [
        Reply(
            f"{name}-{dialogue}/0",
            model,
            state,
            (f"{said} ({dialogue})",),
            f"That sounds like a lot to carry, and it makes sense. What helped before? [{number}{state}]",
            f"Being looked at when your body takes over is a fear of its own. What would be kind tonight? [{dialogue}]",
            name,
        )
        for name, said in list(SAID.items())[:scenarios]
        for dialogue in range(dialogues)
        for number, model in enumerate(MODELS[:models])
        for state in replies.STATES
    ]


def make_study(folder: Path, scenarios: int = 2, models: int = 2) -> Path:
    """Two models a block. Returns the study's folder."""
    file = folder / "replies.jsonl"
    replies.write(file, some_replies(scenarios, models))
    pairs = tuple(MODELS[i : i + 2] for i in range(0, models, 2))
    shown = make.Shown("How empathetic are these replies?", "Ask Robin, robin@example.org.", "US")
    make.make([file], draw.Wanted(pairs, seed=7), shown, folder / "study")
    return folder / "study"


def rows(study: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What the study's file of ratings answers."""
    with closing(sqlite3.connect(study / FILE)) as connection:
        return connection.execute(query, values).fetchall()


class Served:
    """Use as a context manager: ends the process with Ctrl+C's signal."""

    def __init__(self, study: Path, *options: str) -> None:
        code = "import sys; from training.evaluation import cli; sys.exit(cli.main())"
        command = [sys.executable, "-c", code, "study", "serve", str(study), "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.said = ""
        assert self.process.stderr
        for line in self.process.stderr:
            self.said += line
            if "Ctrl+C" in line:
                break
        found = re.search(r"http://\S+/", self.said)
        if not found:
            self.process.kill()
            self._end()
        assert found, self.said
        self.address = found[0]

    def kill(self) -> None:
        """As kill -9: nothing is tidied up."""
        self.process.send_signal(signal.SIGKILL)
        self._end()

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.interrupt()

    def _end(self) -> int:
        assert self.process.stderr
        self.said += self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(timeout=30)


@dataclass
class Visitor:
    """source: the address it comes from; all of 127.0.0.0/8 is this machine."""

    address: str
    source: str = "127.0.0.1"
    cookie: str = ""
    path: str = ""  # of the page that was read last
    status: int = 0
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)  # of the answer
    also: dict[str, str] = field(default_factory=dict)  # headers to send
    code: str = ""

    def get(self, path: str) -> Self:
        return self.ask("GET", path)

    def post(self, path: str, **fields: str) -> Self:
        """With the token of the page that was read last."""
        return self.ask("POST", path, {"csrf_token": self.hidden("csrf_token")} | fields)

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> Self:
        self.once(method, path, form)
        while self.status == 303:
            self.once("GET", self.headers["Location"])
        return self

    def once(self, method: str, path: str, form: dict[str, str] | None = None) -> Self:
        """Follows no redirect."""
        place = urlsplit(self.address)
        assert place.hostname
        connection = http.client.HTTPConnection(place.hostname, place.port, 30, source_address=(self.source, 0))
        headers = self.also | ({"Cookie": self.cookie} if self.cookie else {})
        body = None
        if form is not None:
            body, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            self.text, self.status, self.path = answer.read().decode(), answer.status, path
        finally:
            connection.close()
        self.headers = dict(answer.getheaders())
        if "Set-Cookie" in self.headers:
            self.cookie = "; ".join(f"{k}={v.value}" for k, v in SimpleCookie(self.headers["Set-Cookie"]).items())
        return self

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        return html.unescape(found[1]) if found else ""

    def begin(self) -> Self:
        """To the first page with replies. The code is kept in `code`."""
        self.get("/").post("/", agree="yes")
        self.code = self.code_shown()
        return self.get("/go-on")

    def code_shown(self) -> str:
        found = re.search(r'class="code"[^>]*>([^<]*)<', self.text)
        assert found, self.text
        return found[1]

    def marks(self, mark: int = 4) -> dict[str, str]:
        """For all replies of the page that was read last; the attention check is passed."""
        count = len(re.findall("<fieldset", self.text))
        values = [2] if count == 1 else [mark] * count
        return {"shown": self.hidden("shown")} | {f"reply-{i}": str(value) for i, value in enumerate(values, 1)}

    def rate(self, mark: int = 4) -> Self:
        """The page that was read last."""
        return self.post(self.path, **self.marks(mark))
