"""What attention moves: norms and ALTI against the plain formulas, with every [n, n, d] formed."""

import numpy as np
import pytest
import torch

from explorer.activations import Activations
from explorer.analysis.alti import alti, alti_rollout
from explorer.analysis.norms import attention_norms, head_norms, mixing_ratio
from explorer.errors import ExplorerError
from explorer.residual import Norm
from explorer.run import Run
from explorer.source import Embedded, Scratch
from explorer.sources.activations import read_activations
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from explorer.trace import ModelInfo, Token

CAT = Run("The cat sat on the mat because it was tired.")


@pytest.fixture(scope="module")
def activations():
    return read_activations(CAT)


def tiny(seed, n=3, d=4, heads=2, layers=1):
    """Random activations, whose outputs are what their own formula gives."""
    rng = np.random.default_rng(seed)

    def r(*shape):
        return rng.normal(size=shape).astype(np.float32)

    weights = rng.dirichlet(np.ones(n), size=(layers, heads, n)).astype(np.float32)
    x, v, w_o, b_o = r(layers, n, d), r(layers, heads, n, d // heads), r(layers, d, d), r(layers, d)
    gain, shift = r(layers, d), r(layers, d)
    joined = (weights @ v).transpose(0, 2, 1, 3).reshape(layers, n, d)
    before = joined @ w_o.transpose(0, 2, 1) + b_o[:, None] + x
    norms = tuple(
        Norm(g.astype(float), s.astype(float), True, np.sqrt(b.astype(float).var(-1) + 1e-12))
        for g, s, b in zip(gain, shift, before, strict=True)
    )
    y = torch.stack(
        [
            torch.nn.functional.layer_norm(
                *map(torch.tensor, (b,)), (d,), *map(torch.tensor, (g, s)), eps=1e-12
            )
            for b, g, s in zip(before, gain, shift, strict=True)
        ]
    ).numpy()
    tokens = tuple(Token("a", (i, i + 1), i, 0, False) for i in range(n))
    info = ModelInfo("tiny", None, layers, heads, d, n)
    return Activations(info, tokens, weights, x, v, w_o, (None,) * layers, norms, y)


def parts(activations, layer):
    """T(x_j)_i without and with residual and LayerNorm, ``[query, key, d_model]``, plainly."""
    heads, n, width = activations.values[layer].shape
    w_o = activations.w_o[layer].astype(float)
    moved = np.zeros((n, n, w_o.shape[0]))
    for h in range(heads):
        f = activations.values[layer, h].astype(float) @ w_o[:, h * width : (h + 1) * width].T
        moved += activations.weights[layer, h].astype(float)[:, :, None] * f[None]
    kept = moved + np.eye(n)[:, :, None] * activations.inputs[layer].astype(float)[None]
    norm = activations.joined[layer]
    centred = kept - kept.mean(axis=-1, keepdims=True)
    normed = norm.gain * centred / norm.scale[:, None, None]
    return moved, kept, normed


@pytest.mark.parametrize("which", ["tiny", "MiniLM"])
def test_norms_are_those_of_the_plain_formula_with_every_vector_formed(which, activations):
    them = tiny(1) if which == "tiny" else activations
    variants = [{}, {"residual": True}, {"residual": True, "layer_norm": True}]
    for layer in {0, them.model.n_layers - 1}:
        for vectors, options in zip(parts(them, layer), variants, strict=True):
            got = attention_norms(them, **options)[layer]
            # In float64 from the same float32 numbers; the deviation is summed in float32 once.
            assert got == pytest.approx(np.linalg.norm(vectors, axis=-1), rel=1e-5, abs=1e-6)


def test_the_norm_of_one_head_is_its_weight_times_the_length_of_what_it_moves():
    them = tiny(2)
    f = them.values[0, 1].astype(float) @ them.w_o[0].astype(float)[:, 2:].T
    want = them.weights[0, 1] * np.linalg.norm(f, axis=-1)[None]
    assert head_norms(them)[0, 1] == pytest.approx(want, abs=1e-6)


def test_the_mixing_ratio_is_that_of_the_plain_formula(activations):
    for them in (tiny(3), activations):
        _, _, normed = parts(them, 0)
        n = len(normed)
        own = np.linalg.norm(normed[range(n), range(n)], axis=-1)
        others = np.linalg.norm(normed.sum(axis=1) - normed[range(n), range(n)], axis=-1)
        assert mixing_ratio(them)[0] == pytest.approx(others / (others + own), abs=1e-5)


@pytest.mark.parametrize("which", ["tiny", "MiniLM"])
def test_alti_is_that_of_the_plain_formula(which, activations):
    them = tiny(4) if which == "tiny" else activations
    found = alti(them)
    for layer in {0, them.model.n_layers - 1}:
        _, _, normed = parts(them, layer)
        y = them.outputs[layer].astype(float)
        c = np.maximum(0, np.abs(y).sum(-1)[:, None] - np.abs(y[:, None] - normed).sum(-1))
        assert found[layer] == pytest.approx(c / c.sum(-1, keepdims=True), abs=1e-5)
    assert found.sum(axis=-1) == pytest.approx(1)
    rolled = alti_rollout(found)
    assert rolled.sum(axis=-1) == pytest.approx(1)
    assert rolled[0] == pytest.approx(found[0])


def test_the_parts_of_a_bert_layer_add_up_to_its_own_output(activations):
    blocks = load_model(Embedded(), silent).network.encoder.layer
    for layer, block in enumerate(blocks):
        _, kept, normed = parts(activations, layer)
        norm, module = activations.joined[layer], block.attention.output
        b_o = module.dense.bias.detach().double().numpy()
        deviation = np.sqrt((kept.sum(axis=1) + b_o).var(axis=-1) + module.LayerNorm.eps)
        assert norm.scale == pytest.approx(deviation, rel=1e-5)
        bias = norm.gain * (b_o - b_o.mean()) / norm.scale[:, None]
        whole = normed.sum(axis=1) + bias + norm.shift
        assert whole == pytest.approx(activations.outputs[layer], abs=2e-5)


def test_what_is_read_is_what_the_model_computes(activations):
    loaded = load_model(Embedded(), silent)
    block = loaded.network.encoder.layer[2].attention
    with torch.inference_mode():
        x = torch.tensor(activations.inputs[2])[None]
        want = block.self.value(x)[0].unflatten(-1, (12, 32)).transpose(0, 1)
    assert activations.values[2] == pytest.approx(want.numpy(), abs=1e-6)


def test_cls_takes_half_of_the_attention_but_moves_little(activations):
    """What readers are told: weights are not contributions."""
    share = activations.weights[2, :, :, 0].mean()
    norms = attention_norms(activations)[2]
    assert share > 0.3
    assert norms[:, 0].sum() / norms.sum() < share / 2


def test_a_layer_without_layernorm_is_not_described_by_another_ones_formula():
    with pytest.raises(ExplorerError, match="no LayerNorm and residual"):
        read_activations(Run("a b", source=Scratch()))


def test_norms_and_alti_beyond_their_length_are_refused_before_any_work(monkeypatch):
    monkeypatch.setattr("explorer.activations.MOST_MAPS", 72 * 10**2)
    with pytest.raises(ExplorerError, match="go up to 10 tokens with 72 heads; this text has 13"):
        read_activations(CAT)
    monkeypatch.setattr("explorer.analysis.alti.MOST_PRODUCTS", 2 * 4 * 2**2)
    with pytest.raises(ExplorerError, match="ALTI goes up to 2 tokens in a model of this size"):
        alti(tiny(0))
    assert alti(tiny(0, n=2)).shape == (1, 2, 2)
