"""What people see on Explore, in a real browser."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from tests.browser.conftest import Reader
from tests.browser.test_instrument import digits

CAT = "The cat sat on the mat because it was tired."
RED = "The red door is locked. Open the red door with the red key."
LONG = "The old lighthouse had not been lit for thirty years, and nobody knew why. " * 40

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


HUB = ("A model of the Hugging Face hub", "Model name")


def link(**query):
    return f"?{urlencode(query)}"


def canvas_colours(reader, selector):
    """How many different colours a canvas holds."""
    return reader.page.locator(selector).first.evaluate(
        """canvas => new Set(new Uint32Array(canvas.getContext('2d')
             .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
    )


def test_a_first_visit_paints_a_real_berts_heads_without_a_click(reader):
    reader.open().painted()
    expect(reader.page.locator(".ax-cell")).to_have_count(6 * 12)
    expect(reader.box("Text")).to_have_value(CAT)
    weights = explorer.trace(CAT).weights[3, 1, 8]
    top = np.argsort(-weights)[:3]
    words = ["[CLS]", *CAT[:-1].lower().split(), ".", "[SEP]"]
    said = ", then ".join(f"{words[i]} ({weights[i]:.3f})" for i in top)
    expect(reader.sentence).to_have_text(f"L3·H1: it looks most at {said}.", use_inner_text=True)
    for selector in (".ax-grid canvas", ".ax-panel-heat canvas", ".ax-panel-flow canvas + canvas"):
        assert canvas_colours(reader, selector) > 10, selector


def test_hovering_locking_pinning_and_switching_never_brings_a_picture_anew(reader):
    reader.open().painted()
    before = len(reader.frames)
    page = reader.page

    reader.head(0, 2).hover()
    reader.wait_says("L0·H2")
    reader.token(2).hover()  # leaving the grid returns to the lock
    reader.wait_says("L3·H1: cat looks most at")
    reader.head(0, 2).click()
    reader.head(0, 5).click(modifiers=["Shift"])
    reader.painted("0.2.5")
    page.locator(".ax-chosen").get_by_text("max").click()
    reader.wait_says("max of H2, H5")
    page.get_by_role("button", name="All heads of layer 4").click()
    reader.painted("4.0.1.2.3.4.5.6.7.8.9.10.11")
    reader.head(1, 8).dblclick()
    reader.painted("1.8")
    reader.token(5).click()
    page.mouse.move(5, 5)
    reader.wait_says("L1·H8: the looks most at")
    for label in ("words", "hidden", "hidden, rescaled", "per row", "absolute", "is looked at by"):
        reader.switch(label).click()
    reader.wait_says("the is looked at most by")
    page.get_by_role("slider", name="The flow keeps").fill("50")
    page.get_by_text("The heatmap as a table").click()
    page.locator(".ax-panel-heat td").first.wait_for()
    page.locator(".ax-panel-heat .ax-stage").hover()
    page.locator(".ax-panel-flow .ax-scroll").hover(position={"x": 20, "y": 40})
    page.keyboard.press("Escape")
    page.wait_for_function("new URLSearchParams(location.search).get('mass') === '50'")

    assert reader.sent_since(before) < 60_000


def test_the_heatmap_says_the_weight_that_the_model_gave(reader):
    reader.open(link(text=CAT, layer=2, heads=9)).painted()
    weights = explorer.trace(CAT).weights[2, 9]
    stage = reader.page.locator(".ax-panel-heat .ax-stage")
    stage.focus()
    for _ in range(4):
        reader.page.keyboard.press("ArrowDown")
    for _ in range(3):
        reader.page.keyboard.press("ArrowRight")
    said = reader.says()
    words = ["[CLS]", *CAT[:-1].lower().split(), ".", "[SEP]"]
    row, column = re.fullmatch(r"L2·H9: (\S+) looks at (\S+) with weight \S+", said).groups()
    value = weights[words.index(row), words.index(column)]
    shown = f"{value:.4f}" if value < 0.01 else f"{value:.3f}"
    assert said.endswith(f"with weight {shown}.")


def test_a_copied_link_opens_the_same_picture_in_a_new_browser(reader, screens, app):
    reader.open().painted()
    reader.run(RED)
    reader.page.locator(".ax-text", has_text="red door").wait_for()
    reader.painted()
    reader.head(2, 9).click()
    reader.head(2, 3).click(modifiers=["Shift"])
    reader.token(2).click()
    for label in ("words", "hidden", "per row"):
        reader.switch(label).click()
    reader.page.mouse.move(5, 5)
    reader.page.get_by_role("button", name="Copy link").click()
    reader.page.get_by_role("button", name="Link copied").wait_for()
    copied = reader.page.evaluate("navigator.clipboard.readText()")
    assert {k: v[0] for k, v in parse_qs(urlsplit(copied).query).items()} == {
        "text": RED,
        "layer": "2",
        "heads": "3.9",
        "query": "2",
        "words": "1",
        "specials": "hidden",
        "scale": "row",
    }
    said = reader.says()

    with screens(who="another") as page, Reader(page, app) as other:
        other.page.goto(copied)
        other.painted("2.3.9")
        other.wait_says(said)
        expect(other.box("Text")).to_have_value(RED)
        for label in ("words", "hidden", "per row"):
            other.switch(label).wait_for()  # behind View, which it opens
            expect(other.page.get_by_role("radio", name=label, exact=True)).to_be_checked()
        expect(other.page.locator(".ax-cell[aria-pressed=true]")).to_have_count(2)


def test_ctrl_enter_in_the_text_runs_it(reader):
    reader.open().painted()
    box = reader.box("Text")
    box.fill("A dog barked.")
    box.press("Control+Enter")
    reader.page.locator(".ax-text", has_text="barked").wait_for()


def test_going_back_shows_the_run_before(reader):
    reader.open(link(text="One fish.")).painted()
    reader.run("Two fish.")
    reader.page.locator(".ax-text", has_text="Two").wait_for()
    reader.page.go_back()
    reader.page.locator(".ax-text", has_text="One").wait_for()
    reader.painted()
    expect(reader.box("Text")).to_have_value("One fish.")


def test_an_example_is_one_click(reader):
    reader.open().painted()
    reader.example("Sentence pair")
    reader.page.locator(".ax-text", has_text="Lovelace").wait_for()
    reader.painted("2.4")
    second = reader.box("Second text")
    expect(second).to_have_value("Ada Lovelace wrote it in 1843.")
    reader.example("中文 Chinese")
    reader.painted("0.0")
    expect(reader.page.locator(".ax-cell")).to_have_count(2 * 8)
    expect(reader.page.locator(".ax-text")).to_contain_text("垫", use_inner_text=True)


def test_the_scratch_layers_options_reach_the_picture_and_the_link(reader):
    query = link(text="a b c", source="scratch", n_heads=4, n_layers=3, d_model=32, causal=1)
    reader.open(query).painted()
    expect(reader.page.locator(".ax-cell")).to_have_count(3 * 4)
    reader.token(0).hover()
    reader.wait_says("L0·H0: a looks most at a (1.000).")
    assert "causal=1" in reader.address()


def test_512_tokens_load_a_layer_when_it_is_asked_for_and_keep_it(reader):
    reader.open(link(text=LONG, layer=1, heads=4)).painted("1.4")
    reader.noted("510 of the text were read, 130 were cut")
    expect(reader.page.locator(".ax-scissors")).to_contain_text(
        "130 tokens did not fit", use_inner_text=True
    )
    reader.head(4, 0).hover()
    reader.wait_says("a small preview")
    reader.head(4, 0).click()
    reader.page.locator('.ax[data-painted$="4.0"]').wait_for()
    reader.painted()
    before = len(reader.frames)
    reader.head(1, 4).click()
    reader.page.locator('.ax[data-painted$="1.4"]').wait_for()
    reader.token(5).hover()
    reader.wait_says("L1·H4:")
    assert reader.sent_since(before) < 60_000, "a layer that was loaded is not asked for again"


def test_a_model_of_the_hub_is_fetched_and_shown(reader):
    reader.open().painted()
    reader.choose(*HUB, "me/tiny")
    reader.run("the cat the cat")
    reader.page.get_by_role("button", name="Download").click()
    reader.page.locator(".ax-text", has_text="the cat the cat").wait_for()
    reader.painted()
    expect(reader.page.locator(".ax-cell")).to_have_count(1 * 2)
    assert "source=hf%3Ame%2Ftiny" in reader.address()


def test_while_a_model_is_waited_for_the_page_is_alive_and_waiting_can_be_stopped(reader):
    reader.open().painted()
    reader.choose(*HUB, "slow/model")
    reader.run("the cat")
    reader.page.get_by_text("Asking the Hugging Face hub for slow/model…").wait_for()
    reader.token(2).hover()
    reader.wait_says("cat looks most at")
    reader.head(0, 2).click()
    reader.wait_says("L0·H2")
    reader.page.get_by_role("button", name="Stop").click()
    reader.page.locator("[class*=st-key-note_progress]").wait_for(state="detached")
    expect(reader.box("Text")).to_have_value("the cat")


def test_changed_inputs_are_told_until_they_are_run(reader):
    reader.open().painted()
    reader.box("Text").fill("A dog barked.")
    reader.box("Text").blur()
    told = reader.page.get_by_text("press Run to see it")
    told.wait_for()
    reader.page.get_by_role("button", name="Run").click()
    told.wait_for(state="detached")


# --- trouble, in words --------------------------------------------------------------------------


def test_an_empty_text_is_a_sentence_and_the_picture_stays(reader):
    reader.open().painted()
    reader.run("  \u200b ")
    reader.page.get_by_text("There is no text to read yet").wait_for()
    expect(reader.page.locator(".ax-cell")).to_have_count(72)
    reader.token(2).hover()
    reader.wait_says("cat looks most at")


def test_chinese_in_an_english_model_is_told_with_numbers_and_a_way_out(reader):
    reader.open(link(text="饕餮盛宴 龘")).painted()
    said = reader.text_of_page()
    assert re.search(r"\d+ of \d+ tokens are \[UNK\]", said)
    assert "google-bert/bert-base-chinese" in said


@pytest.mark.parametrize(
    ("kind", "label", "value", "words"),
    [
        ("A model of the Hugging Face hub", "Model name", "nobody/nothing", "no public model"),
        ("A model of the Hugging Face hub", "Model name", "../../etc", "is not a model name"),
        ("A model of the Hugging Face hub", "Model name", "", "Which model?"),
        ("A model in a folder", "Folder", "/etc", "EXPLORER_MODEL_DIRS"),
    ],
)
def test_a_model_that_cannot_be_had_is_a_sentence_and_the_picture_stays(
    reader, kind, label, value, words
):
    reader.open().painted()
    reader.choose(kind, label, value)
    reader.run("My own text.")
    reader.page.locator("[class*=st-key-note_trouble]", has_text=words).wait_for()
    expect(reader.box("Text")).to_have_value("My own text.")
    expect(reader.page.locator(".ax-text")).to_contain_text("cat", use_inner_text=True)


def test_a_folder_below_an_allowed_one_that_is_no_model_is_said_so(reader, app):
    reader.open(link(text="x", source=f"path:{app.folder}"))
    reader.page.get_by_text("it has no config.json").wait_for()


def test_a_link_alone_never_downloads_a_model(reader):
    reader.open(link(text="x", source="hf:someone/something"))
    reader.page.get_by_text("Press Run to download it").wait_for()


@pytest.mark.parametrize(
    "query", [{"source": "scratch", "d_model": "7"}, {"source": "nonsense"}, {"source": "hf:../x"}]
)
def test_a_link_that_asks_for_the_impossible_is_answered_and_the_app_lives(reader, query):
    reader.open(link(text="x", **query))
    told = reader.page.get_by_text("This link cannot be opened as it is.")
    told.wait_for()
    reader.page.wait_for_function("document.querySelector('textarea')?.value === 'x'")
    reader.run("A dog barked.")
    reader.page.locator(".ax-text", has_text="barked").wait_for()
    told.wait_for(state="detached")


def test_a_text_too_long_for_a_link_is_said_so(reader):
    reader.open().painted()
    reader.run("word " * 2000)
    reader.noted("too long for a link")
    reader.page.locator(".ax-copy:disabled", has_text="Copy link").wait_for()
    assert "word" not in reader.address()


HOSTILE = (
    '<b>bold</b> <img src=x onerror="window.hit=1"> <script>window.hit=1</script> '
    "![p](https://evil.invalid/p.png) [l](https://evil.invalid) $x^2$ :red[x] :smile: "
    "**b** `c` </textarea> {{7*7}} =1+1"
)


@pytest.mark.parametrize("source", ["bert", "scratch"])
def test_text_is_data_everywhere(reader, source):
    reader.open(link(text=HOSTILE, second="$y$ <i>i</i>", source=source)).painted()
    assert reader.page.evaluate("window.hit") is None
    reading = reader.page.locator(".ax-text p").first.inner_text()
    shown = reading.replace("[CLS]", "").replace("[SEP]", "")
    assert re.sub(r"\s+", " ", shown).strip() == HOSTILE
    for table in reader.page.get_by_text("as a table").all()[:4]:
        table.click()
    reader.page.locator(".ax-panel-heat td").first.wait_for()
    markup = "b, i, img, script, .katex, a[href*=evil]"
    expect(reader.page.locator(f".ax :is({markup})")).to_have_count(0)
    expect(reader.page.locator("[data-testid=stMain] :is(.katex, a[href*=evil])")).to_have_count(0)


def test_markup_in_a_message_stays_text(reader):
    reader.open().painted()
    reader.choose(*HUB, "**a** $x$ ![i](https://evil.invalid/x.png)")
    reader.run("text")
    alert = reader.page.locator("[class*=st-key-note_trouble]")
    alert.filter(has_text="**a** $x$ ![i](https://evil.invalid/x.png)").wait_for()
    expect(alert.locator("img, strong, .katex, a")).to_have_count(0)


# --- every screen, every hand -------------------------------------------------------------------


def test_the_keyboard_reaches_heads_tokens_and_pins(reader):
    reader.open(link(text=CAT, layer=0, heads=0)).painted()
    reader.head(0, 0).focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        reader.page.keyboard.press(key)
    reader.painted("1.1")
    reader.page.locator(".ax-text").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        reader.page.keyboard.press(key)
    reader.page.wait_for_function("new URLSearchParams(location.search).get('query') === '1'")
    reader.page.locator(".ax-panel-flow .ax-scroll").focus()
    reader.page.keyboard.press("ArrowDown")
    reader.wait_says("L1·H1: cat looks most at")
    reader.page.keyboard.press("Escape")
    reader.wait_says("point at a word")


@pytest.mark.parametrize("reader", [PHONE], indirect=True)
def test_on_a_phone_nothing_is_wider_than_the_screen_and_a_tap_pins(reader):
    reader.open().painted()
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 390
    reader.token(2).tap()
    reader.wait_says("cat looks most at")
    reader.page.get_by_text("View", exact=True).click()
    reader.switch("words").click()
    reader.page.wait_for_function("new URLSearchParams(location.search).get('words') === '1'")


@pytest.mark.parametrize("reader", [{"color_scheme": "dark"}], indirect=True)
def test_a_change_of_theme_repaints_without_asking_the_server(reader):
    reader.open().painted()
    pixel = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].join()"
    heads = reader.page.locator(".ax-grid canvas")
    dark, before = heads.evaluate(pixel), len(reader.frames)
    reader.page.emulate_media(color_scheme="light")
    reader.page.wait_for_function(
        f"([c, old]) => ({pixel})(c) !== old", arg=[heads.element_handle(), dark]
    )
    assert reader.sent_since(before) < 60_000


def test_the_guide_opens_by_its_own_address_inside_the_frame(reader):
    reader.open(path="guide")
    reader.page.get_by_role("heading", name="Reading the pictures").wait_for()
    reader.page.locator(".katex").nth(3).wait_for()
    reader.page.get_by_role("link", name="Explore").click()
    reader.painted()


def test_the_run_is_still_there_after_a_look_at_the_guide(reader):
    reader.open(link(text="A dog barked.")).painted()
    reader.page.get_by_role("link", name="Guide").click()
    reader.page.get_by_role("heading", name="Reading the pictures").wait_for()
    reader.page.get_by_role("link", name="Explore").click()
    reader.page.locator(".ax-text", has_text="barked").wait_for()
    expect(reader.box("Text")).to_have_value("A dog barked.")
    assert "barked" in reader.address()


def pinned_pair(reader):
    query = parse_qs(urlsplit(reader.address()).query)
    return int(query["query"][0]), int(query["key"][0])


def test_the_heatmap_of_512_tokens_zooms_pans_and_still_says_the_models_weights(reader):
    reader.open(link(text=LONG, layer=1, heads=4)).painted("1.4")
    weights = explorer.trace(LONG).weights[1, 4]
    stage = reader.page.locator(".ax-panel-heat .ax-stage")
    zoom_in = reader.page.get_by_role("button", name=re.compile("Zoom in"))
    for _ in range(6):  # from 512 cells across to 512 / 1.5**6
        zoom_in.click()
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    middle = box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"]

    def look():
        reader.page.mouse.click(*middle)
        reader.page.wait_for_function(
            "old => location.search.includes('key=') && location.search !== old", arg=look.before
        )
        look.before = reader.page.evaluate("location.search")
        query, key = pinned_pair(reader)
        weight = weights[query, key]
        expect(reader.sentence).to_have_text(re.compile(rf"with weight {digits(weight)}\.$"))
        return query, key

    look.before = ""
    first = look()
    assert all(200 < i < 330 for i in first)
    reader.page.mouse.move(*middle)
    reader.page.mouse.down()
    reader.page.mouse.move(middle[0] - 60, middle[1] - 120, steps=4)
    reader.page.mouse.up()
    second = look()
    cells = second[0] - first[0], second[1] - first[1]
    assert cells[0] == pytest.approx(2 * cells[1], abs=1)
    assert cells[1] > 0
    stage.focus()
    reader.page.keyboard.press("0")
    expect(reader.page.get_by_role("button", name=re.compile("Zoom out"))).to_be_disabled()


# --- which head does this? ----------------------------------------------------------------------


def test_a_pinned_pair_ranks_the_heads_that_connect_it(reader):
    reader.open(link(text=CAT, layer=3, heads=1, query=8, key=2)).painted()
    ranking = reader.page.locator(".ax-ranking", has_text="Strongest:")
    ranking.wait_for()
    weights = explorer.trace(CAT).weights[:, :, 8, 2]
    best = np.dstack(np.unravel_index(np.argsort(-weights.ravel())[:5], weights.shape))[0]
    want = [f"L{layer}·H{head} {weights[layer, head]:.3f}" for layer, head in best]
    assert re.findall(r"L\d+·H\d+\s+[\d.]+", ranking.inner_text().replace("\n", " ")) == want
    ranking.get_by_role("button").first.click()
    layer, head = best[0]
    reader.painted(f"{layer}.{head}")
    reader.wait_says(f"it looks at cat with weight {weights[layer, head]:.3f}, the most of all 72")


def test_a_pinned_token_turns_the_grid_into_where_it_looks_in_each_head(reader):
    reader.open(link(text=CAT, layer=0, heads=0, query=8)).painted()
    weights = explorer.trace(CAT).weights
    for layer, head in ((0, 2), (3, 1), (5, 11)):
        shown = darkest_column(reader, layer, head, weights.shape[-1])
        # The darkest of the ordinary tokens, or [CLS], which takes more than the full colour.
        strongest = weights[layer, head, 8]
        assert strongest[shown] >= strongest[1:-1].max() - 1e-6


def darkest_column(reader, layer, head, n):
    """In a head's small picture of one row, which of its n columns is the darkest."""
    return reader.head(layer, head).evaluate(
        """(cell, n) => {
          const canvas = cell.parentElement.querySelector('canvas');
          const context = canvas.getContext('2d');
          const tones = [...Array(n).keys()].map(i => {
            const x = cell.offsetLeft + ((i + 0.5) * cell.offsetWidth) / n;
            const y = cell.offsetTop + cell.offsetHeight / 2;
            const [r, g, b] = context.getImageData(x, y, 1, 1).data;
            return r + g + b;
          });
          return tones.indexOf(Math.min(...tones));
        }""",
        n,
    )


def test_a_heads_caption_is_made_from_its_numbers(reader):
    reader.open(link(text=CAT, layer=0, heads=2)).painted()
    weights = explorer.trace(CAT).weights[0, 2].astype(float)
    n = len(weights)
    before = np.trace(weights, offset=-1) / n
    logs = np.log2(weights, out=np.zeros_like(weights), where=weights > 0)
    entropy = -(weights * logs).sum(-1).mean()
    reader.page.locator(
        ".ax-notes",
        has_text=f"Mostly the token before ({round(100 * before)} % of all 13 tokens’ attention; "
        "the first has none before it); "
        f"sharp (entropy {entropy:.1f} of {np.log2(n):.1f} bits, a mean over the rows).",
    ).wait_for()


def test_undo_takes_back_one_change_after_the_other(reader):
    reader.open(link(text=CAT, layer=0, heads=0)).painted()
    reader.head(2, 9).click()
    reader.painted("2.9")
    reader.switch("hidden").click()
    reader.token(2).click()
    reader.page.keyboard.press("Control+z")
    reader.page.keyboard.press("Control+z")
    shown = reader.page.get_by_role("radio", name="shown", exact=True, include_hidden=True)
    expect(shown).to_be_checked()
    reader.page.wait_for_function("!new URLSearchParams(location.search).has('specials')")
    reader.page.get_by_role("button", name="Undo").click()
    reader.painted("0.0")
    reader.page.get_by_role("button", name="Redo").click()
    reader.painted("2.9")
