"""Models and files of one's own, as people bring them: offered, shown, refused in words."""

import io
import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from explorer import export
from tests.browser.conftest import IDLE, stands_at
from tests.models.tiny import drawing, png_of, tiny_vision, tiny_writer

HUB = ("A model of the Hugging Face hub", "Model name")
FOLDER = ("A model in a folder", "Folder")
OWN = "NPZ or safetensors"


def folder_of(app, name, make, *args):
    folder = app.folder / name
    if not folder.exists():
        folder.mkdir()
        make(*args, folder)
    return str(folder)


# --- the hub ------------------------------------------------------------------------------------


def test_a_model_is_offered_with_its_size_fetched_and_then_found_among_the_recent_ones(reader, hub):
    reader.open().painted()
    reader.choose(*HUB, "me/fresh")
    asked = len(hub.ranges)
    reader.run("the cat the cat")
    offer = reader.page.locator(".st-key-note_offer")
    offer.filter(has_text="kB to download").filter(has_text="are free").wait_for()
    assert len(hub.ranges) == asked, "weights were fetched before anybody agreed"
    reader.page.get_by_role("button", name="Download").click()
    reader.page.locator(".ax-text", has_text="the cat the cat").wait_for()
    offer.wait_for(state="detached")
    reader.edit().page.get_by_text("It is on this machine.").wait_for()
    reader.page.get_by_role("combobox", name="Model name").click()
    expect(reader.page.get_by_role("option").first).to_have_text("me/fresh", use_inner_text=True)


def test_a_revision_typed_over_a_model_is_one_of_that_model(reader, hub):
    """The box drops the name that is in it as soon as somebody types."""
    reader.open().painted()
    reader.choose(*HUB, "me/typed")
    box = reader.page.get_by_role("combobox", name="Model name")
    expect(box).to_have_value("me/typed")
    box.click()
    reader.page.keyboard.type("@v1")
    reader.page.keyboard.press("Enter")
    expect(box).to_have_value("me/typed@v1")
    reader.run("the cat")
    reader.page.get_by_role("button", name="Download").wait_for()
    assert any(path.startswith("/api/models/me/typed/revision/v1") for _, path, _ in hub.asked)


def test_an_offer_can_be_declined(reader):
    reader.open().painted()
    reader.choose(*HUB, "me/unwanted")
    reader.run("the cat")
    reader.page.get_by_role("button", name="Cancel").click()
    reader.page.locator(".st-key-note_offer").wait_for(state="detached")
    expect(reader.page.locator(".ax-cell")).to_have_count(72)
    expect(reader.box("Text")).to_have_value("the cat")


def test_a_download_shows_its_bytes_is_stopped_and_goes_on_where_it_stopped(reader, hub):
    reader.open().painted()
    reader.choose(*HUB, "large/model")
    reader.run("cat the cat the")
    reader.page.get_by_role("button", name="Download").click()
    reader.page.get_by_text("Downloading large/model: ").wait_for()
    reader.page.get_by_role("button", name="Stop").click()
    reader.told("What was downloaded is kept")
    del hub.faults["large/model"]
    reader.page.get_by_role("button", name="Run").click()
    reader.page.locator(".st-key-note_offer", has_text="are here already").wait_for()
    reader.page.get_by_role("button", name="Download").click()
    reader.page.locator(".ax-text", has_text="cat the cat the").wait_for()
    assert hub.ranges[-1] != "bytes=0-"


def test_a_known_model_is_described_before_it_is_asked_for(reader):
    reader.open().painted()
    reader.choose_kind(HUB[0])
    reader.page.get_by_role("combobox", name="Model name").click()
    reader.page.get_by_role("option", name="google-bert/bert-base-chinese").click()
    reader.page.get_by_text("Chinese; one token a character. 12 layers, 12 heads").wait_for()


def test_a_link_to_compare_with_a_model_of_the_hub_fetches_nothing_either(reader, hub):
    asked = len(hub.asked)
    query = {"text": "the cat", "b_source": "hf:some/other"}
    reader.open(f"?{urlencode(query)}", "compare")
    reader.told("is not on this machine")
    reader.painted(" | ")
    assert len(hub.asked) == asked


# --- encoder-decoders ---------------------------------------------------------------------------


def test_cross_attention_has_the_target_as_rows_the_text_as_columns_and_parts_to_choose(
    reader, app
):
    source = f"path:{folder_of(app, 'bart', tiny_writer, 'Bart')}"
    query = {"text": "the cat sat.", "second": "die katze", "source": source}
    reader.open(f"?{urlencode(query)}").painted()
    texts = reader.page.locator(".ax-text p")
    expect(texts.nth(0)).to_contain_text("the", use_inner_text=True)
    expect(texts.nth(1)).to_contain_text("die", use_inner_text=True)
    written = texts.nth(1).locator(".ax-token").nth(3)
    written.hover()
    reader.wait_says("looks most at")
    expect(written).to_have_class(re.compile("ax-here"))
    texts.nth(0).locator("[class*=ax-tone]:not(.ax-tone0)").first.wait_for()
    expect(texts.nth(1).locator("[class*=ax-tone]:not(.ax-tone0)")).to_have_count(0)

    reader.edit().page.get_by_role("radio", name="Encoder").click()
    stands_at(reader.page, "**part=encoder**")
    texts.nth(1).wait_for(state="detached")
    reader.painted()
    reader.page.reload()
    reader.painted()
    expect(reader.page.locator(".ax-text p")).to_have_count(1)


def test_a_model_without_a_target_writes_it_and_says_so(reader, app):
    source = f"path:{folder_of(app, 'bart', tiny_writer, 'Bart')}"
    reader.open(f"?{urlencode({'text': 'the cat sat.', 'source': source})}").painted()
    reader.noted("wrote the second text itself")
    expect(reader.page.locator(".ax-text p")).to_have_count(2)


def test_heads_needs_another_model_and_says_so_and_nothing_untrue(reader, app):
    open_t5(reader, app, "heads")
    reader.told("queries and keys are the same")
    expect(reader.page.get_by_text("There is no layer")).to_have_count(0)


def open_t5(reader, app, path):
    source = f"path:{folder_of(app, 't5', tiny_writer, 'T5')}"
    query = {"text": "the cat sat.", "source": source, "layer": 2}
    reader.open(f"?{urlencode(query)}", path)


def test_explain_opens_on_the_first_target_that_an_encoder_decoder_has(reader, app):
    open_t5(reader, app, "explain")
    expect(reader.page.locator(".ax-target")).to_contain_text(
        "after “<pad>”", use_inner_text=True, timeout=60_000
    )
    expect(reader.page.locator("[class*=st-key-note_trouble]")).to_have_count(0)
    expect(reader.page.get_by_text("There is no layer")).to_have_count(0)


# --- pictures -----------------------------------------------------------------------------------


@pytest.fixture
def looking(reader, app):
    """A reader whose picture a tiny vision model has looked at."""
    reader.open().painted()
    reader.choose(*FOLDER, folder_of(app, "vit", tiny_vision, "ViT"))
    reader.edit().page.get_by_text("Picture", exact=True).click()
    reader.upload("Picture for a vision model", "drawing.png", png_of(drawing()))
    reader.page.get_by_test_id("stImage").wait_for()
    reader.page.get_by_role("button", name="Run").click()
    reader.page.locator(".ax-photo[data-painted]").wait_for()
    return reader


def test_attention_is_painted_over_the_picture_and_a_patch_is_asked_like_a_word(looking, app):
    from explorer.run import Run
    from explorer.source import Folder
    from explorer.sources import trace_run
    from explorer.sources.pictures import picture_of

    run = Run(picture=picture_of(png_of(drawing())), source=Folder(str(app.folder / "vit")))
    trace = trace_run(run)
    expect(looking.page.locator(".ax-patch")).to_have_count(16)
    looking.token(6).hover()  # after [CLS]: row 1, column 1
    looking.wait_says("1·1 looks most at")
    lets_the_picture_through(looking)
    said = re.match(r"L(\d)·H(\d): 1·1 looks most at (\S+) \((\S+)\)", looking.says())
    row = trace.weights[int(said[1]), int(said[2]), 6]
    assert said[3] == trace.key_tokens[int(row.argmax())].text
    assert said[4] == f"{row.max():.3f}"
    looking.token(6).click()
    looking.page.locator(".ax-patch.ax-here").wait_for()
    looking.page.locator(".ax-text").focus()
    looking.page.keyboard.press("ArrowDown")
    looking.wait_says("2·1 looks most at")
    assert "text=" not in looking.address()
    looking.noted("a shared address will not carry it")


def lets_the_picture_through(reader):
    """One colour everywhere, and never the whole of it: `color(srgb r g b / share)`."""
    shades = reader.page.locator(".ax-patch").evaluate_all(
        "all => all.map((e) => getComputedStyle(e).backgroundColor)"
    )
    hues, shares = zip(*(s.rsplit("/", 1) for s in shades if "/" in s), strict=True)
    assert 0.1 < max(float(share.strip(" )")) for share in shares) <= 0.86
    assert len(set(hues)) == 1


def test_a_saved_page_of_a_picture_shows_it_without_any_network(app, page_from_disk):
    from explorer.run import Run
    from explorer.source import Folder
    from explorer.sources import trace_run
    from explorer.sources.pictures import picture_of

    folder = folder_of(app, "vit", tiny_vision, "ViT")
    picture = picture_of(png_of(drawing()))
    someone = page_from_disk(trace_run(Run(picture=picture, source=Folder(folder))))
    someone.page.locator(".ax-photo[data-painted]").wait_for()
    someone.token(5).hover()
    someone.wait_says("1·0 looks most at")


def test_a_picture_goes_with_the_reader_to_the_other_pages(looking):
    looking.page.get_by_test_id("stTopNavLink").get_by_text("Compare", exact=True).click()
    looking.page.get_by_text("The two are the same in every head").wait_for()
    looking.page.get_by_text("17 tokens are common to both").wait_for()  # [CLS] and 16 patches


def test_a_page_of_a_picture_loaded_again_says_that_it_must_be_uploaded_again(looking):
    looking.page.wait_for_function("location.search.includes('file=1')")
    looking.page.reload()
    looking.told("the server has it no longer: upload it again, a picture with “Picture” on")
    looking.painted()


def test_the_picture_is_in_the_saved_files_too_and_stays_when_a_damaged_one_is_told(looking):
    looking.page.get_by_text("Save", exact=False).last.click()
    with looking.page.expect_download() as download:
        looking.page.get_by_role("button", name="SVG").click()
    assert "<image" in download.value.path().read_text("utf-8")
    looking.upload("Picture for a vision model", "x.png", b"no picture")
    looking.told("no picture that can be read")
    looking.page.locator(".ax-photo[data-painted]").wait_for()


def test_a_picture_for_a_model_of_text_is_refused_before_run_with_a_way_out(reader):
    reader.open().painted()
    reader.edit().page.get_by_text("Picture", exact=True).click()
    said, run = (
        reader.page.locator(".st-key-impossible"),
        reader.page.get_by_role("button", name="Run"),
    )
    expect(said).to_contain_text("all-MiniLM-L6-v2 reads text, not pictures")
    expect(run).to_be_disabled()
    reader.page.get_by_role("button", name="Take deit-tiny-patch16-224 (23 MB)").click()
    said.wait_for(state="detached")
    run.click()
    reader.told("Which picture?")
    reader.edit().page.get_by_text("Picture", exact=True).first.click()
    expect(said).to_contain_text("reads pictures, not text: turn on “Picture”")
    expect(reader.box("Text")).to_have_value(re.compile("The cat sat"))


# --- weights of one's own -----------------------------------------------------------------------


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def test_weights_of_ones_own_are_shown_as_they_are_and_a_wrong_shape_is_told(reader):
    weights = np.random.default_rng(0).dirichlet(np.ones(3), (2, 3, 3)).astype(np.float32)
    tokens = np.array(["<b>one</b>", "two", "[SEP]"])
    reader.open().painted()
    reader.choose_kind("My own attention weights")
    reader.page.get_by_test_id("stFileUploader").filter(has_text=OWN).wait_for()
    reader.page.wait_for_function(IDLE)
    reader.upload(OWN, "mine.npz", npz(weights=weights, tokens=tokens))
    reader.page.locator(".ax-text", has_text="<b>one</b>").wait_for()
    reader.head(1, 2).click()
    reader.token(0).hover()
    best = int(weights[1, 2, 0].argmax())
    reader.wait_says(f"looks most at {tokens[best]} ({weights[1, 2, 0, best]:.3f})")

    reader.upload(OWN, "flat.npz", npz(weights=weights[0, 0, 0]))
    reader.told("has the shape [3]; wanted is [layer, head, query, key]")
    reader.page.locator(".ax-text", has_text="<b>one</b>").wait_for()
    reader.page.get_by_test_id("stTopNavLink").get_by_text("Explain", exact=True).click()
    reader.told("holds attention weights and no model")


def test_what_was_saved_comes_back(reader):
    saved = explorer.trace("A saved sentence.")
    reader.open().painted()
    reader.choose_kind("My own attention weights")
    reader.page.get_by_test_id("stFileUploader").filter(has_text=OWN).wait_for()
    reader.page.wait_for_function(IDLE)
    reader.upload(OWN, "saved.npz", export.to_npz(saved))
    reader.page.locator(".ax-text", has_text="A saved sentence.").wait_for()
    expect(reader.page.locator(".ax-cell")).to_have_count(72)


def test_a_link_to_an_uploaded_file_says_that_files_do_not_travel(reader):
    reader.open(f"?{urlencode({'text': 'x', 'source': 'own:0123'})}")
    reader.told("files do not travel in links")
