"""8,192 tokens under the hand: every number that a reader meets is the model's own, in float64."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from explorer.instrument.wire.longtext import levels
from tests.browser.conftest import Reader
from tests.browser.test_heat_depth import Heat
from tests.browser.test_instrument import digits, near, wait_pinned
from tests.browser.test_reading_long import (
    find,
    found_now,
    in_sight,
    strip,
    wait_in_sight,
    wait_told,
)
from tests.models.long_text import RARE, long_bert, story

N = 8192
TEXT = story(N)
WORD, LATE = 40, N - 5  # tokens: one in sight at first, one at the end
# Weights below 1 over log-sum-exps that the server adds up in float32, of scores up to 20.
NEAR = 2e-6


FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def folder(app):
    folder = app.folder / "long"
    folder.mkdir()
    return long_bert(folder)


@pytest.fixture(scope="module")
def trace(folder):
    found = explorer.trace(TEXT, source=f"path:{folder}")
    assert (len(found.tokens), found.n_cut) == (N, (0,))
    return found


def rows_of(trace, layer, head, queries):
    """Rows of a head, from its q and k in double precision, ``[query, key]``."""
    kept = trace.layer(layer)
    scores = kept.rule.scale * kept.q[head][queries].astype(float) @ kept.k[head].astype(float).T
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def whole(trace):
    """Head 0 of layer 0, read once: a column, the sums of all, and the maps between groups."""
    received, column, bands = np.zeros(N), np.zeros(N), {"sum": [], "max": []}
    starts = levels(trace)[0]["sentence"]
    for begin, end in zip(starts, [*starts[1:], N], strict=True):
        rows = rows_of(trace, 0, 0, slice(begin, end))
        received += rows.sum(axis=0) / N
        column[begin:end] = rows[:, WORD]
        bands["sum"].append(np.add.reduceat(rows.sum(axis=0), starts))
        bands["max"].append(np.maximum.reduceat(rows.max(axis=0), starts))
    sums, tops = (np.array(band) for band in bands.values())
    return SimpleNamespace(received=received, column=column, sums=sums, tops=tops)


@pytest.fixture(scope="module")
def opened(app, screens, folder):
    """The app with the text in it; it is opened once."""
    with screens() as page, Reader(page, app) as reader:
        reader.open(f"?source=path:{folder}&text=the+sea.").painted()
        reader.run(TEXT)
        reader.token(100).wait_for(timeout=120_000)
        yield reader
    assert not reader.errors
    assert not reader.outside


@pytest.fixture
def book(opened):
    """A reader of the text, at its beginning, who has chosen head 0 of layer 0 and nothing else."""
    clear = opened.page.get_by_role("button", name="Clear")
    if clear.is_enabled():
        clear.click()
    opened.switch("looks at").click()
    opened.switch("sentences").click()
    opened.head(0, 0).click()
    opened.page.mouse.move(5, 5)
    says(opened, "L0·H0: point at a word")
    opened.page.locator(".ax-text").evaluate("text => { text.scrollTop = 0; }")
    opened.token(0).wait_for()
    return opened


def says(reader, sentence):
    expect(reader.page.locator(".ax-says")).to_contain_text(sentence, timeout=20_000)


def said(trace, name, who, row, looks="looks most at"):
    """A sentence with the three largest numbers of a row."""
    best = np.argsort(-row)[:3]
    named = ", then ".join(f"{trace.tokens[i].text} ({digits(row[i])})" for i in best)
    return f"{name}: {who} {looks} {named}"


def looks(trace, layer, head, token):
    row = rows_of(trace, layer, head, [token])[0]
    return said(trace, f"L{layer}·H{head}", trace.tokens[token].text, row)


# --- one word -------------------------------------------------------------------------------------


def test_a_word_under_the_pointer_is_told_in_a_sentence_with_three_numbers(book, trace):
    for token in (WORD, 0, 101):
        book.token(token).hover()
        says(book, looks(trace, 0, 0, token) + ".")
    assert book.page.locator(".ax-token").count() < 1000, "of the text what is near the sight"


def test_who_looks_at_a_word_is_told_with_its_share_of_all_attention(book, trace, whole):
    book.switch("is looked at by").click()
    book.page.evaluate(FRAMES)  # a pointer that is faster than a frame would find the old view
    book.token(WORD + 1).hover()  # a hand comes from somewhere
    book.token(WORD).hover()
    share = float(f"{100 * whole.received[WORD]:.2g}")
    assert share < 0.1, "less than a thousandth: two digits of it are told"
    who = f"L0·H0: {trace.tokens[WORD].text} is looked at most by"
    best = np.argsort(-whole.column)[:3]
    named = ", then ".join(f"{trace.tokens[i].text} ({digits(whole.column[i])})" for i in best)
    says(book, f"{who} {named}; it gets {share} % of all {N:,} tokens’ attention.")


def test_a_pinned_word_is_asked_of_every_head_that_is_chosen(book, trace):
    book.token(WORD).click()
    book.page.mouse.move(5, 5)
    wait_pinned(book, [trace.tokens[WORD].text], [])
    for layer, head in ((0, 3), (1, 2), (1, 0)):
        book.head(layer, head).click()
        book.page.mouse.move(5, 5)
        says(book, looks(trace, layer, head, WORD))


def test_the_table_of_a_pinned_word_holds_the_numbers_of_its_row(book, trace):
    book.token(WORD).click()
    book.page.mouse.move(5, 5)
    table = book.page.locator(".ax-panel-reading .ax-table")
    table.locator("summary").click()
    table.get_by_role("button", name="weight", exact=True).click()
    cells = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    table.locator("summary").click()
    row = rows_of(trace, 0, 0, [WORD])[0]
    assert len(cells) == 100
    best = np.sort(row)[::-1]
    for (place, text, weight), right in zip(cells, best, strict=False):
        assert text == trace.tokens[int(place)].text
        assert near(weight, row[int(place)])
        assert near(weight, right)


# --- the whole text -------------------------------------------------------------------------------


def test_the_strip_leads_to_the_end_whose_words_answer_at_once(book, trace):
    bar = strip(book)
    bar.focus()
    book.page.keyboard.press("End")
    wait_in_sight(book, N - 1)
    expect(book.token(0)).to_have_count(0)
    assert book.page.locator(".ax-token").count() < 1300
    book.token(LATE).hover()
    says(book, looks(trace, 0, 0, LATE))
    bar.focus()
    book.page.keyboard.press("Home")
    wait_in_sight(book, 0)


def test_a_word_is_found_wherever_it_stands_and_pinned(book, trace):
    places = [i for i, token in enumerate(trace.tokens) if token.text == RARE]
    assert len(places) > 2
    find(book, RARE)
    wait_told(book, f"1 of {len(places)}")
    assert found_now(book) == places[:1]
    book.page.keyboard.press("Enter")
    wait_told(book, f"2 of {len(places)}")
    assert found_now(book) == [places[1]]
    assert places[1] in in_sight(book)
    book.page.get_by_role("button", name="Pin", exact=True).click()
    book.page.mouse.move(5, 5)
    says(book, looks(trace, 0, 0, places[1]))
    book.page.get_by_role("button", name="Pin all").click()
    book.page.mouse.move(5, 5)
    mean = rows_of(trace, 0, 0, places).mean(axis=0)
    who = f"{' '.join([RARE] * len(places))}, on average,"
    says(book, said(trace, "L0·H0", who, mean, "look most at"))
    book.page.keyboard.press("Escape")


# --- maps -----------------------------------------------------------------------------------------


def sums_of(trace, whole, level):
    """What groups of a level give to each other, on average over their tokens."""
    starts, sentences = (levels(trace)[0][name] for name in (level, "sentence"))
    at = np.searchsorted(sentences, starts)
    sums = np.add.reduceat(np.add.reduceat(whole.sums, at, axis=0), at, axis=1)
    return sums / np.diff([*starts, N])[:, None]


def test_the_map_of_sentences_and_that_of_paragraphs_are_the_sums_of_all_weights(
    book, trace, whole
):
    heat = Heat(book)
    _, found = heat.whole().csv()
    assert np.abs(found - sums_of(trace, whole, "sentence")).max() < NEAR
    book.switch("strongest").click()
    _, found = heat.whole().csv()
    assert np.abs(found - whole.tops).max() < NEAR
    book.switch("sum").click()
    book.switch("paragraphs").click()
    book.page.locator(".ax-under", has_text="a paragraph looking at a paragraph").wait_for()
    _, found = heat.whole().csv()
    assert np.abs(found - sums_of(trace, whole, "paragraph")).max() < NEAR


def test_the_map_is_zoomed_down_to_single_weights_that_are_read_and_pinned(book, trace):
    heat = Heat(book)
    heat.page.mouse.dblclick(*heat.at(300, 20))
    while heat.sight()[2] > 8:
        heat.nearer()
    row, column, count = heat.whole().sight()
    rows = rows_of(trace, 0, 0, slice(row, row + count))
    _, found = heat.whole().csv()
    assert np.abs(found - rows[:, column : column + count]).max() < NEAR
    heat.stage.evaluate("stage => stage.scrollIntoView({ block: 'center' })")
    best = int(np.argmax(rows[:, column : column + count]))
    query, key = row + best // count, column + best % count
    heat.page.mouse.move(*heat.at(query, key))
    weight = digits(rows[query - row, key])
    one, other = trace.tokens[query].text, trace.tokens[key].text
    says(book, f"L0·H0: {one} looks at {other} with weight {weight}.")
    heat.page.mouse.click(*heat.at(query, key))
    heat.page.mouse.move(5, 5)
    wait_pinned(book, [one], [other])
    heat.nearer("0")
    assert heat.level() == "map"


# --- left, and found again ------------------------------------------------------------------------


def test_a_page_that_was_left_shows_the_long_text_again(book, trace):
    book.page.get_by_role("link", name="Guide").click()
    expect(book.page.get_by_role("heading", name="Where the numbers come from")).to_be_visible()
    book.page.get_by_role("link", name="Explore").click()
    book.painted()
    book.token(WORD - 1).hover()
    book.token(WORD).hover()
    says(book, looks(trace, 0, 0, WORD))


# --- taken away -----------------------------------------------------------------------------------


def test_a_page_of_two_heads_says_the_same_offline(book, from_disk, trace, whole, tmp_path):
    book.head(0, 3).click(modifiers=["Shift"])
    book.token(WORD).click()
    book.page.mouse.move(5, 5)
    mean = np.mean([rows_of(trace, 0, head, [WORD])[0] for head in (0, 3)], axis=0)
    sentence = said(trace, "L0, mean of H0, H3", trace.tokens[WORD].text, mean)
    says(book, sentence)
    book.page.locator(".ax-save summary").click()
    with book.page.expect_download() as waiting:
        book.page.locator(".ax-menu button", has_text=re.compile("^These 2 heads")).click()
    book.page.locator(".ax-save summary").click()
    path = tmp_path / "attention.html"
    waiting.value.save_as(path)
    other = from_disk(path)
    says(other, sentence)
    other.head(0, 3).click()
    says(other, looks(trace, 0, 3, WORD))
    other.head(0, 0).click()
    other.switch("paragraphs").click()
    _, found = Heat(other).whole().csv()
    assert np.abs(found - sums_of(trace, whole, "paragraph")).max() < NEAR
    other.head(1, 1).click()
    says(other, re.compile("This file does not hold layer 1"))
