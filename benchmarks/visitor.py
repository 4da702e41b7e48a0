"""A reader without a browser: speaks to the app as its page does, through the websocket.

Twenty browsers would measure themselves on a small machine. A visitor asks for pages, types,
presses Run, and asks for layers, with the messages that Streamlit's page sends, and waits for the
bytes that the instrument would paint.
"""

import asyncio
import json
import secrets
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from explorer.instrument.wire.container import read

PATIENCE = 120.0  # seconds after which an answer counts as none


class Visitor:
    """One open page.

    Attributes:
        errors: What went wrong: exceptions on the page, missing answers.
        said: The sentences of trouble on the page, in the order in which they came.
        header: The header of the last payload of the instrument.
    """

    def __init__(self, url: str, browser: str | None = None) -> None:
        """A page in a browser of its own, or in one that has other pages open."""
        token = browser or secrets.token_hex(16)
        self._cookie = {"Cookie": f"_streamlit_xsrf=2|00000000|{token}|1"}
        self._url = url.replace("http://", "ws://") + "_stcore/stream"
        self._page = url
        self._line: ClientConnection | None = None
        self._known: dict[str, ForwardMsg] = {}  # messages that the server sends once only
        self._ids: dict[str, str] = {}  # of widgets, by the key that they end with
        self._fragments: dict[str, str] = {}
        self._timers: dict[str, tuple[float, float]] = {}  # fragment -> seconds, when it is due
        self._query = self._page_hash = self._path = ""
        self._begun = False  # whether the script that is waited for has begun
        self._urls: list[Any] = []
        self.session = ""
        self._boxes: set[tuple[int, ...]] = set()  # places of sentences of trouble
        self.errors: list[str] = []
        self.said: list[str] = []
        self.header: dict[str, Any] = {}

    async def open(self, **query: str) -> None:
        """Open the page, and wait for its first picture."""
        self._line = await connect(self._url, **self._how())
        self._query = urlencode(query)
        await self._send()
        await self._until(lambda: bool(self.header))

    async def open_only(self, path: str, **query: str) -> None:
        """Open another page, and wait for nothing but its first script."""
        self._path = path
        self._line = await connect(self._url, **self._how())
        self._query = urlencode(query)
        await self._send()
        await self._until(lambda: True)

    def _how(self) -> dict[str, Any]:
        """How a page opens its line."""
        return {
            "max_size": None,
            "subprotocols": ["streamlit"],
            "additional_headers": self._cookie,
        }

    async def rerun_soon(self) -> None:
        """Keep a page that is waiting for its work awake, as its own timer does."""
        await asyncio.sleep(0.4)
        await self._tick()

    async def close(self) -> None:
        """Close the page."""
        if self._line:
            await self._line.close()

    async def run(self, text: str) -> float:
        """Type a text and press Run; seconds until its picture is here."""
        old = self.header["id"]
        started = time.perf_counter()
        await self._send(
            {"text": ("string_value", text), "run": ("trigger_value", True)},
        )
        await self._until(lambda: self.header["id"] != old)
        return time.perf_counter() - started

    async def type_and_run(self, text: str) -> None:
        """Type a text and press Run; waits for the script alone, whatever it says."""
        await self._send({"text": ("string_value", text), "run": ("trigger_value", True)})
        await self._until(lambda: True)

    async def choose(self, box: str, option: str) -> None:
        """Choose an option of a list by what it is called, or fill in a line."""
        await self._send({box: ("string_value", option)})
        await self._until(lambda: True)

    async def switch(self, box: str, on: bool) -> None:
        """Turn a switch on or off."""
        await self._send({box: ("bool_value", on)})
        await self._until(lambda: True)

    async def until_told(self, old: str = "") -> None:
        """Keep the page awake until it shows another run than ``old``, or says what is wrong."""
        while self.header.get("id", "") == old and not self.said:
            await self.rerun_soon()
            await self.listen(0.1)

    async def until_there(self, part: str) -> None:
        """Keep the page awake until a part of it is there."""
        while part not in self._ids:
            await self.rerun_soon()
            await self.listen(0.1)

    async def listen(self, seconds: float) -> None:
        """Take in what the server sends for some time."""
        assert self._line is not None
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            with suppress(TimeoutError):
                data = await asyncio.wait_for(self._line.recv(), left)
                message = ForwardMsg()
                message.ParseFromString(data if isinstance(data, bytes) else data.encode())
                self._take(message)
        await self._tick()

    async def look_at(self, layer: int) -> float:
        """Click on a head of another layer; seconds until its weights are here."""
        request = {"trace": self.header["id"], "layer": layer, "group": None, "means": False}
        events = [{"event": "request", "value": request | {"page": None}}]
        started = time.perf_counter()
        trigger = ("json_trigger_value", json.dumps(events))
        self.header["blocks"] = []
        state = ("json_value", "{}")
        await self._send(
            {"instrument": state, "instrument events": trigger}, self._fragments["instrument"]
        )
        await self._until(lambda: any(b.get("layer") == layer for b in self.header["blocks"]))
        return time.perf_counter() - started

    async def send(self, part: str, event: str, value: object) -> None:
        """Let a browser part say something; waits for nothing."""
        events = ("json_trigger_value", json.dumps([{"event": event, "value": value}]))
        await self._send({part: ("json_value", "{}"), f"{part} events": events})

    async def press(self, button: str) -> None:
        """Press a button; waits for nothing."""
        await self._send({button: ("trigger_value", True)})

    async def upload(self, box: str, name: str, data: bytes) -> int:
        """Put a file into a box for files; the answer's number."""
        status, urls = await self.put(name, data)
        info = FileUploaderState()
        file = info.uploaded_file_info.add()
        file.file_id, file.name, file.size = urls.file_id, name, len(data)
        file.file_urls.CopyFrom(urls)
        await self._send({box: ("file_uploader_state_value", info)})
        await self._until(lambda: True)
        return status

    async def put(self, name: str, data: bytes) -> tuple[int, Any]:
        """Send a file without putting it into a box; the answer's number, and where it is."""
        message = BackMsg()
        message.file_urls_request.request_id = "1"
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session
        assert self._line is not None
        await self._line.send(message.SerializeToString())
        await self._until(lambda: True, ends="file_urls_response")
        [urls] = self._urls
        path = urls.upload_url.removeprefix("/")
        status = await asyncio.to_thread(_put, self._page + path, name, data, self._cookie)
        return status, urls

    async def rerun(self) -> float:
        """Ask for the page once more; seconds until it is done."""
        started = time.perf_counter()
        await self._send()
        await self._until(lambda: True)
        return time.perf_counter() - started

    async def _send(
        self, values: dict[str, tuple[str, Any]] | None = None, fragment: str = ""
    ) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._query
        state.fragment_id = fragment
        state.page_script_hash = self._page_hash
        state.page_name = self._path
        state.context_info.url = self._page
        for key, (kind, value) in (values or {}).items():
            widget = state.widget_states.widgets.add()
            widget.id = self._ids[key]
            if isinstance(value, FileUploaderState):
                widget.file_uploader_state_value.CopyFrom(value)
            else:
                setattr(widget, kind, value)
        state.cached_message_hashes.extend(self._known)
        assert self._line is not None
        await self._line.send(message.SerializeToString())

    async def _until(self, done: Any, ends: str = "script_finished") -> None:
        """Read until a script ends, or another message comes, while something is true."""
        end = time.monotonic() + PATIENCE
        self._begun = ended = False
        assert self._line is not None
        while not ended:
            wait = min(end, *(due for _, due in self._timers.values()), end) - time.monotonic()
            try:
                data = await asyncio.wait_for(self._line.recv(), max(wait, 0.01))
            except TimeoutError:
                if time.monotonic() >= end:
                    self.errors.append("no answer")
                    raise
                await self._tick()
                continue
            message = ForwardMsg()
            message.ParseFromString(data if isinstance(data, bytes) else data.encode())
            taken = self._take(message)
            ended = (taken or message.WhichOneof("type") == ends != "script_finished") and done()

    async def _tick(self) -> None:
        """Ask for the fragments whose time has come, as the page does."""
        now = time.monotonic()
        for fragment, (every, due) in list(self._timers.items()):
            if due <= now:
                self._timers[fragment] = (every, now + every)
                await self._send(fragment=fragment)

    def _take(self, message: ForwardMsg) -> bool:
        """Note what a message brings; whether it says that a script has ended."""
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            message = self._known[message.ref_hash]
            kind = message.WhichOneof("type")
        elif message.metadata.cacheable:
            self._known[message.hash] = message
        if kind == "script_finished":
            return self._begun
        if kind == "file_urls_response":
            self._urls = list(message.file_urls_response.file_urls)
        if kind == "new_session":
            self._begun = True
            self.session = message.new_session.initialize.session_id
            self._page_hash = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self._timers = {}  # the whole page names anew what it wants asked again
        elif kind == "auto_rerun":
            every = message.auto_rerun.interval
            self._timers[message.auto_rerun.fragment_id] = (every, time.monotonic() + every)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._timers.pop(fragment, None)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._take_element(message)
        elif kind == "delta" and message.delta.WhichOneof("type") == "add_block":
            told = "note_trouble" in message.delta.add_block.id
            place = tuple(message.metadata.delta_path)
            (self._boxes.add if told else self._boxes.discard)(place)
        return False

    def _take_element(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        part = getattr(element, kind) if kind else None
        name = getattr(part, "id", "")
        if kind == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        if kind == "text" and tuple(message.metadata.delta_path)[:-1] in self._boxes:
            self.said.append(element.text.body)
        if not name:
            return
        key = name.rpartition("-")[2]
        self._ids[key] = name
        self._fragments[key] = message.delta.fragment_id
        if kind == "bidi_component":
            self._ids[f"{key} events"] = f"$$STREAMLIT_INTERNAL_KEY_{name}__events"
            if key not in ("instrument", "training"):  # others begin with something else
                return
            data = element.bidi_component.bytes
            self.header = read(data)[0]


def _put(url: str, name: str, data: bytes, cookie: dict[str, str]) -> int:
    """Send a file as the page does; the answer's number."""
    end = secrets.token_hex(16)
    head = f'--{end}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
    token = cookie["Cookie"].partition("=")[2]
    request = urllib.request.Request(
        url,
        head.encode() + data + f"\r\n--{end}--\r\n".encode(),
        {
            "Content-Type": f"multipart/form-data; boundary={end}",
            "X-Xsrftoken": token,
            **cookie,
        },
        method="PUT",
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
