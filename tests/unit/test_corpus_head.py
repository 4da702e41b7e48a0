"""One head over a corpus as it is sent: every number is the folder's own, every sentence true."""

import io
import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from explorer.corpus.folder import Like
from explorer.corpus.headvis import HeadVisTree, export
from explorer.corpus.measures import NAMES
from explorer.corpus.overview import overview
from explorer.corpus.rules import RULES, Held, best_of
from explorer.corpus.shelf import SHIPPED_FOLDER, Sentences
from explorer.export import corpus_to_npz
from explorer.instrument.wire.corpushead import Beside, pack_head, pack_search, rule_words


@pytest.fixture(scope="module")
def folder():
    found = Sentences()
    yield found
    found.close()


def rows_of(table, layer, head):
    rows = pq.read_table(SHIPPED_FOLDER / f"{table}.parquet").to_pylist()
    return [row for row in rows if (row["layer"], row["head"]) == (layer, head)]


def test_a_head_is_sent_with_the_numbers_that_its_tables_have(folder):
    sent = pack_head(folder, 2, 9, "same word")
    rows = {row["measure"]: row for row in rows_of("heads", 2, 9)}
    assert [m["key"] for m in sent["measures"]] == [n for n in NAMES if rows[n]["n"]]
    for measure in sent["measures"]:
        row = rows[measure["key"]]
        assert measure["mean"] == pytest.approx(row["mean"], rel=1e-6)
        assert measure["spread"] == pytest.approx(row["spread"], rel=1e-6)
        assert measure["deciles"][8] == pytest.approx(row["decile_9"], rel=1e-6)
    shares = [row["share"] for row in rows_of("distances", 2, 9)]
    assert [share for _, _, share in sent["distances"]] == pytest.approx(shares)
    keys = [row for row in rows_of("tokens", 2, 9) if row["side"] == "key"]
    total = [row["token"] for row in keys if row["ranked"] == "total"]
    assert [token for token, *_ in sent["tokens"]["key"]["total"]] == total


def test_all_heads_as_arrays_have_the_numbers_of_the_tables(folder):
    over = overview(folder)
    with np.load(io.BytesIO(corpus_to_npz(over, "ours")), allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        assert [about[n] for n in ("model", "corpus", "n_texts")] == [over.model, "ours", 3000]
        named = {"layers", "measures", "units", "n", "mean", "spread"}
        assert set(arrays) == named | {"lowest_tenth", "highest_tenth", "about"}
        at = arrays["measures"].tolist().index("same word")
        row = next(row for row in rows_of("heads", 2, 9) if row["measure"] == "same word")
        names = {"mean": "mean", "spread": "spread", "decile_1": "lowest_tenth"}
        for column, name in (names | {"decile_9": "highest_tenth"}).items():
            assert arrays[name][at, 2, 9] == row[column]
        assert arrays["n"][at] == row["n"]


def test_the_bars_of_a_histogram_count_every_text_once_and_rise_by_one_factor(folder):
    for measure in pack_head(folder, 4, 3, "")["measures"]:
        bars = measure["bars"]
        assert bars["below"] + sum(bars["counts"]) == measure["n"]
        assert len(bars["edges"]) == len(bars["counts"]) + 1
        assert len(bars["counts"]) <= 40
        factors = np.diff(np.log(bars["edges"]))
        np.testing.assert_allclose(factors, factors[0], rtol=1e-4)  # edges have seven digits


def test_what_a_head_does_is_said_with_how_often_that_holds(folder):
    said = str(pack_head(folder, 0, 2, "")["says"])
    assert said.startswith("L0·H2 looks at the token before. Attention to the token before: 0.96 ±")
    assert "That holds in all 3,000 texts." in said
    said = str(pack_head(folder, 2, 9, "")["says"])
    (vertical, *_) = [one for one in folder.rules(2, 9) if one.rule.kind == "vertical"]
    assert "no rule holds in three of four texts" in said
    assert f"“vertical”, does in {vertical.held:,} of 3,000 texts" in said


def test_a_rule_that_not_all_texts_can_show_says_of_how_many_that_is(folder):
    said = [str(pack_head(folder, i, h, "")["says"]) for i in range(6) for h in range(12)]
    (block, *_) = [one for one in said if "even attention would put" in one]
    assert "of the 1,910 texts that can show it" in block


def test_the_rule_that_holds_first_says_what_a_head_is_else_the_one_that_holds_most():
    held = [Held(rule, 10, 100) for rule in RULES]
    held[3] = replace(held[3], held=40)
    assert best_of(held) == held[3]
    held[4], held[8] = replace(held[4], held=75), replace(held[8], held=100)
    assert best_of(held) == held[4]
    assert best_of([Held(rule, 0, 0) for rule in RULES]).holds is False


def test_every_rule_has_words_of_its_own():
    assert len({str(rule_words(rule)) for rule in RULES}) == len(RULES)


def test_examples_are_those_of_the_measure_with_their_strongest_pairs(folder):
    sent = pack_head(folder, 2, 9, "same word")
    assert sorted({e["decile"] for e in sent["examples"]}) == list(range(1, 11))
    own = {e.number: e for e in folder.examples(2, 9, "same word")}
    for example in sent["examples"]:
        there = own[example["text"]]
        assert example["tokens"] == list(there.tokens)
        assert [p[:2] for p in example["pairs"]] == [[q, k] for q, k, _ in there.pairs]
        assert folder.text(example["text"]).parts == there.parts


def test_of_a_long_text_only_what_stands_about_its_strongest_pairs_is_sent():
    tokens = tuple(f"w{i}" for i in range(4000))
    hit = SimpleNamespace(
        tokens=tokens, query=3000, key=100, weight=0.5, likeness=0.4, query_like=0.9,
        key_like=0.9, text=SimpleNamespace(number=7),
    )  # fmt: skip
    (sent,) = pack_search(("a", "b"), [hit], 10, 10, "told")["hits"]
    assert sent["n"] == 4000
    assert sent["places"] == [*range(88, 113), *range(2988, 3013)]
    assert sent["tokens"] == [f"w{i}" for i in sent["places"]]


def test_heads_of_another_folder_are_sent_or_why_there_are_none():
    said = Beside("x", "other", [Like(1, 2, 0.123456789)]).said()
    assert said["like"] == [[1, 2, 0.1234568]]
    assert Beside("x", "other", (), "They differ.").said()["why"] == "They differ."


def test_a_tree_that_others_made_is_shown_with_its_own_numbers_and_says_what_it_lacks(
    folder, tmp_path
):
    export(folder, tmp_path / "tree")
    tree = HeadVisTree(tmp_path / "tree")
    sent, said = pack_head(tree, 1, 0, "qk_distance"), tree.head(1, 0)
    assert "this tree does not say" in str(sent["says"])
    assert (sent["opens"], sent["rules"], sent["like"]) == (False, [], [])
    assert sum(share for *_, share in sent["distances"]) == pytest.approx(1, abs=1e-5)
    own = [(low, high) for low, high, _ in folder.distances(1, 0)]
    assert [(low, high) for low, high, _ in sent["distances"]] == own
    assert len(sent["examples"]) == len(said.sequences)
    for example, own in zip(sent["examples"], said.sequences, strict=True):
        assert example["decile"] == own.interval
        assert math.isclose(example["pairs"][0][2], own.pairs[0][2], rel_tol=1e-6)
    (first, *metrics) = sent["measures"]
    assert sum(first["bars"]["counts"]) == sum(said.histogram.values)
    assert [m["key"] for m in metrics] == list(tree.metrics)
