"""Files to take away: whole, harmless, and readable by others."""

import base64
import dataclasses
import gzip
import io
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import export
from explorer.errors import ExplorerError
from explorer.export.notebook import Shown
from explorer.instrument.wire.about import passport_words
from explorer.instrument.wire.container import read
from explorer.sources.stored import read_npz
from explorer.trace import AttentionTrace, ModelInfo, Passport, Token

HOSTILE = "</script><script>alert(1)</script><b>"


def payload_of(page):
    return read(bytes_of(page))


def bytes_of(page):
    return gzip.decompress(base64.b64decode(re.search(r'id="payload">([^<]*)<', page)[1]))


def header_of(page):
    return payload_of(page)[0]


def trace_of(words, text="some text"):
    n = len(words)
    tokens = tuple(Token(w, (i, i + 1), i or None, 0, special=i == 0) for i, w in enumerate(words))
    weights = np.full((1, 1, n, n), 1 / n, dtype=np.float32)
    return AttentionTrace(ModelInfo("m", None, 1, 1, 4, 9), (text,), tokens, tokens, weights)


@given(st.lists(st.text(min_size=1, max_size=5).map(lambda t: t + "."), min_size=1, max_size=5))
def test_a_trace_survives_the_way_through_npz_bit_for_bit(words):
    trace = trace_of(words, text="".join(words) + "\0")
    again = read_npz(io.BytesIO(export.to_npz(trace)))
    assert np.array_equal(again.weights, trace.weights)
    for field in dataclasses.fields(trace):
        if field.name != "layers":
            assert getattr(again, field.name) == getattr(trace, field.name)


def test_npz_needs_numpy_alone_and_says_what_made_it(make_trace):
    trace = make_trace()
    with np.load(io.BytesIO(export.to_npz(trace)), allow_pickle=False) as file:
        assert np.array_equal(file["weights"], trace.weights)
        assert file["query_tokens"].tolist() == [t.text for t in trace.query_tokens]
        assert file["key_spans"].tolist() == [list(t.span) for t in trace.key_tokens]
        about = json.loads(str(file["about"]))
    assert about["model"]["name"] == "random"
    assert about["versions"]["torch"].startswith("2.13.0")


def test_a_web_page_holds_all_layers_and_no_text_that_could_act():
    trace = trace_of([HOSTILE, "b"], text=HOSTILE)
    page = export.to_html(trace)
    assert "alert(1)" not in page
    assert page.count("</script>") == 2
    assert HOSTILE.encode() in bytes_of(page).replace(b'\\"', b'"')
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_a_web_page_of_chosen_layers_holds_these_and_every_small_picture(make_trace):
    trace = make_trace(4, 2, 40)
    whole, one = export.to_html(trace), export.to_html(trace, layers=[2])
    assert len(one) < len(whole)
    header, blocks = payload_of(one)
    assert [about["layer"] for about, _ in blocks if "layer" in about] == [2]
    assert header["numbers"] == [0, 1, 2, 3]
    assert [a["layer"] for a, _ in payload_of(whole)[1] if "layer" in a] == [0, 1, 2, 3]


def test_a_web_page_opens_with_the_view_it_was_saved_with(make_trace):
    page = export.to_html(make_trace(), opening={"layer": "1", "query": "2-4"})
    assert header_of(page)["opening"] == {"layer": "1", "query": "2-4"}


def test_a_web_page_says_how_far_its_numbers_were_checked(make_trace):
    trace = make_trace()
    about = dataclasses.replace(trace.model, name="<m>", passport=Passport("scores", 64, 3.2e-8))
    words = passport_words(about)
    assert words.startswith("checked against Transformers on 64 tokens")
    page = export.to_html(dataclasses.replace(trace, model=about))
    assert f"<p>&lt;m&gt;: {words}.</p>" in page
    assert header_of(page)["passport"] == words
    assert "<p>" not in export.to_html(trace).partition("<script")[0]


def test_a_page_of_more_than_browsers_open_is_refused_with_the_ways_that_there_are(
    make_trace, monkeypatch
):
    trace = make_trace(6, 2, 40)  # 12,800 bytes a layer
    monkeypatch.setattr("explorer.export.html.MOST", 30_000)
    with pytest.raises(
        ExplorerError, match=r"fewer layers: layers=\[0, 1\], for example\. .*save\("
    ):
        export.to_html(trace)
    with pytest.raises(ExplorerError, match="A page with 6 layers of 40 tokens would hold about"):
        trace.show(layer=1)
    assert export.to_html(trace, layers=[3, 4])
    assert trace.show(layers=[3, 4])._repr_html_()
    monkeypatch.setattr("explorer.export.html.MOST", 10_000)
    with pytest.raises(ExplorerError, match=r"Choose a shorter text\. Everything fits into a file"):
        export.to_html(trace, layers=[3])


def heads_in(page):
    found = [about for about, _ in payload_of(page)[1] if about["kind"] in ("head", "summary")]
    return {
        kind: {(a["layer"], a["head"]) for a in found if a["kind"] == kind}
        for kind in ("head", "summary")
    }


def test_a_web_page_of_a_long_text_holds_chosen_heads_and_says_which(make_trace):
    trace = make_trace(2, 3, 800)
    chosen = export.to_html(trace, heads=[(1, 2), (0, 0), (5, 5)])
    assert heads_in(chosen) == {kind: {(1, 2), (0, 0)} for kind in ("head", "summary")}
    assert "<p>This file holds 2 of 6 heads in full: L1·H2, L0·H0.</p>" in chosen
    of_layer = export.to_html(trace, layers=[1])
    assert heads_in(of_layer)["head"] == {(1, 0), (1, 1), (1, 2)}
    opened = export.to_html(trace, opening={"layer": "1", "heads": "1"})
    assert heads_in(opened)["head"] == {(1, 1)}, "the one that it opens with"
    assert "This file holds 1 of 6 heads in full: L1·H1." in opened


def test_a_notebook_shows_a_long_text_at_any_head(make_trace):
    trace = make_trace(2, 3, 800)
    assert heads_in(trace.show()._page())["head"] == {(0, 0)}
    assert heads_in(trace.show(layer=1, head=2)._page())["head"] == {(1, 2)}
    several = trace.show(heads=[(1, 0), (0, 1)])
    assert several.opening == {"layer": "1", "heads": "0"}
    assert heads_in(several._page())["head"] == {(1, 0), (0, 1)}
    for wrong in ([(9, 0)], [(0, 9)], [3], "heads", 7, [(0, 1, 2)]):
        with pytest.raises(ExplorerError, match=r"such as \[\(0, 3\)|no attention in|no head 9"):
            trace.show(heads=wrong)


def test_a_page_of_more_heads_than_browsers_open_is_refused_with_how_many_there_may_be(
    make_trace, monkeypatch
):
    trace = make_trace(2, 3, 800)
    monkeypatch.setattr("explorer.export.html.MOST", 11 * 2**20)
    match = r"A page with 6 heads of 800 tokens .* Put in 2 heads at most, such as heads=\[\[0, 0\]"
    with pytest.raises(ExplorerError, match=match):
        export.to_html(trace, layers=[0, 1])
    assert export.to_html(trace, heads=[(0, 0)])
    monkeypatch.setattr("explorer.export.html.MOST", 10_000)
    with pytest.raises(ExplorerError, match=r"Choose fewer heads or a shorter text\. Everything"):
        export.to_html(trace, heads=[(0, 0)])


def test_a_trace_shows_itself_in_a_notebook(make_trace):
    trace = make_trace()
    shown = trace.show(height=700)
    assert isinstance(shown, Shown)
    assert shown.trace is trace
    assert "height:700px" in shown._repr_html_()
