"""What holds on every page: no barrier, nothing taken for markup, nothing over the edge."""

import re
from urllib.parse import urlencode

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
    expect(main.locator(".ax :is(b, script, a)", has_text="x")).to_have_count(0)
    expect(main.locator(".ax .katex, a[href*='x.y']")).to_have_count(0)
    expect(reader.page.locator("textarea").first).to_have_value(re.compile("<script>"))


@pytest.mark.parametrize(
    "reader", [{"viewport": {"width": 390, "height": 844}, "has_touch": True}], indirect=True
)
@pytest.mark.parametrize("path", PAGES)
def test_on_a_phone_nothing_is_wider_than_the_screen(reader, path):
    open_page(reader, path)
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_pages_lead_to_one_another_and_keep_the_run(reader):
    reader.open(f"?{urlencode({'text': CAT, 'source': 'scratch'})}").painted()
    for name, done in (
        *(("Step by step", "input"), ("Compare", " | "), ("Heads", "previous"), ("Explore", "")),
    ):
        reader.page.get_by_test_id("stTopNavLink").get_by_text(name, exact=True).click()
        reader.page.wait_for_function("name => document.title.startsWith(name)", arg=name)
        reader.painted(done) if done else reader.page.locator(".ax-text").wait_for()
        reader.page.wait_for_url("**source=scratch**")
