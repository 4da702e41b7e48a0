"""The frame of all pages: the picture first, inputs that fold, one place, ways that lead on."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from tests.browser.conftest import IDLE, stands_at

CAT = "The cat sat on the mat because it was tired."
LAPTOP = {"viewport": {"width": 1280, "height": 720}}
ZOOMED = {"viewport": {"width": 853, "height": 480}}  # a laptop at 150 %
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

SCROLL = "document.querySelector('[data-testid=stMain]').scrollTo(0, 120)"
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop > 100"


# How much the picture of a text was dimmed, frame by frame, while another was asked for.
DIMMING = """() => {
    window.dimmed = [];
    const see = () => {
        const [picture] = document.querySelectorAll(".stBidiComponent");
        if ("asked" in document.documentElement.dataset)
            window.dimmed.push(Number(getComputedStyle(picture).opacity));
        requestAnimationFrame(see);
    };
    see();
}"""


def box(reader, selector):
    return reader.page.locator(selector).first.bounding_box()


def end(reader, selector):
    found = box(reader, selector)
    return found["y"] + found["height"]


def asking(reader):
    return expect(reader.page.locator(".st-key-ask"))


@pytest.mark.parametrize("reader", [LAPTOP], indirect=True)
def test_on_a_laptop_text_heads_and_map_of_a_first_visit_stand_whole_on_the_screen(reader):
    reader.open().painted()
    parts = [".ax-says", ".ax-panel-reading .ax-text", ".ax-grid", ".ax-panel-heat .ax-stage"]
    for part in (*parts, ".ax-panel-flow .ax-scroll"):
        assert box(reader, part)["y"] >= 44, part
        assert end(reader, part) <= 720, part


@pytest.mark.parametrize("reader", [ZOOMED], indirect=True)
def test_at_150_per_cent_the_sentence_the_text_and_the_heads_stand_on_the_screen(reader):
    reader.open().painted()
    for part in (".ax-says", ".ax-panel-reading .ax-text", ".ax-grid"):
        assert end(reader, part) <= 480, part
    last, names = (box(reader, part) for part in ("a[href$='/guide']", "[data-testid=stTopNav]"))
    assert last["x"] + last["width"] <= names["x"] + names["width"]


@pytest.mark.parametrize("reader", [PHONE], indirect=True)
def test_on_a_phone_sentence_text_and_heads_stand_on_the_screen_and_nothing_sticks_out(reader):
    reader.open().painted()
    for part in (".ax-says", ".ax-panel-reading .ax-text", ".ax-grid"):
        assert end(reader, part) <= 844, part
    # The buttons of the first line share one row.
    assert abs(end(reader, ".ax-top .ax-edit") - end(reader, ".ax-top .ax-save > summary")) <= 4
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("reader", [{"viewport": {"width": 1280, "height": 580}}], indirect=True)
def test_the_sentence_is_large_and_stays_in_sight(reader):
    reader.open().painted()
    says = reader.page.locator(".ax-says")
    assert says.evaluate("e => getComputedStyle(e).fontSize") == "24px"
    reader.page.evaluate(SCROLL)
    reader.page.wait_for_function(SCROLLED)
    assert 40 <= says.bounding_box()["y"] <= 60


def test_one_line_says_whose_picture_it_is_and_opens_the_inputs(reader):
    reader.open().painted()
    about = explorer.instrument.wire.about.About.of(explorer.trace(CAT))
    line = reader.page.locator(".ax-about").inner_text()
    for said in (CAT, "all-MiniLM-L6-v2", "6 layers × 12 heads", "13 tokens"):
        assert said in line
    assert f"checked {about.checked}" in line
    reader.page.get_by_role("button", name=f"checked {about.checked}").hover()
    expect(reader.page.locator(".ax-bubble")).to_contain_text(
        about.passport[1:], use_inner_text=True
    )
    asking(reader).to_be_hidden()
    reader.page.get_by_role("button", name="Edit", exact=True).click()
    asking(reader).to_be_visible()
    expect(reader.box("Text")).to_be_focused()
    reader.page.keyboard.press("Escape")
    asking(reader).to_be_hidden()
    reader.page.locator(".ax-says").click()
    reader.page.keyboard.press("e")
    asking(reader).to_be_visible()


def test_a_result_folds_the_inputs_and_trouble_leaves_them_open(reader):
    reader.open().painted()
    reader.run("A dog barks.")
    reader.page.locator(".ax-about", has_text="A dog barks.").wait_for()
    asking(reader).to_be_hidden()
    reader.run("   ")
    reader.told("no text to read")
    asking(reader).to_be_visible()
    reader.run("A dog barks again.")
    reader.page.locator(".ax-about", has_text="A dog barks again.").wait_for()
    reader.page.wait_for_function(IDLE)
    asking(reader).to_be_hidden()


def test_what_the_inputs_no_longer_ask_for_is_dimmed(reader):
    reader.open().painted()
    picture = reader.page.locator(".stBidiComponent:has(.ax-says)")
    expect(picture).to_have_css("opacity", "1")
    reader.edit().box("Text").fill("Something else.")
    reader.page.keyboard.press("Tab")
    reader.page.locator(".st-key-changed").wait_for()
    expect(picture).to_have_css("opacity", re.compile(r"0\.[0-6]\d*"))


def test_switches_stand_behind_view_and_those_in_force_beside_it(reader):
    reader.open().painted()
    expect(reader.page.locator(".ax-choice").get_by_text("per row", exact=True)).to_be_hidden()
    for label in ("words", "per row"):
        reader.switch(label).click()
    reader.page.keyboard.press("Escape")
    chips = reader.page.locator(".ax-switched")
    expect(chips).to_have_text([re.compile("^words"), re.compile("^colours per row")])
    chips.first.click()
    chips.get_by_text("words").wait_for(state="detached")
    expect(chips).to_have_count(1)


def test_the_newcomer_s_line_leads_on_and_steps_aside_for_good(reader):
    reader.open().painted()
    lead = reader.page.locator(".ax-lead")
    reader.page.locator(".ax-lead .ax-term", has_text="head").hover()
    expect(reader.page.locator(".ax-bubble")).to_contain_text(
        "queries and keys", use_inner_text=True
    )
    lead.get_by_role("button", name="Point at “it”").click()
    expect(lead).to_contain_text("Move over the words of the text", use_inner_text=True)
    expect(reader.token(8)).to_have_class(re.compile("ax-pulse"))
    given = np.delete(explorer.trace(CAT).weights[:, :, 8, 1:-1], 7, axis=2)  # to other words
    layer, head = divmod(int(given.max(axis=2).argmax()), 12)
    expect(reader.page.locator(".ax-notice")).to_be_visible()
    lead.get_by_role("button", name="try another head").click()
    reader.painted(f"{layer}.{head}")
    expect(reader.page.locator(".ax-notice")).to_be_hidden()  # it speaks of another head
    lead.get_by_role("button", name="Close this for good").click()
    expect(lead).to_be_hidden()
    reader.open().painted()
    expect(lead).to_be_hidden()


def test_one_click_leads_to_why_this_weight_and_back_comes_to_the_same_place(reader):
    reader.open().painted()
    reader.head(2, 9).click()
    reader.token(2).click()
    reader.painted("2.9")
    reader.page.get_by_role("button", name="Why this weight?").last.click()
    stands_at(reader.page, "**/step?*")
    reader.painted()
    for said in ("layer=2", "heads=9", "query=2"):
        assert said in reader.address()
    reader.page.get_by_role("link", name="Explore").click()
    reader.painted("2.9")
    reader.wait_says("L2·H9: cat looks most at")


def test_all_pages_look_at_one_place(reader):
    reader.open().painted()
    reader.head(2, 9).click()
    reader.token(2).click()
    for page in ("Heads", "Explain", "Compare", "Step by step"):
        reader.page.get_by_role("link", name=page, exact=True).click()
        stands_at(reader.page, f"**/{page.split()[0].lower()}*")
        reader.painted()
        reader.page.get_by_role("link", name="Explore", exact=True).click()
        reader.painted("2.9")
        reader.wait_says("L2·H9: cat looks most at")


def test_back_and_forward_walk_through_places(reader):
    reader.open().painted()
    reader.head(2, 9).click()
    stands_at(reader.page, "**layer=2&heads=9*")
    reader.token(2).click()
    stands_at(reader.page, "**query=2*")
    reader.page.get_by_role("link", name="Heads", exact=True).click()
    stands_at(reader.page, "**/heads*")
    reader.painted()
    reader.page.mouse.move(5, 5)
    reader.page.go_back()
    reader.painted("2.9")
    reader.wait_says("L2·H9: cat looks most at")
    reader.page.go_back()
    reader.wait_says("L2·H9: it looks most at")
    reader.page.go_back()
    reader.wait_says("L3·H1: it looks most at")
    reader.page.go_forward()
    reader.wait_says("L2·H9: it looks most at")


def test_another_page_is_one_step_and_backs_at_once_lead_where_each_alone_would(reader):
    reader.open().painted()
    steps = reader.page.evaluate("history.length")
    reader.head(2, 9).click()
    stands_at(reader.page, "**layer=2&heads=9*")
    reader.token(2).click()
    # While the look is on its way to the server, which then leads on.
    reader.page.get_by_role("link", name="Heads", exact=True).click()
    stands_at(reader.page, "**/heads*")
    reader.painted()
    assert reader.page.evaluate("history.length") == steps + 3
    reader.page.evaluate("for (let i = 0; i < 3; i++) setTimeout(() => history.back(), 100 * i)")
    stands_at(reader.page, reader.app.url)
    reader.wait_says("L3·H1: it looks most at")
    reader.page.evaluate("for (let i = 0; i < 2; i++) setTimeout(() => history.forward(), 100 * i)")
    stands_at(reader.page, "**query=2*")
    reader.wait_says("L2·H9: cat looks most at")


def test_back_within_a_picture_asks_the_server_for_nothing_but_to_note_the_place(reader):
    reader.open().painted()
    reader.head(2, 9).click()
    stands_at(reader.page, "**layer=2&heads=9*")
    reader.page.mouse.move(5, 5)  # a head under the hand is looked at
    before = len(reader.frames)
    reader.page.go_back()
    reader.wait_says("L3·H1: it looks most at")
    assert reader.sent_since(before) < 60_000


def test_another_text_keeps_the_pin_on_the_same_word_or_moves_it_to_one_of_content(reader):
    reader.open().painted()
    reader.token(2).click()  # cat
    stands_at(reader.page, "**query=2*")
    reader.page.evaluate(DIMMING)
    reader.run("My lazy cat sleeps.")
    reader.page.locator(".ax-about", has_text="lazy").wait_for()
    expect(reader.page.locator("html[data-asked]")).to_have_count(0)
    assert min(reader.page.evaluate("window.dimmed")) == 0.5  # while the last one was still there
    reader.wait_says("L3·H1: cat looks most at")
    reader.run("Dogs of the neighbourhood bark.")
    reader.wait_says("L3·H1: neighbourhood looks most at")


@pytest.mark.parametrize("reader", [LAPTOP], indirect=True)
def test_three_clicks_find_the_head_that_links_two_words(reader):
    reader.open().painted()
    reader.page.get_by_role("button", name="Which head does this?").click()
    reader.page.get_by_text("Now choose the word that it looks at.").wait_for()
    reader.token(2).click()
    reader.page.locator(".ax-ranking .ax-chip").first.wait_for()
    weights = explorer.trace(CAT).weights[:, :, 8, 2]
    layer, head = divmod(int(weights.argmax()), 12)
    # At once, though the hand still rests on the word.
    reader.painted(f"{layer}.{head}")
    reader.wait_says(f"it looks at cat with weight {weights.max():.3f}, the most of all 72 heads.")
    scores = reader.page.locator(".ax-score")
    expect(scores).to_have_count(72)
    expect(reader.page.locator(".ax-ranking .ax-chip").first).to_have_text(
        f"L{layer}·H{head}", use_inner_text=True
    )
    reader.page.get_by_role("button", name="In several sentences").click()
    stands_at(reader.page, "**/heads?*")
    reader.painted("pointed")
    for part in (".ax-finder .ax-line", ".ax-head-ranks > li >> nth=0"):
        expect(reader.page.locator(part)).to_be_in_viewport(ratio=1)


def test_two_clicks_save_what_is_seen_under_a_name_that_says_whose_it_is(reader):
    reader.open().painted()
    reader.page.get_by_text("Save", exact=True).click()
    with reader.page.expect_download() as found:
        reader.page.get_by_role("button", name="SVG", exact=True).click()
    name = found.value.suggested_filename
    assert name == "all-minilm-l6-v2-the-cat-sat-on-the-mat-l3-h1.svg"


def test_copy_as_python_gives_lines_that_show_this_picture(reader):
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.open().painted()
    code, names = copied_python(reader)
    assert names["trace"].texts == (CAT,)
    shown = 'explorer.show(trace, layer=3, head=1, query=8, view={"grid": "whole"})\n'
    assert code.endswith(shown)
    switched = {"combine": "max", "look": "to", "specials": "renormalised", "words": "1"}
    view = {"layer": "2", "heads": "1.9", "key": "6"} | switched
    reader.open(f"?{urlencode({'text': CAT} | view)}").painted("2.1.9")
    _, names = copied_python(reader)
    assert names["shown"].opening == view
    page = names["shown"]._page()
    assert page.count("<!doctype html>") == 1, "and it opens"


def copied_python(reader):
    """The lines that are copied, and the names that they leave: what is shown as ``shown``."""
    reader.page.get_by_text("Save", exact=True).click()
    reader.page.get_by_role("button", name="Copy as Python").click()
    reader.page.get_by_text("Copied.").wait_for()
    code = reader.page.evaluate("navigator.clipboard.readText()")
    names = {}
    exec(code.replace("explorer.show(", "shown = explorer.show("), names)
    return code, names


def test_the_address_holds_the_place_on_every_page_and_each_is_one_step(reader):
    reader.open("?text=Anna+saw+it.&layer=4&heads=5&query=1").painted("4.5")
    steps = reader.page.evaluate("history.length")
    for page in ("heads", "step", "explain", ""):
        reader.page.locator(f"[data-testid=stTopNavLink][href$='/{page}']").click()
        stands_at(reader.page, f"**/{page}?text=Anna+saw+it.&layer=4&heads=5&query=1*")
    assert reader.page.evaluate("history.length") == steps + 4
    for page in ("explain", "step"):
        reader.page.go_back()
        stands_at(reader.page, f"**/{page}?text=*query=1*")
        reader.painted()
    reader.page.reload()
    reader.painted()
    stands_at(reader.page, "**/step?text=*&layer=4&heads=5&query=1*")


def test_a_new_text_is_one_step_and_a_link_with_a_source_that_is_none_says_so(reader):
    reader.open("?source=nonsense:foo").painted()
    reader.told("cannot be opened as it is")
    stands_at(reader.page, "**/?text=The+cat*")
    steps = reader.page.evaluate("history.length")
    reader.run("Anna saw it.")
    stands_at(reader.page, "**/?text=Anna+saw+it.&layer=*")
    assert reader.page.evaluate("history.length") == steps + 1
    assert "source" not in reader.address()
