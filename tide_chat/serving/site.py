"""The small web server on this computer: the entrance, the page, its files and its web socket. Runs until it is ended.

Nothing comes from elsewhere and nothing is kept: the page's policy forbids both, and no address is logged, since the
first holds the token.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from aiohttp import web

from tide_chat.errors import UsageError
from tide_chat.serving import process
from tide_chat.serving.door import COOKIE, Door, is_loopback, is_ours, is_own_page
from tide_chat.wording import language, say

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SHUTDOWN_S = 2 * process.GRACE_S + 1
REMOTE = "tide-chat is shown on this computer only."
REFUSED = {
    "host": "This address is not the one that tide-chat printed. Use that one, on the same computer.",
    "token": "This address opens tide-chat once, and it was used already or is not whole. "
    "In the terminal, Ctrl+C ends it; started again, it prints a new address.",
    "cookie": "tide-chat does not know this browser. Use the address that it printed in the terminal.",
    "origin": "Only the page of tide-chat itself may talk to it.",
}
PAGE = {
    "leave": "Leave at once",
    "beside": "or Ctrl+Q. Only on this computer. For a screen reader: {command} in a terminal.",
    "without": "This page needs JavaScript. Without it: {command} in a terminal.",
    "starting": "Starting. This can take some seconds.",
}


def serve(command: Sequence[str], host: str, port: int, say: Callable[[str], None]) -> None:
    """Offer the app on `host` until Ctrl+C; `say` gets the address. command: what starts the app.

    port: 0 takes any that is free. Raises UsageError when others could reach it, or when the port is taken.
    """
    if not is_loopback(host):
        raise UsageError(
            REMOTE,
            details=f"--host {host} could be reached by other machines.",
            help="Without --host it is 127.0.0.1. From elsewhere, use tide-chat through ssh.",
        )
    asyncio.run(_serve(Site(command), host, port, say))


async def _serve(site: "Site", host: str, port: int, say: Callable[[str], None]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    runner = web.AppRunner(site.app(), access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        await _start(runner, host, port)
        bound = runner.addresses[0][1]
        named = f"[{host}]" if ":" in host else host
        say(f"http://{named}:{bound}/?token={site.door.token}")
        await ended.wait()
    finally:
        await runner.cleanup()


async def _start(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise UsageError(
            "The page cannot be offered there.",
            details=f"{host}, port {port}: {error.strerror}",
            help="Another port: --port N; without it, any free one is taken.",
        ) from error


class Site:
    """What is answered, and to whom."""

    def __init__(self, command: Sequence[str]) -> None:
        self.door = Door()
        self._command = command
        self._running: set[process.AppProcess] = set()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        place = self.door.place
        app.router.add_get("/", self._enter, allow_head=False)
        app.router.add_get(place, self._page)
        app.router.add_get(f"{place}ws", self._socket)
        app.router.add_static(f"{place}own", _own())
        app.router.add_static(f"{place}textual", _textual())
        app.on_response_prepare.append(_private)
        app.on_shutdown.append(self._end)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Host, Origin and cookie of every request, whatever it asks for."""
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if not is_ours(host, _port(request)):
            raise _refusal("host")
        if (origin is not None or request.path.endswith("/ws")) and not is_own_page(origin, host):
            raise _refusal("origin")
        if request.path != "/" and not self.door.knows(request.cookies.get(COOKIE, "")):
            raise _refusal("cookie")
        return await handler(request)

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        key = self.door.enter(request.query.get("token", ""))
        if key is None:
            raise _refusal("token")
        answer = web.HTTPSeeOther(self.door.place)  # the token leaves the address line
        answer.set_cookie(COOKIE, key, path=self.door.place, httponly=True, samesite="Strict")
        raise answer

    async def _page(self, request: web.Request) -> web.StreamResponse:
        socket = f"ws://{request.host}{self.door.place}ws"
        words = {name: say(text, command="<code>tide-chat plain</code>") for name, text in PAGE.items()}
        return web.Response(text=_filled("page.html", socket=socket, **words), content_type="text/html")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        return await process.talk(request, self._command, self._running)

    async def _end(self, _app: web.Application) -> None:
        await asyncio.gather(*(one.stop() for one in self._running), return_exceptions=True)


async def _private(request: web.Request, response: web.StreamResponse) -> None:
    """Nothing is kept by the browser, loaded from elsewhere, or shown inside another page."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src data:; "
        f"connect-src ws://{request.host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _refusal(why: str) -> web.HTTPForbidden:
    return web.HTTPForbidden(text=_filled("refused.html", words=say(REFUSED[why])), content_type="text/html")


def _filled(name: str, **words: str) -> str:
    """One of our pages in the language in use."""
    page = Template((_own() / name).read_text(encoding="utf-8"))
    return page.substitute(words, language=language())


def _port(request: web.Request) -> int:
    with contextlib.suppress(AttributeError, TypeError, IndexError):
        return int(request.transport.get_extra_info("sockname")[1])  # type: ignore[union-attr]
    return 0  # the browser has left already


def _own() -> Path:
    return Path(str(files("tide_chat.serving") / "static"))


def _textual() -> Path:
    return Path(str(files("textual_serve") / "static"))
