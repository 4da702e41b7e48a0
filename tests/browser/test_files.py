"""What people take away, opened by something else."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pandas
import pypdfium2
import pytest
import resvg_py
from PIL import Image
from playwright.sync_api import expect

import explorer
from explorer import export
from explorer.instrument.wire.about import passport_words
from tests.browser.conftest import stands_at

CAT = "The cat sat on the mat because it was tired."
NAME = "all-minilm-l6-v2-the-cat-sat-on-the-mat"


def saved(reader, button):
    """The file that a button of the instrument's Save, or of the page, hands out."""
    menu = reader.page.locator(".ax-save")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    with reader.page.expect_download() as waiting:
        reader.page.get_by_role("button", name=button, exact=True).click()
    return waiting.value


@pytest.fixture
def save(show):
    """Saves what a text and a view show, by a button of the menu, in the app and offline."""

    def saved_by(button, picture_of="everything", **view):
        reader = show(view.pop("text", CAT), view.pop("second", None), **view)
        reader.page.locator(".ax-save summary").click()
        reader.page.locator(".ax-menu").get_by_text(picture_of, exact=True).click()
        return saved(reader, button)

    return saved_by


def test_csv_holds_the_weights_on_screen(save):
    file = save("CSV", layer=2, heads=9)
    assert file.suggested_filename == f"{NAME}-l2-h9.csv"
    table = pandas.read_csv(file.path(), index_col=0, encoding="utf-8-sig")
    trace = explorer.trace(CAT)
    words = [t.text for t in trace.key_tokens]
    assert list(table.index) == words
    # pandas tells equal names apart by a number behind them.
    assert [re.sub(r"\.\d+$", "", name) for name in table.columns] == words
    assert np.array_equal(table.to_numpy().astype(np.float32), trace.weights[2, 9])


def test_a_csv_says_whose_weights_it_holds_and_what_was_switched(save):
    file = save("CSV", layer=2, heads="1.9", combine="max", words="1", specials="renormalised")
    switched = "l2-max-of-h1-h9-words-special-tokens-hidden-rescaled"
    assert file.suggested_filename == f"{NAME}-{switched}.csv"
    corner = pandas.read_csv(file.path(), index_col=0, encoding="utf-8-sig").index.name
    head, model, passport, text = corner.split(" · ")
    assert head == "L2, max of H1, H9, words, special tokens hidden, rescaled"
    assert (model, text) == ("all-MiniLM-L6-v2", CAT)
    assert passport.startswith("checked")


def test_all_weights_arrive_as_an_npz_at_a_click(reader):
    reader.open().painted()
    with reader.page.expect_download() as waiting:
        reader.page.get_by_text("Save", exact=True).click()
        reader.page.get_by_role("button", name="NPZ", exact=True).click()
    with np.load(waiting.value.path()) as arrays:
        assert np.array_equal(arrays["weights"], explorer.trace(CAT).weights)


PLACE = """stage => {
  const panel = stage.closest('.ax-panel').getBoundingClientRect();
  const own = stage.getBoundingClientRect();
  return [own.left - panel.left, own.top - panel.top, ...stage.dataset.plot.split(' ').map(Number)];
}"""
ON_SCREEN = """(canvas, spots) => spots.map(([x, y]) =>
  [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3))"""
MARGIN, TITLE, ZOOM = 20, 30, 2  # of the picture, in pixels, and dots for each


def test_a_picture_opened_by_another_program_shows_the_heads_weights(show):
    reader = show(CAT, layer=3, heads=1, scale="absolute")
    stage = reader.page.locator(".ax-panel-heat .ax-stage")
    dx, dy, left, top, cell = stage.evaluate(PLACE)
    weights = explorer.trace(CAT).weights[3, 1]
    n = len(weights)
    # A corner of each cell, beside the digits.
    spots = [
        (left + (c + 0.12) * cell, top + (r + 0.12) * cell) for r in range(n) for c in range(n)
    ]
    screen = np.array(stage.locator("canvas").first.evaluate(ON_SCREEN, spots))
    places = [
        (round((y + dy + MARGIN + TITLE) * ZOOM), round((x + dx + MARGIN) * ZOOM)) for x, y in spots
    ]

    reader.page.locator(".ax-save summary").click()
    reader.page.locator(".ax-menu").get_by_text("heatmap", exact=True).click()
    for kind in ("SVG", "PDF", "PNG"):
        file = saved(reader, kind)
        assert file.suggested_filename == f"{NAME}-l3-h1-heatmap.{kind.lower()}"
        pixels = np.asarray(opened(kind, file.path().read_bytes())).astype(int)
        shown = np.array([pixels[place] for place in places])
        # Another program may round a colour differently, by a step or two of 255.
        assert np.abs(shown - screen).max() <= 3, kind
        # On the absolute scale the lightness falls as the weight grows, all the way.
        by_weight = shown.sum(axis=1)[np.argsort(weights.ravel())]
        assert (np.diff(by_weight) <= 3).all(), kind
        assert by_weight[0] - by_weight[-1] > 400, kind


def opened(kind, data):
    """A picture at twice the screen's dots, by a program that is not the browser."""
    if kind == "PNG":
        return Image.open(io.BytesIO(data)).convert("RGB")
    if kind == "PDF":
        page = pypdfium2.PdfDocument(data)[0]
        return page.render(scale=ZOOM / 0.75).to_pil().convert("RGB")
    png = bytes(resvg_py.svg_to_bytes(svg_string=data.decode(), zoom=ZOOM))
    return Image.open(io.BytesIO(png)).convert("RGB")


def made_by():
    """The model and how far its numbers were checked, as a picture's title says them."""
    return f"all-MiniLM-L6-v2 · {passport_words(explorer.trace(CAT).model)}"


def test_the_picture_of_everything_is_what_is_on_screen_with_a_title_line(save):
    svg = save("SVG", layer=2, heads="3.9", query=8, text=CAT).path().read_text("utf-8")
    tree = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    texts = [t.text for t in tree.iter(f"{space}text")]
    title = f"{made_by()} · L2, mean of H3, H9 · {CAT}"
    assert title == tree.find(f"{space}title").text
    # What does not fit in the picture's width is cut at its end.
    assert title == texts[0] or (texts[0][-1] == "…" and title.startswith(texts[0][:-1]))
    assert "it looks most at" in tree.find(f"{space}desc").text
    for wanted in ("Reading view", "Heads", "Flow", "Heatmap", "mat", "[CLS]", "L2·H3 ×"):
        assert wanted in texts, wanted
    # Instructions and handles stay on the screen.
    assert not any("click" in text or "as a table" in text for text in texts)
    lines = [p for p in tree.iter(f"{space}path") if "C" in p.get("d") and p.get("fill") == "none"]
    assert len(lines) > 5


def test_the_text_of_a_pdf_is_text_and_other_scripts_are_drawn(save):
    pdf = pypdfium2.PdfDocument(save("PDF", text=CAT, layer=3, heads=1).path().read_bytes())
    assert pdf.get_metadata_value("Title") == f"{made_by()} · L3·H1 · {CAT}"
    text = " ".join(pdf[0].get_textpage().get_text_bounded().split())
    assert "because" in text
    assert "Full colour: weight" in text or "98th percentile" in text


def test_hostile_text_and_other_scripts_are_no_trouble_for_any_picture(show):
    text = '</text><script>x</script> & "q" 猫 \u0001 العربية 👩‍👩‍👧 =1+1'
    reader = show(text, layer=0, heads=0)
    reader.page.locator(".ax-save summary").click()
    for kind in ("SVG", "PDF", "PNG"):
        image = opened(kind, saved(reader, kind).path().read_bytes())
        assert len(image.getcolors(1_000_000)) > 100
    svg = saved(reader, "SVG").path().read_text("utf-8")
    assert "<script" not in svg
    ElementTree.fromstring(svg)


def test_what_is_not_open_cannot_be_saved_and_that_is_said(show):
    reader = show(CAT, layer=0, heads=0)
    reader.page.locator(".ax-save summary").click()
    reader.page.locator(".ax-menu").get_by_text("layers", exact=True).click()
    reader.page.get_by_role("button", name="SVG").click()
    reader.page.get_by_text("There is nothing to see of this yet: open it first.").wait_for()
    reader.page.keyboard.press("Escape")
    reader.page.locator(".ax-save:not([open])").wait_for()


@pytest.mark.parametrize("which", ["All 6 layers", "Layer 3"])
def test_the_page_saved_from_the_app_opens_offline_as_it_was(reader, from_disk, which, tmp_path):
    reader.open().painted()
    reader.head(3, 5).click()
    reader.token(2).click()
    reader.page.mouse.move(5, 5)
    reader.wait_says("L3·H5: cat looks most at")
    said = reader.says()
    reader.page.locator(".ax-save summary").click()
    button = reader.page.locator(".ax-menu button", has_text=which)
    told = float(re.search(r"about ([\d.]+) MB", button.inner_text())[1])
    with reader.page.expect_download() as waiting:
        button.click()
    path = tmp_path / "saved.html"
    waiting.value.save_as(path)
    assert f"-{which.lower().replace(' ', '-')}" in waiting.value.suggested_filename
    assert abs(path.stat().st_size / 1e6 - told) <= 0.15
    other = from_disk(path)
    other.page.locator(".ax[data-painted]").wait_for()
    other.wait_says(said)
    other.head(1, 8).click()
    other.page.mouse.move(5, 5)
    if which == "Layer 3":
        other.wait_says("This file does not hold layer 1.")
        other.head(3, 5).click()
        other.wait_says("L3·H5: cat looks most at")
    else:
        other.wait_says("L1·H8: cat looks most at")
    expect(other.page.locator(".ax-menu button", has_text="layers")).to_be_hidden()


def test_the_exported_page_works_from_disk_with_the_network_off(page_from_disk):
    reader = page_from_disk(explorer.trace(CAT))
    expect(reader.page.locator(".ax-cell")).to_have_count(72)
    reader.head(4, 3).click()
    reader.head(4, 5).click(modifiers=["Shift"])
    reader.token(8).click()
    reader.wait_says("L4, mean of H3, H5: it looks most at")
    for label in ("words", "hidden, rescaled", "per row", "is looked at by"):
        reader.switch(label).click()
    reader.wait_says("it is looked at most by")
    stands_at(reader.page, re.compile("look=to"))
    again = page_from_disk(explorer.trace(CAT), re.search("#.*", reader.address())[0])
    again.wait_says("it is looked at most by")


def test_hostile_text_stays_text_in_the_exported_page(page_from_disk):
    hostile = '</script><script>window.hit=1</script><img src=x onerror="window.hit=1"> &amp;'
    reader = page_from_disk(explorer.trace(hostile))
    assert reader.page.evaluate("window.hit") is None
    shown = reader.page.locator(".ax-text p").inner_text()
    assert shown.removeprefix("[CLS]").removesuffix("[SEP]") == hostile


def test_a_notebook_cell_shows_the_same_instrument(tmp_path, from_disk):
    path = tmp_path / "cell.html"
    path.write_text(explorer.show(explorer.trace(CAT))._repr_html_(), "utf-8")
    cell = from_disk(path, screen={"viewport": {"width": 1280, "height": 1000}}).page.frame_locator(
        "iframe"
    )
    cell.locator(".ax[data-painted]").wait_for()
    cell.get_by_role("button", name="Layer 3, head 1", exact=True).click()
    cell.locator(".ax-text [data-token='8']").click()
    cell.locator(".ax-says", has_text="L3·H1: it looks most at cat (0.492)").wait_for()


def test_a_file_that_lost_a_part_says_so_and_what_to_do(tmp_path, from_disk):
    page = export.to_html(explorer.trace(CAT))
    payload = re.search(r'id="payload">([^<]*)<', page)[1]
    path = tmp_path / "attention.html"
    path.write_text(page.replace(payload, payload[:4000]), "utf-8")
    said = from_disk(path).page.get_by_role("alert").inner_text()
    assert re.fullmatch(
        r"The numbers in this file cannot be read: a part is missing, or was changed\. Save it "
        r"once more, or open it in a newer browser\.",
        said,
    )
