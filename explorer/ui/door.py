"""The door: what a request must be before Streamlit hears it, and what is added to every answer.

Streamlit answers whoever reaches it: under any name, with its statistics, to every message that a
page of its own never sends, and it keeps whatever it is sent. Here that is bounded.
"""

import asyncio
import base64
import hashlib
import logging
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit
from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import get_instance, runtime_util
from streamlit.web.server.server_util import allow_all_cross_origin_requests, is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from explorer.limits import MAX_PAGES, MAX_UPLOAD_MB, TYPED_MB, UPLOADS_MB
from explorer.ui import login, messages
from explorer.ui.firststyle import FirstStyle

GRACE = 2.0  # seconds from the signal to stop until the process is gone, whatever is under way
SENT_MB = 200  # the largest message to a page: one saved with all its layers takes up to 160
SMALL = 100_000  # bytes; a message up to this size is always heard, so nobody can shut others out
COPIES = 8  # bytes held for one that was sent: it is kept several times, a character in up to four
FILES = 8  # uploads kept of one page: it has four boxes at most
UPLOAD_SECONDS = 300  # how long one upload may take

# What nobody here needs: statistics, an interface for programs, Streamlit's older components.
_CLOSED = re.compile(r"/(_stcore/(metrics|agent|script-health-check)|component)(/|$)")
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")
_PRIVATE = re.compile(r"(?<!/static)/(_stcore/upload_file|media)/")  # only for who is logged in
_HEARD = ("rerun_script", "stop_script", "file_urls_request", "app_heartbeat")
# Files that are made when their button is pressed, and the rows of long tables.
_ANSWERED = ("deferred_file", "dataframe_chunk")
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")


def _inline() -> Iterator[str]:
    """The scripts that stand in the page itself: Streamlit's one line, and our guard."""
    index = Path(streamlit.__file__).parent / "static" / "index.html"
    if index.is_file():
        yield from re.findall(r"<script>(.*?)</script>", index.read_text("utf-8"), re.DOTALL)
    yield (Path(__file__).parent / "guard.js").read_text("utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


_SCRIPTS = " ".join(map(_hash, _inline()))


def _headers(host: str) -> dict[str, str]:
    """What every answer carries: scripts, pictures and connections only from here, no frames."""
    # Not every browser takes the websocket of the same place for 'self'.
    lines = f"ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    policy = {
        "default-src": "'self'",
        # Components come as blobs. Nothing here evaluates a text, but what drives a browser from
        # outside (a test, a reader's own script) waits for a page's state that way.
        "script-src": f"'self' blob: 'unsafe-eval' {_SCRIPTS}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' {lines}",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {said}" for name, said in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",  # a page's address holds the reader's text
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def _is_known(host: str) -> bool:
    """Whether this server goes by a name; a browser cannot be led astray to a loopback name."""
    return is_host_allowed(host) or _LOOPBACK.fullmatch(host) is not None


def _comes_from_here(headers: Headers) -> bool:
    """Whether a page of this server opens a line to it, or a program that is no browser.

    Streamlit would let in every page of this machine, whatever its port; and to know the machine's
    own address it would ask somebody outside, while all readers wait.
    """
    origin = headers.get("origin")
    if origin is None or allow_all_cross_origin_requests() or is_allowed_origin(origin):
        return True
    return origin.partition("://")[2] == headers.get("host")


class Door:
    """Stands before Streamlit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pages = 0  # open now
        self._typed: dict[object, int] = {}  # bytes held of what each page has sent
        self._coming = 0  # bytes of uploads under way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, _with_headers(scope, send))
        elif scope["type"] == "websocket":
            await self._page(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        refusal = None
        if not _is_known(headers.get("host", "")):
            refusal = PlainTextResponse(
                "This server does not go by that name. Whoever runs it lists its names in "
                "STREAMLIT_SERVER_ALLOWED_HOSTS, with spaces between them.",
                403,
            )
        elif _CLOSED.search(path):
            refusal = PlainTextResponse("Not Found", 404)
        elif _PRIVATE.search(path) and not login.is_in(headers):
            refusal = PlainTextResponse("Log in first.", 403)
        elif scope["method"] == "PUT" and (upload := _UPLOAD.search(path)):
            refusal = await self._upload(upload[1], scope, receive, send)
        else:
            await self._app(scope, receive, send)
        if refusal:
            await refusal(scope, receive, send)

    async def _upload(
        self, page: str, scope: Scope, receive: Receive, send: Send
    ) -> PlainTextResponse | None:
        """Take an upload if there is room for it, else say why not."""
        said = Headers(scope=scope).get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,12}", said):
            return PlainTextResponse("Say how long the file is.", 411)
        size = int(said)
        if size > (MAX_UPLOAD_MB + 1) * 2**20:
            return PlainTextResponse("The file is too large.", 413)
        if self._coming + size > UPLOADS_MB * 2**20:
            return PlainTextResponse("Too many uploads are under way. Try again in a while.", 503)
        if not get_instance().is_active_session(page):
            return PlainTextResponse("There is no such page.", 400)
        self._coming += size
        try:
            _make_room(page, size, self._coming)
            async with asyncio.timeout(UPLOAD_SECONDS):
                await self._app(scope, receive, send)
        except TimeoutError:
            pass  # the connection ends without an answer
        finally:
            self._coming -= size
        return None

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page that is open, from its first to its last message."""
        if self._pages >= MAX_PAGES or not _comes_from_here(Headers(scope=scope)):
            await receive()
            await send({"type": "websocket.close", "code": 1013})
            return
        page = object()
        self._pages += 1

        async def hear() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                fault = self._fault(page, message.get("bytes"))
                if fault is None:
                    return message
                if fault:
                    await send({"type": "websocket.close", "code": fault})
                    return {"type": "websocket.disconnect", "code": fault}

        try:
            await self._app(scope, hear, send)
        finally:
            self._pages -= 1
            # Streamlit keeps a page that lost its line for so long, with all that was typed in it.
            kept = config.get_option("server.disconnectedSessionTTL")
            asyncio.get_running_loop().call_later(kept, self._typed.pop, page, None)

    def _fault(self, page: object, data: bytes | None) -> int | None:
        """None for a good message; else the code to end the line with, or 0 to pass over it."""
        if data is None:
            return 1003  # words, where Streamlit speaks in bytes
        if len(data) > SMALL:
            held = max(COPIES * len(data), self._typed.get(page, 0))
            others = sum(self._typed.values()) - self._typed.get(page, 0)
            if others + held > TYPED_MB * 2**20:
                return 1013
            self._typed[page] = held
        try:
            asked = BackMsg.FromString(data)
        except DecodeError:
            return 1002
        if not _is_heard(asked):
            return 0  # such as clear_cache, which would take from all readers what they have
        return 0 if len(asked.file_urls_request.file_names) > FILES else None


def _is_heard(asked: BackMsg) -> bool:
    """Whether a message is one that our own page sends."""
    kind = asked.WhichOneof("type")
    if kind == "backend_operation_request":
        return asked.backend_operation_request.WhichOneof("payload") in _ANSWERED
    return kind in _HEARD


def _make_room(page: str, size: int, coming: int) -> None:
    """Let go of files that were uploaded long ago: a page has read them when they arrived.

    Args:
        page: The page that uploads.
        size: Bytes of the file that is coming.
        coming: Bytes of all that are coming, this one too.
    """
    manager: Any = get_instance().uploaded_file_mgr

    def held(files: dict[str, Any]) -> int:
        return sum(len(file.data) for file in files.values())

    def drop(owner: str) -> None:
        manager.remove_file(owner, next(iter(manager.file_storage[owner])))

    while own := manager.file_storage.get(page):
        if len(own) < FILES and held(own) + size <= 2 * MAX_UPLOAD_MB * 2**20:
            break
        drop(page)
    while full := {name: held(files) for name, files in manager.file_storage.items() if files}:
        if sum(full.values()) + coming <= UPLOADS_MB * 2**20:
            break
        drop(max(full, key=full.__getitem__))


def _with_headers(scope: Scope, send: Send) -> Send:
    said = _headers(Headers(scope=scope).get("host", ""))

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(said)
        await send(message)

    return answer


def failed(error: Exception) -> bool:
    """Say in the app's own words that a callback or a fragment failed; Streamlit then says none."""
    messages.went_wrong(error)
    return True


def _leave_in_time() -> None:
    """End the process soon after it is told to, whatever is being computed or fetched."""

    def leave(number: int, frame: Any) -> None:
        last = threading.Timer(GRACE, os._exit, (128 + number,))
        last.daemon = True
        last.start()
        if callable(before := told[number]):
            before(number, frame)

    told: dict[int, Any] = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    for number in told:
        signal.signal(number, leave)


@asynccontextmanager
async def life(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """What holds from the server's start to its end."""
    # One option bounds messages both ways, and uvicorn has read it; ours to a page are larger.
    runtime_util._max_message_size_bytes = SENT_MB * 10**6
    # It writes what failed with an error's own message, which may quote a text; `failed` does not.
    logging.getLogger("streamlit.error_util").disabled = True
    _leave_in_time()
    yield {}


MIDDLEWARE = [Middleware(Door), Middleware(FirstStyle), Middleware(login.WayBack)]
