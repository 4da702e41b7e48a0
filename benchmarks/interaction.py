"""From a hand's movement to the painted frame: hovering, switching heads and layers, and memory.

Baseline of the hovers: the same movement over the same page outside the instrument, which costs
what the browser itself costs on this machine. Every figure is the time from the event to the end
of the frame that shows its effect.
"""

import statistics
from typing import Any

from playwright.sync_api import CDPSession, Page

from benchmarks.run_to_paint import Reader, text_of
from tests.serve import browsing, serving

MOVES = 60
SWITCHES = 20
LAYER_SWITCHES = 200  # for the memory

# Arms a clock that the next event of a kind starts and the end of the next frame stops.
ARM = """kind => {
  window.took = null;
  window.addEventListener(kind, () => {
    const start = performance.now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { window.took = performance.now() - start; };
      channel.port2.postMessage(0);
    });
  }, {once: true, capture: true});
}"""

# Clicks a head and waits until it is painted, layers from the server included.
SWITCH = """(ax, [layer, head]) => new Promise(done => {
  const wanted = `${layer}.${head}`;
  const cell = [...ax.querySelectorAll('.ax-cell')]
    .find(c => c.getAttribute('aria-label') === `Layer ${layer}, head ${head}`);
  const start = performance.now();
  new MutationObserver((_, observer) => {
    if (ax.dataset.painted.split(' ').slice(1).join(' ') !== wanted) return;
    observer.disconnect();
    requestAnimationFrame(() => done(performance.now() - start));
  }).observe(ax, {attributes: true, attributeFilter: ['data-painted']});
  cell.click();
})"""


def hover(page: Page, box: dict[str, float]) -> tuple[float, float]:
    """Median and 95th percentile of moves across a box, in milliseconds."""
    took = []
    for i in range(MOVES):
        page.evaluate(ARM, "pointermove")
        x = box["x"] + box["width"] * (0.1 + 0.8 * ((i * 7) % MOVES) / MOVES)
        y = box["y"] + box["height"] * (0.1 + 0.8 * ((i * 11) % MOVES) / MOVES)
        page.mouse.move(x, y)
        took.append(page.wait_for_function("window.took").json_value())
    return statistics.median(took), statistics.quantiles(took, n=20)[-1]


def heap(session: CDPSession) -> float:
    """Megabytes of the page's live objects, array buffers included."""
    session.send("HeapProfiler.collectGarbage")
    usage: dict[str, Any] = session.send("Runtime.getHeapUsage")
    return (usage["usedSize"] + usage.get("backingStorageSize", 0)) / 1e6


def box_of(page: Page, selector: str) -> dict[str, float]:
    target = page.locator(selector).first
    target.scroll_into_view_if_needed()
    found = target.bounding_box()
    assert found is not None, selector
    # What is below the window's end cannot be hovered.
    return dict(found) | {"height": min(found["height"], 900 - found["y"] - 5)}


def measure(reader: Reader, n: int) -> None:
    page = reader.page
    reader.run(text_of(n, 1))
    instrument = page.locator(".ax")
    panels = {
        "outside": "[data-testid=stHeader]",
        "reading view": ".ax-text",
        "grid": ".ax-grid",
        "flow": ".ax-panel-flow .ax-scroll",
        "heatmap": ".ax-panel-heat .ax-stage",
    }
    for name, selector in panels.items():
        median, slow = hover(page, box_of(page, selector))
        print(f"| {n} | hover, {name} | {median:.1f} | {slow:.1f} |", flush=True)
    page.mouse.move(5, 5)
    instrument.evaluate(SWITCH, [1, 0])
    heads = [instrument.evaluate(SWITCH, [1, 1 + i % 11]) for i in range(SWITCHES)]
    print_row(n, "switch head", heads)
    layers = [instrument.evaluate(SWITCH, [layer, 3]) for layer in (2, 3, 4, 5, 0)]
    print_row(n, "switch layer, first time", layers)
    again = [instrument.evaluate(SWITCH, [i % 6, 3]) for i in range(1, SWITCHES)]
    print_row(n, "switch layer, again", again)


def print_row(n: int, what: str, took: list[float]) -> None:
    print(f"| {n} | {what} | {statistics.median(took):.0f} | {max(took):.0f} |", flush=True)


def memory(reader: Reader) -> None:
    session = reader.page.context.new_cdp_session(reader.page)
    instrument = reader.page.locator(".ax")
    before = heap(session)
    for i in range(LAYER_SWITCHES):
        instrument.evaluate(SWITCH, [(i + 1) % 6, i % 12])
    print(
        f"\nHeap at 512 tokens: {before:.0f} MB; after {LAYER_SWITCHES} layer switches: "
        f"{heap(session):.0f} MB."
    )


def main() -> None:
    with serving() as app, browsing() as browser:
        reader = Reader(browser.new_page(viewport={"width": 1440, "height": 900}), app.url)
        print("| tokens | what | median, ms | 95th percentile or largest, ms |")
        print("|---:|---|---:|---:|")
        for n in (16, 128, 512):
            measure(reader, n)
        memory(reader)


if __name__ == "__main__":
    main()
