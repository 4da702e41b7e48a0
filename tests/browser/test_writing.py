"""A decoder that writes on the page: what comes next, who wrote it, and a text that goes on."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

import numpy as np
import pandas
import pytest
from playwright.sync_api import expect

from explorer.edits import Edits
from explorer.run import Run
from explorer.sampling import Sampling
from explorer.source import Stories
from explorer.sources.expecting import expect as expected
from explorer.sources.writing import Writing
from explorer.ui.writing import AT_A_TIME
from tests.browser.conftest import stands_at
from tests.browser.test_files import saved
from tests.models.writers import save_talker

STORY = "Mia and Tom live near the garden. Mia has a red ball."
QUERY = "?" + urlencode({"text": STORY, "source": "stories"})
SVG = "{http://www.w3.org/2000/svg}"
# Shares are shown to a tenth of a per cent, or to a whole one from 10 on.
SHOWN = 0.0051


@pytest.fixture(scope="module")
def told():
    return expected(Run(STORY, source=Stories()))


def opened(reader, query=QUERY):
    reader.open(query).painted()
    reader.page.locator(".ax-candidate").first.wait_for()
    return reader


def written_in(reader):
    """The numbers of the tokens that the address says were written."""
    found = parse_qs(urlsplit(reader.page.url).query).get("written", [""])[0]
    return [int(i) for i in found.split(".") if i]


def names(reader):
    """The candidates, a space before one as ␣."""
    found = reader.page.locator(".ax-candidate").all_inner_texts()
    return ["".join(text.split("\n")[:-1]) for text in found]


def shares(reader):
    found = reader.page.locator(".ax-candidate > span").all_inner_texts()
    return [0.0 if text.startswith("<") else float(text.split()[0]) / 100 for text in found]


def test_the_likeliest_tokens_stand_with_the_models_own_probabilities(reader, told):
    page = opened(reader).page
    found = names(reader)
    wanted = [told.texts[i] for i in told.ids[told.last].tolist()]
    assert found == wanted[: len(found)]
    chances = np.exp(told.logs[told.last][: len(found)])
    assert np.abs(np.array(shares(reader)) - chances).max() <= SHOWN
    # Behind another token what stood there is told with its place among the likeliest.
    reader.token(1).hover()
    says = page.locator(".ax-next-says")
    expect(says).to_contain_text("After Mia stands and")
    rank = int(told.ranks[1]) + 1
    expect(says).to_contain_text("the likeliest" if rank == 1 else str(rank))


def test_a_click_writes_a_token_and_write_lets_the_model_go_on(reader, told):
    page = opened(reader).page
    first = int(told.ids[told.last][0])
    page.locator(".ax-candidate").first.click()
    stands_at(page, f"**written={first}**")
    mark = page.locator(".ax-text .ax-written")
    expect(mark).to_have_count(1)
    assert mark.inner_text() == told.texts[first].lstrip("␣")
    page.get_by_role("button", name="Write", exact=True).click()
    own = Writing(Run(STORY, source=Stories(), written=(first,)), Sampling(1.0, seed=2))
    drawn = [first, *(token.id for token in own.write(AT_A_TIME))]
    assert len(drawn) > 10
    whole = f"written={'.'.join(map(str, drawn))}&"
    # What the library draws, token by token; the browser writes it into the same step.
    page.wait_for_function("(whole) => location.search.includes(whole)", arg=whole)
    expect(page.get_by_role("button", name="Write", exact=True)).to_be_visible()
    numbers = written_in(reader)
    assert numbers == drawn
    expect(mark).to_have_count(len(numbers))
    # The link alone opens what was written.
    query = urlsplit(page.url).query
    opened(reader, f"?{query}")
    expect(mark).to_have_count(len(numbers))
    assert written_in(reader) == numbers


def test_from_a_word_in_the_middle_the_text_goes_on_another_way(reader):
    page = opened(reader).page
    reader.token(11).click()
    expect(page.locator(".ax-next-says")).to_contain_text("After a stands red")
    word = next(name for name in names(reader) if name != "␣red").lstrip("␣")
    page.locator(".ax-candidate", has_text=word).first.click()
    line = page.locator(".ax-text")
    expect(line).to_contain_text(f"Mia has a {word}")
    expect(line).not_to_contain_text("ball")


def test_each_layer_is_read_as_the_last_and_the_parts_sum_to_the_logit(reader, told):
    page = opened(reader).page
    page.get_by_text("How the prediction comes about").click()
    table = page.locator(".ax-lens-table")
    expect(table.locator("tbody tr")).to_have_count(4)
    top = table.locator("tbody tr").first.locator("td").last
    assert top.inner_text() == told.texts[int(told.ids[told.last][0])]
    expect(page.locator(".ax-wrote + .ax-help")).to_contain_text(
        re.compile(r"exactly|off by \de-([6-9]|\d\d)")
    )
    numbers, picture = taken_away(reader, "what comes next", "how it comes about")
    assert numbers["number"].tolist() == told.ids.ravel().tolist()
    # A CSV has the digits of a float32.
    assert np.abs(numbers["probability"] - np.exp(told.logs.ravel())).max() <= 1e-7
    words = [text.text for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]
    assert {"Each layer as the last", "Who wrote", "MLP of layer 1"} <= set(words)
    head = page.locator("button.ax-given").first
    name = head.inner_text().split("\n")[0]
    head.click()
    reader.wait_says(f"{name}:")


def taken_away(reader, table, picture):
    """A table of the menu Save, and the SVG of a picture."""
    menu = reader.page.locator(".ax-save")
    menu.locator("summary").click()
    menu.get_by_text(table, exact=True).click()
    path = saved(reader, "CSV").path()
    numbers = pandas.read_csv(path, skiprows=1, encoding="utf-8-sig", keep_default_na=False)
    menu.get_by_text(picture, exact=True).click()
    drawn = saved(reader, "SVG").path().read_text("utf-8")
    reader.page.keyboard.press("Escape")
    return numbers, drawn


def test_a_conversation_is_read_by_the_models_template_and_answered(reader, app):
    folder = app.folder / "talker"
    folder.mkdir(exist_ok=True)
    save_talker(folder)
    asked = {"text": "user: the cat sat.", "source": f"path:{folder}", "chat": "1"}
    page = opened(reader, f"?{urlencode(asked)}").page
    marks = page.locator(".ax-text .ax-special")
    expect(marks).to_have_text(["<|im_start|>", "<|im_end|>", "<|im_start|>"])
    page.get_by_role("button", name="Write", exact=True).click()
    page.wait_for_url(lambda url: "chat=1" in url and "written=" in url)
    expect(page.locator(".ax-text .ax-written").first).to_be_visible()
    # The pin is at the end of what is written, and the turns stay as they were typed.
    expect(page.locator(".ax-next-says")).to_contain_text("the model expects")
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value(asked["text"])
    page.get_by_text("As a conversation", exact=True).click()
    page.get_by_role("button", name="Run").click()
    page.wait_for_url(lambda url: "chat=" not in url)
    expect(page.locator(".ax-text")).to_contain_text("user: the cat sat.")


def test_a_model_that_reads_both_ways_has_nothing_that_comes_next(reader):
    reader.open().painted()
    expect(reader.page.locator(".ax-panel-next")).to_be_hidden()


def test_a_head_switched_off_changes_what_is_expected_and_is_put_back_by_its_chip(reader):
    page = opened(reader, QUERY + "&layer=1&heads=1&query=4&key=1").page
    page.locator(".ax-change > summary").click()
    page.get_by_role("button", name="Switch L1·H1 off", exact=True).click()
    stands_at(page, "**edits=off*")
    expect(page.locator(".ax-candidate", has_text="was").first).to_be_visible()
    expect(page.locator(".ax-cell.ax-off")).to_have_count(1)
    expect(page.get_by_role("button", name="Layer 1, head 1", exact=True)).to_have_class(
        re.compile("ax-off")
    )
    edited = expected(Run(STORY, source=Stories(), edits=Edits(off=((1, 1),))))
    found = [
        0.0 if text.startswith("<") else text
        for text in page.locator(".ax-candidate > span:nth-of-type(1)").all_inner_texts()
    ]
    shown = [text if text == 0.0 else float(text.lstrip("> ").split()[0]) / 100 for text in found]
    chances = np.exp(edited.logs[4][: len(shown)])
    assert np.abs(np.array(shown) - chances).max() <= SHOWN
    reader.page.get_by_role("button", name="attention changed").hover()
    expect(page.locator(".ax-bubble")).to_contain_text("L1·H1 is off")
    page.get_by_role("button", name="L1·H1 off").click()
    stands_at(page, re.compile("^((?!edits).)*$"))
    expect(page.locator(".ax-candidate", has_text="was")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    stands_at(page, "**edits=off*")
    page.get_by_role("button", name="Undo").click()
    stands_at(page, re.compile("^((?!edits).)*$"))


def test_what_made_a_score_is_told_of_the_pair_that_is_pinned(reader):
    page = opened(reader, QUERY + "&layer=2&heads=1&query=9&key=1").page
    page.get_by_text("How the prediction comes about").click()
    expect(
        page.get_by_text(re.compile("^Mostly .* of the score .* to which all parts sum"))
    ).to_be_visible()
    expect(page.locator(".ax-sides .ax-wrote")).to_have_count(2)
