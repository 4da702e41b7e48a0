"""The same attention in BertViz's head view and here: the file, the first picture, another layer.

Both as one HTML file opened from disk in the same browser, in turns; what BertViz's page fetches
from a CDN is served from npm packages of this machine. And both as they are used: a cell of a
notebook that calls `head_view` and shows its page, beside Run in the app, pressed on a text that
nobody has run before; the app's figure holds the forward pass, BertViz's does not.
"""

import statistics
import time
from pathlib import Path

import torch
from bertviz import head_view
from playwright.sync_api import Browser, Error, Page, Route, TimeoutError

import explorer
from benchmarks.run_to_paint import Reader, text_of
from explorer import export
from tests.serve import ROOT, browsing, serving

LENGTHS = (16, 64, 128, 256, 512)
REPEATS = 3
PATIENCE = 120  # seconds that a page may take
PACKAGES = {
    "d3.min.js": "d3/dist/d3.min.js",
    "jquery.min.js": "jquery/dist/jquery.min.js",
    "require.min.js": "requirejs/require.js",
}
WINDOW = {"width": 1440, "height": 900}

# Milliseconds from the start of the page's loading to the end of the frame with a first picture.
FIRST = """([selector, patience]) => new Promise((done, fail) => {
  const look = () => {
    if (document.querySelector(selector)) requestAnimationFrame(() => done(performance.now()));
    else if (performance.now() > 1000 * patience) fail(`no picture after ${patience} s`);
    else requestAnimationFrame(look);
  };
  look();
})"""
LINES, PICTURE = "#vis line, #vis path", ".ax[data-painted]"
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


def opened(browser: Browser, path: Path, picture: str, layer: str) -> tuple[float, float]:
    """Milliseconds to a page's first picture, and to another layer of it."""
    page: Page = browser.new_page(viewport=WINDOW)
    page.set_default_timeout(1000 * PATIENCE)
    page.route("https://cdnjs.cloudflare.com/**", from_packages)
    try:
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_load_state("domcontentloaded")
        return page.evaluate(FIRST, [picture, PATIENCE]), page.evaluate(layer)
    finally:
        page.close()


def page_of_bertviz(trace: explorer.AttentionTrace) -> str:
    """BertViz's own HTML of a trace."""
    attention = [torch.from_numpy(layer.copy())[None] for layer in trace.weights]
    tokens = [token.text for token in trace.key_tokens]
    return head_view(attention, tokens, html_action="return").data


def measured(browser: Browser, path: Path, picture: str, layer: str) -> tuple[float, float] | str:
    """Medians of several openings; or how the page gave up."""
    rows = []
    for _ in range(REPEATS):
        started = time.monotonic()
        try:
            rows.append(opened(browser, path, picture, layer))
        except TimeoutError:
            return f"not loaded after {PATIENCE} s"
        except Error as error:
            return str(error).split("\n")[0].removeprefix("Page.evaluate: ")[:60]
        if time.monotonic() - started > PATIENCE / REPEATS:
            break  # slow enough to be sure
    pictures, layers = zip(*rows, strict=True)
    return statistics.median(pictures), statistics.median(layers)


def row(browser: Browser, reader: Reader, folder: Path, n: int) -> str:
    """One line of the table."""
    runs = [reader.run(text_of(n, 20 + turn)) for turn in range(REPEATS + 2)]
    pressed, received = (statistics.median(column) for column in zip(*runs, strict=True))
    trace = explorer.trace(text_of(n, 5))
    ours, theirs = folder / "ours.html", folder / "bertviz.html"
    ours.write_text(export.to_html(trace), "utf-8")
    started = time.perf_counter()
    page = page_of_bertviz(trace)
    made = 1000 * (time.perf_counter() - started)
    theirs.write_text(page, "utf-8")
    sizes = [path.stat().st_size / 1e6 for path in (theirs, ours)]
    del page
    here = measured(browser, ours, PICTURE, LAYER_HERE)
    there = measured(browser, theirs, LINES, LAYER_OF_BERTVIZ)
    theirs.unlink()
    assert not isinstance(here, str), here
    cells = [f"{n}", f"{sizes[0]:.1f}", f"{sizes[1]:.1f}"]
    if isinstance(there, str):
        cells += [there, f"{here[0]:.0f}", "", "", f"{here[1]:.0f}", f"{made:.0f} + …"]
        cells += [f"{pressed:.0f}", ""]
    else:
        cells += [f"{there[0]:.0f}", f"{here[0]:.0f}", f"{there[0] / here[0]:.1f}"]
        cells += [f"{there[1]:.0f}", f"{here[1]:.0f}", f"{made + there[0]:.0f}"]
        cells += [f"{pressed:.0f}", f"{(made + there[0]) / pressed:.0f}"]
    return f"| {' | '.join([*cells, f'{received / 1e6:.2f}'])} |"


def main() -> None:
    print(
        "| tokens | BertViz file, MB | ours, MB | BertViz first lines, ms | ours, ms | ratio "
        "| BertViz other layer, ms | ours, ms | BertViz cell to lines, ms | Run to heads, ms "
        "| ratio | sent, MB |"
    )
    print("|---:" * 12 + "|")
    with serving() as app, browsing() as browser:
        reader = Reader(browser.new_page(viewport=WINDOW), app.url)
        reader.run(text_of(16, 99))  # waits for the model to be loaded
        for n in LENGTHS:
            print(row(browser, reader, app.folder, n), flush=True)


if __name__ == "__main__":
    main()
