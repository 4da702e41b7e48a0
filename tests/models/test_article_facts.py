"""The Article's experiments: what is kept is found again, and is what plain numpy finds."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import explorer
from docs.article import SHOWN, agreement
from explorer.analysis.survival import survival
from explorer.errors import ExplorerError
from explorer.scratch import articlefacts as facts
from explorer.scratch.articlefacts import article_class, kept_facts
from explorer.scratch.attention import SelfAttention
from explorer.scratch.experiments import fit_slope
from explorer.sources import EXAMPLES, stored_trace, trace_run
from explorer.ui import prose as prose_room
from explorer.ui.article import others
from explorer.ui.facts import FACTS


@pytest.fixture(scope="module")
def found():
    return json.loads(json.dumps(facts.found_facts()))


def close(kept, own):
    """Equal but for rounding, which is another where other numbers of threads add up."""
    if isinstance(own, dict):
        return kept.keys() == own.keys() and all(close(kept[name], own[name]) for name in own)
    if isinstance(own, list):
        return len(kept) == len(own) and all(map(close, kept, own))
    return kept == pytest.approx(own, abs=2e-5) if isinstance(own, float) else kept == own


def test_what_is_said_of_heads_that_can_do_with_less_is_so_in_the_first_example():
    curves = survival(stored_trace(EXAMPLES[0].run), ("window", "rank")).curves
    previous, alike = (0, 2), (1, 10)
    said = {
        "rank 1 holds {} of L1·H10": curves["rank"].at(1)[alike],
        "rank 4 only {} of L0·H2": curves["rank"].at(4)[previous],
        "for L1·H10 it keeps {}": curves["window"].at(1)[alike],
    }
    prose = Path(prose_room.__file__).with_name("article_6_9.md").read_text("utf-8")
    for words, share in said.items():
        assert words.format(f"{100 * share:.0f} %") in prose
    assert "for L0·H2 a window of 1 keeps everything" in prose
    assert curves["window"].at(1)[previous] > 0.9999


def test_the_scores_of_the_lesson_are_divided_by_the_root_of_the_width_that_is_told():
    run = EXAMPLES[0].run
    trace = stored_trace(run)
    width = FACTS["head"](run, trace, lambda doing, share: None).said["width"]
    live = trace_run(run)
    assert live.layers[0].rule.scale == pytest.approx(width**-0.5)
    assert live.layers[0].q.shape[2] == width


def test_what_is_kept_of_explanation_is_what_the_stories_gave():
    assert kept_facts()["agree"] == agreement(), "run `make article`"
    assert [row["name"] for row in agreement()] == list(SHOWN)


@pytest.mark.parametrize("name", ["order", "scale", "rows", "faults", "mended"])
def test_what_is_kept_is_what_the_experiment_gives(found, name):
    assert close(kept_facts()[name], found[name]), "run `make article`"


def test_the_kept_slope_is_that_of_the_kept_seconds_and_near_the_square():
    cost = kept_facts()["cost"]
    assert cost["slope"] == pytest.approx(
        fit_slope(cost["lengths"], cost["seconds"]), abs=0.002
    )  # four digits of the seconds are kept
    assert 1.7 < cost["slope"] < 2.3


def test_the_counted_multiplications_are_those_of_the_formula():
    cost = kept_facts()["cost"]
    n, d = np.array(cost["lengths"]), cost["width"]
    assert cost["multiplications"] == (2 * n * n * d + 4 * n * d * d).tolist()
    assert facts.multiplications(cost["lengths"][:2]) == cost["multiplications"][:2]


def test_without_positions_the_output_moves_along_with_the_words():
    order = kept_facts()["order"]
    answer = plain_layer(order, order["x"])
    moved = plain_layer(order, np.array(order["x"])[order["moved"]])
    np.testing.assert_allclose(moved, answer[order["moved"]], atol=1e-14)
    np.testing.assert_allclose(order["answers"]["without"], moved, atol=1e-14)
    assert order["off"]["without"] < 1e-14  # the rounding of a double


def test_with_positions_the_order_is_in_the_output():
    order = kept_facts()["order"]
    x, places = np.array(order["x"]), np.array(order["positions"])
    moved = plain_layer(order, x[order["moved"]] + places)
    np.testing.assert_allclose(order["answers"]["with"], moved, atol=1e-14)
    off = np.abs(moved - plain_layer(order, x + places)[order["moved"]]).max()
    assert order["off"]["with"] == pytest.approx(off)
    assert off > 0.01


def plain_layer(order, x):
    """Attention in numpy, head by head, of the maps that are kept."""
    maps = {
        name: (np.array(part["weight"]), np.array(part["bias"]))
        for name, part in order["maps"].items()
    }
    q, k, v = (np.asarray(x) @ maps[name][0].T + maps[name][1] for name in ("W_Q", "W_K", "W_V"))
    joined = []
    for own in np.split(np.arange(q.shape[1]), order["n_heads"]):
        weights = np.exp(q[:, own] @ k[:, own].T / np.sqrt(len(own)))
        joined.append(weights / weights.sum(1, keepdims=True) @ v[:, own])
    return np.concatenate(joined, 1) @ maps["o"][0].T + maps["o"][1]


def test_the_spread_of_scores_is_the_root_of_the_width_and_1_when_it_is_divided():
    scale = kept_facts()["scale"]
    roots = np.sqrt(scale["widths"])
    np.testing.assert_allclose(scale["plain"]["spread"], roots, rtol=0.02)  # 65,536 drawn scores
    np.testing.assert_allclose(scale["divided"]["spread"], 1, atol=0.02)
    assert scale["divided"]["entropy"][-1] > 4.2  # of log2(32) = 5 bits
    assert scale["plain"]["entropy"][-1] < 0.3


def test_rows_and_columns_give_the_same_numbers_each_its_own_way_round():
    rows = kept_facts()["rows"]
    x, weight, bias = (np.array(rows[name]) for name in ("x", "weight", "bias"))
    np.testing.assert_array_equal(rows["rows"], x @ weight.T + bias)
    np.testing.assert_array_equal(rows["columns"], np.transpose(rows["rows"]))
    assert "(4x4 and 3x4)" in rows["error"]


def test_the_article_is_quoted_word_for_word_and_really_runs():
    layer = article_class()(512, 8)
    x = torch.randn(1, 10, 512)
    assert list(layer(x, x, x).shape) == [1, 10, 512]
    ours = SelfAttention(512, 8)
    ours.load_state_dict(layer.state_dict())  # the same parameters by the same names
    with torch.inference_mode():
        torch.testing.assert_close(ours(x, x, x), layer(x, x, x), atol=1e-6, rtol=0)


def test_what_the_article_answers_for_texts_that_do_not_fit_together_is_a_mixture():
    layer = article_class()(512, 8).eval()
    looks, keys = torch.randn(2, 5, 512), torch.randn(1, 10, 512)
    with torch.inference_mode():
        cut = keys.view(2, 5, 512)
        torch.testing.assert_close(layer(looks, keys, keys), layer(looks, cut, cut))
    with pytest.raises(ExplorerError, match="do not fit together"):
        SelfAttention(512, 8)(looks, keys, keys)


def test_ten_queries_look_at_seven_keys_as_a_plain_sum_over_keys_says():
    torch.manual_seed(0)
    layer = SelfAttention(8, 2).double().eval()
    looks, keys = torch.randn(1, 10, 8).double(), torch.randn(1, 7, 8).double()
    with torch.inference_mode():
        out, weights = layer(looks, keys, keys, return_weights=True)
        q, k, v = layer.W_Q(looks)[0], layer.W_K(keys)[0], layer.W_V(keys)[0]
        rows = []
        for one in q:
            parts = []
            for own in (slice(0, 4), slice(4, 8)):
                share = torch.stack([torch.dot(one[own], key[own]) / 2 for key in k]).exp()
                parts.append(
                    sum(s * value[own] for s, value in zip(share, v, strict=True)) / share.sum()
                )
            rows.append(torch.cat(parts))
        torch.testing.assert_close(out[0], layer.o(torch.stack(rows)))
    assert list(weights.shape) == [1, 2, 10, 7]
    assert kept_facts()["mended"] == {"weights": [1, 8, 10, 7], "later": 0.0}


def test_for_a_text_that_the_lessons_model_does_not_know_others_are_named():
    chinese = explorer.trace("她说它很累，因为它走了很远。")
    assert [source.spec for source in others(chinese)] == [
        "hf:google-bert/bert-base-chinese",
        "stories-zh",
    ]
    assert others(explorer.trace("The cat sat.")) == []
