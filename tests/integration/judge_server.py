"""A judge on this machine: speaks the part of the OpenAI protocol that is used, and can be made to answer badly.

By default it gives a score that follows from the length of the reply, and prefers the longer of two.
"""

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, Self

Answer = Callable[[dict[str, Any]], str]


def by_length(asked: dict[str, Any]) -> str:
    """What a judge with a bias to length says to the body of a request."""
    shown, form = asked["messages"][1]["content"].splitlines()
    material = json.loads(shown)
    if "reply" in material:
        score = max(1, min(5, len(material["reply"].split())))
        return json.dumps(dict.fromkeys(re.findall(r'"(\w+)":number', form), score))
    return json.dumps({"better": "A" if len(material["A"]) > len(material["B"]) else "B"})


class JudgeServer:
    """Use as a context manager. troubles: each is used once, before the usual answers: a text that the model gives, a
    status, bytes in place of a completion, or seconds to wait. refuses: types of response_format, with which status.
    """

    def __init__(
        self,
        answer: Answer = by_length,
        models: tuple[str, ...] = ("big-judge",),
        refuses: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.answer, self.models, self.refuses = answer, models, refuses
        self.asked: list[dict[str, Any]] = []
        self.troubles: deque[str | int | bytes | float] = deque()
        self.ended = threading.Event()
        judge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                models = {"data": [{"id": name} for name in judge.models]}
                judge._send(self, 200 if self.path == "/v1/models" else 404, json.dumps(models).encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path != "/v1/chat/completions":
                    judge._send(self, 404, b"no such path")
                    return
                judge._reply(self, json.loads(body))

            def log_message(self, *_: object) -> None:
                """Not on the test's screen."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _reply(self, handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        self.asked.append(asked)
        kind = asked.get("response_format", {}).get("type", "")
        if status := self.refuses.get(kind):
            said = {"error": {"message": f"body, response_format, type: {kind} is not supported", "type": "invalid"}}
            self._send(handler, status, json.dumps(said).encode())
            return
        trouble = self.troubles.popleft() if self.troubles else None
        if isinstance(trouble, int):
            self._send(handler, trouble, b'{"error": "in trouble"}')
            return
        if isinstance(trouble, bytes):
            self._send(handler, 200, trouble)
            return
        if isinstance(trouble, float):
            self.ended.wait(trouble)
        text = trouble if isinstance(trouble, str) else self.answer(asked)
        completion = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
        self._send(handler, 200, json.dumps(completion).encode())

    def _send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        try:
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(body)))
            if 300 <= status < 400:
                handler.send_header("Location", f"{self.url}/chat/completions")
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:  # the client did not wait
            return
