"""What `stories` predicts, and why: held against sums by hand over the stack that learned it."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from explorer.analysis.attribution import attribution
from explorer.analysis.lens import lens
from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.scratch.grammar import follow, split
from explorer.scratch.storyteller import TELLERS
from explorer.source import Stories
from explorer.sources import trace_run
from explorer.sources.little_stories import decoder_of
from explorer.sources.loading import load_model
from explorer.sources.predicting import predict, token_of
from explorer.sources.progress import silent
from explorer.sources.stream import Stream
from explorer.sources.writing import Writing

TEXT = (
    "Mia and Tom live near the park. Mia has a red ball, and Tom has two green kites. They see a "
    "fox and two frogs in the barn. The fox that the frogs that Mia hears watch"
)
RUN = Run(TEXT, source=Stories())
VOCABULARY, numbers = TELLERS["en"].vocabulary, TELLERS["en"].numbers
IS, ARE = VOCABULARY.index("is"), VOCABULARY.index("are")
FOX = 1 + split(TEXT).index("fox", 30)  # the second one, which is the subject
ROUNDED = 1e-5  # float32 sums in another order; the largest logit is about 12


@functools.cache
def stack():
    return decoder_of(load_model(Stories(), silent).network)


def by_hand(ids, off=(), cut=(), even=()):
    """The stream before and after each block, and what each head writes, ``[layer, head]``.

    No function of the layer itself is called but its linear maps.
    """
    decoder, n = stack(), len(ids)
    x = decoder.tokens.weight[ids] + decoder.positions.weight[:n]
    streams, written = [x], []
    for i, block in enumerate(decoder.blocks):
        layer, read = block.attention, block.norm_1(x)
        allowed = torch.ones(n, n).tril().bool()
        for key in cut:
            allowed[key + 1 :, key] = False
        x = x + layer.o.bias
        for h in range(layer.n_heads):
            own = slice(h * layer.d_k, (h + 1) * layer.d_k)
            q, k, v = (m(read)[:, own] for m in (layer.W_Q, layer.W_K, layer.W_V))
            scores = q @ k.T / layer.d_k**0.5 * ((i, h) not in even)
            weights = scores.masked_fill(~allowed, -torch.inf).softmax(-1)
            head = weights @ v @ layer.o.weight[:, own].T * ((i, h) not in off)
            x = x + head
            written.append(head)
        x = x + block.narrow(F.gelu(block.wide(block.norm_2(x)), approximate="tanh"))
        streams.append(x)
    return streams, written


def logits(x):
    return stack().norm(x) @ stack().tokens.weight.T


@pytest.fixture(scope="module")
def plain():
    with torch.inference_mode():
        return by_hand(numbers(split(TEXT)))


def test_the_next_word_is_the_one_that_the_grammar_holds_likeliest(plain):
    found = predict(RUN)
    assert np.abs(found.logits - logits(plain[0][-1][-1]).detach().numpy()).max() < ROUNDED
    _, after = follow(split(TEXT))
    assert VOCABULARY[found.ids[0]] == max(after, key=lambda way: way.share).word == "is"
    chance = torch.tensor(found.logits).softmax(-1)
    told = sum(float(chance[VOCABULARY.index(way.word)]) for way in after)
    assert told > 0.95  # of all that it expects, so much may come
    assert chance[ARE] < 0.01


def test_the_lens_reads_the_stream_after_each_layer(plain):
    row = lens(Stream(RUN), count=len(VOCABULARY))
    for x, ids, chances in zip(plain[0], row.ids, row.probabilities, strict=True):
        own = logits(x[-1]).softmax(-1).detach().numpy()
        assert np.abs(own[ids] - chances).max() < ROUNDED
    assert row.texts[-1][0].strip("␣ ") == "is"


def test_who_wrote_the_verb_sums_to_its_lead_and_each_head_is_what_it_is_by_hand(plain):
    streams, written = plain
    found = attribution(Stream(RUN).at(None, [IS, ARE]), 0, 1)
    lead = (logits(streams[-1][-1])[IS] - logits(streams[-1][-1])[ARE]).item()
    assert abs(found.logit - lead) < ROUNDED
    assert abs(found.values.sum() + found.constant + found.rest - found.logit) < ROUNDED
    assert abs(found.rest) < ROUNDED
    norm, words = stack().norm, stack().tokens.weight
    scale = (streams[-1][-1].var(unbiased=False) + norm.eps).sqrt()
    for (layer, head), value in found.heads().items():
        own = written[layer * 4 + head][-1]
        gives = (own - own.mean()) / scale * norm.weight @ (words[IS] - words[ARE])
        assert abs(gives.item() - value) < ROUNDED


@pytest.mark.parametrize(
    "edits",
    [
        {"off": ((2, 1), (0, 3))},
        {"even": ((2, 1),)},
        {"cut": (FOX,)},
        {"off": ((1, 0),), "cut": (3, 5)},
    ],
)
def test_a_change_is_what_it_is_by_hand(edits):
    with torch.inference_mode():
        streams, _ = by_hand(numbers(split(TEXT)), **edits)
        own = logits(streams[-1][-1]).numpy()
    assert np.abs(predict(replace(RUN, edits=Edits(**edits))).logits - own).max() < ROUNDED


def test_a_word_that_the_vocabulary_lacks_is_said_to_be_none_of_its_tokens():
    loaded = load_model(Stories(), silent)
    assert token_of(loaded, "fox") == VOCABULARY.index("fox")
    with pytest.raises(ExplorerError, match="“zebra” is not a token of the vocabulary of"):
        token_of(loaded, "zebra")


def test_without_its_subject_the_verb_is_no_longer_sure_of_its_form(plain):
    def lead(**edits):
        found = predict(replace(RUN, edits=Edits(**edits))).logits
        return float(found[IS] - found[ARE])

    assert lead() > 4
    assert lead(cut=(FOX,)) < lead() - 2
    both = ((1, 0), (2, 3))  # either alone stands in for the other
    assert lead(off=both) < min(lead(off=both[:1]), lead(off=both[1:])) - 2


def test_what_is_written_row_by_row_is_what_one_look_at_the_whole_gives():
    writing = Writing(Run("Mia and Tom live near the park.", source=Stories()))
    rows = list(writing.write(12))
    trace = trace_run(writing.run)
    assert len(trace.tokens) == 9 + 12
    again = trace_run(Run.from_query(writing.run.to_query()))
    assert [t.text for t in again.tokens] == [t.text for t in trace.tokens]
    with torch.inference_mode():
        ids = [*numbers(split("Mia and Tom live near the park.")), *(row.id for row in rows)]
        streams, _ = by_hand(ids)
    likeliest = logits(streams[-1]).argmax(-1).tolist()
    assert likeliest[8:-1] == ids[9:]
