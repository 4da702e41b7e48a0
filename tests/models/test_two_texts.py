"""The next word of an encoder–decoder explained: against plain runs of Transformers."""

import numpy as np
import pytest
import torch

from explorer.analysis.explanation import explain
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Folder
from explorer.sources.intervention import intervention
from explorer.sources.loading import load_model
from explorer.sources.predicting import predict
from explorer.sources.progress import silent
from explorer.sources.seq2seq import read_pair
from explorer.sources.targets import possible
from explorer.target import Likeness, NextWord, WrittenSpan
from tests.models.tiny import tiny_writer

TOLERANCE = 5e-6  # float32 sums in another order, in a batch or alone
TEXT, WRITTEN = "the cats sat", "die katze"


@pytest.fixture(scope="module", params=["T5", "Marian"])
def pair(request, tmp_path_factory):
    """A run, the model of Transformers, what its encoder reads, and what its decoder does."""
    folder = tmp_path_factory.mktemp(request.param)
    tiny_writer(request.param, folder)
    run = Run(TEXT, WRITTEN, Folder(str(folder)))
    loaded = load_model(run.source, silent).private()
    target, inputs = read_pair(loaded, run, silent)
    return run, loaded.whole, inputs["input_ids"][0].tolist(), target.ids


def logits(model, read, written):
    with torch.no_grad():
        return (
            model(input_ids=torch.tensor([read]), decoder_input_ids=torch.tensor([written]))
            .logits[0]
            .double()
        )


def test_a_next_word_is_what_the_model_gives_to_it(pair):
    run, model, read, written = pair
    asked, m, n = intervention(run, NextWord()), len(read), len(written)
    rows = logits(model, read, written)
    assert asked.value == pytest.approx(float(rows[-1].softmax(-1).max()), abs=TOLERANCE)
    assert predict(run).probabilities[0] == pytest.approx(asked.value, abs=TOLERANCE)
    assert asked.at == m + n - 1
    assert len(asked.tokens) == m + n
    first = intervention(run, NextWord(m))
    want = float(rows[0].softmax(-1)[written[1]])
    assert first.value == pytest.approx(want, abs=TOLERANCE)
    span = intervention(run, WrittenSpan(m + 1, m + n))
    logs = [float(rows[i].log_softmax(-1)[written[i + 1]]) for i in range(n - 1)]
    assert span.value == pytest.approx(sum(logs), abs=5 * TOLERANCE)
    chances = [p for _, p in asked.predictions(count=3)]
    assert chances == pytest.approx(rows[-1].softmax(-1).topk(3).values.tolist(), abs=TOLERANCE)


@pytest.mark.parametrize("how", ["replace", "drop"])
def test_words_of_both_texts_go_as_in_runs_without_them(pair, how):
    run, model, read, written = pair
    asked, m = intervention(run, NextWord(logit=True)), len(read)
    best = int(logits(model, read, written)[-1].argmax())
    assert set(asked.ways) <= {"replace", "drop"}
    choices = [{1}, {2, m + 2}, {m + 2}]
    assert {1, 2, m + 2} <= set(asked.removable)
    assert not {m, m + len(written) - 1} & set(asked.removable)  # its start, and the row
    for value, gone in zip(asked.without(choices, how), choices, strict=True):
        changed = [*read, *written]
        if how == "replace":
            changed = [asked._stand_in if i in gone else t for i, t in enumerate(changed)]
            want = logits(model, changed[:m], changed[m:])
        else:
            left = [t for i, t in enumerate(read) if i not in gone]
            want = logits(model, left, [t for i, t in enumerate(written) if m + i not in gone])
        assert value == pytest.approx(float(want[-1, best]), abs=TOLERANCE)


def test_gradients_of_the_words_of_both_texts_are_torchs_own(pair):
    run, model, read, written = pair
    asked = intervention(run, NextWord(logit=True))
    best = int(logits(model, read, written)[-1].argmax())
    table = model.get_input_embeddings()
    own = [table(torch.tensor([ids])).detach().requires_grad_() for ids in (read, written)]
    out = model(inputs_embeds=own[0], decoder_inputs_embeds=own[1])
    want = torch.autograd.grad(out.logits[0, -1, best], own)
    slopes = asked.slopes()
    lengths = torch.cat([g[0].norm(dim=-1) for g in want]).numpy()
    assert np.abs(slopes.norm - lengths).max() <= TOLERANCE * max(1, lengths.max())
    assert slopes.weights is None
    found = asked.integrated_gradients("mask")
    (empty,) = asked.without([asked.removable], "replace")
    assert found.change == pytest.approx(asked.value - empty, abs=TOLERANCE)
    assert found.error == pytest.approx(abs(found.scores.sum() - found.change), abs=1e-6)


def test_it_is_explained_as_far_as_methods_go_and_each_other_row_says_why(pair):
    run = pair[0]
    found = explain(intervention(run, NextWord()))
    have = {s.method.key for s in found.scores if s.values is not None}
    assert {"gradient", "gradient_input", "integrated_mask"} <= have
    assert all(s.values is not None or s.reason for s in found.scores)
    assert found.removal is not None
    m = len(pair[2])
    assert all(len({i < m for i in unit}) == 1 for unit in found.units)  # no word is of both texts
    assert any("are those of the text that is read" in note for note in found.notes)


def test_what_cannot_be_asked_of_it_is_said(pair):
    run = pair[0]
    reasons = possible(run).reasons
    assert reasons["next"] == reasons["span"] == ""
    assert "nothing else of it" in reasons["like"]
    with pytest.raises(ExplorerError, match="nothing else of it"):
        intervention(run, Likeness("x"))
    with pytest.raises(ExplorerError, match="choose one of the second text"):
        intervention(run, WrittenSpan(1, 3))
    alone = intervention(Run(TEXT, source=run.source), NextWord())
    assert alone.at == len(alone.tokens) - 1  # after the start: the first word that it writes
