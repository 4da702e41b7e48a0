"""Models that fail in the middle, memory that runs short, and any text at all."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import explorer
from explorer.errors import ExplorerError
from explorer.instrument.wire.trace import pack
from explorer.run import Run, is_blank
from explorer.source import Embedded, Scratch
from explorer.sources import memory, silent, trace_run
from explorer.sources.forward import attend
from explorer.sources.loading import load_model
from explorer.sources.tokens import read, read_texts
from explorer.visible import marks_in
from tests.models.tiny import tiny_model, tiny_writer

# Sorts of characters that have broken programs: each list is drawn from as often as the others.
KNOCKS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.characters(categories=["Cs"]),
    st.characters(categories=["Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs"]),
    st.characters(categories=["Mn", "Me", "Sk"]),
    st.sampled_from(
        ["[SEP]", "[CLS]", "[MASK]", "[UNK]", "[PAD]", "</s>", "<script>", "$x$", "**b**", "\r\n"]
    ),
    st.sampled_from(
        ["👨‍👩‍👧", "🏴\U000e0067\U000e007f", "e\u0301\u0327", "ﷺ", "Ａ１", "שלום", "می‌خواهم"]
    ),
    st.text("abc猫 ", max_size=30),
)
TEXTS = st.lists(KNOCKS, min_size=1, max_size=30).map("".join)


def check(trace, run):
    """What must hold of every trace."""
    n = len(trace.query_tokens)
    assert trace.weights.shape[2:] == (n, n)
    assert np.allclose(trace.weights.sum(-1), 1, atol=1e-4)
    for token in trace.query_tokens:
        assert marks_in(token.text) == {}, "what cannot be seen is shown as a mark"
        assert not set("\n\r\t") & set(token.text)
        assert token.text.strip() or token.text == "␣"
        if token.span:
            start, end = token.span
            assert 0 <= start < end <= len(run.texts[token.segment])
    spans = [(t.segment, *t.span) for t in trace.query_tokens if t.span]
    assert spans == sorted(spans), "tokens stand in the order of the text"
    pack(trace, trace_id="x", layers=[0], link=run.to_query()).decode("utf-8", "ignore")


@pytest.mark.parametrize("source", [Embedded(), Scratch()], ids=["bert", "scratch"])
def test_any_text_is_read_with_its_characters_in_place_or_refused_in_words(source):
    @settings(max_examples=400)
    @given(TEXTS, st.none() | TEXTS)
    def holds(text, second):
        try:
            run = Run(text, second, source)
            trace = trace_run(run)
        except ExplorerError as error:
            assert is_blank(text) or "no token" in str(error) or "no word" in str(error)  # noqa: PT017
            return
        check(trace, run)

    holds()


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("x [SEP] y", "[SEP]"),
        ("x [MASK] y", "[MASK]"),
        ("\ufeffcat", "cat"),
        ("ｃａｔ", "[UNK]"),
        ("ca\u0301t", "cat"),
        ("cat\0", "cat"),
    ],
)
def test_what_the_tokenizer_makes_of_it_is_what_is_shown(text, token):
    trace = explorer.trace(text)
    found = next(t for t in trace.query_tokens if t.text == token and t.span)
    assert text[slice(*found.span)].strip("\0\ufeff")


def test_a_text_of_special_tokens_alone_is_shown_as_such():
    trace = explorer.trace("[SEP] [SEP]")
    assert [t.text for t in trace.query_tokens] == ["[CLS]", "[SEP]", "[SEP]", "[SEP]"]
    assert all(t.special for t in trace.query_tokens)


def test_as_many_characters_as_are_taken_are_read_and_the_rest_is_counted():
    trace = explorer.trace("word " * 39_999)
    assert len(trace.query_tokens) == 512
    assert trace.n_cut == (39_999 - 510,)


# --- models that fail ---------------------------------------------------------------------------


def test_a_tokenizer_without_offsets_reads_one_text_and_says_so_of_two(tmp_path):
    loaded = load_model(Embedded(), silent)
    slow = replace(loaded, tokenizer=tiny_writer("Marian", tmp_path))
    assert [t.span for t in read_texts(slow, ("the cat",)).tokens if t.span]
    with pytest.raises(ExplorerError, match="reads one text, not two"):
        read_texts(slow, ("the cat", "a dog"))


def test_a_tokenizer_that_panics_is_a_sentence():
    class PanicException(BaseException):  # the name that Rust's panics have
        """Not an Exception: what a tokenizer's Rust code raises."""

    class Tokenizer:
        is_fast = True

        def __call__(self, *texts, **options):
            raise PanicException

    broken = replace(load_model(Embedded(), silent), tokenizer=Tokenizer())
    with pytest.raises(ExplorerError, match="failed on this text"):
        read(broken, ("the cat",))


def test_a_model_without_attention_is_refused():
    def network(**inputs):
        return SimpleNamespace(attentions=(), hidden_states=())

    loaded = load_model(Embedded(), silent)
    reading = read(loaded, ("the cat",))
    with pytest.raises(ExplorerError, match="returns no attention"):
        attend(replace(loaded, network=network), reading.inputs, len(reading.tokens))


# --- memory -------------------------------------------------------------------------------------


def test_what_does_not_fit_in_memory_is_refused_before_it_is_taken(tmp_path, monkeypatch):
    folder = tiny_model("Model", tmp_path)
    monkeypatch.setattr(memory, "available", lambda: 10_000)
    with pytest.raises(ExplorerError, match=r"takes about .* GB of memory, and .* are free"):
        explorer.trace("the cat", source=f"path:{folder}")
    monkeypatch.setattr(memory, "available", lambda: 400_000)
    assert explorer.trace("the cat", source=f"path:{folder}").weights.shape[0] == 2
    with pytest.raises(ExplorerError, match="The attention of 512 tokens takes about"):
        explorer.trace("word " * 600)


def test_the_memory_that_is_left_is_never_more_than_the_machine_has():
    import psutil

    assert 0 < memory.available() <= psutil.virtual_memory().total


NEW = ("memory.max", "memory.current", "inactive_file")
OLD = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


@pytest.mark.parametrize(("tree", "names"), [("", NEW), ("memory", OLD)], ids=["v2", "v1"])
@pytest.mark.parametrize("place", [".", "system/app", "system"])
def test_a_container_with_less_memory_than_the_machine_is_believed(
    tmp_path, monkeypatch, tree, names, place
):
    own = tmp_path / "own"
    own.write_text(f"4:{'cpu,memory' if tree else ''}:/system/app\n")
    group = tmp_path / tree / place
    group.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "_OWN", own)
    most, used, spare = names
    (group / most).write_text("1000000")
    (group / used).write_text("400000")
    (group / "memory.stat").write_text(f"cache 7\n{spare} 100000\n")
    assert memory.available() == 700_000  # what is only remembered of files can be let go
    (group / most).write_text("max")
    assert memory.available() > 700_000


def test_a_loaded_model_is_had_at_once_while_another_is_being_loaded():
    from explorer.sources import loading

    load_model(Embedded(), silent)
    with loading._loading, ThreadPoolExecutor(1) as other:
        assert other.submit(load_model, Embedded(), silent).result(10).info.n_heads == 12


def test_models_share_a_bounded_memory_and_the_last_one_used_stays(tmp_path, monkeypatch):
    from explorer.source import Folder
    from explorer.sources import loading

    monkeypatch.setattr(loading, "_loaded", type(loading._loaded)())
    monkeypatch.setattr(loading, "MODELS_MB", 0)
    sources = []
    for name in "ab":
        (tmp_path / name).mkdir()
        sources.append(Folder(str(tiny_model("Model", tmp_path / name))))
        load_model(sources[-1], silent)
    assert list(loading._loaded) == [sources[1]]
    assert loading._loaded[sources[1]].nbytes > 1000


def test_texts_that_one_tokenizer_reads_at_once_are_each_cut_as_they_must_be():
    texts = [f"word {i} " * 8000 for i in range(4)] + [f"a short {i}" for i in range(12)]
    with ThreadPoolExecutor(8) as many:
        found = list(many.map(lambda text: len(explorer.trace(text).tokens), texts))
    assert found == [512] * 4 + [5] * 12


def test_the_finder_runs_the_model_once_for_each_text_however_many_the_pairs(monkeypatch):
    from explorer.ui import work

    read = []
    monkeypatch.setattr(
        work, "trace_run", lambda run, progress: read.append(run.text) or explorer.trace(run.text)
    )
    lines = work.Surveying(Run("The cat sat.\nThe dog ran.\nA bird sang."), by_line=True)
    pairs = tuple((text, query, key) for text in (2, 0) for query in (1, 2) for key in (1, 2, 3))
    found = work.do(work.Finding(lines, pairs), silent)
    assert read == ["The cat sat.", "A bird sang."]
    cells = [explorer.trace(read[text == 2]).weights[..., q, k] for text, q, k in pairs]
    assert np.abs(found.weight - np.mean(cells, axis=0)).max() < 1e-6
