"""The pictures of the docs, and one of every screen to be looked at: ``make screenshots``.

Those of the docs go to ``docs/``, those of the Guide into the app, all others to ``out/``.
"""

from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser

from docs import guide_pictures
from tests.models.tiny import drawing, png_of, tiny_vision, tiny_writer
from tests.serve import ROOT, App, browsing, serving

WIDE, TALL, LAPTOP, PHONE = (1440, 1080), (1440, 1260), (1280, 720), (390, 844)
LONG = "The old lighthouse had not been lit for thirty years, and nobody knew why. " * 34
CHINESE = "猫坐在垫子上，因为它累了。它睡了一整天，谁也不想叫醒它。"

ARABIC = "جلست القطة على السجادة لأنها كانت متعبة ونامت طوال اليوم."
RED = "The red door is locked. Open the red door with the red key."
LIGHTHOUSE = "The old lighthouse had not been lit for thirty years, and nobody knew why. "

SCREENS: dict[str, dict[str, str]] = {
    "first": {},
    "12": {"text": "A dog barked at the man who had lost it.", "layer": "0", "heads": "2"},
    "pair": {
        "text": "Who wrote it?",
        "second": "Ada Lovelace wrote it.",
        "layer": "3",
        "query": "7-11",
        "key": "1-3",
    },
    "4-heads": {"text": RED, "layer": "2", "heads": "0.3.5.9", "specials": "hidden"},
    "12-heads": {"text": RED, "layer": "2", "heads": ".".join(map(str, range(12)))},
    "128": {"text": LIGHTHOUSE * 8, "layer": "1", "heads": "4", "query": "20-22"},
    "512": {"text": LONG, "layer": "1", "heads": "4", "query": "20"},
    "chinese": {"text": CHINESE, "source": "scratch", "query": "7"},
    "arabic": {"text": ARABIC, "source": "scratch", "query": "3"},
    "unknown": {"text": "饕餮盛宴 龘"},
    "trouble": {"text": "x", "source": "hf:../x"},
}
CAT = "The cat sat on the mat because it was tired."
DOG = CAT.replace("cat", "dog")
MARKUP = "<b>$x$</b> **bold** [a](http://x.y) {{x}} =1+1"
OTHER_PAGES = {
    **{
        f"step-{i}": ("step", {"text": CAT, "layer": "3", "heads": "1", "query": "8", "stage": i})
        for i in "123456789"
    },
    "step-scratch": ("step", {"text": CAT, "source": "scratch", "stage": "6", "scale": "0"}),
    "step-512": ("step", {"text": LONG, "layer": "1", "heads": "4", "query": "20", "stage": "6"}),
    "step-markup": ("step", {"text": MARKUP, "source": "scratch", "stage": "6"}),
    "train": ("train", {}),
    "train-induction": ("train", {"source": "trained", "task": "induction", "layer": "1"}),
    "train-trouble": ("train", {"source": "trained", "task": "copy", "d_model": "63"}),
    "compare": ("compare", {}),
    "compare-edited": (
        "compare",
        {"text": CAT, "b_text": DOG, "b_source": "bert"},
    ),
    "compare-512": ("compare", {"text": LONG, "b_source": "scratch"}),
    "heads": ("heads", {}),
    "heads-lines": ("heads", {"text": f"{CAT}\n{DOG}", "lines": "1", "pairs": "0-8-2_1-8-2"}),
    "heads-512": ("heads", {"text": LONG}),
    "heads-markup": ("heads", {"text": MARKUP, "source": "scratch", "pairs": "0-1-2"}),
    "explain": ("explain", {}),
    "explain-vector": (
        "explain",
        {"text": CAT, "target": "vector", "at": "8", "off": "5-11.5-3", "method": "alti"},
    ),
    "explain-markup": ("explain", {"text": MARKUP, "target": "like", "other": MARKUP}),
    "explain-trouble": ("explain", {"text": CAT, "target": "word", "at": "2"}),
    "compare-markup": ("compare", {"text": MARKUP, "b_source": "scratch"}),
}
# A story that decides its next word: whose hat it is.
STORY = "Mia has a red ball, and Tom has a blue hat. Tom loves his"
DECODER = {"text": STORY, "source": "stories", "layer": "0", "heads": "2", "query": "16"}
LAYERS = {"text": "The cat sat on the mat because it was tired.", "layer": "3", "query": "8"}


def take(browser: Browser, url: str, path: Path, size: tuple[int, int], scheme: str) -> None:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        is_mobile=size == PHONE,
        has_touch=size == PHONE,
    )
    page = context.new_page()
    page.goto(url)
    seen = ".ax[data-painted], [data-testid=stMain] h3, [class*=st-key-note_trouble]"
    page.locator(seen).first.wait_for(timeout=60_000)
    page.wait_for_load_state("networkidle")
    if path.stem.startswith("layers"):
        page.get_by_text("Layers as a path").click()
        page.locator(".ax-path-says", has_text="draws most on").wait_for()
        page.locator(".ax-panel-layers").scroll_into_view_if_needed()
    if path.stem.startswith("decoder"):
        page.locator(".ax-candidate").first.wait_for()
        page.get_by_text("How the prediction comes about").click()
        page.locator(".ax-lens-table td").first.wait_for()
        page.locator(".ax-lead button").last.click()
        page.wait_for_load_state("networkidle")
    if path.stem.startswith("train") and "trouble" not in path.stem:
        page.locator("text=Use this layer").wait_for(timeout=60_000)
    page.screenshot(path=path)
    context.close()


def take_models(browser: Browser, app: App) -> None:
    """Cross-attention and a picture, for docs/models.md; the models are tiny and random."""
    cross, vision = app.folder / "cross", app.folder / "vision"
    cross.mkdir()
    vision.mkdir()
    tiny_writer("Marian", cross)
    tiny_vision("ViT", vision, 224, 16)
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    query = {"text": "the cat sat on the mat.", "second": "die katze war müde.", "query": "2"}
    page.goto(f"{app.url}?{urlencode(query | {'source': f'path:{cross}', 'layer': '2'})}")
    page.locator(".ax[data-painted]").wait_for(timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=ROOT / "docs/cross.png")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_role("textbox", name="Folder").fill(str(vision))
    page.get_by_text("Picture", exact=True).click()
    box = page.get_by_test_id("stFileUploader").locator("input")
    drawn = {"name": "drawing.png", "mimeType": "image/png", "buffer": png_of(drawing(300, 220))}
    box.set_input_files(drawn)
    page.get_by_test_id("stImage").wait_for()
    page.get_by_role("button", name="Run").click()
    page.locator(".ax-photo[data-painted]").wait_for()
    page.locator(".ax-text [data-token='60']").click()
    page.locator(".ax-patch.ax-here").wait_for()
    page.mouse.move(5, 5)
    page.screenshot(path=ROOT / "docs/picture.png")
    page.close()


def main() -> None:
    out = ROOT / "out"
    out.mkdir(exist_ok=True)
    sizes = {"wide": WIDE, "laptop": LAPTOP, "phone": PHONE}
    with serving() as app, browsing() as browser:
        take(browser, app.url, ROOT / "docs/explore.png", WIDE, "light")
        decoder = f"{app.url}?{urlencode(DECODER)}"
        take(browser, decoder, ROOT / "docs/decoder.png", TALL, "light")
        take_models(browser, app)
        guide_pictures.take_all(browser, app.url)
        screens = {name: f"{app.url}?{urlencode(query)}" for name, query in SCREENS.items()}
        screens["decoder"] = decoder
        screens |= {"guide": f"{app.url}guide", "layers": f"{app.url}?{urlencode(LAYERS)}"}
        for name, (path, query) in OTHER_PAGES.items():
            screens[name] = f"{app.url}{path}?{urlencode(query)}"
        for name, url in screens.items():
            for size, pixels in sizes.items():
                for scheme in ("light", "dark"):
                    take(browser, url, out / f"{name}-{size}-{scheme}.png", pixels, scheme)
                    print(f"{name}-{size}-{scheme}.png", flush=True)


if __name__ == "__main__":
    main()
