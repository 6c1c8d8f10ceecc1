"""One app process behind one page, and the words between the two. Knows nothing of who may come in.

textual-serve carries the terminal's bytes. What differs here: the shell that starts the process is replaced by it, what
it writes to standard error goes nowhere (it could hold what was said), and when it ends, so does the page.
"""

import asyncio
import contextlib
import json
import shlex
from collections.abc import Sequence
from typing import Any

from aiohttp import WSMessage, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

GRACE_S = 3.0  # for the app to end by itself, before it is killed
HEARTBEAT_S = 15.0  # between two questions whether the browser is still there
_LARGEST = 4 * 1024 * 1024  # bytes of a message from the page; a paste is one


class AppProcess(AppService):
    """The app, and the web socket that it speaks through."""

    def __init__(self, command: Sequence[str], socket: web.WebSocketResponse) -> None:
        super().__init__(
            f"exec {shlex.join(command)} 2>/dev/null",  # textual-serve asks for a line of a shell
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=self._close_page,
            download_manager=DownloadManager(),
        )
        self._socket = socket

    async def _close_page(self) -> None:
        await self._socket.close()

    async def run(self) -> None:
        """Until the app's process has ended; the page ends with it, however that came."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def on_meta(self, data: bytes) -> None:
        """Only the end. The app opens no address and delivers no file through the browser."""
        if json.loads(data).get("type") == "exit":
            await super().on_meta(data)

    async def stop(self) -> None:
        """End the process: asked first, then killed."""
        process = self._process
        if process is None:
            return
        try:
            await asyncio.wait_for(super().stop(), GRACE_S)
            await asyncio.wait_for(process.wait(), GRACE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def talk(request: web.Request, command: Sequence[str], running: set[AppProcess]) -> web.WebSocketResponse:
    """Start the app for this page and carry what is typed, until one of the two ends."""
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=_LARGEST)
    await socket.prepare(request)
    process = AppProcess(command, socket)
    running.add(process)
    try:
        await process.start(_number(request, "width", 80), _number(request, "height", 24))
        async for message in socket:
            await _pass_on(message, process, socket)
    finally:
        running.discard(process)
        await process.stop()
    return socket


def _number(request: web.Request, name: str, otherwise: int) -> int:
    given = request.query.get(name, "")
    return int(given) if given.isdecimal() and len(given) <= 4 else otherwise


async def _pass_on(message: WSMessage, process: AppProcess, socket: web.WebSocketResponse) -> None:
    """The messages of textual-serve's page. Others are left alone."""
    said: Any = None
    if message.type is WSMsgType.TEXT:
        with contextlib.suppress(ValueError):
            said = message.json()
    match said:
        case ["stdin", str(typed)]:
            await process.send_bytes(typed.encode(errors="replace"))  # half a character can come
        case ["resize", {"width": int(width), "height": int(height)}]:
            await process.set_terminal_size(width, height)
        case ["ping", sent]:
            await socket.send_json(["pong", sent])
        case ["focus"]:
            await process.focus()
        case ["blur"]:
            await process.blur()
