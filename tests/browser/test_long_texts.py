"""Long texts: what is loaded when it is asked for, zooming, scrolling, and nothing left behind."""

import re

import numpy as np
import pytest

import explorer
from explorer.analysis.groups import attention_between
from tests.browser.test_explore import LONG, link
from tests.browser.test_instrument import digits, singly, wait_pinned

MEDIUM = "The old lighthouse had not been lit for thirty years, and nobody knew why. " * 7


@pytest.fixture(scope="module")
def weights():
    return explorer.trace(LONG).weights


# --- every head answers, also those that are not in the browser -----------------------------------


def test_a_pinned_pair_of_512_tokens_ranks_the_heads_of_all_layers(reader, weights):
    reader.open(link(text=LONG, layer=1, heads=4, query="3-4", key=20)).painted("1.4")
    numbers = attention_between(weights, singly((3, 4)), singly((20,)), mean=True, together=True)
    order = np.argsort(-numbers.ravel())[:5]
    want = [np.unravel_index(i, numbers.shape) for i in order]
    ranking = reader.page.locator(".ax-ranking", has_text=f"L{want[0][0]}·H{want[0][1]}")
    ranking.wait_for()
    text = ranking.inner_text().replace("\n", " ")
    assert "layers that are here" not in text
    assert re.findall(r"(L\d+·H\d+)\s+(\S+)", text) == [
        (f"L{layer}·H{head}", digits(numbers[layer, head])) for layer, head in want
    ]
    for layer in (0, 3, 5):  # layers that were never sent
        score = reader.head(layer, 7).locator(".ax-score").text_content()
        assert abs(float(score) - numbers[layer, 7]) <= 0.0051


@pytest.mark.parametrize("view", [{"words": 1}, {"specials": "renormalised"}])
def test_a_switch_asks_again_for_what_it_changes(reader, weights, view):
    reader.open(link(text=LONG, layer=1, heads=4, query=3, key=20, **view)).painted("1.4")
    trace = explorer.trace(LONG)
    kept = np.array([not t.special for t in trace.key_tokens])
    numbers = attention_between(
        weights,
        [(3,)],
        [(20,)],
        mean=True,
        together=True,
        kept=kept if "specials" in view else None,
    )
    best = np.unravel_index(numbers.argmax(), numbers.shape)
    reader.page.locator(
        ".ax-ranking", has_text=re.compile(rf"Strongest:\s*L{best[0]}·H{best[1]}\s")
    ).wait_for()


def test_the_path_through_layers_that_are_not_here_is_fetched(reader, weights):
    reader.open(link(text=LONG, layer=1, heads=4, query=20)).painted("1.4")
    reader.page.get_by_text("Layers as a path").click()
    says = reader.page.locator(".ax-path-says", has_text="draws most on")
    says.wait_for()
    mean = weights.astype(np.float64).mean(axis=1)
    eye, shares = np.eye(mean.shape[-1]), np.eye(mean.shape[-1])
    for layer in mean:
        shares = (layer + eye) / 2 @ shares
    top = np.argsort(-shares[20])[:3]
    tokens = explorer.trace(LONG).key_tokens
    said = re.findall(r"(\S+) \(([\d.]+)\)", says.inner_text())
    assert [token for token, _ in said] == [tokens[i].text for i in top]
    assert all(abs(float(v) - shares[20, i]) <= 5.1e-4 for (_, v), i in zip(said, top, strict=True))


def test_pointing_at_a_head_of_another_layer_fetches_it_before_it_is_clicked(reader):
    reader.open(link(text=LONG, layer=1, heads=4)).painted("1.4")
    reader.head(4, 0).hover()
    reader.wait_says("a small preview")
    reader.wait_says("L4·H0: point at a word")  # the look stayed: it is here in full
    before = len(reader.frames)
    reader.head(4, 0).click()
    reader.painted("4.0")
    assert reader.sent_since(before) < 60_000


# --- zooming and scrolling ------------------------------------------------------------------------


def overview_box(stage):
    box = stage.bounding_box()
    left, _, _ = (float(x) for x in stage.get_attribute("data-plot").split(" "))
    return box, min(76, left - 8)


def first_in_sight(stage):
    """The row and column that the plot begins with: from where the first cell would lie."""
    return stage.evaluate("s => s.dataset.sight.split(' ').map(Number)")


def test_the_corner_shows_the_whole_and_goes_where_it_is_pointed_at(reader):
    reader.open(link(text=LONG, layer=1, heads=4)).painted("1.4")
    stage = reader.page.locator(".ax-panel-heat .ax-stage")
    stage.scroll_into_view_if_needed()
    for _ in range(5):
        reader.page.get_by_role("button", name=re.compile("Zoom in")).click()
    row, column, count = first_in_sight(stage)
    assert 200 < row < 260
    assert count < 80
    box, side = overview_box(stage)
    reader.page.mouse.move(box["x"] + 0.1 * side, box["y"] + 0.9 * side)
    reader.page.mouse.down()
    reader.page.mouse.up()
    row, column, _ = first_in_sight(stage)
    assert row == pytest.approx(0.9 * 512 - count / 2, abs=8)
    assert column == pytest.approx(0.1 * 512 - count / 2, abs=8)
    reader.page.mouse.move(box["x"] + 0.1 * side, box["y"] + 0.9 * side)
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 0.5 * side, box["y"] + 0.5 * side, steps=4)
    reader.page.mouse.up()
    assert first_in_sight(stage)[0] == pytest.approx(0.5 * 512 - count / 2, abs=8)
    assert "query" not in reader.address(), "a press in the corner pins nothing"


def test_the_wheel_with_ctrl_zooms_around_the_cell_under_it(reader):
    reader.open(link(text=MEDIUM, layer=1, heads=4)).painted("1.4")
    stage = reader.page.locator(".ax-panel-heat .ax-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    reader.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.8 * box["height"])
    before = reader.says()
    reader.page.keyboard.down("Control")
    for _ in range(4):
        reader.page.mouse.wheel(0, -100)
    reader.page.keyboard.up("Control")
    reader.page.wait_for_function(
        "s => Number(s.dataset.sight.split(' ')[2]) < 70", arg=stage.element_handle()
    )
    row, column, _ = first_in_sight(stage)
    assert row > 20
    assert column > 20
    reader.page.mouse.move(box["x"] + 0.8 * box["width"] + 1, box["y"] + 0.8 * box["height"])
    words = re.compile(r": (\S+) looks at (\S+) with")
    assert words.search(before)


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("reader", [PHONE], indirect=True)
def test_two_fingers_zoom_and_one_moves_what_is_zoomed(reader):
    reader.open(link(text=MEDIUM, layer=1, heads=4)).painted("1.4")
    stage = reader.page.locator(".ax-panel-heat .ax-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    x, y = box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"]
    touch = reader.devtools()

    def fingers(kind, *places):
        points = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (x - 20, y), (x + 20, y))
    for spread in (30, 45, 65, 90):
        fingers("touchMove", (x - spread, y), (x + spread, y))
    fingers("touchEnd")
    reader.page.wait_for_function(
        "s => Number(s.dataset.sight.split(' ')[2]) < 60", arg=stage.element_handle()
    )
    row, column, _ = first_in_sight(stage)
    fingers("touchStart", (x, y))
    for step in (10, 30, 60):
        fingers("touchMove", (x - step, y - step))
    fingers("touchEnd")
    reader.page.wait_for_function(
        "([s, row]) => Number(s.dataset.sight.split(' ')[0]) > row",
        arg=[stage.element_handle(), row],
    )
    assert first_in_sight(stage)[1] > column
    assert "query" not in reader.address(), "moving pins nothing"


def test_the_flow_scrolls_both_sides_in_step_and_keeps_the_pinned_token_in_sight(reader):
    reader.open(link(text=LONG, layer=1, heads=4, query=20)).painted("1.4")
    scroller = reader.page.locator(".ax-panel-flow .ax-scroll")
    over = scroller.locator("canvas").nth(1)
    tint = """canvas => {
      const context = canvas.getContext('2d');
      const at = y => [...context.getImageData(20, y, 1, 1).data].join();
      return [at(9), at(canvas.height - 9), at(Math.round(canvas.height / 2))];
    }"""
    scroller.evaluate("s => { s.scrollTop = 3000; }")
    reader.page.wait_for_function(
        f"c => {{ const [top, , middle] = ({tint})(c); return top !== middle; }}",
        arg=over.element_handle(),
    )
    scroller.evaluate("s => { s.scrollTop = 0; }")
    reader.page.wait_for_function(
        f"c => {{ const [top, bottom] = ({tint})(c); return top === bottom; }}",
        arg=over.element_handle(),
    )
    # What lies side by side after scrolling belongs together: the same token on both sides.
    scroller.evaluate("s => { s.scrollTop = 3000; }")
    scroller.scroll_into_view_if_needed()
    box = scroller.bounding_box()
    said = []
    for x in (20, box["width"] - 30):
        reader.page.mouse.move(box["x"] + x, box["y"] + 200)
        reader.wait_says("looks most at" if x == 20 else "is looked at")
        said.append(re.search(r": (\S+) (?:looks|is)", reader.says())[1])
    assert said[0] == said[1]


def test_a_phrase_dragged_in_a_long_text_is_pinned_in_the_link(reader):
    reader.open(link(text=LONG, layer=1, heads=4)).painted("1.4")
    boxes = [reader.token(i).bounding_box() for i in (40, 45)]
    spots = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes]
    reader.page.mouse.move(*spots[0])
    reader.page.mouse.down()
    reader.page.mouse.move(*spots[1], steps=6)
    reader.page.mouse.up()
    reader.page.wait_for_function("location.search.includes('query=40-45')")
    reader.page.mouse.move(5, 5)
    tokens = [t.text for t in explorer.trace(LONG).query_tokens]
    wait_pinned(reader, [f"{' '.join(tokens[40:43])} … {tokens[45]}"], [])


# --- nothing is left behind -----------------------------------------------------------------------


def counts(session):
    """Live nodes, listeners and megabytes of the page."""
    session.send("HeapProfiler.collectGarbage")
    found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    usage = session.send("Runtime.getHeapUsage")
    size = (usage["usedSize"] + usage.get("backingStorageSize", 0)) / 1e6
    return found["Nodes"], found["JSEventListeners"], size


def test_two_hundred_layer_switches_leave_nothing_behind(reader):
    reader.open(link(text=LONG, layer=1, heads=4)).painted("1.4")
    session = reader.devtools()
    session.send("Performance.enable")
    for layer in range(6):  # all layers are here from now on
        reader.head(layer, 3).click()
        reader.painted(f"{layer}.3")
    before = counts(session)
    reader.instrument.evaluate(
        """async ax => {
          const cells = [...ax.querySelectorAll('.ax-cell')];
          for (let i = 0; i < 200; i++) {
            cells[((i % 6) * 12) + (i % 11)].click();
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
          }
        }"""
    )
    reader.painted()
    nodes, listeners, size = counts(session)
    assert nodes <= before[0] + 50
    assert listeners <= before[1]
    # One head's picture is 1 MB, a layer 6 MB: a leak would be 200 MB and more. What is alive when
    # the clock stops differs by a few pictures.
    assert size <= before[2] + 15
    assert size <= 150


def test_leaving_the_page_and_coming_back_leaves_nothing_behind(reader):
    reader.open(link(text=MEDIUM, layer=1, heads=4)).painted("1.4")
    session = reader.devtools()
    session.send("Performance.enable")

    def there_and_back():
        reader.page.get_by_role("link", name="Guide").click()
        reader.page.get_by_role("heading", name="Reading the pictures").wait_for()
        reader.page.get_by_role("link", name="Explore").click()
        reader.painted()

    there_and_back()  # the guide's own code and fonts are loaded from now on
    before = counts(session)
    for _ in range(4):
        there_and_back()
    nodes, listeners, size = counts(session)
    # Streamlit itself keeps a little of each visit; an instrument has over 1,500 nodes.
    assert nodes - before[0] < 1500
    assert listeners - before[1] < 200
    assert size - before[2] < 10
