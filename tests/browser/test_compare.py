"""Compare, as people see it: opened from a link, one cursor, the difference, heads ranked."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest

import explorer
from explorer.analysis.comparison import compare

CAT = "The cat sat on the mat because it was tired."
DOG = CAT.replace("cat", "dog")
EDITED = {"text": CAT, "b_text": DOG, "b_source": "bert"}


def open_pair(reader, **query):
    return reader.open(f"?{urlencode(query)}", "compare").painted(" | ")


def side(reader, name):
    return reader.page.locator(f".ax-sides section[aria-label={name}]")


def test_a_link_opens_both_runs_at_the_head_that_differs_most(reader):
    open_pair(reader, **EDITED)
    c = compare(explorer.trace(CAT), explorer.trace(DOG))
    layer, head, *_, bits = c.ranking()[0]
    findings = reader.page.locator(".ax-findings").inner_text()
    assert f"They differ most in L{layer}·H{head} ({bits:.2f} of at most 1 bit)" in findings
    first = reader.page.locator(".ax-rank").first
    assert first.inner_text().split() == [f"L{layer}·H{head}", f"{bits:.3f}", "bit"]
    assert first.get_attribute("aria-pressed") == "true"
    assert f"A’s L{layer}·H{head} and B’s L{layer}·H{head}" in (
        reader.page.locator(".ax-difference .ax-says").inner_text()
    )
    reader.page.wait_for_url(f"**layer={layer}**b_layer={layer}**")
    assert reader.box("Text of B").input_value() == DOG


def test_the_difference_shown_is_that_of_the_two_models(reader):
    open_pair(reader, **EDITED, layer="5", heads="4", b_layer="5", b_heads="4")
    one, other = explorer.trace(CAT).weights[5, 4], explorer.trace(DOG).weights[5, 4]
    difference = one - other
    row, column = np.unravel_index(np.abs(difference).argmax(), difference.shape)
    words = reader.page.locator(".ax-difference .ax-says").inner_text()
    assert f"A {one[row, column]:.3f}, B {other[row, column]:.3f}" in words
    assert f"{abs(difference[row, column]):.3f}." in words
    reader.page.get_by_text("The largest differences as a table").click()
    cells = reader.page.locator(".ax-difference .ax-keys tbody tr").first.locator("td")
    texts = cells.all_inner_texts()
    assert texts[:2] == ["cat/dog", "cat/dog"]
    assert texts[2:4] == [f"{one[row, column]:.4f}", f"{other[row, column]:.4f}"]


def test_one_cursor_moves_in_both_and_a_pin_is_set_in_both(reader):
    open_pair(reader, **EDITED, layer="0", heads="2", b_layer="0", b_heads="2")
    a, b = side(reader, "A"), side(reader, "B")
    a.locator(".ax-text [data-token='8']").hover()
    b.locator(".ax-says", has_text="it").wait_for()
    assert "looks" in b.locator(".ax-says").inner_text()
    b.locator(".ax-text [data-token='2']").click()
    a.locator(".ax-says", has_text="cat").wait_for()
    reader.page.wait_for_url("**query=2**b_query=2**")


def test_another_tokenizer_is_aligned_by_characters_and_what_is_left_out_is_said(reader):
    open_pair(reader, text="Lovelace wrote it.", b_source="scratch")
    note = reader.page.locator(".ax-difference .ax-help").first.inner_text()
    assert "4 words are common to both." in note
    assert "2 of A’s tokens ([CLS] [SEP]) have no counterpart" in note
    a, b = side(reader, "A"), side(reader, "B")
    b.locator(".ax-text [data-token='0']").click()
    a.locator(".ax-picked", has_text="love").wait_for()
    reader.page.wait_for_url("**query=1-2**b_query=0**")


def test_a_head_from_the_list_is_shown_on_both_sides_and_b_follows_a(reader):
    open_pair(reader, **EDITED)
    second = reader.page.locator(".ax-rank").nth(1)
    layer, head = re.fullmatch(r"L(\d+)·H(\d+)", second.inner_text().split()[0]).groups()
    second.click()
    reader.painted(f"L{layer}·H{head} | L{layer}·H{head}")
    side(reader, "A").get_by_role("button", name="Layer 1, head 3", exact=True).click()
    reader.painted("L1·H3 | L1·H3")
    choice = reader.page.locator(".ax-choice", has_text="B shows")
    choice.get_by_text("what you choose").click()
    side(reader, "B").get_by_role("button", name="Layer 2, head 0", exact=True).click()
    reader.painted("L1·H3 | L2·H0")
    reader.page.wait_for_url("**follow=free**")


def test_the_best_match_of_a_head_is_the_nearest_one(reader):
    open_pair(reader, text=CAT, b_source="scratch", layer="0", heads="2")
    c = compare(explorer.trace(CAT), explorer.trace(CAT, source="scratch"))
    layer, head = c.best_match()[2]
    reader.painted(f"L0·H2 | L{layer}·H{head}")
    assert reader.page.get_by_role("radio", name="its namesake").is_disabled()  # there is none


def test_a_run_compared_with_itself_differs_nowhere(reader):
    open_pair(reader, text=CAT, b_source="bert")
    findings = reader.page.locator(".ax-findings").inner_text()
    assert "The two are the same in every head: the largest distance is 0 bits." in findings
    assert "are the same on these words" in (
        reader.page.locator(".ax-difference .ax-says").inner_text()
    )


def test_the_transplanted_layer_is_bert_but_for_rounding(reader):
    open_pair(reader, text=CAT, b_source="transplant:bert")
    assert "The two are the same in every head" in (
        reader.page.locator(".ax-findings").inner_text()
    )


def test_texts_can_be_edited_swapped_and_compared_again(reader):
    open_pair(reader, **EDITED)
    reader.box("Text of B").fill("The cat slept on the mat because it was tired.")
    reader.page.get_by_role("button", name="Compare", exact=False).last.click()
    reader.page.locator(".ax-difference", has_text="sat/slept").or_(
        reader.page.locator(".ax-sides", has_text="slept")
    ).first.wait_for()
    reader.page.get_by_role("button", name="Swap A and B").click()
    side(reader, "A").get_by_text("slept").first.wait_for()
    assert reader.box("Text of A").input_value().startswith("The cat slept")
    assert reader.box("Text of B").input_value() == CAT


def test_texts_with_nothing_in_common_are_refused_and_the_last_picture_stays(reader):
    open_pair(reader, text="a b", source="scratch", b_source="scratch", b_text="a b")
    before = reader.instrument.first.get_attribute("data-painted")
    reader.box("Text of B").fill("x y z")
    reader.page.get_by_role("button", name="Compare", exact=False).last.click()
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.wait_for()
    assert "no word in common" in note.inner_text()
    assert reader.box("Text of B").input_value() == "x y z"
    assert reader.instrument.first.get_attribute("data-painted") == before


def test_a_first_comparison_that_fails_leaves_what_is_typed_alone(reader):
    query = {"text": "a b", "source": "scratch", "b_source": "scratch", "b_text": "x y z"}
    reader.open(f"?{urlencode(query)}", "compare")
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.filter(has_text="no word in common").wait_for()
    reader.box("Text of B").fill("a c")
    reader.page.get_by_role("button", name="Compare", exact=False).last.click()
    reader.painted(" | ")
    assert reader.box("Text of B").input_value() == "a c"


def test_the_difference_is_saved_as_numbers(reader):
    open_pair(reader, **EDITED, layer="5", heads="4", b_layer="5", b_heads="4")
    save = reader.page.locator(".ax-tools .ax-save")
    save.locator("summary").click()
    with reader.page.expect_download() as caught:
        save.get_by_role("button", name="CSV").click()
    lines = caught.value.path().read_text("utf-8-sig").splitlines()
    got = np.array([[float(x) for x in line.split(",")[1:]] for line in lines[1:]])
    want = explorer.trace(CAT).weights[5, 4] - explorer.trace(DOG).weights[5, 4]
    assert np.abs(got - want).max() < 3e-5  # two weights, each within 8.4e-6, and five decimals


def test_every_pair_of_heads_is_charted_and_listed(reader):
    open_pair(reader, **EDITED)
    reader.page.get_by_text("Every head of A against every head of B").click()
    reader.page.locator(".js-plotly-plot .heatmaplayer image").wait_for()
    reader.page.locator(".js-plotly-plot .scatterlayer").first.wait_for()
    reader.page.get_by_test_id("stDataFrame").wait_for()


@pytest.mark.parametrize(
    "bad", [{"b_source": "nonsense"}, {"b_source": "scratch", "b_d_model": "7"}]
)
def test_a_link_with_an_impossible_second_run_says_so(reader, bad):
    reader.open(f"?{urlencode({'text': CAT} | bad)}", "compare")
    note = reader.page.locator("[class*=st-key-note_trouble]")
    note.wait_for()
    assert "This link cannot be opened as it is" in note.inner_text()


def test_all_is_saved_as_one_file_that_shows_the_same_offline(reader, browser, tmp_path):
    open_pair(reader, **EDITED, layer="5", heads="4", b_layer="5", b_heads="4")
    said = reader.page.locator(".ax-difference .ax-says").inner_text()
    save = reader.page.locator(".ax-tools .ax-save")
    save.locator("summary").click()
    with reader.page.expect_download() as caught:
        save.get_by_role("button", name="HTML").click()
    saved = tmp_path / "saved.html"
    caught.value.save_as(saved)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(saved.as_uri())
    page.locator(".ax[data-painted*='L5·H4 | L5·H4']").wait_for()
    assert page.locator(".ax-difference .ax-says").inner_text() == said
    page.locator(".ax-rank").nth(1).click()
    page.locator(".ax-rank[aria-pressed=true]").nth(0).wait_for()
    context.close()
