"""SelfAttention against torch's own multi-head attention, and against the article's module."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.errors import ExplorerError
from explorer.scratch import SelfAttention

# Two float32 matrix products in another order differ by a few 1e-7 at these sizes.
TOLERANCE = 1e-6
D, H, B = 64, 8, 3


class ArticleSelfAttention(nn.Module):
    """The article's parameters, to make a state dict from."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        self.W_Q = nn.Linear(d_model, d_model)
        self.W_K = nn.Linear(d_model, d_model)
        self.W_V = nn.Linear(d_model, d_model)
        self.o = nn.Linear(d_model, d_model)


def twins():
    """Our layer and torch's with the same weights."""
    torch.manual_seed(0)
    ours, torchs = SelfAttention(D, H), nn.MultiheadAttention(D, H, batch_first=True)
    with torch.no_grad():
        torchs.in_proj_weight.copy_(torch.cat([m.weight for m in (ours.W_Q, ours.W_K, ours.W_V)]))
        torchs.in_proj_bias.copy_(torch.cat([m.bias for m in (ours.W_Q, ours.W_K, ours.W_V)]))
        torchs.out_proj.weight.copy_(ours.o.weight)
        torchs.out_proj.bias.copy_(ours.o.bias)
    return ours, torchs


def tokens(n, seed):
    return torch.randn(B, n, D, generator=torch.Generator().manual_seed(seed))


def masks(n_query, n_key):
    """Name -> (our arguments, torch's arguments); every query keeps key 0."""
    generator = torch.Generator().manual_seed(9)
    allowed = torch.rand(n_query, n_key, generator=generator) > 0.4
    real = torch.rand(B, n_key, generator=generator) > 0.3
    allowed[:, 0] = real[:, 0] = True
    causal = torch.ones(n_query, n_key, dtype=torch.bool).tril()
    per_head = torch.rand(B, H, n_query, n_key, generator=generator) > 0.4
    per_head[..., 0] = True
    return {
        "none": ({}, {}),
        "boolean": ({"mask": allowed}, {"attn_mask": ~allowed}),
        "padding": ({"key_mask": real}, {"key_padding_mask": ~real}),
        "causal": ({"causal": True}, {"attn_mask": ~causal}),
        "all": (
            {"mask": allowed, "key_mask": real, "causal": True},
            {"attn_mask": ~(allowed & causal), "key_padding_mask": ~real},
        ),
        "per head": ({"mask": per_head}, {"attn_mask": ~per_head.flatten(0, 1)}),
    }


@pytest.mark.parametrize("mask", masks(1, 1))
@pytest.mark.parametrize(("n_query", "n_key"), [(7, 7), (5, 9), (9, 5)])
def test_output_and_weights_equal_torchs_own(mask, n_query, n_key):
    ours, torchs = twins()
    q, kv = tokens(n_query, 1), tokens(n_key, 2)
    if n_query == n_key:
        q = kv
    mine, theirs = masks(n_query, n_key)[mask]
    with torch.inference_mode():
        output, weights = ours(q, kv, kv, **mine, return_weights=True)
        want, want_weights = torchs(q, kv, kv, **theirs, average_attn_weights=False)
        fused = ours(q, kv, kv, **mine)
    assert torch.allclose(weights, want_weights, rtol=0, atol=TOLERANCE)
    assert torch.allclose(output, want, rtol=0, atol=TOLERANCE)
    assert torch.allclose(fused, want, rtol=0, atol=TOLERANCE)


def test_the_articles_example_gives_the_articles_shape():
    x = torch.randn(1, 10, 512)
    assert SelfAttention(512, 8)(x, x, x).shape == torch.Size([1, 10, 512])


def test_a_state_dict_of_the_articles_class_loads_strictly():
    ours = SelfAttention(512, 8)
    result = ours.load_state_dict(ArticleSelfAttention(512, 8).state_dict(), strict=True)
    assert not result.missing_keys
    assert not result.unexpected_keys


def test_a_hand_computed_case():
    """One head, identity maps, two tokens: softmax([1, 0] / sqrt 2) by hand."""
    layer = SelfAttention(2, 1)
    with torch.no_grad():
        for linear in (layer.W_Q, layer.W_K, layer.W_V, layer.o):
            linear.weight.copy_(torch.eye(2))
            linear.bias.zero_()
    x = torch.eye(2)[None]
    _, weights = layer(x, x, x, return_weights=True)
    high = 2.718281828459045 ** (1 / 2**0.5)
    share = high / (high + 1)
    want = torch.tensor([[share, 1 - share], [1 - share, share]])
    assert torch.allclose(weights[0, 0], want, atol=TOLERANCE)


@pytest.mark.parametrize("return_weights", [True, False])
def test_a_query_that_may_see_nothing_gets_zeros_and_harms_nobody(return_weights):
    layer, x = twins()[0], tokens(4, 3)
    mask = torch.ones(4, 4, dtype=torch.bool)
    mask[2] = False
    result = layer(x, x, x, mask=mask, return_weights=return_weights)
    output = result[0] if return_weights else result
    assert torch.allclose(output[:, 2], layer.o.bias.expand(B, D), atol=TOLERANCE)
    assert torch.isfinite(output).all()
    if return_weights:
        assert result[1][:, :, 2].abs().max() == 0


def test_gradients_stay_finite_where_a_query_sees_nothing():
    layer, x = twins()[0], tokens(4, 3)
    mask = torch.ones(4, 4, dtype=torch.bool)
    mask[2] = False
    layer(x, x, x, mask=mask).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in layer.parameters())


@given(st.permutations(range(6)))
def test_permuting_the_tokens_permutes_the_attention(order):
    layer, x = twins()[0], tokens(6, 4)
    with torch.inference_mode():
        _, weights = layer(x, x, x, return_weights=True)
        y = x[:, order]
        _, permuted = layer(y, y, y, return_weights=True)
    assert torch.allclose(permuted, weights[:, :, order][..., order], atol=TOLERANCE)


@given(st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_rows_sum_to_one(n_query, n_key, causal):
    layer = twins()[0]
    q, kv = tokens(n_query, 5), tokens(n_key, 6)
    _, weights = layer(q, kv, kv, causal=causal, return_weights=True)
    assert torch.allclose(weights.sum(-1), torch.ones(B, H, n_query), atol=TOLERANCE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"q": (3, 64)}, r"Q has the shape \[3, 64\]"),
        ({"q": (3, 4, 32)}, r"must be \[batch, tokens, 64\]"),
        ({"k": (3, 5, 64), "v": (3, 6, 64)}, "same length"),
        ({"q": (2, 4, 64)}, "same batch"),
        ({"mask": torch.ones(5, 5)}, "must be boolean"),
        ({"mask": torch.ones(4, 3, dtype=torch.bool)}, r"mask has the shape \[4, 3\]"),
        ({"key_mask": torch.ones(3, 9, dtype=torch.bool)}, r"\[batch, key\] is \[3, 4\]"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_both_shapes(arguments, words):
    q, k, v = (torch.zeros(arguments.get(name, (3, 4, 64))) for name in "qkv")
    rest = {name: m for name, m in arguments.items() if "mask" in name}
    with pytest.raises(ExplorerError, match=words):
        SelfAttention(64, 8)(q, k, v, **rest)


@pytest.mark.parametrize(("d_model", "n_heads"), [(10, 3), (8, 0), (0, 2)])
def test_a_width_that_heads_cannot_share_is_refused(d_model, n_heads):
    with pytest.raises(ExplorerError, match="divided evenly"):
        SelfAttention(d_model, n_heads)
