"""Who may come in: one browser, on this computer, that brought the one-time token. Knows HTTP headers and no server.

The page has a place of its own, a random path. The cookie belongs to that path, so that the browser shows it to no
other program on this computer: cookies know no ports.
"""

import secrets

COOKIE = "tide-chat"
_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Door:
    """Opens once. The token stands in the printed address, the key goes into the cookie of the browser that used it."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self.place = f"/{secrets.token_hex(8)}/"
        self._key = secrets.token_urlsafe(32)
        self._open = True

    def enter(self, token: str) -> str | None:
        """The key, the first time that the right token is brought."""
        right = secrets.compare_digest(_bytes(token), _bytes(self.token))
        if not right or not self._open:
            return None
        self._open = False
        return self._key

    def knows(self, key: str) -> bool:
        return secrets.compare_digest(_bytes(key), _bytes(self._key))


def _bytes(text: str) -> bytes:
    """Of a header, which may hold any byte."""
    return text.encode(errors="surrogatepass")


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach it, by a name that a browser may then call it."""
    return host in ("127.0.0.1", "localhost", "::1")


def is_ours(host: str, port: int) -> bool:
    """A Host header that names this computer and this port: a page elsewhere that points its own name here does not."""
    names = (*_NAMES, *(f"{name}:{port}" for name in _NAMES)) if port == 80 else (f"{name}:{port}" for name in _NAMES)
    return host.lower() in names


def is_own_page(origin: str | None, host: str) -> bool:
    """An Origin header of the page itself. A browser sends one with each web socket, so none is none of ours."""
    return origin is not None and origin.lower() == f"http://{host.lower()}"
