"""What holds on every page: no barrier, nothing taken for markup, nothing over the edge."""

from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import IDLE

CAT = "The cat sat on the mat because it was tired."
MARKUP = "<b>$x$</b> **bold** [a](http://x.y) <script>boom()</script> =1+1"
PAGES = {
    "step": {"text": CAT, "layer": "3", "heads": "1", "query": "8", "stage": "6", "scale": "0"},
    "train": {},
    "compare": {"text": CAT, "b_text": CAT.replace("cat", "dog"), "b_source": "bert"},
    "heads": {"text": f"{CAT}\n{CAT.replace('cat', 'dog')}", "lines": "1", "pairs": "0-8-2"},
    "explain": {"text": CAT, "target": "vector", "at": "8", "off": "5-11"},
}
DONE = {
    "step": "softmax",
    "train": "step 300",
    "compare": " | ",
    "heads": "pointed",
    "explain": "attention",
}


ARRAYS = {"step": "w_q", "train": "history_weights", "compare": "distance"}
ARRAYS |= {"heads": "pointed_weight", "explain": "scores"}
FILES = {
    "step": "all-minilm-l6-v2-the-cat-sat-on-the-mat-steps-layer-3.npz",
    "train": "copy-the-previous-token-e-d-a-c-e-h-i-i-d-f-i-g.npz",
    "compare": "all-minilm-l6-v2-the-cat-sat-on-the-mat-and-"
    "all-minilm-l6-v2-the-dog-sat-on-the-mat.npz",
    "heads": "all-minilm-l6-v2-the-cat-sat-on-the-mat-heads.npz",
    "explain": "all-minilm-l6-v2-the-cat-sat-on-the-mat-explain.npz",
}


def open_page(reader, path, **more):
    reader.open(f"?{urlencode(PAGES[path] | more)}", path).painted(DONE[path])
    reader.page.wait_for_function(IDLE)


@pytest.mark.parametrize("reader", [{"color_scheme": c} for c in ("light", "dark")], indirect=True)
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_serious_barrier(reader, path):
    open_page(reader, path)
    if path == "step":
        reader.page.get_by_text("The proof: our layer").click()
        reader.page.get_by_text("the same machine").wait_for()
    if path == "explain":
        reader.page.get_by_text("How far any two methods agree").click()
        reader.page.get_by_text("All numbers as a table").click()
    if path == "compare":
        reader.page.get_by_text("The largest differences as a table").click()
    assert reader.barriers() == []


@pytest.mark.parametrize("path", ["step", "compare", "heads", "explain"])
def test_text_that_looks_like_markup_stays_text(reader, path):
    scratch = {"source": "scratch", "b_source": "scratch", "b_text": MARKUP + " x"}
    bert = {"target": "like", "other": MARKUP, "source": "bert"}
    open_page(reader, path, text=MARKUP, **(bert if path == "explain" else scratch))
    main = reader.page.locator("[data-testid=stMain]")
    assert main.locator(".ax :is(b, script, a)", has_text="x").count() == 0
    assert main.locator(".ax .katex, a[href*='x.y']").count() == 0
    assert "<script>" in reader.page.locator("textarea").first.input_value()


@pytest.mark.parametrize(
    "reader", [{"viewport": {"width": 390, "height": 844}, "has_touch": True}], indirect=True
)
@pytest.mark.parametrize("path", PAGES)
def test_on_a_phone_nothing_is_wider_than_the_screen(reader, path):
    open_page(reader, path)
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("path", PAGES)
def test_every_page_saves_in_every_form_under_a_name_that_says_whose_it_is(reader, path):
    open_page(reader, path)
    menu = reader.page.locator(".ax-save:visible").first
    menu.locator("summary").click()
    for form in ("SVG", "PDF", "PNG", "CSV", "HTML"):
        form = "Layer 0" if (path, form) == ("train", "HTML") else form
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
        reader.page.wait_for_url("**source=scratch**")
