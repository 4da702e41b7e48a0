"""Attention weights from elsewhere: what fits is shown as it is, all else is told what to do."""

import io
import json
import pickle
import re
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
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


def bfloat16_of(weights):
    """The upper half of each float32, rounded as processors do it."""
    return torch.from_numpy(weights).bfloat16().view(torch.uint16).numpy()


def tensors_of(halves):
    header = {"dtype": "BF16", "shape": halves.shape, "data_offsets": (0, halves.nbytes)}
    return tensors({"weights": header}, halves.tobytes())


def wide(halves):
    return (halves.astype(np.uint32) << 16).view(np.float32)


BFLOAT16 = {
    "NPZ of them as float32": lambda halves: npz(weights=wide(halves)),
    "NPZ of them as float16": lambda halves: npz(weights=wide(halves).astype(np.float16)),
    "NPZ of what numpy has no name for": lambda halves: npz(weights=halves.view("V2")),
    "safetensors": tensors_of,
}


@pytest.mark.parametrize("saved", BFLOAT16.values(), ids=BFLOAT16)
def test_attention_of_a_bfloat16_model_is_read_its_rows_divided_and_that_is_said(saved):
    halves = bfloat16_of(weights_of((4, 6, 40, 5)))
    given = wide(halves).astype(np.float64)
    sums = given.sum(-1, keepdims=True)
    assert np.abs(sums - 1).max() > 2e-3, "no rows that a plain check would refuse"
    trace = own_weights(saved(halves), "m").trace
    smallest = 2.0**-25 if saved is BFLOAT16["NPZ of them as float16"] else 1e-7
    assert np.abs(trace.weights - given / sums).max() <= smallest + 1e-7
    assert trace.model.notes[0].startswith("The rows of these weights do not sum to 1: they are")
    assert "as those of bfloat16 are by rounding" in trace.model.notes[0]
    again = own_weights(export.to_npz(trace), "again").trace
    assert again.model.notes == trace.model.notes


def test_exact_rows_are_left_as_they_are_and_nothing_is_said():
    weights = weights_of()
    trace = own_weights(npz(weights=weights), "m").trace
    assert np.array_equal(trace.weights, weights)
    assert trace.model.notes == ()


SHAPES = {
    "a batch of one, then layers": (lambda w: w[None], "weights[0]"),
    "layers, then a batch of one": (lambda w: w[:, None], "weights[:, 0]"),
}


@pytest.mark.parametrize(("shape", "index"), SHAPES.values(), ids=SHAPES)
def test_a_batch_of_one_is_shown_whole_with_the_index_that_was_taken(shape, index):
    trace = own_weights(npz(weights=shape(weights_of())), "m").trace
    assert np.array_equal(trace.weights, weights_of())
    assert trace.model.notes[0].endswith(f"a batch of one text: this is {index}.")


def test_the_heads_of_one_layer_and_one_head_are_shown():
    heads = own_weights(npz(weights=weights_of()[0]), "m").trace
    assert np.array_equal(heads.weights, weights_of()[:1])
    assert "If the first number counts layers, give weights[:, None]" in heads.model.notes[0]
    head = own_weights(npz(weights=weights_of()[0, 0]), "m").trace
    assert np.array_equal(head.weights, weights_of()[:1, :1])


def padded(at, n=6):
    weights = weights_of((2, 2, n, n))
    weights[:, :, at] = np.nan
    return weights


PADDED = {
    "at the end": ([4, 5], "queries 4 to 5 of", "weights[..., :4, :4] and tokens[:4]"),
    "at the beginning": ([0, 1], "queries 0 to 1 of", "weights[..., 2:, 2:] and tokens[2:]"),
    "between": ([1, 3, 4], "queries 1, 3 to 4 of", "weights[..., real, :][..., real]"),
    "one": ([5], "query 5 of", "weights[..., :5, :5] and tokens[:5]"),
}


@pytest.mark.parametrize(("at", "which", "cut"), PADDED.values(), ids=PADDED)
def test_rows_of_padding_that_are_not_numbers_are_named_with_how_to_cut_them(at, which, cut):
    with pytest.raises(ExplorerError, match=re.escape(cut)) as refused:
        own_weights(npz(weights=padded(at)), "m")
    assert f"The rows of {which} “weights”" in str(refused.value)
    assert "as it does with padding" in str(refused.value)


def test_what_is_said_of_padding_helps():
    weights = padded([4, 5])[..., :4, :4]
    weights /= weights.sum(-1, keepdims=True)
    assert own_weights(npz(weights=weights), "m").trace.weights.shape == (2, 2, 4, 4)


LISTS = {
    "as Python prints a list": str(["[CLS]", "it's", "a \\ \n \xa0 猫\u200b"]),
    "as Python prints numpy's texts": str(list(np.array(["[CLS]", "it's", "b"]))),
    "as JSON": json.dumps(["[CLS]", "it's", "b"]),
    "as a tuple": str(("[CLS]", "it's", "b")),
}


@pytest.mark.parametrize("written", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_tokens_that_were_written_as_one_text_are_read_as_the_list_that_it_is(written, kind):
    weights = weights_of((1, 1, 3, 3))
    tokens = {"tokens": np.array(written)}
    data = npz(weights=weights, **tokens)
    if kind == "safetensors":
        data = save({"weights": weights}, metadata={"tokens": written})
    trace = own_weights(data, "m").trace
    assert [t.text for t in trace.query_tokens][:2] == ["[CLS]", "it's"]
    assert trace.texts[0].split(" ", 2)[2] in ("b", "a \\ \n \xa0 猫\u200b")


def test_what_the_app_has_saved_comes_back_bit_for_bit():
    saved = explorer.trace("The cat sat.", "A dog.")
    again = own_weights(export.to_npz(saved), "again.npz").trace
    assert np.array_equal(again.weights, saved.weights)
    assert again.query_tokens == saved.query_tokens
    assert again.texts == saved.texts


def test_the_same_file_is_the_same_run_and_under_another_name_another():
    data = npz(weights=weights_of())
    one, other = (Run(source=own_weights(data, name)) for name in ("a", "b"))
    assert one == Run(source=own_weights(data, "a"))
    assert not one.fits_link()
    # What is cached, and the pictures in a browser, are found by equality and by `repr`.
    assert one != other
    assert repr(one) != repr(other)
    assert [trace_run(run).model.name for run in (one, other)] == ["a", "b"]


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


def said(**arrays):
    """Arrays of which there is nothing but what their headers say: a kind and a shape."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, (kind, shape) in arrays.items():
            header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
            start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
            archive.writestr(f"{name}.npy", start + header)
    return out.getvalue()


def many():
    """More files in an archive than anybody saves."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(1200):
            archive.writestr(f"{i}.npy", b"")
    return out.getvalue()


def packed(**options):
    """An archive written in another way."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as archive:
        for name, data in zipfile_of(npz(weights=weights_of())).items():
            archive.writestr(name, data)
    return out.getvalue()


def zipfile_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def twice():
    """Two entries of one name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            archive.writestr("weights.npy", zipfile_of(npz(weights=weights_of()))["weights.npy"])
    return out.getvalue()


def headed(header, version=b"\x01\x00", length=None):
    """An array with a header of one's own."""
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", length or len(header))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("weights.npy", b"\x93NUMPY" + version + size + header)
    return out.getvalue()


def tensors(header, data=b""):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype="F32", shape=(1, 1, 1, 1), offsets=(0, 4)):
    about = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
    return {"weights": about}


def pickled():
    out = io.BytesIO()
    torch.save({"weights": torch.from_numpy(weights_of())}, out)
    return out.getvalue()


REFUSED = {
    "no file of the kind": (b"hello", "damaged, or neither NPZ nor safetensors"),
    "nothing": (b"", "damaged, or neither"),
    "a pickle": (pickle.dumps(Evil()), "damaged, or neither"),
    "a file of torch.save": (pickled(), "a file of torch.save, a pickle, which can run hidden"),
    "objects": (npz(weights=np.array([Evil()], dtype=object)), "Python objects"),
    "no weights": (npz(attention=weights_of()), "holds no “weights”; it has “attention”"),
    "one dimension": (npz(weights=np.ones(3)), r"the shape \[3\]; wanted is \[layer"),
    "a batch of several": (
        npz(weights=np.ones((2, 3, 4, 5, 5))),
        r"a batch of several texts\. Choose one: weights\[:, 0\] is the first.*\(here 3\)",
    ),
    "columns that sum to one": (
        npz(weights=weights_of((1, 2, 5, 5)).swapaxes(-1, -2)),
        r"Their columns do: .* Give weights\.swapaxes\(-1, -2\)",
    ),
    "rows that sum to less": (npz(weights=0.9 * weights_of()), "the model has attention sinks"),
    "rows that are no numbers here and there": (
        npz(
            weights=np.where(
                np.arange(3) == np.array([[[0]], [[1]]]), np.nan, weights_of((1, 2, 3, 3))
            )
        ),
        "holds 6 rows that are not numbers",
    ),
    "a text as tokens": (
        npz(weights=weights_of(), tokens=np.array("the cat sat")),
        "The tokens are one text, “the cat sat”, and no list",
    ),
    "an empty side": (npz(weights=np.zeros((1, 1, 0, 3))), r"the shape \[1, 1, 0, 3\]"),
    "too many tokens": (npz(weights=weights_of()[:1, :1], tokens=np.array(WORDS * 2)), "6 query"),
    "texts as weights": (npz(weights=np.full((1, 1, 1, 1), "x")), "must hold numbers"),
    "tokens as numbers": (
        npz(weights=weights_of(), tokens=np.arange(3)),
        "The query tokens are numbers",
    ),
    "scores": (npz(weights=5 * weights_of()), "must sum to 1"),
    "not numbers": (npz(weights=np.full((1, 1, 2, 2), np.nan)), "not numbers"),
    "negative": (npz(weights=np.array([[[[1.5, -0.5]]]])), "negative"),
    "a long side": (npz(weights=np.zeros((1, 1, 1, 2000))), "at most 1,024 tokens"),
    "a header that lies": (bomb(), "unpacks to"),
    "a small file of many zeros": (zeros(), "unpacks to"),
    "other parts": (with_about(texts=["x"]), "do not fit together"),
    "other model": (with_about(model={"name": 7}), "damaged, or neither"),
    "a small file of large numbers": (
        said(weights=("|u1", (1, 255, 1024, 1024))),
        "unpacks to 1,020 MB, with 4 bytes",
    ),
    "arrays that fit only alone": (
        said(weights=("<f4", (1, 1, 8, 8)), tokens=("<U40000000", ()), about=("<U40000000", ())),
        "unpacks to 305 MB",
    ),
    "names of a million letters": (
        said(weights=("<f4", (1, 1, 8, 8)), tokens=("<U1000000", (1024,))),
        "unpacks to 3,906 MB",
    ),
    "an archive of many": (many(), "more than 1,000 arrays"),
    "an array twice": (twice(), "damaged, or neither"),
    "packed by bzip2": (packed(compression=zipfile.ZIP_BZIP2), "damaged, or neither"),
    "packed by lzma": (packed(compression=zipfile.ZIP_LZMA), "damaged, or neither"),
    "a header of a gigabyte": (headed(b"{}", b"\x02\x00", 2**30), "damaged, or neither"),
    "a header of nested brackets": (headed(b"(" * 9000), "damaged, or neither"),
    "a shape of other than numbers": (said(weights=("<f4", (1, 1, -1, -4))), "damaged, or neither"),
    "texts of no letters": (said(weights=("<U0", (1, 1, 99999, 99999))), "unpacks to"),
    "numbers beyond float32": (npz(weights=np.full((1, 1, 2, 2), 1e300)), "not numbers"),
    "eight bits": (tensors(tensor("F8_E4M3", offsets=(0, 1)), b"0"), "holds F8_E4M3, which cannot"),
    "a tensor larger than its file": (tensors(tensor(), b"00"), "damaged, or neither"),
    "a tensor before its file": (tensors(tensor(offsets=(-4, 0)), b"0000"), "damaged, or neither"),
    "a tensor of another size": (tensors(tensor(offsets=(0, 8)), b"0" * 8), "damaged, or neither"),
    "a tensor of all memory": (
        tensors(tensor("U8", (1024, 1, 1024, 1024), (0, 4)), b"0000"),
        "unpacks to 4,096 MB",
    ),
    "a shape of texts": (tensors(tensor(shape=["1"] * 4), b"0000"), "damaged, or neither"),
    "a header of nested lists": (tensors(b"[" * 10**6), "damaged, or neither"),
    "a header that is no header": (tensors(b"7"), "damaged, or neither"),
    "tokens of nested lists": (
        tensors(tensor() | {"__metadata__": {"tokens": "[" * 5000}}, b"0000"),
        "The tokens are one text",
    ),
    "tokens of other than texts": (
        tensors(tensor() | {"__metadata__": {"tokens": "[[1]]"}}, b"\0\0\x80?"),
        "a list of texts, and nothing else",
    ),
    "one long name among many": (
        tensors(
            tensor(shape=[1, 1, 1, 1])
            | {"__metadata__": {"tokens": json.dumps(["x" * 10**6] + ["y"] * 1023)}},
            b"\0\0\x80?",
        ),
        "1,024 query tokens",
    ),
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


TENSORS = save(
    {"weights": weights_of((1, 1, 2, 2))}, metadata={"tokens": json.dumps(["a", "b"]), "x": "y"}
)


@settings(max_examples=400)
@given(st.integers(0, len(TENSORS) - 1), st.integers(0, 255))
def test_tensors_with_one_byte_changed_are_shown_or_refused_in_words(place, byte):
    data = bytearray(TENSORS)
    data[place] = byte
    try:
        own_weights(bytes(data), "mine")
    except ExplorerError:
        return


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner)),
    max_leaves=6,
)


@settings(max_examples=200)
@given(st.sampled_from(["dtype", "shape", "data_offsets", "weights", "__metadata__"]), anything)
def test_tensors_with_one_value_exchanged_are_shown_or_refused_in_words(name, value):
    header = tensor(offsets=(0, 4)) | {"__metadata__": {"tokens": '["a"]'}}
    if name in header:
        header[name] = value
    else:
        header["weights"][name] = value
    try:
        own_weights(tensors(header, b"\0\0\x80?"), "mine")
    except ExplorerError as error:
        str(error).encode()  # no half character, which would end the page's connection


def test_names_in_a_file_that_no_page_could_show_become_marks():
    with pytest.raises(ExplorerError, match="it has “⟨U\\+D800⟩”"):
        own_weights(tensors({"\ud800": {}}), "mine")
