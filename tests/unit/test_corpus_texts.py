"""Texts come out of files one by one; whatever is wrong with some is counted and said."""

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explorer.conversation import Turn, turns_of
from explorer.corpus.sketch import Bins
from explorer.corpus.sums import first_of, lot
from explorer.corpus.texts import Corpus, Troubles
from explorer.errors import ExplorerError
from explorer.limits import MAX_CHARACTERS


def read(*given, **options):
    troubles = Troubles()
    corpus = Corpus(*given, **options)
    return [t.parts for t in corpus.texts(troubles)], troubles.sentences(corpus.unit)


def test_a_text_file_has_a_text_a_line(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes("\ufeffone\r\ntwo\n\n  \nnaïve\n".encode() + b"caf\xe9\none\nlast")
    texts, said = read(file)
    assert texts == [("one",), ("two",), ("naïve",), ("last",)]
    assert said == [
        "2 lines empty, skipped (first: line 3).",
        "1 line not UTF-8, skipped (first: line 6).",
        "1 line the same as an earlier one, skipped (first: line 7).",
    ]


def test_a_million_characters_are_cut_and_said(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("x" * 1_000_000 + "\nshort\n", "utf-8")
    texts, said = read(file)
    assert [len(t[0]) for t in texts] == [MAX_CHARACTERS, 5]
    assert said == [f"1 line cut to {MAX_CHARACTERS:,} characters (first: line 1)."]


def test_jsonl_has_an_object_a_line(tmp_path):
    file = tmp_path / "a.jsonl"
    rows = ['{"text": "one", "n": 1}', "{broken", '"plain"', '{"other": 1}', '{"text": 7}', "[1]"]
    rows += [json.dumps({"text": "\ud800"}), '{"text": null}']
    file.write_text("\n".join(rows), "utf-8")
    texts, said = read(file)
    assert texts == [("one",), ("plain",)]
    assert [s.partition("(")[0].strip() for s in said] == [
        "2 lines broken, skipped",
        "1 line without the column, skipped",
        "1 line of which the column holds no text, skipped",
        "1 line not UTF-8, skipped",
        "1 line empty, skipped",
    ]


def test_csv_has_a_named_column_and_a_second_one_for_pairs(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text('id,q,a\n1,"one, two","x\ny"\n2,three\n3,four,z\n', "utf-8")
    texts, said = read(file, column="q", second="a")
    assert texts == [("one, two", "x\ny"), ("four", "z")]
    assert said == ["1 row broken, skipped (first: row 3)."]


def test_parquet_is_read_some_rows_at_a_time(tmp_path):
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["one", None, "two"], "n": [1, 2, 3]}), file)
    assert read(file) == ([("one",), ("two",)], ["1 row empty, skipped (first: row 2)."])
    assert Corpus(file, limit=2).about_how_many() == 2


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"title,body\na,b\n", "There is no column “text” in this file. It has: “title”"),
        ("a.jsonl", b'{"body": "a"}\n', "There is no column “text”"),
        ("a.txt", "one\n".encode("utf-16"), "is UTF-16. Save it as UTF-8"),
        ("a.parquet", b"PAR1", "cannot be read"),
        ("a.pdf", b"%PDF", "of no kind that is read here"),
        (None, None, "There is no file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, content, says):
    file = tmp_path / (name or "nothing.txt")
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ExplorerError, match=says):
        read(file)


def test_a_second_text_needs_a_column():
    with pytest.raises(ExplorerError, match="a column of its own"):
        Corpus(None, second="b", lines=["a"])


def test_a_limit_counts_the_texts_that_count():
    assert read(None, limit=2, lines=["", "a", "a", "b", "c"])[0] == [("a",), ("b",)]


# — conversations —

TURNS = [("user", "the cat\nsat"), ("assistant", "a mat")]
ROLES = [{"role": role, "content": content} for role, content in TURNS]
SHARED = [{"from": "human", "value": " the cat\nsat "}, {"from": "gpt", "value": "a mat"}]
WRITTEN = "user: the cat\nsat\nassistant: a mat"


def write(path, rows):
    if path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps({"text": row}) for row in rows), "utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["text"], *([json.dumps(row)] for row in rows)])
    else:
        pq.write_table(pa.table({"text": rows}), path)
    return path


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("turns", [ROLES, SHARED])
def test_lists_of_turns_become_turns_as_a_reader_writes_them(tmp_path, ending, turns):
    other = [dict.fromkeys(turns[0], "user") | {list(turns[0])[1]: "and?"}]
    file = write(tmp_path / f"a.{ending}", [turns, other, turns])
    texts, said = read(file, chat=True)
    assert texts == [(WRITTEN,), ("user: and?",)]
    assert len(said) == 1
    assert "the same as an earlier one" in said[0]
    assert turns_of(WRITTEN) == tuple(Turn(*turn) for turn in TURNS)


def test_a_conversation_that_is_written_is_the_same_as_its_list(tmp_path):
    text = "the cat\nsat\n\nASSISTANT:  a mat\n"
    assert read(write(tmp_path / "a.jsonl", [text, ROLES]), chat=True)[0] == [(WRITTEN,)]


def test_broken_turns_are_counted_and_said(tmp_path):
    tool, no_words = {"role": "tool", "content": "x"}, {"role": "user", "content": None}
    unclear = [{"role": "user", "content": "so:\nAssistant: he said"}]
    empty = [{"role": "user", "content": " "}]
    rows = [[*ROLES, tool], [no_words], ["hi"], 7, ROLES[0], "[{'role': 'user'}]"]
    file = write(tmp_path / "a.jsonl", [*rows, unclear, [], None, empty, ROLES])
    assert read(file, chat=True) == (
        [(WRITTEN,)],
        [
            "6 lines of which the turns are broken, skipped (first: line 1).",
            "1 line in which a line within a turn begins with “user:” or another speaker, as a new "
            "turn does, skipped (first: line 7).",
            "3 lines empty, skipped (first: line 8).",
        ],
    )


def test_turns_that_are_read_as_texts_are_said_with_what_to_do(tmp_path):
    texts, (said,) = read(write(tmp_path / "a.parquet", [ROLES]))
    assert texts == []
    assert "1 row of which the column holds turns, skipped (first: row 1)" in said
    assert "--chat" in said


def test_a_long_conversation_is_cut_within_a_turn(tmp_path):
    turns = [{"role": "user", "content": "x" * 150_000}] * 3
    texts, said = read(write(tmp_path / "a.parquet", [turns]), chat=True)
    found = turns_of(texts[0][0])
    assert [turn.role for turn in found] == ["user", "user"]
    assert len(texts[0][0]) <= MAX_CHARACTERS
    assert said == [f"1 row cut to {MAX_CHARACTERS:,} characters (first: row 1)."]


def test_a_small_parquet_file_with_a_long_turn_many_times_is_read_turn_by_turn(tmp_path):
    many, long = 100, "x" * 5_000_000
    words = pa.DictionaryArray.from_arrays(pa.array([0] * many, pa.int32()), [long])
    turns = pa.StructArray.from_arrays([pa.array(["user"] * many), words], ["role", "content"])
    lists = pa.ListArray.from_arrays(pa.array([0, many], pa.int32()), turns)
    pq.write_table(pa.table({"text": lists}), tmp_path / "a.parquet", compression="zstd")
    texts, _ = read(tmp_path / "a.parquet", chat=True)
    assert len(texts[0][0]) <= MAX_CHARACTERS  # 500 MB, if all were unpacked


def test_a_conversation_has_no_second_text(tmp_path):
    with pytest.raises(ExplorerError, match="A conversation is one text"):
        read(write(tmp_path / "a.jsonl", [ROLES]), second="b", chat=True)


# — the sketch —


def test_merged_sketches_are_the_sketch_of_all():
    bins, rng = Bins(1e-5, 1.0), np.random.default_rng(0)
    values = rng.beta(0.3, 5, 4000)
    whole = np.bincount(bins.of(values), minlength=256)
    halves = sum(np.bincount(bins.of(v), minlength=256) for v in (values[:900], values[900:]))
    assert (whole == halves).all()
    shares = np.arange(1, 20) / 20
    found = bins.quantiles(whole, shares)
    wanted = np.quantile(values, shares)
    np.testing.assert_allclose(found, wanted, rtol=bins.factor - 1, atol=bins.low)
    seen = wanted > bins.low  # what is smaller has no place of its own in its bin
    np.testing.assert_allclose(bins.ranks(whole, wanted)[seen], shares[seen], atol=0.01)


def test_bins_begin_and_end_where_they_say():
    bins = Bins(1e-2, 1e5)
    assert bins.of(np.array([0.0, 0.009, 1e5, 1e9])).tolist() == [0, 0, 255, 255]
    inner = (bins.edges[:-1] * bins.edges[1:]) ** 0.5
    assert bins.of(inner).tolist() == list(range(1, 255))
    counts = np.zeros(256, dtype=np.int64)
    assert np.isnan(bins.quantiles(counts, np.array([0.5]))).all()
    counts[0] = 9
    assert bins.quantiles(counts, np.array([0.1, 0.9])).tolist() == [0, 0]


def test_a_lot_draws_evenly_and_by_its_seed():
    drawn = np.array([lot(name, 0) / 2**64 for name in range(4000)])
    assert abs(np.histogram(drawn, 10, (0, 1))[0] - 400).max() < 100  # five standard deviations
    assert lot(5, 0) != lot(5, 1)


def test_the_largest_come_first_and_equal_ones_by_name():
    values = np.array([[0.5, np.nan, 0.9, 0.5, 0.5, 0.1]], dtype=np.float32)
    names = np.array([[7, 1, 9, 3, 5, 2]], dtype=np.uint64)
    found = first_of(values, np.arange(6)[None], names)
    assert found[1].tolist() == [[2, 3, 4, 0]]
    few = first_of(values[:, :2], np.arange(2)[None], names[:, :2])
    assert few[1].tolist() == [[0, -1, -1, -1]]


def test_a_small_parquet_file_with_a_long_text_many_times_is_read_text_by_text(tmp_path):
    many, long = 300, "x" * 5_000_000
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * many + [1], pa.int32()), [long, "end"])
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 20_000  # 1.5 GB, if all were unpacked
    troubles = Troubles()
    found = list(Corpus(tmp_path / "a.parquet").texts(troubles))
    assert [len(text.parts[0]) for text in found] == [MAX_CHARACTERS, 3]
    assert troubles.counts["duplicate"] == many - 1


def test_a_parquet_file_whose_rows_unpack_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("explorer.corpus.texts._GROUP", 2**20)
    pq.write_table(pa.table({"text": ["x" * 2**21]}), tmp_path / "a.parquet")
    with pytest.raises(ExplorerError, match="Row group 1 of this file unpacks to 2 MB"):
        list(Corpus(tmp_path / "a.parquet").texts(Troubles()))
