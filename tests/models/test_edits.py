"""Changed attention: against runs of Transformers whose attention is edited by hand."""

import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.edits import NO_EDITS, Edits
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.sampling import Sampling
from explorer.source import Scratch, Stories
from explorer.sources import trace_run
from explorer.sources.predicting import predict
from explorer.sources.stream import Stream
from explorer.sources.writing import Writing
from tests.models.writers import ids_of, run_of, save_writer

# Float32 sums in another order.
TOLERANCE = 1e-6
NAMES = ["gpt2", "llama", "gemma2", "gpt_oss"]


@pytest.fixture(scope="module", params=NAMES)
def writer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return save_writer(request.param, folder), folder


def by_hand(model, run, edit, ids=None):
    """The logits and weights of an eager run in which ``edit(layer, weights)`` is put in place.

    Of a run's tokens, or of those given.
    """
    ids = ids_of(run) if ids is None else ids
    with edited_by_hand(model, edit) as kept, torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids])).logits[0].numpy()
    return logits, [weights[0].numpy() for weights in kept]


@contextmanager
def edited_by_hand(model, edit):
    """A block in which a model's own eager attention is edited; gives the weights, as they come."""
    modeling = sys.modules[type(model).__module__]
    own = modeling.eager_attention_forward
    kept = []

    def edited(module, query, key, value, *args, **options):
        _, weights = own(module, query, key, value, *args, **options)
        weights = edit(module.layer_idx, weights.clone())
        kept.append(weights)
        values = value.repeat_interleave(query.shape[1] // value.shape[1], dim=1)
        return (weights @ values).transpose(1, 2).contiguous(), weights

    modeling.eager_attention_forward = edited
    try:
        yield kept
    finally:
        modeling.eager_attention_forward = own


def held(writer, run, edits, edit):
    """Hold a changed run against one edited by hand; weights of heads that are off stay."""
    model, _ = writer
    logits, weights = by_hand(model, run, edit)
    found = predict(replace(run, edits=edits))
    assert np.abs(found.logits - logits[-1]).max() <= 5 * TOLERANCE  # of logits up to 3
    assert np.abs(found.logits - predict(run).logits).max() > 1e-4  # something is changed
    trace = trace_run(replace(run, edits=edits))
    n = len(ids_of(run))
    for layer, want in zip(trace.layers, weights, strict=True):
        off = [head for number, head in edits.off if number == layer.number]
        kept = [head for head in range(len(want)) if head not in off]
        assert np.abs(layer.weights()[kept, :n, :n] - want[kept]).max() <= TOLERANCE


def shared_again(weights, cut):
    """Rows without some edges; a sink keeps its share of the scores that are left."""
    sink = 1 - weights.sum(-1, keepdim=True)
    left = weights.masked_fill(cut, 0)
    whole = left.sum(-1, keepdim=True) + sink
    return torch.where(cut.any(-1, keepdim=True), left / whole.clamp_min(1e-30), weights)


def test_heads_that_are_off_write_nothing(writer):
    run, off = run_of(writer[1]), ((1, 2), (3, 0))

    def edit(layer, weights):
        for at, head in off:
            if at == layer:
                weights[:, head] = 0
        return weights

    held(writer, run, Edits(off=off), edit)


def test_a_word_that_is_cut_is_seen_by_no_later_token(writer):
    run = run_of(writer[1])
    n = len(ids_of(run))
    cut = torch.zeros(n, n, dtype=torch.bool)
    cut[3:, 2] = cut[6:, 5] = True
    held(writer, run, Edits(cut=(2, 5)), lambda layer, weights: shared_again(weights, cut))


def test_an_edge_that_is_cut_leaves_its_weight_to_the_rest(writer):
    run = run_of(writer[1])
    n = len(ids_of(run))

    def edit(layer, weights):
        cut = torch.zeros(weights.shape[1:], dtype=torch.bool)
        cut[1 if layer == 2 else slice(0, 0), n - 1, n - 2] = True
        cut[:, n - 2, n - 2] = True
        return shared_again(weights, cut)

    edges = ((2, 1, n - 1, n - 2), (None, None, n - 2, n - 2))
    held(writer, run, Edits(edges=edges), edit)


def test_an_even_head_looks_at_all_that_it_may_alike(writer):
    run = run_of(writer[1])

    def edit(layer, weights):
        if layer == 1:
            seen = (weights[:, 3] > 0).float()
            weights[:, 3] = seen / seen.sum(-1, keepdim=True)
        return weights

    held(writer, run, Edits(even=((1, 3),)), edit)


def test_a_silent_sink_leaves_its_share_to_the_tokens(writer):
    model, folder = writer
    run = run_of(folder)

    def edit(layer, weights):
        if layer == 2 and model.config.model_type == "gpt_oss":
            weights[:, 1] = weights[:, 1] / weights[:, 1].sum(-1, keepdim=True)
        elif layer == 2:
            cut = torch.zeros(weights.shape[1:], dtype=torch.bool)
            cut[1, 1:, 0] = True
            weights = shared_again(weights, cut)
        return weights

    held(writer, run, Edits(silent=((2, 1),)), edit)


def test_what_is_written_under_edits_has_the_changed_attention(writer):
    run = run_of(writer[1])
    edits = Edits(off=((0, 1),), even=((1, 0),), silent=((2, 3),), cut=(4,))
    writing = Writing(replace(run, edits=edits), Sampling(1.0, 50, 5))
    list(writing.write(12))
    whole, grown = trace_run(writing.run), writing.trace()
    for one, other in zip(whole.layers, grown.layers, strict=True):
        assert np.abs(one.weights() - other.weights()).max() <= TOLERANCE
    found = predict(writing.run)
    assert np.abs(found.logits - writing.prediction().logits).max() <= 1e-5


def test_an_encoders_attention_can_be_changed_too():
    run = Run("The cat sat on the mat.")
    trace = trace_run(replace(run, edits=Edits(cut=(2,))))
    assert trace.weights[:, :, 3:, 2].max() == 0
    assert trace.weights[:, :, :3, 2].min() > 0
    assert trace.weights.sum(-1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("run", "edits", "words"),
    [
        (Run("the cat"), Edits(off=((9, 0),)), "has no head L9·H0"),
        (Run("the cat"), Edits(even=((0, 12),)), "has no head L0·H12"),
        (Run("the cat"), Edits(cut=(4,)), "There is no token 4"),
        (Run("the cat", source=Scratch()), Edits(cut=(1,)), "Only the attention of a pretrained"),
    ],
)
def test_what_cannot_be_changed_is_said(run, edits, words):
    with pytest.raises(ExplorerError, match=words):
        trace_run(replace(run, edits=edits))


def test_a_model_beside_the_tap_says_why_nothing_can_be_changed(tmp_path):
    save_writer("bloom", tmp_path)
    with pytest.raises(ExplorerError, match="does not go through the interface"):
        predict(replace(run_of(tmp_path), edits=Edits(off=((0, 0),))))


def test_what_reads_a_model_as_it_is_refuses_one_whose_attention_is_changed():
    run = Run("Mia has a red ball.", source=Stories(), edits=Edits(off=((1, 1),)))
    with pytest.raises(ExplorerError, match="Take back your changes"):
        Stream(run)
    Stream(replace(run, edits=NO_EDITS))


def test_nothing_stands_written_behind_the_text_of_an_encoder():
    with pytest.raises(ExplorerError, match=r"Only a decoder goes on with a text\."):
        trace_run(Run("The cat", written=(5, 6)))


def test_more_written_than_there_is_room_for_is_said_of_what_was_written():
    with pytest.raises(ExplorerError, match=r"3,000 tokens are to stand written .* room for \d+:"):
        trace_run(Run("The cat", source=Stories(), written=(5,) * 3000))
