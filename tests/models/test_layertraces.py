"""Every number of “Step by step” is the model's own, and the browser's sums give it again."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import explorer
from explorer.errors import ExplorerError
from explorer.instrument.wire.layertrace import pack_layer_traces
from explorer.run import Run
from explorer.source import Embedded, Folder, Scratch, Trained, Transplanted
from explorer.sources.layertraces import Twist, trace_layer, word_order
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from explorer.sources.scratch import read_scratch
from tests.models.test_families import FAMILIES
from tests.models.tiny import AGAINST_EAGER, byte_level, eager

CAT = "The cat sat on the mat because it was tired."
LONG = "Its keeper, a quiet woman named Ada, still climbed the lighthouse's stairs. " * 6
TEXTS = {"short": (CAT,), "pair": ("Who wrote it?", "Ada Lovelace wrote it."), "long": (LONG,)}
JS = Path(__file__).parents[1] / "js/layertrace_numbers.js"
# Float32 numbers of size 1 are rounded by 6e-8, and a sum of 384 products in another order by a
# few of these; scores and vectors reach about 30, so the bound goes with the largest number.
TOLERANCE = AGAINST_EAGER


def near(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want, dtype=np.float64)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= TOLERANCE * max(1, np.abs(want).max())


def hooked(network, modules, call):
    """What modules put out during a call."""
    kept = {}

    def keep(name):
        return lambda module, given, out: kept.__setitem__(name, out)

    handles = [module.register_forward_hook(keep(name)) for name, module in modules.items()]
    try:
        with torch.inference_mode():
            call()
    finally:
        for handle in handles:
            handle.remove()
    return kept


def in_browser(layer_trace, head, tmp_path):
    """What the page's own arithmetic makes of the payload."""
    file = tmp_path / "layertrace.bin"
    file.write_bytes(pack_layer_traces([(layer_trace, head)], trace_id="x"))
    out = subprocess.run(["node", str(JS), str(file)], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def check_browser(layer_trace, head, q, k, v, weights, w_o, tmp_path):
    """All stages against torch's tensors of one head: q, k, v ``[token, d_k]``, weights."""
    got = in_browser(layer_trace, head, tmp_path)
    for name, want in (("q", q), ("k", k), ("v", v)):
        near(got[name], want)
    near(got["products"], q @ k.T)
    near(got["scores"], q @ k.T / np.sqrt(q.shape[1]))
    near(got["weights"], weights)
    near(got["z"], weights @ v)
    near(got["part"], weights @ v @ w_o.T)


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("layer", [0, 3, 5])
def test_every_stage_of_minilm_is_what_hooks_on_the_model_see(texts, layer, tmp_path):
    loaded = eager(load_model(Embedded(), silent))
    block = loaded.network.encoder.layer[layer].attention
    parts = {"q": block.self.query, "k": block.self.key, "v": block.self.value}
    parts |= {"self": block.self, "output": block.output.dense}
    inputs = loaded.tokenizer(*texts, return_tensors="pt")
    seen = hooked(loaded.network, parts, lambda: loaded.network(**inputs, output_attentions=True))
    joined, attention = seen["self"]
    n = joined.shape[1]

    layer_trace = trace_layer(Run(*texts), layer)
    for name in "qkv":
        want = seen[name][0].view(n, 12, 32).transpose(0, 1)
        near(getattr(layer_trace, name), want)
    near(layer_trace.weights, attention[0])
    near(layer_trace.joined, joined[0])
    near(layer_trace.output, seen["output"][0])
    for head in (0, 7):
        q, k, v = (getattr(layer_trace, name)[head].astype(np.float64) for name in "qkv")
        w_o = layer_trace.w_o[:, 32 * head : 32 * head + 32]
        check_browser(
            layer_trace, head, q, k, v, attention[0, head].double().numpy(), w_o, tmp_path
        )


@pytest.mark.parametrize(
    "options",
    [Scratch(), Scratch(32, 4, 1, 7, causal=True), Scratch(48, 3, 3, 1, positions=False)],
    ids=str,
)
def test_every_stage_of_the_scratch_layer_is_what_hooks_see(options, tmp_path):
    run = Run(CAT, source=options)
    reading = read_scratch(run)
    layer = options.n_layers - 1
    ours = reading.encoder.layers[layer]
    x = reading.x
    parts = {"q": ours.W_Q, "k": ours.W_K, "v": ours.W_V, "o": ours.o}
    seen = hooked(ours, parts, lambda: reading.encoder(x[None]))
    weights = explorer.trace(CAT, source="scratch", **_options(options)).weights[layer]

    layer_trace = trace_layer(run, layer)
    d_k = options.d_model // options.n_heads
    for name in "qkv":
        near(getattr(layer_trace, name), seen[name][0].view(len(x), -1, d_k).transpose(0, 1))
    near(layer_trace.output, seen["o"][0])
    near(layer_trace.weights, weights)
    head = options.n_heads - 1
    q, k, v = (getattr(layer_trace, name)[head].astype(np.float64) for name in "qkv")
    want = weights[head].astype(np.float64)
    got = in_browser(layer_trace, head, tmp_path)
    near(got["weights"], want)
    near(got["z"], want @ v)
    near(got["scores"], q @ k.T / np.sqrt(d_k))
    assert layer_trace.allowed.sum() == (
        len(x) * (len(x) + 1) // 2 if options.causal else len(x) ** 2
    )


def _options(options):
    names = ("d_model", "n_heads", "n_layers", "seed", "positions", "causal")
    return {name: getattr(options, name) for name in names}


@pytest.mark.parametrize(
    "source", [Embedded(), Scratch(), Transplanted(Embedded()), Trained(steps=20)], ids=str
)
def test_the_parts_of_the_input_add_up_to_it(source):
    text = "a b c d e" if isinstance(source, Trained) else CAT
    layer_trace = trace_layer(Run(text, source=source), 0)
    total = torch.from_numpy(sum(part.values for part in layer_trace.parts))
    if layer_trace.normed:
        norm = load_model(Embedded(), silent).network.embeddings.LayerNorm
        with torch.inference_mode():
            total = norm(total)
    near(total.numpy(), layer_trace.x)


@pytest.mark.parametrize("source", [Scratch(), Scratch(48, 3, 3, 1)], ids=str)
def test_the_positions_of_the_scratch_layer_are_sines_and_cosines(source):
    d = source.d_model
    place, rate = np.arange(64.0)[:, None], 10_000.0 ** (-np.arange(0, d, 2) / d)
    want = np.stack([np.sin(place * rate), np.cos(place * rate)], -1).reshape(64, d)
    for layer in range(source.n_layers):
        # An angle of up to 64, rounded to float32, is off by 64 * 6e-8.
        got = trace_layer(Run(CAT, source=source), layer).positions
        assert np.abs(got - want).max() <= 4e-6


def test_learned_positions_are_rows_of_the_models_own_table_and_alike_by_their_cosine(tmp_path):
    table = load_model(Embedded(), silent).network.embeddings.position_embeddings.weight
    long = "one two three " * 40
    for text, layer, n in ((CAT, 0, 64), (CAT, 5, 64), (long, 0, 122)):
        layer_trace = trace_layer(Run(text), layer)
        assert np.array_equal(layer_trace.positions, table[:n].detach().numpy())
    own = trace_layer(Run(CAT), 0)
    assert np.array_equal(own.positions[:13], own.parts[1].values)
    rows = own.positions.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    # Both in double precision: sums of 384 products of unit vectors in another order.
    assert (
        np.abs(np.reshape(in_browser(own, 0, tmp_path)["likeness"], (64, 64)) - rows @ rows.T).max()
        < 1e-12
    )


def test_positions_that_are_counted_from_behind_the_padding_are_the_text_s_own(tmp_path):
    _save("Roberta", tmp_path)
    layer_trace = trace_layer(Run("the cats naïve", source=Folder(str(tmp_path))), 0)
    n = len(layer_trace.tokens)
    assert np.array_equal(layer_trace.positions[:n], layer_trace.parts[1].values)


def test_a_layer_that_is_told_no_positions_has_none():
    assert trace_layer(Run(CAT, source=Scratch(positions=False)), 0).positions is None


@pytest.mark.parametrize("family", ["Roberta", "XLMRoberta", "Electra", "DistilBert"])
def test_other_bert_shaped_families_can_be_walked(family, tmp_path):
    _save(family, tmp_path)
    run = Run("the cats naïve", source=Folder(str(tmp_path)))
    trace = explorer.trace(run.text, source=f"path:{tmp_path}")
    for layer in (0, 1):
        layer_trace = trace_layer(run, layer)
        near(layer_trace.weights, trace.weights[layer])
        scores = layer_trace.q @ layer_trace.k.transpose(0, 2, 1) / np.sqrt(layer_trace.d_k)
        near(np.exp(scores) / np.exp(scores).sum(-1, keepdims=True), layer_trace.weights)
    assert [part.name for part in trace_layer(run, 0).parts][:2] == ["token", "position"]


def test_attention_whose_queries_cannot_be_had_is_refused_with_the_reason(tmp_path):
    _save("DebertaV2", tmp_path)
    with pytest.raises(ExplorerError, match="does not go through the interface of Transformers"):
        trace_layer(Run("the cats", source=Folder(str(tmp_path))), 0)


def _save(family, folder):
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family])
    getattr(transformers, f"{family}Model")(config).save_pretrained(folder)
    byte_level().save_pretrained(folder)


@pytest.mark.parametrize("source", [Embedded(), Scratch()], ids=str)
def test_without_positions_the_words_take_their_attention_with_them(source):
    run = Run(CAT, source=source)
    layer = 1
    forwards = trace_layer(run, layer, Twist(positions=False))
    backwards = trace_layer(run, layer, Twist(positions=False, backwards=True))
    order = word_order(forwards.tokens, backwards=True)
    assert [t.text for t in backwards.tokens] == [forwards.tokens[i].text for i in order]
    moved = forwards.weights[:, order][:, :, order]
    # Sums over the keys in another order, through one layer before.
    assert np.abs(backwards.weights - moved).max() <= 1e-5

    told = trace_layer(run, layer, Twist(backwards=True))
    original = trace_layer(run, layer)
    assert np.abs(told.weights - original.weights[:, order][:, :, order]).max() > 0.02


def test_words_are_turned_round_and_their_pieces_are_not():
    tokens = trace_layer(Run("Lovelace wrote", "It is"), 0).tokens
    turned = [tokens[i].text for i in word_order(tokens, backwards=True)]
    assert [t.text for t in tokens][:4] == ["[CLS]", "love", "##lace", "wrote"]
    assert turned == ["[CLS]", "wrote", "love", "##lace", "[SEP]", "is", "it", "[SEP]"]


def test_a_layer_trace_leaves_the_model_as_it_was_and_is_read_only():
    before = explorer.trace(CAT).weights
    layer_trace = trace_layer(Run(CAT), 2)
    with pytest.raises(ValueError, match="read-only"):
        layer_trace.w_q[0, 0] = 1
    assert np.array_equal(explorer.trace(CAT).weights, before)


@pytest.mark.parametrize("layer", [-1, 6, 99])
def test_a_layer_that_is_not_there_is_refused(layer):
    with pytest.raises(ExplorerError, match="layers 0 to 5"):
        trace_layer(Run(CAT), layer)


def test_shapes_that_do_not_fit_and_numbers_that_are_none_are_refused():
    from dataclasses import replace

    layer_trace = trace_layer(Run(CAT), 0)
    with pytest.raises(ExplorerError, match="output has the shape"):
        replace(layer_trace, output=layer_trace.output[:3])
    broken = layer_trace.x.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ExplorerError, match="not finite"):
        replace(layer_trace, x=broken)
