"""Questions to the hub: how long it is waited for, where it may send us, how long it may answer."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

# So slow a line would need six weeks for a BERT: it is a hub that holds us. A slow one that means
# well brings a thousand.
_BYTES_A_SECOND = 100
_ANSWERS = 4  # as many in the time for which silence is borne are no silence, however short
_REDIRECTS = 5
# To connect, read, write and be given a connection, in seconds. They are for one step each, so only
# the first is of use; `Patience` ends what takes too long.
_TIMEOUTS = (20, 3600, 3600, 3600)
_TALLY = threading.Lock()


class RefusalError(Exception):
    """A download that must not, or cannot, be done; its text is the kind of trouble."""


def report(**said: Any) -> None:
    """Tell the process that waits, in one piece: two threads speak."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


class Patience:
    """How long the hub is still waited for: time takes it away, bytes and answers give it back.

    So a slow line lasts, while a hub that sends a byte now and then, wherever in its answers, is
    given up about as soon as a silent one.
    """

    def __init__(self, seconds: float) -> None:
        self._most = self._left = seconds
        self._at = self._since = time.monotonic()
        self._bytes = 0
        self._is_aside = False

    def got(self, count: int) -> None:
        """Bytes of an answer have come."""
        self._win(count / _BYTES_A_SECOND, count)

    def answered(self) -> None:
        """An answer has begun."""
        self._win(self._most / _ANSWERS, 0)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Do something that the hub is not to blame for, however long it takes."""
        with _TALLY:
            self._tick()
            self._is_aside = True
        try:
            yield
        finally:
            with _TALLY:
                self._tick()
                self._is_aside = False

    def _win(self, seconds: float, count: int) -> None:
        with _TALLY:
            self._tick()
            self._bytes += count
            self._left = min(self._left + seconds, self._most)
            if self._left == self._most:
                self._since, self._bytes = self._at, 0

    def _tick(self) -> float:
        now = time.monotonic()
        if not self._is_aside:
            self._left -= now - self._at
        self._at = now
        return self._left

    def left(self) -> float:
        """Seconds of silence that are still borne."""
        with _TALLY:
            return self._tick()

    def watch(self) -> None:
        """Report that this process lives; end it, with a last report, when no patience is left."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            with _TALLY:
                left, sent, seconds = self._tick(), self._bytes, self._at - self._since
            if left <= 0:
                break
            try:
                report(alive=True)
            except OSError:  # the app has ended: nobody waits
                os._exit(1)
            time.sleep(min(left, 1.0))
        report(error="slow" if sent else "silent", sent=sent, seconds=seconds)
        os._exit(0)


@dataclass
class Answer:
    """What came back for a question.

    Attributes:
        status: The status code.
        etag: The name of the file at the hub; None if it is not told.
        size: Bytes of the whole file; None if they are not told.
        is_counted: Whether the end of the body is marked, so that a cut is noticed.
        body: The bytes, to be read once.
    """

    status: int
    etag: str | None
    size: int | None
    is_counted: bool
    body: Iterator[bytes]


@dataclass
class Line:
    """The way to the hub.

    Attributes:
        token: What lets somebody in who is no stranger; False for a stranger.
        patience: How long the hub is waited for.
    """

    token: str | bool = False
    patience: Patience = field(default_factory=lambda: Patience(30))

    def read_json(self, url: str, most: int) -> Any:
        """The JSON at an address, of at most so many bytes.

        Raises:
            RefusalError: It is longer, or no JSON, or the hub refuses.
        """
        read = bytearray()
        with self.ask("GET", url) as answer:
            for chunk in answer.body:
                read += chunk
                if len(read) > most:
                    raise RefusalError("too_long")
        try:
            return json.loads(read)
        except (ValueError, RecursionError):
            raise RefusalError("garbled") from None

    @contextmanager
    def ask(self, method: str, url: str, start: int | None = None) -> Iterator[Answer]:
        """Ask for an address, following where it leads, from a certain byte on if that is said.

        Raises:
            RefusalError: The hub refuses, or leads on for ever or to no place of the web.
        """
        from huggingface_hub.utils import build_hf_headers, get_session

        home, told = _origin(url), dict[str, str]()
        for _ in range(_REDIRECTS + 1):
            # Files lie on other hosts, whose addresses are secrets themselves: no token goes there.
            headers = build_hf_headers(token=self.token if _origin(url) == home else False)
            headers |= {"Accept-Encoding": "identity"}
            headers |= {} if start is None else {"Range": f"bytes={start}-"}
            asked = get_session().stream(
                method, url, headers=headers, follow_redirects=False, timeout=_TIMEOUTS
            )
            with asked as answer:
                self.patience.answered()
                told |= _told(answer, _origin(url) == home)
                if not answer.has_redirect_location:
                    _check(answer, _origin(url) == home)
                    yield self._answer(answer, told)
                    return
                url = _next(url, answer.headers["location"])
        raise RefusalError("astray")

    def _answer(self, answer: Any, told: dict[str, str]) -> Answer:
        size = told.get("x-linked-size") or answer.headers.get("content-length", "")
        whole = answer.status_code == 200 or "x-linked-size" in told
        name = told.get("x-linked-etag") or told.get("etag", "")
        return Answer(
            status=answer.status_code,
            etag=name.removeprefix("W/").strip('"') or None,
            size=int(size) if whole and size.isdecimal() and len(size) < 16 else None,
            is_counted=not {"content-length", "transfer-encoding"}.isdisjoint(answer.headers),
            body=self._body(answer),
        )

    def _body(self, answer: Any) -> Iterator[bytes]:
        for chunk in answer.iter_raw():
            self.patience.got(len(chunk))
            yield chunk


def _told(answer: Any, at_home: bool) -> dict[str, str]:
    """What the headers of the hub say of a file; other hosts have other names for it."""
    names = ("x-linked-etag", "x-linked-size", "etag") if at_home else ()
    return {name: answer.headers[name] for name in names if name in answer.headers}


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def check_hub(address: str) -> None:
    """Refuse a hub, or a mirror of it, that is asked over a line which others can read.

    Raises:
        RefusalError: It is neither at an https address nor on this machine.
    """
    if not _is_private(address):
        raise RefusalError("unsafe_mirror")


def _next(url: str, location: str) -> str:
    """Where an answer leads: only to the web, and from a private line never to an open one."""
    target = urljoin(url, location)
    if urlsplit(target).scheme not in {"https", urlsplit(url).scheme} or not _is_private(target):
        raise RefusalError("astray")
    return target


def _is_private(address: str) -> bool:
    """Whether nobody on the way can read what goes there: by https, or on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    own = parts.scheme == "http" and host in ("127.0.0.1", "::1", "localhost")
    return bool(host) and (parts.scheme == "https" or own)


def _check(answer: Any, at_home: bool) -> None:
    """Refuse what is no success; only the hub itself knows models, revisions and who may in."""
    status, code = answer.status_code, answer.headers.get("x-error-code", "")
    if status < 300:
        return
    if status == 429 or status >= 500:
        raise RefusalError("busy")
    if status == 416:  # there is nothing behind what is here already
        raise RefusalError("nothing_more")
    if not at_home:
        raise RefusalError("lost")
    if code == "RevisionNotFound":
        raise RefusalError("no_revision")
    if code == "GatedRepo" or status == 403:
        raise RefusalError("gated")
    # The hub hides private models from strangers.
    raise RefusalError({401: "hidden", 404: "not_found"}.get(status, "other"))
