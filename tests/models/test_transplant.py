"""The proof: our layer with a BERT's weights computes that BERT's attention."""

import copy

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertModel, GPT2Config, GPT2Model

import explorer
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Embedded, Transplanted
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from explorer.sources.transplanted import check_transplant, transplanted_layer
from tests.models.test_layertraces import TEXTS, hooked
from tests.models.tiny import AGAINST_EAGER, eager

# Weights lie between 0 and 1, where float32 is rounded by 6e-8; two programs add up the products of
# a score in another order, and softmax passes the difference on. Measured: at most 7e-7.
WEIGHTS = 1e-6


@pytest.fixture(scope="module")
def base_shaped():
    """A random model of the shape of bert-base."""
    torch.manual_seed(0)
    config = BertConfig(vocab_size=1000, attn_implementation="eager")
    return BertModel(config).eval()


def differences(network, ids, layer):
    """Of our layer's weights and output from the model's, by hooks on the model's own modules."""
    block = network.encoder.layer[layer]
    given = {}
    before = block.register_forward_pre_hook(lambda m, args: given.__setitem__("x", args[0]))
    parts = {"self": block.attention.self, "output": block.attention.output.dense}
    seen = hooked(network, parts, lambda: network(ids, output_attentions=True))
    before.remove()
    x = given["x"]
    with torch.inference_mode():
        output, weights = transplanted_layer(network, layer)(x, x, x, return_weights=True)
    size = float(seen["output"].abs().max())
    return (
        float((weights - seen["self"][1]).abs().max()),
        float((output - seen["output"]).abs().max()) / max(1, size),
    )


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_minilm_and_our_layer_agree_in_every_layer(texts):
    loaded = eager(load_model(Embedded(), silent))
    ids = loaded.tokenizer(*texts, return_tensors="pt")["input_ids"]
    # Hooks see one text at a time; the pair's second segment is measured below.
    for layer in range(6):
        weights, output = differences(loaded.network, ids, layer)
        assert weights <= WEIGHTS
        assert output <= WEIGHTS  # relative to the largest number


@pytest.mark.parametrize("n", [7, 64, 200])
def test_a_model_of_the_shape_of_bert_base_and_our_layer_agree(base_shaped, n):
    ids = torch.randint(1000, (1, n), generator=torch.Generator().manual_seed(n))
    for layer in range(12):
        weights, output = differences(base_shaped, ids, layer)
        assert weights <= WEIGHTS
        assert output <= WEIGHTS


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_the_shown_check_is_what_was_measured(texts):
    loaded = load_model(Embedded(), silent)
    rows = check_transplant(loaded, texts)
    assert [row.layer for row in rows] == list(range(6))
    trace = explorer.trace(*texts)
    ours = explorer.trace(*texts, source="transplant:bert")
    for row in rows:
        apart = np.abs(trace.weights[row.layer] - ours.weights[row.layer]).max()
        assert row.weights == pytest.approx(apart, abs=AGAINST_EAGER)
        assert row.weights <= WEIGHTS
        assert row.output <= WEIGHTS * max(1, row.size)


def test_a_transplant_that_differs_is_seen():
    loaded = load_model(Embedded(), silent)
    damaged = copy.deepcopy(loaded.network)
    with torch.no_grad():
        damaged.encoder.layer[2].attention.self.query.weight[0, 0] += 1
    ours, theirs = transplanted_layer(damaged, 2), transplanted_layer(loaded.network, 2)
    x = torch.randn(1, 9, 384, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        apart = ours(x, x, x, return_weights=True)[1] - theirs(x, x, x, return_weights=True)[1]
    assert apart.abs().max() > 1e-3
    assert apart[:, 1:].abs().max() == 0  # another head is not touched


def test_the_weights_are_copies():
    loaded = load_model(Embedded(), silent)
    ours = transplanted_layer(loaded.network, 0)
    before = loaded.network.encoder.layer[0].attention.self.query.weight.clone()
    with torch.no_grad():
        ours.W_Q.weight.zero_()
    assert torch.equal(loaded.network.encoder.layer[0].attention.self.query.weight, before)


def test_a_model_with_a_head_on_top_can_give_its_layers():
    config = BertConfig(
        vocab_size=9,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
    )
    whole = BertForMaskedLM(config)
    taken = transplanted_layer(whole, 1)
    assert torch.equal(taken.o.weight, whole.bert.encoder.layer[1].attention.output.dense.weight)


def test_what_cannot_be_transplanted_is_refused_with_the_reason():
    loaded = load_model(Embedded(), silent)
    with pytest.raises(ExplorerError, match="layers 0 to 5"):
        transplanted_layer(loaded.network, 6)
    gpt = GPT2Model(GPT2Config(vocab_size=9, n_embd=8, n_layer=1, n_head=2))
    with pytest.raises(ExplorerError, match="“gpt2” model is built in another way"):
        transplanted_layer(gpt, 0)


def test_the_transplanted_layer_is_a_source_with_a_link():
    run = Run("the cat", source=Transplanted(Embedded()))
    assert run.to_query() == {"text": "the cat", "source": "transplant:bert"}
    assert Run.from_query(run.to_query()) == run
