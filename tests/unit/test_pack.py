"""The payload: what the browser shows are the model's own digits."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.groups import attention_between
from explorer.instrument.pack import (
    LEVELS,
    MAX_PAGE,
    THUMB,
    answers_to,
    encode,
    layers_to_send,
    pack,
    squeeze,
    thumbnails,
)
from explorer.instrument.want import Group, Page, Want

weights_of = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=50).map(
    lambda v: np.array(v, dtype=np.float32)
)


def decode(codes):
    """What data.js does: 0 is zero, any other code the middle of its step."""
    return np.where(codes == 0, 0, np.minimum((codes.astype(np.float64) - 0.5) / LEVELS, 1))


@given(weights_of)
def test_no_weight_is_off_by_more_than_half_a_step(weights):
    # Half of 1/60000, and float32's own rounding of the input.
    assert np.abs(decode(encode(weights)) - weights).max() <= 0.5 / LEVELS + 1e-9


@given(weights_of, st.sampled_from([1, 2, 3, 4]))
def test_rounded_digits_are_those_of_the_weight_itself(weights, decimals):
    for weight, shown in zip(weights.tolist(), decode(encode(weights)).tolist(), strict=True):
        distance_to_tie = abs((weight * 10**decimals) % 1 - 0.5)
        if distance_to_tie > 1e-9:  # at an exact tie printf's own rule decides
            assert f"{shown:.{decimals}f}" == f"{weight:.{decimals}f}"


def test_zero_and_one_stay_exact():
    assert decode(encode(np.array([0, 1], dtype=np.float32))).tolist() == [0, 1]


@pytest.mark.parametrize("n", [5, 32, 33, 100])
def test_a_thumbnail_never_loses_the_strongest_weight(n):
    weights = np.full((1, 1, n, n), 0.001, dtype=np.float32)
    weights[0, 0, n - 2, n // 2] = 0.9
    small = thumbnails(weights)
    side = min(n, THUMB)
    assert small.shape == (1, 1, side, side)
    assert small.max() == round(255 * 0.9**0.5)
    assert (small == small.max()).sum() == 1


def read(payload):
    (length,) = struct.unpack_from("<I", payload)
    return json.loads(payload[4 : 4 + length]), payload[4 + length :]


def spread(blob, size, n_large):
    """What data.js does: a byte of 255 stands for the next of the larger codes."""
    codes = np.frombuffer(blob, np.uint8, count=size).astype(np.uint16)
    codes[codes == 255] = np.frombuffer(blob, "<u2", count=n_large, offset=size)
    return codes


def blocks_of(payload):
    """What the header says of each block, and its weights or bytes."""
    header, blob = read(payload)
    thumbs = 2 * header["n_layers"] * header["n_heads"] * np.prod(header["thumb"])
    blob, found = blob[thumbs:], []
    for about in header["blocks"]:
        if about["kind"] == "page":
            found.append((about, blob[: about["bytes"]]))
            blob = blob[about["bytes"] :]
            continue
        size = int(np.prod(about["shape"]))
        codes = spread(blob, size, about["large"]).reshape(about["shape"])
        found.append((about, decode(codes)))
        blob = blob[size + 2 * about["large"] :]
    assert blob == b""
    return found


HALF_A_STEP = 0.5 / LEVELS + 1e-9


@given(st.lists(st.integers(0, LEVELS + 1), min_size=1, max_size=60))
def test_codes_come_out_of_their_bytes_as_they_went_in(values):
    codes = np.array(values, dtype=np.uint16)
    blob, n_large = squeeze(codes)
    assert spread(blob, len(codes), n_large).tolist() == values


def test_a_short_text_travels_whole_and_comes_out_as_it_went_in(make_trace):
    trace = make_trace(n_layers=2, n_heads=3, n=5, special=(0,))
    payload = pack(trace, trace_id="x", layers=[0, 1], link={"text": "</script>"})
    assert read(payload)[0]["link"] == {"text": "</script>"}
    assert read(payload)[0]["key_tokens"] is None, "the same tokens are sent once"
    found = blocks_of(payload)
    assert [about["layer"] for about, _ in found] == [0, 1]
    for (_, weights), want in zip(found, trace.weights, strict=True):
        assert np.abs(weights - want).max() <= HALF_A_STEP


def test_the_second_thumbnails_leave_special_tokens_out(make_trace):
    trace = make_trace(n=5, special=(0, 4))
    _, blob = read(pack(trace, trace_id="x", layers=[0, 1]))
    ordinary = np.frombuffer(blob, np.uint8, count=2 * 3 * 25, offset=2 * 3 * 25)
    ordinary = ordinary.reshape(2, 3, 5, 5)
    assert ordinary[..., [0, 4]].max() == 0
    assert ordinary[..., [0, 4], :].max() == 0
    assert ordinary[..., 1:4, 1:4].min() > 0


def test_a_long_text_travels_one_layer_at_a_time_in_about_a_byte_a_weight(make_trace):
    trace = make_trace(4, 4, 256)
    payload = pack(trace, trace_id="x", layers=layers_to_send(trace, 2))
    assert [about["layer"] for about, _ in blocks_of(payload)] == [2]
    assert len(read(payload)[1]) < 2 * 4 * 4 * THUMB**2 + 2 * 4 * 256**2


GROUP = Group("1_2_pieces_shown", ((1,), (2, 3)), ((4,),), mean=True, together=True, rescaled=True)


def test_what_the_browser_asked_for_comes_with_the_layers(make_trace):
    trace = make_trace(2, 3, 6, special=(0,))
    want = Want("x", 1, GROUP, means=True, page=Page(7, (1,), {"layer": "1"}))
    answers = answers_to(trace, want, lambda page: f"<p>{page.layers}é")
    payload = pack(trace, trace_id="x", layers=[1], answers=answers)
    (layer, _), (means, mean), (group, numbers), (page, text) = blocks_of(payload)
    assert layer["layer"] == 1
    assert means["kind"] == "means"
    assert np.abs(mean - trace.weights.mean(axis=1)).max() <= HALF_A_STEP
    assert group["name"] == GROUP.name
    kept = np.array([False, True, True, True, True, True])
    want_numbers = attention_between(
        trace.weights, GROUP.queries, GROUP.keys, mean=True, together=True, kept=kept
    )
    assert np.abs(numbers - want_numbers).max() <= HALF_A_STEP
    assert page["ticket"] == 7
    assert text.decode() == "<p>(1,)é"


def test_a_wish_about_tokens_that_a_trace_lacks_is_left_out(make_trace):
    trace = make_trace(2, 3, 4)  # GROUP's key 4 is not there
    assert answers_to(trace, Want("x", 1, GROUP, means=True), lambda page: "") == []


def test_an_answer_that_would_take_all_memory_is_not_begun(make_trace):
    side = tuple((i,) for i in range(1024))
    every_cell = Group("x", side, side, mean=False, together=False, rescaled=False)
    one_number = Group("x", side, side, mean=True, together=True, rescaled=False)
    assert not Want("x", 0, every_cell).fits(1024, 1024, 4)
    assert Want("x", 0, one_number).fits(1024, 1024, 4)


def test_a_page_too_large_for_a_browser_comes_empty(make_trace):
    class Huge(str):
        def encode(self, *_):
            return memoryview(np.broadcast_to(np.uint8(0), MAX_PAGE + 1))

    want = Want("x", 0, page=Page(7, None))
    ((page, text),) = answers_to(make_trace(), want, lambda _: Huge())
    assert (page["ticket"], page["bytes"], text) == (7, 0, b"")


def test_a_layer_that_does_not_exist_becomes_the_nearest(make_trace):
    assert layers_to_send(make_trace(4, 4, 256), 99) == [3]


def test_of_a_short_text_all_layers_are_sent(make_trace):
    assert layers_to_send(make_trace(4, 4, 20), 2) == [0, 1, 2, 3]
