"""Heads made cheaper in the forward pass, against models of Transformers changed by hand."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.cheaper import Cheap
from explorer.code import python_of_survival
from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.scratch.costs import WAYS, eager, measure_costs, pays_from, peak_of, slope_of, window
from explorer.source import Scratch, Stories
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from explorer.sources.replacing import replace_heads
from tests.models.writers import ids_of, run_of, save_writer

# Cosines and shares of float32 numbers that were added up in another order.
TOLERANCE = 1e-5
TEXTS = (
    "The cat sat on the mat because it was tired.",
    "Attention is all you need, they said, and nobody asked what it costs.",
    "one two three one two three one two three one",
)


def by_hand(run, head_of, edit):
    """The last vectors of an eager run in which `edit` makes other weights of some heads'."""
    model = load_model(run.source, silent).private().network
    modeling = sys.modules[type(model).__module__]
    own, calls = modeling.eager_attention_forward, []

    def edited(module, query, key, value, *args, **options):
        _, weights = own(module, query, key, value, *args, **options)
        weights = weights.clone()
        for head in head_of(len(calls)):
            made = edit(weights[0, head].double().numpy(), query[0, head], key[0, head])
            weights[0, head] = torch.from_numpy(np.asarray(made)).float()
        calls.append(1)
        return (weights @ value).transpose(1, 2).contiguous(), weights

    modeling.eager_attention_forward = edited
    model.set_attn_implementation("eager")
    reading = load_model(run.source, silent).tokenizer(run.text, return_tensors="pt")
    try:
        with torch.inference_mode():
            return model(**reading).last_hidden_state[0].double().numpy()
    finally:
        modeling.eager_attention_forward = own


def in_window(weights, query, key):
    at = np.arange(len(weights))
    kept = np.where(np.abs(at - at[:, None]) <= 2, weights, 0)
    return kept / kept.sum(-1, keepdims=True)


def the_largest(weights, query, key):
    kept = np.where(weights >= np.sort(weights)[:, [-3]], weights, 0)
    return kept / kept.sum(-1, keepdims=True)


def of_rank_two(weights, query, key):
    u, sigma, v = np.linalg.svd(weights)
    return (u[:, :2] * sigma[:2]) @ v[:2]


def by_elu(weights, query, key):
    left, right = (torch.nn.functional.elu(x.double()) + 1 for x in (query, key))
    pairs = left @ right.T
    return (pairs / pairs.sum(-1, keepdim=True)).numpy()


WAYS_BY_HAND = [
    (Cheap("window", 2), in_window),
    (Cheap("top", 3), the_largest),
    (Cheap("rank", 2), of_rank_two),
    (Cheap("linear"), by_elu),
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(("cheap", "edit"), WAYS_BY_HAND, ids=lambda x: getattr(x, "kind", ""))
def test_what_the_output_does_is_as_a_model_changed_by_hand_says(text, cheap, edit):
    run = Run(text)
    before = by_hand(run, lambda layer: [], edit)
    for heads, head_of in (
        (None, lambda layer: range(12)),
        (((0, 2), (3, 1), (3, 7)), lambda layer: {0: [2], 3: [1, 7]}.get(layer, [])),
    ):
        after = by_hand(run, head_of, edit)
        found = replace_heads(run, cheap, heads)
        lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        assert found.cosine == pytest.approx((before * after).sum(1) / lengths, abs=TOLERANCE)
        means = before.mean(0), after.mean(0)
        pooled = means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1])
        assert found.pooled == pytest.approx(pooled, abs=TOLERANCE)
        assert found.heads == (72 if heads is None else 3)
        assert found.divergence is None
        assert found.cosine.min() < 0.999  # something has changed


@pytest.mark.parametrize("source", ["bert", "stories"])
def test_a_whole_budget_changes_no_output(source):
    run = Run(TEXTS[0]) if source == "bert" else Run("Mia has a red ball.", source=Stories())
    kinds = ("window", "global", "top") + (("rank", "landmarks") if source == "bert" else ())
    for kind in kinds:
        found = replace_heads(run, Cheap(kind, 64), everywhere=(0,))
        assert found.cosine == pytest.approx(1, abs=1e-6)
        assert found.pooled == pytest.approx(1, abs=1e-6)
        if source == "stories":
            assert found.divergence == pytest.approx(0, abs=1e-6)
            assert found.agrees.all()


def test_what_a_decoder_predicts_is_held_against_itself(tmp_path):
    model = save_writer("gpt2", tmp_path)
    run = run_of(tmp_path)
    ids = torch.tensor([ids_of(run)])
    n = ids.shape[1]
    near = np.arange(n)[:, None] - np.arange(n)
    mask = torch.from_numpy((near >= 0) & (near <= 1))[None, None]
    with torch.inference_mode():
        before = model(ids).logits[0].double().log_softmax(-1)
        seen = torch.where(mask, 0.0, -torch.inf)
        after = model(ids, attention_mask=seen).logits[0].double().log_softmax(-1)
    want = ((before.exp() * (before - after)).sum(-1) / np.log(2)).numpy()
    found = replace_heads(run, Cheap("window", 1))
    assert found.divergence[:n] == pytest.approx(want, abs=TOLERANCE)
    same = (before.argmax(-1) == after.argmax(-1)).numpy()
    assert found.agrees[:n].tolist() == same.tolist()
    assert want.max() > 0.01  # something has changed


@pytest.mark.parametrize(
    ("run", "kind", "heads", "words"),
    [
        (Run("the cat"), "window", ((9, 0),), "has no head L9·H0"),
        (Run("the cat", source=Scratch()), "top", None, "Only in a pretrained model"),
        (Run("Mia has a ball.", source=Stories()), "landmarks", None, "may not look at all"),
        (Run("Mia has a ball.", source=Stories()), "rank", None, "it would have seen"),
        (Run("the cat", edits=Edits(off=((1, 1),))), "rank", None, "Take back your changes"),
    ],
)
def test_what_cannot_be_replaced_is_said(run, kind, heads, words):
    with pytest.raises(ExplorerError, match=words):
        replace_heads(run, Cheap(kind, 2), heads)


def test_whoever_waits_no_longer_ends_the_run():
    def stop(doing, share):
        if share and share > 0.3:
            raise ExplorerError("stopped")

    with pytest.raises(ExplorerError, match="stopped"):
        replace_heads(replace(Run(TEXTS[1]), second=None), Cheap("top", 2), progress=stop)


@pytest.mark.parametrize("n", [1, 7, 16, 50])
def test_the_ways_that_are_timed_compute_what_they_say(n):
    q, k, v = (torch.randn(2, n, 8, generator=torch.Generator().manual_seed(i)) for i in range(3))
    at = torch.arange(n)
    far = (at - at[:, None]).abs() > 8
    masked = (q @ k.mT / 8**0.5).masked_fill(far, -torch.inf).softmax(-1) @ v
    assert torch.allclose(window(q, k, v, 8), masked, atol=TOLERANCE)
    assert torch.allclose(WAYS["sdpa"](q, k, v), eager(q, k, v), atol=TOLERANCE)
    left, right = (torch.nn.functional.elu(x) + 1 for x in (q, k))
    pairs = left @ right.mT
    want = pairs / pairs.sum(-1, keepdim=True) @ v
    assert torch.allclose(WAYS["linear"](q, k, v), want, atol=TOLERANCE)


def test_memory_is_what_a_pass_makes_at_once():
    q, k, v = (torch.randn(1, 64, 16) for _ in range(3))
    # Scores, then weights beside them: two maps at once.
    assert peak_of(eager, q, k, v) == 2 * 64 * 64 * 4
    assert peak_of(WAYS["sdpa"], q, k, v) == 64 * 16 * 4
    assert peak_of(lambda q, k, v: q, q, k, v) == 0


def test_costs_are_told_with_their_slopes_and_where_each_pays():
    found = measure_costs(lengths=(128, 256))
    assert set(found.seconds) == set(found.memory) == set(found.pays) == set(WAYS)
    assert all(len(times) == 2 and min(times) > 0 for times in found.seconds.values())
    assert found.memory["eager"][1] == 4 * found.memory["eager"][0]
    assert slope_of((512, 1024, 2048, 4096), (9, 1, 4, 16)) == pytest.approx(2)
    assert pays_from((1, 2, 4), (3, 3, 3), (1, 4, 5)) == 2
    assert pays_from((1, 2, 4), (3, 3, 3), (4, 4, 2)) is None


def test_the_python_of_a_page_gives_its_numbers():
    run = Run("The cat sat on the mat because it was tired.")
    code = python_of_survival(run, Cheap("window", 1), (0, 2), [(Cheap("top", 2), ((0, 2),))])
    said: dict[str, object] = {}
    exec(code, said)
    assert said["curve"].at(1)[0, 2] > 0.9  # the head that looks at the token before
    assert said["weights"].shape == (13, 13)
    assert 0.9 < said["put"].pooled < 1
