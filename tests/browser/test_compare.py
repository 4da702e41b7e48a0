"""Compare, as people see it: opened from a link, one cursor, the difference, heads ranked."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from explorer.analysis.comparison import compare
from tests.browser.conftest import Reader, stands_at
from tests.browser.test_sizes_and_print import all_fits

CAT = "The cat sat on the mat because it was tired."
DOG = CAT.replace("cat", "dog")
EDITED = {"text": CAT, "b_text": DOG, "b_source": "bert"}


def open_pair(reader, **query):
    return reader.open(f"?{urlencode(query)}", "compare").painted(" | ")


def differs(page):
    """The sentence of the difference."""
    return page.locator(".ax-words .ax-says").first


def edit(reader):
    """Open the inputs."""
    reader.page.get_by_role("button", name="Edit").click()


def compare_now(reader):
    reader.page.locator(".st-key-compare button").click()


def view_menu(reader):
    """What is behind View, open."""
    menu = reader.page.locator(".ax-bar > .ax-view").first
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    return menu


def save_menu(reader):
    """What is behind Save, open."""
    menu = reader.page.locator(".ax-top .ax-save").first
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    return menu


def side(reader, name):
    return reader.page.locator(f".ax-sides section[aria-label={name}]")


@pytest.fixture(scope="module")
def edited(app, screens):
    """A reader of two texts that differ in a word, for tests that only look; it is opened once."""
    with screens() as page, Reader(page, app) as someone:
        yield open_pair(someone, **EDITED, layer="5", heads="4", b_layer="5", b_heads="4")
    assert not someone.errors
    assert not someone.outside


def test_a_link_opens_both_runs_at_the_head_that_differs_most(reader):
    # No example is of this text, and no other page has looked at a head of it.
    open_pair(reader, text=DOG, b_text=CAT, b_source="bert")
    c = compare(explorer.trace(DOG), explorer.trace(CAT))
    layer, head, *_, bits = c.ranking()[0]
    findings = reader.page.locator(".ax-findings").inner_text()
    assert f"They differ most in L{layer}·H{head} ({bits:.2f} of at most 1 bit)" in findings
    first = reader.page.locator(".ax-rank").first
    assert first.inner_text().split() == [f"L{layer}·H{head}", f"{bits:.3f}", "bit"]
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(differs(reader.page)).to_contain_text(
        f"A’s L{layer}·H{head} and B’s L{layer}·H{head}", use_inner_text=True
    )
    stands_at(reader.page, f"**layer={layer}**b_layer={layer}**")
    edit(reader)
    expect(reader.box("Text of B")).to_have_value(CAT)
    # The first of the sentences says where they differ, and the page says whose they are.
    assert findings.startswith("They differ most in")
    for name, text in (("A", "dog sat"), ("B", "cat sat")):
        line = reader.page.locator(".ax-named", has_text=name).filter(has_text=text).first
        expect(line).to_contain_text("all-MiniLM-L6-v2", use_inner_text=True)
        expect(line).to_contain_text("checked", use_inner_text=True)
        expect(side(reader, name).locator("h3").first).to_contain_text(text, use_inner_text=True)


def test_the_difference_shown_is_that_of_the_two_models(edited):
    one, other = explorer.trace(CAT).weights[5, 4], explorer.trace(DOG).weights[5, 4]
    difference = one - other
    row, column = np.unravel_index(np.abs(difference).argmax(), difference.shape)
    words = differs(edited.page).inner_text()
    assert f"A {one[row, column]:.3f}, B {other[row, column]:.3f}" in words
    assert f"{abs(difference[row, column]):.3f}." in words
    edited.unfold("The largest differences as a table")
    cells = edited.page.locator(".ax-difference .ax-keys tbody tr").first.locator("td")
    texts = cells.all_inner_texts()
    assert texts[:2] == ["cat/dog", "cat/dog"]
    assert texts[2:4] == [f"{one[row, column]:.4f}", f"{other[row, column]:.4f}"]


def test_one_cursor_moves_in_both_and_a_pin_is_set_in_both(reader):
    open_pair(reader, **EDITED, layer="0", heads="2", b_layer="0", b_heads="2")
    a, b = side(reader, "A"), side(reader, "B")
    a.locator(".ax-text [data-token='8']").hover()
    b.locator(".ax-says", has_text="it").wait_for()
    expect(b.locator(".ax-says")).to_contain_text("looks", use_inner_text=True)
    b.locator(".ax-text [data-token='2']").click()
    a.locator(".ax-says", has_text="cat").wait_for()
    stands_at(reader.page, "**query=2**b_query=2**")


def test_another_tokenizer_is_aligned_by_characters_and_what_is_left_out_is_said(reader):
    open_pair(reader, text="Lovelace wrote it.", b_source="scratch")
    note = reader.page.locator(".ax-difference p.ax-help").first.inner_text()
    assert note.startswith("4 tokens are common to both. A word in pieces counts as one.")
    assert "Left out: 2 of A’s tokens ([CLS] [SEP]), which have no counterpart." in note
    a, b = side(reader, "A"), side(reader, "B")
    b.locator(".ax-text [data-token='0']").click()
    a.locator(".ax-picked", has_text="love").wait_for()
    stands_at(reader.page, "**query=1-2**b_query=0**")


def test_a_head_from_the_list_is_shown_on_both_sides_and_b_follows_a(reader):
    open_pair(reader, **EDITED)
    second = reader.page.locator(".ax-rank").nth(1)
    layer, head = re.fullmatch(r"L(\d+)·H(\d+)", second.inner_text().split()[0]).groups()
    second.click()
    reader.painted(f"L{layer}·H{head} | L{layer}·H{head}")
    side(reader, "A").get_by_role("button", name="Layer 1, head 3", exact=True).click()
    reader.painted("L1·H3 | L1·H3")
    view_menu(reader).get_by_text("what you choose").click()
    reader.page.keyboard.press("Escape")
    side(reader, "B").get_by_role("button", name="Layer 2, head 0", exact=True).click()
    reader.painted("L1·H3 | L2·H0")
    stands_at(reader.page, "**follow=free**")
    reader.page.get_by_role("button", name="B shows what you choose").click()
    reader.page.wait_for_function("!location.search.includes('follow')")


def test_the_best_match_of_a_head_is_the_nearest_one(reader):
    open_pair(reader, text=CAT, b_source="scratch", layer="0", heads="2")
    c = compare(explorer.trace(CAT), explorer.trace(CAT, source="scratch"))
    layer, head = c.best_match()[2]
    reader.painted(f"L0·H2 | L{layer}·H{head}")
    namesake = view_menu(reader).get_by_role("radio", name="its namesake")
    expect(namesake).to_be_disabled()  # there is none


def test_a_run_compared_with_itself_differs_nowhere(reader):
    open_pair(reader, text=CAT, b_source="bert")
    findings = reader.page.locator(".ax-findings").inner_text()
    assert "The two are the same in every head: the largest distance is 0 bits." in findings
    expect(differs(reader.page)).to_contain_text("are the same on these words", use_inner_text=True)


def test_the_transplanted_layer_is_bert_but_for_rounding(reader):
    open_pair(reader, text=CAT, b_source="transplant:bert")
    expect(reader.page.locator(".ax-findings")).to_contain_text(
        "The two are the same in every head", use_inner_text=True
    )


def test_texts_can_be_edited_swapped_and_compared_again(reader):
    open_pair(reader, **EDITED)
    edit(reader)
    reader.box("Text of B").fill("The cat slept on the mat because it was tired.")
    compare_now(reader)
    reader.page.locator(".ax-difference", has_text="sat/slept").or_(
        reader.page.locator(".ax-sides", has_text="slept")
    ).first.wait_for()
    edit(reader)
    reader.page.get_by_role("button", name="Swap A and B").click()
    side(reader, "A").get_by_text("slept").first.wait_for()
    edit(reader)
    expect(reader.box("Text of A")).to_have_value(re.compile("^The cat slept"))
    expect(reader.box("Text of B")).to_have_value(CAT)


def test_texts_with_nothing_in_common_are_refused_and_the_last_picture_stays(reader):
    open_pair(reader, text="a b", source="scratch", b_source="scratch", b_text="a b")
    before = reader.instrument.first.get_attribute("data-painted")
    edit(reader)
    reader.box("Text of B").fill("x y z")
    compare_now(reader)
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.wait_for()
    expect(note).to_contain_text("no word in common", use_inner_text=True)
    expect(reader.box("Text of B")).to_have_value("x y z")
    expect(reader.instrument.first).to_have_attribute("data-painted", before)


def test_a_first_comparison_that_fails_leaves_what_is_typed_alone(reader):
    query = {"text": "a b", "source": "scratch", "b_source": "scratch", "b_text": "x y z"}
    reader.open(f"?{urlencode(query)}", "compare")
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.filter(has_text="no word in common").wait_for()
    reader.box("Text of B").fill("a c")
    compare_now(reader)
    reader.painted(" | ")
    edit(reader)
    expect(reader.box("Text of B")).to_have_value("a c")


def test_the_difference_is_saved_as_numbers(edited):
    save = save_menu(edited)
    with edited.page.expect_download() as caught:
        save.get_by_role("button", name="CSV").click()
    lines = caught.value.path().read_text("utf-8-sig").splitlines()
    got = np.array([[float(x) for x in line.split(",")[1:]] for line in lines[1:]])
    want = explorer.trace(CAT).weights[5, 4] - explorer.trace(DOG).weights[5, 4]
    assert np.abs(got - want).max() < 3e-5  # two weights, each within 8.4e-6, and five decimals


def test_every_pair_of_heads_is_charted_and_listed(edited):
    edited.unfold("Every head of A against every head of B")
    edited.page.locator(".js-plotly-plot .heatmaplayer image").wait_for()
    edited.page.locator(".js-plotly-plot .scatterlayer").first.wait_for()
    edited.page.get_by_test_id("stDataFrame").wait_for()


@pytest.mark.parametrize(
    "bad", [{"b_source": "nonsense"}, {"b_source": "scratch", "b_d_model": "7"}]
)
def test_a_link_with_an_impossible_second_run_says_so(reader, bad):
    reader.open(f"?{urlencode({'text': CAT} | bad)}", "compare")
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.wait_for()
    expect(note).to_contain_text("This link cannot be opened as it is", use_inner_text=True)


def test_all_is_saved_as_one_file_that_shows_the_same_offline(edited, from_disk, tmp_path):
    said = differs(edited.page).inner_text()
    save = save_menu(edited)
    with edited.page.expect_download() as caught:
        save.get_by_role("button", name="HTML").click()
    saved = tmp_path / "saved.html"
    caught.value.save_as(saved)
    page = from_disk(saved).page
    page.locator(".ax[data-painted*='L5·H4 | L5·H4']").wait_for()
    expect(differs(page)).to_have_text(said, use_inner_text=True)
    page.locator(".ax-rank").nth(1).click()
    page.locator(".ax-rank[aria-pressed=true]").nth(0).wait_for()


def boxes_of(reader, name):
    """Where every row of a half begins, by its name."""
    rows = side(reader, name).locator(".ax > *, .ax-panels > *")
    return {
        row.get_attribute("class"): row.bounding_box()["y"]
        for row in rows.all()
        if row.is_visible() and "ax-hidden" not in row.get_attribute("class")
    }


def test_every_row_of_a_stands_beside_that_of_b_in_every_window(reader):
    # Of another model with other layers, heads and tokens: each row has another height of its own.
    open_pair(reader, text=CAT, b_source="scratch")
    panels = ("ax-panel ax-panel-reading", "ax-column", "ax-panel ax-panel-heat")
    for width in (853, 1280, 1920):
        reader.page.set_viewport_size({"width": width, "height": 720})
        all_fits(reader.page)
        a, b = boxes_of(reader, "A"), boxes_of(reader, "B")
        assert {"ax-words", "ax-bar", *panels} <= set(a)
        assert a == b
        # One below the other; the panels together begin where the first of them does.
        assert len(set(a.values())) == len(a) - 1


def test_one_bar_drives_both_and_takes_back_both(reader):
    open_pair(reader, **EDITED, layer="3", heads="1", b_layer="3", b_heads="1")
    sides = side(reader, "A"), side(reader, "B")
    expect(reader.page.locator(".ax-drop:visible")).to_have_count(2)  # View and Save, once each
    view_menu(reader).get_by_text("hidden", exact=True).click()
    reader.page.keyboard.press("Escape")
    for half in sides:
        half.locator(".ax-notes", has_text="Special tokens are hidden").wait_for()
    stands_at(reader.page, "**specials=hidden**b_specials=hidden**")
    sides[1].locator(".ax-text [data-token='2']").click()
    sides[0].locator(".ax-picked", has_text="cat").wait_for()
    for _ in range(2):
        reader.page.locator(".ax-bar").first.get_by_role("button", name="Undo").click()
    for half in sides:
        half.locator(".ax-notes", has_text="hidden").wait_for(state="detached")
        expect(half.locator(".ax-picked .ax-chip")).to_have_count(0)
    sides[0].locator(".ax-text").press("Control+Shift+Z")
    for half in sides:
        half.locator(".ax-notes", has_text="Special tokens are hidden").wait_for()


def test_a_opens_where_other_pages_look_and_they_where_it_does(reader):
    reader.open(f"?{urlencode({'text': CAT, 'layer': 2, 'heads': 9, 'query': 8})}").painted()
    go_to(reader, "Compare")
    reader.painted("L2·H9 | ")
    side(reader, "A").locator(".ax-picked", has_text="it").wait_for()
    side(reader, "A").get_by_role("button", name="Layer 4, head 5", exact=True).click()
    reader.painted("L4·H5 | ")
    go_to(reader, "Explore")
    reader.page.locator(".ax[data-painted*=' 4.5']").wait_for()


def test_back_leads_to_the_place_before(reader):
    open_pair(reader, **EDITED, layer="3", heads="1", b_layer="3", b_heads="1")
    side(reader, "A").get_by_role("button", name="Layer 4, head 5", exact=True).click()
    reader.painted("L4·H5 | L4·H5")
    stands_at(reader.page, "**layer=4**")
    reader.page.go_back()
    reader.painted("L3·H1 | L3·H1")


@pytest.mark.parametrize("reader", [{"viewport": {"width": 1280, "height": 720}}], indirect=True)
def test_the_difference_stands_whole_on_the_first_screen(reader):
    reader.open("", "compare").painted(" | ")
    for what in (".ax-words .ax-says", ".ax-pictures", ".ax-difference .ax-ranks"):
        box = reader.page.locator(what).first.bounding_box()
        assert box["y"] >= 44
        assert box["y"] + box["height"] <= 720


def go_to(reader, page):
    reader.page.get_by_test_id("stTopNavLink").get_by_text(page, exact=True).click()


def test_every_comparison_is_one_step_of_the_history(reader):
    reader.open().painted()
    start = reader.address()
    reader.page.get_by_role("link", name="Compare").click()
    reader.painted(" | ")
    stands_at(reader.page, "**/compare?*b_source=scratch*")
    edit(reader)
    reader.page.locator(".st-key-b_text textarea").fill(DOG)
    compare_now(reader)
    about = reader.page.locator(".ax-both .ax-named").last
    expect(about).to_contain_text("dog", use_inner_text=True)
    stands_at(reader.page, "**b_text=The+dog*")
    reader.page.go_back()
    expect(about).to_contain_text("cat", use_inner_text=True)
    stands_at(reader.page, "**/compare?*b_source=scratch*")
    reader.page.go_forward()
    expect(about).to_contain_text("dog", use_inner_text=True)
    reader.page.go_back()
    expect(about).to_contain_text("cat", use_inner_text=True)
    reader.page.go_back()
    reader.painted("3.1")
    assert reader.address() == start


def test_a_link_that_names_a_comparison_in_its_own_way_is_no_second_step(reader):
    reader.open("guide")
    open_pair(reader, text=CAT, b_text=CAT, layer="3", heads="1", query="8")
    stands_at(reader.page, "**b_layer=3*")
    reader.page.go_back()
    stands_at(reader.page, "**/guide*")
