"""Next words and spans as targets of Explain: against plain runs of Transformers."""

import numpy as np
import pytest
import torch

from explorer.analysis.explanation import METHODS, explain
from explorer.errors import ExplorerError
from explorer.prediction import log_softmax
from explorer.run import Run
from explorer.source import Folder
from explorer.sources.intervention import intervention
from explorer.target import NextWord, OutputVector, WrittenSpan, target_from_query, target_to_query
from tests.models.test_edits import by_hand, shared_again
from tests.models.tiny import one_mark, tiny_writer
from tests.models.writers import ids_of, plain, run_of, save_writer

# Float32 sums in another order, in a batch or alone.
TOLERANCE = 5e-6
WRITTEN = (9, 27)


@pytest.fixture(scope="module", params=["gpt2", "llama", "gemma2", "gpt_oss"])
def writer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return save_writer(request.param, folder), run_of(folder, written=WRITTEN)


def chances(model, run, ids=None):
    logits = plain(model, run) if ids is None else _of(model, ids)
    return np.exp(log_softmax(logits))


def _of(model, ids):
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids])).logits[0].numpy()


def test_a_next_word_is_what_the_model_gives_to_it(writer):
    model, run = writer
    logits, p = plain(model, run).astype(float), chances(model, run)
    n, ids = len(logits), ids_of(run)
    best = int(logits[-1].argmax())
    for target, want in (
        (NextWord(), p[-1, best]),
        (NextWord(logit=True), logits[-1, best]),
        (NextWord(guess="⟨7⟩"), p[-1, 7]),
        (NextWord(3), p[3, ids[4]]),
        (NextWord(3, "⟨7⟩", "⟨9⟩"), logits[3, 7] - logits[3, 9]),
        (WrittenSpan(n - 2, n), np.log(p[n - 3, 9]) + np.log(p[n - 2, 27])),
    ):
        asked = intervention(run, target)
        assert asked.value == pytest.approx(want, abs=TOLERANCE)
        assert target_from_query(target_to_query(target)) == target
    assert intervention(run, NextWord(3)).rows == [3]
    assert intervention(run, WrittenSpan(n - 2, n)).rows == [n - 3, n - 2]


def test_every_way_of_taking_a_word_away_is_a_run_without_it(writer):
    model, run = writer
    ids = ids_of(run)
    best = int(plain(model, run)[-1].argmax())
    asked = intervention(run, NextWord())
    assert asked.ways == ("replace", "drop", "cut")
    assert asked.removable == list(range(1, len(ids) - 1))  # the first is a mark, the last stays
    choices = [{2}, {3, 8}, set(asked.removable)]
    stand_in = asked._stand_in
    for how in asked.ways:
        for value, gone in zip(asked.without(choices, how), choices, strict=True):
            if how == "replace":
                changed = [stand_in if i in gone else token for i, token in enumerate(ids)]
                want = chances(model, run, changed)[-1, best]
            elif how == "drop":
                changed = [token for i, token in enumerate(ids) if i not in gone]
                want = chances(model, run, changed)[-1, best]
            else:
                cut = torch.zeros(len(ids), len(ids), dtype=torch.bool)
                for at in gone:
                    cut[at + 1 :, at] = True
                edited, _ = by_hand(model, run, lambda _, w, c=cut: shared_again(w, c))
                want = np.exp(log_softmax(edited[-1]))[best]
            assert value == pytest.approx(want, abs=TOLERANCE)


def test_a_span_is_scored_after_what_is_left_before_it(writer):
    model, run = writer
    ids = ids_of(run)
    n = len(ids)
    asked = intervention(run, WrittenSpan(n - 2, n))
    assert asked.removable == list(range(1, n - 3))
    (value,) = asked.without([{4, 5}], "drop")
    p = chances(model, run, [token for i, token in enumerate(ids) if i not in (4, 5)])
    assert value == pytest.approx(np.log(p[-3, 9]) + np.log(p[-2, 27]), abs=TOLERANCE)


def test_heads_and_gradients_are_those_of_the_row_that_predicts(writer):
    model, run = writer
    target = NextWord(5, "⟨7⟩", logit=True)
    asked = intervention(run, target)
    slopes = asked.slopes()
    model.set_attn_implementation("eager")
    out = model(input_ids=torch.tensor([ids_of(run)]), output_attentions=True)
    want = torch.autograd.grad(out.logits[0, 5, 7], out.attentions)
    assert np.abs(slopes.attention - torch.cat(want).numpy()).max() <= TOLERANCE
    assert slopes.norm[6:].max() == 0  # nothing behind it counts
    (off,) = asked.heads_off([[(1, 2)]])
    edited, _ = by_hand(model, run, lambda layer, w: _off(layer, w))
    assert off == pytest.approx(edited[5, 7], abs=TOLERANCE)


def _off(layer, weights):
    if layer == 1:
        weights[:, 2] = 0
    return weights


def test_all_methods_explain_a_next_word(tmp_path):
    save_writer("gpt2", tmp_path)
    run = run_of(tmp_path)
    found = explain(intervention(run, NextWord()), how="cut")
    have = {score.method.key for score in found.scores if score.values is not None}
    assert {m.key for m in METHODS} - have == {"norms_residual", "norms_layer_norm"}
    assert found.removal is not None
    assert found.how == "cut"
    assert found.instead is None
    assert found.head_effects.shape == (4, 4)
    assert any("no later token may look at" in note for note in found.notes)
    for score in found.scores:
        if score.method.key.startswith("integrated"):
            assert "Completeness" in score.reason


def test_a_model_as_decoders_have_their_tokenizers_is_explained(tmp_path):
    """No start, no mask, no padding: one mark for the rest, as GPT-2 has it."""
    model = save_writer("gpt2", tmp_path)
    one_mark().save_pretrained(tmp_path)
    run = Run("the cat sat on the mat", source=Folder(str(tmp_path)))
    asked = intervention(run, NextWord())
    assert asked.replacement == "</s>"
    ids = one_mark()(run.text)["input_ids"]
    best = int(_of(model, ids)[-1].argmax())
    got = asked.without([{0}, {1, 2}], "drop")
    want = [chances(model, run, [*ids[:a], *ids[b:]])[-1, best] for a, b in ((0, 1), (1, 3))]
    assert got == pytest.approx(want, abs=TOLERANCE)
    assert asked.predictions(count=3)[0][1] == pytest.approx(asked.value, abs=TOLERANCE)


def test_a_reader_may_choose_what_stands_in_the_place_of_a_word(tmp_path):
    model = save_writer("gpt2", tmp_path)
    run = run_of(tmp_path)
    asked = intervention(run, NextWord(), neutral="a")
    ids = ids_of(run)
    (value,) = asked.without([{2}], "replace")
    best = int(_of(model, ids)[-1].argmax())
    changed = [ids[0], ids[1], asked._stand_in, *ids[3:]]
    assert value == pytest.approx(chances(model, run, changed)[-1, best], abs=TOLERANCE)
    assert asked.replacement == "a"
    with pytest.raises(ExplorerError, match="is not one token"):
        intervention(run, NextWord(), neutral="an elephant")


def test_what_has_no_next_word_is_refused(tmp_path):
    (tmp_path / "pair").mkdir()
    tiny_writer("T5", tmp_path / "pair")
    (tmp_path / "gpt2").mkdir()
    save_writer("gpt2", tmp_path / "gpt2")
    run = run_of(tmp_path / "gpt2")
    for asked, target, words in (
        (Run("the cat"), NextWord(), "no head that predicts words"),
        (Run("the cat", source=Folder(str(tmp_path / "pair"))), OutputVector(1), "encoder-decoder"),
        (Run("the cat", source=Folder(str(tmp_path / "pair"))), NextWord(1), "text that is read"),
        (run, NextWord(99), "There is no token 99"),
        (run, NextWord(guess="⟨400⟩"), "predicts no token 400"),
        (run, WrittenSpan(0, 2), "the first is predicted from nothing"),
    ):
        with pytest.raises(ExplorerError, match=words):
            intervention(asked, target)
    with pytest.raises(ExplorerError, match="must not stand before"):
        WrittenSpan(3, 3)
