"""One head over a corpus, as people see it, and the search from a pair pinned in Explore."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

import explorer
from explorer.corpus.engines import Here
from explorer.corpus.folder import CorpusFolder
from explorer.corpus.running import Settings, run
from explorer.corpus.search import pair_of, search
from explorer.corpus.sentences import sentences
from explorer.corpus.shelf import Sentences
from explorer.corpus.texts import Corpus
from explorer.corpus.work import model_of
from tests.browser.conftest import stands_at

DOGS = "The dog saw the other dog."


@pytest.fixture(scope="module")
def few(app):
    """A corpus of few texts that the embedded model has read, below the app's folder of models."""
    path = app.folder / "few"
    run(Corpus(None, lines=sentences(24)), path, Settings("bert"), Here())
    found = CorpusFolder(path)
    yield found
    found.close()


def panel(reader):
    return reader.page.locator(".ax-corpus-head")


def open_corpus(reader, **query):
    reader.open(f"?{urlencode(query)}", "heads")
    expect(panel(reader).locator("h3").first).to_contain_text("over the corpus", timeout=120_000)


def in_explore(reader, text, query, key):
    """Explore stands at a pair, with the weight that the model itself has there."""
    place = urlencode({"text": text, "layer": 2, "heads": 9, "query": query, "key": key})
    stands_at(reader.page, re.compile(rf"/\?{re.escape(place)}$"))
    weight = explorer.trace(text).weights[2, 9, query, key]
    expect(reader.page.locator(".ax-between")).to_have_text(f"{weight:.3f}", timeout=120_000)


def test_an_example_of_a_tenth_opens_in_explore_at_its_pair(reader):
    open_corpus(reader, corpus="sentences", layer=2, heads=9)
    folder = Sentences()
    held = next(one for one in folder.rules(2, 9) if one.rule.kind == "vertical")
    said = f"“vertical”, does in {held.held:,} of 3,000 texts"
    expect(panel(reader).locator(".ax-corpus-says")).to_contain_text(said)
    measure = panel(reader).get_by_role("button", name=re.compile("^Attention to the same word"))
    measure.click()
    expect(measure).to_have_attribute("aria-pressed", "true")
    example = next(e for e in folder.examples(2, 9, "same word") if e.decile == 10 and not e.top)
    query, key, weight = next(p for p in example.pairs if p[0] and p[1])
    words = f"{example.tokens[query]} → {example.tokens[key]} {weight:.3f}"
    panel(reader).get_by_role("button", name=words, exact=True).first.click()
    in_explore(reader, example.parts[0], query, key)
    folder.close()


def test_a_pinned_pair_finds_where_else_its_head_does_that(reader, few):
    trace = explorer.trace(DOGS)
    wanted = search(model_of("bert"), few.texts(), pair_of(trace, 2, 9, 6, 2), 512)
    reader.open(f"?{urlencode({'text': DOGS, 'layer': 2, 'heads': 9, 'query': 6, 'key': 2})}")
    asks = reader.page.get_by_role("button", name="Where else does this head do that?")
    expect(asks).to_be_visible(timeout=120_000)
    place = {"text": DOGS, "layer": 2, "heads": 9, "query": 6, "key": 2}
    open_corpus(reader, **place, corpus="few", search="2.9")
    found = panel(reader).locator(".ax-corpus-search")
    expect(found).to_contain_text("dog → dog? 24 texts were read.", timeout=120_000)
    hits = found.locator("li")
    expect(hits).to_have_count(len(wanted))
    first = wanted[0]
    expect(hits.first.locator("strong")).to_have_text(f"{first.likeness:.3f}")
    hits.first.locator(".ax-chip").click()
    in_explore(reader, first.text.parts[0], first.query, first.key)
