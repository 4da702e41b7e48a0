"""What was found wrong on screens, row by row (C1 to C13), each held by a test.

C6 and C11 stand in test_models.py, C10 in test_explain.py.
"""

from itertools import product
from urllib.parse import urlencode

import numpy as np
import pytest
import transformers
from playwright.sync_api import expect

import explorer
from tests.browser.conftest import IDLE, stands_at
from tests.browser.test_frame import CAT, LAPTOP, PHONE
from tests.browser.test_models import FOLDER, OWN, folder_of, npz
from tests.browser.test_train import choose_task, open_training
from tests.models.tiny import one_mark, tiny_of

WIDE = {"viewport": {"width": 1440, "height": 900}}

# Layout shifts that no hand has caused, as the browser measures them.
SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => window.shifts.push(...list.getEntries()))
    .observe({ type: "layout-shift", buffered: true });
}"""
SHIFTED = "shifts.filter((e) => !e.hadRecentInput).reduce((sum, e) => sum + e.value, 0)"
MOST_SHIFT = 0.05

# A server that answers after the half second in which a shift counts as a hand's own.
LATE = """
window.WebSocket = class extends WebSocket {
  addEventListener(type, hear, how) {
    const late = (event) => setTimeout(() => hear(event), window.shifts?.late ?? 0);
    super.addEventListener(type, type === "message" ? late : hear, how);
  }
  set onmessage(hear) { this.addEventListener("message", hear); }
};
"""

# How much of a canvas has something on it: its share of dots that are not clear, in columns.
INK = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let last = 0, lowest = 0;
  for (let y = 0; y < height; y += 2)
    for (let x = 0; x < width; x += 2)
      if (data[4 * (y * width + x) + 3]) { last = Math.max(last, x); lowest = Math.max(lowest, y); }
  return [(last + 2) / width, (lowest + 2) / height];
}"""


# Whether the frames round the heads and the canvas below them are of one size.
FITS = """(grid) => {
  const cells = [...grid.querySelectorAll(".ax-cell")].at(-1).getBoundingClientRect();
  const canvas = grid.querySelector("canvas").getBoundingClientRect();
  return Math.abs(cells.right - canvas.right) < 2 && Math.abs(cells.bottom - canvas.bottom) < 2;
}"""


def boxes(reader, selector):
    return [found.bounding_box() for found in reader.page.locator(selector).all()]


def menu(reader, name):
    reader.page.get_by_test_id("stTopNavLink").get_by_text(name, exact=True).click()


def painted_anew(reader, act):
    """Do something, and wait until another trace is painted."""
    before = reader.instrument.first.get_attribute("data-painted").split()[0]
    act()
    reader.page.locator(f".ax[data-painted]:not([data-painted^='{before}'])").first.wait_for()
    reader.page.wait_for_function(IDLE)


RUNS = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  window.ran = false;
  new MutationObserver((_, all) => {
    if (app.dataset.testScriptState === "notRunning") return;
    window.ran = true;
    all.disconnect();
  }).observe(app, { attributes: true, attributeFilter: ["data-test-script-state"] });
}"""


def after_a_run(reader, act):
    """Do something, and wait until the page has run and is at rest again."""
    reader.page.evaluate(RUNS)
    act()
    reader.page.wait_for_function("window.ran")
    reader.page.wait_for_function(IDLE)


# --- C1: every panel is drawn for its own size --------------------------------------------------


def test_c1_every_panel_is_drawn_for_its_size_when_the_flow_takes_a_whole_line_and_gives_it_back(
    reader,
):
    reader.open().painted()
    for size, flow in product((LAPTOP, WIDE), ("lines", "columns")):
        reader.page.set_viewport_size(size["viewport"])
        reader.switch(flow).click()
        wide = flow == "lines"
        reader.page.locator(f".ax-panel-flow{'.ax-wide' if wide else ':not(.ax-wide)'}").wait_for()
        grid = reader.page.locator(".ax-grid").element_handle()
        reader.page.wait_for_function(FITS, arg=grid)
        right, bottom = reader.page.locator(".ax-grid canvas").evaluate(INK)
        assert right > 0.98, "the last heads are painted"
        assert bottom > 0.98, "the last layers are"
        for panel in (".ax-panel-heat", ".ax-panel-flow"):
            (around,) = boxes(reader, panel)
            for inside in boxes(reader, f"{panel} canvas"):
                assert inside["x"] + inside["width"] <= around["x"] + around["width"] + 1


@pytest.mark.parametrize("reader", [LAPTOP], indirect=True)
def test_c1_on_paper_no_picture_is_wider_than_its_panel(reader):
    reader.open("?flow=lines").painted()
    reader.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    reader.page.locator(".ax.ax-paper").wait_for()
    for panel in (".ax-panel-heat", ".ax-panel-flow", ".ax-panel-grid"):
        for around in boxes(reader, panel):
            for inside in boxes(reader, f"{panel} canvas"):
                assert inside["x"] + inside["width"] <= around["x"] + around["width"] + 1
    reader.page.evaluate("dispatchEvent(new Event('afterprint'))")


# --- C2, C3, C4: one place; true sentences; what was learned ------------------------------------


def test_c2_layer_head_and_pin_travel_and_the_next_page_opens_there(reader):
    reader.open().painted()
    reader.head(2, 9).click()
    reader.token(2).click()
    reader.wait_says("L2·H9: cat looks most at")
    menu(reader, "Step by step")
    stands_at(reader.page, "**/step**layer=2**heads=9**query=2**")
    reader.painted("2.9")
    expect(reader.page.locator(".ax").first).to_contain_text("“cat” stands at position 2")
    menu(reader, "Explore")
    reader.painted("2.9")
    reader.wait_says("L2·H9: cat looks most at")
    painted_anew(reader, lambda: reader.run("A black cat slept."))
    reader.wait_says("L2·H9: cat looks most at")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("gpt2", "predicts the next word from those before it"),
        ("trained", "The trained layer answers the questions of its own task"),
    ],
)
def test_c3_why_a_target_cannot_be_is_said_truly(reader, app, source, says):
    if source == "gpt2":
        config = transformers.GPT2Config(
            **{"vocab_size": 300, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}
        )
        made = folder_of(app, "gpt2", lambda f: tiny_of(config, f, one_mark(), "LMHeadModel"))
        source = f"path:{made}"
    asked = {"text": "abcdef", "source": source, "target": "like"}
    reader.open(f"?{urlencode(asked)}", "explain")
    expect(reader.page.locator("body")).to_contain_text(says, timeout=60_000)


def test_c4_a_sequence_of_another_length_a_foreign_letter_and_a_new_task_are_told_truly(reader):
    open_training(reader, task="reverse").painted("step 300")
    box = reader.page.get_by_label("Try your own sequence")
    box.fill("abcd")
    box.press("Enter")
    said = reader.page.locator(".ax-training-says")
    expect(said).to_contain_text("it has only seen sequences of 12 tokens")
    box.fill("a b ß")
    box.press("Enter")
    reader.page.locator(
        "[class*=st-key-note_sequence]", has_text="knows only the tokens"
    ).wait_for()
    assert reader.page.locator(".ax-answers td").count() > 0, "the last film stays"
    choose_task(reader, "Sort")
    reader.page.locator(".ax-training-stale", has_text="This is still").wait_for()


# --- C5: every result says whose it is; errors leave with their cause ---------------------------


def dimmed(reader):
    """Wait until the picture is dimmed."""
    reader.page.wait_for_function(
        "getComputedStyle(document.querySelector('.st-key-instrument .stBidiComponent')"
        " ?? document.querySelector('.stBidiComponent')).opacity === '0.5'"
    )


def test_c5_a_refused_folder_leaves_the_last_picture_named_and_dimmed_and_its_error_leaves_with_it(
    reader,
):
    reader.open().painted()
    reader.choose(*FOLDER, "/nowhere/at/all")
    reader.page.get_by_role("button", name="Run").click()
    reader.told("EXPLORER_MODEL_DIRS")
    line = reader.page.locator(".ax-about")
    expect(line).to_contain_text("The cat sat on the mat")
    expect(line).to_contain_text("all-MiniLM-L6-v2")
    dimmed(reader)
    reader.choose_kind("BERT (all-MiniLM-L6-v2, built in)")
    reader.page.locator("[class*=st-key-note_trouble]").wait_for(state="detached")


def test_c5_run_says_again_why_a_file_was_refused(reader):
    reader.open().painted()
    reader.choose_kind("My own attention weights")
    reader.page.get_by_test_id("stFileUploader").filter(has_text=OWN).wait_for()
    reader.page.wait_for_function(IDLE)
    reader.upload(OWN, "flat.npz", npz(weights=np.zeros(3, np.float32)))
    reader.told("has the shape [3]")
    reader.page.wait_for_function(IDLE)
    after_a_run(reader, reader.edit().page.get_by_role("button", name="Run").click)
    reader.told("has the shape [3]")
    reader.page.get_by_role("button", name="Remove").click()
    reader.page.locator("[class*=st-key-note_trouble]").wait_for(state="detached")


# --- C7: a link opens ---------------------------------------------------------------------------


def test_c7_a_link_to_a_path_of_chosen_heads_opens(reader):
    reader.open(f"?{urlencode({'text': CAT, 'path': 'chosen', 'layer': 2})}").painted()
    expect(reader.page.get_by_text("Page not found")).to_have_count(0)
    assert "path=chosen" in reader.address()
    reader.page.locator(".ax-panel-layers summary").first.click()
    pressed = reader.page.locator(
        ".ax-panel-layers [aria-checked=true], .ax-panel-layers input:checked"
    )
    assert pressed.count()


# --- C8: nothing empty ----------------------------------------------------------------------------


def test_c8_a_text_of_special_tokens_alone_leaves_one_sentence_and_no_empty_bar(reader):
    reader.open(f"?{urlencode({'text': '[CLS] [SEP]', 'specials': 'hidden'})}")
    reader.page.get_by_text(
        "Nothing to show: every token is special, and special tokens are hidden"
    ).wait_for()
    for panel in (".ax-panel-training", ".ax-panel-grid"):
        expect(reader.page.locator(panel)).to_be_hidden()
    for panel in (".ax-panel-reading", ".ax-panel-heat", ".ax-panel-flow"):
        expect(reader.page.locator(panel)).to_be_hidden()


# --- C9: phones ---------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [PHONE], indirect=True)
def test_c9_the_menu_closes_when_a_page_was_chosen_and_stays_closed(reader):
    reader.open().painted()
    reader.page.get_by_test_id("stExpandSidebarButton").tap()
    reader.page.get_by_test_id("stSidebarNavLink").get_by_text("Heads", exact=True).tap()
    stands_at(reader.page, "**/heads*")
    closed = "document.querySelector('[data-testid=stSidebar]')?.getBoundingClientRect().right > 0"
    reader.page.wait_for_function(f"!({closed})")
    reader.open().painted()
    reader.page.wait_for_function(f"!({closed})")
    # Its button is a menu's and bears the page's name; left open, it is closed after a reload.
    menu = reader.page.get_by_test_id("stExpandSidebarButton")
    assert menu.evaluate("e => getComputedStyle(e, '::before').content") == '"☰ Explore"'
    menu.tap()
    reader.page.wait_for_function(closed)
    reader.page.reload()
    reader.painted()
    reader.page.wait_for_function(f"!({closed})")


@pytest.mark.parametrize("reader", [PHONE], indirect=True)
def test_c9_examples_are_a_line_of_their_own_that_shows_that_it_goes_on(reader):
    reader.open().painted()
    reader.edit()
    row = reader.page.locator(".st-key-examples")
    whole, seen = row.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert whole > seen > 330
    assert "gradient" in row.evaluate("e => getComputedStyle(e).maskImage")
    right = row.bounding_box()["x"] + seen
    inside = [b for b in boxes(reader, ".st-key-examples button") if b["x"] + 20 < right]
    assert len(inside) >= 3
    last = reader.page.locator(".st-key-examples button").last
    last.scroll_into_view_if_needed()
    found = last.bounding_box()
    assert found["x"] + found["width"] <= 390


@pytest.mark.parametrize("reader", [PHONE], indirect=True)
def test_c9_the_chosen_word_of_step_by_step_and_the_models_size_are_in_sight(reader):
    reader.open(f"?{urlencode({'text': CAT, 'query': 8})}", "step").painted()
    expect(reader.page.locator(".ax-chip[aria-selected=true]")).to_be_in_viewport(ratio=1)
    expect(reader.page.locator(".ax-sizes")).to_have_text("6 layers × 12 heads")
    expect(reader.page.locator(".ax-sizes")).to_be_visible()


@pytest.mark.parametrize("reader", [PHONE], indirect=True)
def test_c9_words_are_for_fingers_where_there_is_no_mouse(reader):
    reader.open(f"?{urlencode({'text': 'Words for fingers.'})}").painted()
    reader.wait_says("tap a word to see where it looks.")
    said = reader.page.locator(".ax").first.inner_text()
    for mouse in ("Point at a word", "Click a word", "Shift", "Ctrl"):
        assert mouse not in said


# --- what can be chosen -------------------------------------------------------------------------


def test_models_that_cannot_be_chosen_say_why_in_the_list(reader):
    reader.open().painted()
    reader.edit().page.get_by_text("Picture", exact=True).click()
    reader.page.get_by_test_id("stFileUploader").wait_for()
    reader.page.get_by_label("Model", exact=True).first.click()
    listed = reader.page.get_by_role("option")
    expect(listed.filter(has_text="random weights")).to_contain_text("reads no pictures")
    expect(listed.filter(has_text="A model in a folder")).not_to_contain_text("—")


# --- C12: masked and near zero ------------------------------------------------------------------

STROKES = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const shades = (x0, x1, y0, y1) => {
    const found = new Set();
    for (let y = Math.round(y0 * height); y < y1 * height; y++)
      for (let x = Math.round(x0 * width); x < x1 * width; x++) {
        const at = 4 * (y * width + x);
        found.add((data[at] >> 3) + " " + (data[at + 1] >> 3) + " " + (data[at + 2] >> 3));
      }
    return found.size;
  };
  return [shades(0.85, 0.9, 0.3, 0.35)];
}"""


def test_c12_what_may_not_be_looked_at_is_hatched_and_said(reader):
    text = {"text": CAT, "source": "scratch", "causal": "1"}
    reader.open(f"?{urlencode(text)}").painted()
    note = reader.page.locator(".ax-panel-heat .ax-under")
    expect(note).to_contain_text("Hatched: may not be looked at.")
    canvas = reader.page.locator(".ax-panel-heat canvas").first
    (masked,) = canvas.evaluate(STROKES)
    assert masked > 1, "strokes on the ground"
    reader.page.get_by_text("Save", exact=False).last.click()
    with reader.page.expect_download() as download:
        reader.page.get_by_role("button", name="SVG").click()
    saved = download.value.path().read_text("utf-8")
    strokes = [
        path for path in saved.split("<path")[1:] if path.count("M") > 20 and "stroke" in path
    ]
    assert strokes, "one path of many strokes"

    text.pop("causal")
    reader.open(f"?{urlencode(text)}").painted()
    expect(note).not_to_contain_text("Hatched")


# --- C13: sent once -----------------------------------------------------------------------------


def test_c13_a_first_view_is_sent_once_on_a_busy_machine_too(reader):
    slow = reader.devtools()
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    text = " ".join(f"word{i % 37} and" for i in range(110))
    reader.open(f"?{urlencode({'text': text, 'layer': 3})}").painted()
    reader.page.locator(".ax-striking, .ax-noted").first.wait_for(timeout=90_000)
    reader.page.wait_for_function(IDLE)
    code = reader.page.evaluate("1")  # the page answers: nothing is on its way to be painted
    assert code == 1
    sizes = sorted((len(frame) for frame in reader.frames), reverse=True)
    first, second = sizes[:2]
    assert first > 1_000_000, "the layers"
    assert second < 700_000, "answers bring themselves, and the component its code"


# --- what a model does not know -----------------------------------------------------------------

UNKNOWN = "猫坐在垫子上，因为它累了。"


def test_unknown_tokens_are_hatched_and_one_button_reads_them_with_a_model_that_knows_them(reader):
    reader.open(f"?{urlencode({'text': UNKNOWN})}").painted()
    hatched = reader.page.locator(".ax-text .ax-unknown")
    expect(hatched).to_have_count(9)
    assert "repeating-linear-gradient" in hatched.first.evaluate(
        "e => getComputedStyle(e).backgroundImage"
    )
    expect(hatched.first).to_have_attribute("title", "[UNK]: not in this model’s vocabulary")
    note = reader.page.locator(".ax-unknowns")
    expect(note).to_contain_text("9 tokens are hatched: [UNK]")
    label = "9 of 13 tokens unknown"
    told = reader.page.locator(".ax-about").get_by_role("button", name=label)
    assert "Try the hub model google-bert/bert-base-chinese" in told.get_attribute(
        "aria-description"
    )
    reader.page.get_by_role("button", name="Read it with bert-base-chinese (412 MB)").click()
    reader.page.locator(".st-key-note_offer", has_text="google-bert/bert-base-chinese").wait_for()
    painted_anew(reader, lambda: reader.page.get_by_role("button", name="Download").click())
    expect(reader.page.locator(".ax-about")).to_contain_text("bert-base-chinese")
    expect(reader.page.locator(".ax-unknowns button")).to_have_count(0)


def test_where_all_is_known_nothing_is_hatched(reader):
    reader.open().painted()
    expect(reader.page.locator(".ax-unknown")).to_have_count(0)
    expect(reader.page.locator(".ax-unknowns")).to_be_hidden()


def test_a_saved_file_hatches_too_and_has_no_button(page_from_disk):
    someone = page_from_disk(explorer.trace(UNKNOWN))
    expect(someone.page.locator(".ax-text .ax-unknown")).to_have_count(9)
    expect(someone.page.locator(".ax-unknowns button")).to_have_count(0)


# --- nothing jumps ------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [LAPTOP, PHONE], indirect=True)
def test_nothing_jumps_on_a_first_visit_and_while_a_result_arrives(reader):
    reader.before(LATE)
    reader.before(f"({SHIFTS})()")
    reader.open().painted()
    assert reader.page.evaluate(SHIFTED) <= MOST_SHIFT, "on a first visit"
    for act in (
        # It writes from the right and has other notes, it has a long sentence, its text two lines.
        lambda: reader.run("القطة جلست على السجادة لأنها كانت متعبة."),
        lambda: reader.run(
            "She gave the book to Mary because she had asked for it, and then left."
        ),
        lambda: reader.edit().page.get_by_role("button", name="Sentence pair").click(),
    ):
        reader.edit()
        reader.page.wait_for_function(IDLE)
        reader.page.evaluate("shifts.length = 0, shifts.late = 700")
        painted_anew(reader, act)
        assert reader.page.evaluate(SHIFTED) <= MOST_SHIFT
