"""The frame's style in the page itself, so that nothing jumps when Streamlit brings it later.

Streamlit draws before the first style of an app is there: in another width, under a higher header,
with inputs that are to be folded. The same style comes again by `frame.main`, behind Streamlit's
own, which then no longer wins over its shorter selectors.
"""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STYLE = (Path(__file__).parent / "frame.css").read_text("utf-8")
_END = b"</head>"
_OF_A_FILE = ("etag", "last-modified", "accept-ranges")  # of Streamlit's file, which this is not


class FirstStyle:
    """Puts the style into the head of every page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            await self._app(scope, receive, _Styled(send).answer)
        else:
            await self._app(scope, receive, send)


class _Styled:
    """One answer: if it is a page, it is held back until it is whole."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None  # of a page; None for anything else
        self._page = b""

    async def answer(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start:
            self._page += message.get("body", b"")
            if not message.get("more_body"):
                await self._whole(self._start)
        else:
            await self._send(message)

    async def _whole(self, start: Message) -> None:
        page = self._page.replace(_END, b"<style>%b</style>%b" % (STYLE.encode(), _END), 1)
        headers = MutableHeaders(scope=start)
        for name in _OF_A_FILE:
            del headers[name]
        headers["content-length"] = str(len(page))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": page})


def _is_page(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    kind, packed = headers.get("content-type", ""), "content-encoding" in headers
    return start["status"] == 200 and kind.startswith("text/html") and not packed
