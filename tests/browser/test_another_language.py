"""What readers see is in their language: every page is walked in one that marks each message."""

import re
from contextlib import contextmanager

import pytest
from babel.messages import Catalog

from docs import language as catalogues
from tests.browser.conftest import IDLE, Reader
from tests.browser.test_every_page import DONE, PAGES
from tests.serve import ROOT, serving

CODE = "eo"  # whichever: in its catalogue a message is itself, between two marks
LINE = re.compile(r"^(\s*(?:[-#>]+|\d+\.)?\s*)(.+?)(\s*\{#\w+\})?$")
LINKED = re.compile(r"\[([^\]]+)\](?=\()")

# Every text that is seen, in the order of the page, also what stands in shadow trees; and what
# attributes say.
SEEN = """() => {
  const [texts, said] = [[], []];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
    if (![Node.ELEMENT_NODE, Node.DOCUMENT_FRAGMENT_NODE].includes(node.nodeType)) return;
    if (node instanceof Element) {
      if (["STYLE", "SCRIPT", "NOSCRIPT"].includes(node.tagName)) return;
      const isBox = getComputedStyle(node).display !== "contents" && node.tagName !== "OPTION";
      if (isBox && !node.checkVisibility({ visibilityProperty: true })) return;
      for (const name of ["aria-label", "aria-description", "title", "placeholder", "alt"])
        if (node.getAttribute(name)) said.push(node.getAttribute(name));
    }
    for (const child of node.shadowRoot ? [node.shadowRoot] : []) walk(child);
    for (const child of node.childNodes) walk(child);
  };
  walk(document.body);
  return [texts, said];
}"""
OPEN = """() => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((e) =>
    [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  for (const e of all(document)) if (e.tagName === "DETAILS") e.open = true;
}"""
# What is the same in every language: names, units, keys, formulae, and what readers give.
NAMES = """
Attention Explorer English Ctrl Enter Esc Shift SVG PNG PDF CSV NPZ HTML Python Markdown MLP ALTI
BERT MiniLM all Transformers Hugging Face softmax cosine Jensen Shannon Spearman bit bits MB GB ms
CLS SEP MASK PAD UNK NaN sdpa eager window linear RoPE LayerNorm RMSNorm elu rollout
bert stories scratch trained https huggingface co examples text txt jsonl
"""
PAPERS = r"\((?:[A-Z][\w’.-]+(?:,? (?:and|et al\.|[A-Z][\w’.-]+))* \d{4}[a-z]?(?:; )?)+\)"
PAPERS += r"|[A-Z]\w+(?:,? (?:and|et al\.?|[A-Z]\w+))*,? (?:et al\. )?\d{4}"


def marked(text):
    return f"⟦{text}⟧"


def marked_prose(block):
    """A block of Markdown with its lines, headings, cells and labels between marks."""
    lines = []
    for line in block.split("\n"):
        if line.startswith(("→", "![")):
            lines.append(LINKED.sub(lambda m: f"[{marked(m[1])}]", line))
        elif line.startswith("|"):
            cells = line.strip("|").split("|")
            lines.append("|".join(["", *(c if "---" in c else marked(c) for c in cells), ""]))
        elif line.startswith(("$$", "---", "```", ":::", "@")):
            lines.append(line)
        else:
            found = LINE.match(line)
            lines.append(f"{found[1]}{marked(found[2])}{found[3] or ''}" if found else line)
    return "\n".join(lines)


def mirror():
    """The catalogue of a language in which every message stands between two marks."""
    whole = Catalog(locale=CODE, charset="utf-8", fuzzy=False)
    for message in catalogues.gathered():
        if not message.id:
            continue
        prose = any(place in catalogues.PROSE for place, _ in message.locations)
        said = tuple(map(marked, message.id)) if message.pluralizable else marked(message.id)
        whole.add(message.id, marked_prose(message.id) if prose else said, context=message.context)
    return catalogues.compiled(whole)


@contextmanager
def with_catalogue(folder, data):
    """A checkout that has one more language, which is one more file."""
    for path in ROOT.iterdir():
        if path.name in ("app.py", "pages", ".streamlit", "docs"):
            (folder / path.name).symlink_to(path)
    (folder / "explorer").mkdir()
    for path in (ROOT / "explorer").iterdir():
        if path.name not in ("locale", "__pycache__"):
            (folder / "explorer" / path.name).symlink_to(path)
    own = folder / "explorer/locale" / CODE / "LC_MESSAGES"
    own.mkdir(parents=True)
    (own / "explorer.mo").write_bytes(data)
    with serving(root=folder) as app:
        yield app


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory):
    with with_catalogue(tmp_path_factory.mktemp("mirrored"), mirror()) as app:
        yield app


def outside(texts):
    """The parts of some texts that stand in no message."""
    depth, found = 0, []
    for letter in "\n".join(texts):
        depth += {"⟦": 1, "⟧": -1}.get(letter, 0)
        found.append(letter if depth == 0 and letter != "⟧" else " ")
    assert depth == 0, "a message is shown in part"
    return "".join(found)


def words_unsaid(reader, data):
    """The words on a page that are neither of a message nor of the reader's own."""
    own = {word.casefold() for word in re.findall(r"[^\W\d_]+", f"{NAMES} {data}")}
    texts, said = reader.page.evaluate(SEEN)
    plain = "\n".join([outside(texts), *(outside([one]) for one in said)])
    plain = re.sub(PAPERS, " ", plain)
    return sorted({w for w in re.findall(r"[^\W\d_]{2,}", plain) if w.casefold() not in own})


@pytest.mark.parametrize("path", PAGES)
def test_every_word_on_a_page_is_said_in_the_readers_language(path, mirrored, screens):
    from urllib.parse import urlencode

    data = " ".join(
        PAGES[path].values() if path != "" else ["The red door is locked", str(PAGES[""])]
    )
    with screens(locale=CODE) as page, Reader(page, mirrored) as reader:
        reader.open(f"?{urlencode(PAGES[path])}", path).painted(DONE.get(path, ""))
        page.evaluate(OPEN)
        page.wait_for_function(IDLE)
        assert words_unsaid(reader, data) == []
