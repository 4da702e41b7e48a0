"""The payload: what the browser shows are the model's own digits."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.instrument.pack import LEVELS, THUMB, encode, layers_to_send, pack, thumbnails

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


def test_a_short_text_travels_whole_and_comes_out_as_it_went_in(make_trace):
    trace = make_trace(n_layers=2, n_heads=3, n=5, special=(0,))
    header, blob = read(pack(trace, trace_id="x", layers=[0, 1], link={"text": "</script>"}))
    assert header["layers"] == [0, 1]
    assert header["link"] == {"text": "</script>"}
    thumbs = 2 * 2 * 3 * 5 * 5
    codes = np.frombuffer(blob, "<u2", offset=thumbs).reshape(trace.weights.shape)
    assert np.abs(decode(codes) - trace.weights).max() <= 0.5 / LEVELS + 1e-9


def test_the_second_thumbnails_leave_special_tokens_out(make_trace):
    trace = make_trace(n=5, special=(0, 4))
    _, blob = read(pack(trace, trace_id="x", layers=[0, 1]))
    ordinary = np.frombuffer(blob, np.uint8, count=2 * 3 * 25, offset=2 * 3 * 25)
    ordinary = ordinary.reshape(2, 3, 5, 5)
    assert ordinary[..., [0, 4]].max() == 0
    assert ordinary[..., [0, 4], :].max() == 0
    assert ordinary[..., 1:4, 1:4].min() > 0


def test_a_long_text_travels_one_layer_at_a_time(make_trace):
    trace = make_trace(4, 4, 256)
    header, blob = read(pack(trace, trace_id="x", layers=layers_to_send(trace, 2)))
    assert header["layers"] == [2]
    assert len(blob) == 2 * 4 * 4 * THUMB**2 + 2 * 4 * 256**2


def test_a_layer_that_does_not_exist_becomes_the_nearest(make_trace):
    assert layers_to_send(make_trace(4, 4, 256), 99) == [3]


def test_of_a_short_text_all_layers_are_sent(make_trace):
    assert layers_to_send(make_trace(4, 4, 20), 2) == [0, 1, 2, 3]
