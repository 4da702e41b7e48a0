"""From a hand's movement to the painted frame, at 128 to 8,192 tokens; what is sent; and memory.

Baseline of the hovers: the same movement over the same page outside the instrument, which costs
what the browser itself costs on this machine. Every figure is the time from the event to the end
of the frame that shows its effect in the panel that the hand is in. MiniLM reads 512 tokens; longer
texts go to a model with random weights of its shape, and to one of ModernBERT's (22 layers of 12
heads of 64, two thirds of them with a window of 128).

    python -m benchmarks.interaction            # MiniLM and its shape
    python -m benchmarks.interaction modernbert # ModernBERT's shape
"""

import statistics
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import transformers
from playwright.sync_api import CDPSession, Page
from transformers import AutoTokenizer

from benchmarks.run_to_paint import WORDS, Reader, text_of
from explorer.sources.catalogue import embedded_folder
from tests.serve import browsing, serving

MOVES = 60
SWITCHES = 20
LAYER_SWITCHES = 200  # for the memory, at 512 tokens
LONG_SWITCHES = 30  # the same at 8,192, where each is fetched
LENGTHS = (128, 512, 2048, 8192)

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


# Zooms the heatmap in and out, and counts the frames that come meanwhile.
ZOOM = """(stage, times) => new Promise(done => {
  const box = stage.getBoundingClientRect();
  const gaps = [];
  let last = performance.now();
  let turn = 0;
  const frame = now => {
    gaps.push(now - last);
    last = now;
    if (turn === times) return done(gaps.slice(1));
    const deltaY = turn++ % 20 < 10 ? -100 : 100;
    stage.dispatchEvent(new WheelEvent('wheel', {
      deltaY, ctrlKey: true, cancelable: true, bubbles: true,
      clientX: box.left + box.width * 0.6, clientY: box.top + box.height * 0.6,
    }));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""
ZOOMS = 120

BERT = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 6}
MODERN = {"hidden_size": 768, "intermediate_size": 1152, "num_hidden_layers": 22}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "MiniLM’s shape": ("Bert", BERT),
    "ModernBERT’s shape": ("ModernBert", MODERN),
}


def make_model(name: str, folder: Path) -> Path:
    """A folder with a model of a shape that reads 8,192 tokens, its weights random."""
    maker, sizes = SHAPES[name]
    tokenizer = AutoTokenizer.from_pretrained(embedded_folder())
    tokenizer.model_max_length = max(LENGTHS)
    config = getattr(transformers, f"{maker}Config")(
        **sizes,
        vocab_size=len(tokenizer),
        num_attention_heads=12,
        max_position_embeddings=max(LENGTHS),
        **{f"{mark}_token_id": 0 for mark in ("pad", "cls", "sep", "bos", "eos")},
    )
    place = folder / maker
    getattr(transformers, f"{maker}Model")(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


def long_text(n_tokens: int, turn: int) -> str:
    """A text of so many tokens in sentences and paragraphs."""
    words = [WORDS[(7 * turn + i * (turn + 1)) % len(WORDS)] for i in range(n_tokens - 2)]
    for i in range(17, len(words), 18):
        words[i] = ".\n\n" if i % 7 == 0 else "."
    return " ".join(words)


def show(reader: Reader, url: str, n: int, model: Path | None, name: str) -> None:
    """Bring a text of n tokens on the screen, and say what its first view took and sent."""
    page = reader.page
    query = {"text": "a cat sat.", "source": f"path:{model}"} if model else {"text": "a cat sat."}
    page.goto(f"{url}?{urlencode(query)}")
    page.locator(".ax[data-painted]").wait_for(timeout=300_000)
    page.wait_for_function("() => document.querySelector('.st-key-run button')")
    took, received = reader.run(long_text(n, 1))
    print(f"| {name} | {n:,} | Run to painted | {took:,.0f} | |", flush=True)
    print(f"| {name} | {n:,} | first view, MB sent | {received / 1e6:.2f} | |", flush=True)


def quiet(reader: Reader) -> None:
    """Wait until nothing more comes of its own accord: the small pictures of a long text do."""
    before = -1
    while reader.received != before:
        before = reader.received
        reader.page.wait_for_timeout(3000)


def measure(reader: Reader, n: int, name: str) -> None:
    page = reader.page
    instrument = page.locator(".ax")
    panels = {
        "outside": "[data-testid=stHeader]",
        "reading view": ".ax-text",
        "grid": ".ax-grid",
        "flow": ".ax-panel-flow .ax-scroll",
        "heatmap": ".ax-panel-heat .ax-stage",
    }
    at_once = [instrument.evaluate(SWITCH, [0, head]) for head in (1, 2, 3, 4, 5)]
    print_row(name, n, "switch head, at once after Run", at_once)
    quiet(reader)
    # Layers first: a look at a head of another layer fetches it.
    places = [[layer, 3] for layer in (2, 3, 4, 5, 1)]
    first = [instrument.evaluate(SWITCH, place) for place in places]
    print_row(name, n, "switch layer, first time", first)
    again = [instrument.evaluate(SWITCH, [1 + i % 5, 3]) for i in range(1, SWITCHES)]
    print_row(name, n, "switch layer, again", again)
    instrument.evaluate(SWITCH, [1, 0])
    heads = [instrument.evaluate(SWITCH, [1, 1 + i]) for i in range(11)]
    print_row(name, n, "switch head, first time", heads)
    heads = [instrument.evaluate(SWITCH, [1, 1 + i % 11]) for i in range(SWITCHES)]
    print_row(name, n, "switch head, again", heads)
    for panel, selector in panels.items():
        median, slow = hover(page, box_of(page, selector))
        print(f"| {name} | {n:,} | hover, {panel} | {median:.1f} | {slow:.1f} |", flush=True)
    page.mouse.move(5, 5)
    stage = page.locator(".ax-panel-heat .ax-stage")
    stage.scroll_into_view_if_needed()
    gaps = stage.evaluate(ZOOM, ZOOMS)
    slow = statistics.quantiles(gaps, n=20)[-1]
    print(
        f"| {name} | {n:,} | zoom, from frame to frame | {statistics.median(gaps):.1f} | "
        f"{slow:.1f} |",
        flush=True,
    )


def print_row(name: str, n: int, what: str, took: list[float]) -> None:
    median, largest = statistics.median(took), max(took)
    print(f"| {name} | {n:,} | {what} | {median:.0f} | {largest:.0f} |", flush=True)


def memory(reader: Reader, n: int, name: str, n_layers: int, switches: int) -> None:
    session = reader.page.context.new_cdp_session(reader.page)
    instrument = reader.page.locator(".ax")
    for layer in range(min(n_layers, 6)):
        instrument.evaluate(SWITCH, [layer, 0])
    before = heap(session)
    for i in range(switches):
        instrument.evaluate(SWITCH, [(i + 1) % n_layers, i % 12])
    after = heap(session)
    print(
        f"| {name} | {n:,} | heap before and after {switches} layer switches, MB "
        f"| {before:.0f} | {after:.0f} |",
        flush=True,
    )


def main(which: str = "minilm") -> None:
    served = serving(EXPLORER_MAX_TOKENS="8192", EXPLORER_CACHE_MB="4096")
    with served as app, browsing() as browser:
        reader = Reader(browser.new_page(viewport={"width": 1440, "height": 900}), app.url)
        reader.run(text_of(16, 98))  # waits for the model to be loaded
        print("| model, layers × heads | tokens | what | median, ms | 95 % or largest, ms |")
        print("|---|---:|---|---:|---:|")
        shape = "MiniLM’s shape" if which == "minilm" else "ModernBERT’s shape"
        sizes = SHAPES[shape][1]
        model = make_model(shape, app.folder)
        for n in LENGTHS:
            real = which == "minilm" and n <= 512
            name = "MiniLM, 6 × 12" if real else f"{shape}, {sizes['num_hidden_layers']} × 12"
            show(reader, app.url, n, None if real else model, name)
            measure(reader, n, name)
            if n >= 512:
                switches = LAYER_SWITCHES if n == 512 else LONG_SWITCHES
                memory(reader, n, name, sizes["num_hidden_layers"], switches)


if __name__ == "__main__":
    main(*sys.argv[1:])
