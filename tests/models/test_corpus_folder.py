"""What a folder of a run says: its tables, its tree for HeadVis, its comparison and its search."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from explorer.corpus.comparing import compare
from explorer.corpus.engines import Here
from explorer.corpus.folder import CorpusFolder, folders_below
from explorer.corpus.headvis import HeadVisTree, export, is_tree
from explorer.corpus.measures import NAMES, place_of
from explorer.corpus.rules import RULES
from explorer.corpus.running import Settings, run
from explorer.corpus.search import pair_of, search, search_from
from explorer.corpus.texts import Corpus
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Folder
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from tests.models.corpus_texts import by_hand, over_texts, texts_of, trace_of
from tests.models.tiny import SIZES, byte_level, tiny_model, tiny_of

EXACT = {"rtol": 5e-6, "atol": 5e-6}  # as in test_corpus.py
N = 60


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_model("Model", tmp_path_factory.mktemp("bert"))


def run_into(folder, model, texts, **settings):
    corpus = Corpus(None, lines=[t.parts[0] for t in texts])
    run(corpus, folder, Settings(f"path:{model}", shard_texts=25, **settings), Here())
    return folder


@pytest.fixture(scope="module")
def folder(bert, tmp_path_factory):
    path = run_into(tmp_path_factory.mktemp("run") / "heads", bert, texts_of(N))
    found = CorpusFolder(path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def values(bert):
    """What a plain loop finds, ``[text, measure, layer, head]``."""
    return np.stack([by_hand(trace_of(str(bert), t.parts)) for t in texts_of(N)])


def test_all_heads_have_mean_and_spread_of_every_measure(folder, values):
    np.testing.assert_allclose(folder.heads.mean, over_texts(np.nanmean, values), **EXACT)
    np.testing.assert_allclose(folder.heads.spread, over_texts(np.nanstd, values, ddof=1), **EXACT)
    assert folder.heads.n.tolist() == (~np.isnan(values[:, :, 0, 0])).sum(axis=0).tolist()


def test_each_rule_of_a_head_says_in_how_many_texts_it_holds(folder, values):
    found = folder.rules(1, 0)
    assert [one.rule for one in found] == list(RULES)
    for one in found:
        if one.rule.beyond:
            assert 0 < one.even < 1
            continue
        least = values[:, [place_of(name) for name in one.rule.measures], 1, 0].min(axis=1)
        assert one.of == (~np.isnan(least)).sum()
        assert one.held == (least >= one.rule.least).sum()


def test_a_histogram_counts_every_text_once(folder, values):
    for name in NAMES:
        bins = folder.histogram(1, 0, name)
        own = values[:, place_of(name), 1, 0]
        assert sum(count for _, _, count in bins) == (~np.isnan(own)).sum()
        for low, high, count in bins:
            near = (own >= low * (1 - 1e-5)) & (own < high * (1 + 1e-5))
            assert near.sum() >= count


def test_distances_are_shares_of_all_attention(folder):
    found = folder.distances(0, 1)
    assert [(low, high) for low, high, _ in found][:4] == [(0, 0), (1, 1), (2, 3), (4, 7)]
    assert sum(share for _, _, share in found) == pytest.approx(1, abs=1e-6)


def test_tokens_come_with_how_often_they_were_there(folder):
    for side in ("key", "query"):
        total = folder.tokens(0, 0, side)
        assert [t.attention for t in total] == sorted((t.attention for t in total), reverse=True)
        assert all(t.mean == pytest.approx(t.attention / t.n) for t in total)
    assert {t.token for t in folder.tokens(0, 0, "key")} >= {"[CLS]", "[SEP]", "the"}


def test_an_example_is_a_text_with_its_value_its_decile_and_its_strongest_pairs(
    bert, folder, values
):
    texts = texts_of(N)
    ranks = np.argsort(np.argsort(values[:, place_of("entropy"), 1, 1])) / N
    found = folder.examples(1, 1, "entropy")
    assert {e.decile for e in found} == set(range(1, 11))
    for example in found:
        assert example.parts == texts[example.number].parts
        own = values[example.number, place_of("entropy"), 1, 1]
        assert example.value == pytest.approx(own, abs=1e-5)
        # Deciles by a sketch whose bins are 4 % wide.
        assert abs(ranks[example.number] * 10 + 0.5 - example.decile) <= 1.2
        weights = trace_of(str(bert), example.parts).weights[1, 1]
        assert example.pairs[0][2] == pytest.approx(weights.max(), abs=1e-6)
        assert all(weights[q, k] == pytest.approx(w, abs=1e-6) for q, k, w in example.pairs)


def test_the_texts_with_the_largest_values_of_all_are_among_the_examples(folder, values):
    own = values[:, place_of("strongest"), 0, 1]
    wanted = np.argsort(-np.nan_to_num(own, nan=-1))[:4]
    top = [e.number for e in folder.examples(0, 1, "strongest") if e.top]
    assert top == wanted.tolist()


def test_a_head_is_most_like_itself_in_another_folder_and_not_named_in_its_own(folder):
    assert (0, 1) not in [(like.layer, like.head) for like in folder.like(0, 1)]
    (first, *_) = folder.like(0, 1, folder)
    assert (first.layer, first.head, first.apart) == (0, 1, 0)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda f: f.distances(9, 0), "no head L9·H0"),
        (lambda f: f.histogram(0, 0, "beauty"), "no measure. There are: entropy"),
        (lambda f: f.tokens(0, 7, "key"), "2 layers of 2 heads"),
    ],
)
def test_what_is_not_there_is_said(folder, ask, says):
    with pytest.raises(ExplorerError, match=says):
        ask(folder)


def test_folders_are_found_below_a_place_and_one_that_is_not_done_is_not_opened(
    folder, bert, tmp_path
):
    (tmp_path / "half").mkdir()
    about = folder.about | {"complete": False}
    (tmp_path / "half" / "run.json").write_text(json.dumps(about))
    (tmp_path / "other").mkdir()
    shutil.copytree(folder.path, tmp_path / "whole")
    listed = folders_below([str(tmp_path), str(tmp_path / "nowhere")])
    assert [(f.path.name, f.n_texts, f.complete) for f in listed] == [
        ("half", N, False),
        ("whole", N, True),
    ]
    with pytest.raises(ExplorerError, match="stopped before its end"):
        CorpusFolder(tmp_path / "half")
    (tmp_path / "whole" / "tokens.parquet").unlink()
    with pytest.raises(ExplorerError, match=r"lacks tokens\.parquet"):
        CorpusFolder(tmp_path / "whole")


def test_a_table_that_was_cut_short_is_said(folder, tmp_path):
    shutil.copytree(folder.path, tmp_path / "cut")
    table = tmp_path / "cut" / "distances.parquet"
    table.write_bytes(table.read_bytes()[:-30])
    cut = CorpusFolder(tmp_path / "cut")
    with pytest.raises(ExplorerError, match=r"distances\.parquet of “cut” is damaged"):
        cut.distances(0, 0)
    cut.close()


def test_the_queries_of_the_docs_answer(folder, monkeypatch):
    """Each as it stands there, asked in the folder of a run."""
    monkeypatch.chdir(folder.path.parent)
    page = (Path(__file__).parents[2] / "docs" / "corpus.md").read_text("utf-8")
    queries = [part.partition("```")[0] for part in page.split("```sql\n")[1:]]
    assert len(queries) == 3
    with duckdb.connect(":memory:") as asked:
        for query in queries:
            assert asked.execute(query).fetchall()


# — the tree —


@pytest.fixture(scope="module")
def tree(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("tree") / "tree"
    export(folder, path)
    return path


def test_a_tree_read_back_says_what_the_folder_says(folder, tree):
    found = HeadVisTree(tree)
    assert is_tree(tree)
    assert (found.model, len(found.places)) == (folder.about["model"]["name"], 4)
    means = folder.means_of_tokens()
    for at, metric in zip(found.places, found.metrics["self_attention_score"], strict=True):
        assert metric == pytest.approx(means["self"][at], abs=1e-6)
    head = found.head(1, 0)
    examples = folder.examples(1, 0, "strongest")
    assert [s.tokens for s in head.sequences] == [e.tokens for e in examples]
    for said, own in zip(head.sequences, examples, strict=True):
        assert said.value == pytest.approx(own.value, abs=1e-6)
        assert [w for *_, w in said.pairs] == pytest.approx([w for *_, w in own.pairs], abs=1e-6)
    assert sum(head.histogram.values) == N
    assert sum(head.distances.values) == pytest.approx(folder.about["corpus"]["n_tokens"], rel=1e-5)
    assert head.mean == pytest.approx(folder.heads.mean[place_of("strongest"), 1, 0], abs=1e-6)


def test_a_tree_has_the_keys_and_types_that_its_own_reader_asks_for(tree):
    """The rules of the public pipeline that loads such trees, key by key."""
    config = json.loads((tree / "config.json").read_text("utf-8"))
    rows = json.loads((tree / "scatter_data.json").read_text("utf-8"))
    known = config | config["pipeline_config"]
    for key in ("model_name", "dataset_name", "dtype", "attn_implementation"):
        assert isinstance(known[key], str)
    assert (known["n_sequences"], type(known["seq_len"])) == (N, int)
    assert {(r["layer"], r["head"]) for r in rows} == {tuple(place) for place in config["heads"]}
    assert all(isinstance(r[m], float | None) for r in rows for m in config["metrics"])
    assert json.loads((tree / "server_config.json").read_text()) == {}
    assert json.loads((tree / "attributions" / "manifest.json").read_text()) == {}
    for layer, head in config["heads"]:
        name = config["head_data_pattern"].format(layer=layer, head=head)
        said = json.loads((tree / "heads" / name).read_text("utf-8"))
        assert set(said) == {
            *("sequences", "qk_distance_histogram", "top_query_tokens", "top_key_tokens"),
            *("histogram", "statistics"),
        }
        for s in said["sequences"]:
            assert 1 <= s["interval"] <= config["n_intervals"]
            assert s["seq_len"] == len(s["tokens"])
            assert s["attention_indices"] == sorted(set(s["attention_indices"]))
            assert len(s["attention_indices"]) == len(s["attention_values"])
            assert max(s["attention_indices"]) < s["seq_len"] ** 2
        for plot in config["custom_plots"]:
            histogram = said[plot["key"]]
            assert len(histogram["bin_edges"]) == len(histogram["bin_values"]) + 1
        for table in config["custom_tables"]:
            assert all(set(row) == {"token", "weight"} for row in said[table["key"]])


def test_a_tree_is_not_written_over_anything(folder, tree):
    with pytest.raises(ExplorerError, match="not empty"):
        export(folder, tree)


def broken(said, *way, to):
    """The same with one value changed."""
    if not way:
        return to
    key, *rest = way
    copy = dict(said) if isinstance(said, dict) else list(said)
    copy[key] = broken(copy[key], *rest, to=to)
    return copy


@pytest.mark.parametrize(
    ("way", "to", "says"),
    [
        (("sequences", 0, "attention_values", 0), 1.7, "not from 0 to 1"),
        (("sequences", 0, "attention_values", 0), "NaN", "is no number"),
        (("sequences", 0, "attention_indices", 0), 10**6, "no cell of"),
        (("sequences", 0, "attention_indices", 0), -1, "no cell of"),
        (("sequences", 0, "tokens", 0), 5, "a token is no text"),
        (("sequences", 0, "seq_len"), 3, "seq_len says 3"),
        (("sequences", 0, "interval"), "top", "interval is no whole number"),
        (("histogram", "bin_values", 0), -4, "less than nothing"),
        (("histogram", "bin_edges", 1), 0, "do not rise"),
        (("qk_distance_histogram", "bin_values"), [], "edges for 0 bins"),
        (("top_key_tokens",), {"the": 1}, "a list is missing"),
        (("statistics", "n_samples"), 1.5, "n_samples is no whole number"),
        (("sequences", 0, "max_activation"), 10**400, "max_activation is no number"),
    ],
)
def test_a_tree_with_numbers_that_cannot_be_is_refused(tree, tmp_path, way, to, says):
    shutil.copytree(tree, tmp_path / "tree")
    file = tmp_path / "tree" / "heads" / "L0H0.json"
    file.write_text(json.dumps(broken(json.loads(file.read_text("utf-8")), *way, to=to)), "utf-8")
    with pytest.raises(ExplorerError, match=says):
        HeadVisTree(tmp_path / "tree").head(0, 0)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", "[1]", "an object is missing"),
        ("config.json", None, "it is no tree of HeadVis"),
        ("scatter_data.json", '[{"layer": 0, "head": 0}, {"layer": 0, "head": 0}]', "there twice"),
        ("scatter_data.json", '[{"layer": 0, "head": 0, "x": 1e999}]', "x is no number"),
        (
            "scatter_data.json",
            '[{"layer": 0, "head": 0, "x": 1' + "0" * 400 + "}]",
            "x is no number",
        ),
        ("scatter_data.json", '[{"layer": 0, "he', "cut short"),
    ],
)
def test_a_tree_that_is_none_is_refused(tree, tmp_path, name, content, says):
    shutil.copytree(tree, tmp_path / "tree")
    (tmp_path / "tree" / name).unlink()
    if content is not None:
        (tmp_path / "tree" / name).write_text(content)
    with pytest.raises(ExplorerError, match=says):
        HeadVisTree(tmp_path / "tree")


# — two runs —


def test_the_same_run_twice_differs_nowhere(folder):
    found = compare(folder, folder)
    assert found.same_texts
    assert not found.found.differs.any()
    assert found.strongest() == []


def test_other_texts_differ_by_means_with_an_interval(folder, bert, tmp_path):
    longer = [replace(t, parts=(f"{t.parts[0]} the cat the cat",)) for t in texts_of(50, seed=9)]
    other = CorpusFolder(run_into(tmp_path / "other", bert, longer))
    found = compare(folder, other, "benjamini-hochberg")
    assert not found.same_texts
    at = place_of("same word")
    difference = other.heads.mean[at] - folder.heads.mean[at]
    np.testing.assert_allclose(found.found.difference[at], difference, **EXACT)
    error = np.sqrt(
        other.heads.spread[at] ** 2 / other.heads.n[at]
        + folder.heads.spread[at] ** 2 / folder.heads.n[at]
    )
    np.testing.assert_allclose(found.found.high[at] - difference, 1.959964 * error, rtol=1e-5)
    assert found.found.differs[at].any()
    assert found.strongest(3)
    other.close()


def test_the_same_texts_in_two_models_are_compared_one_by_one(folder, bert, tmp_path):
    """With the queries of the second layer changed: that one differs, the first does not."""
    shutil.copytree(bert, tmp_path / "tuned")
    file = tmp_path / "tuned" / "model.safetensors"
    weights = load_file(file)
    name = next(n for n in weights if n.endswith("layer.1.attention.self.query.weight"))
    weights[name] = weights[name] + 0.3 * torch.eye(16)
    save_file(weights, file, {"format": "pt"})
    other = CorpusFolder(run_into(tmp_path / "other", tmp_path / "tuned", texts_of(N)))
    found = compare(folder, other)
    assert found.same_texts
    assert not found.found.differs[:, 0].any()
    assert found.found.differs[:, 1].any()
    other.close()


def test_models_of_other_shapes_are_not_compared(folder):
    other = CorpusFolder(folder.path)
    other.about = folder.about | {"n_heads": 3}
    with pytest.raises(ExplorerError, match="are not the same heads"):
        compare(folder, other)


# — search —


def test_a_search_finds_the_pair_itself_and_what_is_most_like_it(bert):
    texts = texts_of(40, most=12)
    trace = trace_of(str(bert), texts[7].parts)
    pair = pair_of(trace, 1, 0, 2, 1)
    seen = []
    hits = search(
        load_model(Folder(str(bert)), silent), texts, pair, 512, 5, lambda n, _: seen.append(n)
    )
    assert seen == [40]
    wanted = []
    for text in texts:
        layer = trace_of(str(bert), text.parts).layers[1]
        q, k = layer.q[0].astype(np.float64), layer.k[0].astype(np.float64)
        like_q = q @ pair.query / np.linalg.norm(q, axis=1) / np.linalg.norm(pair.query)
        like_k = k @ pair.key / np.linalg.norm(k, axis=1) / np.linalg.norm(pair.key)
        likeness = layer.weights()[0] * np.maximum(like_q, 0)[:, None] * np.maximum(like_k, 0)
        wanted.append((likeness.max(), text.number))
    wanted.sort(key=lambda both: (-both[0], both[1]))
    assert [h.text.number for h in hits] == [number for _, number in wanted[:5]]
    np.testing.assert_allclose([h.likeness for h in hits], [w for w, _ in wanted[:5]], **EXACT)
    for hit in hits:
        weights = trace_of(str(bert), hit.text.parts).weights[1, 0]
        assert hit.weight == pytest.approx(weights[hit.query, hit.key], abs=1e-6)


def test_a_search_from_a_pinned_pair_is_of_the_model_that_has_read_the_corpus(
    folder, bert, tmp_path
):
    text, place = texts_of(N)[7].parts[0], (1, 0, 2, 1)
    shown = []
    found = search_from(Run(text, source=Folder(str(bert))), place, folder, show=shown.append)
    pair = pair_of(trace_of(str(bert), (text,)), *place)
    wanted = search(load_model(Folder(str(bert)), silent), folder.texts(), pair, 512)
    assert [hit.text.number for hit in found.hits] == [hit.text.number for hit in wanted]
    assert (found.n_texts, found.of, shown[-1].n_texts) == (N, N, N)
    other = tiny_of(
        transformers.BertConfig(**SIZES, vocab_size=300), tmp_path / "other", byte_level()
    )
    with pytest.raises(ExplorerError, match="they are not the same heads"):
        search_from(Run(text, source=Folder(str(other))), place, folder)


def test_a_text_of_a_folder_is_had_by_its_number_also_where_it_is_no_example(folder):
    for text in texts_of(N):
        assert folder.text(text.number).parts == text.parts
    with pytest.raises(ExplorerError, match="There is no text 99999"):
        folder.text(99999)


@pytest.mark.parametrize("kind", ["GptOss", "T5"])
def test_a_search_reads_one_head_alone_with_its_own_sink_and_its_own_bias(kind, tmp_path):
    """Its weights are those of the model, where sinks and position biases are of each head."""
    sizes = {"vocab_size": 300, "initializer_range": 0.5}
    if kind == "GptOss":
        config = transformers.GptOssConfig(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            head_dim=8, intermediate_size=16, num_local_experts=2, num_experts_per_tok=1,
            sliding_window=4, **sizes,
        )  # fmt: skip
    else:
        config = transformers.T5Config(
            d_model=16, d_kv=4, d_ff=16, num_layers=2, num_heads=4, **sizes
        )
    ending = "ForCausalLM" if kind == "GptOss" else "EncoderModel"
    folder = tiny_of(config, tmp_path / "model", byte_level(), ending)
    texts = texts_of(6, most=5)
    trace = trace_of(str(folder), texts[2].parts)
    pair = pair_of(trace, 0, 3, 4, 2)
    for hit in search(load_model(Folder(str(folder)), silent), texts, pair, 512):
        weights = trace_of(str(folder), hit.text.parts).weights[0, 3]
        assert hit.weight == pytest.approx(weights[hit.query, hit.key], abs=1e-6)
    assert hit.text.number in range(6)


def test_parquet_files_are_whole(folder):
    for path in folder.path.rglob("*.parquet"):
        assert pq.read_table(path, page_checksum_verification=True).num_rows
