"""Induction and its kin in models: against sums by hand over what Transformers gives."""

import numpy as np
import pytest
import torch
from transformers import GPT2LMHeadModel

from explorer.analysis.induction import repeat_scores, repeats_in
from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Embedded, Stories, Trained
from explorer.sources import trace_run
from explorer.sources.catalogue import STORIES_FOLDER
from explorer.sources.repeats import repeated, repetitions
from tests.models.writers import run_of, save_writer

# The tap's weights are within 1e-6 of the model's own eager attention; means add no error.
TOLERANCE = 1e-6
BACK = {"induction": 11, "same": 12, "previous": 1}
STORY = "Mia and Tom live near the garden. Mia has a ball. Tom has a cat."


def models(tmp_path):
    """A run of each of some models, with the model itself, as Transformers has it."""
    for name in ("gpt2", "llama"):
        folder = tmp_path / name
        yield run_of(folder), save_writer(name, folder)
    whole = GPT2LMHeadModel.from_pretrained(STORIES_FOLDER, attn_implementation="eager").eval()
    yield Run(STORY, source=Stories()), whole


def eager(model, run):
    """The attention of a model's own eager run, ``[layer, head, query, key]``."""
    begun = trace_run(run)
    ids = torch.tensor([ids_in(begun, run)])
    with torch.inference_mode():
        return torch.stack(model(ids, output_attentions=True).attentions)[:, 0].numpy()


def ids_in(trace, run):
    """The numbers of a run's tokens, for an eager run of its model."""
    from explorer.sources.loading import load_model
    from explorer.sources.written import read_run

    reading, _ = read_run(load_model(run.source, lambda *_: None).part("text"), run)
    assert len(reading.tokens) == trace.shape[2]
    return reading.inputs["input_ids"][0].tolist()


def test_scores_are_means_over_single_weights_of_the_models_own_attention(tmp_path):
    for run, model in models(tmp_path):
        each = list(repetitions(run, length=12, count=2))
        found = repeat_scores(each)
        assert found.length == 12
        weights = []
        for own, _, length, _ in each:
            assert own.written[:12] == own.written[12:]
            assert len(set(own.written)) == length == 12
            assert Run.from_query(own.to_query()) == own
            weights.append(eager(model, own).astype(float))
        n = weights[0].shape[-1]
        for name, back in BACK.items():
            want = [
                np.mean([w[..., i, i - back] for i in range(n - 12, n)], axis=0) for w in weights
            ]
            assert found.scores[name] == pytest.approx(np.stack(want), abs=TOLERANCE)
            even = np.mean([1 / (i + 1) for i in range(n - 12, n)])
            assert found.even[name] == pytest.approx(np.full(len(found.numbers), even))


def test_no_unknown_nor_other_special_token_is_among_the_random_ones(tmp_path):
    from explorer.sources.loading import load_model
    from explorer.sources.repeats import _drawn

    for run, _ in models(tmp_path):
        loaded = load_model(run.source, lambda *_: None).part("text")
        kept = set(_drawn(loaded, len(loaded.tokenizer), 0))  # as many as there are
        assert len(kept) > 20
        assert not kept & {*loaded.tokenizer.all_special_ids}
        assert loaded.tokenizer.unk_token_id not in kept


def test_an_induction_score_says_that_all_earlier_places_count():
    from explorer.analysis.induction import INDUCTION, SAME
    from explorer.instrument.wire.repeats import NAMES

    assert NAMES[INDUCTION].words.startswith("looks at the tokens after earlier same ones: {}")
    for name in (INDUCTION, SAME):
        assert "sum over all of its earlier places" in NAMES[name].exactly


def test_on_a_readers_text_they_are_the_models_own_too(tmp_path):
    run = Run(STORY, source=Stories())
    _, model = list(models(tmp_path))[-1]
    trace, weights = trace_run(run), eager(model, run).astype(float)
    words = [t.text.lower() for t in trace.key_tokens]
    again = [(i, [k for k in range(i) if words[k] == words[i]]) for i in range(len(words))]
    after = [(i, [k + 1 for k in before if k + 1 < i]) for i, before in again]
    found = repeats_in(trace)
    for name, rows in (("same", again), ("induction", after)):
        asked = [(i, keys) for i, keys in rows if keys]
        want = np.mean([weights[..., i, keys].sum(axis=-1) for i, keys in asked], axis=0)
        assert found.counts[name] == len(asked) > 3
        assert found.shares[name] == pytest.approx(want, abs=TOLERANCE)


def test_copying_is_what_heads_write_read_by_the_models_own_head(tmp_path):
    """Of a GPT-2: what its output map makes of each head, behind the last norm as it divides."""
    _, model = list(models(tmp_path))[-1]
    ((run, trace, length, written),) = repetitions(Run(STORY, source=Stories()), length=10, count=1)
    ids = ids_in(trace, run)
    read = {}
    for i, block in enumerate(model.transformer.h):
        block.attn.c_proj.register_forward_pre_hook(
            lambda _m, given, i=i: read.__setitem__(i, given[0][0].double())
        )
    model.transformer.ln_f.register_forward_pre_hook(
        lambda _m, given: read.__setitem__("stream", given[0][0].double())
    )
    with torch.inference_mode():
        weights = torch.stack(model(torch.tensor([ids]), output_attentions=True).attentions)
    weights, n = weights[:, 0].double().numpy(), len(ids)
    ln, table = model.transformer.ln_f, model.lm_head.weight.detach().double()[list(ids[-length:])]
    scale = (read["stream"].var(dim=-1, correction=0) + ln.eps).sqrt()
    n_layers, n_heads = trace.shape[:2]
    want = np.zeros((n_layers, n_heads))
    for layer, block in enumerate(model.transformer.h):
        width = len(block.attn.c_proj.weight) // n_heads
        for head in range(n_heads):
            own = slice(head * width, (head + 1) * width)
            for i in range(n - length, n):
                vector = read[layer][i, own] @ block.attn.c_proj.weight.detach().double()[own]
                vector = (vector - vector.mean()) * ln.weight.detach().double() / scale[i]
                logits = (table @ vector).numpy()
                row = weights[layer, head, i]
                looks = row[n - 2 * length : n - length] + row[n - length :]
                raised = looks @ (logits - logits.mean()) / looks.sum() / logits.std()
                want[layer, head] += raised / length
    found = repeat_scores([(run, trace, length, written)])
    # The stream is found by hooks in float32, and norms are fitted: 2e-5 of the largest number.
    assert found.mean("copying") == pytest.approx(want, abs=1e-4)


def test_what_the_reader_wrote_or_changed_is_not_in_them(tmp_path):
    save_writer("llama", tmp_path)
    plain = repeated(run_of(tmp_path), 12)
    changed = run_of(tmp_path, "another text", written=(3, 4), edits=Edits(off=((0, 1),)))
    assert repeated(changed, 12) == plain


def test_layers_that_have_learned_a_task_read_its_own_tokens_twice():
    source = Trained("induction", steps=1)
    run, length = repeated(Run("abcabc", source=source))
    tokens = trace_run(run).key_tokens
    assert [t.text for t in tokens[:length]] == [t.text for t in tokens[length:]]
    assert len({t.text for t in tokens}) == length == 8
    story, length = repeated(Run("x", source=Trained("stories", steps=1)))
    words = [t.text for t in trace_run(story).key_tokens if not t.special]
    assert words[:length] == words[length:]
    assert length == 24
    found = repeat_scores(repetitions(run, count=2))
    assert "copying" not in found.scores
    assert found.no_copying
    with pytest.raises(ExplorerError, match="Train it with a length of 16 at least"):
        repeated(Run("abc", source=Trained("induction", length=12)))


def test_a_model_without_a_head_for_words_is_told_all_but_copying(tmp_path):
    model = save_writer("gpt2", tmp_path)
    model.transformer.save_pretrained(tmp_path)
    found = repeat_scores(repetitions(run_of(tmp_path), length=8, count=2))
    assert set(found.scores) == {"induction", "same", "previous"}
    assert "hold no head that predicts words" in found.no_copying


def test_models_that_cannot_be_asked_are_refused_in_words(tmp_path):
    save_writer("gpt2", tmp_path, max_position_embeddings=12, n_positions=12)
    with pytest.raises(ExplorerError, match="too few for a sequence"):
        repeated(run_of(tmp_path))
    with pytest.raises(ExplorerError, match="Only a decoder goes on with a text"):
        list(repetitions(Run("a text", source=Embedded())))
    with pytest.raises(ExplorerError, match="are for decoders"):
        repeated(Run.from_query({"text": "a b", "source": "scratch"}))
