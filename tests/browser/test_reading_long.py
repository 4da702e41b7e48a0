"""The reading view of long texts: what is in the page, the strip beside it, and finding words."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from explorer.layers import FromScores, ScoreRule
from explorer.trace import AttentionTrace, ModelInfo, Token
from tests.browser.test_instrument import CAT, wait_pinned

SAID = (
    "Chapter {}. The old lighthouse had not been lit for thirty years, and nobody knew why. Once a "
    "red door opened in the cliff, and a woman with a lantern came out. She looked for the key "
    "that the keeper had lost. Nobody answered, for nobody was there. The sea went on as always.{}"
)
CHAPTERS = 40
LAST = "Then a dragon came."
TEXT = "".join(SAID.format(i, "\n\n" if i % 3 == 0 else " ") for i in range(CHAPTERS)) + LAST


@pytest.fixture(scope="module")
def trace():
    """One head over so many words that few of them are in the page."""
    spans = [found.span() for found in re.finditer(r"\w+|[^\w\s]", TEXT)]
    tokens = tuple(
        Token(TEXT[slice(*span)], span, word, 0, special=False) for word, span in enumerate(spans)
    )
    n = len(tokens)
    assert n > 2000
    q, k = np.random.default_rng(3).normal(size=(2, 1, n, 8)).astype(np.float32)
    info = ModelInfo("random", None, 1, 1, 8, n)
    return AttentionTrace(info, (TEXT,), tokens, tokens, (FromScores(0, q, k, ScoreRule(0.5)),))


@pytest.fixture
def book(page_from_disk, trace):
    """A reader of the long text."""
    return page_from_disk(trace, opening={"scale": "row"})


IN_SIGHT = """body => {
  const box = body.getBoundingClientRect();
  return [...body.querySelectorAll('[data-token]')].map(token => {
    const { top, bottom } = token.getBoundingClientRect();
    return [Number(token.dataset.token), top - box.top, bottom - box.top];
  }).filter(([, top, bottom]) => top >= -1 && bottom <= box.height + 1);
}"""


def in_sight(reader):
    """The tokens that are seen, and how far from the upper edge."""
    found = reader.page.locator(".ax-text").evaluate(IN_SIGHT)
    return {int(token): top for token, top, _ in found}


def wait_in_sight(reader, token):
    reader.page.wait_for_function(
        f"([body, i]) => ({IN_SIGHT})(body).some(([token]) => token === i)",
        arg=[reader.page.locator(".ax-text").element_handle(), token],
    )


def scroll_to(reader, top):
    """Scroll, and wait until that is seen."""
    reader.page.locator(".ax-text").evaluate(
        """(body, top) => new Promise(done => {
          body.scrollTop = top;
          requestAnimationFrame(() => requestAnimationFrame(done));
        })""",
        top,
    )


# --- what is in the page --------------------------------------------------------------------------


def test_of_a_long_text_only_what_is_near_the_sight_is_in_the_page(book, trace):
    tokens = book.page.locator(".ax-text [data-token]")
    n = len(trace.query_tokens)
    assert tokens.count() < 1000
    book.token(0).wait_for()
    scroll_to(book, 1e6)
    wait_in_sight(book, n - 1)
    expect(book.token(0)).to_have_count(0)
    assert tokens.count() < 1300
    text = book.page.locator(".ax-text").inner_text()
    assert text.rstrip().endswith(LAST)


def test_scrolling_never_jumps_when_what_is_above_comes_into_the_page(book):
    scroll_to(book, 1e6)
    before = in_sight(book)
    for _ in range(25):
        top = book.page.locator(".ax-text").evaluate("body => body.scrollTop")
        scroll_to(book, top - 90)
        now = in_sight(book)
        both = before.keys() & now.keys()
        assert both
        assert all(abs(now[i] - before[i] - 90) <= 1.5 for i in both)
        before = now


def test_every_token_is_read_once_from_the_first_to_the_last(book, trace):
    seen = {}
    text = book.page.locator(".ax-text")
    for _ in range(40):
        shown = text.locator("[data-token]").evaluate_all(
            "tokens => tokens.map(t => [Number(t.dataset.token), t.textContent])"
        )
        seen |= {int(i): said for i, said in shown}
        if len(seen) == len(trace.query_tokens):
            break
        scroll_to(book, text.evaluate("body => body.scrollTop + 300"))
    assert [seen[i] for i in range(len(seen))] == [t.text for t in trace.query_tokens]


def test_what_comes_into_sight_is_shaded_like_what_was_there(book, trace):
    book.token(3).click()
    book.page.mouse.move(5, 5)
    row = trace.layers[0].rows(0, np.array([3]))[0]
    for top in (0, 700, 1500):
        scroll_to(book, top)
        shown = book.page.locator(".ax-text [data-token]").evaluate_all(
            "tokens => tokens.map(t => [Number(t.dataset.token), t.className])"
        )
        seen = in_sight(book)
        tones = {int(i): re.search(r"ax-tone(\d+)", c) for i, c in shown if int(i) in seen}
        assert len(tones) > 50
        for i, tone in tones.items():
            assert tone, f"token {i} wears no shade"
            assert abs(int(tone[1]) - 24 * row[i] / row.max()) <= 0.51


def test_the_arrow_keys_walk_into_what_is_not_in_the_page_yet(book):
    text = book.page.locator(".ax-text")
    text.focus()
    for _ in range(400):
        book.page.keyboard.press("ArrowRight")
    book.page.locator(".ax-token.ax-here[data-token='399']").wait_for()
    assert 399 in in_sight(book)
    scroll_to(book, 1e6)
    book.page.keyboard.press("ArrowLeft")
    book.page.locator(".ax-token.ax-here[data-token='398']").wait_for()
    assert 398 in in_sight(book)


def test_on_paper_the_whole_text_is_there_and_after_it_the_place_that_was_read(book, trace):
    scroll_to(book, 1200)
    before = min(in_sight(book))
    tokens = book.page.locator(".ax-text [data-token]")
    book.page.emulate_media(media="print")
    book.page.wait_for_function(
        "([body, n]) => body.querySelectorAll('[data-token]').length === n",
        arg=[book.page.locator(".ax-text").element_handle(), len(trace.query_tokens)],
    )
    book.page.emulate_media(media="screen")
    wait_in_sight(book, before)
    assert tokens.count() < 1300


# --- the strip ------------------------------------------------------------------------------------


def strip(book):
    return book.page.get_by_role("slider", name="Place in the text")


# Below the frame, which stands at the upper end here.
DARKEST = """(canvas, body) => {
  const context = canvas.getContext('2d');
  const x = Math.floor(canvas.width / 2);
  const { data } = context.getImageData(x, 0, 1, canvas.height);
  const sum = y => data[4 * y] + data[4 * y + 1] + data[4 * y + 2];
  const from = Math.ceil(canvas.height * body.clientHeight / body.scrollHeight) + 2;
  let best = from;
  for (let y = from; y < canvas.height; y++) if (sum(y) < sum(best)) best = y;
  return (best + 0.5) * (canvas.clientHeight / canvas.height);
}"""


def test_the_strip_shows_where_the_attention_of_what_is_pinned_goes_and_leads_there(book, trace):
    strongest = trace.layers[0].rows(0, np.arange(60)).argmax(axis=-1)
    looking = int(np.argmax(strongest > 1000))
    book.token(looking).click()
    book.page.mouse.move(5, 5)
    assert strongest[looking] not in in_sight(book)
    text = book.page.locator(".ax-text")
    y = strip(book).locator("canvas").evaluate(DARKEST, text.element_handle())
    strip(book).click(position={"x": 9, "y": y})
    wait_in_sight(book, int(strongest[looking]))


def test_the_strip_is_worked_by_the_keyboard_and_says_where_it_is(book, trace):
    n = len(trace.query_tokens)
    bar = strip(book)
    expect(bar).to_have_attribute("aria-valuenow", "0")
    bar.focus()
    book.page.keyboard.press("End")
    wait_in_sight(book, n - 1)
    expect(bar).to_have_attribute("aria-valuenow", "100")
    assert re.fullmatch(rf"tokens \d+ to \d+ of {n:,}", bar.get_attribute("aria-valuetext"))
    last = max(in_sight(book))
    book.page.keyboard.press("PageUp")
    book.page.wait_for_function("bar => Number(bar.ariaValueNow) < 100", arg=bar.element_handle())
    assert max(in_sight(book)) < last
    book.page.keyboard.press("Home")
    wait_in_sight(book, 0)


def test_dragging_and_the_wheel_on_the_strip_scroll_the_text(book):
    bar = strip(book)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    x, middle = box["x"] + 9, box["y"] + box["height"] / 2
    book.page.mouse.move(x, box["y"] + 5)
    book.page.mouse.down()
    book.page.mouse.move(x, middle, steps=4)
    book.page.mouse.up()
    book.page.wait_for_function(
        "bar => Math.abs(Number(bar.ariaValueNow) - 50) < 6", arg=bar.element_handle()
    )
    before = float(bar.get_attribute("aria-valuenow"))
    book.page.mouse.wheel(0, 200)
    book.page.wait_for_function(
        "([bar, before]) => Number(bar.ariaValueNow) > before", arg=[bar.element_handle(), before]
    )


def test_a_text_that_fits_has_no_strip(show):
    reader = show(CAT, layer=3, heads=1)
    expect(reader.page.locator(".ax-minimap")).to_be_hidden()


# --- finding words --------------------------------------------------------------------------------


def find(reader, words):
    """Open the box as in any program, and type."""
    reader.page.locator(".ax-text").hover()
    reader.page.keyboard.press("Control+f")
    reader.page.get_by_role("textbox", name="Find in the text").fill(words)


def wait_told(reader, words):
    reader.page.locator(".ax-find-told").get_by_text(words, exact=True).wait_for()


def found_now(reader):
    found = reader.page.locator(".ax-token.ax-hit-now")
    return [int(i) for i in found.evaluate_all("tokens => tokens.map(t => t.dataset.token)")]


def test_a_short_text_is_searched_too_and_what_is_found_is_pinned(show):
    reader = show(CAT, layer=3, heads=1)
    reader.page.locator(".ax-text").focus()
    find(reader, "ON THE mat")
    wait_told(reader, "1 of 1")
    assert found_now(reader) == [4, 5, 6]
    reader.page.get_by_role("button", name="Pin", exact=True).click()
    wait_pinned(reader, ["on the mat"], [])
    find(reader, "[sep]")
    wait_told(reader, "1 of 1")
    assert found_now(reader) == [12]
    reader.page.keyboard.press("Escape")
    reader.page.locator(".ax-find").wait_for(state="hidden")
    expect(reader.page.locator(".ax-hit")).to_have_count(0)


def test_escape_gives_the_focus_back_and_the_magnifier_opens_the_box(show):
    reader = show(CAT, layer=3, heads=1)
    reader.page.locator(".ax-text").focus()
    reader.page.keyboard.press("Control+f")
    box = reader.page.get_by_role("textbox", name="Find in the text")
    assert box.evaluate("box => box.getRootNode().activeElement === box")
    reader.page.keyboard.press("Escape")
    text = reader.page.locator(".ax-text")
    assert text.evaluate("text => text.getRootNode().activeElement === text")
    reader.page.get_by_role("button", name="Find in the text (Ctrl+F)").click()
    box.wait_for()


def test_what_is_not_there_is_said_in_a_sentence_and_markup_is_text(show):
    reader = show("a.b [x] (y) <i>z</i>", source="scratch")
    for words in ("dragon", "<b>bold</b>", ".*", "(["):
        find(reader, words)
        wait_told(reader, f"“{words}” is not in this text.")
        expect(reader.page.get_by_role("button", name="Pin all")).to_be_disabled()
    find(reader, "<i>z</i>")
    wait_told(reader, "1 of 1")
    expect(reader.page.locator(".ax-find b, .ax-text i")).to_have_count(0)


def test_of_a_long_text_every_place_is_found_one_after_the_other_and_comes_into_sight(book):
    find(book, "Red  Door")  # how many spaces does not matter
    wait_told(book, f"1 of {CHAPTERS}")
    places = []
    for n in range(2, CHAPTERS + 1):
        book.page.keyboard.press("Enter" if n % 2 else "F3")
        wait_told(book, f"{n} of {CHAPTERS}")
        first, second = found_now(book)
        assert second == first + 1
        assert {first, second} <= in_sight(book).keys()
        places.append(first)
    assert places == sorted(set(places))
    book.page.keyboard.press("Enter")
    wait_told(book, f"1 of {CHAPTERS}")
    book.page.keyboard.press("Shift+Enter")
    wait_told(book, f"{CHAPTERS} of {CHAPTERS}")
    assert found_now(book)[0] == places[-1]


def test_all_places_are_pinned_at_once(book, trace):
    find(book, "dragon came")
    wait_told(book, "1 of 1")
    book.page.get_by_role("button", name="Pin all").click()
    wait_pinned(book, ["dragon came"], [])
    find(book, "lantern")
    book.page.get_by_role("button", name="Pin all").click()
    tokens = [i for i, token in enumerate(trace.query_tokens) if token.text == "lantern"]
    assert len(tokens) == CHAPTERS
    wait_pinned(book, ["lantern"] * CHAPTERS, [])


def test_axe_finds_no_serious_barrier_in_the_strip_and_the_box(book):
    find(book, "lantern")
    wait_told(book, f"1 of {CHAPTERS}")
    assert book.barriers() == []


def test_the_arrow_keys_go_the_way_that_the_text_runs(page_from_disk):
    words = "הבית הישן עמד על הגבעה"
    someone = page_from_disk(explorer.trace(words, source="scratch", n_layers=1, n_heads=1))
    someone.page.locator(".ax-text").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight"):
        someone.page.keyboard.press(key)
    someone.page.locator(".ax-token.ax-here[data-token='1']").wait_for()
