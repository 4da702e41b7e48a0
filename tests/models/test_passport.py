"""A model's passport: what it says was measured, and what is not exact is not used."""

import numpy as np
import pytest
import torch
import transformers

import explorer
from explorer.layers import FromScores, GivenWeights
from explorer.source import Embedded, Folder
from explorer.sources import tap
from explorer.sources.loading import load_model
from explorer.sources.passport import passport_of, sample
from explorer.sources.progress import silent
from tests.models.tiny import AGAINST_EAGER, SIZES, byte_level

TEXT = "the cat sat on the mat"


def network_of(kind="Bert", **more):
    torch.manual_seed(4)
    config = getattr(transformers, f"{kind}Config")(**{"vocab_size": 90} | SIZES | more)
    return transformers.AutoModel.from_config(config, attn_implementation="eager").eval()


def looked_at(network, **options):
    inputs = sample(network, [0], 40, pair=False, **options)
    return passport_of(network, inputs, inputs["input_ids"].shape[1])


def test_minilm_was_held_against_transformers_on_64_tokens():
    found = load_model(Embedded(), silent).info.passport
    assert (found.form, found.n_tokens, found.reason) == ("scores", 64, None)
    assert 0 < found.weights <= AGAINST_EAGER
    assert 0 < found.output <= AGAINST_EAGER
    trace = explorer.trace(TEXT)
    assert trace.model.passport == found
    assert all(isinstance(layer, FromScores) for layer in trace.layers)


def test_the_difference_is_that_of_the_run_itself():
    network = network_of()
    inputs = sample(network, [0], 40, pair=False)
    found = passport_of(network, inputs, 40)
    assert network.config._attn_implementation == tap.NAME
    with torch.inference_mode(), tap.Tap().open() as noted:
        ours = network(**inputs)
    network.set_attn_implementation("eager")
    with torch.inference_mode():
        theirs = network(**inputs, output_attentions=True)
    layers = tap.layers_from(noted.calls, range(2))
    apart = [
        np.abs(layer.weights() - want[0].numpy()).max()
        for layer, want in zip(layers, theirs.attentions, strict=True)
    ]
    assert found.weights == pytest.approx(max(apart))
    vectors, wanted = ours.last_hidden_state, theirs.last_hidden_state
    assert found.output == pytest.approx(float((vectors - wanted).abs().max() / wanted.abs().max()))


def test_a_text_is_longer_than_a_short_window():
    network = network_of("Mistral", num_key_value_heads=2, sliding_window=20)
    assert sample(network, [], 512, pair=False)["input_ids"].shape[1] == 64
    network.config.sliding_window = 100
    assert sample(network, [], 512, pair=False)["input_ids"].shape[1] == 116
    assert sample(network, [], 90, pair=False)["input_ids"].shape[1] == 90


def test_no_token_of_the_text_marks_anything():
    ids = sample(network_of(), [0, 1, 2, 50], 40, pair=False)["input_ids"]
    assert not set(ids[0].tolist()) & {0, 1, 2, 50}


@pytest.mark.parametrize("what", ["scale", "output"])
def test_a_tap_that_is_not_exact_is_not_used(monkeypatch, what):
    if what == "scale":
        monkeypatch.setattr(tap, "_scale", lambda query, options: 0.123)
    else:
        plain = tap.sdpa_attention_forward
        other = lambda *a, **o: (plain(*a, **o)[0] * 1.01, None)  # noqa: E731
        monkeypatch.setattr(tap, "sdpa_attention_forward", other)
    network = network_of()
    found = looked_at(network)
    assert found.form == "weights"
    assert "off by" in found.reason
    assert network.config._attn_implementation == "eager"


def test_a_model_outside_the_interface_goes_by_the_weights_that_transformers_returns(tmp_path):
    sizes = {"vocab_size": 300, "hidden_size": 16, "n_layer": 2, "n_head": 2}
    torch.manual_seed(0)
    transformers.BloomModel(transformers.BloomConfig(**sizes)).eval().save_pretrained(tmp_path)
    byte_level().save_pretrained(tmp_path)
    trace = explorer.trace("the cat", source=f"path:{tmp_path}")
    assert all(isinstance(layer, GivenWeights) for layer in trace.layers)
    found = trace.model.passport
    assert found.form == "weights"
    assert "does not go through the interface of Transformers" in found.reason
    assert not load_model(Folder(str(tmp_path)), silent).by_scores


def test_a_model_that_fails_while_it_is_checked_says_its_own_words():
    network = network_of()

    def fail(*args, **kwargs):
        raise RuntimeError("no such thing")

    network.encoder.register_forward_pre_hook(fail)
    found = looked_at(network)
    assert found.form == "weights"
    assert "no such thing" in found.reason
