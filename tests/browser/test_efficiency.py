"""Efficiency, as people see it: budgets, heads, what is really put in place, what it costs."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from explorer.analysis.survival import survival
from explorer.cheaper import Cheap
from explorer.run import Run
from explorer.sources.replacing import replace_heads
from tests.browser.conftest import Reader

CAT = "The cat sat on the mat because it was tired."


def open_page(reader, **query):
    reader.open(f"?{urlencode({'text': CAT} | query)}", "efficiency")
    return reader.painted("maps whole", timeout=120_000)


@pytest.fixture(scope="module")
def opened(app, screens):
    """A reader of the first text, for tests that leave it as they found it."""
    with screens(viewport={"width": 1280, "height": 720}) as page, Reader(page, app) as someone:
        yield open_page(someone, layer=1, heads=8)
    assert not someone.errors
    assert not someone.outside


def test_the_sentence_and_the_table_say_what_the_library_finds(opened):
    found = survival(explorer.trace(CAT))
    kept = found.curves["window"].at(1)
    opened.wait_says(f"L1·H8 with a window of 1 to each side: {100 * kept[1, 8]:.0f} %")
    opened.wait_says(f"mean of all heads {100 * kept.mean():.0f} %")
    opened.page.get_by_label("Way", exact=True).select_option("top")
    opened.painted("top 2 L1·H8 maps")
    kept = found.curves["top"].at(2)
    opened.wait_says(f"L1·H8 with the 2 largest of each row: {100 * kept[1, 8]:.0f} %")
    slider = opened.page.get_by_label("Budget", exact=True)
    slider.press("ArrowRight")
    opened.painted("top 3 L1·H8 maps")
    opened.page.wait_for_url(re.compile(r"way=top.*budget=3|budget=3.*way=top"))
    slider.press("ArrowLeft")
    opened.page.get_by_label("Way", exact=True).select_option("window")
    opened.painted("window 1 L1·H8 maps")


def test_what_is_put_in_place_is_what_the_library_does(opened):
    page = opened.page
    page.get_by_role("button", name="Replace L1·H8").click()
    row = page.locator(".ax-eff-put tbody tr")
    expect(row).to_have_count(1, timeout=60_000)
    put = replace_heads(Run(CAT), Cheap("window", 1), ((1, 8),))
    expect(row.first).to_contain_text("L1·H8")
    expect(row.first).to_contain_text(f"{put.pooled:.4f}")
    expect(row.first).to_contain_text(f"{put.cosine.min():.4f}")
    page.get_by_role("button", name="Replace all heads").click()
    expect(row).to_have_count(2, timeout=60_000)
    expect(row.first).to_contain_text("all 72 heads")


def test_a_head_is_kept_by_click_and_keys_and_leads_to_explore(reader):
    open_page(reader, layer=0, heads=0)
    canvas = reader.page.get_by_role("img", name=re.compile("What survives of every head"))
    canvas.focus()
    canvas.press("ArrowRight")
    reader.painted("L0·H1 maps")
    reader.page.wait_for_url("**heads=1**")
    canvas.press("Enter")
    reader.page.wait_for_function("document.title.startsWith('Explore')")
    reader.page.wait_for_url("**heads=1**")


def test_a_decoder_says_what_it_cannot_be_and_how_far_its_predictions_move(reader):
    open_page(reader, source="stories", text="Mia has a red ball.")
    page = reader.page
    expect(page.get_by_text("Not landmarks: A token may not look at all others")).to_have_count(1)
    page.get_by_role("button", name="Replace all heads").click()
    row = page.locator(".ax-eff-put tbody tr").first
    expect(row).to_contain_text(re.compile(r"\d\.\d{4} bits"), timeout=60_000)


def test_where_each_way_pays_can_be_measured(reader):
    open_page(reader)
    page = reader.page
    page.get_by_text("Experiment: where does each pay?").click()
    page.get_by_role("button", name="Measure now").click()
    expect(page.get_by_text("The slope is that of time")).to_have_count(1, timeout=120_000)
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2)


def test_a_text_that_is_too_long_or_of_two_sides_is_refused_with_its_reason(reader):
    reader.open(f"?{urlencode({'text': 'word ' * 900, 'source': 'scratch'})}", "efficiency")
    said = reader.page.get_by_text("Efficiency takes texts of at most 768 tokens")
    expect(said).to_have_count(1, timeout=60_000)


def test_a_saved_file_opens_alone_at_the_same_view(reader, tmp_path):
    open_page(reader, way="rank", budget=2, layer=3, heads=1)
    menu = reader.page.locator(".ax-save:visible").first
    menu.locator("summary").click()
    with reader.page.expect_download() as waiting:
        menu.get_by_role("button", name="HTML").click()
    file = tmp_path / "efficiency.html"
    waiting.value.save_as(file)
    page = reader.page.context.new_page()
    page.goto(file.as_uri())
    page.locator('.ax[data-painted*="rank 2 L3·H1 maps"]').wait_for()
    kept = survival(explorer.trace(CAT)).curves["rank"].at(2)[3, 1]
    expect(page.locator(".ax-says")).to_contain_text(f"rank 2: {np.round(100 * kept):.0f} %")
    expect(page.get_by_role("button", name="Replace")).to_have_count(0)
    page.close()
