"""Words that teach: terms.json, and the Guide that is made of it."""

import re
from pathlib import Path

import pytest

from explorer.analysis import patterns
from explorer.instrument.assets import terms
from explorer.run import Run
from explorer.source import source_from_query
from explorer.ui import guide

ROOT = Path(__file__).parents[2]
INSTRUMENT = ROOT / "explorer/instrument"
TERMS = terms()
SECTIONS = guide.sections()
ANCHORS = [section.anchor for section in SECTIONS]
PAGES = {path.stem for path in (ROOT / "pages").glob("*.py")}
LINKS = [link for section in SECTIONS for link in section.links]


@pytest.mark.parametrize("name", TERMS)
def test_a_term_is_explained_in_a_few_plain_sentences_with_its_place_in_the_guide(name):
    term = TERMS[name]
    assert set(term) == {"says", "see"}
    assert term["says"].endswith((".", "”).", ".)"))
    assert len(term["says"]) <= 240  # a bubble of about six lines
    assert not re.search(r"[<>{}]", term["says"]), "a bubble shows text, the Guide Markdown"
    assert term["see"] in ANCHORS


@pytest.mark.parametrize(
    "name",
    [
        *("token", "word piece", "special token", "[CLS]", "[SEP]", "head", "layer", "query"),
        *("key", "value", "attention weight", "score", "softmax", "√d_k", "entropy", "sink"),
        *("position", "residual", "rollout", "gradient", "logit", "passport", "causal"),
        *("cross-attention", "percentile scale", "heatmap", "flow", "pinned", "spread"),
        *("Jensen–Shannon divergence", "baseline"),
    ],
)
def test_what_the_pages_speak_of_is_explained(name):
    assert name in TERMS


def test_every_term_that_a_page_marks_is_explained():
    marked = {
        name
        for path in INSTRUMENT.glob("**/*.js")
        for name in re.findall(r'\bterm\(\s*"([^"]+)"', path.read_text("utf-8"))
    }
    assert marked <= set(TERMS)


def test_numbers_in_the_terms_are_those_of_the_rules():
    words = (INSTRUMENT / "numbers/words.js").read_text("utf-8")
    assert "[SHARP, BROAD] = [1 / 3, 3 / 4]" in words
    assert "below a third of the possible" in TERMS["sharp"]["says"]
    assert "more than three quarters of the possible" in TERMS["broad"]["says"]
    assert patterns.BROAD == 0.9
    assert "from nine tenths on" in TERMS["broad"]["says"]
    assert "PERCENTILE = 0.98" in (INSTRUMENT / "numbers/model.js").read_text("utf-8")
    assert "98th percentile" in TERMS["percentile scale"]["says"]


def test_numbers_in_the_guide_are_those_of_the_rules():
    text = {section.anchor: section.text for section in SECTIONS}
    words = (INSTRUMENT / "numbers/words.js").read_text("utf-8")
    assert "HABIT = 0.3;" in words
    assert "a habit is named from 30 % of the attention on" in text["choosing"]
    assert "below a third of the possible, *broad* one above three quarters" in text["choosing"]
    rules = [patterns.POSITION, patterns.VERTICAL, patterns.BROAD]
    said = re.findall(r"from (0\.\d)", text["heads"])
    assert [float(number) for number in said] == rules


def test_the_glossary_holds_every_term_word_for_word():
    lines = [re.sub(r"\\(.)", r"\1", line) for line in guide.glossary().splitlines()]
    for name, term in TERMS.items():
        assert f"- **{name}**: {term['says']} [→](#{term['see']})" in lines
    assert len(lines) == len(TERMS)


def test_sections_have_anchors_of_their_own():
    assert len(set(ANCHORS)) == len(ANCHORS)
    assert "words" not in ANCHORS, "the glossary has it"
    inside = [name for s in SECTIONS for name in re.findall(r"\]\(#(\w+)\)", s.text)]
    assert set(inside) <= set(ANCHORS)


def test_sections_are_short():
    for section in SECTIONS:
        assert len(section.text.split()) <= 200, section.title


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.label)
def test_a_link_of_the_guide_names_a_page_and_what_can_be_run(link):
    assert (link.page or "explore") in PAGES
    query = dict(link.query)
    if link.page == "train":
        assert source_from_query(query) is not None
    else:
        run = Run.from_query(query)
        assert run is not None
        assert run.to_query().items() <= ({"source": "bert"} | query).items()
    assert link.address.startswith(f"./{link.page}?")


def test_the_pictures_of_the_guide_are_there_light_and_dark_and_small():
    shown = [section.picture for section in SECTIONS if section.picture]
    assert len(shown) >= 6
    files = {guide.picture(name, scheme) for name, _ in shown for scheme in ("light", "dark")}
    assert files == set(guide.PICTURES.glob("*"))
    assert sum(file.stat().st_size for file in files) < 400_000
    for name, seen in shown:
        assert len(seen.split()) >= 8, "what is seen, for those who do not see it"
        light, dark = (guide.size_of(guide.picture(name, s)) for s in ("light", "dark"))
        assert light == dark


def test_the_guide_speaks_of_every_page():
    titles = " ".join(section.title for section in SECTIONS)
    frame = (ROOT / "explorer/ui/frame.py").read_text("utf-8")
    for title in re.findall(r'title="([^"]+)"', frame):
        assert title in ("Explore", "Guide") or f"{title}: " in titles, title
