"""A hub on this machine: speaks the part of the protocol that a download uses, keeps a log, and can be made to fail.

Two servers, as in reality: the hub answers HEAD and GET of /<repo>/resolve/<revision>/<file> with a redirect to a store
on another origin, which serves the bytes and understands Range. GET of /api/models/<repo> lists a repository's files.
A dataset is the same under /datasets/<repo> and /api/datasets/<repo>, and its key here begins with "datasets/". A gated
repository says what it has to everyone, and gives files only to a token that was let in.
"""

import hashlib
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

COMMIT = "c0ffee" + "0" * 34
_PIECE = 16 * 1024


@dataclass
class Request:
    """What was asked, logged before it is answered, and how many bytes of the file were sent."""

    server: str  # "hub" or "store"
    method: str
    path: str
    range: str | None
    authorization: str | None
    user_agent: str
    sent: int = 0


@dataclass(frozen=True)
class Trouble:
    """An answer that is not the right one. Each is used once."""

    status: int = 0  # 0: answer as usual, but see below
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None  # bytes, then the connection is closed
    stall: bool = False  # with cut_after: then nothing comes and the connection stays, until the server ends
    on: str = "store"  # which server
    method: str = "GET"


class HubServer:
    """Use as a context manager. `endpoint` is what HF_ENDPOINT must be."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}  # "owner/name/file" -> bytes
        self.stored: dict[str, bytes] = {}  # sha256 -> bytes the store really sends
        self.log: list[Request] = []
        self.troubles: deque[Trouble] = deque()
        self.ignore_range = False
        self.ended = threading.Event()
        self.etag: str | None = None  # replaces the checksum the hub gives
        self.gated: dict[str, set[str]] = {}  # "owner/name" or "datasets/owner/name" -> the tokens that were let in
        self._servers = {name: self._serve(name) for name in ("hub", "store")}

    def add(self, repo: str, file: str, data: bytes) -> str:
        """Offer a file; its sha256. repo: "owner/name", of a dataset "datasets/owner/name"."""
        digest = hashlib.sha256(data).hexdigest()
        self.files[f"{repo}/{file}"] = data
        self.stored[digest] = data
        return digest

    def url(self, server: str) -> str:
        return f"http://127.0.0.1:{self._servers[server].server_address[1]}"

    @property
    def endpoint(self) -> str:
        return self.url("hub")

    def sent(self) -> list[Request]:
        """The answers that carried bytes of a file."""
        return [request for request in self.log if request.server == "store" and request.method == "GET"]

    def __enter__(self) -> Self:
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def _serve(self, name: str) -> ThreadingHTTPServer:
        hub = self

        class Handler(_Handler):
            owner = hub
            server_label = name

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        return server


class _Handler(BaseHTTPRequestHandler):
    owner: HubServer
    server_label: str
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the log that counts is the owner's."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        trouble = self._trouble()
        request = Request(
            self.server_label,
            self.command,
            self.path,
            self.headers.get("Range"),
            self.headers.get("Authorization"),
            self.headers.get("User-Agent", ""),
        )
        self.owner.log.append(request)
        if trouble and trouble.status:
            self._status(trouble.status, trouble.headers)
        elif self.path.startswith(("/api/models/", "/api/datasets/")):
            self._describe()
        elif self.server_label == "hub":
            self._redirect()
        else:
            self._send(request, trouble or Trouble())

    def _trouble(self) -> Trouble | None:
        waiting = self.owner.troubles
        if waiting and (waiting[0].on, waiting[0].method) == (self.server_label, self.command):
            return waiting.popleft()
        return None

    def _status(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _describe(self) -> None:
        """What a snapshot asks first: the commit of a revision, and the tree of its files."""
        asked = self.path.removeprefix("/api/").removeprefix("models/").partition("?")[0]
        repo = "/".join(asked.split("/")[: 3 if asked.startswith("datasets/") else 2])
        files = {
            key.removeprefix(repo + "/"): data for key, data in self.owner.files.items() if key.startswith(repo + "/")
        }
        if not files:
            self._status(404, {"X-Error-Code": "RepoNotFound"})
            return
        tree = [{"type": "file", "path": name, "size": len(data), "oid": "0" * 40} for name, data in files.items()]
        name = repo.removeprefix("datasets/")
        info = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]}
        body = json.dumps(tree if "/tree/" in asked else info).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _redirect(self) -> None:
        owner_name, _, rest = self.path.partition("/resolve/")
        file = rest.partition("/")[2]
        let_in = self.owner.gated.get(owner_name.strip("/"))
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if let_in is not None and token not in let_in:
            self._status(403 if token else 401, {"X-Error-Code": "GatedRepo"})
            return
        data = self.owner.files.get(f"{owner_name.strip('/')}/{file}")
        if data is None:
            known = any(key.startswith(owner_name.strip("/") + "/") for key in self.owner.files)
            self._status(404, {"X-Error-Code": "EntryNotFound" if known else "RepoNotFound"})
            return
        digest = hashlib.sha256(data).hexdigest()
        headers = {
            "Location": f"{self.owner.url('store')}/{digest}?X-Signature=1",
            "X-Repo-Commit": COMMIT,
            "X-Linked-Size": str(len(data)),
            "X-Linked-Etag": f'"{self.owner.etag or digest}"',
            "ETag": '"not-the-checksum"',
        }
        self._status(302, headers)

    def _send(self, request: Request, trouble: Trouble) -> None:
        data = self.owner.stored[self.path.strip("/").partition("?")[0]]
        start = 0
        asked = self.headers.get("Range")
        if asked and not self.owner.ignore_range:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        cut = trouble.cut_after
        end = len(data) if cut is None else min(len(data), start + cut)
        self.close_connection = cut is not None
        try:
            for position in range(start, end, _PIECE):
                piece = data[position : min(position + _PIECE, end)]
                request.sent += len(piece)
                self.wfile.write(piece)
            self.wfile.flush()
            if trouble.stall:
                self.owner.ended.wait()
        except OSError:  # the client went away
            self.close_connection = True
