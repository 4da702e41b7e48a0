"""Lesson mode and cards, as a teacher uses them: keys, a projector, a link, a file, paper."""

import itertools
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pypdfium2
import pytest
from playwright.sync_api import expect

import explorer
from tests.browser.conftest import stands_at

CAT = "The cat sat on the mat because it was tired."
IT = {"layer": "3", "heads": "1", "query": "8"}
PROJECTOR = [{"viewport": {"width": 1280, "height": 720}}]
on_projector = pytest.mark.parametrize("reader", PROJECTOR, indirect=True)

TOKENS = ["[CLS]", "the", "cat", "sat", "on", "the", "mat", "because", "it", "was", "tired", "."]
TOKENS += ["[SEP]"]
SEEN = """(e) => e.checkVisibility({ visibilityProperty: true })"""


def opened(reader, **view):
    return reader.open(f"?{urlencode({'text': CAT} | IT | view)}").painted()


def lesson(page):
    page.keyboard.press("p")
    page.locator(".ax.ax-lesson").wait_for()


def cards(page):
    return page.locator(".ax-card").all_inner_texts()


def chosen(page):
    return page.locator(".ax-card[aria-pressed=true]").all_inner_texts()


def three_cards(reader):
    """It, sat, and another head for sat."""
    page = reader.page
    page.keyboard.press("k")
    page.locator(".ax-card").nth(0).wait_for()
    reader.token(3).click()
    reader.wait_says("sat looks")
    page.keyboard.press("k")
    page.locator(".ax-card").nth(1).wait_for()
    reader.head(0, 2).click()
    reader.wait_says("L0·H2")
    page.keyboard.press("k")
    page.locator(".ax-card").nth(2).wait_for()
    return page


def settled(page):
    """Wait until all that stands on the screen is drawn for it."""
    page.wait_for_function(
        """() => {
          const shadows = [...document.querySelectorAll("*")].flatMap((e) => e.shadowRoot ?? []);
          const roots = [document, ...shadows];
          const find = (what) => roots.flatMap((root) => [...root.querySelectorAll(what)])[0];
          const box = (what) => find(what).getBoundingClientRect();
          const [map, foot] = [box(".ax-panel-heat canvas"), box(".ax-cards")];
          return map.height > 0 && map.bottom <= foot.top + 1 && foot.bottom <= innerHeight + 1;
        }"""
    )


@pytest.mark.parametrize("size", [(1280, 720), (1024, 768), (1920, 1080), (853, 480)])
def test_in_a_lesson_sentence_text_and_maps_are_whole_on_the_screen_and_nothing_else(show, size):
    reader = show(CAT, **IT)
    page = reader.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    lesson(page)
    settled(page)
    for what in ("says", "text", "panel-flow canvas", "panel-heat canvas", "colours canvas"):
        box = page.locator(f".ax-{what}").first.bounding_box()
        assert box["x"] >= 0, what
        assert box["y"] >= 0, what
        assert box["x"] + box["width"] <= size[0], what
        assert box["y"] + box["height"] <= size[1], what
    for what in ("top", "bar", "notes", "panel-grid", "panel-layers", "title", "table"):
        expect(page.locator(f".ax-{what}:visible"), what).to_have_count(0)
    header = page.locator("[data-testid=stHeader]")
    assert not header.count() or not header.evaluate(SEEN)
    said = page.locator(".ax-says")
    # A plate behind a word stands out of its line by a little; a third line would be 30 pixels.
    assert said.evaluate("e => e.scrollHeight <= e.clientHeight + 5")
    letters = said.evaluate("e => parseFloat(getComputedStyle(e).fontSize) * e.currentCSSZoom")
    assert letters == pytest.approx(24 if size[1] < 600 else 1.5 * 24)


@on_projector
def test_in_a_lesson_nine_cards_are_whole_beside_the_way_out_and_below_the_maps(reader):
    page = opened(
        reader, cards="__".join(f"layer-{i % 6}_heads-{i}_query-8" for i in range(9))
    ).page
    lesson(page)
    settled(page)
    way_out = page.get_by_role("button", name="End (P)").bounding_box()
    boxes = [card.bounding_box() for card in page.locator(".ax-card").all()]
    assert len(boxes) == 9
    for box in boxes:
        assert box["x"] + box["width"] <= way_out["x"]
        assert box["y"] + box["height"] <= 720


@on_projector
def test_in_a_lesson_a_mouse_hits_what_it_points_at_and_every_canvas_is_sharp(reader):
    page = opened(reader).page
    lesson(page)
    settled(page)
    stage = page.locator(".ax-panel-heat .ax-stage")
    left, top, cell = map(float, stage.get_attribute("data-plot").split())
    box = stage.bounding_box()
    for row, column in ((0, 0), (8, 2), (4, 6), (12, 12), (12, 0)):
        x, y = (1.5 * (edge + (i + 0.5) * cell) for edge, i in ((left, column), (top, row)))
        page.mouse.move(box["x"] + x, box["y"] + y)
        reader.wait_says(f"{TOKENS[row]} looks at {TOKENS[column]} with weight")
    flow = page.locator(".ax-panel-flow .ax-stage").bounding_box()
    for i in (0, 6, 10, 12):
        page.mouse.move(flow["x"] + 20, flow["y"] + flow["height"] * (i + 0.5) / 13)
        reader.wait_says(f"{TOKENS[i]} looks most at")
    reader.token(2).hover()
    reader.wait_says("cat looks most at")
    page.mouse.click(box["x"] + 1.5 * (left + 2.5 * cell), box["y"] + 1.5 * (top + 8.5 * cell))
    stands_at(page, re.compile("query=8&key=2"))
    sharp = """e => Math.abs(e.width - e.getBoundingClientRect().width) < 2"""
    for canvas in page.locator(".ax-lesson canvas:visible").all():
        assert canvas.evaluate(sharp)


@on_projector
def test_colours_are_fixed_in_a_lesson_and_afterwards_as_they_were(reader):
    page = opened(reader, scale="row").page
    row = page.locator(".ax-panel-heat .ax-under")
    expect(row).to_contain_text("the row’s largest weight", use_inner_text=True)
    lesson(page)
    page.locator(".ax-colours canvas:visible").wait_for()
    page.wait_for_function(
        "note => note.textContent.includes('weight 1;')", arg=row.element_handle()
    )
    assert "scale=row" in reader.address()
    page.keyboard.press("Escape")
    page.locator(".ax-lesson").wait_for(state="detached")
    row.filter(has_text="the row’s largest weight").wait_for()
    expect(page.locator(".ax-colours:visible")).to_have_count(0)
    assert page.locator("[data-testid=stHeader]").evaluate(SEEN)
    # What is pinned is not let go of by the key that ends the lesson.
    assert "query=8" in reader.address()


def test_keys_switch_between_cards_at_once_in_the_app_and_in_a_file(show):
    reader = show(CAT, **IT)
    page = three_cards(reader)
    assert [" ".join(name.split()) for name in cards(page)] == [
        "1 L3·H1 it",
        "2 L3·H1 sat",
        "3 L0·H2 sat",
    ]
    assert page.get_by_role("button", name="1 L3·H1 it").get_attribute("title").endswith("(key 1)")
    for _ in range(2):  # in the page, and in a lesson
        for key, says in (("1", "L3·H1: it looks"), ("3", "L0·H2: sat"), ("2", "L3·H1: sat")):
            page.keyboard.press(key)
            reader.wait_says(says)
            page.locator(f".ax-card[aria-pressed=true]:has-text('{key}')").wait_for()
        page.keyboard.press("9")  # there is none
        assert chosen(page) == [cards(page)[1]]
        page.keyboard.press("p")
    page.keyboard.press("k")
    page.locator(".ax-cards [role=status]", has_text="This is card 2 already").wait_for()
    page.get_by_role("button", name="Take card 1 out").click()
    page.locator(".ax-card").nth(1).wait_for()
    page.locator(".ax-card").nth(2).wait_for(state="detached")
    page.keyboard.press("1")
    reader.wait_says("L3·H1: sat")


def test_a_key_that_is_typed_is_not_taken(reader):
    page = opened(reader).page
    page.keyboard.press("e")
    box = reader.box("Text")
    box.fill("")
    box.type("pk 1")
    expect(box).to_have_value("pk 1")
    expect(page.locator(".ax-lesson, .ax-card")).to_have_count(0)


def test_a_link_brings_its_cards_and_back_leads_to_places_without_losing_any(reader):
    page = three_cards(opened(reader))
    stands_at(page, re.compile("cards=.*__.*__"))
    link = reader.address()
    assert len(parse_qs(urlsplit(link).query)["cards"][0].split("__")) == 3
    page.go_back()
    reader.wait_says("L3·H1: sat")
    stands_at(page, re.compile("heads=1.*cards=.*__.*__"))
    assert len(cards(page)) == 3
    page.goto("about:blank")
    page.goto(link)
    reader.painted()
    assert len(cards(page)) == 3
    page.keyboard.press("1")
    reader.wait_says("L3·H1: it")
    # Another text has cards of its own; Back brings the text and its cards.
    page.keyboard.press("e")
    reader.run("Dogs bark at night.")
    reader.wait_says("looks")
    page.locator(".ax-quote", has_text="Dogs bark").wait_for()
    assert not cards(page)
    assert "cards=" not in reader.address()
    page.go_back()
    page.locator(".ax-quote", has_text="The cat").wait_for()
    page.locator(".ax-card").nth(2).wait_for()


def test_after_another_page_the_cards_are_there_again_and_in_the_link(reader):
    page = three_cards(opened(reader))
    page.get_by_role("link", name="Guide", exact=True).click()
    page.get_by_text("Reading the pictures").first.wait_for()
    page.get_by_role("link", name="Explore", exact=True).click()
    page.locator(".ax-card").nth(2).wait_for()
    stands_at(page, re.compile("cards=.*__.*__"))
    page.keyboard.press("1")
    reader.wait_says("L3·H1: it looks")


def test_a_saved_page_holds_what_its_cards_show_and_nothing_more(reader, from_disk, tmp_path):
    page = three_cards(opened(reader))
    page.locator(".ax-save > summary", has_text="Save").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="These cards").click()
    path = tmp_path / "cards.html"
    download.value.save_as(path)
    saved = from_disk(path).page
    saved.locator(".ax[data-painted]").wait_for()
    says = saved.locator(".ax-says")
    for key, words in (("1", "L3·H1: it"), ("2", "L3·H1: sat"), ("3", "L0·H2: sat")):
        saved.keyboard.press(key)
        says.filter(has_text=words).wait_for()
    saved.get_by_role("button", name="Layer 5, head 0", exact=True).click()
    says.filter(has_text="This file does not hold layer 5").wait_for()
    saved.keyboard.press("1")
    says.filter(has_text="L3·H1: it looks most at cat (0.492)").wait_for()


@pytest.mark.parametrize("in_lesson", [False, True])
def test_each_card_is_printed_on_one_sheet_with_its_name_its_text_and_its_link(reader, in_lesson):
    page = three_cards(opened(reader, scale="row"))
    if in_lesson:
        lesson(page)
    before = reader.says()
    sheets = pypdfium2.PdfDocument(page.pdf(format="A4"))
    texts = [" ".join(sheet.get_textpage().get_text_bounded().split()) for sheet in sheets]
    assert len(texts) == 3
    names = ("1 · L3·H1 it", "2 · L3·H1 sat", "3 · L0·H2 sat")
    views = ("layer=3&heads=1&query=8", "layer=3&heads=1&query=3", "layer=0&heads=2&query=3")
    for text, name, view in zip(texts, names, views, strict=True):
        assert name in text
        assert CAT in text
        assert "all-MiniLM-L6-v2" in text
        link = "".join(text.split("http", 1)[1].split())
        assert link.endswith(f"{view}&scale=row")
        assert not [
            word for word in ("Keep this view", "Copy link", "Heads", "cards=") if word in text
        ]
    assert "it looks most at cat (0.492)" in texts[0]
    expect(page.locator(".ax-sheets, .ax-carded, .ax-paper")).to_have_count(0)
    expect(page.locator(".ax-lesson")).to_have_count(int(in_lesson))
    expect(reader.sentence).to_have_text(before, use_inner_text=True)


# The words of a drawing that lie across each other, and how wide it was drawn.
DRAWN = """(svg) => {
  const words = [...svg.querySelectorAll("text")].map((e) => [e, e.getBoundingClientRect()]);
  const across = words.flatMap(([a, one], i) => words.slice(i + 1).flatMap(([b, two]) => {
    const wide = Math.min(one.right, two.right) - Math.max(one.left, two.left);
    const tall = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
    const twice = a.textContent === b.textContent; // a name that is pinned lies over itself
    return !twice && wide > 2 && tall > one.height / 3 ? [`${a.textContent}/${b.textContent}`] : [];
  }));
  return [across, svg.viewBox.baseVal.width];
}"""


def test_on_a_sheet_no_words_lie_across_others_and_letters_have_the_size_of_paper(reader):
    page = three_cards(opened(reader))
    assert len(pypdfium2.PdfDocument(page.pdf(format="A4", landscape=True))) == 3
    page.emulate_media(media="print")
    page.locator(".ax-sheet > svg").nth(2).wait_for()
    for drawing in page.locator(".ax-sheet > svg").all():
        across, wide = drawing.evaluate(DRAWN)
        assert across == []
        assert wide <= 750  # A4 has 718 pixels between its margins


def test_what_the_cards_print_is_drawn_and_not_copied_as_markup(page_from_disk):
    trace = explorer.trace("<b>bold</b> & <i>it</i>")
    page = page_from_disk(
        trace, opening={"layer": "3", "query": "2", "cards": "layer-3_query-2"}
    ).page
    page.emulate_media(media="print")
    drawing = page.locator(".ax-sheet > svg")
    drawing.wait_for()
    assert "<b>bold</b>" in "".join(drawing.evaluate("e => e.textContent").split())
    expect(page.locator(".ax-sheet :is(b, i, script)")).to_have_count(0)
    expect(page.locator(".ax-sheet")).to_contain_text(
        "Card 1 of the page it was printed from.", use_inner_text=True
    )


@pytest.mark.parametrize(
    "reader",
    [PROJECTOR[0] | {"color_scheme": scheme} for scheme in ("light", "dark")],
    indirect=True,
)
def test_a_lesson_has_no_barriers(reader):
    page = three_cards(opened(reader))
    assert reader.barriers() == []
    lesson(page)
    settled(page)
    assert reader.barriers() == []
    assert page.evaluate("document.activeElement !== document.body")
    reached = []
    for _ in itertools.repeat(None, 30):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
              let e = document.activeElement;
              while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
              return e?.textContent ?? "";
            }"""
        )
        reached.append(name)
        if name == "End (P)":
            break
    assert reached[-1] == "End (P)"
    page.keyboard.press("Enter")
    page.locator(".ax-lesson").wait_for(state="detached")
