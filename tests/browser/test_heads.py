"""Heads, as people see it: the map, the ranking, the search by pointing, many texts at once."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from explorer.analysis.finder import find_pairs
from explorer.analysis.profiles import head_profiles, pool, profiles_both_ways
from tests.browser.conftest import Reader, stands_at

CAT = "The cat sat on the mat because it was tired."
LINES = "\n".join(
    [CAT, "The dog ran to the door because it was late.", "Ada wrote it because she could."]
)


def open_heads(reader, **query):
    # A server that has just begun loads torch and scikit-learn before the first survey.
    return reader.open(f"?{urlencode(query)}" if query else "", "heads").painted(timeout=120_000)


def ranks(reader):
    return reader.page.locator(".ax-head-ranks > li")


def first_head(reader):
    return ranks(reader).first.locator(".ax-link")


def number(reader, place=0):
    return ranks(reader).nth(place).locator(".ax-number")


def with_spread(reader):
    reader.page.locator(".ax-head-ranks .ax-number", has_text="±").first.wait_for()


def word(reader, text, line=0):
    return reader.page.locator(".ax-line").nth(line).get_by_text(text, exact=True)


@pytest.fixture(scope="module")
def opened(app, screens):
    """A reader of the heads on one text, for tests that only look; it is opened once."""
    with screens() as page, Reader(page, app) as someone:
        yield open_heads(someone, text=CAT)
    assert not someone.errors
    assert not someone.outside


def test_a_first_visit_shows_all_heads_with_the_previous_token_head_first(reader):
    open_heads(reader)
    measures = head_profiles(explorer.trace(CAT)).measures
    expect(first_head(reader)).to_have_text("L0·H2")
    expect(number(reader)).to_have_text(f"{measures['previous'][0, 2]:.3f}")
    expect(ranks(reader).first).to_contain_text(
        "previous token: 0.92 of its attention", use_inner_text=True
    )
    reader.wait_says("L3·H1 puts 0.037 of its attention")  # where Explore opens
    ranks(reader).first.hover()
    reader.wait_says("L0·H2 puts 0.923 of its attention")
    for canvas in reader.page.locator(".ax-head-map canvas, .ax-head-plane canvas").all():
        colours = canvas.evaluate(
            """c => new Set(new Uint32Array(c.getContext("2d")
              .getImageData(0, 0, c.width, c.height).data.buffer)).size"""
        )
        assert colours > 10


def test_any_measure_ranks_the_heads_from_either_end(reader):
    open_heads(reader)
    measures = head_profiles(explorer.trace(CAT)).measures
    for key, pick in (("[CLS]", np.argmax), ("entropy", np.argmax), ("distance", np.argmax)):
        reader.page.get_by_label("Measure", exact=True).select_option(key)
        layer, head = np.unravel_index(pick(measures[key]), measures[key].shape)
        reader.painted(f"{key} L{layer}·H{head}")
        expect(first_head(reader)).to_have_text(f"L{layer}·H{head}")
    reader.page.get_by_text("the lowest", exact=True).click()
    layer, head = np.unravel_index(measures["distance"].argmin(), (6, 12))
    expect(first_head(reader)).to_have_text(f"L{layer}·H{head}")


def test_heads_of_one_kind_can_be_seen_alone(opened):
    chip = opened.page.get_by_role("button", name="vertical 24")
    chip.click()
    expect(opened.page.get_by_text("24 heads, by")).to_have_count(1)
    expect(ranks(opened).first).to_contain_text("vertical:", use_inner_text=True)
    chip.click()
    expect(opened.page.get_by_text("72 heads, by")).to_have_count(1)


def test_a_search_by_pointing_finds_the_head_that_looks_from_it_to_cat(reader):
    open_heads(reader)
    found = find_pairs([(explorer.trace(CAT).layers, [8], [2])])
    layer, head = np.unravel_index(found.weight.argmax(), found.weight.shape)
    reader.page.get_by_text("Find a head by pointing").click()
    word(reader, "it").click()
    reader.page.get_by_text("From “it” to …?").wait_for()
    word(reader, "cat").click()
    reader.painted(f"pointed L{layer}·H{head}")
    expect(first_head(reader)).to_have_text(f"L{layer}·H{head}")
    expect(number(reader)).to_have_text(f"{found.weight[layer, head]:.3f}")
    said = ranks(reader).first.inner_text()
    assert f"Other words give that word {found.others[layer, head]:.3f}" in said
    assert f"same distance others give {found.baseline[layer, head]:.3f}" in said
    assert "it may look there whoever asks" in said  # 5-11 looks at “cat” from everywhere
    second = ranks(reader).nth(1).inner_text()
    assert "L3·H1" in second
    assert "it is this pair that it finds" in second
    reader.page.get_by_role("button", name="it → cat").click()
    reader.painted("previous L0·H2")


def test_one_click_leads_to_the_head_in_explore(reader):
    open_heads(reader, text=CAT)
    reader.page.get_by_label("Measure", exact=True).select_option("next")
    reader.painted("next L1·H8")
    ranks(reader).first.get_by_role("button", name="Explore").click()
    reader.page.locator(".ax-text").wait_for()
    stands_at(reader.page, "**layer=1&heads=8**")
    expect(reader.head(1, 8)).to_have_attribute("aria-pressed", "true")


def test_of_many_texts_the_pointed_one_opens_in_explore(reader):
    open_heads(reader, text=LINES, lines="1")
    reader.page.get_by_text("Find a head by pointing").click()
    word(reader, "it", 1).click()
    word(reader, "dog", 1).click()
    reader.painted("pointed")
    ranks(reader).first.get_by_role("button", name="Explore").click()
    reader.page.locator(".ax-text", has_text="door").wait_for()
    expect(reader.box("Text")).to_have_value(LINES.split("\n")[1])


def test_a_link_opens_the_same_search_again(reader):
    open_heads(reader, text=LINES, lines="1")
    reader.page.get_by_text("Find a head by pointing").click()
    word(reader, "it", 0).click()
    word(reader, "cat", 0).click()
    reader.painted("pointed")
    word(reader, "it", 1).click()
    word(reader, "dog", 1).click()
    reader.page.get_by_role("button", name="it → dog").wait_for()
    stands_at(reader.page, "**pairs=0-8-2_1-8-2**")
    reader.painted("pointed")
    third = ranks(reader).nth(2).locator(".ax-link")
    layer, head = map(int, re.findall(r"\d+", third.inner_text()))
    third.click()
    stands_at(reader.page, f"**layer={layer}&heads={head}&**")
    shown = first_head, number, lambda reader: reader.sentence
    before = [part(reader).inner_text() for part in shown]
    url = reader.address()
    again = reader.page.context.new_page()
    reader.page.close()
    reader.page = again
    again.goto(url)
    reader.painted("pointed")
    for part, text in zip(shown, before, strict=True):
        expect(part(reader)).to_have_text(text, use_inner_text=True)


def test_lines_are_texts_of_their_own_and_give_a_mean_with_its_spread(reader):
    open_heads(reader, text=LINES)
    reader.edit()
    reader.page.get_by_text("Every line is a text of its own").click()
    with_spread(reader)
    each = [head_profiles(explorer.trace(t)).measures["previous"][0, 2] for t in LINES.split("\n")]
    expect(number(reader)).to_have_text(f"{np.mean(each):.3f} ± {np.std(each, ddof=1):.3f}")
    stands_at(reader.page, "**lines=1**") if "lines=" in reader.address() else None
    expect(reader.page.locator(".ax-line")).to_have_count(3)


def test_a_batch_of_200_lines_can_be_stopped_half_way_and_nothing_is_lost(reader):
    open_heads(reader, text=CAT, lines="1")
    words = "the old keeper of a quiet lighthouse watched ships in fog and never told anybody"
    text = "\n".join(f"{i} {words} {words} {words}" for i in range(200))
    reader.run(text)
    said = reader.page.get_by_text(re.compile(r"Reading text \d+ of 200|Comparing heads"))
    said.first.wait_for()
    expect(first_head(reader)).to_have_text("L0·H2")  # the last picture stays meanwhile
    reader.page.get_by_role("button", name="Stop").click()
    reader.page.get_by_text("Stopped. Nothing was changed.").wait_for()
    expect(reader.box("Text")).to_have_value(text)
    expect(first_head(reader)).to_have_text("L0·H2")
    expect(reader.page.get_by_role("button", name="Try again")).to_be_visible()
    reader.run(CAT)  # and the page goes on
    reader.page.get_by_text("Stopped. Nothing was changed.").wait_for(state="detached")


def test_too_many_lines_are_refused_in_words(reader):
    open_heads(reader, text=CAT, lines="1")
    reader.run("word\n" * 201)
    reader.page.get_by_text("There are 201 lines; at most 200 can be read").wait_for()
    expect(first_head(reader)).to_have_text("L0·H2")


def test_an_impossible_link_opens_what_there_is(reader):
    odd = {"measure": "magic", "kinds": "99.x", "layer": "77", "pairs": "9-9-9_x_0-1-999"}
    open_heads(reader, text=CAT, **odd)
    expect(first_head(reader)).to_have_text("L0·H2")


def test_the_keyboard_walks_the_map(reader):
    open_heads(reader, text=CAT, layer=0, heads=0)
    reader.page.locator(".ax-head-map canvas").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        reader.page.keyboard.press(key)
    reader.wait_says("L1·H2 ")
    stands_at(reader.page, "**layer=1&heads=2**")
    reader.page.keyboard.press("Enter")
    reader.page.locator(".ax-text").wait_for()
    expect(reader.head(1, 2)).to_have_attribute("aria-pressed", "true")


def test_the_numbers_can_be_taken_away_as_a_table(opened):
    opened.unfold("Save")
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="CSV").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) == 73
    assert lines[0].startswith("layer,head,kind,evidence,attention on the token before")
    assert lines[3].split(",")[:3] == ["0", "2", "previous token"]


def test_all_heads_are_saved_as_one_file_that_shows_the_same_offline(reader, tmp_path, screens):
    open_heads(reader, text=CAT, measure="same word", layer=2, heads=9, pairs="0-8-2")
    said = reader.page.locator(".ax-heads-says").inner_text()
    reader.page.locator(".ax-save summary").click()
    with reader.page.expect_download() as caught:
        reader.page.get_by_role("button", name="HTML", exact=True).click()
    caught.value.save_as(tmp_path / "heads.html")
    with screens(offline=True) as page:
        other = Reader(page, type("Disk", (), {"url": "file://"}))
        page.goto((tmp_path / "heads.html").as_uri())
        page.locator(".ax[data-painted]").wait_for()
        expect(page.locator(".ax-heads-says")).to_have_text(said)
        page.get_by_label("Measure").select_option("pointed")
        layer, head = divmod(int(explorer.trace(CAT).weights[:, :, 8, 2].argmax()), 12)
        expect(ranks(other).first).to_contain_text(f"L{layer}·H{head}")
        # What needs the app is not there.
        expect(page.locator(".ax-finder, .ax-heads button:text-is('Explore')")).to_have_count(0)
        page.locator(".ax-save summary").click()
        expect(page.get_by_role("button", name="Copy as Python")).to_be_enabled()
    assert not other.errors
    assert not other.outside


def test_what_was_cut_and_what_is_unknown_is_said(reader):
    open_heads(reader, text="饕餮盛宴 龘 " * 3)
    reader.page.locator(".ax-about .ax-note").first.hover()
    reader.page.get_by_role("tooltip").get_by_text("this model’s vocabulary has no").wait_for()


# — The first screen —

LAPTOP = {"viewport": {"width": 1280, "height": 720}}


@pytest.mark.parametrize("reader", [LAPTOP], indirect=True)
def test_the_map_and_the_list_stand_whole_on_the_first_screen_of_a_laptop(reader):
    open_heads(reader)
    parts = [reader.page.locator(".ax-head-map canvas"), reader.page.locator(".ax-kinds")]
    for part in (*parts, *ranks(reader).all()[:12]):
        box = part.bounding_box()
        assert box["y"] >= 44
        assert box["y"] + box["height"] <= 720
        assert box["x"] + box["width"] <= 1280
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 1280


# — Special tokens —


def test_special_tokens_can_be_left_out_of_measures_kinds_and_ranks(reader):
    open_heads(reader, text=CAT)
    _, words = profiles_both_ways(explorer.trace(CAT))
    reader.switch("left out").click()
    stands_at(reader.page, "**special=out**")
    best = np.argsort(-words.measures["previous"].ravel(), kind="stable")[:3]
    for place, head in enumerate(best):
        expect(ranks(reader).nth(place).locator(".ax-link")).to_have_text(
            f"L{head // 12}·H{head % 12}", use_inner_text=True
        )
        expect(number(reader, place)).to_have_text(
            f"{words.measures['previous'].ravel()[head]:.3f}"
        )
    expect(reader.page.get_by_role("button", name="vertical 24")).to_have_count(0)
    options = reader.page.get_by_label("Measure", exact=True).locator("option")
    assert "[CLS]" not in options.all_inner_texts()
    reader.page.reload()
    reader.painted()
    expect(number(reader)).to_have_text(f"{words.measures['previous'].ravel()[best[0]]:.3f}")


def test_measures_stand_in_groups_and_each_says_exactly_what_it_measures(opened):
    groups = opened.page.get_by_label("Measure", exact=True).locator("optgroup")
    named = [group.get_attribute("label") for group in groups.all()]
    assert named == ["Where it looks", "Which words", "How sharply", "How far"]
    card = opened.page.locator(".ax-head-card")
    expect(card.locator("[scope=rowgroup]")).to_have_text(named, use_inner_text=True)
    marks = card.locator("tbody .ax-mark")
    expect(marks).to_have_count(card.locator("tbody td.ax-number").count() // 2)
    marks.first.focus()
    opened.page.get_by_role("tooltip").get_by_text("The weight on the token just before").wait_for()
    card.get_by_role("button", name="entropy", exact=True).click()
    opened.painted("entropy")


# — Many texts —

FOUR = f"{LINES}\nA quiet lighthouse watched ships in fog."


def test_the_farthest_text_of_a_measure_is_named_and_opens_in_explore_with_the_head(reader):
    open_heads(reader, text=FOUR, lines="1", layer=0, heads=2)
    texts = FOUR.split("\n")
    found = pool([head_profiles(explorer.trace(text)) for text in texts])["previous"]
    text, value = found.farthest[0, 2], found.extreme[0, 2]
    reader.page.locator(".ax-about").get_by_text("4 texts").wait_for()
    row = reader.page.locator(".ax-head-card tbody tr", has_text="the token before")
    expect(row).to_contain_text(
        f"{found.mean[0, 2]:.3f} ± {found.spread[0, 2]:.3f}", use_inner_text=True
    )
    expect(row.locator("td").last).to_contain_text(f"{value:.3f}", use_inner_text=True)
    row.locator("td button").click()
    reader.page.locator(".ax-text").wait_for()
    stands_at(reader.page, "**layer=0&heads=2**")
    reader.painted("0.2")
    expect(reader.page.locator(".ax-quote")).to_have_text(texts[text], use_inner_text=True)
    reader.page.get_by_role("link", name="Heads").click()
    back = reader.page.get_by_role("button", name=f"This is text {text + 1} of 4")
    back.click(delay=100)  # as long as a hand presses: what it tells of the place goes first
    reader.page.locator(".ax-about").get_by_text("4 texts").wait_for()


def test_texts_come_from_a_file_one_a_line_and_its_faults_are_said(reader):
    open_heads(reader, text=CAT)
    reader.edit()
    reader.page.get_by_text("Texts from a file").click()
    reader.upload("one text a line", "old.txt", "one\ncaf\u00e9\n".encode("latin-1"))
    reader.told("not in UTF-8: byte 8, in line 2,")
    expect(reader.box("Text")).to_have_value(CAT)
    reader.upload("one text a line", "texts.txt", LINES.encode())
    reader.page.locator(".ax-about").get_by_text("3 texts").wait_for()
    with_spread(reader)
    reader.edit()
    expect(reader.box("Text")).to_have_value(LINES)


# — One place —


def test_the_head_and_the_pair_of_explore_are_here_and_the_head_chosen_here_is_there(reader):
    reader.open(f"?{urlencode({'text': CAT, 'layer': 3, 'heads': 1, 'query': 8, 'key': 2})}")
    reader.painted()
    reader.page.get_by_role("link", name="Heads").click()
    reader.painted("pointed")
    reader.wait_says("L3·H1 gives")
    expect(reader.page.locator(".ax-finder[open]")).to_have_count(1)
    expect(reader.page.get_by_role("button", name="it → cat")).to_be_visible()
    ranks(reader).nth(2).locator(".ax-link").click()
    layer, head = map(
        int, re.findall(r"\d+", ranks(reader).nth(2).locator("a, .ax-link").inner_text())
    )
    stands_at(reader.page, f"**layer={layer}&heads={head}&query=8&key=2**")
    reader.page.mouse.move(0, 0)  # what is under the hand would be spoken of
    reader.page.go_back()
    stands_at(reader.page, "**layer=3&heads=1&query=8&key=2**")
    reader.wait_says("L3·H1 gives")
    reader.page.go_forward()
    reader.wait_says(f"L{layer}·H{head} gives")
    reader.page.get_by_role("link", name="Explore").click()
    reader.painted(f"{layer}.{head}")
    expect(reader.head(layer, head)).to_have_attribute("aria-pressed", "true")
    reader.wait_says("it looks at cat")


def test_a_pair_found_in_one_of_many_texts_opens_there_pinned(reader):
    open_heads(reader, text=LINES, lines="1", pairs="0-8-2_1-8-2")
    reader.painted("pointed")
    name = first_head(reader).inner_text()
    layer, head = map(int, re.findall(r"\d+", name))
    own = [explorer.trace(line).weights[layer, head, 8, 2] for line in LINES.split("\n")]
    expect(ranks(reader).first).to_contain_text(
        f"each: {own[0]:.3f} · {own[1]:.3f}", use_inner_text=True
    )
    expect(reader.page.locator(".ax-head-order h3")).to_contain_text(
        "over 2 pairs", use_inner_text=True
    )
    ranks(reader).first.get_by_role("button", name="Explore").click()
    stands_at(reader.page, f"**layer={layer}&heads={head}&query=8&key=2**")
    reader.painted(f"{layer}.{head}")
    expect(reader.page.locator(".ax-quote")).to_have_text(LINES.split("\n")[1], use_inner_text=True)


def test_several_sentences_are_offered_beside_a_single_pair(reader):
    open_heads(reader, text=CAT, layer=3, heads=1, query=8, key=2)
    reader.painted("pointed")
    inputs = reader.page.locator(".st-key-ask")
    expect(inputs).to_be_hidden()
    reader.page.get_by_role("button", name="Give several sentences").click()
    inputs.wait_for()
    expect(reader.page.get_by_label("Every line is a text of its own", exact=True)).to_be_checked()
