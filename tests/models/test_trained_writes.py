"""The layer that has learned what comes next, as a decoder: against the layer's own sums."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.analysis.lens import lens
from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.lesson import Trained
from explorer.prediction import log_softmax
from explorer.run import Run
from explorer.sampling import Sampling
from explorer.scratch.nextword import course_of
from explorer.scratch.training import learner_at
from explorer.sources import trace_run, trained
from explorer.sources.predicting import predict
from explorer.sources.progress import silent
from explorer.sources.stream import Stream
from explorer.sources.writing import Writing

# Float32 sums in another order; measured: 3e-7 of a weight, 2e-6 of a score.
WEIGHTS, SCORES = 1e-6, 1e-5
TEXTS = {"letters": "this is th", "stories": "Mia and Tom live near"}


@pytest.fixture(scope="module", params=list(TEXTS))
def learned(request):
    """A run, and what the layer itself makes of its tokens: scores and weights."""
    lesson = Trained(request.param, steps=20)
    _, frame = trained.learned(lesson, silent)
    learner = learner_at(lesson, frame)

    def own(run):
        tokens, _ = trained.read_tokens(lesson, (run.text,))
        ids = [course_of(lesson).numbers[t.text] for t in tokens] + list(run.written)
        with torch.inference_mode():
            scores, weights = learner(torch.tensor([ids]))
        return scores[0].numpy(), weights[:, 0].numpy()

    return Run(TEXTS[request.param], source=lesson), own


def test_its_tokens_and_weights_are_the_layers_own(learned):
    run, own = learned
    trace = trace_run(run)
    tokens, _ = trained.read_tokens(run.source, (run.text,))
    assert [t.text for t in trace.tokens] == [t.text for t in tokens]
    assert [t.span for t in trace.tokens if t.span] == [t.span for t in tokens if t.span]
    assert np.abs(trace.weights - own(run)[1]).max() <= WEIGHTS
    assert trace.model.passport.form == "scores"


def test_what_comes_next_is_the_layers_own_answer(learned):
    run, own = learned
    scores, _ = own(run)
    for at in (2, None):
        found = predict(run, at, count=3)
        want = scores[-1 if at is None else at]
        assert np.abs(found.logits - want).max() <= SCORES
        chances = np.exp(log_softmax(want))
        assert found.probabilities == pytest.approx(chances[list(found.ids)], abs=1e-6)


def test_it_writes_and_what_it_writes_has_the_layers_own_weights(learned):
    run, own = learned
    writing = Writing(run, Sampling(1.0, seed=1))
    list(writing.write(5))
    assert len(writing.run.written) >= 3 or writing.ended
    trace = writing.trace()
    assert trace.n_written == len(writing.run.written)
    assert np.abs(trace.weights - own(writing.run)[1]).max() <= WEIGHTS
    assert np.abs(trace_run(writing.run).weights - own(writing.run)[1]).max() <= WEIGHTS
    # What it writes by the likeliest token is what Train shows.
    greedy = Writing(run)
    list(greedy.write(3))
    shown = trained.history(run.source, run.text)
    assert shown.begun == run.text
    letters = greedy.trace().texts[0].removeprefix(run.text)
    assert shown.written[-1].startswith(letters)


def test_heads_are_switched_off_and_layers_read_as_the_last(learned):
    run, own = learned
    off = predict(replace(run, edits=Edits(off=((0, 0),))))
    assert np.abs(off.logits - own(run)[0][-1]).max() > 1e-3
    stream = Stream(run)
    assert lens(stream).ids[-1][0] == own(run)[0][-1].argmax()
    with pytest.raises(ExplorerError, match="has a norm over both"):
        stream.at(None, [0])


def test_what_it_does_not_know_and_a_full_text_are_said():
    lesson = Trained("letters", steps=20)
    with pytest.raises(ExplorerError, match=r"“Ω” is none of them\. Try: "):
        predict(Run("this Ω", source=lesson))
    full = trained.example_text(lesson)
    with pytest.raises(ExplorerError, match=r"no room for another token: it reads at most \d+"):
        Writing(Run(full, source=lesson))
    with pytest.raises(ExplorerError, match="predicts no next word"):
        predict(Run("a b c", source=Trained("copy", steps=20)))
