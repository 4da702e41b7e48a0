"""The app in a process of its own and a browser to look at it: for tests, pictures, benchmarks."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests import chromium

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]


class App:
    """The app, served on a free port of this machine.

    Attributes:
        url: Its address.
        folder: A folder of its own, for its log and its hub cache; models may be opened below it.
        extra: Environment variables for its next start.
    """

    def __init__(self, hub: str, root: Path = ROOT, **extra: str) -> None:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.folder = Path(tempfile.mkdtemp(prefix="explorer-"))
        self.log = self.folder / "log.txt"
        self.hub, self.root = hub, root
        self.extra = extra
        self.start()

    def start(self) -> None:
        """Begin to serve, on the same port each time."""
        env = {
            "HF_ENDPOINT": self.hub,
            "HF_HUB_CACHE": str(self.folder / "hub"),
            "EXPLORER_MODEL_DIRS": str(self.folder),
            "EXPLORER_CORPUS_DIR": str(self.folder / "kept"),
            "EXPLORER_ALONE_SECONDS": "12",
        }
        with self.log.open("a") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={self.port}"],
                cwd=self.root,
                env=os.environ | env | self.extra,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        while self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}_stcore/health", timeout=5).read()
            except OSError:
                continue
            return
        raise RuntimeError(self.log.read_text())

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(20)


class Wire:
    """A line between browsers and the app, which can be cut.

    Attributes:
        url: Where browsers find the app.
    """

    def __init__(self, app: App) -> None:
        self._app, self._open = app, list[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection; new ones are taken."""
        ends, self._open = self._open, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End every connection for good."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._join(self._listener.accept()[0])

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._app.port))
        except OSError:  # the app is down
            near.close()
            return
        self._open += [near, far]
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(hub: str = "http://127.0.0.1:9", root: Path = ROOT, **extra: str) -> Iterator[App]:
    """The app, for as long as the block runs; at its usual hub nobody answers.

    Args:
        hub: Where the hub is.
        root: The checkout that is served.
        extra: Environment variables.
    """
    app = App(hub, root, **extra)
    try:
        yield app
    finally:
        app.stop()


@contextmanager
def browsing() -> Iterator[Browser]:
    """A headless Chromium, for as long as the block runs."""
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium.find(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
