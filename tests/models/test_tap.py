"""The tap: a model's output stays what it was, and what is changed in attention is changed."""

import numpy as np
import pytest
import torch
import transformers

from explorer.errors import ExplorerError
from explorer.sources.tap import NAME, Change, Tap, layers_from, numbers_of

SIZES = {
    "vocab_size": 90,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 16,
    "initializer_range": 0.3,
}
GROUPED = SIZES | {"num_key_value_heads": 2, "head_dim": 8}
KINDS = {
    "Bert": SIZES,
    "ModernBert": SIZES
    | {"local_attention": 8, "global_attn_every_n_layers": 2, "pad_token_id": 0}
    | {"bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2},
    "Mistral": GROUPED | {"sliding_window": 8},
    "Gemma2": GROUPED | {"sliding_window": 8, "attn_logit_softcapping": 5.0},
    "GptOss": GROUPED | {"num_local_experts": 4, "sliding_window": 8},
    "Lfm2": SIZES
    | {"num_key_value_heads": 2, "num_hidden_layers": 4}
    | {"layer_types": ["conv", "full_attention"] * 2},
}
N = 24
# The same float32 products in another order.
TOLERANCE = 1e-6


def model_of(kind):
    torch.manual_seed(2)
    config = getattr(transformers, f"{kind}Config")(**KINDS[kind])
    return transformers.AutoModel.from_config(config, attn_implementation="eager").eval()


@pytest.fixture(scope="module", params=KINDS)
def model(request):
    return model_of(request.param)


def ids_of(n=N):
    return torch.randint(5, 80, (1, n), generator=torch.Generator().manual_seed(n))


def run(model, tap=None, name=NAME):
    model.set_attn_implementation(name)
    with torch.inference_mode(), (tap or Tap()).open():
        return model(input_ids=ids_of()).last_hidden_state


def by_hand(model, changed):
    """The model's own eager attention, with every layer's weights passed through a function."""
    module = __import__(type(model).__module__, fromlist=["x"])
    plain, count = module.eager_attention_forward, iter(range(100))

    def other(module, query, key, value, *args, **options):
        _, weights = plain(module, query, key, value, *args, **options)
        weights = changed(next(count), weights)
        values = value.repeat_interleave(query.shape[1] // value.shape[1], dim=1)
        return (weights @ values).transpose(1, 2).contiguous(), weights

    module.eager_attention_forward = other
    try:
        return run(model, name="eager")
    finally:
        module.eager_attention_forward = plain


def near(got, want):
    size = max(1.0, float(want.abs().max()))
    assert float((got - want).abs().max()) <= 10 * TOLERANCE * size


def test_a_models_output_is_what_it_was(model):
    near(run(model), run(model, name="eager"))


def test_weights_from_q_and_k_are_those_that_its_eager_attention_forms(model):
    seen = []
    by_hand(model, lambda layer, weights: seen.append(weights[0]) or weights)
    tap = Tap()
    run(model, tap)
    layers = layers_from(tap.calls, numbers_of(model, tap.calls))
    assert len(layers) == len(seen)
    for layer, want in zip(layers, seen, strict=True):
        assert np.abs(layer.weights() - want.numpy()).max() <= 10 * TOLERANCE


def test_a_layer_takes_no_more_memory_than_q_k_and_its_rule(model):
    tap = Tap()
    run(model, tap)
    for layer, call in zip(layers_from(tap.calls, range(len(tap.calls))), tap.calls, strict=True):
        both = 4 * (call.query.numel() + call.key.numel())
        rule = layer.nbytes - both
        assert rule <= 4 * (2 * N + 4)  # which keys a query sees, and sinks
        for part in (layer.q, layer.k):
            base = part if part.base is None else part.base
            assert base.nbytes <= 1.05 * part.nbytes


def test_a_hybrid_shows_its_attention_under_the_models_own_numbers():
    model, tap = model_of("Lfm2"), Tap()
    run(model, tap)
    assert numbers_of(model, tap.calls) == (1, 3)


def test_a_module_that_serves_several_layers_is_counted_by_its_calls():
    config = transformers.AlbertConfig(**SIZES | {"num_hidden_layers": 3}, embedding_size=16)
    model, tap = transformers.AlbertModel(config).eval(), Tap()
    run(model, tap)
    assert numbers_of(model, tap.calls) == (0, 1, 2)


def test_a_head_that_is_off_is_one_whose_weights_are_nought(model):
    off = torch.zeros(1, 2, 4, dtype=torch.bool)
    off[0, 0, 1] = off[0, 1, 3] = True

    def without(layer, weights):
        return weights * ~off[0, layer, None, :, None, None].expand_as(weights)

    got = run(model, Tap(change=Change(off=off)))
    near(got, by_hand(model, without))
    assert float((got - run(model)).abs().max()) > 1e-4


def test_cut_edges_leave_their_weight_to_the_rest_of_the_row(model):
    cut = torch.zeros(4, N, N, dtype=torch.bool)
    cut[2, 5, 3] = cut[2, 5, 4] = cut[0, :, 0] = True

    def without(layer, weights):
        if layer != 1:
            return weights
        before = weights.sum(-1, keepdim=True)
        left = weights.masked_fill(cut, 0)
        # A sink keeps its share of the scores that are left: it is the rest of a row to 1.
        share = left.sum(-1, keepdim=True) + (1 - before)
        return torch.where(cut.any(-1)[..., None], left / share.clamp_min(1e-12), weights)

    got = run(model, Tap(change=Change(cut={1: cut})))
    near(got, by_hand(model, without))
    assert float((got - run(model)).abs().max()) > 1e-4


def test_replaced_weights_stand_in_for_the_models_own(model):
    even = torch.full((4, N, N), 1 / N)
    got = run(model, Tap(change=Change(replaced={0: even})))
    near(got, by_hand(model, lambda at, w: even.expand_as(w) if at == 0 else w))
    assert float((got - run(model)).abs().max()) > 1e-4


def test_each_text_of_a_batch_has_its_own_heads_off():
    model = model_of("Bert")
    model.set_attn_implementation(NAME)
    off = torch.zeros(2, 2, 4, dtype=torch.bool)
    off[1, 0, 2] = True
    with torch.inference_mode(), Tap(change=Change(off=off)).open():
        both = model(input_ids=ids_of().expand(2, -1)).last_hidden_state
    near(both[:1], run(model))
    near(both[1:], run(model, Tap(change=Change(off=off[1:]))))
    assert float((both[0] - both[1]).abs().max()) > 1e-4


def test_slopes_hang_on_the_weights_that_were_formed():
    model = model_of("Bert")
    model.set_attn_implementation(NAME)
    tap = Tap(weights=True)
    with tap.open():
        value = model(input_ids=ids_of()).last_hidden_state[0, 3].norm()
    got = torch.autograd.grad(value, [call.weights for call in tap.calls])
    model.set_attn_implementation("eager")
    out = model(input_ids=ids_of(), output_attentions=True)
    want = torch.autograd.grad(out.last_hidden_state[0, 3].norm(), out.attentions)
    for mine, theirs in zip(got, want, strict=True):
        near(mine, theirs)


def test_a_tap_notes_only_what_its_own_thread_runs():
    model, tap = model_of("Bert"), Tap()
    with tap.open():
        pass
    run(model)
    assert tap.calls == []


def test_rows_that_a_model_leaves_a_part_of_to_no_token_are_no_fault_of_theirs():
    from explorer.sources.forward import _given

    weights = torch.full((2, 3, 3), 0.2)  # a sink takes 0.4 of every row
    layer = _given(4, weights)
    assert layer.has_sink
    assert np.array_equal(layer.weights(), weights.numpy())
    with pytest.raises(ExplorerError, match="must sum to 1"):
        _given(4, 2 * weights)
    rounded = torch.tensor([[[0.5, 0.504], [1.0, 0.0]]], dtype=torch.float16)
    again = _given(0, rounded)
    assert not again.has_sink
    assert again.weights().sum(-1) == pytest.approx(1)


def test_values_are_handed_out_where_they_are_asked_for():
    model, seen, tap = model_of("Bert"), [], Tap(values=True)
    own = model.encoder.layer[0].attention.self
    hook = own.register_forward_hook(lambda module, given, out: seen.append(out[0]))
    run(model, tap)
    hook.remove()
    call, layer = tap.calls[0], layers_from(tap.calls, (0, 1))[0]
    joined = torch.from_numpy(layer.weights()) @ call.value[0]  # [head, query, d_v]
    near(joined.transpose(0, 1).flatten(1), seen[0][0])
    without = Tap()
    run(model, without)
    assert without.calls[0].value is None
