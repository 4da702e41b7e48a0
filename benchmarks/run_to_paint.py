"""From the press of Run to painted heads, beside the model's bare forward pass.

Both are measured in the same minute on the same machine, in turns, on texts that neither has seen:
the app in a real browser, the forward pass by transformers alone, with sdpa and no attention kept.

    python -m benchmarks.run_to_paint            # this code
    python -m benchmarks.run_to_paint ../before  # beside it the app of another folder, in turns
"""

import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Page
from transformers import AutoModel, AutoTokenizer

from explorer.sources.catalogue import embedded_folder
from tests.serve import ROOT, browsing, serving

LENGTHS = (16, 128, 512)
REPEATS = 7
WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "saw",
    "some",
    "old",
    "red",
    "door",
    "by",
    "sea",
]

# The clock starts at the click and stops in the frame that paints another trace.
WATCH = """ax => new Promise(done => {
  const old = ax.dataset.painted.split(' ')[0];
  const start = performance.now();
  new MutationObserver((_, observer) => {
    if (ax.dataset.painted.split(' ')[0] === old) return;
    observer.disconnect();
    requestAnimationFrame(() => done(performance.now() - start));
  }).observe(ax, {attributes: true, attributeFilter: ['data-painted']});
  document.querySelector('.st-key-run button').click();
})"""
IDLE = """() => document.querySelector('[data-testid="stApp"]').dataset.testScriptState
  === 'notRunning'"""


def text_of(n_tokens: int, turn: int) -> str:
    """A text of so many tokens with [CLS] and [SEP], another one each turn."""
    return " ".join(WORDS[(7 * turn + i * (turn + 1)) % len(WORDS)] for i in range(n_tokens - 2))


def bare(model: Any, tokenizer: Any, text: str) -> float:
    """Milliseconds of one plain forward pass."""
    inputs = tokenizer(text, return_tensors="pt")
    started = time.perf_counter()
    with torch.inference_mode():
        model(**inputs)
    return 1000 * (time.perf_counter() - started)


class Reader:
    """Somebody who presses Run and looks at the clock."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.received = page, 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        page.goto(url)
        page.locator(".ax[data-painted]").wait_for()

    def _count(self, frame: str | bytes) -> None:
        self.received += len(frame)

    def run(self, text: str) -> tuple[float, int]:
        """Milliseconds from the press of Run to painted heads, and the bytes that came."""
        box = self.page.get_by_role("textbox", name="Text", exact=True)
        box.fill(text)
        box.blur()
        self.page.wait_for_function(IDLE)
        self.received = 0
        took = self.page.locator(".ax").evaluate(WATCH)
        return took, self.received


def main(others: Sequence[str] = ()) -> None:
    folder = embedded_folder()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation="sdpa").eval()
    with ExitStack() as stack:
        browser = stack.enter_context(browsing())
        readers = []
        for root in (ROOT, *map(Path, others)):
            app = stack.enter_context(serving(root=root))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            readers.append(Reader(page, app.url))
            readers[-1].run(text_of(16, 99))  # waits for the model to be loaded
        print("| app | tokens | forward pass, ms | Run to painted, ms | ratio | received, kB |")
        print("|---|---:|---:|---:|---:|---:|")
        for n in LENGTHS:
            bare(model, tokenizer, text_of(n, 98))
            rows: list[list[tuple[float, float, int]]] = [[] for _ in readers]
            for turn in range(REPEATS):
                text = text_of(n, turn)
                for reader, own in zip(readers, rows, strict=True):
                    own.append((bare(model, tokenizer, text), *reader.run(text)))
            for name, own in zip(("here", *others), rows, strict=True):
                _print_row(Path(name).name, n, own)


def _print_row(name: str, n: int, rows: list[tuple[float, float, int]]) -> None:
    forward, painted, received = (statistics.median(c) for c in zip(*rows, strict=True))
    print(
        f"| {name} | {n} | {forward:.0f} | {painted:.0f} | {painted / forward:.1f} | "
        f"{received / 1000:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
