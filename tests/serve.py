"""The app in a process of its own and a browser to look at it: for tests, pictures, benchmarks."""

import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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
    """

    def __init__(self, hub: str) -> None:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        self.folder = Path(tempfile.mkdtemp(prefix="explorer-"))
        self.log = self.folder / "log.txt"
        env = {
            "HF_ENDPOINT": hub,
            "HF_HUB_CACHE": str(self.folder / "hub"),
            "EXPLORER_MODEL_DIRS": str(self.folder),
            "EXPLORER_ALONE_SECONDS": "12",
        }
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"],
                cwd=ROOT,
                env=os.environ | env,
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


@contextmanager
def serving(hub: str = "http://127.0.0.1:9") -> Iterator[App]:
    """The app, for as long as the block runs; at its usual hub nobody answers."""
    app = App(hub)
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
