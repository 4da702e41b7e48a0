"""The Article: its prose, what it is read on, its payload, and that nothing in it leads nowhere."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest

from docs import language as catalogues
from explorer.edits import Edits
from explorer.instrument.wire.article import Fact, pack_article
from explorer.instrument.wire.container import read
from explorer.run import Run
from explorer.scratch.articlefacts import article_code
from explorer.scratch.articlelines import lines
from explorer.source import Scratch, Stories
from explorer.sources import EXAMPLES, stored_trace
from explorer.ui import facts
from explorer.ui.article import LETTERS, lesson_run
from explorer.ui.place import PAGES
from explorer.ui.prose import EDIT, chapters

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "explorer/instrument/pages/articlefigures.js"
_LINK = re.compile(r"\]\((/[^)]*)\)")


def pieces(kind):
    return [
        (c.anchor, text) for c in chapters() for p in c.pieces if p.kind == kind for text in p.texts
    ]


def test_each_of_the_articles_nine_chapters_has_its_own_and_a_figure_in_it():
    assert [chapter.anchor for chapter in chapters()] == list("123456789")
    assert {anchor for anchor, _ in pieces("figure")} == set("123456789")


def test_prose_and_table_name_the_same_figures():
    table = FIGURES.read_text("utf-8").split("export const FIGURES")[1]
    assert sorted(re.findall(r"^  (\w+): ", table, re.MULTILINE)) == sorted(
        name for _, name in pieces("figure")
    )


def test_the_article_and_its_author_are_named():
    first = " ".join(text for anchor, text in pieces("text") if anchor == "1")
    assert "自注意力机制(Self-Attention Mechanism)原理与代码实战案例讲解" in first
    assert "禅与计算机程序设计艺术" in first


def test_every_link_of_the_prose_leads_to_a_page_and_a_place_of_the_model():
    trace = stored_trace(EXAMPLES[0].run)
    for kind in ("text", "list"):
        for _, text in pieces(kind):
            for address in _LINK.findall(text):
                page, _, query = address.removeprefix("/").partition("?")
                assert page in PAGES, address
                asked = dict(parse_qsl(query))
                if "layer" in asked and "text" not in asked and "source" not in asked:
                    assert int(asked["layer"]) in trace.numbers, address
                    assert int(asked["heads"]) < trace.model.n_heads, address


def test_every_block_and_every_sentence_of_the_article_is_said_in_chinese():
    known = catalogues.joined("zh")
    mine = ("explorer/ui/article", "explorer/instrument/pages/article")
    mine += ("explorer/instrument/numbers/article", "explorer/instrument/panels/figures/")
    missing = []
    for message, context, where in catalogues.messages():
        if where.startswith(mine):
            found = known.get(message if isinstance(message, str) else message[0], context)
            if not (found and found.string and all(found.string)):
                missing.append((where, message))
    assert not missing


def test_the_chinese_lesson_has_the_same_chapters_figures_and_links():
    english, chinese = chapters(), chapters("zh")
    for one, other in zip(english, chinese, strict=True):
        assert one.anchor == other.anchor
        assert [p.kind for p in one.pieces] == [p.kind for p in other.pieces]
        for a, b in zip(one.pieces, other.pieces, strict=True):
            assert len(a.texts) == len(b.texts)
            assert sorted(_LINK.findall(" ".join(a.texts))) == sorted(
                _LINK.findall(" ".join(b.texts))
            )


def test_the_lesson_is_read_on_the_readers_text_by_the_model_that_is_built_in():
    first = EXAMPLES[0].run
    assert lesson_run(None) == (first, "example")
    assert lesson_run(first) == (first, "example")
    own = Run("Mia lost her key.")
    assert lesson_run(own) == (own, "reader")
    for source in (Scratch(), Stories()):
        assert lesson_run(Run("Mia lost her key.", source=source)) == (own, "reader")
    changed = Run("Mia lost her key.", second="She found it.", edits=Edits())
    assert lesson_run(changed) == (own, "reader")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("One sentence of a text. " * 20, "text."),
        ("word " * 80, "word"),
        ("字" * 300, "字"),
        ("这是一句话。" * 60, "。"),
    ],
)
def test_of_a_long_text_the_lesson_reads_the_beginning_up_to_a_sentence_or_a_word(text, end):
    run, whose = lesson_run(Run(text))
    assert whose == "beginning"
    assert text.startswith(run.text)
    assert run.text.endswith(end)
    assert LETTERS // 8 < len(run.text) <= LETTERS


def test_each_step_quotes_lines_that_stand_in_both_programs():
    ours = (ROOT / "explorer/scratch/attention.py").read_text("utf-8")
    found = lines()
    for step in found:
        assert all(line in article_code() for line in step.article)
        assert all(line in ours for line in step.ours)
    quoted = {line for step in found for line in step.article}
    body = article_code().split("def forward")[1].splitlines()[2:]
    assert {line.strip() for line in body if line.strip()} - quoted == {"return output"}


def test_a_payload_holds_the_prose_the_attention_and_the_facts():
    trace = stored_trace(EXAMPLES[0].run)
    noise = np.arange(6, dtype=np.float64).reshape(2, 3)
    payload = pack_article(
        trace,
        chapters(),
        {"one": Fact({"says": "it"}, {"noise": noise})},
        article_id="x",
        whole=False,
    )
    header, blocks = read(payload)
    assert [chapter["anchor"] for chapter in header["chapters"]] == list("123456789")
    assert header["facts"] == {"one": {"says": "it"}}
    assert header["whole"] is False
    by_kind = {about["kind"]: (about, array) for about, array in blocks}
    inner, layers = read(by_kind["trace"][1].tobytes())
    assert inner["texts"] == ["The cat sat on the mat because it was tired."]
    assert {about["layer"] for about, _ in layers if "layer" in about} == set(trace.numbers)
    about, array = by_kind["fact"]
    assert (about["of"], about["part"]) == ("one", "noise")
    np.testing.assert_array_equal(array, noise.astype(np.float32))


def test_a_file_does_not_tell_its_reader_to_edit():
    """Nothing can be edited there."""
    told = [[text for c in made for p in c.pieces for text in p.texts] for made in _both_places()]
    assert EDIT in told[0]
    assert not [text for text in told[1] if "*Edit*" in text]
    assert len(told[0]) == len(told[1])


def _both_places():
    return chapters(), chapters(alone=True)


def test_what_is_at_hand_needs_no_model():
    assert {"lines", "corrections"} <= set(facts.at_hand())
