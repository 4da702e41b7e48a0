"""The trained layer's answers explained: against plain runs of the layer, and its task's truth."""

import numpy as np
import pytest
import torch

from explorer.analysis.alti import alti
from explorer.analysis.explanation import explain
from explorer.errors import ExplorerError
from explorer.lesson import Trained
from explorer.run import Run
from explorer.scratch.nextword import course_of
from explorer.scratch.training import learner_at
from explorer.sources.answering import Answering
from explorer.sources.intervention import intervention
from explorer.sources.progress import silent
from explorer.sources.targets import possible
from explorer.sources.trained import learned
from explorer.target import Likeness, NextWord

TOLERANCE = 1e-5  # float32 against float64 sums
COPY = Trained(length=6, d_model=16, steps=60)
INDUCTION = Trained("induction", length=10, d_model=16, n_heads=2, n_layers=2, steps=4)


def asked_of(lesson, text, **target):
    asked = intervention(Run(text, source=lesson), NextWord(**target))
    assert isinstance(asked, Answering)
    return asked


def plain(lesson, text):
    """The layer, and the numbers of a sequence."""
    course = course_of(lesson)
    ids = torch.tensor([[course.numbers[c] for c in text]])
    return learner_at(lesson, learned(lesson, silent)[1]), ids


def test_an_answer_is_what_the_layer_gives_to_it():
    learner, ids = plain(COPY, "abcdab")
    with torch.no_grad():
        scores = learner(ids)[0][0, 3].double()
    asked = asked_of(COPY, "abcdab", at=3)
    assert asked.value == pytest.approx(float(scores.softmax(-1)[2]), abs=TOLERANCE)
    assert asked.name == "probability of the answer “c”, which is right, at “d” (token 3)"
    other = asked_of(COPY, "abcdab", at=3, guess="a", other="b")
    assert other.value == pytest.approx(float(scores[0] - scores[1]), abs=TOLERANCE)
    chances = scores.softmax(-1)
    assert asked.predictions(count=3) == [
        ("abcdefghij"[i], pytest.approx(float(chances[i]), abs=TOLERANCE))
        for i in chances.topk(3).indices.tolist()
    ]


@pytest.mark.parametrize(("lesson", "text"), [(COPY, "abcdab"), (INDUCTION, "abcdabcdab")])
def test_tokens_go_and_heads_are_off_as_in_a_run_without_them(lesson, text):
    learner, ids = plain(lesson, text)
    learner.requires_grad_(requires_grad=False)
    at = 4
    asked = asked_of(lesson, text, at=at, logit=True)
    guess = asked._guess
    assert at not in asked.removable
    (dropped,) = asked.without([{1, 2}], "drop")
    want = learner(ids[:, [0, 3, 4, *range(5, len(text))]])[0][0, 2, guess]
    assert dropped == pytest.approx(float(want), abs=TOLERANCE)
    (cut,) = asked.without([{1, 2}], "cut")
    allowed = torch.ones(len(text), len(text), dtype=torch.bool)
    allowed[:, [1, 2]] = False
    allowed |= torch.eye(len(text), dtype=torch.bool)
    x = learner.tokens(ids) + learner.positions.weight[: len(text)]
    for layer, norm in zip(learner.encoder.layers, learner.encoder.norms, strict=True):
        x = norm(x + layer(x, x, x, allowed, causal=lesson is INDUCTION))
    assert cut == pytest.approx(float(learner.readout(x)[0, at, guess]), abs=TOLERANCE)
    chosen = intervention(Run(text, source=lesson), NextWord(at, logit=True), silent, "e")
    (replaced,) = chosen.without([{1, 2}], "replace")
    changed = ids.clone()
    changed[0, [1, 2]] = 4
    assert replaced == pytest.approx(float(learner(changed)[0][0, at, guess]), abs=TOLERANCE)
    (off,) = asked.heads_off([[(0, 1)]])
    with torch.no_grad():
        width = lesson.d_model // lesson.n_heads
        learner.encoder.layers[0].o.weight[:, width : 2 * width] = 0
    assert off == pytest.approx(float(learner(ids)[0][0, at, guess]), abs=TOLERANCE)


def test_gradients_are_torchs_own_and_integrated_ones_add_up():
    learner, ids = plain(INDUCTION, "abcdabcdab")
    asked = intervention(Run("abcdabcdab", source=INDUCTION), NextWord(7), silent, "e")
    vectors = learner.tokens(ids).detach().requires_grad_()
    x, weights = learner.encoder(vectors + learner.positions.weight[:10])
    value = learner.readout(x)[0, 7].double().softmax(-1)[asked._guess]
    (slope,) = torch.autograd.grad(value, [vectors])
    slopes = asked.slopes()
    assert slopes.norm == pytest.approx(slope[0].norm(dim=-1).numpy(), abs=TOLERANCE)
    assert np.abs(slopes.weights - weights[:, 0].detach().numpy()).max() <= TOLERANCE
    found = asked.integrated_gradients("mask")
    assert found.error < 0.01 * max(abs(found.change), 0.01)
    with pytest.raises(ExplorerError, match="knows no padding"):
        asked.integrated_gradients("pad")


def test_what_attention_moves_adds_up_to_what_the_layers_norm_gives_out():
    asked = asked_of(INDUCTION, "abcdabcdab")
    them = asked.activations()
    for i, layer in enumerate(asked._learner.encoder.layers):
        moved = np.einsum("hij,hjv->ihv", them.weights[i], them.values[i]).reshape(10, -1)
        x = moved @ them.w_o[i].T + layer.o.bias.detach().numpy() + them.inputs[i]
        norm = them.joined[i]
        y = norm.undivided(x.astype(float)) / norm.scale[:, None] + norm.shift
        assert np.abs(y - them.outputs[i]).max() <= TOLERANCE
    assert alti(them).sum(-1) == pytest.approx(1)


def test_a_layer_that_has_learned_to_copy_points_at_what_it_copies():
    """Its truth is known: the answer is the token before, and every method can be held to it."""
    lesson = Trained(length=6, d_model=32, steps=300)
    found = explain(asked_of(lesson, "abcdef", at=3), how="cut")
    assert found.deciding == (2,)
    assert found.decided == "The task finds “c” at the previous token"
    assert found.points.first
    attention = next(s for s in found.scores if s.method.key == "attention")
    assert attention.pointing.first
    missing = {s.method.key for s in found.scores if s.values is None}
    assert missing == {"norms_residual", "integrated_pad", "integrated_mask"}


@pytest.mark.parametrize(
    ("lesson", "text", "at", "deciding"),
    [
        (INDUCTION, "abcdabcdab", 5, (2,)),  # behind the earlier b
        (INDUCTION, "abcd", 2, ()),  # nothing is asked there
        (Trained("sort", length=3, d_model=16, steps=1), "312", 0, (1,)),
        (Trained("sort", length=3, d_model=16, steps=1), "132", 0, ()),  # it is the token itself
    ],
)
def test_the_task_says_which_tokens_decide(lesson, text, at, deciding):
    assert asked_of(lesson, text, at=at).deciding == deciding


@pytest.mark.parametrize(
    ("text", "target", "words"),
    [
        ("abc", {"at": 9}, "There is no token 9"),
        ("abc", {"guess": "Z"}, "is no answer of this task"),
        ("a", {}, "no other token that could be taken away"),
        ("xyz", {}, "is none of them"),
    ],
)
def test_what_cannot_be_asked_is_said(text, target, words):
    with pytest.raises(ExplorerError, match=words):
        asked_of(COPY, text, **target)


def test_only_its_answers_can_be_explained_and_the_reason_says_so():
    found = possible(Run("abc", source=COPY))
    assert found.answers
    assert [kind for kind, why in found.reasons.items() if not why] == ["next"]
    assert [token.text for token in found.tokens] == ["a", "b", "c"]
    with pytest.raises(ExplorerError, match="its answer at a token is all"):
        intervention(Run("abc", source=COPY), Likeness("b"))
