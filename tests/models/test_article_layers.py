"""What the Article's figures show of a text, against the formula in plain numpy and the article."""

import numpy as np
import pytest
import torch

import explorer
from explorer.instrument.wire.article import Fact
from explorer.run import Run
from explorer.scratch.articlefacts import article_class
from explorer.scratch.attention import SelfAttention
from explorer.sources import EXAMPLES
from explorer.sources.articlelayers import (
    SEED,
    SIZES,
    agreement,
    example_arrays,
    layer_arrays,
    random_weights,
)
from explorer.ui.facts import FACTS, facts_of

TEXTS = (
    "The cat sat on the mat because it was tired.",
    "My sister fed the cat and then she left it alone.",
    "我的猫坐在垫子上。",
)


@pytest.fixture(scope="module", params=TEXTS)
def traced(request):
    return Run(request.param), explorer.trace(request.param)


def softmax(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def test_queries_keys_and_values_make_the_models_weights_and_outputs(traced):
    run, trace = traced
    found = layer_arrays(run, trace.numbers)
    q, k, v = (found[name].astype(float) for name in "qkv")
    weights = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]))
    # Float32 against double precision, with scores up to 30.
    np.testing.assert_allclose(weights, trace.weights, atol=2e-6)
    mixed = (weights @ v).swapaxes(1, 2).reshape(found["joined"].shape)
    np.testing.assert_allclose(mixed, found["joined"], atol=2e-5)


def test_our_layer_with_the_models_weights_gives_the_models_numbers(traced):
    run, trace = traced
    found = agreement(run)
    assert [one.layer for one in found] == list(trace.numbers)
    assert max(max(one.weights, one.output) for one in found) <= 1e-5  # float32, other kernels


def test_random_weights_are_rows_that_hardly_stand_out_and_are_the_same_every_time(traced):
    run, trace = traced
    x = layer_arrays(run, trace.numbers)["x"]
    state = torch.random.get_rng_state()
    found = random_weights(x, trace.model.n_heads)
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(found, random_weights(x, trace.model.n_heads))
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)
    assert found.shape == trace.weights.shape
    assert found.max(-1).mean() < 2 / found.shape[-1]
    assert trace.weights.max(-1).mean() > 4 / found.shape[-1]


def test_the_articles_own_module_gives_what_ours_gives_on_its_own_example():
    found = example_arrays()
    d_model, n_heads, n = SIZES
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(SEED)
        ours = SelfAttention(d_model, n_heads)
        Q, K, V = (torch.randn(1, n, d_model) for _ in range(3))
        theirs = article_class()(d_model, n_heads)
        theirs.load_state_dict(ours.state_dict())
        output = theirs(Q, K, V)
    assert output.shape == (1, 10, 512)
    np.testing.assert_allclose(found["output"], output.numpy(), atol=1e-6)
    np.testing.assert_array_equal(found["x"], Q.numpy())
    q, k, v = found["q"], found["k"], found["v"]
    weights = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(d_model // n_heads))
    np.testing.assert_allclose(found["weights"], weights, atol=1e-6)
    np.testing.assert_allclose(
        found["joined"], (weights @ v).swapaxes(1, 2).reshape(1, n, d_model), atol=1e-6
    )


def test_nearly_half_of_all_attention_goes_to_the_token_that_stands_in_no_text():
    for text in TEXTS[:2]:
        trace = explorer.trace(text)
        assert trace.key_tokens[0].text == "[CLS]"
        assert 0.4 < trace.weights[..., 0].mean() < 0.5


def test_the_heads_that_the_prose_names_do_what_it_says():
    before = explorer.trace(EXAMPLES[1].run.text).weights[0, 2]
    assert np.diagonal(before, -1).mean() > 0.99
    trace = explorer.trace(TEXTS[0])
    assert trace.key_tokens[int(trace.weights[3, 1, 8].argmax())].text == "cat"


def test_all_facts_of_a_text_are_found_and_can_be_sent():
    run = EXAMPLES[0].run
    found = facts_of(run, explorer.trace(run.text), lambda doing, share: None)
    assert set(FACTS) <= set(found)
    for fact in found.values():
        assert isinstance(fact, Fact)
        assert {array.dtype.name for array in fact.arrays.values()} <= {
            "float32",
            "float64",
            "int32",
        }
