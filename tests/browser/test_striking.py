"""Worth a look, in a real browser: what is told, and that a click leads there."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

import explorer
from explorer.analysis.striking import striking

CAT = "The cat sat on the mat because it was tired."
LONGER = (
    "The old lighthouse had not been lit for thirty years. Its keeper, a quiet woman named Ada, "
    "still climbed the stairs every evening, because she liked to watch the ships. "
)


def params(url):
    return parse_qs(urlsplit(url).query).items()


def lines(reader):
    return reader.page.locator(".ax-striking .ax-worth")


def line(reader, words):
    return lines(reader).filter(has_text=words)


@pytest.fixture(scope="module")
def found():
    return striking(explorer.trace(CAT)).findings


def test_a_first_visit_lists_what_is_worth_a_look_without_asking_for_it(reader, found):
    reader.open().painted()
    heads = [f"L{f.layer}·H{f.head}" for f in found]
    expect(lines(reader)).to_have_text(
        [re.compile(rf"^{head}\s") for head in heads], use_inner_text=True
    )
    (pair,) = [f for f in found if (f.layer, f.head) == (3, 1)]
    times = f"{pair.number / pair.baselines['others']:.1f}"
    words = f"L3·H1 links it → cat {times} times as much as other words do"
    expect(line(reader, "it → cat")).to_have_text(words, use_inner_text=True)


def test_a_click_on_a_finding_moves_the_picture_there_and_marks_it(reader):
    reader.open().painted()
    line(reader, "it → cat").click()
    reader.painted("3.1")
    reader.wait_says("L3·H1: it looks at cat with weight 0.492")
    place = {"layer": ["3"], "heads": ["1"], "query": ["8"], "key": ["2"]}
    reader.page.wait_for_url(lambda url: place == {k: v for k, v in params(url) if k in place})
    expect(line(reader, "it → cat")).to_have_attribute("aria-current", "true")
    line(reader, "the token before").focus()
    reader.page.keyboard.press("Enter")
    reader.painted("0.2")
    reader.wait_says("L0·H2: it looks at cat")
    expect(line(reader, "the token before")).to_have_attribute("aria-current", "true")
    expect(line(reader, "it → cat")).not_to_have_attribute("aria-current", "true")


def test_a_longer_text_is_looked_through_after_its_picture_is_there(reader):
    text = LONGER * 3
    reader.open(f"?{urlencode({'text': text})}").painted()
    lines(reader).first.wait_for()
    told = [text.split()[0] for text in lines(reader).all_inner_texts()]
    found = striking(explorer.trace(text)).findings
    assert told == [f"L{f.layer}·H{f.head}" for f in found]


def test_random_weights_are_told_to_be_noise(reader):
    reader.open(f"?{urlencode({'text': CAT, 'source': 'scratch'})}").painted()
    panel = reader.page.locator(".ax-striking")
    panel.get_by_text("Random weights: nothing but noise. Train it.").wait_for()
    expect(lines(reader)).to_have_count(0)


def test_the_head_that_matters_most_is_found_by_switching_each_off_when_asked(reader):
    reader.open().painted()
    before = lines(reader).count()
    reader.page.get_by_role("button", name="Which head matters most?").click()
    line(reader, "matters most").wait_for(timeout=60_000)
    expect(lines(reader)).to_have_count(before + 1)
    line(reader, "matters most").click()
    head = line(reader, "matters most").inner_text().split()[0]
    reader.wait_says(f"{head}: it looks most at")


def test_a_saved_file_keeps_what_is_worth_a_look(page_from_disk, found):
    reader = page_from_disk(explorer.trace(CAT))
    expect(lines(reader)).to_have_count(len(found))
    line(reader, "it → cat").click()
    reader.wait_says("L3·H1: it looks at cat with weight 0.492")
    expect(reader.page.get_by_role("button", name="Which head matters most?")).to_have_count(0)


def test_a_words_own_markup_stays_text_in_a_finding(page_from_disk):
    text = (
        "The <b>cat</b> sat on the <b>mat</b> because the <b>cat</b> was tired of the <b>mat</b>."
    )
    reader = page_from_disk(explorer.trace(text))
    expect(reader.page.locator(".ax-text")).to_contain_text("<b>", use_inner_text=True)
    parts = reader.page.locator(".ax-worth > :is(strong, .ax-of)")
    expect(lines(reader).locator("*")).to_have_count(parts.count())
