"""The same attention in BertViz's head view and here: the file, the first picture, a hover, a layer.

Both are one HTML file opened from disk in the same browser, in turns; what BertViz's page fetches
from a CDN is served from npm packages of this machine. Here the app itself is opened too, with the
model warm: its figure holds the forward pass, which BertViz has had before its page is made.
"""

import statistics
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import torch
from bertviz import head_view
from playwright.sync_api import Browser, Error, Page, Route, TimeoutError

import explorer
from benchmarks.run_to_paint import text_of
from explorer import export
from tests.serve import ROOT, App, browsing, serving

LENGTHS = (16, 64, 128, 256, 512)
REPEATS = 3
PATIENCE = 120  # seconds that a page may take
PACKAGES = {
    "d3.min.js": "d3/dist/d3.min.js",
    "jquery.min.js": "jquery/dist/jquery.min.js",
    "require.min.js": "requirejs/require.js",
}
WINDOW = {"width": 1440, "height": 900}

# Milliseconds from the start of the page's loading to the end of the frame with a first line.
FIRST_LINES = """() => new Promise(done => {
  const look = () => document.querySelector('#vis line, #vis path')
    ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
  look();
})"""
FIRST_PICTURE = """() => new Promise(done => {
  const look = () => document.querySelector('.ax')?.dataset.painted
    ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
  look();
})"""
LAYER_OF_BERTVIZ = """() => new Promise(done => {
  const select = document.querySelector('select#layer');
  const start = performance.now();
  select.value = '1';
  select.dispatchEvent(new Event('change'));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})"""
LAYER_HERE = """() => new Promise(done => {
  const start = performance.now();
  document.querySelector('[aria-label="All heads of layer 1"]').click();
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})"""


def from_packages(route: Route) -> None:
    """Answer a request to the CDN with the package's own file."""
    name = route.request.url.rsplit("/", 1)[-1]
    route.fulfill(path=ROOT / "benchmarks/node_modules" / PACKAGES[name])


def opened(browser: Browser, path: Path, first: str, layer: str) -> tuple[float, float]:
    """Milliseconds to a page's first picture, and to another layer of it."""
    page: Page = browser.new_page(viewport=WINDOW)
    page.set_default_timeout(1000 * PATIENCE)
    page.route("https://cdnjs.cloudflare.com/**", from_packages)
    try:
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_load_state("domcontentloaded")
        return page.evaluate(first), page.evaluate(layer)
    finally:
        page.close()


def page_of_bertviz(trace: explorer.AttentionTrace) -> str:
    """BertViz's own HTML of a trace."""
    attention = [torch.from_numpy(layer.copy())[None] for layer in trace.weights]
    tokens = [token.text for token in trace.key_tokens]
    return head_view(attention, tokens, html_action="return").data


def measured(browser: Browser, path: Path, first: str, layer: str) -> tuple[float, float] | str:
    """Medians of several openings; or how the page gave up."""
    rows = []
    for _ in range(REPEATS):
        started = time.monotonic()
        try:
            rows.append(opened(browser, path, first, layer))
        except TimeoutError:
            return f"nothing after {PATIENCE} s"
        except Error as error:
            return str(error).split("\n")[0].removeprefix("Page.")[:60]
        if time.monotonic() - started > PATIENCE / REPEATS:
            break  # slow enough to be sure
    pictures, layers = zip(*rows, strict=True)
    return statistics.median(pictures), statistics.median(layers)


def in_app(browser: Browser, app: App, text: str) -> tuple[float, int]:
    """Milliseconds from opening a link of the app to its heads, and the bytes of its picture."""
    page = browser.new_page(viewport=WINDOW)
    received = 0

    def count(frame: Any) -> None:
        nonlocal received
        received += len(frame)

    page.on("websocket", lambda socket: socket.on("framereceived", count))
    page.goto(f"{app.url}?{urlencode({'text': text})}", wait_until="commit")
    page.locator(".ax[data-painted]").wait_for(timeout=60_000)
    took = page.evaluate("() => performance.now()")
    page.close()
    return took, received


def row(browser: Browser, app: App, folder: Path, n: int) -> str:
    """One line of the table."""
    text = text_of(n, 5)
    trace = explorer.trace(text)
    ours = folder / "ours.html"
    ours.write_text(export.to_html(trace, opening={"layer": 0, "heads": list(range(12))}), "utf-8")
    here = measured(browser, ours, FIRST_PICTURE, LAYER_HERE)
    in_app(browser, app, text)
    app_took, received = in_app(browser, app, text)
    theirs = folder / "bertviz.html"
    theirs.write_text(page_of_bertviz(trace), "utf-8")
    there = measured(browser, theirs, FIRST_LINES, LAYER_OF_BERTVIZ)
    sizes = [path.stat().st_size / 1e6 for path in (theirs, ours)]
    theirs.unlink()
    assert not isinstance(here, str), here
    if isinstance(there, str):
        cells = [there, f"{here[0]:.0f}", "", "", f"{here[1]:.0f}"]
    else:
        times = there[0] / here[0]
        cells = [f"{there[0]:.0f}", f"{here[0]:.0f}", f"{times:.1f}", f"{there[1]:.0f}"]
        cells.append(f"{here[1]:.0f}")
    sent = f"{app_took:.0f} | {received / 1e6:.2f}"
    return f"| {n} | {sizes[0]:.1f} | {sizes[1]:.1f} | {' | '.join(cells)} | {sent} |"


def main() -> None:
    print(
        "| tokens | BertViz file, MB | ours, MB | BertViz first lines, ms | ours, ms | ratio "
        "| BertViz other layer, ms | ours, ms | app link to heads, ms | sent, MB |"
    )
    print("|---:" * 10 + "|")
    with serving() as app, browsing() as browser:
        in_app(browser, app, text_of(16, 9))  # waits for the model to be loaded
        for n in LENGTHS:
            print(row(browser, app, app.folder, n), flush=True)


if __name__ == "__main__":
    main()
