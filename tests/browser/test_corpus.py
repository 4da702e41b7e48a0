"""Heads over a corpus: from a file to a head, to one of its texts, to where else it does that."""

import json
import re

from playwright.sync_api import expect

from explorer.corpus.sentences import sentences
from tests.browser.conftest import stands_at

TEXTS = 400
LONG = 120_000  # ms: what a busy machine may need to read them


def test_from_a_file_to_a_head_to_an_example_and_where_else_it_does_that(reader):
    """A file is read, stopped, gone on with; a text opens in Explore; its pair is searched."""
    page = reader.open(path="heads").painted().page
    page.get_by_text("Over a corpus", exact=True).click()
    stands_at(page, re.compile("corpus=sentences"))
    reader.painted("previous")
    expect(page.get_by_text("3,000 texts", exact=True)).to_be_visible()
    page.go_back()
    reader.painted()
    expect(page.locator(".ax-head-order")).to_be_visible()
    page.go_forward()
    reader.painted("previous")
    assert reader.barriers() == []
    _read(reader)
    _look_at_a_head(reader)


def _read(reader):
    """A file with a broken line and an empty one is read, stopped, and gone on with."""
    page = reader.page
    rows = [json.dumps({"id": i, "said": said}) for i, said in enumerate(sentences(TEXTS))]
    page.get_by_role("button", name="Another corpus").click()
    data = "\n".join([*rows, "{broken", '{"said": ""}']).encode()
    reader.upload("Texts from a file", "Our mail.jsonl", data)
    page.get_by_label("Column of the texts").click()
    page.get_by_role("option", name="said", exact=True).click()
    page.get_by_role("button", name="Read these texts").click()
    expect(page.get_by_text("tokens a second")).to_be_visible(timeout=LONG)
    stands_at(page, re.compile("corpus=our-mail-[0-9a-f]{12}"))
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("“Our mail.jsonl” is not read to its end.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"texts so far"))).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(f"{TEXTS} texts", exact=True)).to_be_visible(timeout=LONG)
    reader.noted("1 line broken, skipped")
    reader.noted("1 line empty, skipped")


def _look_at_a_head(reader):
    """L0·H2 looks at the token before; so it does in its example, and elsewhere in the corpus."""
    page = reader.page
    page.get_by_label("Colour and rank heads by").select_option(
        label="Attention to the token before"
    )
    page.locator(".ax-corpus-all").get_by_role("button", name="L0·H2", exact=True).click()
    stands_at(page, re.compile("layer=0&heads=2.*measure=previous"))
    expect(page.locator(".ax-corpus-head h3").first).to_have_text(re.compile("L0·H2"))
    own = page.url
    page.get_by_title("Open this text in Explore, at this pair").first.click()
    stands_at(page, re.compile(r"[0-9]/\?.*layer=0&heads=2&query=[0-9]+&key=[0-9]+"))
    reader.painted()
    page.get_by_role("button", name="Where else does this head do that?").click()
    stands_at(page, re.compile("/heads.*corpus="))
    assert re.search("corpus=([^&]*)", own)
    found = page.get_by_role("region", name="Search")
    expect(found.get_by_title("Open this text in Explore, at this pair").first).to_be_visible(
        timeout=LONG
    )
