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
from explorer.instrument.wire.trace import pack
from explorer.layers import FromScores, GivenWeights, ScoreRule
from explorer.sources.own import own_weights, trace_of_file
from explorer.sources.stored import _MODEL, MAX_NAME, read_npz
from explorer.trace import AttentionTrace, ModelInfo, Passport, Patches, Token


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


def scores_of(**rule):
    """Two layers, numbered 1 and 4, of two heads and one key head: kept as q, k and a rule."""
    tokens = tuple(Token(f"t{i}", (2 * i, 2 * i + 1), i, 0, False) for i in range(N))
    rng = np.random.default_rng(0)
    layers = [
        FromScores(
            number,
            rng.normal(size=(2, N, 2)).astype(kind),
            rng.normal(size=(1, N, 2)).astype(kind),
            ScoreRule(**({"scale": 0.5} | rule)),
        )
        for number, kind in ((1, np.float32), (4, np.float16))
    ]
    passport = Passport("scores", 64, 1e-8, 2e-7)
    info = ModelInfo("m", None, 2, 2, 8, 512, passport=passport, notes=("n",))
    return AttentionTrace(info, ("x " * N,), tokens, tokens, layers)


def arrays_of(trace):
    return dict(np.load(io.BytesIO(export.to_npz(trace))))


N = 24
CAUSAL = np.stack([np.zeros(N), np.arange(1, N + 1)], -1).astype(np.int32)
RULES = {
    "plain": {},
    "capped": {"cap": 3.0},
    "masked": {"allowed": CAUSAL},
    "with offsets": {"offsets": np.linspace(-1, 1, 4 * N - 2, dtype=np.float32).reshape(2, -1)},
    "with sinks": {"sinks": np.array([0.5, -1], np.float32)},
    "with holes": {"added": np.where(np.eye(N), -np.inf, 0).astype(np.float32)[None]},
}
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


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_trace_kept_from_scores_comes_back_bit_for_bit(rule):
    trace = scores_of(**rule)
    data = export.to_npz(trace)
    again = read_npz(io.BytesIO(data))
    for one, other in zip(again.layers, trace.layers, strict=True):
        assert one.number == other.number
        for name in ("q", "k"):
            same = getattr(one, name), getattr(other, name)
            assert np.array_equal(*same)
            assert same[0].dtype == same[1].dtype
        for field in dataclasses.fields(ScoreRule):
            assert np.array_equal(getattr(one.rule, field.name), getattr(other.rule, field.name))
        assert np.array_equal(one.weights(), other.weights())
    assert (again.model, again.query_tokens) == (trace.model, trace.query_tokens)
    assert "weights" not in np.load(io.BytesIO(data)).files
    assert own_weights(data, "mine").trace.model == trace.model


def test_few_tokens_are_saved_as_weights_under_the_models_own_numbers():
    trace = scores_of()
    few = dataclasses.replace(
        trace,
        query_tokens=trace.query_tokens[:2],
        key_tokens=trace.key_tokens[:2],
        layers=[FromScores(a.number, a.q[:, :2], a.k[:, :2], a.rule) for a in trace.layers],
    )
    again = read_npz(io.BytesIO(export.to_npz(few)))
    assert again.numbers == (1, 4)
    assert np.array_equal(again.weights, few.weights)
    assert isinstance(again.layers[0], GivenWeights)


def test_a_mask_that_layers_share_is_saved_once():
    arrays = arrays_of(scores_of(allowed=CAUSAL))
    assert [name for name in arrays if name.startswith("allowed")] == ["allowed_1"]


def test_layers_of_both_forms_are_saved_together():
    trace = scores_of()
    given = GivenWeights(2, np.full((2, N, N), 1 / N, np.float32))
    model = dataclasses.replace(trace.model, n_layers=3)
    both = dataclasses.replace(trace, model=model, layers=[trace.layers[0], given, trace.layers[1]])
    again = read_npz(io.BytesIO(export.to_npz(both)))
    assert [type(layer) for layer in again.layers] == [FromScores, GivenWeights, FromScores]
    assert np.array_equal(again.weights, both.weights)


def test_a_file_from_before_layers_had_numbers_opens():
    about = json.loads(str(TEXT["about"]))
    del about["layers"]
    old = own_weights(saved(TEXT | {"about": np.array(json.dumps(about))}), "mine").trace
    assert old.numbers == (0, 1)
    assert np.array_equal(old.weights, TEXT["weights"])


def test_a_saved_trace_that_takes_long_to_compute_is_refused_to_pages_alone():
    n = 1100
    tokens = tuple(Token("t", None, None, 0, False) for _ in range(n))
    q = np.ones((1, n, 1), np.float32)
    info = ModelInfo("m", None, 1, 1, 8, 2048)
    layers = [FromScores(0, q, q, ScoreRule(1.0))]
    data = export.to_npz(AttentionTrace(info, ("x",), tokens, tokens, layers))
    with pytest.raises(
        ExplorerError, match=r"\[1, 1, 1100, 1100\]; at most 1,024 tokens on a side"
    ):
        own_weights(data, "mine")
    assert trace_of_file(data, "mine").rows(0, 0, [5])[0, 0] == np.float32(1 / n)


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


SCORES = arrays_of(scores_of(allowed=CAUSAL, sinks=np.zeros(2, np.float32)))
WRONG_LAYERS = {
    "layers that are a number": (["layers"], 2),
    "no layers": (["layers"], []),
    "a layer too few": (["layers"], [{}]),
    "layers of numbers": (["layers"], [1, 4]),
    "a layer without a number": (["layers", 1, "number"], None),
    "a number below nothing": (["layers", 0, "number"], -1),
    "numbers that fall": (["layers", 0, "number"], 4),
    "no scale": (["layers", 0, "scale"], None),
    "a scale that is a text": (["layers", 0, "scale"], "1"),
    "a scale beyond all": (["layers", 0, "scale"], 1e300),
    "a scale of no number": (["layers", 0, "scale"], float("nan")),
    "a cap of nothing": (["layers", 0, "cap"], 0.0),
    "a cap below all": (["layers", 0, "cap"], 1e-300),
    "queries of another name": (["layers", 0, "q"], "query_tokens"),
    "queries that are keys": (["layers", 0, "q"], "k_1"),
    "queries that there are not": (["layers", 0, "q"], "q_7"),
    "queries of another layer": (["layers", 0, "q"], "q_4"),
    "queries that are a list": (["layers", 0, "q"], ["q_1"]),
    "a mask that is a text": (["layers", 0, "allowed"], "about"),
    "heads beyond its own": (["model", "n_heads"], 3),
}


@pytest.mark.parametrize(("path", "value"), WRONG_LAYERS.values(), ids=WRONG_LAYERS)
def test_saved_scores_with_one_value_exchanged_are_refused_with_what_is_wrong(path, value):
    with pytest.raises(ExplorerError, match=r"its parts do not fit together: .+\. It is damaged"):
        own_weights(with_about(path, value, SCORES), "mine")


F4 = np.float32
WRONG_PARTS = {
    "queries that are not numbers": ("q_1", np.full((2, N, 2), np.nan, F4)),
    "queries of truths": ("q_1", np.ones((2, N, 2), bool)),
    "queries of double precision": ("q_1", np.ones((2, N, 2))),
    "queries that overflow": ("q_1", np.full((2, N, 2), 1e35, F4)),
    "queries without a side": ("q_1", np.ones((2, N, 0), F4)),
    "a query too few": ("q_1", np.ones((2, N - 1, 2), F4)),
    "a head too many": ("q_1", np.ones((3, N, 2), F4)),
    "keys of another width": ("k_1", np.ones((1, N, 3), F4)),
    "no key heads": ("k_1", np.ones((0, N, 2), F4)),
    "key heads that do not divide": ("k_4", np.ones((3, N, 2), F4)),
    "keys without end": ("k_4", np.full((1, N, 2), np.inf, F4)),
    "a mask that leaves the keys": ("allowed_1", CAUSAL + 1),
    "a mask that ends before it begins": ("allowed_1", CAUSAL[:, ::-1].copy()),
    "a mask below nothing": ("allowed_1", CAUSAL - 1),
    "a mask of fractions": ("allowed_1", CAUSAL.astype(F4)),
    "a mask of another length": ("allowed_1", CAUSAL[1:]),
    "sinks of no number": ("sinks_1", np.full(2, np.nan, F4)),
    "sinks without end": ("sinks_1", np.full(2, np.inf, F4)),
    "a sink too few": ("sinks_1", np.zeros(1, F4)),
}


@pytest.mark.parametrize(("name", "array"), WRONG_PARTS.values(), ids=WRONG_PARTS)
def test_saved_scores_with_one_array_exchanged_are_refused_with_what_is_wrong(name, array):
    with pytest.raises(ExplorerError, match=r"its parts do not fit together: .+\. It is damaged"):
        own_weights(saved(SCORES | {name: array}), "mine")


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
    + [["versions"], ["other"], ["layers"], ["layers", 0], ["layers", 1]]
    + [["layers", 0, part] for part in ("number", "scale", "cap", "q", "k", "allowed", "sinks")]
)
kinds = st.sampled_from(["<f4", "<f2", "<f8", "<i8", "<i4", "|u1", "|b1", "<U3", "|S3", "<c16"])
SIZES = [(), (0,), (1,), (2,), (5,), (5, 2), (2, 5), (2, 2, 5, 5), (5, 5), (1, 1, 1, 1)]
SIZES += [(N,), (N, 2), (2, N, 2), (1, N, 2), (2, N, 1), (N, N, 2), (2, 0, 2)]
shapes = st.sampled_from(SIZES)
numbers = st.sampled_from([0, 1, -1, 2, 7, 0.2, 100])


@settings(max_examples=400)
@given(
    st.sampled_from([TEXT, PICTURE, SCORES]),
    st.one_of(
        st.tuples(places, strange),
        st.tuples(st.sampled_from(sorted(PICTURE | SCORES)), kinds, shapes, numbers),
        st.tuples(
            st.sampled_from(sorted(PICTURE | SCORES)), st.integers(0, 60), st.integers(0, 255)
        ),
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
    assert pack(trace, trace_id="x", layers=trace.numbers)
    assert read_npz(io.BytesIO(export.to_npz(trace))).texts == trace.texts
    assert export.to_html(trace)
    if trace.query_tokens == trace.key_tokens:
        try:
            assert findings(compare(trace, trace))
        except ExplorerError:
            return
