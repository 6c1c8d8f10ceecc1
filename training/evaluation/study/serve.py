"""Runs the study's pages on this machine until Ctrl+C. Knows no page.

Loopback unless the network is asked for in so many words; behind a reverse proxy its forwarded headers are believed,
and only from this machine.
"""

import contextlib
import ipaddress
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tide_chat.errors import TideError, UsageError
from training.evaluation.study import design
from training.evaluation.study.store import Store

if TYPE_CHECKING:
    from flask import Flask

SECRET_FILE = "secret"
LOOPBACK_NAMES = ("localhost", "127.0.0.1")
THREADS = 8
_WAITING = 1024  # connections
# Bytes. The application takes less, and says so in a page of its own.
_MOST_BODY, _MOST_HEADER = 256 * 1024, 16 * 1024
OPEN = (
    "Open to the network: whoever reaches this machine can open the pages, and nothing is encrypted on the way.\n"
    "Codes and answers can be read by others in the same network. Better: a reverse proxy with TLS, and --proxied-as."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pages are. proxied_as: the public name under which a reverse proxy on this machine offers them."""

    host: str = "127.0.0.1"
    port: int = 8300
    proxied_as: str = ""
    open_to_network: bool = False

    def __post_init__(self) -> None:
        if not is_loopback(self.host) and not self.open_to_network:
            raise UsageError(
                "This address can be reached by other machines.",
                details=f"--host {self.host}",
                help="If that is what you want, add --open-to-network.",
            )

    @property
    def trusted(self) -> list[str] | None:
        """Host headers that are answered, so that no page elsewhere can point its own name here. None: any."""
        if self.proxied_as:
            return [self.proxied_as, *LOOPBACK_NAMES]
        # Werkzeug matches no IPv6 address.
        return [self.host, *LOOPBACK_NAMES] if is_loopback(self.host) and ":" not in self.host else None


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(folder: Path, place: Place, say: Callable[[str], object]) -> None:
    """Returns after Ctrl+C. Raises DataError, UsageError when the address is taken."""
    from training.evaluation.study.web import create_app

    study, fingerprint = design.read(folder), design.fingerprint(folder)
    with contextlib.closing(_bound(place)) as bound, Store(folder, fingerprint) as store:
        app = create_app(study, store, secret(folder), trusted_hosts=place.trusted, https=bool(place.proxied_as))
        server = _server(app, bound, place)
        if place.open_to_network and not is_loopback(place.host):
            say(OPEN)
        address = _address(bound.getsockname()[1], place)
        say(f"{study.title}\n{address}\nAnswers go to {folder}. Ctrl+C ends this; no answer is lost.")
        server.run()
        server.close()
        raters, ratings = store.everything()
        done = f"{len(raters)} raters, {len(ratings)} ratings"
        say(f"Stopped: {done}. Next: tide-eval study export {folder} --out FOLDER")


def secret(folder: Path) -> str:
    """The key that signs cookies and forms; made once, readable for the owner only."""
    path = folder / SECRET_FILE
    try:
        with contextlib.suppress(FileExistsError), os.fdopen(os.open(path, _NEW, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        path.chmod(0o600)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TideError("The study's key cannot be used.", details=f"{path}: {error}") from error
    if len(key) < 64:
        raise TideError("The study's key is damaged.", details=str(path), help="Delete it; raters come back by code.")
    return key


_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY


def _bound(place: Place) -> socket.socket:
    """Here and not in waitress, which leaves threads and sockets behind when the address is taken."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family, backlog=_WAITING)
    except OSError as error:
        raise UsageError(
            "The pages cannot be offered there.",
            details=f"{place.host}, port {place.port}: {error.strerror}",
            help="Another port: --port N; 0 takes any that is free.",
        ) from error


def _server(app: "Flask", bound: socket.socket, place: Place) -> Any:
    from waitress import create_server  # type: ignore[import-untyped]

    proxy = {
        "trusted_proxy": "127.0.0.1",
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
        "clear_untrusted_proxy_headers": True,
    }
    return create_server(
        app,
        sockets=[bound],
        threads=THREADS,
        ident=None,
        max_request_body_size=_MOST_BODY,
        max_request_header_size=_MOST_HEADER,
        channel_timeout=60,
        **(proxy if place.proxied_as else {}),
    )


def _address(port: int, place: Place) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    local = f"http://{host}:{port}/"
    return f"https://{place.proxied_as}/, which the proxy has to pass on to {local}" if place.proxied_as else local
