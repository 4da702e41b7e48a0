"""Corpora on a page: what is kept and where, read, stopped, gone on with; what may be opened."""

import json
import math
import os
import re
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

import explorer
from explorer.corpus.folder import CorpusFolder
from explorer.corpus.headvis import export
from explorer.corpus.measures import NAMES
from explorer.corpus.overview import overview, overview_so_far
from explorer.corpus.paged import Telling, clock, columns_in, read_corpus
from explorer.corpus.running import Progress, read_about
from explorer.corpus.sentences import MANY, sentences
from explorer.corpus.shelf import SHIPPED, Asked, Sentences, Shelf, opened
from explorer.corpus.texts import Text
from explorer.errors import ExplorerError
from explorer.instrument.wire.container import read
from explorer.instrument.wire.corpus import wish_of
from tests.models.corpus_texts import by_hand, texts_of
from tests.models.tiny import tiny_model
from tests.models.writers import save_talker

APP = str(Path(__file__).parents[2] / "app.py")
# MiniLM by sdpa in a batch, and one text alone: sums in another order. Measured: 2e-6.
AGAINST_ALONE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_model("Model", tmp_path_factory.mktemp("bert"))


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "kept", "me", [])


def asked_of(bert, **changes):
    asked = {"file": "a.txt", "ending": ".txt", "model": f"path:{bert}", "length": 40}
    return Asked(**asked | changes)


def lines(n):
    return "\n".join(text.parts[0] for text in texts_of(n)).encode()


def whole(bert, shelf, n=40):
    name = shelf.begin(asked_of(bert), lines(n))
    read_corpus(*shelf.asked(name), lambda *_: None)
    return name


def test_a_corpus_that_was_stopped_is_kept_shown_so_far_and_gone_on_with(bert, shelf, monkeypatch):
    monkeypatch.setattr("explorer.corpus.paged.SHARD_TEXTS", 10)
    name = shelf.begin(asked_of(bert, file="My Texts.txt"), lines(40))
    assert name.startswith("my-texts-")
    seen = []

    def stops(doing, share):
        seen.append((doing, share))
        if share and share >= 0.5:
            raise ExplorerError("Stopped.")

    with pytest.raises(ExplorerError, match="Stopped"):
        read_corpus(*shelf.asked(name), stops)
    assert (shelf.find(name).complete, shelf.find(name).corpus) == (False, "My Texts.txt")
    assert overview_so_far(shelf.find(name).path).n_texts == 20
    shown, went_on = [], []
    read_corpus(*shelf.asked(name), lambda _, share: went_on.append(share), shown.append)
    assert went_on[1] > 0.5  # what was read is not read again
    assert next(some.n_texts for some in shown) == 30
    over = overview(opened(shelf.find(name)))
    assert over.n_texts == 40
    other = overview(opened(shelf.find(whole(bert, shelf))))
    assert np.array_equal(over.mean, other.mean)
    assert np.array_equal(over.spread, other.spread)
    assert not (shelf.find(name).path / "shards").exists()  # nothing goes on from a whole one


def test_what_is_shown_so_far_is_what_a_folder_of_these_texts_says(bert, shelf, monkeypatch):
    monkeypatch.setattr("explorer.corpus.paged.SHARD_TEXTS", 10)
    shown = []
    name = shelf.begin(asked_of(bert), lines(40))
    read_corpus(*shelf.asked(name), lambda *_: None, shown.append)
    assert [some.n_texts for some in shown] == [10, 20, 40]
    at_end = overview(opened(shelf.find(name)))
    np.testing.assert_allclose(shown[-1].mean, at_end.mean, rtol=1e-12)
    np.testing.assert_allclose(shown[-1].spread, at_end.spread, rtol=1e-9, atol=1e-12)


def test_the_texts_of_one_corpus_are_known_however_it_was_cut(bert, shelf, monkeypatch):
    first = whole(bert, shelf)
    monkeypatch.setattr("explorer.corpus.paged.SHARD_TEXTS", 7)
    second = whole(bert, shelf)
    one, other = (read_about(shelf.find(name).path)["corpus"] for name in (first, second))
    assert one["digest"] == other["digest"]


@pytest.mark.parametrize("name", ["../kept", "/etc", "a/b", "..", "x" * 300, "a\0b", "me", ""])
def test_a_name_is_never_a_path(shelf, name):
    with pytest.raises(ExplorerError, match="There is no corpus"):
        shelf.find(name)
    assert shelf.asked(name) is None
    shelf.delete(name)  # nothing


def test_nothing_is_written_outside_and_a_file_name_cannot_lead_there(bert, tmp_path, shelf):
    name = shelf.begin(asked_of(bert, file="../../../etc/pass wd.txt"), b"the cat")
    assert "/" not in name
    assert name.startswith("pass-wd-")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(tmp_path / "kept" / "me" / "asked") for path in written)
    strange = Shelf(tmp_path / "kept", "../..", [])
    assert strange.begin(asked_of(bert), b"the cat")
    assert {p.name for p in tmp_path.iterdir()} == {"kept"}


def test_others_do_not_see_a_readers_corpora_unless_they_have_the_link(bert, tmp_path, shelf):
    name = whole(bert, shelf)
    other = Shelf(tmp_path / "kept", "you", [])
    assert name not in [one.name for one in other.listed()]
    assert opened(other.find(name)).about["complete"]
    assert other.asked(name) is None
    other.delete(name)
    assert shelf.find(name).complete


def test_a_reader_keeps_so_many_corpora_and_so_many_bytes(bert, shelf, monkeypatch):
    monkeypatch.setattr("explorer.corpus.shelf.CORPUS_RUNS", 1)
    name = shelf.begin(asked_of(bert), b"the cat")
    with pytest.raises(ExplorerError, match=r"You keep 1 corpora .*EXPLORER_CORPUS_RUNS"):
        shelf.begin(asked_of(bert), b"the cat")
    shelf.delete(name)
    monkeypatch.setattr("explorer.corpus.shelf.CORPORA_MB", 1)
    with pytest.raises(ExplorerError, match=r"no more room .* 1 MB"):
        shelf.begin(asked_of(bert), b"x" * 600_000)
    assert [one.name for one in shelf.listed()] == [SHIPPED]


def test_where_room_ends_in_the_middle_what_is_read_stays(bert, shelf, monkeypatch):
    monkeypatch.setattr("explorer.corpus.paged.SHARD_TEXTS", 10)
    name = shelf.begin(asked_of(bert), lines(40))

    def full():
        if (shelf.find(name).path / "shards").is_dir():
            shelf.check_room(2**40)

    with pytest.raises(ExplorerError, match="What is read is kept"):
        read_corpus(*shelf.asked(name), lambda *_: None, check=full)
    assert overview_so_far(shelf.find(name).path).n_texts == 10


@pytest.mark.parametrize(
    ("ending", "data", "columns"),
    [
        (".txt", b"the cat", []),
        (".csv", b"id,said\n1,the cat\n", ["id", "said"]),
        (".jsonl", b'broken\n{"a": 1, "b": "x"}\n["no"]\n{"c": 2}', ["a", "b", "c"]),
        (".csv", b"", []),
    ],
)
def test_the_columns_of_a_file_are_told(ending, data, columns):
    assert columns_in(data, ending) == columns


def test_the_columns_of_a_parquet_file_are_told_and_no_such_file_is_refused(tmp_path):
    pq.write_table(pa.table({"id": [1], "text": ["the cat"]}), tmp_path / "a.parquet")
    assert columns_in((tmp_path / "a.parquet").read_bytes(), ".parquet") == ["id", "text"]
    for data in (b"", b"PAR1 no", (tmp_path / "a.parquet").read_bytes()[:100]):
        with pytest.raises(ExplorerError, match="cannot be read"):
            columns_in(data, ".parquet")
    with pytest.raises(ExplorerError, match="UTF-16"):
        columns_in("a,b".encode("utf-16"), ".csv")


def test_what_is_wrong_with_lines_is_counted_and_said(bert, shelf):
    rows = [{"said": "the cat sat"}, {"other": 1}, {"said": ""}, {"said": "the cat sat"}]
    rows += [{"said": "the dog ran " * 30}, {"said": "a big mat"}]
    data = "\n".join([*map(json.dumps, rows), "{broken"]).encode() + b"\n\xff\xfe"
    name = shelf.begin(asked_of(bert, ending=".jsonl", column="said"), data)
    read_corpus(*shelf.asked(name), lambda *_: None)
    over = overview(opened(shelf.find(name)))
    assert over.n_texts == 3
    said = " ".join(over.troubles)
    for words in ("1 line broken", "1 line not UTF-8", "1 line empty", "without the column"):
        assert words in said
    assert "the same as an earlier one" in said
    assert "One text was longer" in said


def test_how_far_a_run_is_is_told_with_its_rate_and_the_time_that_is_left():
    telling = Telling(1000)
    said, share = telling.of(Progress("Reading", 250, 5000, 4000, 8.0, 1))
    # 250 texts had 5,000 tokens: 750 have 15,000, at 500 a second.
    assert said == "Reading: 250 of about 1,000 texts, 500 tokens a second, 0:30 left"
    assert share == 0.25
    assert telling.of(Progress("Loading the model"))[1] is None
    assert (clock(59.6), clock(3723)) == ("1:00", "1:02:03")


# --- what is opened -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def places(bert, tmp_path_factory):
    """Folders as an operator may have them: a run, a tree, and some that are no good."""
    top = tmp_path_factory.mktemp("places")
    shelf = Shelf(top / "kept", "me", [])
    run = shelf.find(whole(bert, shelf)).path
    run.rename(top / "run")
    export(CorpusFolder(top / "run"), top / "tree")
    export(CorpusFolder(top / "run"), top / "bad")
    scatter = json.loads((top / "bad" / "scatter_data.json").read_text())
    scatter[1]["qk_distance"] = math.nan
    (top / "bad" / "scatter_data.json").write_text(json.dumps(scatter))
    return top


def test_runs_and_trees_below_the_operators_folders_are_listed_and_open(places, tmp_path):
    shelf = Shelf(tmp_path, "me", [str(places), str(places / "nowhere")])
    kinds = {one.name: one.kind for one in shelf.listed()}
    assert kinds == {SHIPPED: "sentences", "run": "run", "tree": "tree", "bad": "tree"}
    run, tree = (overview(opened(shelf.find(name))) for name in ("run", "tree"))
    assert tree.layers == run.layers
    assert tree.mean.shape[1:] == run.mean.shape[1:]
    of = tree.names.index("self_attention_score")
    tokens = CorpusFolder(places / "run").means_of_tokens()["self"]
    for i, layer in enumerate(tree.layers):
        for head in range(tree.n_heads):
            assert tree.mean[of, i, head] == pytest.approx(tokens[layer, head], abs=1e-6)
    assert np.isnan(tree.spread).all()


def test_two_folders_of_one_name_have_two_names(places, tmp_path):
    (tmp_path / "run").symlink_to(places / "tree")
    shelf = Shelf(tmp_path / "kept", "me", [str(places), str(tmp_path)])
    names = [one.name for one in shelf.listed()]
    assert len(set(names)) == len(names)
    assert "run~2" in names


def test_a_tree_with_a_head_beyond_all_models_is_refused(places, tmp_path):
    shelf = Shelf(tmp_path, "me", [str(places)])
    path = places / "tree" / "scatter_data.json"
    was = path.read_text()
    rows = json.loads(was)
    rows[0]["head"] = 2**30
    path.write_text(json.dumps(rows))
    try:
        with pytest.raises(ExplorerError, match="more heads than any model"):
            overview(opened(shelf.find("tree")))
    finally:
        path.write_text(was)


# --- what comes with the app ------------------------------------------------------------------


def test_the_corpus_that_comes_with_the_app_is_small_and_of_our_own_sentences():
    folder = Sentences()
    files = [path for path in folder.path.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2**20
    texts = list(folder.texts())
    names = blake2b(digest_size=16)
    for text in texts:
        names.update(text.name.to_bytes(8, "big"))
    assert len(texts) == MANY == folder.about["corpus"]["n_texts"]
    assert names.hexdigest() == folder.about["corpus"]["digest"]
    assert folder.about["model"]["source"] == "bert"


def test_its_figures_are_those_of_a_recount_of_a_sample():
    folder, texts = Sentences(), list(sentences(MANY))
    numbers, values = folder.drawn
    # The loop by hand knows no marks but these.
    plain = [
        row for row in range(len(numbers)) if re.fullmatch("[A-Za-z ,.]+", texts[numbers[row]])
    ]
    assert len(plain) >= 3
    for row in plain[:3]:
        trace = explorer.trace(texts[numbers[row]])
        np.testing.assert_allclose(values[row], by_hand(trace), **AGAINST_ALONE)
    # What was drawn by lot is a sample of all: its means are within four standard errors.
    heads, n = folder.heads, len(numbers)
    for m, name in enumerate(NAMES):
        known = ~np.isnan(values[:, m, 0, 0])
        if known.sum() < 20:
            continue
        off = np.abs(values[known, m].mean(axis=0) - heads.mean[m])
        assert (off <= 4.5 * heads.spread[m] / np.sqrt(known.sum()) + 1e-6).all(), (name, n)


def test_its_examples_show_the_heads_strongest_weights_in_them():
    folder, texts = Sentences(), list(sentences(MANY))
    example = folder.examples(0, 2, "previous")[0]
    assert example.parts == (texts[example.number],)
    weights = explorer.trace(example.parts[0]).weights[0, 2]
    for query, key, weight in example.pairs:
        assert weights[query, key] == pytest.approx(weight, abs=1e-5)
    assert example.pairs[0][2] == pytest.approx(weights.max(), abs=1e-5)


def test_a_file_of_conversations_is_read_as_its_template_writes_them(bert, shelf, tmp_path):
    save_talker(tmp_path)
    turns = [{"from": "human", "value": "the cat sat"}, {"from": "gpt", "value": "a mat"}]
    data = "\n".join(json.dumps({"said": row}) for row in (turns, [{"from": "tool"}])).encode()
    asked = asked_of(tmp_path, ending=".jsonl", column="said", chat=True)
    name = shelf.begin(asked, data)
    read_corpus(*shelf.asked(name), lambda *_: None)
    folder = opened(shelf.find(name))
    assert folder.text(0) == Text(0, ("user: the cat sat\nassistant: a mat",), chat=True)
    assert "1 line of which the turns are broken" in " ".join(overview(folder).troubles)
    name = shelf.begin(replace(asked, model=f"path:{bert}"), data)
    with pytest.raises(ExplorerError, match="has no chat template"):
        read_corpus(*shelf.asked(name), lambda *_: None)


# --- the page -----------------------------------------------------------------------------------


@pytest.fixture
def page(monkeypatch, tmp_path, places):
    monkeypatch.setenv("EXPLORER_CORPUS_DIR", str(tmp_path))
    monkeypatch.setenv("EXPLORER_MODEL_DIRS", os.pathsep.join([str(places)]))

    def opened_at(**query):
        test = AppTest.from_file(APP, default_timeout=60).switch_page("pages/heads.py")
        test.query_params.update(query)
        return test.run()

    return opened_at


def shown_on(test):
    found = [e.proto for e in test.get("bidi_component") if "corpus" in e.proto.component_name]
    return read(found[0].bytes)[0]


def said_on(test):
    return " ".join(text.value for text in test.text)


def test_the_page_shows_our_own_sentences_at_once(page):
    test = page(corpus="")
    head = shown_on(test)
    assert (head["name"], head["n_texts"], head["n_heads"]) == (SHIPPED, MANY, 12)
    assert not test.exception


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("bad", "qk_distance is no number"),
        ("nowhere", "There is no corpus “nowhere” here"),
        ("../../etc/passwd", "There is no corpus “../../etc/passwd” here"),
        ("reviews-0123456789ab", "There is no corpus"),
    ],
)
def test_what_cannot_be_opened_is_said_and_the_page_goes_on(page, name, says):
    test = page(corpus=name)
    assert says in said_on(test)
    assert shown_on(test)["waits"]
    assert not test.exception


def test_a_corpus_without_texts_and_one_for_a_layer_of_ours_are_refused(page):
    test = page(corpus="sentences")
    test.button(key="corpus_start").click().run()
    assert "Which texts? Choose a file, or paste some lines." in said_on(test)
    test.selectbox(key="kind").set_value("scratch").run()
    test.text_area(key="corpus_lines").set_value("the cat").run()
    test.button(key="corpus_start").click().run()
    assert "A corpus is read by a pretrained model" in said_on(test)
    assert not test.exception


@pytest.mark.parametrize(
    "sent",
    [None, 3, [], {"layer": "x"}, {"layer": 1e300, "head": -1}, {"layer": True, "head": 1.5}],
)
def test_a_wish_that_cannot_be_is_none(sent):
    wish = wish_of(sent)
    assert wish is None or (wish.layer, wish.head) == (None, None)


def test_a_wish_names_a_folder_and_never_a_path():
    wish = wish_of({"layer": 1, "head": 2.0, "measure": "previous", "beside": "../x"})
    assert wish
    assert (wish.layer, wish.head, wish.measure, wish.beside) == (1, 2, "previous", "")
