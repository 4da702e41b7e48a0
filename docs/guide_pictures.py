"""The pictures of the Guide, light and dark; a part of ``make screenshots``.

They are of the app itself and go to ``explorer/ui/pictures/``. What is seen on each stands in
``explorer/ui/guide.md``; a test holds that all of them are there and small.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Page

from explorer.ui import guide
from tests.serve import browsing, serving

CAT = "The cat sat on the mat because it was tired."
DOG = CAT.replace("cat", "dog")
PLACE = {"text": CAT, "layer": "3", "heads": "1", "query": "8"}
WINDOW = {"width": 1100, "height": 640}
TALL = WINDOW | {"height": 1000}  # for a part, which is to be seen whole
HEADER = 44  # pixels of the window that are the same on every page
WIDTH = 800  # of the pictures; the Guide's column has 736
COLOURS = 24
IDLE = """() => {
  const { testScriptState: script } = document.querySelector('[data-testid="stApp"]').dataset;
  return script === 'notRunning' && !document.querySelector('[data-testid="stSkeleton"]');
}"""


def _as_it_opens(page: Page) -> None:
    page.mouse.move(5, 300)


@dataclass(frozen=True)
class Shot:
    """A picture of the app.

    Attributes:
        page: The page's name; empty for Explore.
        query: What its address asks for.
        part: What of the window is taken, as a selector; empty for all below the header.
        ready: Something that is seen only when all is there.
        act: What a hand does before.
        height: Of what is taken, at most, in pixels of the window.
    """

    page: str
    query: dict[str, str]
    part: str = ""
    ready: str = ".ax[data-painted]"
    act: Callable[[Page], None] = field(default=_as_it_opens)
    height: int = 440


def _lesson(page: Page) -> None:
    page.mouse.move(5, 300)
    page.keyboard.press("p")


SHOTS = {
    "explore": Shot("", PLACE | {"grid": "whole"}, height=596),
    "map": Shot("", PLACE, ".ax-panel-heat", height=600),
    "reading": Shot("", PLACE, ".ax-panel-reading"),
    "lesson": Shot("", PLACE, act=_lesson, height=640),
    "step": Shot("step", PLACE | {"stage": "6"}, height=480),
    "train": Shot("train", {}, ready='.ax[data-painted*="step 300"]'),
    "compare": Shot("compare", {"text": CAT, "b_text": DOG, "b_source": "bert"}),
    "heads": Shot("heads", {"text": CAT}),
    "explain": Shot("explain", {"text": CAT, "target": "vector", "at": "8"}, ".ax-methods"),
}


def take(page: Page, url: str, shot: Shot) -> bytes:
    """The pixels of a picture, as PNG."""
    page.goto(f"{url}{shot.page}?{urlencode(shot.query)}")
    page.locator(shot.ready).first.wait_for(timeout=120_000)
    page.wait_for_function(IDLE, timeout=120_000)
    shot.act(page)
    page.wait_for_load_state("networkidle")
    where = {"x": 0, "y": HEADER, **WINDOW}
    if page.locator(".ax-lesson").count():
        where["y"] = 0  # a lesson stands over everything
    elif shot.part:
        where = dict(page.locator(shot.part).first.bounding_box() or {})
    return page.screenshot(clip=where | {"height": min(where["height"], shot.height)})


def small(pixels: bytes) -> bytes:
    """A picture as wide as the Guide wants it, of few colours."""
    picture = Image.open(io.BytesIO(pixels)).convert("RGB")
    if picture.width > WIDTH:
        height = round(picture.height * WIDTH / picture.width)
        picture = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, 2, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def take_all(browser: Browser, url: str) -> None:
    for scheme in ("light", "dark"):
        for name, shot in SHOTS.items():
            context = browser.new_context(
                viewport=TALL if shot.part else WINDOW,
                device_scale_factor=2 if shot.part else 1,  # a part is not made smaller
                color_scheme="dark" if scheme == "dark" else "light",
            )
            file = guide.picture(name, scheme)
            file.write_bytes(small(take(context.new_page(), url, shot)))
            print(f"{file.name}: {file.stat().st_size:,} bytes", flush=True)
            context.close()


if __name__ == "__main__":
    with serving() as app, browsing() as browser:
        take_all(browser, app.url)
