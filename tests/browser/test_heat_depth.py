"""Below the map of a long text: from its sentences down to single weights, and back."""

import re
from itertools import pairwise

import numpy as np
import pandas
import pytest
from playwright.sync_api import expect

from explorer.analysis.levels import levels_of
from explorer.layers import FromScores, ScoreRule
from explorer.trace import AttentionTrace, ModelInfo, Token
from tests.browser.conftest import stands_at
from tests.browser.test_files import saved
from tests.browser.test_instrument import digits
from tests.browser.test_long_texts import PHONE

N = 1_100  # tokens: a long text, in sentences of twenty
SENTENCE = 20
NEAR = 2e-6  # weights below 1, over log-sum-exps of float32 scores up to 20, which end at 2e-6


@pytest.fixture(scope="module")
def trace():
    """Two heads over so many words that they travel one by one; words of two pieces in between."""
    rng = np.random.default_rng(4)
    q, k = rng.normal(size=(2, 2, N, 8)).astype(np.float32) * np.float32(1.3)
    allowed = np.stack([np.zeros(N), np.arange(1, N + 1)], axis=-1).astype(np.int32)
    tokens, text, word = [Token("[CLS]", None, None, 0, special=True)], "", -1
    while len(tokens) < N:
        place = len(tokens) % SENTENCE
        goes_on = place % 6 == 3
        word += not goes_on
        text += "" if goes_on or place == 0 else " "
        said = "." if place == 0 else f"{'y' if goes_on else 'x'}{len(tokens)}"
        span = (len(text), len(text) + len(said))
        text += said
        tokens.append(Token(f"##{said}" if goes_on else said, span, word, 0, special=False))
    info = ModelInfo("random", None, 1, 2, 16, N)
    layer = FromScores(0, q, k, ScoreRule(0.5, allowed=allowed))
    return AttentionTrace(info, (text,), tuple(tokens), tuple(tokens), (layer,))


@pytest.fixture(scope="module")
def weights(trace):
    """The softmax of both heads from its definition, in double precision."""
    layer = trace.layers[0]
    scores = 0.5 * np.einsum("hid,hjd->hij", layer.q.astype(float), layer.k.astype(float))
    scores[:, ~np.tri(N, dtype=bool)] = -np.inf
    parts = np.exp(scores)
    return parts / parts.sum(axis=-1, keepdims=True)


class Heat:
    """The heatmap, as a hand finds it."""

    def __init__(self, reader):
        self.reader, self.page = reader, reader.page
        self.panel = reader.page.locator(".ax-panel-heat")
        self.stage = self.panel.locator(".ax-stage")
        self.stage.scroll_into_view_if_needed()

    def level(self):
        return self.stage.get_attribute("data-level")

    def sight(self):
        return [int(float(x)) for x in self.stage.get_attribute("data-sight").split()]

    def whole(self):
        self.panel.locator(".ax-stage[data-whole=true]").wait_for()
        return self

    def nearer(self, key="+"):
        self.stage.press(key)
        return self

    def deep(self):
        while self.level() == "map":
            self.nearer()
        return self.whole()

    def note(self):
        return self.panel.locator(".ax-under").inner_text()

    def at(self, row, column):
        """Where the middle of a cell lies on the screen."""
        left, top, cell = map(float, self.stage.get_attribute("data-plot").split())
        first_row, first_column, _ = self.sight()
        box = self.stage.bounding_box()
        x = box["x"] + left + (column - first_column + 0.5) * cell
        return x, box["y"] + top + (row - first_row + 0.5) * cell

    def csv(self):
        file = saved(self.reader, "CSV")
        self.page.locator(".ax-save summary").click()
        return file.suggested_filename, pandas.read_csv(file.path(), index_col=0).to_numpy()


@pytest.fixture
def heat(page_from_disk, trace):
    def opened(kept=((0, 0), (0, 1)), **options):
        view = {"layer": 0, "heads": 1}
        return Heat(page_from_disk(trace, heads=kept, opening=view, **options))

    return opened


def test_zooming_leads_from_sentences_to_the_model_s_own_weights(heat, weights):
    here = heat()
    assert here.level() == "map"
    assert here.note().startswith("Each cell: a sentence looking at a sentence: attention summed")
    here.deep()
    assert here.note().startswith("Each cell: one weight.")
    assert "in sight" in here.note()
    for _ in range(12):
        here.nearer()
    row, column, count = here.whole().sight()
    assert count == 8, "nearest"
    name, found = here.csv()
    assert name.endswith(
        f"-l0-h1-tokens-{row}-to-{row + 7}-looking-at-{column}-to-{column + 7}.csv"
    )
    wanted = weights[1, row : row + 8, column : column + 8]
    assert np.abs(found - wanted).max() < NEAR


def test_a_worker_makes_what_is_in_sight_also_in_a_file_from_disk(heat, weights):
    here = heat().deep()
    assert len(here.page.workers) == 1
    row, column, count = here.sight()
    _, found = here.csv()
    wanted = weights[1, row : row + count, column : column + count]
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < NEAR


def test_without_workers_the_page_makes_it_and_says_so(heat, weights):
    here = heat(before="delete window.Worker").deep()
    assert "This browser makes the cells in the page itself" in here.note()
    row, column, count = here.sight()
    _, found = here.csv()
    assert np.abs(found - weights[1, row : row + count, column : column + count]).max() < NEAR


def test_a_double_click_opens_the_words_of_a_cell_and_zooming_out_leads_back(heat, trace):
    here = heat()
    starts = [*levels_of(trace.query_tokens, trace.texts)["sentence"], N]
    here.page.mouse.dblclick(*here.at(30, 12))
    row, column, count = here.whole().sight()
    assert here.level() == "deep"
    assert row <= starts[30] < starts[31] <= row + count
    assert column <= starts[12] < starts[13] <= column + count
    while here.level() == "deep":
        here.nearer("-")
    first, other, across = here.sight()
    assert first <= 30 < first + across
    assert other <= 12 < other + across
    assert here.nearer("0").sight()[2] == len(starts) - 1


def test_the_key_o_opens_what_is_pointed_at(heat):
    here = heat()
    here.stage.focus()
    here.page.keyboard.press("ArrowDown")
    here.page.keyboard.press("ArrowRight")
    here.page.keyboard.press("o")
    assert here.level() == "deep"
    assert here.sight() == [0, 1, SENTENCE], "[CLS], and the first sentence that it looks at"


def test_a_pointer_below_the_map_reads_single_weights(heat, weights):
    here = heat()
    here.page.mouse.dblclick(*here.at(40, 40))
    here.whole()
    row, column, count = here.sight()
    query, key = row + count // 2, column + 2
    here.page.mouse.move(*here.at(query, key))
    weight = weights[1, query, key]
    here.reader.wait_says(f"with weight {digits(weight)}")
    here.page.mouse.click(*here.at(query, key))
    stands_at(here.page, re.compile(rf"query={query}\b.*key={key}\b"))


def test_a_drag_moves_what_is_in_sight(heat):
    here = heat().deep()
    for _ in range(4):
        here.nearer()
    row, column, count = here.whole().sight()
    x, y = here.at(row + count // 2, column + count // 2)
    cell = float(here.stage.get_attribute("data-plot").split()[2])
    here.page.mouse.move(x, y)
    here.page.mouse.down()
    here.page.mouse.move(x + 60, y + 90, steps=4)
    here.page.mouse.up()
    assert here.whole().sight() == [row - round(90 / cell), column - round(60 / cell), count]


def test_fingers_go_below_the_map_and_back(heat):
    here = heat(screen=PHONE)
    x, y = here.at(30, 30)
    touch = here.reader.devtools()

    def fingers(kind, *at):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(at)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def pinch(spreads):
        fingers("touchStart", (x - spreads[0], y), (x + spreads[0], y))
        for spread in spreads[1:]:
            fingers("touchMove", (x - spread, y), (x + spread, y))
        fingers("touchEnd")

    pinch(range(20, 90, 10))
    expect(here.stage).to_have_attribute("data-level", "deep")
    row, column, count = here.whole().sight()
    assert row < 30 * SENTENCE < row + count
    fingers("touchStart", (x, y))
    for step in range(0, 60, 10):
        fingers("touchMove", (x - step, y - step))
    fingers("touchEnd")
    expect(here.stage).not_to_have_attribute("data-sight", f"{row} {column} {count}")
    moved = here.whole().sight()
    assert min(moved[0] - row, moved[1] - column) > 0
    for _ in range(3):
        pinch(range(90, 20, -10))
    expect(here.stage).to_have_attribute("data-level", "map")


def test_a_look_at_another_head_shows_it_in_the_same_place(heat, weights):
    here = heat().deep()
    for _ in range(9):
        here.nearer()
    sight = here.whole().sight()
    here.reader.head(0, 0).hover()
    here.reader.wait_says("L0·H0: point at")
    assert here.whole().sight() == sight
    here.reader.head(0, 0).click()
    stands_at(here.page, re.compile("heads=0"))
    row, column, count = here.whole().sight()
    assert [row, column, count] == sight
    _, found = here.csv()
    wanted = weights[0, row : row + count, column : column + count]
    assert np.abs(found - wanted).max() < NEAR


def test_the_small_preview_of_a_head_that_is_not_here_leaves_one_in_one_s_place(heat):
    here = heat(kept=[(0, 1)]).deep()
    sight = here.nearer().whole().sight()
    here.reader.head(0, 0).hover()
    here.reader.wait_says("a small preview")
    here.page.mouse.move(5, 5)
    here.reader.wait_says("L0·H1: point at")
    assert (here.level(), here.whole().sight()) == ("deep", sight)


def test_among_words_one_stays_where_one_was(heat, trace, weights):
    here = heat()
    here.page.mouse.dblclick(*here.at(30, 12))
    row, _, count = here.whole().sight()
    middle = trace.query_tokens[row + count // 2].word
    here.reader.switch("words").click()
    expect(here.panel.locator(".ax-under")).to_contain_text("Each cell: a word looking at a word")
    assert here.whole().level() == "deep"
    words = [[i for i, t in enumerate(trace.query_tokens) if t.word == word] for word in range(N)]
    units = [[0], *filter(None, words)]  # [CLS] stands alone
    row, column, count = here.sight()
    assert abs(row + count // 2 - (middle + 1)) <= 2
    _, found = here.csv()
    wanted = [
        [weights[1][np.ix_(query, key)].sum() / len(query) for key in units[column:][:count]]
        for query in units[row:][:count]
    ]
    assert np.abs(found - np.array(wanted)).max() < NEAR


def test_the_table_holds_pairs_of_sentences_and_below_them_single_weights(heat, weights):
    here = heat()
    here.panel.get_by_text("The heatmap as a table").click()
    cells = here.panel.locator("tbody td:nth-child(3)")
    cells.first.wait_for()
    first = cells.all_inner_texts()
    assert max(map(len, first)) > 30, "sentences, by how they begin"
    here.deep()
    caption = here.panel.get_by_text("strongest single weights")
    caption.wait_for()
    told = [float(x) for x in here.panel.locator("tbody td:nth-child(5)").all_inner_texts()]
    best = np.sort(weights[1].ravel())[::-1][: len(told)]
    assert len(told) == 50
    assert np.abs(np.array(told) - best).max() <= 5e-4 + NEAR, "three decimals are shown"
    assert all(a >= b for a, b in pairwise(told))


def test_the_csv_of_the_map_is_the_map(heat, weights, trace):
    name, found = heat().csv()
    assert name.endswith("-l0-h1.csv")
    starts = levels_of(trace.query_tokens, trace.texts)["sentence"]
    sums = np.add.reduceat(weights[1], starts, axis=1)
    lengths = np.diff([*starts, N])[:, None]
    assert np.abs(found - np.add.reduceat(sums, starts, axis=0) / lengths).max() < NEAR
