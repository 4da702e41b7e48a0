"""What readers see is in their language: every page is walked in one that marks each message."""

import re
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest
from babel.messages import Catalog
from playwright.sync_api import expect

from docs import language as catalogues
from tests.browser.conftest import IDLE, Reader, stands_at
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
      if (["STYLE", "SCRIPT", "NOSCRIPT", "PRE", "CODE", "CITE"].includes(node.tagName)) return;
      const isBox = getComputedStyle(node).display !== "contents" && node.tagName !== "OPTION";
      if (isBox && !node.checkVisibility({ visibilityProperty: true })) return;
      if (node.lang && node.lang !== document.documentElement.lang) return; // it says so
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
# What Streamlit itself says, and offers no way to say otherwise: docs/architecture.md names it.
STREAMLITS = (
    *("Skip to main content", "App pages", "Choose an option", "Logo", "Main menu", "Help for"),
    *("Shortcut Ctrl + Enter", "Navigate to home page", "Download as CSV", "Fullscreen", "Search"),
    *("Show/hide columns", "keyboard_arrow_right", "expand_more", "Open"),
)
# What is the same in every language: names, units, keys, formulae, and what readers give.
NAMES = """
Attention Explorer English Ctrl Enter Esc Shift SVG PNG PDF CSV NPZ HTML Python Markdown MLP ALTI
BERT MiniLM all Transformers Hugging Face softmax cosine Jensen Shannon Spearman bit bits MB GB ms
CLS SEP MASK PAD UNK NaN sdpa eager window linear RoPE LayerNorm RMSNorm elu rollout
Jain Wiegreffe Longformer BigBird Linformer Performer Nyströmformer
中文 Chinese dₖ exp ij abcd aaaaaaaaaaaa
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
    for text in texts:
        is_begun = depth > 0
        for letter in text:
            depth += {"⟦": 1, "⟧": -1}.get(letter, 0)
            found.append(letter if depth == 0 and letter != "⟧" else " ")
        if not is_begun and text.endswith("⟧"):
            depth = 0  # of what is said within it only the first sentence is shown
        found.append("\n")
    assert depth == 0, "a message is shown in part"
    return "".join(found)


def words_unsaid(reader, data):
    """The words on a page that are neither of a message nor of the reader's own."""
    own = {word.casefold() for word in re.findall(r"[^\W\d_]+", f"{NAMES} {data}")}
    reader.page.evaluate(OPEN)
    texts, said = reader.page.evaluate(SEEN)
    plain = "\n".join([outside(texts), *(outside([one]) for one in said)])
    plain = re.sub(r"\w+…", " ", plain)  # what a reader gave, cut
    plain = re.sub("|".join([PAPERS, *map(re.escape, STREAMLITS)]), " ", plain)
    return sorted({w for w in re.findall(r"[^\W\d_]{2,}", plain) if w.casefold() not in own})


@pytest.mark.parametrize("path", [path for path in PAGES if path != "article"])
def test_every_word_on_a_page_is_said_in_the_readers_language(path, mirrored, screens):
    with screens(locale=CODE) as page, Reader(page, mirrored) as reader:
        reader.open(f"?{urlencode(PAGES[path])}", path).painted(DONE.get(path, ""))
        page.evaluate("document.documentElement.dataset.ask = 'open'")  # the inputs
        expect(page.locator(".st-key-ask")).to_be_visible()
        assert words_unsaid(reader, " ".join(map(str, PAGES[path].values()))) == []
        if path == "":
            page.get_by_role("textbox", name=marked("Text"), exact=True).fill("")
            page.get_by_role("button", name=marked("Run")).click()
            reader.told(marked("There is no text to read yet. Type or paste some, then press Run."))
            assert words_unsaid(reader, " ".join(map(str, PAGES[path].values()))) == []


@pytest.mark.parametrize("path", ["guide", "article"])
def test_what_is_to_be_read_is_said_in_the_readers_language(path, mirrored, screens):
    with screens(locale=CODE) as page, Reader(page, mirrored) as reader:
        reader.open(path=path)
        page.locator("h3, .ax[data-painted]").first.wait_for()
        page.wait_for_function(IDLE)
        texts, _ = page.evaluate(SEEN)
        assert len("".join(texts)) > 5_000
        # The article's own title and words stand there, too.
        assert not re.findall(r"[a-z]{3,} [a-z]{3,} [a-z]{3,} [a-z]{3,}", outside(texts))


def test_the_reader_changes_the_language_and_keeps_the_place(mirrored, screens):
    with screens() as page, Reader(page, mirrored) as reader:
        reader.open().painted()
        reader.token(3).click()
        reader.wait_says("sat")
        stands_at(page, re.compile("query=3"))
        page.get_by_role("button", name=marked("English")).click()  # as that language calls itself
        page.locator(f'.ax[lang="{CODE}"][data-painted]').wait_for()
        expect(page.locator("html")).to_have_attribute("lang", CODE)
        expect(page).to_have_title(f"{marked('Explore')} · Attention Explorer")
        reader.wait_says("sat")
        stands_at(page, re.compile(f"lang={CODE}.*query=3"))
        page.get_by_role("button", name="English", exact=True).click()
        page.locator('.ax[lang="en"][data-painted]').wait_for()
        stands_at(page, re.compile("lang=en.*query=3"))
        page.go_back()  # one step of the history, whatever the language was
        reader.wait_says("it looks most at")
    assert not reader.errors
