"""Attention weights from elsewhere: what fits is shown as it is, all else is told what to do."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

import explorer
from explorer import export
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.sources import trace_run
from explorer.sources.own import MAX_BYTES, own_weights

WORDS = ["[CLS]", "a", "cat"]


def weights_of(shape=(2, 3, 3, 3)):
    return np.random.default_rng(0).dirichlet(np.ones(shape[-1]), shape[:-1]).astype(np.float32)


def npz(**arrays):
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def test_an_npz_of_weights_and_tokens_is_shown_as_it_is():
    weights = weights_of()
    own = own_weights(npz(weights=weights, tokens=np.array(WORDS)), "mine.npz")
    trace = trace_run(Run(source=own))
    assert np.array_equal(trace.weights, weights)
    assert [t.text for t in trace.query_tokens] == WORDS
    assert [t.special for t in trace.query_tokens] == [True, False, False]
    assert trace.query_tokens is trace.key_tokens
    assert trace.model.name == "mine.npz"
    assert all(trace.texts[0][slice(*t.span)] == t.text for t in trace.query_tokens)


def test_two_sides_with_tokens_of_their_own_are_cross_attention():
    weights = weights_of((1, 2, 2, 3))
    data = npz(weights=weights, query_tokens=np.array(["x", "y"]), key_tokens=np.array(WORDS))
    trace = own_weights(data, "m").trace
    assert [t.text for t in trace.query_tokens] == ["x", "y"]
    assert {t.segment for t in trace.query_tokens} == {1}
    assert trace.texts == ("[CLS] a cat", "x y")


def test_safetensors_with_tokens_in_its_metadata():
    weights = weights_of()
    data = save({"weights": weights}, metadata={"tokens": json.dumps(WORDS)})
    trace = own_weights(data, "m").trace
    assert np.array_equal(trace.weights, weights)
    assert [t.text for t in trace.key_tokens] == WORDS


def test_half_precision_and_tokens_without_names_are_taken():
    trace = own_weights(npz(weights=weights_of().astype(np.float16)), "m").trace
    assert trace.weights.dtype == np.float32
    assert [t.text for t in trace.query_tokens] == ["0", "1", "2"]


def test_what_the_app_has_saved_comes_back_bit_for_bit():
    saved = explorer.trace("The cat sat.", "A dog.")
    again = own_weights(export.to_npz(saved), "again.npz").trace
    assert np.array_equal(again.weights, saved.weights)
    assert again.query_tokens == saved.query_tokens
    assert again.texts == saved.texts


def test_the_same_file_is_the_same_run():
    data = npz(weights=weights_of())
    assert Run(source=own_weights(data, "a")) == Run(source=own_weights(data, "b"))
    assert not Run(source=own_weights(data, "a")).fits_link()


def with_about(**changes):
    """A file that says it is the app's, with something in it exchanged."""
    arrays = dict(np.load(io.BytesIO(export.to_npz(explorer.trace("The cat sat.")))))
    about = json.loads(str(arrays["about"])) | changes
    return npz(**(arrays | {"about": np.array(json.dumps(about))}))


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("canary"),)


def bomb():
    """An array whose header says it is larger than all memory."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (9, 9, 99999, 99999), }"
    header += b" " * (118 - len(header)) + b"\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("weights.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", 119) + header)
    return out.getvalue()


def zeros():
    """A small file that unpacks to more than a server gives."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.npy", bytes(MAX_BYTES + 1))
    return out.getvalue()


REFUSED = {
    "no file of the kind": (b"hello", "damaged, or neither NPZ nor safetensors"),
    "nothing": (b"", "damaged, or neither"),
    "a pickle": (pickle.dumps(Evil()), "damaged, or neither"),
    "objects": (npz(weights=np.array([Evil()], dtype=object)), "Python objects"),
    "no weights": (npz(attention=weights_of()), "holds no “weights”; it has “attention”"),
    "three dimensions": (npz(weights=weights_of()[0]), r"the shape \[3, 3, 3\]; wanted is \[layer"),
    "an empty side": (npz(weights=np.zeros((1, 1, 0, 3))), r"the shape \[1, 1, 0, 3\]"),
    "too many tokens": (npz(weights=weights_of()[:1, :1], tokens=np.array(WORDS * 2)), "6 query"),
    "texts as weights": (npz(weights=np.full((1, 1, 1, 1), "x")), "must hold numbers"),
    "tokens as numbers": (npz(weights=weights_of(), tokens=np.arange(3)), "a list of texts"),
    "scores": (npz(weights=5 * weights_of()), "must sum to 1"),
    "not numbers": (npz(weights=np.full((1, 1, 2, 2), np.nan)), "not numbers"),
    "negative": (npz(weights=np.array([[[[1.5, -0.5]]]])), "negative"),
    "a long side": (npz(weights=np.zeros((1, 1, 1, 2000))), "at most 1,024 tokens"),
    "a header that lies": (bomb(), "unpacks to"),
    "a small file of many zeros": (zeros(), "unpacks to"),
    "other parts": (with_about(texts=["x"]), "do not fit together"),
    "other model": (with_about(model={"name": 7}), "damaged, or neither"),
    "cut short": (npz(weights=weights_of())[:-40], "damaged, or neither"),
    "a header of safetensors that lies": (struct.pack("<Q", 2**60) + b"{}", "damaged, or neither"),
}


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_with_what_was_found_and_what_is_wanted(
    data, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExplorerError, match=words):
        own_weights(data, "mine")
    assert not (tmp_path / "canary").exists(), "code in the file was run"


@settings(max_examples=300)
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00"]))
def test_any_bytes_are_answered_in_words(data, start):
    with pytest.raises(ExplorerError):
        own_weights(start + data, "mine")


GOOD = npz(weights=weights_of((1, 1, 2, 2)), tokens=np.array(["a", "b"]))


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_file_with_one_byte_changed_is_shown_or_refused_in_words(place, byte):
    data = bytearray(GOOD)
    data[place] = byte
    try:
        own_weights(bytes(data), "mine")
    except ExplorerError:
        return
