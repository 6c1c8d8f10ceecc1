"""A judge behind an OpenAI-compatible address (`/chat/completions`, held to a form by one of its `ways`).

Replies are about people, so by default only this machine and private networks are asked. No proxy is used and no
redirect is followed: either would take the texts elsewhere.
"""

import http.client
import ipaddress
import json
import socket
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tide_chat.errors import TideError, UsageError
from training.evaluation.judge import ways
from training.evaluation.judge.judges import MAX_TOKENS, TEMPERATURE, Unanswered
from training.evaluation.judge.rubric import Question

_LARGEST = 1_000_000  # bytes of an answer
_SHOWN = 300  # bytes of an error
_LATER = (408, 429)  # beside 5xx: worth asking again


class Address:
    """A Judge. timeout: seconds without a byte. Raises UsageError for an address that it does not ask."""

    def __init__(self, url: str, model: str | None, *, remote: bool = False, timeout: float = 120) -> None:
        self._url, self._timeout = _parsed(url), timeout
        if not remote:
            _check_near(self._url)
        self._way = ways.SCHEMA
        self._answered = False
        self._model = model or self._only_model()

    @property
    def names(self) -> tuple[str, ...]:
        return (self._model,)

    @property
    def about(self) -> dict[str, Any]:
        return {"engine": "address", "url": self._url.geturl(), "model": self._model, "temperature": TEMPERATURE}

    @property
    def held(self) -> str | None:
        return self._way if self._answered else None

    def ask(self, question: Question, seed: int) -> str:
        """In the firmest way that the server takes."""
        try:
            answer = self._json("POST", "/chat/completions", self._body(question, seed))
        except _WayRefused:
            self._way = ways.weaker(self._way) or self._way
            return self.ask(question, seed)
        self._answered = True
        return _text(answer)

    def _body(self, question: Question, seed: int) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": [{"role": role, "content": content} for role, content in question.messages],
            "temperature": TEMPERATURE,
            "max_tokens": MAX_TOKENS,
            "seed": seed,
            **ways.asked(self._way, question.schema),
        }

    def _only_model(self) -> str:
        try:
            names = [str(one["id"]) for one in self._json("GET", "/models")["data"]]
        except (TypeError, KeyError):
            names = []
        if len(names) != 1:
            there = ", ".join(names[:10]) or "The address does not say which models it has."
            raise UsageError("Which model is to judge?", details=there, help="Name it: --judge NAME")
        return names[0]

    def _json(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """None for what is not JSON. Raises Unanswered, and TideError when the address refuses."""
        try:
            content = self._request(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            raise self._unanswered(_said(error)) from error
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            return None

    def _unanswered(self, why: str) -> Unanswered:
        details = f"{self._url.geturl()}: {why}"
        what_to_do = "Is its server running? The same command goes on where it stopped."
        return Unanswered("The judge does not answer.", details=details, help=what_to_do)

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> bytes:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=self._timeout)
        try:
            data = json.dumps(body).encode() if body else None
            connection.request(method, self._url.path + path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read(_LARGEST)
        finally:
            connection.close()
        self._check(path, answer.status, content)
        return content

    def _check(self, path: str, status: int, content: bytes) -> None:
        """Raises Unanswered where asking again may help, _WayRefused where asking otherwise may, else TideError."""
        if status == 200:
            return
        said = f"status {status}. {content[:_SHOWN].decode(errors='replace')}".strip()
        untried = not self._answered and status not in _LATER  # a way that was taken once is known to be
        if untried and ways.weaker(self._way) and ways.refused(status, content):
            raise _WayRefused(said)
        if status >= 500 or status in _LATER:
            raise self._unanswered(said)
        raise TideError(
            "The judge refuses.",
            details=f"{self._url.geturl()}{path}: {said}",
            help="--url is the part before /chat/completions, as http://127.0.0.1:8080/v1",
        )


class _WayRefused(TideError):
    """The server does not know this way to hold an answer to its form."""


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time (--timeout)"
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _text(answer: Any) -> str:
    """An answer without a text is a bad answer, which is counted: the empty text."""
    try:
        return str(answer["choices"][0]["message"]["content"] or "")
    except (KeyError, IndexError, TypeError):
        return ""


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.rstrip("/"))
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable or parts.username or parts.query or parts.fragment:
        raise UsageError("This is not an address of a judge.", details=url, help="As --url http://127.0.0.1:8080/v1")
    return parts


def _check_near(url: SplitResult) -> None:
    """Raises UsageError unless every address of the host is this machine's or a private one."""
    host = url.hostname or ""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, url.port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise TideError("The judge's host is not known.", details=f"{host}: {error}") from error
    far = sorted(one for one in found if not ipaddress.ip_address(one.partition("%")[0]).is_private)
    if far:
        raise UsageError(
            "The judge is not on this machine or a private network.",
            details=f"{host} is {far[0]}",
            help="Replies would leave your network. --remote-i-know sends them all the same.",
        )
