"""From a hand's movement to the painted frame: hovering, switching heads and layers, and memory.

Baseline of the hovers: the same movement over the same page outside the instrument, which costs
what the browser itself costs on this machine. Every figure is the time from the event to the end
of the frame that shows its effect in the panel that the hand is in. Besides MiniLM two models with
random weights are looked at, of the shapes of bert-base and of bert-large.
"""

import statistics
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import CDPSession, Page
from transformers import AutoTokenizer, BertConfig, BertModel

from benchmarks.run_to_paint import Reader, text_of
from explorer.sources.catalogue import embedded_folder
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


SHAPES = {  # layers, heads, width
    "bert-base": (12, 12, 768),
    "bert-large": (24, 16, 1024),
}


def make_model(name: str, folder: Path) -> Path:
    """A folder with a model of a shape, its weights random."""
    layers, heads, width = SHAPES[name]
    tokenizer = AutoTokenizer.from_pretrained(embedded_folder())
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
    )
    BertModel(config).save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / name)
    return folder / name


def show(reader: Reader, url: str, n: int, model: Path | None) -> None:
    """Bring a text of n tokens on the screen, and say what its first view sent."""
    if model is None:
        _, received = reader.run(text_of(n, 1))
    else:
        reader.received = 0
        query = {"text": text_of(n, 1), "source": f"path:{model}"}
        reader.page.goto(f"{url}?{urlencode(query)}")
        reader.page.locator(".ax[data-painted]").wait_for(timeout=120_000)
        received = reader.received
    print(f"| {name_of(model)} | {n} | first view, MB sent | {received / 1e6:.2f} | |", flush=True)


def name_of(model: Path | None) -> str:
    """What the table calls a model."""
    return (
        "MiniLM, 6 × 12" if model is None else "{}, {} × {}".format(model.name, *SHAPES[model.name])
    )


def measure(reader: Reader, n: int, model: Path | None) -> None:
    page = reader.page
    instrument = page.locator(".ax")
    name = name_of(model)
    panels = {
        "outside": "[data-testid=stHeader]",
        "reading view": ".ax-text",
        "grid": ".ax-grid",
        "flow": ".ax-panel-flow .ax-scroll",
        "heatmap": ".ax-panel-heat .ax-stage",
    }
    # Layers first: a look at a head of another layer fetches it.
    layers = [instrument.evaluate(SWITCH, [layer, 3]) for layer in (2, 3, 4, 5, 1)]
    print_row(name, n, "switch layer, first time", layers)
    again = [instrument.evaluate(SWITCH, [1 + i % 5, 3]) for i in range(1, SWITCHES)]
    print_row(name, n, "switch layer, again", again)
    instrument.evaluate(SWITCH, [1, 0])
    heads = [instrument.evaluate(SWITCH, [1, 1 + i % 11]) for i in range(SWITCHES)]
    print_row(name, n, "switch head", heads)
    for panel, selector in panels.items():
        median, slow = hover(page, box_of(page, selector))
        print(f"| {name} | {n} | hover, {panel} | {median:.1f} | {slow:.1f} |", flush=True)
    page.mouse.move(5, 5)


def print_row(name: str, n: int, what: str, took: list[float]) -> None:
    median, largest = statistics.median(took), max(took)
    print(f"| {name} | {n} | {what} | {median:.0f} | {largest:.0f} |", flush=True)


def memory(reader: Reader, name: str, n_layers: int) -> None:
    session = reader.page.context.new_cdp_session(reader.page)
    instrument = reader.page.locator(".ax")
    for layer in range(n_layers):
        instrument.evaluate(SWITCH, [layer, 0])
    before = heap(session)
    for i in range(LAYER_SWITCHES):
        instrument.evaluate(SWITCH, [(i + 1) % n_layers, i % 12])
    after = heap(session)
    print(
        f"| {name} | 512 | heap before and after {LAYER_SWITCHES} layer switches, MB "
        f"| {before:.0f} | {after:.0f} |",
        flush=True,
    )


def main() -> None:
    with serving() as app, browsing() as browser:
        reader = Reader(browser.new_page(viewport={"width": 1440, "height": 900}), app.url)
        reader.run(text_of(16, 98))  # waits for the model to be loaded
        print("| model, layers × heads | tokens | what | median, ms | 95 % or largest, ms |")
        print("|---|---:|---|---:|---:|")
        for n in (16, 128, 512):
            show(reader, app.url, n, None)
            measure(reader, n, None)
        memory(reader, name_of(None), 6)
        for name, (n_layers, _, _) in SHAPES.items():
            model = make_model(name, app.folder)
            show(reader, app.url, 512, model)
            measure(reader, 512, model)
            memory(reader, name_of(model), n_layers)


if __name__ == "__main__":
    main()
