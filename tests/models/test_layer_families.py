"""Step by step in every family: each stage against the model's own modules in double precision.

The reference is the same model made of 64-bit numbers: its own norms and maps, the rotation that
its own file in Transformers has, and a softmax in numpy under the mask that its configuration says.
Nothing of ours is used for it.
"""

import copy
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from explorer.errors import ExplorerError
from explorer.export.arrays import layer_traces_to_npz
from explorer.instrument.wire.layertrace import pack_layer_traces
from explorer.run import PARTS, Run
from explorer.source import Folder
from explorer.sources.layertraces import Twist, trace_layer
from tests.models.zoo import (
    DECODERS,
    ENCODERS,
    PAIRS,
    TARGET,
    TEXT,
    build,
    config_of,
    inputs_of,
    save,
)

# Float32 sums of 32 products are off by a few of their 6e-8 each; behind the layers before it that
# is 1e-6 of the largest number. Measured: 4e-6 at most.
TOLERANCE = 1e-5
LAYER = 1
JS = Path(__file__).parents[1] / "js/layertrace_numbers.js"

# Where a family keeps its layers, and in a layer the norm before attention, the attention, and
# where this is not the attention's own, the norm behind it.
_LLAMA = ("layers", "input_layernorm", "self_attn")
LAYERS = {
    **dict.fromkeys(
        ["llama", "mistral", "qwen2", "qwen3", "phi", "phi3", "gpt_oss", "cohere"], _LLAMA
    ),
    **dict.fromkeys(("gemma2", "gemma3_text"), (*_LLAMA, "post_attention_layernorm")),
    "olmo2": ("layers", None, "self_attn", "post_attention_layernorm"),
    "gpt2": ("h", "ln_1", "attn"),
    "gpt_neox": ("layers", "input_layernorm", "attention"),
    "opt": ("decoder.layers", "self_attn_layer_norm", "self_attn"),
    "modernbert": ("layers", "attn_norm", "attn"),
}
_LINEAR = {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}
_YARN = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}
_YARN |= {"original_max_position_embeddings": 8}
_LLAMA3 = {"rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0}
_LLAMA3 |= {"high_freq_factor": 4.0, "original_max_position_embeddings": 16}
OWN = {**{name: (name, DECODERS[name]) for name in LAYERS if name in DECODERS}}
OWN["modernbert"] = ("modernbert", ENCODERS["modernbert"])
for _kind, _said in (("linear", _LINEAR), ("yarn", _YARN), ("llama3", _LLAMA3)):
    OWN[f"llama {_kind}"] = ("llama", {"rope_parameters": _said})
    LAYERS[f"llama {_kind}"] = _LLAMA


class Reference:
    """One layer of a model in double precision, number by number."""

    def __init__(self, name, model, folder):
        layers, norm, attention, *after = LAYERS[name]
        self.model = copy.deepcopy(model).double()
        self.block = self.model.get_submodule(layers)[LAYER]
        self.attn = getattr(self.block, attention)
        self.norm = norm and getattr(self.block, norm)
        self.after = after and getattr(self.block, after[0])
        self.kept = {}
        watched = {"attn": self.attn, "norm": self.norm, "after": self.after or None}
        handles = [
            module.register_forward_hook(self._keep(key), with_kwargs=True)
            for key, module in watched.items()
            if module is not None
        ]
        self.model.set_experts_implementation("eager")  # which takes 64-bit numbers
        with torch.inference_mode():
            out = self.model(**inputs_of(model, "text", folder), output_attentions=True)
        for handle in handles:
            handle.remove()
        self.weights = out.attentions[LAYER][0].numpy()
        given, named, gave = self.kept["attn"]
        self.x = next(t for t in (*given, *named.values()) if torch.is_tensor(t) and t.dim() == 3)
        self.named = named
        self.output = gave[0][0].numpy()
        self.heads = self.weights.shape[0]

    def _keep(self, key):
        def keep(module, given, named, out):
            self.kept[key] = (given, named, out)

        return keep

    def mapped(self):
        """q, k and v as the maps give them, ``[head, token, d]``."""
        attn, x = self.attn, self.x
        n = x.shape[1]
        with torch.inference_mode():
            if hasattr(attn, "q_proj"):
                parts = [getattr(attn, f"{which}_proj")(x)[0] for which in "qkv"]
            elif hasattr(attn, "c_attn"):
                parts = attn.c_attn(x)[0].chunk(3, dim=-1)
            elif hasattr(attn, "query_key_value"):
                wide = attn.query_key_value(x)[0].view(n, self.heads, -1)
                return [t.transpose(0, 1) for t in wide.chunk(3, dim=-1)]
            elif hasattr(attn, "qkv_proj"):
                wide, d = attn.qkv_proj(x)[0], attn.head_dim
                kv = (wide.shape[1] // d - self.heads) // 2
                parts = wide.split([self.heads * d, kv * d, kv * d], dim=-1)
            else:
                parts = attn.Wqkv(x)[0].chunk(3, dim=-1)
        d = parts[0].shape[1] // self.heads
        return [t.unflatten(-1, (-1, d)).transpose(0, 1) for t in parts]

    def normed(self, q, k):
        """The same behind the norm of each query and key, where the layer has one."""
        attn = self.attn
        names = [
            next((n for n in (f"{which}_norm", f"{which}_layernorm") if hasattr(attn, n)), None)
            for which in "qk"
        ]
        if names[0] is None or getattr(attn, names[0], None) is None:
            return None
        found = []
        for name, vectors in zip(names, (q, k), strict=True):
            norm = getattr(attn, name)
            over_all = norm.weight.numel() == vectors.shape[0] * vectors.shape[2]
            with torch.inference_mode():
                if over_all:
                    flat = norm(vectors.transpose(0, 1).flatten(1))
                    found.append(flat.view(flat.shape[0], *vectors.shape[::2]).transpose(0, 1))
                else:
                    found.append(norm(vectors.transpose(0, 1)).transpose(0, 1))
        return found

    def turned(self, q, k):
        """The same, turned by the function in the family's own file of Transformers."""
        handed = self.named.get("position_embeddings")
        if handed is None:
            return None
        turn = sys.modules[type(self.attn).__module__].apply_rotary_pos_emb
        part = getattr(self.attn, "rotary_ndims", None) or q.shape[-1]
        part = part if type(self.attn).__name__ not in ("GPTNeoXAttention",) else q.shape[-1]
        one, other = turn(q[None, ..., :part], k[None, ..., :part], *handed)
        both = zip((one[0], other[0]), (q, k), strict=True)
        return [torch.cat([t, rest[..., part:]], dim=-1) for t, rest in both]


def own_norm(module, x):
    """A norm by hand: of its weights, whatever its class does."""
    x = x.detach().double().numpy()
    eps = next(getattr(module, n) for n in ("eps", "variance_epsilon") if hasattr(module, n))
    name = type(module).__name__
    if "RMS" not in name:
        x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + eps)
    weight = module.weight.detach().double().numpy()
    x = x * (1 + weight if name.startswith("Gemma") else weight)
    bias = getattr(module, "bias", None)
    return x if bias is None else x + bias.detach().double().numpy()


def near(got, want):
    got, want = (np.asarray(x, dtype=np.float64) for x in (got, want))
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= TOLERANCE * max(1.0, np.abs(want).max())


def in_browser(trace, head, tmp_path):
    """What the page's own arithmetic makes of the payload."""
    file = tmp_path / "layertrace.bin"
    file.write_bytes(pack_layer_traces([(trace, head)], trace_id="x"))
    out = subprocess.run(["node", str(JS), str(file)], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


@pytest.fixture(scope="module", params=OWN)
def walked(request, tmp_path_factory):
    """A name, the reference, and the layer as it is shown."""
    folder = tmp_path_factory.mktemp("family")
    model = build(*OWN[request.param])
    save(model, "text", folder)
    trace = trace_layer(Run(TEXT, source=Folder(str(folder))), LAYER)
    own = Reference(request.param, model, folder)
    return request.param, own, trace, in_browser(trace, own.heads - 1, folder)


def test_every_stage_of_a_layer_is_what_the_model_computes(walked):
    _, own, trace, got = walked
    near(trace.x, own.x[0])
    if own.norm is not None:
        near(trace.norm.gave, own_norm(own.norm, own.kept["norm"][0][0][0]))
        near(trace.norm.read, own.kept["norm"][0][0][0])
    q, k, v = mapped = own.mapped()
    shown = (
        (trace.q_mapped if trace.steps else trace.q),
        (trace.k_mapped if trace.steps else trace.k),
    )
    for one, other in zip((*shown, trace.v), mapped, strict=True):
        near(one, other)
    normed = own.normed(q, k)
    if normed:
        near(trace.q_norm.gave, normed[0])
        near(trace.k_norm.gave, normed[1])
        q, k = normed
    turned = own.turned(q, k)
    q, k = turned or (q, k)
    near(trace.q, q)
    near(trace.k, k)
    near(trace.weights, own.weights)
    near(trace.output, own.output)
    if own.after:
        near(trace.after.gave, own_norm(own.after, torch.from_numpy(own.output)))
    check_browser(own, trace, got, q.numpy(), k.numpy(), v.numpy())


def check_browser(own, trace, got, q, k, v):
    """The last head's way, as the page repeats it."""
    head = own.heads - 1
    mine = head * len(k) // own.heads
    mapped = [m.numpy() for m in own.mapped()]
    near(got["q"], mapped[0][head])
    near(got["k"], mapped[1][mine])
    near(got["v"], v[mine])
    near(got["behind"]["q"], q[head])
    near(got["behind"]["k"], k[mine])
    near(got["products"], q[head] @ k[mine].T)
    near(got["weights"], own.weights[head])
    z = own.weights[head] @ v[mine]
    near(got["z"], z)
    if trace.norm is not None:
        near(got["normed"], own.x[0])
    n, d = z.shape
    near(trace.joined.reshape(n, own.heads, d)[:, head], z)


def expected(name, own):
    """The stages that a layer has by its configuration and its own parameters."""
    config, attn = own.model.config, own.attn
    kinds = getattr(config, "layer_types", None) or ["full_attention"] * (LAYER + 1)
    stages = {"input", "qkv", "products", "mask", "softmax", "mix", "join", "output"}
    stages |= {"norm"} if own.norm is not None else set()
    stages |= {"after"} if own.after else set()
    stages |= {"headnorm"} if getattr(attn, "q_norm", None) is not None else set()
    stages |= {"turn"} if own.named.get("position_embeddings") is not None else set()
    stages |= {"cap"} if getattr(config, "attn_logit_softcapping", None) else set()
    stages |= {"scale"}
    window = "sliding" in kinds[LAYER] or (name == "mistral")
    return stages, window, getattr(attn, "sinks", None) is not None


def test_a_stage_is_there_exactly_if_the_model_has_it(walked):
    name, own, trace, got = walked
    stages, window, sink = expected(name, own)
    assert set(got["stages"]) == stages
    assert (got["window"] is not None) == window
    assert (got["sink"] is not None) == sink
    shared = getattr(own.model.config, "num_key_value_heads", own.heads) != own.heads
    assert (len(got["beside"]) > 1) == shared
    assert (trace.b_q is not None) == has_bias(own)
    if trace.turn is not None:
        d = trace.d_k
        part = getattr(own.attn, "rotary_ndims", None) or d
        assert len(trace.turn.pairs) == part // 2
    if sink:
        sums = trace.weights.sum(-1)
        assert (sums < 1).all()
        near(got["sums"], sums[-1])


def has_bias(own):
    names = ("q_proj", "c_attn", "query_key_value", "qkv_proj", "Wqkv")
    maps = next(getattr(own.attn, name) for name in names if hasattr(own.attn, name))
    return maps.bias is not None


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", ["t5", "bart"])
def test_all_three_attentions_of_an_encoder_decoder_are_walked(name, part, tmp_path):
    model = build(name, PAIRS[name])
    save(model, "pair", tmp_path)
    run = Run(TEXT, TARGET, Folder(str(tmp_path)), part)
    double = copy.deepcopy(model).double()
    with torch.inference_mode():
        out = double(**inputs_of(model, "pair", tmp_path), output_attentions=True)
    theirs = {"cross": "cross_attentions", "encoder": "encoder_attentions"}
    theirs = getattr(out, theirs.get(part, "decoder_attentions"))
    for layer in (0, 1):
        trace = trace_layer(run, layer)
        near(trace.weights, theirs[layer][0])
        x = trace.x_keys if part == "cross" else trace.x
        bias = 0 if trace.b_k is None else trace.b_k
        k = (x.astype(float) @ trace.w_k.T.astype(float) + bias).reshape(len(x), 4, -1)
        near(trace.k, k.swapaxes(0, 1))
        near(trace.output, trace.joined @ trace.w_o.T + (0 if trace.b_o is None else trace.b_o))
        assert (trace.key_tokens is None) == (part != "cross")
        assert (trace.norm is not None) == (name == "t5" or part == "cross")
        got = in_browser(trace, 2, tmp_path)
        near(got["weights"], theirs[layer][0, 2])
        assert ("bias" in got["stages"]) == (name == "t5" and part != "cross")
        assert ("scale" in got["stages"]) == (name == "bart")
    if name == "t5" and part != "cross":
        stack = getattr(double, part).block[0].layer[0].SelfAttention
        table = stack.relative_attention_bias.weight.detach().numpy()
        own = np.where(trace.allowed, table[trace.buckets, 2], 0)
        near(trace.bias(2), own)
        n = len(trace.tokens)
        # As far as 8 tokens each distance has a bucket of its own, of 32 on both sides.
        near_by = trace.buckets[n - 1, n - 8 :]
        assert len(set(near_by)) == 8


# ALiBi's own slopes for four heads, and a bias that MPNet has for each distance.
BESIDE = {"bloom": "slope", "mpt": "slope", "falcon alibi": "slope", "gpt_neo": None}
BESIDE |= {"falcon": None, "mpnet": "given"}


@pytest.mark.parametrize("name", BESIDE)
def test_an_attention_beside_the_tap_is_found_by_the_weights_that_it_gave(name, tmp_path):
    own = DECODERS.get(name, ENCODERS.get(name))
    model = build(name, own)
    save(model, "text", tmp_path)
    trace = trace_layer(Run(TEXT, source=Folder(str(tmp_path))), LAYER)
    double = copy.deepcopy(model).double()
    with torch.inference_mode():
        out = double(**inputs_of(model, "text", tmp_path), output_attentions=True)
    theirs = out.attentions[LAYER][0].numpy()
    near(trace.weights, theirs)
    heads = len(theirs)
    for head in (0, heads - 1):
        q, k = (x.astype(float) for x in (trace.q[head], trace.k[trace.key_head(head)]))
        bias = trace.bias(head)
        scores = q @ k.T * trace.rule.scale + (0 if bias is None else bias)
        powers = np.where(trace.allowed, np.exp(scores), 0)
        near(powers / powers.sum(-1, keepdims=True), theirs[head])
        got = in_browser(trace, head, tmp_path)
        near(got["weights"], theirs[head])
        near(got["q"] if not trace.steps else got["behind"]["q"], q)
        assert got["bias"] == BESIDE[name]
        if BESIDE[name] == "slope":
            # Falcon adds it over √d_k, and once more with its mask.
            times = 2 / np.sqrt(trace.d_k) if name == "falcon alibi" else 1
            # Falcon keeps its slopes in half precision, of which these are exact.
            assert got["slope"] == pytest.approx(times * 2.0 ** (-2 * (head + 1)), rel=1e-5)
    near(trace.output, trace.joined @ trace.w_o.T + (0 if trace.b_o is None else trace.b_o))


def test_a_rotation_hangs_on_the_distance_alone(walked):
    """Turned by their positions, the same two vectors have the same product at equal distances."""
    _, _, trace, _ = walked
    if trace.turn is None or not np.allclose(np.hypot(trace.turn.cos, trace.turn.sin), 1):
        return
    vectors = np.random.default_rng(0).normal(size=(2, trace.d_k))
    n = len(trace.tokens)
    q, k = (trace.turn.of(np.broadcast_to(v, (1, n, trace.d_k)))[0] for v in vectors)
    products = q @ k.T
    for apart in (0, 1, 5):
        near(np.diagonal(products, -apart), np.full(n - apart, products[apart, 0]))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("codegen", "cannot be had"),
        ("deepseek_v3", "queries of this attention"),
        ("bitnet", "changed on the way"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_part_that_is_to_blame(name, words, tmp_path):
    save(build(name, DECODERS[name]), "text", tmp_path)
    with pytest.raises(ExplorerError, match=words):
        trace_layer(Run(TEXT, source=Folder(str(tmp_path))), 0)


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma2"])
def test_told_one_position_a_decoder_no_longer_knows_order_and_its_mask_stays(name, tmp_path):
    save(build(name, DECODERS[name]), "text", tmp_path)
    run = Run("a cat a cat a", source=Folder(str(tmp_path)))
    told, silent = (trace_layer(run, 0, Twist(positions=p)) for p in (True, False))
    assert np.array_equal(told.allowed, silent.allowed)
    same = [i for i, t in enumerate(silent.tokens) if t.text == silent.tokens[1].text]
    assert len(same) > 1
    assert np.abs(silent.k[:, same[0]] - silent.k[:, same[1]]).max() <= 1e-6
    assert np.abs(told.k[:, same[0]] - told.k[:, same[1]]).max() > 1e-3


def test_a_pair_is_not_turned_round(tmp_path):
    save(build("t5", PAIRS["t5"]), "pair", tmp_path)
    run = Run(TEXT, TARGET, Folder(str(tmp_path)), "encoder")
    with pytest.raises(ExplorerError, match="reads one text and writes another"):
        trace_layer(run, 0, Twist(backwards=True))


def test_a_model_that_is_told_no_positions_from_outside_says_so(tmp_path):
    encoder = transformers.T5EncoderModel(config_of("t5", PAIRS["t5"]))
    save(encoder, "text", tmp_path)
    run = Run(TEXT, source=Folder(str(tmp_path)))
    assert trace_layer(run, 1).buckets is not None
    with pytest.raises(ExplorerError, match="not told its positions from outside"):
        trace_layer(run, 0, Twist(positions=False))


def test_what_was_written_is_walked_too(tmp_path):
    save(build("llama", DECODERS["llama"]), "text", tmp_path)
    run = Run("a cat", source=Folder(str(tmp_path)), written=(9, 10, 11))
    trace = trace_layer(run, 0)
    assert trace.weights.shape[1] == len(trace.tokens)
    assert trace.tokens[-1].segment == trace.tokens[1].segment


def test_the_arrays_of_a_layer_are_saved_by_their_parts(tmp_path):
    save(build("gemma2", DECODERS["gemma2"]), "text", tmp_path)
    trace = trace_layer(Run(TEXT, source=Folder(str(tmp_path))), 1)
    saved = np.load(io.BytesIO(layer_traces_to_npz([trace], (TEXT,))))
    assert np.array_equal(saved["norm_read"], trace.norm.read)
    assert np.array_equal(saved["after_gave"], trace.after.gave)
    assert np.array_equal(saved["turn_cos"], trace.turn.cos)
    assert np.array_equal(saved["q_mapped"], trace.q_mapped)
