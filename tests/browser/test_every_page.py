"""What holds on every page: no barrier, no markup, nothing over the edge, clean on paper."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import IDLE, Reader, stands_at
from tests.browser.test_lesson import SEEN
from tests.browser.test_sizes_and_print import FILLED, all_fits, controls

CAT = "The cat sat on the mat because it was tired."
RED = "The red door is locked. Open the red door with the red key."
MARKUP = "<b>$x$</b> **bold** [a](http://x.y) <script>boom()</script> =1+1"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
PAGES = {
    "": {"text": RED, "layer": 2, "query": "2-3", "key": 9},
    "step": {"text": CAT, "layer": "3", "heads": "1", "query": "8", "stage": "6", "scale": "0"},
    "train": {},
    "compare": {"text": CAT, "b_text": CAT.replace("cat", "dog"), "b_source": "bert"},
    "heads": {"text": f"{CAT}\n{CAT.replace('cat', 'dog')}", "lines": "1", "pairs": "0-8-2"},
    "explain": {"text": CAT, "target": "vector", "at": "8", "off": "5-11"},
    "efficiency": {"text": CAT, "way": "global", "budget": "2", "layer": "3", "heads": "1"},
    "article": {"text": CAT, "layer": "3", "heads": "1", "query": "8"},
}
DONE = {
    "step": "softmax",
    "train": "step 300",
    "compare": " | ",
    "heads": "pointed",
    "explain": "attention",
    "efficiency": "maps whole",
    "article": "whole",
}
FOLDED = {
    "": ["Layers as a path"],
    "step": ["The proof: our layer"],
    "explain": ["How far any two methods agree", "All numbers as a table"],
    "compare": ["The largest differences as a table"],
}
SAYS = {
    "": "red door, on average, look at red",
    "step": "6. Scores become weights",
    "train": "of the answers",
    "compare": "differ most",
    "heads": "Every head, by layer",
    "explain": "Which words matter?",
    "efficiency": "Every head, with a window of 2 to each side",
    "article": "In L0·H2, “it” gives “because” 100 % of its attention",
}
BACKGROUND = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"


ARRAYS = {"": "weights", "step": "w_q", "train": "history_weights", "compare": "distance"}
ARRAYS |= {"heads": "pointed_weight", "explain": "scores", "efficiency": "window_kept"}
FILES = {
    "": "all-minilm-l6-v2-the-red-door-is-locked.npz",
    "step": "all-minilm-l6-v2-the-cat-sat-on-the-mat-steps-layer-3.npz",
    "train": "copy-the-previous-token-e-d-a-c-e-h-i-i-d-f-i-g.npz",
    "compare": "all-minilm-l6-v2-the-cat-sat-on-the-mat-and-"
    "all-minilm-l6-v2-the-dog-sat-on-the-mat.npz",
    "heads": "all-minilm-l6-v2-the-cat-sat-on-the-mat-heads.npz",
    "explain": "all-minilm-l6-v2-the-cat-sat-on-the-mat-explain.npz",
    "efficiency": "all-minilm-l6-v2-the-cat-sat-on-the-mat-efficiency.npz",
}


def open_page(reader, path, **more):
    reader.open(f"?{urlencode(PAGES[path] | more)}", path).painted(DONE.get(path, ""))


@pytest.fixture(scope="module")
def opened(request, app, screens):
    """A page that is opened once for all tests that only look at it."""
    with screens(viewport={"width": 1280, "height": 720}) as page, Reader(page, app) as reader:
        open_page(reader, request.param)
        reader.path = request.param
        yield reader
    assert not reader.errors
    assert not reader.outside


def on(paths):
    return pytest.mark.parametrize("opened", paths, indirect=True)


def in_dark(page):
    light = page.evaluate(BACKGROUND)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {BACKGROUND} !== light", arg=light)
    page.wait_for_function(IDLE)


@on(["step", "compare", "heads", "explain"])
def test_the_key_of_lessons_which_are_explores_leaves_other_pages_as_they_are(opened):
    page = opened.page
    page.keyboard.press("p")
    expect(page.locator(".ax-lesson, html[data-lesson]")).to_have_count(0)
    assert page.locator("[data-testid=stHeader]").evaluate(SEEN)


@on(PAGES)
def test_on_paper_a_dark_page_is_light_and_nothing_waits_for_a_hand(opened):
    page = opened.page
    in_dark(page)
    page.emulate_media(media="print", color_scheme="dark")
    page.locator(".ax.ax-paper").first.wait_for()
    assert controls(page) == []
    paper = page.locator(".ax.ax-paper").first
    expect(paper).to_contain_text(SAYS[opened.path], use_inner_text=True)
    expect(paper).to_have_css("color", "rgb(25, 29, 38)")
    dark = page.locator(f":is({FILLED}) canvas:visible").first.evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let [sum, count] = [0, 0];
          for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) {
            sum += data[i] + data[i + 1] + data[i + 2];
            count++;
          }
          return sum / count < 1.5 * 255;
        }"""
    )
    assert not dark
    page.emulate_media(media="screen", color_scheme="light")
    page.locator(".ax[data-painted]:not(.ax-paper)").first.wait_for()
    assert controls(page)


@on(PAGES)
def test_axe_finds_no_serious_barrier_in_light_and_in_dark(opened):
    opened.page.emulate_media(media="screen", color_scheme="light")
    for name in FOLDED.get(opened.path, []):
        opened.unfold(name)
    if not opened.path:  # with everything open
        for table in opened.page.get_by_text("as a table").all():
            table.click()
        opened.page.locator(".ax-panel-layers td").first.wait_for()
    if opened.path == "step":
        opened.page.get_by_text("the same machine").wait_for()
    assert opened.barriers() == []
    in_dark(opened.page)
    assert opened.barriers(of_colours=True) == []


def test_axe_finds_no_serious_barrier_on_a_first_visit_and_in_the_guide(reader):
    for path, part in (("", ".ax[data-painted]"), ("guide", "[data-testid=stMain] h3")):
        reader.page.emulate_media(color_scheme="light")
        reader.open(path=path).page.locator(part).first.wait_for()
        reader.page.wait_for_function(IDLE)
        assert reader.barriers() == []
        in_dark(reader.page)
        assert reader.barriers(of_colours=True) == []


@pytest.mark.parametrize("path", [path for path in PAGES if path and path != "train"])
def test_text_that_looks_like_markup_stays_text(reader, path):
    scratch = {"source": "scratch", "b_source": "scratch", "b_text": MARKUP + " x"}
    # Half of it: to explain takes long, and longer for each token.
    bert = {"text": MARKUP[20:], "target": "like", "other": MARKUP}
    open_page(reader, path, **({"text": MARKUP} | scratch if path != "explain" else bert))
    main = reader.page.locator("[data-testid=stMain]")
    expect(main.locator(".ax :is(b, script, a)", has_text="x")).to_have_count(0)
    expect(main.locator(".ax .katex, a[href*='x.y']")).to_have_count(0)
    expect(reader.page.locator("textarea").first).to_have_value(re.compile("<script>"))


@pytest.mark.parametrize("reader", [PHONE], indirect=True)
@pytest.mark.parametrize("path", [path for path in PAGES if path])
def test_every_page_fits_on_a_phone_and_in_a_wide_window_with_its_menu_open(reader, path):
    open_page(reader, path)
    page = reader.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    all_fits(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    menu = page.locator(".ax-save > summary").first
    menu.click()
    page.locator(".ax-menu").first.wait_for()
    all_fits(page)
    menu.click()
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        all_fits(page)


@pytest.mark.parametrize("path", FILES)
def test_every_page_saves_in_every_form_under_a_name_that_says_whose_it_is(reader, path):
    open_page(reader, path)
    menu = reader.page.locator(".ax-save:visible").first
    menu.locator("summary").click()
    for form in ("SVG", "PDF", "PNG", "CSV", "HTML"):
        if form == "HTML" and path in ("", "train"):
            form = "Layer 0" if path else "Layer 2"
        expect(menu.get_by_role("button", name=form).first).to_be_enabled()
    with reader.page.expect_download() as waiting:
        menu.get_by_role("button", name="NPZ", exact=True).click()
    assert waiting.value.suggested_filename == FILES[path]
    with np.load(waiting.value.path(), allow_pickle=False) as arrays:
        assert ARRAYS[path] in arrays
    menu.get_by_role("button", name="Copy as Python").click()
    menu.get_by_text("Copied.").wait_for()
    code = reader.page.evaluate("navigator.clipboard.readText()")
    assert compile(code, path, "exec")
    assert code.startswith("import explorer\n")


def test_the_pages_lead_to_one_another_and_keep_the_run(reader):
    reader.open(f"?{urlencode({'text': CAT, 'source': 'scratch'})}").painted()
    for name, done in (
        *(("Step by step", "input"), ("Compare", " | "), ("Heads", "previous"), ("Explore", "")),
    ):
        reader.page.get_by_test_id("stTopNavLink").get_by_text(name, exact=True).click()
        reader.page.wait_for_function("name => document.title.startsWith(name)", arg=name)
        reader.painted(done) if done else reader.page.locator(".ax-text").wait_for()
        stands_at(reader.page, "**source=scratch**")
