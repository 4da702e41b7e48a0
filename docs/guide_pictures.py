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
WINDOW = {"width": 1280, "height": 720}
WIDTH = 920  # of the pictures: a quarter more than the Guide's column, for finer screens
COLOURS = 40
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
        part: What of the window is taken, as a selector; empty for all of it.
        ready: Something that is seen only when all is there.
        act: What a hand does before.
        height: Of what is taken, at most; in pixels of the window.
    """

    page: str
    query: dict[str, str]
    part: str = ""
    ready: str = ".ax[data-painted]"
    act: Callable[[Page], None] = field(default=_as_it_opens)
    height: int = 720


def _lesson(page: Page) -> None:
    page.mouse.move(5, 300)
    page.keyboard.press("p")


SHOTS = {
    "explore": Shot("", PLACE | {"grid": "whole"}),
    "map": Shot("", PLACE, ".ax-panel-heat"),
    "reading": Shot("", PLACE, ".ax-panel-reading"),
    "lesson": Shot("", PLACE, act=_lesson),
    "step": Shot("step", PLACE | {"stage": "6"}),
    "train": Shot("train", {}, ready="text=Use this layer"),
    "compare": Shot("compare", {"text": CAT, "b_text": DOG, "b_source": "bert"}),
    "heads": Shot("heads", {"text": CAT}),
    "explain": Shot("explain", {"text": CAT, "target": "vector", "at": "8"}),
}


def take(page: Page, url: str, shot: Shot) -> bytes:
    """The pixels of a picture, as PNG."""
    page.goto(f"{url}{shot.page}?{urlencode(shot.query)}")
    page.locator(shot.ready).first.wait_for(timeout=120_000)
    page.wait_for_function(IDLE, timeout=120_000)
    shot.act(page)
    page.wait_for_load_state("networkidle")
    if not shot.part:
        return page.screenshot()
    box = page.locator(shot.part).first.bounding_box()
    assert box
    room = {"width": box["width"], "height": min(box["height"], shot.height)}
    return page.screenshot(clip={"x": box["x"], "y": box["y"], **room})


def small(pixels: bytes) -> bytes:
    """A picture as wide as the Guide wants it, of few colours."""
    picture = Image.open(io.BytesIO(pixels)).convert("RGB")
    if picture.width > WIDTH:
        height = round(picture.height * WIDTH / picture.width)
        picture = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def take_all(browser: Browser, url: str) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(
            viewport=WINDOW, color_scheme="dark" if scheme == "dark" else "light"
        )
        page = context.new_page()
        for name, shot in SHOTS.items():
            file = guide.picture(name, scheme)
            file.write_bytes(small(take(page, url, shot)))
            print(f"{file.name}: {file.stat().st_size:,} bytes", flush=True)
        context.close()


if __name__ == "__main__":
    with serving() as app, browsing() as browser:
        take_all(browser, app.url)
