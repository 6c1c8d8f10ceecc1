"""A judge on this machine: speaks the part of the OpenAI protocol that is used, and can be made to answer badly.

By default it gives a score that follows from the length of the reply, and prefers the longer of two.
"""

import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = Callable[[dict[str, Any]], str]


def by_length(asked: dict[str, Any]) -> str:
    """What a judge with a bias to length says to the body of a request."""
    material = json.loads(asked["messages"][1]["content"])
    if "reply" in material:
        score = max(1, min(5, len(material["reply"].split())))
        return json.dumps(dict.fromkeys(asked["response_format"]["json_schema"]["schema"]["required"], score))
    return json.dumps({"better": "A" if len(material["A"]) > len(material["B"]) else "B"})


class JudgeServer:
    """Use as a context manager. troubles: each is used once, before the usual answers: a text that the model gives, a
    status, bytes in place of a completion, or seconds to wait.
    """

    def __init__(self, answer: Answer = by_length, models: tuple[str, ...] = ("big-judge",)) -> None:
        self.answer, self.models = answer, models
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
