"""Every interaction of the instrument, in the app and in the exported page without any network."""

import math
import re

import numpy as np
from playwright.sync_api import expect

import explorer
from explorer.analysis.groups import attention_between

CAT = "The cat sat on the mat because it was tired."
PAIR = ("Who wrote the first program?", "Ada Lovelace wrote it in 1843.")
PRONOUN = (8,)  # "it", as a position in CAT


def singly(positions):
    return [(i,) for i in positions]


def between(text, queries, keys, second=None):
    """The number of every head, by numpy."""
    weights = explorer.trace(text, second).weights
    return attention_between(weights, singly(queries), singly(keys), mean=True, together=True)


def digits(weight):
    if weight < 0.001:
        return f"{weight:.{1 - math.floor(math.log10(weight))}f}"
    return f"{weight:.4f}" if weight < 0.01 else f"{weight:.3f}"


def near(text, weight):
    """Whether a number on the page, of three digits or four, is a weight."""
    shown = float(text.removeprefix("< "))
    return abs(shown - weight) <= 0.0005 + 1e-6


def drag(reader, start, end):
    """Press on one element's middle, move to another's, let go."""
    boxes = [locator.bounding_box() for locator in (start, end)]
    (x1, y1), (x2, y2) = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes]
    mouse = reader.page.mouse
    mouse.move(x1, y1)
    mouse.down()
    mouse.move((x1 + x2) / 2, (y1 + y2) / 2, steps=3)
    mouse.move(x2, y2, steps=3)
    mouse.up()
    mouse.move(5, 5)


PINNED = """chips => {
  const sides = {'Looks:': [], 'Looked at:': []};
  let now = [];
  for (const chip of chips.children) {
    const text = chip.textContent.replace(/×$/, '');
    if (text in sides) now = sides[text];
    else now.push(text);
  }
  return [sides['Looks:'], sides['Looked at:']];
}"""


def pinned(reader):
    """The words on the two sides, as the list under the sentence says them."""
    return tuple(reader.page.locator(".ax-chips").evaluate(PINNED))


def wait_pinned(reader, queries, keys):
    """Wait until the list says these words on the two sides."""
    reader.page.wait_for_function(
        f"([chips, want]) => JSON.stringify(({PINNED})(chips)) === JSON.stringify(want)",
        arg=[reader.page.locator(".ax-chips").element_handle(), [queries, keys]],
    )


# --- groups of words ----------------------------------------------------------------------------


def test_a_phrase_dragged_and_a_word_of_the_other_side_rank_every_head(show):
    reader = show(CAT, layer=3, heads=1)
    drag(reader, reader.token(8), reader.token(10))
    wait_pinned(reader, ["it was tired"], [])
    reader.token(2).click(modifiers=["Control"])
    reader.page.mouse.move(5, 5)
    wait_pinned(reader, ["it was tired"], ["cat"])
    numbers = between(CAT, (8, 9, 10), (2,))
    reader.wait_says("it was tired, on average, look at cat with weight " + digits(numbers[3, 1]))
    ranking = reader.page.locator(".ax-ranking").inner_text().replace("\n", " ")
    found = re.findall(r"L(\d+)·H(\d+)\s+([\d.]+)", ranking)
    order = np.argsort(-numbers.ravel())[:5]
    want = [np.unravel_index(i, numbers.shape) for i in order]
    assert [(int(a), int(b)) for a, b, _ in found] == [tuple(map(int, w)) for w in want]
    assert all(near(text, numbers[w]) for (*_, text), w in zip(found, want, strict=True))
    shown = reader.head(3, 1).locator(".ax-score").text_content()
    assert abs(float(shown) - numbers[3, 1]) <= 0.0051


def test_shift_adds_a_chip_takes_out_undo_brings_back_escape_clears(show):
    reader = show(CAT, layer=0, heads=2)
    reader.token(2).click()
    reader.token(6).click(modifiers=["Shift"])
    wait_pinned(reader, ["cat", "mat"], [])
    reader.page.locator(".ax-chip", has_text="mat").click()
    wait_pinned(reader, ["cat"], [])
    reader.page.get_by_role("button", name="Undo").click()
    wait_pinned(reader, ["cat", "mat"], [])
    reader.page.locator(".ax-text").focus()
    reader.page.keyboard.press("Escape")
    wait_pinned(reader, [], [])
    reader.page.get_by_text("Nothing is pinned").wait_for()


def test_with_pick_several_every_click_adds(show):
    reader = show(CAT, layer=0, heads=2)
    reader.page.get_by_role("button", name="Pick several").click()
    for i in (2, 3, 6):
        reader.token(i).click()
    wait_pinned(reader, ["cat sat", "mat"], [])
    reader.page.get_by_role("button", name="Clear").click()
    wait_pinned(reader, [], [])


def test_a_block_dragged_in_the_heatmap_is_a_group_on_both_sides(show):
    reader = show(CAT, layer=2, heads=9)
    stage = reader.page.locator(".ax-panel-heat .ax-stage")
    stage.scroll_into_view_if_needed()
    stage.focus()
    box = stage.bounding_box()
    n = 13
    # The plot ends at the stage's lower edge, and is square.
    cell = (box["height"] - 2) / n * 0.9  # about; the labels take the rest

    def spot(row, column):
        reader.page.mouse.move(
            box["x"] + box["width"] - (n - column - 0.5) * cell,
            box["y"] + box["height"] - (n - row - 0.5) * cell,
        )

    def said():
        reader.wait_says("with weight")
        return re.fullmatch(r".*: (\S+) looks at (\S+) with weight .*", reader.says())

    spot(7, 6)
    start = said()
    reader.page.mouse.down()
    spot(9, 8)
    reader.page.mouse.up()
    reader.page.mouse.move(5, 5)
    reader.page.locator(".ax-between", has_text="mean of sums").wait_for()
    queries, keys = pinned(reader)
    assert start is not None
    assert start[1] in queries[0].split()
    assert start[2] in keys[0].split()
    assert len(queries[0].split()) > 1
    assert len(keys[0].split()) > 1
    number = reader.page.locator(".ax-between").inner_text()
    words = ["[CLS]", *CAT[:-1].lower().split(), ".", "[SEP]"]
    rows, columns = (
        [i for i, w in enumerate(words) if w in side[0].split()] for side in (queries, keys)
    )
    rows = [r for r in rows if r >= 5]
    columns = [c for c in columns if c >= 4]
    assert near(number.split()[0], between(CAT, rows, columns)[2, 9])
    assert "mean of sums" in number


def test_of_a_pair_the_four_ways_are_one_click_each(show):
    reader = show(*PAIR, layer=3, heads=1)
    tokens = explorer.trace(*PAIR).query_tokens
    words = {
        side: [i for i, t in enumerate(tokens) if t.segment == segment and not t.special]
        for segment, side in enumerate("AB")
    }
    said = reader.page.locator(".ax-between")
    for way in ("A → A", "A → B", "B → A", "B → B"):
        reader.page.locator(".ax-picked").get_by_text(way).click()
        expect(reader.page.get_by_role("radio", name=way)).to_be_checked()
        number = between(PAIR[0], words[way[0]], words[way[-1]], second=PAIR[1])[3, 1]
        expect(said).to_have_text(re.compile(rf"^{digits(number)}\b.*mean of sums"))


def test_all_heads_have_one_scale_and_the_chosen_ones_a_mark(show):
    reader = show(CAT, layer=3, heads="1.5", query=8, key=2)
    colours = """(cell) => {
      const canvas = cell.parentElement.querySelector('canvas');
      const data = canvas.getContext('2d').getImageData(
        cell.offsetLeft + 4, cell.offsetTop + 4, 1, 1).data;
      return [...data];
    }"""

    def saturation(layer, head):
        r, g, b, _ = reader.head(layer, head).evaluate(colours)
        return max(r, g, b) - min(r, g, b)

    numbers = between(CAT, PRONOUN, (2,))
    strong = [h for h in range(12) if numbers[3, h] > 0.2]
    assert 1 in strong
    assert saturation(3, 1) > 40
    for head in range(12):
        score = reader.head(3, head).locator(".ax-score").text_content()
        assert abs(float(score) - numbers[3, head]) <= 0.0051
        chosen = reader.head(3, head).get_attribute("aria-pressed") == "true"
        assert chosen == (head in (1, 5))
        if head in strong:
            assert saturation(3, head) > 40, "as dark as its number says, chosen or not"


# --- the flow -----------------------------------------------------------------------------------


def test_a_click_on_each_side_of_the_flow_pins_both(show):
    reader = show(CAT, layer=3, heads=1)
    stage = reader.page.locator(".ax-panel-flow .ax-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    row = box["height"] / 13
    reader.page.mouse.click(box["x"] + 20, box["y"] + 8.5 * row)
    reader.page.mouse.click(box["x"] + box["width"] - 20, box["y"] + 2.5 * row)
    reader.page.mouse.move(5, 5)
    wait_pinned(reader, ["it"], ["cat"])
    reader.wait_says(f"it looks at cat with weight {digits(between(CAT, PRONOUN, (2,))[3, 1])}")


def test_a_drag_along_one_side_of_the_flow_pins_a_group(show):
    reader = show(CAT, layer=3, heads=1)
    stage = reader.page.locator(".ax-panel-flow .ax-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    row, x = box["height"] / 13, box["x"] + box["width"] - 20
    reader.page.mouse.move(x, box["y"] + 1.5 * row)
    reader.page.mouse.down()
    reader.page.mouse.move(x, box["y"] + 2.5 * row, steps=3)
    reader.page.mouse.up()
    reader.page.mouse.move(5, 5)
    wait_pinned(reader, [], ["the cat"])
    reader.wait_says("the cat, taken together, are looked at most by")


def test_the_flow_lies_down_as_two_lines_and_stands_up_again(show):
    reader = show(CAT, layer=3, heads=1)
    stage = reader.page.locator(".ax-panel-flow .ax-stage")
    upright = stage.bounding_box()
    reader.page.locator(".ax-panel-flow").get_by_text("lines", exact=True).click()
    reader.page.locator(".ax-panel-flow.ax-wide").wait_for()
    lying = stage.bounding_box()
    assert upright["height"] > upright["width"]
    assert lying["width"] > 2 * lying["height"]
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    reader.page.mouse.click(box["x"] + 20, box["y"] + 25)
    wait_pinned(reader, ["[CLS]"], [])
    reader.page.locator(".ax-panel-flow").get_by_text("columns", exact=True).click()
    reader.page.locator(".ax-panel-flow:not(.ax-wide)").wait_for()


# --- layers as a path ---------------------------------------------------------------------------


def rollout(weights, residual=0.5):
    """Abnar and Zuidema's rollout, as a plain chain of matrix products."""
    mean = weights.astype(np.float64).mean(axis=1)
    eye = np.eye(mean.shape[-1])
    joint = eye
    for layer in mean:
        joint = ((1 - residual) * layer + residual * eye) @ joint
    return joint


def said_path(reader):
    return re.findall(r"(\S+) \(([\d.]+)\)", reader.page.locator(".ax-path-says").inner_text())


def test_the_path_of_a_pinned_output_is_its_row_of_the_rollout(show):
    reader = show(CAT, layer=3, heads=1, query=8)
    reader.page.get_by_text("Layers as a path").click()
    says = reader.page.locator(".ax-path-says", has_text="The output of it draws most on")
    says.wait_for()
    weights = explorer.trace(CAT).weights
    words = ["[CLS]", *CAT[:-1].lower().split(), ".", "[SEP]"]

    def want(residual, row=8):
        shares = rollout(weights, residual)[row]
        return [(words[i], digits(shares[i])) for i in np.argsort(-shares)[:3]]

    assert said_path(reader) == want(0.5)
    slider = reader.page.get_by_role("slider", name="residual connection")
    slider.fill("0")
    says.filter(has_text="residual share 0 %").wait_for()
    assert said_path(reader) == want(0)
    reader.page.keyboard.press("Control+z")
    says.filter(has_text="residual share 50 %").wait_for()


def test_pointing_into_a_column_follows_that_vector_down(show):
    reader = show(CAT, layer=3, heads=1)
    reader.page.get_by_text("Layers as a path").click()
    reader.page.get_by_text("The paths of all outputs together").wait_for()
    scroller = reader.page.locator(".ax-panel-layers .ax-scroll")
    scroller.focus()
    reader.page.keyboard.press("ArrowDown")  # the first output
    for _ in range(3):
        reader.page.keyboard.press("ArrowDown")
    for _ in range(4):
        reader.page.keyboard.press("ArrowLeft")
    reader.page.get_by_text("After layer 1,").wait_for()
    shares = rollout(explorer.trace(CAT).weights[:2])[3]
    words = ["[CLS]", *CAT[:-1].lower().split(), ".", "[SEP]"]
    want = [(words[i], digits(shares[i])) for i in np.argsort(-shares)[:3]]
    assert said_path(reader) == want
    reader.page.keyboard.press("Enter")
    wait_pinned(reader, ["sat"], [])


def test_the_path_through_chosen_heads_uses_them_in_their_layer_alone(show):
    reader = show(CAT, layer=3, heads="1.4", query=8, path="chosen")
    reader.page.get_by_text("Layers as a path").click()
    reader.page.get_by_text("The output of it draws most on").wait_for()
    weights = explorer.trace(CAT).weights.copy()
    weights[3] = weights[3, [1, 4]].mean(axis=0)
    shares = rollout(weights)[8]
    words = ["[CLS]", *CAT[:-1].lower().split(), ".", "[SEP]"]
    assert said_path(reader) == [(words[i], digits(shares[i])) for i in np.argsort(-shares)[:3]]


# --- tables -------------------------------------------------------------------------------------


def test_under_every_picture_is_its_table(show):
    reader = show(CAT, layer=3, heads=1, query=8)
    reader.page.get_by_text("Layers as a path").click()
    for panel in ("reading", "grid", "flow", "heat", "layers"):
        holds_its_numbers(reader.page.locator(f".ax-panel-{panel}"), panel)


def holds_its_numbers(place, panel):
    place.get_by_text("as a table").click()
    place.locator("td").first.wait_for()
    heading = place.locator("th").all_inner_texts()
    rows = place.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.innerText))"
    )
    assert all(len(row) == len(heading) for row in rows)
    weights = explorer.trace(CAT).weights
    if panel in ("flow", "heat"):
        flat = weights[3, 1].ravel()
        want = [digits(w) for w in np.sort(flat)[::-1][:100]]
        assert [row[4] for row in rows] == want
        assert [digits(weights[3, 1, int(row[1]), int(row[3])]) for row in rows] == want
        assert rows[0][5:] == ["3", "1"]
    if panel == "reading":
        assert [row[2] for row in rows] == [digits(w) for w in weights[3, 1, 8]]
    if panel == "grid":
        assert len(rows) == 72
        before = np.trace(weights[0, 2].astype(float), offset=-1) / 13
        assert near(rows[2][2], before)


def test_a_table_is_sorted_by_its_headings_and_copied_without_formulas(show):
    reader = show("=1+1 is @home -2", layer=0, heads=0)
    place = reader.page.locator(".ax-panel-heat")
    place.get_by_text("as a table").click()
    sort = place.get_by_role("button", name="weight")
    values = "rows => rows.map(r => r.children[4].textContent)"
    sort.click()
    first = place.locator("tbody tr").evaluate_all(values)
    assert place.locator("th[aria-sort=descending]").inner_text().startswith("weight")
    sort.click()
    last = place.locator("tbody tr").evaluate_all(values)
    assert last == first[::-1] or sorted(last) == sorted(first)
    assert float(first[0]) > float(last[0].removeprefix("< "))
    place.get_by_role("button", name="Copy").click()
    place.get_by_role("button", name="Copied").wait_for()
    copied = reader.page.evaluate("navigator.clipboard.readText()").split("\n")
    assert copied[0].split("\t") == place.locator("th").evaluate_all(
        "cells => cells.map(c => c.textContent)"
    )
    assert len(copied) > 50
    assert not any(cell.startswith(("=", "+", "-", "@")) for r in copied for cell in r.split("\t"))
    assert any(cell.startswith("'=") for row in copied for cell in row.split("\t"))


# --- hands, eyes, ears --------------------------------------------------------------------------


def test_the_keyboard_alone_reaches_everything_and_the_focus_is_seen(show):
    reader = show(CAT, layer=0, heads=0)
    page = reader.page
    page.get_by_text("Layers as a path").click()
    page.locator("body").evaluate("() => document.activeElement?.blur()")
    page.mouse.click(2, 2)
    reached, seen = set(), set()
    for _ in range(90):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => {
              let e = document.activeElement;
              while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
              if (!e || e === document.body) return null;
              const style = getComputedStyle(e);
              const next = e.nextElementSibling;
              const own = style.outlineStyle !== 'none' && style.outlineWidth !== '0px';
              const said = e.type === 'radio' && next
                && getComputedStyle(next).outlineStyle !== 'none';
              return [e.closest('.ax') !== null, e.className || e.name || e.tagName,
                      e.textContent.slice(0, 30), own || said];
            }"""
        )
        if here is None:
            break
        inside, name, text, outlined = here
        if inside:
            reached.add(str(name).split(" ")[0] + ":" + text[:12])
            seen.add(outlined)
    names = {r.split(":")[0] for r in reached}
    assert {"ax-text", "ax-scroll", "ax-stage", "ax-cell", "ax-layer", "ax-copy"} - names <= {
        "ax-layer"
    }
    texts = {r.split(":")[1] for r in reached}
    for wanted in ("Save", "Pick several", "Layers as a ", "The heads as"):
        assert wanted[:12] in texts, wanted
    assert seen == {True}
    # From the heads to a pinned pair without a mouse.
    reader.head(0, 0).focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.locator(".ax-panel-flow .ax-scroll").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    wait_pinned(reader, ["[CLS] the"], [])
    page.locator(".ax-panel-heat .ax-stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Enter")  # adds the key, and takes the query out again
    wait_pinned(reader, ["the"], ["[CLS]"])


def test_what_is_pinned_is_spoken_and_what_is_pointed_at_is_not(show):
    reader = show(CAT, layer=3, heads=1)
    live = reader.page.locator(".ax-hidden[aria-live=polite]")
    reader.token(8).click()
    reader.page.mouse.move(5, 5)
    reader.page.wait_for_function(
        "e => e.textContent.includes('it looks most at')", arg=live.element_handle()
    )
    spoken = live.text_content()
    reader.token(2).hover()
    reader.wait_says("cat looks most at")
    expect(live).to_have_text(spoken)
    flow = reader.page.locator(".ax-panel-flow .ax-scroll")
    expect(flow).to_have_attribute("aria-label", re.compile("cat looks most at"))


def test_with_reduced_motion_nothing_moves(show):
    reader = show(CAT, layer=0, heads=0)
    reader.page.emulate_media(reduced_motion="reduce")
    moving = reader.page.locator(".ax").evaluate(
        """ax => [...ax.querySelectorAll('*')].filter(e => {
             const s = getComputedStyle(e);
             return s.transitionDuration !== '0s' || s.animationName !== 'none';
           }).length"""
    )
    assert moving == 0
