"""A file that says this app has saved it: each value in it is checked, whoever has written it."""

import dataclasses
import io
import json
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from explorer import export
from explorer.analysis.comparison import compare, findings
from explorer.errors import ExplorerError
from explorer.instrument.pack import pack
from explorer.sources.own import own_weights
from explorer.sources.stored import _MODEL, MAX_NAME, read_npz
from explorer.trace import AttentionTrace, ModelInfo, Patches, Token


def png_of(width=2, height=2):
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    return out.getvalue()


def trace_of(patches=None):
    """Two texts of two tokens each, or a picture of four patches; and marks."""
    if patches:
        tokens = (Token("[CLS]", None, None, 0, True),)
        tokens += tuple(Token(f"0·{i}", None, i, 0, False) for i in range(4))
    else:
        words = [("The", 0, 3, 0), ("cat", 4, 7, 0), ("A", 0, 1, 1), ("dog", 2, 5, 1)]
        tokens = (Token("[CLS]", None, None, 0, True),)
        tokens += tuple(Token(w, (a, b), i, s, False) for i, (w, a, b, s) in enumerate(words))
    weights = np.random.default_rng(0).dirichlet(np.ones(5), (2, 2, 5)).astype(np.float32)
    texts = ("",) if patches else ("The cat", "A dog")
    info = ModelInfo("m", None, 2, 2, 8, 512, "[UNK]")
    return AttentionTrace(info, texts, tokens, tokens, weights, (0,) * len(texts), patches)


def arrays_of(trace):
    return dict(np.load(io.BytesIO(export.to_npz(trace))))


TEXT = arrays_of(trace_of())
PICTURE = arrays_of(trace_of(Patches(png_of(), 2, 2)))


def saved(arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def with_about(path, value, arrays=TEXT):
    """The file with one value of its JSON exchanged."""
    about = json.loads(str(arrays["about"]))
    place = about
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return saved(arrays | {"about": np.array(json.dumps(about))})


@pytest.mark.parametrize("trace", [trace_of(), trace_of(Patches(png_of(), 2, 2))])
def test_a_saved_trace_of_text_or_picture_comes_back_bit_for_bit(trace):
    again = read_npz(io.BytesIO(export.to_npz(trace)))
    assert np.array_equal(again.weights, trace.weights)
    for field in dataclasses.fields(trace):
        if field.name != "layers":
            assert getattr(again, field.name) == getattr(trace, field.name)


def test_every_field_of_a_model_is_checked_when_it_is_read():
    assert {field.name for field in dataclasses.fields(ModelInfo)} == set(_MODEL)


def test_fields_that_another_version_has_written_are_left_out():
    assert read_npz(io.BytesIO(with_about(["model", "colour"], [[1]]))).model.name == "m"


def test_a_word_as_long_as_the_text_does_not_take_its_length_for_every_token():
    long = "a" * 190_000
    tokens = tuple(Token(t, None, i, 0, False) for i, t in enumerate([long, *"b" * 511]))
    weights = np.full((1, 1, 512, 512), 1 / 512, np.float32)
    info = ModelInfo("m", None, 1, 1, 8, 512)
    trace = AttentionTrace(info, (long,), tokens, tokens, weights)
    arrays = arrays_of(trace)
    assert arrays["query_tokens"].nbytes == 4 * 512 * MAX_NAME
    assert arrays["query_tokens"][0] == "a" * MAX_NAME


WRONG = {
    "model of another kind": (["model"], "bert"),
    "no model": (["model"], None),
    "a name that is a list": (["model", "name"], ["x"]),
    "a name of half a character": (["model", "name"], "\ud800"),
    "a name of all letters": (["model", "name"], "x" * 10**6),
    "a part that is a list": (["model", "part"], ["cross"]),
    "a part that there is none of": (["model", "part"], "middle"),
    "layers beyond all": (["model", "n_layers"], 10**9),
    "layers with a fraction": (["model", "n_layers"], 2.0),
    "layers that are true": (["model", "n_layers"], True),
    "other layers": (["model", "n_layers"], 3),
    "tokens below nothing": (["model", "max_tokens"], -1),
    "a width that is a text": (["model", "d_model"], "8"),
    "texts that are a text": (["texts"], "The cat"),
    "a text of half a character": (["texts"], ["The cat\udfff", "A dog"]),
    "a text too few": (["texts"], ["The cat"]),
    "a text too short": (["texts"], ["The", "A dog"]),
    "a text too long": (["texts"], ["The cat" * 10**5, "A dog"]),
    "three texts": (["texts"], ["The cat", "A dog", "x"]),
    "cuts with fractions": (["n_cut"], [0.5, 0]),
    "cuts that are true": (["n_cut"], [True, False]),
    "cuts below nothing": (["n_cut"], [-1, 0]),
    "cuts of one": (["n_cut"], [0]),
    "patches that are a number": (["patches"], 4),
    "patches below nothing": (["patches"], [-2, -2]),
    "patches with fractions": (["patches"], [2.0, 2.0]),
    "other patches": (["patches"], [3, 3]),
    "patches and no picture": (["patches"], [2, 2]),
}


@pytest.mark.parametrize(("path", "value"), WRONG.values(), ids=WRONG)
def test_a_saved_file_with_one_value_exchanged_is_refused_with_what_is_wrong(path, value):
    with pytest.raises(ExplorerError, match=r"its parts do not fit together: .+\. It is damaged"):
        own_weights(with_about(path, value), "mine")


ABOUT = {
    "a list in a list in a list": "[" * 5000 + "]" * 5000,
    "a million numbers": json.dumps([0] * 600_000),
    "a number": "7",
    "no JSON": "{",
    "nothing": "",
}


@pytest.mark.parametrize("about", ABOUT.values(), ids=ABOUT)
def test_json_that_is_no_description_is_refused(about):
    with pytest.raises(ExplorerError, match="“about” is not what it should be"):
        own_weights(saved(TEXT | {"about": np.array(about)}), "mine")


ARRAYS = {
    "spans with fractions": ("query_spans", np.full((5, 2), 0.5)),
    "spans that leave the text": ("key_spans", np.full((5, 2), 99)),
    "spans that end before they begin": ("key_spans", np.array([[3, 1]] * 5)),
    "half a span": ("key_spans", np.array([[-1, 3]] * 5)),
    "spans of unsigned numbers": ("key_spans", np.full((5, 2), 2**63, np.uint64)),
    "special that is a text": ("query_special", np.array(["no"] * 5)),
    "special that is a number": ("query_special", np.array([2] * 5)),
    "segments beyond the texts": ("query_segments", np.array([7] * 5)),
    "segments below nothing": ("query_segments", np.array([-1] * 5)),
    "words beyond all": ("query_words", np.array([2**40] * 5)),
    "words with fractions": ("query_words", np.full(5, np.nan)),
    "tokens of bytes": ("query_tokens", np.array([b"x"] * 5)),
    "tokens of half characters": ("query_tokens", np.array(["\ud800"] * 5)),
    "tokens in a square": ("query_tokens", np.full((5, 5), "x")),
    "a token too few": ("query_tokens", np.array(["x"] * 4)),
    "weights that are true": ("weights", np.ones((2, 2, 5, 5), bool)),
    "weights that are complex": ("weights", np.ones((2, 2, 5, 5), complex)),
}


@pytest.mark.parametrize(("name", "array"), ARRAYS.values(), ids=ARRAYS)
def test_a_saved_file_with_one_array_exchanged_is_refused_with_what_is_wrong(name, array):
    with pytest.raises(ExplorerError, match=r"its parts do not fit together: .+\. It is damaged"):
        own_weights(saved(TEXT | {name: array}), "mine")


def test_spans_that_each_cover_a_long_text_are_refused():
    n = 64
    spans = np.array([[0, 100_000]] * n)
    side = {"tokens": np.array(["x"] * n), "spans": spans, "words": np.arange(n)}
    side |= {"segments": np.zeros(n, int), "special": np.zeros(n, bool)}
    arrays = {
        f"{which}_{name}": array for which in ("query", "key") for name, array in side.items()
    }
    arrays |= {"weights": np.full((2, 2, n, n), 1 / n, np.float32)}
    about = json.loads(str(TEXT["about"])) | {"texts": ["x" * 100_000], "n_cut": [0]}
    with pytest.raises(ExplorerError, match="covers its text many times"):
        own_weights(saved(arrays | {"about": np.array(json.dumps(about))}), "mine")


def large_png():
    """A PNG whose beginning says that it has 10^10 pixels."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (b"hello", "no PNG, or it is damaged"),
        (b"GIF89a\1\0\1\0\0\0\0;", "no PNG, or it is damaged"),
        (png_of()[:-30], "no PNG, or it is damaged"),
        (large_png(), "100,000 × 100,000 pixels, more than models see"),
    ],
)
def test_a_saved_picture_that_is_none_or_too_large_is_refused(picture, words):
    with pytest.raises(ExplorerError, match=words):
        own_weights(saved(PICTURE | {"picture": np.frombuffer(picture, np.uint8)}), "mine")


strange = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 6),
    st.sampled_from([2**31, -(2**63), 10**400, 1e308, 0.5, [], {}, [[]], [0, 0], {"a": []}]),
    st.text(max_size=8),
    st.sampled_from(["\ud800", "\0", "cross", "x" * 5000, "</script>"]),
    st.lists(st.text(max_size=4), max_size=3),
)
places = st.sampled_from(
    [["texts"], ["texts", 0], ["texts", 1], ["n_cut"], ["n_cut", 0], ["patches"], ["model"]]
    + [["model", name] for name in [*_MODEL, "other"]]
    + [["versions"], ["other"]]
)
kinds = st.sampled_from(["<f4", "<f2", "<f8", "<i8", "<i4", "|u1", "|b1", "<U3", "|S3", "<c16"])
shapes = st.sampled_from([(), (0,), (1,), (5,), (5, 2), (2, 5), (2, 2, 5, 5), (5, 5), (1, 1, 1, 1)])
numbers = st.sampled_from([0, 1, -1, 2, 7, 0.2, 100])


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([TEXT, PICTURE]),
    st.one_of(
        st.tuples(places, strange),
        st.tuples(st.sampled_from(sorted(PICTURE)), kinds, shapes, numbers),
        st.tuples(st.sampled_from(sorted(PICTURE)), st.integers(0, 60), st.integers(0, 255)),
    ),
)
def test_a_changed_file_is_refused_in_words_or_can_be_shown_compared_and_saved(arrays, change):
    if isinstance(change[0], list):
        try:
            data = with_about(*change, arrays)
        except (IndexError, KeyError, TypeError):
            return  # this file has no such place
    elif len(change) == 4:
        name, kind, shape, number = change
        data = saved(arrays | {name: np.full(shape, number).astype(kind)})
    elif change[0] in arrays:
        name, place, byte = change
        bytes_ = bytearray(arrays[name].tobytes())
        bytes_[place % len(bytes_)] = byte
        array = np.frombuffer(bytes(bytes_), arrays[name].dtype).reshape(arrays[name].shape)
        data = saved(arrays | {name: array})
    else:
        return
    try:
        trace = own_weights(data, "mine").trace
    except ExplorerError as error:
        assert "\ud800" not in str(error)  # noqa: PT017
        return
    assert pack(trace, trace_id="x", layers=range(trace.model.n_layers))
    assert read_npz(io.BytesIO(export.to_npz(trace))).texts == trace.texts
    assert export.to_html(trace)
    if trace.query_tokens == trace.key_tokens:
        try:
            assert findings(compare(trace, trace))
        except ExplorerError:
            return
