"""An explanation of a model whose attention is changed: against runs that are edited by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.analysis.explanation import METHODS, explain
from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.prediction import log_softmax
from explorer.run import Run
from explorer.source import Folder
from explorer.sources.intervention import intervention
from explorer.sources.predicting import predict
from explorer.target import Likeness, MaskedWord, NextWord
from tests.models.test_edits import by_hand, edited_by_hand, shared_again
from tests.models.tiny import tiny_model
from tests.models.writers import ids_of, run_of, save_writer

TOLERANCE = 5e-6  # float32 sums in another order, in a batch or alone
EDITS = Edits(off=((1, 2),), cut=(3,), edges=((2, None, 7, 4), (None, None, 8, 8)), even=((0, 1),))


@pytest.fixture(scope="module", params=["gpt2", "llama", "gpt_oss"])
def writer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return save_writer(request.param, folder), run_of(folder, edits=EDITS)


def edited(kept, also=(), without=()):
    """What EDITS do to the weights of a layer, with more heads off and more words cut.

    Args:
        kept: The positions that are left of the text.
        also: Heads that are off as well.
        without: Positions that are cut as well.
    """
    n = max(kept) + 1
    cut = {layer: torch.zeros(4, n, n, dtype=torch.bool) for layer in range(4)}
    for edges in cut.values():
        edges[:, 8, 8] = True
        for at in (3, *without):
            edges[:, at + 1 :, at] = True
    cut[2][:, 7, 4] = True

    def edit(layer, weights):
        if layer == 0:
            seen = (weights[:, 1] > 0).float()
            weights[:, 1] = seen / seen.sum(-1, keepdim=True)
        weights = shared_again(weights, cut[layer][:, kept][:, :, kept])
        for at, head in ((1, 2), *also):
            if at == layer:
                weights[:, head] = 0
        return weights

    return edit


def chance(model, run, edit, token, kept=None):
    ids = ids_of(run)
    part = ids if kept is None else [ids[i] for i in kept]
    logits, _ = by_hand(model, run, edit, part)
    return np.exp(log_softmax(logits[-1]))[token]


def test_the_word_is_that_of_the_model_as_it_is_and_both_its_values_are_told(writer):
    model, run = writer
    plain = replace(run, edits=Edits())
    best = int(predict(plain).ids[0])
    asked, before = intervention(run, NextWord()), intervention(plain, NextWord())
    everything = list(range(len(ids_of(run))))
    assert asked.name == before.name
    assert asked.plain == before.value
    assert before.plain == before.value
    want = chance(model, run, edited(everything), best)
    assert asked.value == pytest.approx(want, abs=TOLERANCE)
    assert abs(asked.value - asked.plain) > 1e-5
    now = predict(run)
    shown = asked.predictions(count=3)
    assert [p for _, p in shown] == pytest.approx(now.probabilities[:3], abs=TOLERANCE)
    assert asked.predictions(count=3, edited=False) == before.predictions(count=3)


def test_words_go_and_heads_are_off_on_top_of_what_is_changed(writer):
    model, run = writer
    best = int(predict(replace(run, edits=Edits())).ids[0])
    n = len(ids_of(run))
    everything = list(range(n))
    asked = intervention(run, NextWord())
    (cut,) = asked.without([{5}], "cut")
    assert cut == pytest.approx(
        chance(model, run, edited(everything, without=(5,)), best), abs=TOLERANCE
    )
    (off,) = asked.heads_off([[(3, 0)]])
    assert off == pytest.approx(
        chance(model, run, edited(everything, also=[(3, 0)]), best), abs=TOLERANCE
    )
    # Where a word is dropped the edges of the others move with their words.
    for gone in ({2}, {4, 5}):
        kept = [i for i in everything if i not in gone]
        (dropped,) = asked.without([gone], "drop")
        want = chance(model, run, edited(kept), best, kept)
        assert dropped == pytest.approx(want, abs=TOLERANCE)


def test_gradients_are_those_of_the_changed_model(writer):
    """Torch's own, of an eager run whose attention is edited by hand."""
    model, run = writer
    ids = torch.tensor([ids_of(run)])
    best = int(predict(replace(run, edits=Edits())).ids[0])
    vectors = model.get_input_embeddings()(ids).detach().requires_grad_()
    with edited_by_hand(model, edited(list(range(ids.shape[1])))) as kept:
        value = model(inputs_embeds=vectors).logits[0, -1].double().softmax(-1)[best]
    slope, *of_attention = torch.autograd.grad(value, [vectors, *kept])
    asked = intervention(run, NextWord())
    slopes, n = asked.slopes(), ids.shape[1]  # a mark that closes the text stands behind
    assert np.abs(slopes.norm[:n] - slope[0].norm(dim=-1).numpy()).max() <= TOLERANCE
    for layer, (weights, gradient) in enumerate(zip(kept, of_attention, strict=True)):
        on = [head for head in range(4) if (layer, head) != (1, 2)]
        for got, want in ((slopes.weights, weights), (slopes.attention, gradient)):
            assert np.abs(got[layer, on, :n, :n] - want[0, on].detach().numpy()).max() <= TOLERANCE
    assert (slopes.attention[1, 2] == 0).all()
    assert (slopes.weights[1, 2] == 0).all()
    found = asked.integrated_gradients("mask")  # from the changed model on a text without words
    (empty,) = asked.without([asked.removable], "replace")
    assert found.change == pytest.approx(asked.value - empty, abs=TOLERANCE)


def test_every_method_runs_on_a_changed_model(tmp_path):
    save_writer("gpt2", tmp_path)
    found = explain(intervention(run_of(tmp_path, edits=EDITS), NextWord()), how="cut")
    have = {s.method.key for s in found.scores if s.values is not None}
    assert {m.key for m in METHODS} - have == {"norms_residual", "norms_layer_norm"}
    assert found.plain is not None
    assert found.whole
    assert found.head_effects[1, 2] == pytest.approx(0, abs=TOLERANCE)  # it is off already
    assert found.importance[1, 2] == 0


def test_an_encoders_targets_are_explained_with_its_attention_changed(tmp_path):
    run = Run("the cat sat on the mat", source=Folder(str(tiny_model("MaskedLM", tmp_path))))
    changed = replace(run, edits=Edits(off=((0, 1),)))
    for target in (MaskedWord(2), Likeness("the dog")):
        asked, plain = intervention(changed, target), intervention(run, target)
        assert asked.plain == plain.value
        (off,) = plain.heads_off([[(0, 1)]])
        assert asked.value == pytest.approx(off, abs=TOLERANCE)
        both = plain.heads_off([[(0, 1), (1, 0)]])
        assert asked.heads_off([[(1, 0)]]) == pytest.approx(both, abs=TOLERANCE)


def test_what_cannot_be_changed_is_said(tmp_path):
    save_writer("bloom", tmp_path)
    run = run_of(tmp_path, edits=Edits(off=((0, 0),)))
    with pytest.raises(ExplorerError, match=r"No attention of .* can be changed"):
        intervention(run, NextWord())
