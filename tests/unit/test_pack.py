"""The payload: what the browser gets are the model's own numbers, none of them rounded."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from explorer.analysis.groups import attention_between
from explorer.analysis.summary import THUMB, thumbnails
from explorer.instrument.wire.container import in_planes, read, write
from explorer.instrument.wire.request import Group, Page, Request
from explorer.instrument.wire.trace import (
    MAX_PAGE,
    answers_to,
    layers_to_send,
    pack,
    passport_words,
)
from explorer.layers import FromScores, ScoreRule, causal
from explorer.trace import AttentionTrace, ModelInfo, Passport, Token


@pytest.mark.parametrize("n", [5, 32, 33, 100])
def test_a_thumbnail_never_loses_the_strongest_weight(n, make_trace):
    trace = make_trace(1, 1, n)
    weights = np.full((1, 1, n, n), 1e-3, dtype=np.float32)
    weights[0, 0, n - 2, n // 2] = 0.9
    weights[0, 0] /= weights[0, 0].sum(axis=-1, keepdims=True)
    small, _ = thumbnails(replace(trace, layers=weights), 0, 0)
    side = min(n, THUMB)
    assert small.shape == (side, side)
    assert small.max() == round(255 * float(weights.max()) ** 0.5)
    assert (small == small.max()).sum() == 1


numbers = st.one_of(
    arrays(kind, array_shapes(max_dims=3, min_side=0, max_side=3))
    for kind in (np.uint8, np.int32, np.float32, np.float64)
)


@given(st.dictionaries(st.text(), st.text() | st.none()), st.lists(numbers, max_size=4))
def test_a_payload_is_read_as_it_was_written_bit_for_bit(header, given_arrays):
    header.pop("blocks", None)
    blocks = [({"kind": f"</{i}é"}, array) for i, array in enumerate(given_arrays)]
    payload = write(header, blocks)
    found, read_blocks = read(payload)
    assert found == header
    for (about, array), (want, given_array) in zip(read_blocks, blocks, strict=True):
        assert about["kind"] == want["kind"]
        assert array.dtype.name == given_array.dtype.name
        assert array.shape == given_array.shape
        assert array.tobytes() == given_array.tobytes()
    again, same = read(in_planes(payload))
    assert again == header
    assert [(a, n.tobytes()) for a, n in same] == [(a, n.tobytes()) for a, n in read_blocks]
    for cut in (payload[:-1], payload + b"x", b"PK" + payload[2:], b""):
        with pytest.raises(ValueError, match=r"no payload|too many|smaller than|Expecting"):
            read(cut)


def test_numbers_of_no_known_type_are_not_written():
    with pytest.raises(KeyError):
        write({}, [({}, np.zeros(2, np.float16))])


def blocks_of(payload):
    """What is said of each block of attention beyond the thumbnails, and its numbers."""
    beside = ("thumbs", "mask")
    return [block for block in read(payload)[1] if not block[0]["kind"].endswith(beside)]


def masks_in(trace):
    blocks = read(pack(trace, trace_id="x"))[1]
    return [(about["layers"], array) for about, array in blocks if about["kind"] == "mask"]


def test_a_mask_travels_once_for_all_layers_that_have_it(make_trace):
    n = 6
    window = causal(n, n)
    window[:, 0] = np.maximum(window[:, 1] - 2, 0)
    layers = [
        replace(layer, rule=replace(layer.rule, allowed=mask))
        for layer, mask in zip(
            scored(n, (1, 3, 4, 7)).layers,
            (causal(n, n), window, None, causal(n, n)),
            strict=True,
        )
    ]
    info = replace(scored(n).model, n_layers=4)
    tokens = scored(n).query_tokens
    (first, all_before), (second, near) = masks_in(
        AttentionTrace(info, ("x " * n,), tokens, tokens, layers)
    )
    assert (first, second) == ([1, 7], [3])
    assert np.array_equal(all_before, causal(n, n))
    assert np.array_equal(near, window)


def test_given_weights_have_a_mask_only_where_no_head_looks_ahead(make_trace):
    trace = make_trace(2, 3, 5)
    assert masks_in(trace) == []
    lower = np.tril(trace.weights + 1e-3)
    lower /= lower.sum(axis=-1, keepdims=True)
    ((layers, mask),) = masks_in(replace(trace, layers=lower))
    assert layers == [0, 1]
    assert np.array_equal(mask, causal(5, 5))
    lower[1, 2, 0, :2] = 0.5  # one head looks ahead once
    ((layers, _),) = masks_in(replace(trace, layers=lower))
    assert layers == [0]


def scored(n=40, numbers=(1, 3), *, d=4, seed=0, **rule):
    """A trace of random q and k: two layers of four heads, of which two share each k."""
    rng = np.random.default_rng(seed)
    layers = [
        FromScores(
            number,
            rng.normal(size=(4, n, d)).astype(np.float32),
            rng.normal(size=(2, n, d)).astype(np.float32),
            ScoreRule(0.5, **rule),
        )
        for number in numbers
    ]
    tokens = tuple(Token(f"t{i}", (2 * i, 2 * i + 1), i, 0, special=i == 0) for i in range(n))
    info = ModelInfo("random", None, len(layers), 4, 16, 512)
    return AttentionTrace(info, ("x " * n,), tokens, tokens, layers)


def test_a_short_text_travels_whole_and_comes_out_as_it_went_in(make_trace):
    trace = make_trace(n_layers=2, n_heads=3, n=5, special=(0,))
    payload = pack(trace, trace_id="x", layers=[0, 1], link={"text": "</script>"})
    assert read(payload)[0]["link"] == {"text": "</script>"}
    assert read(payload)[0]["key_tokens"] is None, "the same tokens are sent once"
    found = blocks_of(payload)
    assert [about["layer"] for about, _ in found] == [0, 1]
    for (_, weights), want in zip(found, trace.weights, strict=True):
        assert np.array_equal(weights, want)


def test_the_second_thumbnails_leave_special_tokens_out(make_trace):
    trace = make_trace(n=5, special=(0, 4))
    _, blocks = read(pack(trace, trace_id="x", layers=[0, 1]))
    (ordinary,) = (array for about, array in blocks if about["kind"] == "ordinary_thumbs")
    assert ordinary.shape == (2, 3, 5, 5)
    assert ordinary[..., [0, 4]].max() == 0
    assert ordinary[..., [0, 4], :].max() == 0
    assert ordinary[..., 1:4, 1:4].min() > 0


def test_a_long_text_travels_one_layer_at_a_time(make_trace):
    trace = make_trace(4, 4, 256)
    payload = pack(trace, trace_id="x", layers=layers_to_send(trace, 2))
    assert [about["layer"] for about, _ in blocks_of(payload)] == [2]


def test_a_layer_of_many_tokens_travels_as_what_its_weights_are_made_of():
    few, many = scored(n=5), scored(n=40)
    ((short, weights),) = blocks_of(pack(few, trace_id="x", layers=[3]))
    assert short["kind"] == "layer"
    assert np.array_equal(weights, few.layer(3).weights())
    parts = {}
    for about, array in blocks_of(pack(many, trace_id="x", layers=[3])):
        assert [about[name] for name in ("kind", "layer", "scale", "cap")] == [
            "scores",
            3,
            0.5,
            None,
        ]
        parts[about["part"]] = array
    shapes = {name: array.shape for name, array in parts.items()}
    assert shapes == {"log_sum_exp": (4, 40), "q": (4, 40, 4), "k": (2, 40, 4)}
    layer = many.layer(3)
    assert np.array_equal(parts["q"], layer.q)
    assert np.array_equal(parts["k"], layer.k)
    logs = [layer.log_sum_exp(head) for head in range(4)]
    assert np.array_equal(parts["log_sum_exp"], np.stack(logs)), "as exact as they are"
    assert sum(array.nbytes for array in parts.values()) < 4 * 4 * 40 * 40


def test_what_no_rule_says_travels_as_weights():
    added = np.zeros((1, 40, 40), dtype=np.float32)
    ((about, weights),) = blocks_of(pack(scored(added=added), trace_id="x", layers=[1]))
    assert about["kind"] == "layer"
    assert np.array_equal(weights, scored(added=added).layer(1).weights())


def test_layers_go_by_the_models_own_numbers_and_the_nearest_is_opened():
    trace = scored(n=400, d=400)
    assert read(pack(trace, trace_id="x", layers=[3]))[0]["numbers"] == [1, 3]
    assert [layers_to_send(trace, wanted) for wanted in (0, 1, 2, 3, 99)] == [
        [1],
        [1],
        [1],
        [3],
        [3],
    ]
    assert layers_to_send(scored(n=40), 3) == [1, 3], "of a short text all are sent"


def test_the_possible_entropy_is_that_of_the_keys_that_a_query_may_look_at():
    causal = np.stack([np.zeros(40), np.arange(1, 41)], axis=-1).astype(np.int32)
    header, _ = read(pack(scored(allowed=causal), trace_id="x", layers=[1]))
    assert header["possible"] == pytest.approx([np.log2(np.arange(1, 41)).mean()] * 2)
    whole, _ = read(pack(scored(), trace_id="x", layers=[1]))
    assert whole["possible"] == pytest.approx([np.log2(40)] * 2)
    assert (whole["sinks"], header["sinks"]) == (False, False)
    sunk, _ = read(pack(scored(sinks=np.ones(4, np.float32)), trace_id="x", layers=[1]))
    assert sunk["sinks"] is True


CHECKED = "checked against Transformers on 64 tokens: no weight is off by more than {}"


def test_a_passport_is_said_in_words():
    def words(passport):
        return passport_words(ModelInfo("m", None, 1, 1, 4, 9, passport=passport))

    assert words(None) == ""
    measured = Passport("scores", 64, 3.2e-8, 1e-7)
    assert words(measured) == CHECKED.format("4e-8")
    assert words(Passport("scores", 64, 3e-8)) == CHECKED.format("3e-8")
    assert words(Passport("scores", 64)) == CHECKED.format("0")
    unread = Passport("weights", reason="it has its own way")
    assert words(unread) == "its weights are those that Transformers returns, as it has its own way"
    off = Passport("weights", 64, reason="it is off by 0.1")
    assert words(off) == "its weights are those that Transformers returns, as it is off by 0.1"


GROUP = Group("1_2_pieces_shown", ((1,), (2, 3)), ((4,),), mean=True, together=True, rescaled=True)


def test_what_the_browser_asked_for_comes_with_the_layers(make_trace):
    trace = make_trace(2, 3, 6, special=(0,))
    request = Request("x", 1, GROUP, means=True, page=Page(7, (1,), {"layer": "1"}))
    answers = answers_to(trace, request, lambda page: f"<p>{page.layers}é")
    payload = pack(trace, trace_id="x", layers=[1], answers=answers)
    (layer, _), (means, mean), (group, numbers), (page, text) = blocks_of(payload)
    assert layer["layer"] == 1
    assert means["kind"] == "means"
    assert np.abs(mean - trace.weights.mean(axis=1, dtype=np.float64)).max() < 1e-7
    assert group["name"] == GROUP.name
    kept = np.array([False, True, True, True, True, True])
    want_numbers = attention_between(
        trace.weights, GROUP.queries, GROUP.keys, mean=True, together=True, kept=kept
    )
    assert np.array_equal(numbers, want_numbers)
    assert page["ticket"] == 7
    assert text.tobytes().decode() == "<p>(1,)é"


def test_a_wish_about_tokens_that_a_trace_lacks_is_left_out(make_trace):
    trace = make_trace(2, 3, 4)  # GROUP's key 4 is not there
    assert answers_to(trace, Request("x", 1, GROUP, means=True), lambda page: "") == []


def test_an_answer_that_would_take_all_memory_is_not_begun(make_trace):
    side = tuple((i,) for i in range(1024))
    every_cell = Group("x", side, side, mean=False, together=False, rescaled=False)
    one_number = Group("x", side, side, mean=True, together=True, rescaled=False)
    assert not Request("x", 0, every_cell).fits(1024, 1024, 4)
    assert Request("x", 0, one_number).fits(1024, 1024, 4)


def test_a_page_too_large_for_a_browser_comes_empty(make_trace):
    class Huge(str):
        def encode(self, *_):
            return memoryview(np.broadcast_to(np.uint8(0), MAX_PAGE + 1))

    request = Request("x", 0, page=Page(7, None))
    ((page, text),) = answers_to(make_trace(), request, lambda _: Huge())
    assert (page["ticket"], text.size) == (7, 0)


# — long texts, whose heads travel one by one —


def long_trace(n=800, **rule):
    """A trace of random q and k over so many words that its heads travel one by one."""
    trace = scored(n, **rule)
    words = tuple(replace(t, text="." if i % 20 == 19 else "w") for i, t in enumerate(trace.tokens))
    return replace(trace, query_tokens=words, key_tokens=words)


def parts_of(blocks, kind):
    return {about["part"]: array for about, array in blocks if about["kind"] == kind}


def test_of_a_long_text_a_head_travels_alone_with_its_summary_at_the_maps_level():
    trace = long_trace()
    payload = pack(trace, trace_id="x", layers=[1, 3], heads=((3, 2),))
    header, blocks = read(payload)
    assert (header["long"], header["map_level"]) == (True, "sentence")
    assert header["levels"]["sentence"][:3] == [0, 1, 20]
    assert {about["kind"] for about, _ in blocks} == {
        *("head", "summary", "thumbs", "ordinary_thumbs")
    }
    layer, parts = trace.layer(3), parts_of(blocks, "head")
    assert np.array_equal(parts["q"], layer.q[2:3])
    assert np.array_equal(parts["k"], layer.k[1:2]), "two heads share each k"
    assert np.array_equal(parts["log_sum_exp"][0], layer.log_sum_exp(2))
    about = next(about for about, _ in blocks if about["kind"] == "head")
    assert [about[name] for name in ("layer", "head", "scale", "cap")] == [3, 2, 0.5, None]
    summary, groups = parts_of(blocks, "summary"), len(header["levels"]["sentence"])
    assert summary["maps"].shape == (2, groups, groups)
    assert np.abs(summary["received"] - layer.rows(2).mean(axis=0)).max() < 1e-6
    small = next((a, b) for a, b in blocks if a["kind"] == "thumbs")
    assert (small[0]["places"], small[1].shape) == ([[3, 2]], (1, THUMB, THUMB))
    assert len(payload) < 4 * 800 * 800, "nothing in it grows with the square"


def test_what_a_head_of_a_long_text_is_made_of_travels_with_it():
    causal = np.stack([np.zeros(800), np.arange(1, 801)], axis=-1).astype(np.int32)
    offsets, sinks = np.ones((4, 1599), np.float32), np.arange(4, dtype=np.float32)
    trace = long_trace(allowed=causal, offsets=offsets, sinks=sinks)
    parts = parts_of(read(pack(trace, trace_id="x", heads=((1, 3),)))[1], "head")
    assert np.array_equal(parts["allowed"], causal)
    assert np.array_equal(parts["offsets"], offsets[3:])
    assert parts["sinks"].tolist() == [3]


def test_a_head_whose_weights_were_given_travels_as_they_are(make_trace):
    trace = make_trace(1, 2, 800)
    (weights,) = parts_of(read(pack(trace, trace_id="x", heads=((0, 1),)))[1], "head").values()
    assert np.array_equal(weights, trace.weights[0, 1])


def test_a_short_text_says_its_levels_and_its_map_is_of_words():
    header, _ = read(pack(scored(40), trace_id="x", layers=[1]))
    assert (header["long"], header["map_level"], header["key_levels"]) == (False, None, None)
    assert header["levels"] == {}
    assert read(pack(long_trace(60), trace_id="x"))[0]["levels"]["sentence"] == [0, 1, 20, 40]


def test_tokens_travel_column_by_column():
    trace = scored(3)
    assert read(pack(trace, trace_id="x", layers=[1]))[0]["query_tokens"] == {
        "text": ["t0", "t1", "t2"],
        "start": [0, 2, 4],
        "end": [1, 3, 5],
        "word": [0, 1, 2],
        "segment": [0, 0, 0],
        "special": [0],
    }


def test_heads_and_levels_that_a_long_text_lacks_are_left_out():
    trace = long_trace()
    asked = Request(
        *("x", 1),
        heads=((1, 0), (2, 0), (3, 9)),
        summaries=((9, 0), (3, 1)),
        thumbs=((3, 3), (0, 0), (1, 1)),
        means=True,
    )
    blocks = answers_to(trace, asked, lambda page: "")
    named = [(a["kind"], a["layer"], a["head"]) for a, _ in blocks if "layer" in a]
    assert set(named) == {("head", 1, 0), ("summary", 3, 1)}
    small = [a["places"] for a, _ in blocks if a["kind"] == "thumbs"]
    assert small == [((3, 3), (1, 1))]
    assert not any(about["kind"] == "means" for about, _ in blocks)
    for level in ("turn", "nonsense"):
        asked = Request("x", 1, summaries=((3, 1),), map=level)
        assert answers_to(trace, asked, lambda page: "") == []


def test_no_more_heads_come_at_once_than_a_browser_is_handed(monkeypatch):
    trace = long_trace()
    monkeypatch.setattr("explorer.instrument.wire.trace.MAX_PAGE", 100_000)
    heads = tuple((1, head) for head in range(4))
    blocks = answers_to(trace, Request("x", 1, heads=heads), lambda page: "")
    assert {about["head"] for about, _ in blocks} == {0, 1, 2}


def test_words_of_a_long_text_are_added_up_only_where_that_takes_no_minutes(monkeypatch):
    trace, every = long_trace(), tuple((i,) for i in range(800))
    one = Group("one", ((5,),), every, mean=True, together=False, rescaled=False)
    columns = Group("columns", every, ((5,),), mean=False, together=True, rescaled=False)
    monkeypatch.setattr("explorer.instrument.wire.trace.MAX_WORK", 10**6)

    def answer(group):
        return answers_to(trace, Request("x", 1, group), lambda page: "")

    assert len(answer(one)) == 1
    assert answer(columns) == [], "all rows of all heads would be read"
    for layer in trace.layers:
        for head in range(layer.n_heads):
            layer.log_sum_exp(head)
    ((_, found),) = answer(columns)
    want = trace.weights[:, :, :, 5]
    assert np.abs(found - want).max() < 1e-6, "once they were read the columns are enough"


some_heads = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)).map(list), max_size=6)
some_words = st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=3), min_size=1, max_size=3)


@given(
    some_heads,
    some_heads,
    some_heads,
    st.sampled_from([None, "sentence", "paragraph", "stretch", "word", "x"]),
    some_words,
    some_words,
    st.booleans(),
)
def test_whatever_a_page_asks_of_a_long_text_is_answered_as_far_as_it_is_there(
    heads, summaries, thumbs, level, queries, keys, flag
):
    group = {"name": "g", "queries": queries, "keys": keys, "mean": flag, "together": not flag}
    sent = {"trace": "x", "layer": 99, "map": level, "group": group | {"rescaled": flag}}
    sent |= {"heads": heads, "summaries": summaries, "thumbs": thumbs}
    trace = long_trace(40, sinks=np.ones(4, np.float32))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("explorer.instrument.wire.longtext.LONG_CELLS", 100)
        blocks = answers_to(trace, Request.of(sent), lambda page: "")
        read(pack(trace, trace_id="x", answers=blocks))
    for about, array in blocks:
        assert np.isfinite(array).all()
        for layer, head in about.get("places", [(about.get("layer", 1), about.get("head", 0))]):
            assert layer in (1, 3)
            assert head < 4
        assert about.get("level", "sentence") in ("sentence", "stretch")


def test_to_a_browser_that_has_the_rest_an_answer_travels_alone():
    trace = long_trace()
    request = Request("x", 0, thumbs=((1, 0),), known=True)
    answers = answers_to(trace, request, str)
    header, blocks = read(pack(trace, trace_id="x", heads=((3, 2),), answers=answers, more=True))
    assert header == {"id": "x", "more": True}
    assert [about["kind"] for about, _ in blocks] == ["thumbs", "ordinary_thumbs"]


def test_a_head_does_not_wait_for_the_sums_of_its_rows_which_its_summary_brings():
    trace = long_trace()
    sums = trace.layer(3).log_sum_exp
    quick = parts_of(answers_to(trace, Request("x", 0, heads=((3, 1),)), str), "head")
    assert set(quick) == {"q", "k"}
    summary = parts_of(answers_to(trace, Request("x", 0, summaries=((3, 1),)), str), "summary")
    assert np.array_equal(summary["log_sum_exp"][0], sums(1))
    later = parts_of(answers_to(trace, Request("x", 0, heads=((3, 1),)), str), "head")
    assert np.array_equal(later["log_sum_exp"][0], sums(1))
