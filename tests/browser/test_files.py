"""What people take away, opened by something else."""

import csv
import io
import re

import numpy as np
from PIL import Image

import explorer

CAT = "The cat sat on the mat because it was tired."


def saved(reader, button):
    """The file that a button of the instrument's Save, or of the page, hands out."""
    menu = reader.page.locator(".ax-save")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    with reader.page.expect_download() as waiting:
        reader.page.get_by_role("button", name=button).click()
    return waiting.value


def test_csv_holds_the_weights_on_screen(reader):
    reader.open("?text=" + CAT.replace(" ", "+") + "&layer=2&heads=9").painted("2.9")
    file = saved(reader, "CSV")
    assert file.suggested_filename == "layer-2-head-9.csv"
    rows = list(csv.reader(io.StringIO(file.path().read_text("utf-8-sig"))))
    trace = explorer.trace(CAT)
    assert rows[0][1:] == [t.text for t in trace.key_tokens]
    assert [row[0] for row in rows[1:]] == [t.text for t in trace.query_tokens]
    weights = np.array([row[1:] for row in rows[1:]], dtype=float)
    # Half a step of the 16-bit codes, and half of the last written digit.
    assert np.abs(weights - trace.weights[2, 9]).max() <= 1 / 120_000 + 0.5e-5


def test_the_picture_is_a_png_with_something_on_it(reader):
    reader.open().painted()
    file = saved(reader, "PNG")
    assert file.suggested_filename == "layer-3-head-1.png"
    image = Image.open(file.path()).convert("RGB")
    assert image.width > 600
    assert len(image.getcolors(1_000_000)) > 100


def test_npz_from_the_page_is_the_trace(reader):
    reader.open().painted()
    file = saved(reader, "All weights as NPZ")
    with np.load(file.path(), allow_pickle=False) as arrays:
        # The shipped trace of the first example; see its own test for the tolerance.
        assert np.abs(arrays["weights"] - explorer.trace(CAT).weights).max() <= 5e-6


def test_the_exported_page_works_from_disk_with_the_network_off(page_from_disk):
    reader = page_from_disk(explorer.trace(CAT))
    assert reader.page.locator(".ax-cell").count() == 72
    reader.head(4, 3).click()
    reader.head(4, 5).click(modifiers=["Shift"])
    reader.token(8).click()
    reader.wait_says("Layer 4, mean of heads 3, 5: it looks most at")
    for label in ("words", "hidden, rescaled", "per row", "is looked at by"):
        reader.switch(label).click()
    reader.wait_says("it is looked at most by")
    assert not reader.errors
    assert not reader.outside
    reader.page.wait_for_url(re.compile("look=to"))
    again = page_from_disk(explorer.trace(CAT), re.search("#.*", reader.address())[0])
    again.wait_says("it is looked at most by")


def test_hostile_text_stays_text_in_the_exported_page(page_from_disk):
    hostile = '</script><script>window.hit=1</script><img src=x onerror="window.hit=1"> &amp;'
    reader = page_from_disk(explorer.trace(hostile))
    assert reader.page.evaluate("window.hit") is None
    shown = reader.page.locator(".ax-text p").inner_text()
    assert shown.removeprefix("[CLS]").removesuffix("[SEP]") == hostile
    assert not reader.errors


def test_a_notebook_cell_shows_the_same_instrument(tmp_path, browser):
    path = tmp_path / "cell.html"
    path.write_text(explorer.show(explorer.trace(CAT))._repr_html_(), "utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, offline=True)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    cell = page.frame_locator("iframe")
    cell.locator(".ax[data-painted]").wait_for()
    cell.get_by_role("button", name="Layer 3, head 1", exact=True).click()
    cell.locator(".ax-text [data-token='8']").click()
    cell.locator(".ax-says", has_text="Layer 3, head 1: it looks most at cat (0.492)").wait_for()
    context.close()
    assert not errors
