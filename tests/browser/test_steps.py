"""Step by step, as people see it: a walk through the stages, every number, changes, the proof."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from explorer.run import Run
from explorer.source import Folder, Scratch
from explorer.sources.layertraces import Twist, trace_layer
from tests.browser.conftest import stands_at
from tests.browser.test_files import saved
from tests.models.writers import save_writer

CAT = "The cat sat on the mat because it was tired."
NEXT = re.compile("^Stage.* ›$")
LINK = {"text": CAT, "layer": "3", "heads": "1", "query": "8"}


def open_steps(reader, **more):
    return reader.open(f"?{urlencode(LINK | more)}", "step").painted()


def go(reader, name):
    reader.page.locator(".ax-step").get_by_text(name, exact=True).click()


def details(reader):
    """The sum under “How one number was made”, by its words."""
    words = reader.page.locator(".ax-sums dt").all_inner_texts()
    numbers = reader.page.locator(".ax-sums dd").all_inner_texts()
    return dict(zip(words, numbers, strict=True))


def shown_weight(w):
    return "<0.0001" if 0 < w < 0.00005 else f"{w:.4f}"


def number(text):
    return float(text.replace("−", "-"))


def test_a_walk_through_all_stages_names_each_with_its_formula_and_sizes(reader):
    open_steps(reader)
    seen = []
    for i in range(9):
        reader.page.locator(".ax-steps-body h3", has_text=f"{i + 1}. ").wait_for()
        seen.append(reader.page.locator(".ax-formula-line").inner_text())
        assert reader.page.locator(".ax-matrix canvas").count() >= 1
        if i < 8:
            reader.page.get_by_role("button", name=NEXT).click()
    assert seen[2] == "Q K⊤"
    assert seen[5] == "Aij = exp(Sij) / Σj exp(Sij)"
    expect(reader.page.get_by_role("button", name=NEXT)).to_be_disabled()
    stands_at(reader.page, "**stage=9**")
    reader.page.get_by_role("button", name="‹ Stage 8").click()
    stands_at(reader.page, "**stage=8**")
    reader.page.reload()
    reader.painted("join 8")


@pytest.mark.parametrize("source", ["bert", "scratch"])
def test_a_clicked_weight_shows_the_numbers_of_the_model_that_made_it(reader, source):
    more = {"source": source, "layer": "1", "stage": "6"}
    open_steps(reader, **more)
    layer_trace = trace_layer(Run(CAT, source=Scratch()) if source == "scratch" else Run(CAT), 1)
    i, j, head = 8, 4, 1
    reader.page.locator(f".ax-keys tr[data-key='{j}']").click()
    shown = list(details(reader).values())
    q, k = layer_trace.q[head, i].astype(float), layer_trace.k[head, j].astype(float)
    product = q @ k
    scaled = (
        layer_trace.q[head, i].astype(float)
        @ layer_trace.k[head].astype(float).T
        / np.sqrt(layer_trace.d_k)
    )
    want = [
        product,
        product / np.sqrt(layer_trace.d_k),
        scaled[j] - scaled.max(),
        np.exp(scaled[j] - scaled.max()),
        layer_trace.weights[head, i, j],
        layer_trace.weights[head, i, j],
    ]
    for text, right in zip(shown[:6], want, strict=True):
        # Six digits are shown; the model's own float32 weight is good to seven.
        assert number(text) == pytest.approx(right, rel=1e-5, abs=1e-6)
    assert number(shown[6]) < 1e-6
    terms = reader.page.locator(".ax-terms tbody tr").first.locator("td").all_inner_texts()
    largest = int(np.abs(q * k).argmax())
    assert int(terms[0]) == largest
    assert number(terms[3]) == pytest.approx(q[largest] * k[largest], rel=1e-5)
    stands_at(reader.page, "**key=4**")


def test_the_table_grows_with_the_stages_and_holds_the_weights_of_explore(reader):
    open_steps(reader, stage="3")
    heads = lambda: reader.page.locator(".ax-keys thead th").all_inner_texts()  # noqa: E731
    assert heads() == ["key", "q · k"]
    go(reader, "Softmax")
    assert heads() == ["key", "q · k", "score", "mask", "exp", "weight"]
    shown = reader.page.locator(".ax-keys tbody td:last-child").all_inner_texts()
    weights = explorer.trace(CAT).weights[3, 1, 8]
    assert shown == [shown_weight(w) for w in weights]
    expect(reader.sentence).to_contain_text("looks most at “cat”: 0.4915", use_inner_text=True)
    check = reader.page.locator(".ax-help", has_text="Checked").inner_text()
    off = float(re.search(r"within ([0-9.e+-]+)\.$", check)[1])
    assert off < 1e-6


def test_the_query_is_chosen_by_click_and_by_arrow_keys(reader):
    open_steps(reader, stage="6")
    reader.page.locator(".ax-chip", has_text="tired").click()
    stands_at(reader.page, "**query=10**")
    reader.page.locator(".ax-strip").press("ArrowLeft")
    stands_at(reader.page, "**query=9**")
    expect(reader.page.locator(".ax-chip[aria-selected=true]")).to_have_text(
        "was", use_inner_text=True
    )
    reader.page.locator(".ax-strip").press("End")
    stands_at(reader.page, "**query=12**")


def test_another_layer_and_head_come_from_the_model(reader):
    open_steps(reader, stage="6")
    reader.page.get_by_label("Layer", exact=True).select_option("0")
    reader.painted("0.1 softmax")
    reader.page.get_by_label("Head", exact=True).select_option("2")
    reader.painted("0.2 softmax 8")
    shown = reader.page.locator(".ax-keys tbody td:last-child").all_inner_texts()
    assert shown == [shown_weight(w) for w in explorer.trace(CAT).weights[0, 2, 8]]


def test_a_number_of_the_query_vector_shows_its_sum(reader):
    open_steps(reader, stage="2")
    # By its name alone: what is pointed at stands in the place of its size.
    name = reader.page.locator("strong").get_by_text("Q", exact=True)
    canvas = reader.page.locator(".ax-stage-pictures figure", has=name).locator("canvas")
    box = canvas.bounding_box()
    cell = {"x": box["width"] * 0.99 - 3, "y": box["height"] * 8.5 / 13}
    canvas.hover(position=cell)
    caption = reader.page.locator(".ax-stage-pictures figcaption", has_text="Q, it, place 31: ")
    expect(caption).to_have_count(1)
    canvas.click(position=cell)
    shown = details(reader)
    layer_trace = trace_layer(Run(CAT), 3)
    assert number(shown["the model’s own number"]) == pytest.approx(
        layer_trace.q[1, 8, 31], rel=1e-5
    )
    assert number(shown["together"]) == pytest.approx(layer_trace.q[1, 8, 31], rel=1e-5)


def picture(reader, name):
    """The canvas of one of the stage's pictures."""
    figures = reader.page.locator(".ax-stage-pictures figure")
    return figures.filter(has_text=re.compile(f"^{re.escape(name)} \\[")).locator("canvas")


SEE_SLIDES = """
  window.slides = [];
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (frames, ...more) {
    const moving = animate.call(this, frames, ...more);
    if (this.className === "ax-slide") {
      window.slides.push({ transform: frames.at(-1).transform, start: this.style.cssText });
    }
    return moving;
  };
"""


def test_a_clicked_cell_stays_where_it_is_and_its_two_rows_slide_into_their_sum(reader):
    reader.before(SEE_SLIDES)
    open_steps(reader, stage="3")
    canvas = picture(reader, "Q Kᵀ")
    before = canvas.bounding_box()
    rows = [picture(reader, name).bounding_box() for name in "QK"]
    i, j = 10, 4  # tired, on
    x = 62 + (j + 0.5) * (before["width"] - 63) / 13
    y = 62 + (i + 0.5) * (before["height"] - 63) / 13
    canvas.click(position={"x": x, "y": y})
    assert canvas.bounding_box() == before
    expect(reader.page.locator(".ax-details")).to_contain_text(
        "The product q · k of “tired” with “on”", use_inner_text=True
    )
    stands_at(reader.page, "**query=10**key=4**")
    stage = reader.page.locator(".ax-steps-body").bounding_box()
    sums = reader.page.locator(".ax-sum-rows canvas")
    slides = reader.page.evaluate("slides")
    assert len(slides) == 2  # their products are made there
    for n, (slide, row, box) in enumerate(zip(slides, (i, j), rows, strict=True)):
        start = [float(re.search(rf"{side}: ([\d.]+)px", slide["start"])[1]) for side in SIDES]
        names = 62 if box["height"] / 13 > 9 else 1
        assert start[0] == pytest.approx(box["x"] + names - stage["x"], abs=1)
        each = (box["height"] - 2) / 13
        assert start[1] == pytest.approx(box["y"] + 1 + row * each - stage["y"], abs=1)
        way = [
            float(w)
            for w in re.findall(r"translate\(([-\d.]+)px, ([-\d.]+)px", slide["transform"])[0]
        ]
        end = sums.nth(n).bounding_box()
        assert start[0] + way[0] == pytest.approx(end["x"] + 1 - stage["x"], abs=1)
        assert start[1] + way[1] == pytest.approx(end["y"] + 1 - stage["y"], abs=1)


SIDES = ("left", "top")


@pytest.mark.parametrize("reader", [{"reduced_motion": "reduce"}], indirect=True)
def test_nothing_slides_for_who_asked_for_less_motion(reader):
    reader.before(SEE_SLIDES)
    open_steps(reader, stage="3")
    picture(reader, "Q Kᵀ").click(position={"x": 100, "y": 100})
    stands_at(reader.page, "**key=**")
    assert reader.page.evaluate("slides") == []


SCREENS = [
    {"viewport": {"width": 1280, "height": 720}},
    {"viewport": {"width": 853, "height": 480}},
]


@pytest.mark.parametrize("reader", SCREENS, ids=["laptop", "150 %"], indirect=True)
def test_the_picture_of_every_stage_stands_on_the_first_screen_and_nothing_jumps(reader):
    open_steps(reader)
    screen = reader.page.viewport_size
    tops = set()
    for stage in range(9):
        reader.page.locator(".ax-steps-body h3", has_text=f"{stage + 1}. ").wait_for()
        boxes = [
            box.bounding_box() for box in reader.page.locator(".ax-stage-pictures canvas").all()
        ]
        if screen["height"] >= 720:
            assert max(box["y"] + box["height"] for box in boxes) <= screen["height"]
        else:  # it begins in sight
            assert min(box["y"] for box in boxes) <= screen["height"] - 120
        assert reader.page.evaluate("document.documentElement.scrollTop") == 0
        below = reader.page.locator(".ax-steps-notes, .ax-steps-numbers").all()
        if screen["height"] >= 720:
            tops.add(tuple(round(box.bounding_box()["y"]) for box in below))
        tops.add(("pictures", min(round(box["y"]) for box in boxes)))
        if stage < 8:
            reader.page.get_by_role("button", name=NEXT).click()
    assert len(tops) == (2 if screen["height"] >= 720 else 1), tops


def test_experiments_are_led_to_from_their_stages(reader):
    open_steps(reader, stage="4")
    reader.page.get_by_role("button", name="See what √dₖ is for").click()
    said = reader.page.get_by_text("the largest weight of a row is")
    said.wait_for()
    expect(said).to_be_visible()
    go(reader, "q · k")
    reader.page.get_by_role("button", name="Measure what length costs").click()
    reader.page.get_by_role("button", name="Measure now").wait_for()


def test_the_positions_of_the_scratch_layer_are_a_map_with_their_likeness(reader):
    open_steps(reader, source="scratch", layer="0", heads="0", query="7")
    section = reader.page.locator(".ax-positions")
    text = section.inner_text()
    assert "[the first 64 positions × 64]" in text
    assert "[64 × 64], cosine" in text
    position, rate = np.arange(64)[:, None], 10_000 ** (-np.arange(0, 64, 2) / 64)
    table = np.stack([np.sin(position * rate), np.cos(position * rate)], -1).reshape(64, 64)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    likeness = table[7] @ table.T
    likeness[7] = -1
    assert abs(likeness[6] - likeness.max()) < 1e-12  # as far as 8: a cosine tells the distance
    assert f"Position 7 is most like positions 6 and 8: cosine {likeness[6]:.3f}." in text
    maps = section.locator("canvas")
    box = maps.first.bounding_box()
    maps.first.click(position={"x": 50, "y": 3.5 / 64 * box["height"]})
    stands_at(reader.page, "**query=3**")
    what_if(reader, "no positions").click()
    changed(reader, "Without positions, ")
    go(reader, "Softmax")
    expect(section).to_be_hidden()


def test_a_layer_without_positions_says_so_in_place_of_their_map(reader):
    open_steps(reader, source="scratch", layer="0", positions="0")
    expect(reader.page.locator(".ax-positions")).to_contain_text(
        "No position is added here", use_inner_text=True
    )
    expect(reader.page.locator(".ax-positions canvas")).to_have_count(0)


def test_without_a_pinned_word_it_begins_at_a_word_of_content_and_pins_nothing(reader):
    reader.open(f"?{urlencode({'text': 'A cat saw something.'})}", "step").painted("input 4")
    expect(reader.page.locator(".ax-chip[aria-selected=true]")).to_have_text(
        "something", use_inner_text=True
    )
    reader.page.get_by_role("button", name=NEXT).click()
    stands_at(reader.page, "**stage=2**")
    assert "query" not in reader.address()


def test_another_text_keeps_to_the_word_that_was_pinned(reader):
    open_steps(reader, stage="6")  # it
    reader.page.get_by_role("button", name="Edit").click()
    reader.run("They said it.")
    reader.painted("softmax 3")
    expect(reader.page.locator(".ax-chip[aria-selected=true]")).to_have_text(
        "it", use_inner_text=True
    )


def test_back_and_forward_go_through_the_places_that_were_looked_at(reader):
    open_steps(reader, stage="6")
    reader.page.locator(".ax-chip", has_text="tired").click()
    stands_at(reader.page, "**query=10**")
    reader.page.get_by_label("Layer", exact=True).select_option("0")
    reader.painted("0.1 softmax 10")
    stands_at(reader.page, "**layer=0**")
    reader.page.go_back()
    reader.painted("3.1 softmax 10")
    reader.page.go_back()
    reader.painted("3.1 softmax 8")
    reader.page.go_forward()
    reader.painted("3.1 softmax 10")


def test_without_the_scale_softmax_is_sharper_and_the_page_says_how_much(reader):
    open_steps(reader, stage="6")
    what_if(reader, "no ÷ √dₖ").click()
    changed = reader.page.locator(".ax-changed.ax-on")
    changed.wait_for()
    own = trace_layer(Run(CAT), 3)
    scores = own.q[1, 8].astype(float) @ own.k[1].astype(float).T
    sharp = np.exp(scores - scores.max())
    sharp /= sharp.sum()
    assert sharp.argmax() == 2
    expect(changed).to_have_text(
        f"Not divided by √dₖ, “it” still looks most at “cat”: {sharp[2]:.4f}, before 0.4915.",
        use_inner_text=True,
    )
    words = reader.page.locator(".ax-changed-head").inner_text()
    now, before = map(
        float, re.search(r"is ([0-9.]+) on average, before ([0-9.]+)", words).groups()
    )
    assert now > before
    expect(reader.page.locator(".ax-keys thead th").last).to_have_text(
        "with the change", use_inner_text=True
    )
    stands_at(reader.page, "**scale=0**")
    reader.page.reload()
    reader.painted("softmax")
    expect(changed).to_contain_text("Not divided", use_inner_text=True)


def what_if(reader, words):
    return reader.page.locator(".ax-tools").get_by_role("button", name=words, exact=True)


def changed(reader, words):
    """The sentence of a change, once it begins like this."""
    begins = re.compile(f"^{re.escape(words)}")
    sentence = reader.page.locator(".ax-changed.ax-on", has_text=begins)
    sentence.wait_for()
    return sentence.inner_text()


def test_without_positions_the_words_take_their_attention_with_them(reader):
    open_steps(reader, source="scratch", layer="0", stage="6")
    what_if(reader, "no positions").click()
    changed(reader, "Without positions, ")
    what_if(reader, "words backwards").click()
    changed(reader, "Without positions in both and with the words read backwards, ")
    head = reader.page.locator(".ax-changed-head")
    expect(head).to_contain_text("changed by 0.0000. Nothing moved", use_inner_text=True)
    what_if(reader, "no positions").click()
    changed(reader, "With the words read backwards, ")
    expect(head).not_to_contain_text("Nothing moved", use_inner_text=True)
    what_if(reader, "words backwards").click()
    reader.page.get_by_text("What if? Change something above").wait_for()


def test_the_sentence_of_a_change_tells_the_models_own_numbers_of_the_stage_in_sight(reader):
    open_steps(reader, source="scratch", layer="0", stage="6", heads="0", query="7")
    what_if(reader, "no positions").click()
    run = Run(CAT, source=Scratch())
    told, silent = trace_layer(run, 0), trace_layer(run, 0, Twist(positions=False))
    texts = [token.text for token in told.tokens]
    (before, now) = (t.weights[0, 7] for t in (told, silent))
    assert texts[before.argmax()] != texts[now.argmax()]
    assert changed(reader, "Without positions") == (
        f"Without positions, “{texts[7]}” looks most at “{texts[now.argmax()]}” "
        f"({now.max():.4f}) instead of “{texts[before.argmax()]}” ({before.max():.4f})."
    )
    go(reader, "q · k")
    j = int(before.argmax())
    products = [t.q[0, 7].astype(float) @ t.k[0, j].astype(float) for t in (silent, told)]
    after, was = (shown_number(product) for product in products)
    assert changed(reader, "Without positions, the product") == (
        f"Without positions, the product q · k of “{texts[7]}” with “{texts[j]}” is {after}, "
        f"before {was}."
    )
    go(reader, "Input")
    way = np.linalg.norm(silent.x[7].astype(float) - told.x[7].astype(float))
    moves = f"the vector of “{texts[7]}” moves by {shown_number(way)};"
    assert moves in changed(reader, "Without positions, the vector")


def shown_number(x):
    """As a number stands in a sentence: four digits, more or less."""
    digits = 1 if abs(x) >= 100 else 2 if abs(x) >= 10 else 3
    return f"{x:.{digits}f}".replace("-", "−")


def test_another_size_stands_beside_the_layer_and_an_impossible_one_is_refused(reader):
    open_steps(reader, source="scratch", layer="0", stage="6")
    what_if(reader, "another size").click()
    changed(reader, "With d_model 16 and 1 head, ")
    heads = reader.page.get_by_label("Heads of the other")
    heads.fill("3")
    heads.press("Enter")
    reader.page.locator(".ax-changed", has_text="Nearest widths that can: 15 and 18").wait_for()
    expect(reader.page.locator(".ax-keys tbody tr")).to_have_count(11)  # the original stays
    heads.fill("4")
    heads.press("Enter")
    changed(reader, "With d_model 16 and 4 heads, ")
    stands_at(reader.page, "**other_n_heads=4**")


def test_a_link_names_the_change_and_another_source_drops_what_it_cannot_do(reader):
    sizes = {"change": "positions.size", "other_d_model": "32", "other_n_heads": "2"}
    open_steps(reader, source="scratch", layer="0", **sizes)
    changed(reader, "Without positions and with d_model 32 and 2 heads, ")
    reader.page.get_by_role("button", name="Edit").click()
    reader.page.get_by_label("Model", exact=True).first.click()
    reader.page.get_by_role("option", name="BERT (all-MiniLM").click()
    reader.page.get_by_role("button", name="Run").click()
    reader.page.locator(".ax-chip", has_text="[CLS]").wait_for()
    assert changed(reader, "Without positions, ")
    expect(what_if(reader, "another size")).to_be_hidden()
    stands_at(reader.page, "**change=positions**")


def test_the_proof_shows_every_layer_and_leads_to_the_transplanted_layer(reader):
    open_steps(reader)
    reader.page.get_by_text("The proof: our layer").click()
    verdict = reader.page.get_by_text(re.compile("largest difference (of a weight )?is"))
    verdict.wait_for()
    assert float(re.search(r"is (\d+(\.\d+)?(e-?\d+)?)", verdict.inner_text())[1]) <= 1e-6
    reader.page.get_by_role("button", name="Walk through our layer").click()
    stands_at(reader.page, "**source=transplant%3Abert**")
    reader.painted("input")
    expect(reader.page.locator(".st-key-kind")).not_to_contain_text("built in", use_inner_text=True)
    go(reader, "Softmax")
    expect(reader.sentence).to_contain_text("looks most at “cat”: 0.4915", use_inner_text=True)


def test_the_cost_of_length_is_measured_and_a_slope_given(reader):
    open_steps(reader)
    reader.page.get_by_text("what does length cost").click()
    reader.page.get_by_role("button", name="Measure now").click()
    said = reader.page.get_by_text("Measured slope from")
    said.wait_for()
    # Which slope depends on who else works on this machine.
    expect(said).to_have_text(re.compile(r"on: -?[0-9]+(\.[0-9]+)?\."))
    reader.page.locator(".js-plotly-plot .scatterlayer").first.wait_for()


@pytest.mark.parametrize("reader", [{"viewport": {"width": 1280, "height": 720}}], indirect=True)
def test_explore_leads_to_where_the_pinned_weight_is_made_and_its_sum_is_in_sight(reader):
    reader.open(f"?{urlencode(LINK | {'key': '3'})}").painted()
    reader.page.get_by_role("button", name="Why this weight?", exact=True).click()
    reader.painted("3.1 softmax 8")
    assert "/step" in reader.address()
    stands_at(reader.page, "**layer=3**query=8**key=3**stage=6**")
    weight = explorer.trace(CAT).weights[3, 1, 8, 3]
    expect(reader.sentence).to_contain_text(f"looks at “sat” with {weight:.4f}, most at “cat”")
    line = reader.page.locator(".ax-sums dt", has_text="the weight")
    expect(line).to_be_in_viewport(ratio=1)
    expect(reader.page.locator(".ax-sums dd").nth(4)).to_have_text(re.compile(f"^{weight:.4f}"))
    # A query alone is taken to its strongest key.
    reader.open(f"?{urlencode(LINK)}").painted()
    reader.page.get_by_role("button", name="why this weight?", exact=True).click()
    reader.painted("3.1 softmax 8")
    expect(reader.page.locator(".ax-keys tr.ax-on th")).to_have_text("cat")


def test_the_browsers_back_goes_through_the_stages(reader):
    open_steps(reader)
    for stage, name in enumerate(("qkv", "products"), start=2):
        reader.page.get_by_role("button", name=f"Stage {stage} ›").click()
        reader.painted(f"3.1 {name} 8")
        stands_at(reader.page, f"**stage={stage}**")
    reader.page.go_back()
    reader.painted("3.1 qkv 8")
    reader.page.go_back()
    reader.painted("3.1 input 8")
    reader.page.go_forward()
    reader.painted("3.1 qkv 8")


def test_saved_numbers_are_those_on_the_page_and_safe_in_a_spreadsheet(reader):
    text = "=1+1 cat"
    query = urlencode({"text": text, "source": "scratch", "stage": "6", "query": "0"})
    reader.open(f"?{query}", "step").painted()
    reader.page.locator(".ax-save summary").click()
    with reader.page.expect_download() as caught:
        reader.page.get_by_role("button", name="CSV").click()
    lines = caught.value.path().read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("query,key,q·k,score,allowed,exp,weight")
    assert lines[1].startswith("'=,'=,")
    layer_trace = trace_layer(Run(text, source=Scratch()), 0)
    weights = [float(line.split(",")[6]) for line in lines[1:]]
    assert np.abs(np.array(weights) - layer_trace.weights[0, 0]).max() < 1e-6


def test_a_link_with_impossible_places_opens_at_possible_ones(reader):
    odd = {"layer": "99", "heads": "77", "query": "5000", "key": "-1", "stage": "44", "scale": "x"}
    open_steps(reader, **odd)
    reader.painted("5.0 output 12")


def test_all_is_saved_as_one_file_that_shows_the_same_offline(reader, from_disk, tmp_path):
    open_steps(reader, stage="6", key="4")
    said = reader.says()
    reader.page.locator(".ax-save summary").click()
    with reader.page.expect_download() as caught:
        reader.page.get_by_role("button", name="HTML").click()
    saved = tmp_path / "saved.html"
    caught.value.save_as(saved)
    page = from_disk(saved).page
    page.locator(".ax[data-painted$='3.1 softmax 8']").wait_for()
    expect(page.locator(".ax-says")).to_have_text(said, use_inner_text=True)
    expect(page.locator(".ax-keys tr.ax-on")).to_have_text(
        reader.page.locator(".ax-keys tr.ax-on").inner_text(), use_inner_text=True
    )
    page.get_by_role("button", name=NEXT).click()
    page.locator(".ax[data-painted$='3.1 mix 8']").wait_for()


def test_a_stage_is_saved_as_a_picture(reader):
    open_steps(reader, stage="6")
    for kind, start in {"SVG": b"<svg", "PDF": b"%PDF", "PNG": b"\x89PNG"}.items():
        data = saved(reader, kind).path().read_bytes()
        assert start in data[:200]
        assert kind != "SVG" or b"looks most at" in data


SAT = "a cat sat on the mat because it was tired."


def folder_of(app, name):
    folder = app.folder / f"steps-{name}"
    if not folder.exists():
        folder.mkdir()
        save_writer(name, folder)
    return str(folder)


def open_model(reader, folder, **more):
    query = {"text": SAT, "source": f"path:{folder}", "layer": "1", "heads": "3", "query": "20"}
    return reader.open(f"?{urlencode(query | more)}", "step")


def test_a_llama_is_walked_with_its_norm_and_its_turn_and_leads_to_what_made_a_score(reader, app):
    folder = folder_of(app, "llama")
    open_model(reader, folder, key="4", stage="rotation").painted("1.3 turn 20")
    names = ["Input", "Norm", "Q, K, V", "Rotation", "q · k", "÷ √dk", "Mask", "Softmax"]
    expect(reader.page.locator(".ax-step")).to_have_text(
        [f"{i}{name}" for i, name in enumerate([*names, "· V", "Join heads", "Output"], start=1)],
        use_inner_text=True,
    )
    trace = trace_layer(Run(SAT, source=Folder(folder)), 1)
    head, key_head, i, j = 3, 1, 20, 4
    turn, width = trace.turn, trace.d_k // 2
    gives = [
        trace.q[head, i, [p, p + width]] @ trace.k[key_head, j, [p, p + width]]
        for p in range(width)
    ]
    pair = int(np.abs(gives).argmax())
    assert tuple(turn.pairs[pair]) == (pair, pair + width)
    angle = np.degrees(np.arctan2(turn.sin[:, pair], turn.cos[:, pair]))
    apart = (angle[i] - angle[j] + 180) % 360 - 180
    expect(reader.sentence).to_contain_text("16 positions apart", use_inner_text=True)
    expect(reader.sentence).to_contain_text(f"{shown_number(apart)}°, is in their product")
    expect(reader.page.locator(".ax-turn p")).to_contain_text(
        f"The pair gives {shown_number(gives[pair])} to q · k", use_inner_text=True
    )
    before, after = trace.q_mapped[head, i], trace.q[head, i]
    lines = reader.page.locator(".ax-sums")
    expect(lines.locator("dt").nth(1)).to_contain_text("×")
    first = lines.locator("dt").nth(1).inner_text().split(" × ")[0]
    assert number(first) == pytest.approx(before[pair], rel=1e-5)
    assert number(lines.locator("dd").nth(2).inner_text()) == pytest.approx(after[pair], rel=1e-5)

    go(reader, "Norm")
    reader.painted("1.3 norm 20")
    expect(reader.sentence).to_contain_text(f"divided by {shown_number(trace.norm.scale[20])}")
    go(reader, "Softmax")
    reader.painted("1.3 softmax 20")
    reader.page.get_by_role("button", name="What made this score ›").click()
    reader.page.locator(".ax-panel-lens[open]").wait_for()
    why = reader.page.locator(".ax-panel-lens .ax-whole")
    score = float(trace.q[head, i] @ trace.k[key_head, j]) * trace.rule.scale
    expect(why).to_contain_text(f"of the score {score:+.2f}".replace("-", "−"))
    assert "/step" not in reader.address()


def test_a_sink_takes_its_part_of_a_row_and_what_lies_outside_a_window_is_said(reader, app):
    folder = folder_of(app, "gpt_oss")
    open_model(reader, folder, layer="0", stage="6").painted("0.3 softmax 20")
    trace = trace_layer(Run(SAT, source=Folder(folder)), 0)
    rest = 1 - trace.weights[3, 20].astype(float).sum()
    assert 0.001 < rest < 1
    expect(reader.sentence).to_contain_text(
        f"The sink takes {rest:.4f}: all weights of this row add up to {1 - rest:.4f}."
    )
    go(reader, "Mask")
    expect(reader.sentence).to_have_text(
        "“i” may look at 8 of 34 tokens. 13 tokens before it lie outside the window: it holds 8."
    )
    data = saved(reader, "SVG").path().read_bytes()
    assert b"outside the window" in data
