"""Bad luck: lost connections, restarts, odd characters, a busy server, failures nobody foresaw."""

import io
import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

import explorer
from tests.browser.conftest import IDLE, Reader
from tests.serve import Wire, serving

CAT = "The cat sat on the mat because it was tired."


def link(**query):
    return f"?{urlencode(query)}"


def paste(reader, text):
    """Put what a JavaScript expression says into the text box, as a paste does."""
    reader.edit()
    reader.page.evaluate(
        """([text]) => {
          const box = document.querySelector("textarea");
          const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
          box.focus();
          set.call(box, eval(text));
          box.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        [text],
    )


@pytest.fixture(scope="module")
def second_app():
    """An app beside the one that all tests use."""
    with serving() as running:
        yield running


@pytest.fixture
def own_app(second_app):
    """An app that a test may stop."""
    if second_app.process.poll() is not None:
        second_app.start()
    return second_app


@pytest.fixture(scope="module")
def wire(second_app):
    """A line to that app."""
    line = Wire(second_app)
    yield line
    line.close()


@pytest.fixture
def far_reader(own_app, wire, screens):
    """A reader at the end of a line that can be cut; lost connections log errors, which is fine."""
    with screens() as page, Reader(page, wire) as someone:
        yield someone


def test_a_dropped_connection_is_taken_up_again_and_nothing_typed_is_lost(far_reader, wire):
    reader = far_reader
    reader.open(link(text="A dog barked.", layer="2", heads="3")).painted("2.3")
    reader.box("Text").fill("Typed, and not sent yet.")
    before = len(reader.sockets)
    with reader.page.expect_event("websocket"):  # the page comes back by itself
        wire.cut()
    reader.page.wait_for_function(IDLE)
    assert len(reader.sockets) == before + 1
    expect(reader.box("Text")).to_have_value("Typed, and not sent yet.")
    reader.head(1, 4).click()
    reader.wait_says("L1·H4")
    reader.page.get_by_role("button", name="Run").click()
    reader.page.locator(".ax-text", has_text="and not sent").wait_for()
    reader.painted("1.4")


def test_after_a_restart_of_the_server_an_open_page_finds_its_run_again(far_reader, own_app):
    reader = far_reader
    text = "word " * 300  # a long text: its other layers are on the server only
    reader.open(link(text=text, layer="2", heads="3")).painted("2.3")
    reader.box("Text").fill("Typed before the restart.")
    reader.instrument.evaluate("element => { element.dataset.old = '1'; }")
    own_app.stop()
    reader.page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testConnectionState !== 'CONNECTED'"
    )
    own_app.start()
    reader.page.locator(".ax[data-painted$='2.3']:not([data-old])").wait_for()
    reader.page.wait_for_function(IDLE)
    expect(reader.box("Text")).to_have_value("Typed before the restart.")
    reader.head(4, 7).click()
    reader.painted("4.7")
    reader.token(5).hover()
    reader.wait_says("L4·H7: word")


def test_after_a_restart_a_page_of_an_uploaded_file_says_that_it_is_gone(far_reader, own_app):
    reader = far_reader
    out = io.BytesIO()
    np.savez(out, weights=np.full((1, 1, 2, 2), 0.5), tokens=np.array(["secret", "token"]))
    reader.open().painted()
    reader.box("Text").fill("Typed before the restart.")
    reader.choose_kind("My own attention weights")
    reader.page.get_by_test_id("stFileUploader").filter(has_text="NPZ").wait_for()
    reader.page.wait_for_function(IDLE)
    reader.upload("NPZ", "secret name.npz", out.getvalue())
    reader.page.locator(".ax-text", has_text="secret").wait_for()
    reader.page.wait_for_function("location.search.includes('file=1')")
    assert "secret" not in reader.address()
    own_app.stop()
    reader.page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testConnectionState !== 'CONNECTED'"
    )
    own_app.start()
    reader.told("the server has it no longer: upload it again")
    reader.page.locator(".ax-text", has_text="mat").wait_for()


def test_half_a_character_and_a_text_of_megabytes_do_not_end_the_connection(reader):
    reader.open().painted()
    paste(reader, "'half \\ud83d here'")
    reader.page.get_by_role("button", name="Run").click()
    reader.page.locator(".ax-text", has_text="half � here").wait_for()
    paste(reader, "'much '.repeat(420_000)")
    reader.page.get_by_role("button", name="Run").click()
    reader.told(
        "This text has 1,000,001 characters or more: no more of it was sent. At most 200,000"
    )
    reader.page.locator(".ax-text", has_text="half � here").wait_for()
    assert reader.box("Text").evaluate("box => box.value.length") == 1_000_001


def test_a_megabyte_of_lines_is_told_and_stays_and_the_picture_lives(reader):
    reader.open().painted()
    paste(reader, "'a line of words\\n'.repeat(62_500)")
    reader.page.get_by_role("button", name="Run").click()
    reader.told("This text has 1,000,000 characters")
    assert reader.box("Text").evaluate("box => box.value.length") == 1_000_000
    reader.token(2).hover()
    reader.wait_says("cat looks most at")


@pytest.mark.parametrize("source", ["bert", "scratch"])
def test_characters_that_nobody_sees_are_shown_as_marks(reader, source):
    text = "user\u202enames\u202c and zero\u200bwidth \u2066x\u2069 👨‍👩‍👧 ok"
    reader.open(link(text=text, source=source)).painted()
    shown = reader.page.locator(".ax-text p").first.inner_text()
    for mark in ("⟨RLO⟩", "⟨PDF⟩", "⟨ZWSP⟩", "⟨LRI⟩", "⟨PDI⟩"):
        assert mark in shown
    assert "👨‍👩‍👧" in shown
    assert not re.search(r"[\u202e\u2066\u200b]", reader.page.locator(".ax").inner_text())
    expect(reader.box("Text"), "the text itself is as it was pasted").to_have_value(text)


def test_a_failure_nobody_thought_of_is_a_sentence_and_logged_without_the_text(screens, tmp_path):
    # A part of the app that cannot be imported: no code expects that.
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'explorer.sources.scratch':\n"
        "            raise KeyError('what the reader typed: SECRET' + '-WORD')\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    with (
        serving(PYTHONPATH=str(tmp_path)) as broken,
        screens() as page,
        Reader(page, broken) as reader,
    ):
        reader.open(link(text="SECRET-WORD", source="scratch"))
        reader.told("Something went wrong inside the app")
        expect(reader.box("Text")).to_have_value("SECRET-WORD")
    log = broken.log.read_text()
    assert "KeyError" in log
    assert "SECRET-WORD" not in log


def test_the_log_holds_no_text_of_a_reader(reader, app):
    reader.open(link(text="A-PRIVATE-WORD")).painted()
    reader.run("ANOTHER-PRIVATE-WORD here")
    reader.page.locator(".ax-text", has_text="ANOTHER").wait_for()
    reader.choose("A model in a folder", "Folder", "/PRIVATE-FOLDER")
    reader.page.get_by_role("button", name="Run").click()
    reader.told("EXPLORER_MODEL_DIRS")
    assert "PRIVATE" not in app.log.read_text()


def test_a_click_of_one_reader_is_answered_while_another_explains(app, screens, reader):
    """The other's work takes many seconds; this one's must not wait for its end."""
    # In a browser of its own: readers have shares.
    with screens(who="another") as page, Reader(page, app) as busy:
        busy.open(link(text="a word " * 60, target="vector", at="5"), "explain")
        stop = busy.page.locator("[class*=explain_stop]").get_by_role("button", name="Stop")
        stop.wait_for()
        asked = link(text=CAT, target="vector", at="8")
        reader.open(asked, "explain").painted()
        expect(stop, "the other still works").to_be_visible()
        reader.open(link(text="A short one.")).painted()
        reader.run("Another short one.")
        reader.page.locator(".ax-text", has_text="Another").wait_for()


def test_numbers_on_screen_are_still_the_models_after_all_that(reader):
    trace = explorer.trace("half � here")
    reader.open(link(text="half � here", layer="1", heads="4")).painted("1.4")
    reader.token(1).hover()
    row = trace.weights[1, 4, 1]
    best = trace.key_tokens[int(row.argmax())].text
    reader.wait_says(f"looks most at {best} ({row.max():.3f})")
