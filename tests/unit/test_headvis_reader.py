"""The tree that we write, read by the rules of the public readers of such trees.

They are those of Neuronpedia (github.com/hijohnnylin/neuronpedia), told in our own words: its
importers (utils/neuronpedia-utils/neuronpedia_utils/headvis, load-head-metrics.py and
load-head-sequences.py), and what its page draws (apps/webapp/components, head-activation-item.tsx
and panes/model-head-metrics-pane.tsx).
"""

import json
import math
import re

import pytest

from explorer.corpus.headvis import export
from explorer.corpus.shelf import Sentences

ASKED = ("model_name", "dataset_name", "n_sequences", "seq_len", "dtype", "attn_implementation")
SHARES = ("self_attention_score", "prev_token_score", "induction_score")
OTHERS = ("pattern_entropy", "qk_distance", "qk_distance_variance")
N_TEXTS = 3000


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder, path = Sentences(), tmp_path_factory.mktemp("tree") / "tree"
    export(folder, path)
    folder.close()
    return path


def said_in(*parts):
    file = parts[0].joinpath(*parts[1:])
    # JSON as a browser reads it: no NaN and no Infinity.
    return json.loads(file.read_text("utf-8"), parse_constant=lambda name: pytest.fail(name))


def histogram_of(said):
    """A histogram as the page parses it: one that it would not draw fails."""
    edges, values = said["bin_edges"], said["bin_values"]
    assert values
    assert len(edges) >= len(values) + 1
    assert all(math.isfinite(x) for x in [*edges, *values])
    return edges, values


def drawn_of(sequence):
    """What the page draws of a text: the most that each token gets and gives.

    A cell is ``q · tokens + k``; those of the first query and of the first key are left out.
    """
    n = len(sequence["tokens"])
    gets, gives = [0.0] * n, [0.0] * n
    for cell, value in zip(
        sequence["attention_indices"], sequence["attention_values"], strict=True
    ):
        query, key = divmod(cell, n)
        assert query < n
        if query and key:
            gets[key], gives[query] = max(gets[key], value), max(gives[query], value)
    return gets, gives


def test_a_run_says_all_that_an_importer_asks_of_it(tree):
    config = said_in(tree, "config.json")
    merged = config["pipeline_config"] | {
        key: value for key, value in config.items() if key not in config["pipeline_config"]
    }
    assert all(merged[key] is not None for key in ASKED)
    assert int(merged["n_sequences"]) == N_TEXTS
    assert int(merged["seq_len"]) > 0
    assert (tree / "heads").is_dir()


def test_every_head_has_numbers_that_can_be(tree):
    rows = said_in(tree, "scatter_data.json")
    assert len({(row["layer"], row["head"]) for row in rows}) == len(rows) == 72
    for row in rows:
        assert (type(row["layer"]), type(row["head"])) == (int, int)
        assert all(0 <= row[name] <= 1 for name in SHARES)
        assert all(0 <= row[name] < math.inf for name in OTHERS)
        assert row["pattern_entropy"] <= math.log(512)  # nats, over 512 tokens at most
        assert (tree / "heads" / f"L{row['layer']}H{row['head']}.json").is_file()
    files = [path.name for path in (tree / "heads").iterdir()]
    assert len(files) == len(rows)
    assert all(re.fullmatch(r"L(\d+)H(\d+)\.json", name) for name in files)


def test_the_page_draws_both_histograms_and_both_lists_of_tokens(tree):
    for path in sorted((tree / "heads").iterdir()):
        said = said_in(path)
        edges, values = histogram_of(said["histogram"])
        assert edges == sorted(set(edges))
        assert sum(values) == N_TEXTS
        low, mass = histogram_of(said["qk_distance_histogram"])
        assert low[:4] == [0, 1, 2, 4]
        assert sum(mass) == pytest.approx(104_184, rel=1e-5)
        for name in ("top_query_tokens", "top_key_tokens"):
            assert 0 < len(said[name]) <= 50
            weights = [entry["weight"] for entry in said[name]]
            assert all(isinstance(entry["token"], str) for entry in said[name])
            assert weights == sorted(weights, reverse=True)
        assert said["statistics"]["n_samples"] == len(said["sequences"])


def test_of_each_text_the_page_draws_the_largest_weight_that_it_is_told_of(tree):
    """Also of a head that rests on the first token, whose weights the page leaves out."""
    for path in sorted((tree / "heads").iterdir()):
        intervals = set()
        for sequence in said_in(path)["sequences"]:
            assert all(isinstance(token, str) for token in sequence["tokens"])
            cells, values = sequence["attention_indices"], sequence["attention_values"]
            assert cells == sorted(set(cells))
            assert all(0 <= value <= 1 for value in values)
            gets, gives = drawn_of(sequence)
            assert max(gets) == max(gives)
            # Both have six digits, and the text was read twice, in other company.
            assert max(gets) == pytest.approx(sequence["max_activation"], abs=5e-6)
            intervals.add(sequence["interval"])
        assert intervals
        assert intervals <= set(range(1, 11))  # not all, where most texts have one value
