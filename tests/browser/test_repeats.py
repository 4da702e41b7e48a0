"""Induction and its kin on the page of all heads, as people see it."""

from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.analysis.induction import repeat_scores, repeats_in
from explorer.run import Run
from explorer.source import Stories
from explorer.sources import trace_run
from explorer.sources.repeats import repetitions
from tests.browser.conftest import Reader, stands_at

STORY = "Mia and Tom live near the garden. Mia has a ball. Tom has a cat."
RUN = Run(STORY, source=Stories())


def panel(reader):
    return reader.page.locator(".ax-repeats")


def rows(reader):
    return panel(reader).locator("tbody tr")


def open_story(reader, **query):
    asked = urlencode({"source": "stories", "text": STORY} | query)
    return reader.open(f"?{asked}", "heads").painted(timeout=120_000)


def name(head, n_heads):
    return f"L{head // n_heads}·H{head % n_heads}"


@pytest.fixture(scope="module")
def found():
    return repeat_scores(repetitions(RUN)), repeats_in(trace_run(RUN))


def test_heads_of_a_decoder_are_told_beside_the_readers_text(reader, found, tmp_path, screens):
    repeats, own = found
    open_story(reader)
    expect(rows(reader)).to_have_count(0)  # nothing is measured before it is asked for
    panel(reader).locator("summary").click(position={"x": 4, "y": 8})
    mean, spread = repeats.mean("induction"), repeats.spread("induction")
    best = int(mean.argmax())
    at = np.unravel_index(best, mean.shape)
    row = rows(reader).first
    expect(row.locator(".ax-link")).to_have_text(name(best, mean.shape[1]))
    numbers = row.locator(".ax-number")
    expect(numbers.nth(0)).to_have_text(f"{mean[at]:.3f} ± {spread[at]:.3f}")
    expect(numbers.nth(1)).to_have_text(f"{own.shares['induction'][at]:.3f}")
    stands_at(reader.page, "**repeats=induction**")

    panel(reader).get_by_text("token before", exact=True).click()
    before = repeats.mean("previous")
    expect(row.locator(".ax-link")).to_have_text(name(int(before.argmax()), mean.shape[1]))
    even = f"(evenly: {repeats.even['previous'][0]:.3f})"
    expect(panel(reader).locator(".ax-repeats-says")).to_contain_text(even)

    reader.page.locator(".ax-save summary").click()
    with reader.page.expect_download() as caught:
        reader.page.get_by_role("button", name="HTML", exact=True).click()
    caught.value.save_as(tmp_path / "heads.html")
    said = panel(reader).locator(".ax-repeats-says").inner_text()
    with screens(offline=True) as page:
        other = Reader(page, type("Disk", (), {"url": "file://"}))
        page.goto((tmp_path / "heads.html").as_uri())
        expect(panel(other).locator(".ax-repeats-says")).to_have_text(said, use_inner_text=True)
        expect(panel(other).get_by_role("button", name="Explore")).to_have_count(0)
        panel(other).get_by_text("induction", exact=True).click()
        expect(rows(other).first.locator(".ax-link")).to_have_text(name(best, mean.shape[1]))
    assert not other.errors
    assert not other.outside


def test_a_link_opens_the_scores_and_the_random_tokens_are_one_click_away(reader, found):
    repeats, _ = found
    open_story(reader, repeats="induction")
    expect(rows(reader).first).to_be_visible()
    panel(reader).get_by_role("button", name="See the random tokens in Explore").click()
    reader.page.locator(".ax-text").wait_for()
    best = int(repeats.mean("induction").argmax())
    layer, head = divmod(best, repeats.n_heads)
    stands_at(reader.page, f"**layer={layer}&heads={head}**")
    middle = repeats.n_tokens - repeats.length // 2
    stands_at(reader.page, f"**query={middle}&key={middle - repeats.length + 1}**")
    expect(reader.head(layer, head)).to_have_attribute("aria-pressed", "true")


def test_what_reads_in_both_directions_has_no_such_panel(reader):
    reader.open(f"?{urlencode({'text': STORY, 'repeats': 'induction'})}", "heads")
    reader.painted(timeout=120_000)
    expect(reader.page.locator(".ax-head-ranks > li").first).to_be_visible()
    expect(panel(reader)).to_be_hidden()
