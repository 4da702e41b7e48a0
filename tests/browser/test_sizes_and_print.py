"""Sizes and paper, as people see them: every picture fits where it stands, and prints clean."""

from urllib.parse import urlencode

import pypdfium2
import pytest
from playwright.sync_api import expect

import explorer
from explorer.analysis.comparison import compare
from explorer.export.html import comparison_to_html, layer_traces_to_html
from explorer.run import Run
from explorer.sources.layertraces import trace_layer
from tests.browser.conftest import IDLE

CAT = "The cat sat on the mat because it was tired."
LAST = {"layer": "5", "heads": "11"}  # in the corner of the grid
DOG = {"text": CAT, "b_text": CAT.replace("cat", "dog"), "b_source": "bert"}

# Everything of a kind, also in the app, where the instrument stands in a shadow.
ALL = """
  const shadows = [...document.querySelectorAll("*")].flatMap((e) => e.shadowRoot ?? []);
  const roots = [document, ...shadows];
  const all = (what) => roots.flatMap((root) => [...root.querySelectorAll(what)]);
  const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length;
"""

# What stands outside its place: a canvas beside its box, or heads beside their small pictures. What
# is laid out by the browser has parts of a pixel, a canvas has none.
ASTRAY = (
    f"""() => {{ {ALL}"""
    + """
  const astray = [];
  for (const canvas of all(".ax canvas").filter(seen)) {
    const [own, box] = [canvas, canvas.parentElement].map((e) => e.getBoundingClientRect());
    const inside = own.left > box.left - 2 && own.right < box.right + 2;
    if (!inside) astray.push(canvas.parentElement.className);
  }
  for (const grid of all(".ax-grid").filter(seen)) {
    const canvas = grid.querySelector("canvas").getBoundingClientRect();
    const last = [...grid.querySelectorAll(".ax-cell")].at(-1).getBoundingClientRect();
    if (Math.abs(last.right - canvas.right) > 2) astray.push("columns");
    if (Math.abs(last.bottom - canvas.bottom) > 2) astray.push("layers");
  }
  const main = document.querySelector("[data-testid=stMain]") ?? document.documentElement;
  if (main.scrollWidth > main.clientWidth) astray.push("the page");
  return astray;
}"""
)
FITS = f"() => ({ASTRAY})().length === 0"

WIDTHS = f"""() => {{ {ALL}
  return all(".ax-panel canvas").filter(seen)
    .map((e) => [e.closest(".ax-panel").getAttribute("aria-label"), e.style.width]);
}}"""

# Words and pictures that can be clicked on a screen; on paper they are words and pictures.
CONTENT = (
    ".ax-cell, .ax-layer, .ax-chip, .ax-rank, .ax-link, .ax-word, .ax-key, .ax-term, .ax-worth, "
    ".ax-token, .ax-pick, [data-cell]"
)


# Pictures whose dots are all coloured.
FILLED = ".ax-matrix, .ax-head-picture, .ax-panel-heat, .ax-head-map, .ax-switching"


def all_fits(page):
    page.wait_for_function(FITS)


def flow_as(page, how):
    page.locator(".ax-panel-flow .ax-choice").get_by_text(how, exact=True).click()


def wide(page, part):
    return page.locator(f".ax-panel-{part}").first.evaluate("e => e.clientWidth")


def controls(page):
    """What waits for a hand and can be seen."""
    found = page.locator(":is(button, input, textarea, select, summary, [role=slider]):visible")
    return found.evaluate_all(
        "(all, content) => all.filter((e) => !e.matches(content)).map((e) => e.outerHTML)", CONTENT
    )


def test_when_the_flow_takes_a_line_all_pictures_follow_their_places(show):
    reader = show(CAT, **LAST)
    page = reader.page
    before = wide(page, "grid")
    flow_as(page, "lines")
    page.locator(".ax-panel-flow.ax-wide").wait_for()
    all_fits(page)
    assert wide(page, "grid") > before
    frame = reader.head(5, 11).bounding_box()
    canvas = page.locator(".ax-grid > canvas").bounding_box()
    assert frame["x"] + frame["width"] == pytest.approx(canvas["x"] + canvas["width"], abs=1)
    assert frame["y"] + frame["height"] == pytest.approx(canvas["y"] + canvas["height"], abs=1)
    flow_as(page, "columns")
    page.locator(".ax-panel-flow:not(.ax-wide)").wait_for()
    all_fits(page)
    assert wide(page, "grid") == before


@pytest.mark.parametrize("flow", ["down", "across"])
def test_every_picture_fits_in_every_window_and_back(show, flow):
    page = show(CAT, **LAST, flow=flow).page
    page.set_viewport_size({"width": 1440, "height": 900})
    all_fits(page)
    first = page.evaluate(WIDTHS)
    for width in (1280, 900, 700, 390, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        all_fits(page)
    page.wait_for_function(f"first => String(({WIDTHS})()) === String(first)", arg=first)


def test_a_zoomed_page_is_as_sharp_as_its_screen(reader):
    page = reader.open(f"?{urlencode({'text': CAT})}").painted().page
    reader.devtools().send(
        "Emulation.setDeviceMetricsOverride",
        {"width": 853, "height": 600, "deviceScaleFactor": 1.5, "mobile": False},
    )
    page.wait_for_function(
        f"""() => {{ {ALL}
          const sharp = (e) => Math.abs(e.width - 1.5 * e.getBoundingClientRect().width) < 1;
          return all(".ax-panel-heat canvas, .ax-grid > canvas").filter(seen).every(sharp);
        }}"""
    )


def test_the_guide_prints_its_words_in_one_column(reader):
    reader.open("", "guide").page.get_by_text("Reading the pictures").first.wait_for()
    page = reader.page
    page.emulate_media(media="print")
    places = [
        page.get_by_role("heading", name=name).bounding_box()
        for name in ("Reading the pictures", "The formula")
    ]
    assert places[0]["x"] == places[1]["x"]
    assert controls(page) == []


def test_a_long_text_is_whole_on_paper_and_it_says_what_is_not(show):
    page = show(f"{CAT} " * 45, **LAST).page
    body = page.locator(".ax-text")
    cut = "e => e.scrollHeight > e.clientHeight + 1"
    assert body.evaluate(cut)
    page.emulate_media(media="print")
    page.locator(".ax.ax-paper").wait_for()
    assert not body.evaluate(cut)
    last = page.locator(".ax-text .ax-token").last
    assert "ax-tone" in last.get_attribute("class")
    # The flow's window shows the rows in sight; the heatmap shows all.
    says = "e => getComputedStyle(e, '::after').content"
    assert "the whole is longer" in page.locator(".ax-panel-flow").evaluate(says)
    assert page.locator(".ax-panel-heat").evaluate(says) == "none"


def test_after_printing_a_text_is_scrolled_as_it_was(show):
    page = show(f"{CAT} " * 45, **LAST).page
    body = page.locator(".ax-text")
    scrolled = body.evaluate("e => { e.scrollTop = 60; return e.scrollTop; }")
    assert scrolled
    page.pdf()
    expect(page.locator(".ax-paper")).to_have_count(0)
    assert body.evaluate("e => e.scrollTop") == scrolled


SPY = """() => {
  window.printed = [];
  matchMedia("print").addEventListener("change", ({ matches }) => {
    if (matches) window.printed = [document.querySelector(".ax").clientWidth, (%s)()];
  });
}"""


def test_what_is_printed_was_drawn_for_the_paper_and_the_screen_has_its_own_again(
    page_from_disk,
):
    page = page_from_disk(explorer.trace(CAT), opening={"flow": "across"}).page
    before = page.evaluate(WIDTHS)
    page.evaluate(SPY % WIDTHS)
    page.pdf(format="A4")
    room, printed = page.evaluate("printed")
    assert room == pytest.approx((210 - 24) / 25.4 * 96, abs=2)  # A4 without its margins
    for (name, there), (_, here) in zip(printed, before, strict=True):
        assert float(there[:-2]) <= room, name
        assert there != here, name
    assert page.evaluate(WIDTHS) == before
    expect(page.locator(".ax-paper, .ax-headline")).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "query", "first", "last", "hands"),
    [
        (
            *("", {"text": CAT, "query": "8"}, "looks most at", "as much as other words do"),
            ("Copy link", "Run", "Second text"),
        ),
        # The Guide speaks of buttons; it has none of its own but those over its pictures.
        ("guide", {}, "In one minute", "where ## says that it goes on", ("Fullscreen",)),
    ],
)
def test_the_sheets_hold_all_words_and_no_sheet_is_empty(reader, path, query, first, last, hands):
    reader.open(f"?{urlencode(query)}", path)
    if not path:
        reader.painted()
    reader.page.get_by_text(first).first.wait_for()
    reader.page.wait_for_function(IDLE)
    sheets = pypdfium2.PdfDocument(reader.page.pdf(format="Letter"))
    texts = [sheet.get_textpage().get_text_bounded() for sheet in sheets]
    assert first in texts[0]
    assert last in " ".join(texts[-1].split())
    assert not [text for text in texts if len(text) < 80]
    assert not [word for word in hands if word in "".join(texts)]


@pytest.mark.parametrize("kind", ["steps", "compare"])
def test_the_other_saved_pages_print_clean(kind, tmp_path, from_disk):
    trace = explorer.trace(CAT)
    if kind == "steps":
        traced = trace_layer(Run(CAT), 3)
        text = layer_traces_to_html([(traced, 1)], note="", opening={"stage": "6"})
    else:
        text = comparison_to_html(compare(trace, explorer.trace(DOG["b_text"])), opening={})
    path = tmp_path / "page.html"
    path.write_text(text, "utf-8")
    page = from_disk(path).page
    page.locator(".ax[data-painted]").first.wait_for()
    page.emulate_media(media="print")
    page.locator(".ax.ax-paper").first.wait_for()
    assert controls(page) == []
    expect(page.locator(".ax-headline").first).to_contain_text(
        trace.model.name, use_inner_text=True
    )
    all_fits(page)
