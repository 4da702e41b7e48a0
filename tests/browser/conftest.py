"""A running app and a browser, for tests of what people see."""

import re
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode, urljoin

import pytest
from playwright.sync_api import expect

import explorer
from explorer import export
from tests.hub import LoopbackHub, tiny_bert
from tests.serve import ROOT, browsing, serving

# True when the page is connected, no script runs and nothing on it is stale.
IDLE = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  return !!app && app.dataset.testScriptState === 'notRunning'
    && app.dataset.testConnectionState === 'CONNECTED'
    && !document.querySelector('[data-stale="true"], [data-testid="stSkeleton"]');
}"""


# As long as any other wait: on a busy machine five seconds are nothing.
expect.set_options(timeout=30_000)

PLAIN = Path(__file__).with_name("plain.html")
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore"))  # asyncio's, from playwright


def pytest_runtest_makereport(item, call):
    item.config.stash[FAILED] = call.excinfo is not None


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    server = LoopbackHub(tiny_bert(tmp_path_factory.mktemp("tiny")))
    server.faults |= {"nobody/nothing": 404, "slow/model": "silent", "large/model": "stalls"}
    yield server
    server.close()


@pytest.fixture(scope="session")
def app(hub):
    with serving(hub.url) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    """A Chromium for a file of tests: one that has shown hundreds of pages is many times slower."""
    with browsing() as running:
        yield running


class Reader:
    """A person at the app: opens it, points, clicks, reads."""

    def __init__(self, page, app):
        self.page, self.app = page, app
        self.frames, self.sockets, self.errors, self.outside = [], [], [], []
        self._ears = {
            "websocket": self._listen,
            "pageerror": lambda error: self.errors.append(str(error)),
            "console": self._heard,
            "request": self._asked,
        }
        self._first = page
        for event, ear in self._ears.items():
            page.on(event, ear)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for event, ear in self._ears.items():
            self._first.remove_listener(event, ear)

    def before(self, script):
        """Have a script run before those of each page; nobody is lent this one after."""
        self.page.spent = True
        self.page.add_init_script(script)

    def devtools(self):
        """The browser's own tools for this page; nobody is lent it after."""
        self.page.spent = True
        return self.page.context.new_cdp_session(self.page)

    def _listen(self, socket):
        self.sockets.append(socket)
        socket.on("framesent", lambda data: self.frames.append(data))
        socket.on("framereceived", lambda data: self.frames.append(data))

    def _heard(self, message):
        # Streamlit asks for two addresses below a page's path first; a 404 there is its custom.
        if message.type == "error" and "404" not in message.text:
            self.errors.append(message.text)

    def _asked(self, request):
        if not request.url.startswith((self.app.url, "data:", "blob:", "ws://127.0.0.1")):
            self.outside.append(request.url)

    def open(self, query="", path=""):
        self.page.goto(f"{self.app.url}{path}{query}")
        return self

    def sent_since(self, before):
        """Bytes on the line since so many frames: a picture is never below 100 kB, a note of where
        the reader looks never above 10."""
        return sum(len(frame) for frame in self.frames[before:])

    @property
    def instrument(self):
        return self.page.locator(".ax")

    def painted(self, contains="", timeout=60_000):
        """Wait until the instrument has painted (what it painted holds a text)."""
        what = f'[data-painted*="{contains}"]' if contains else "[data-painted]"
        self.page.locator(f".ax{what}").first.wait_for(timeout=timeout)
        self.page.wait_for_function(IDLE, timeout=timeout)
        return self

    @property
    def sentence(self):
        return self.page.locator(".ax-says")

    def says(self):
        return self.sentence.inner_text()

    def wait_says(self, text):
        self.sentence.filter(has_text=text).wait_for()

    def head(self, layer, head):
        return self.page.get_by_role("button", name=f"Layer {layer}, head {head}", exact=True)

    def token(self, i):
        """A token of the text; a menu that lies over it is closed first."""
        if self.page.locator(".ax-view[open]").count():
            self.page.locator(".ax-view[open] > summary").click()
        return self.page.locator(f".ax-text [data-token='{i}']")

    def switch(self, label):
        """One of the switches; those behind “View” are opened first."""
        view = self.page.locator(".ax-view").first
        inside = view.locator(".ax-choice").get_by_text(label, exact=True)
        if inside.count() and not inside.is_visible():
            view.locator("> summary").click()
        return self.page.locator(".ax-choice").get_by_text(label, exact=True)

    def unfold(self, title):
        """Open what is folded under a title, if it is."""
        heading = self.page.locator("summary", has_text=title).first
        if not heading.evaluate("e => e.parentElement.open"):
            heading.click()

    def edit(self):
        """Open the inputs if they are folded."""
        if not self.page.locator(".st-key-ask").is_visible():
            self.page.get_by_role("button", name="Edit", exact=True).first.click()
        return self

    def box(self, label):
        """A box for words; the inputs are opened if it is folded away."""
        found = self.page.get_by_role("textbox", name=label, exact=True, include_hidden=True)
        if self.page.locator(".ax-edit").count() and not found.first.is_visible():
            self.edit()
        return found

    def choose(self, kind, label, value):
        """Choose a kind of model and type its name."""
        self.choose_kind(kind)
        role = "combobox" if label == "Model name" else "textbox"
        box = self.page.get_by_role(role, name=label, exact=True)
        box.fill(value)
        box.press("Enter")

    def choose_kind(self, kind):
        self.edit()
        self.page.get_by_label("Model", exact=True).first.click()
        self.page.get_by_role("option", name=kind).click()

    def example(self, title):
        """Press an example’s button."""
        self.edit()
        self.page.get_by_role("button", name=title, exact=True).click()

    def upload(self, label, name, data):
        """Give a file to the box with a label."""
        box = self.page.get_by_test_id("stFileUploader").filter(has_text=label)
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
        box.locator("input").set_input_files(file)

    def told(self, words):
        """Wait until the page says what is wrong."""
        self.page.locator("[class*=st-key-note_trouble]", has_text=words).wait_for()

    def noted(self, words):
        """Wait until the first line explains something in words."""
        self.page.locator(f".ax-about [aria-description*='{words}']").wait_for()

    def run(self, text):
        self.edit()
        self.box("Text").fill(text)
        self.page.get_by_role("button", name="Run").click()

    def address(self):
        return self.page.url

    def barriers(self, of_colours=False):
        """What axe-core finds serious or critical, with the elements; of all, or of colours alone.

        Another colour scheme changes nothing else.
        """
        rules = {"runOnly": ["color-contrast", "link-in-text-block"]} if of_colours else {}
        self.page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8"))
        return [
            (v["id"], [n["html"][:160] for n in v["nodes"]])
            for v in self.page.evaluate("rules => axe.run(document, rules)", rules)["violations"]
            if v["impact"] in ("serious", "critical")
        ]

    def text_of_page(self):
        """All that can be read, also what a mark says when it is pointed at."""
        own = self.page.locator("[data-testid=stMain]").inner_text()
        pictures = self.page.locator(".ax:visible").all_inner_texts()
        marks = self.page.locator("[aria-description]").evaluate_all(
            "all => all.map((mark) => mark.getAttribute('aria-description'))"
        )
        return "\n".join([own, *pictures, *marks])


class Screens:
    """Lends pages that know nothing of one another.

    Loading the app's code anew takes longer than all the rest of opening a page, and half of that
    is saved where a page follows another in its place: what was lent is emptied and lent again.
    """

    def __init__(self, browser, stash):
        self.browser, self.stash = browser, stash
        self.contexts, self.spare = {}, {}

    @contextmanager
    def __call__(self, who="", viewport=None, color_scheme="light", reduced_motion="null", **kind):
        """A page with these looks; the rest are options of its browser context.

        `who` looks keeps apart what browsers of two people would.
        """
        key = repr((who, sorted(kind.items())))
        if key not in self.contexts:
            self.contexts[key] = self.browser.new_context(**kind)
            self.contexts[key].grant_permissions(["clipboard-read", "clipboard-write"])
        context, spare = self.contexts[key], self.spare.setdefault(key, [])
        others = {*context.pages} - {*spare}
        page = spare.pop() if spare else context.new_page()
        page.set_viewport_size(viewport or {"width": 1280, "height": 900})
        page.emulate_media(media="null", color_scheme=color_scheme, reduced_motion=reduced_motion)
        page.spent = False
        try:
            yield page
        finally:
            for opened in {*context.pages} - {*spare} - others - {page}:
                opened.close()
            if page.spent or is_full(page) or self.stash.get(FAILED, False):
                page.close()
            if not page.is_closed():
                empty(page)
                spare.append(page)

    def close(self):
        for context in self.contexts.values():
            context.close()


def stands_at(page, address):
    """Wait for an address, given as an expression or with * for anything.

    It may be written by the page itself, which is no navigation for playwright to wait for.
    """
    if isinstance(address, str):
        address = re.compile("^" + re.escape(address).replace(r"\*", ".*") + "/?$")
    expect(page).to_have_url(address)


def is_full(page):
    """Whether so many steps lie behind a page that its browser soon forgets some: it keeps 50."""
    return not page.is_closed() and page.evaluate("history.length") > 30


def empty(page):
    """Take from a page what it holds and what it kept.

    It goes to a place without code, of the same origin: elsewhere Chromium would begin a process.
    """
    plain = "about:blank"
    if page.url.startswith(("http:", "file:")):
        page.evaluate("[localStorage, sessionStorage].map((kept) => kept.clear())")
        served = page.url.startswith("http:")
        plain = urljoin(page.url, "/_stcore/health") if served else PLAIN.as_uri()
    page.goto(plain)
    page.context.clear_cookies()
    page.mouse.move(0, 0)


@pytest.fixture(scope="module")
def screens(browser, pytestconfig):
    lent = Screens(browser, pytestconfig.stash)
    yield lent
    lent.close()


@pytest.fixture
def reader(app, screens, request):
    """A reader in a fresh page; fails the test on any script error or any call outside."""
    with screens(**getattr(request, "param", {})) as page, Reader(page, app) as someone:
        yield someone
        errors, outside = someone.errors, someone.outside
    assert not errors
    assert not outside


@pytest.fixture
def from_disk(screens):
    """Opens a saved page from disk, without any network; fails the test as `reader` does."""
    opened, readers = ExitStack(), []

    def open_file(path, fragment="", before=None, screen=None):
        page = opened.enter_context(screens(offline=True, **(screen or {})))
        someone = opened.enter_context(Reader(page, SimpleNamespace(url="file://")))
        readers.append(someone)
        if before:
            someone.before(before)  # for example, to take away what browsers lack
        someone.page.goto(path.as_uri() + fragment)
        return someone

    with opened:
        yield open_file
    assert not [what for someone in readers for what in someone.errors + someone.outside]


@pytest.fixture
def page_from_disk(tmp_path, from_disk):
    """The exported page of a text, opened from disk without any network."""

    def open_page(trace, fragment="", before=None, screen=None, **options):
        path = tmp_path / "attention.html"
        path.write_text(export.to_html(trace, **options), "utf-8")
        someone = from_disk(path, fragment, before, screen)
        someone.page.locator(".ax[data-painted]").wait_for()
        return someone

    return open_page


@pytest.fixture(params=["app", "file"])
def show(request):
    """Shows a text and a view in each host: the app, and the exported page without any network."""
    if request.param == "app":
        reader = request.getfixturevalue("reader")

        def in_app(text, second=None, **view):
            query = {"text": text} | ({"second": second} if second else {}) | view
            return reader.open(f"?{urlencode(query)}").painted()

        yield in_app
        return
    open_page = request.getfixturevalue("page_from_disk")

    def in_file(text, second=None, **view):
        return open_page(explorer.trace(text, second), opening=view)

    yield in_file
