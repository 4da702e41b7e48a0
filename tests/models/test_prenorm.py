"""What attention moves where a norm stands before it: each part by hand, from the weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.analysis.alti import alti, alti_rollout
from explorer.analysis.explanation import explain, truth_line
from explorer.analysis.norms import attention_norms, head_norms, mixing_ratio, parts_of
from explorer.analysis.pointing import pointing
from explorer.edits import Edits
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.scratch.grammar import split
from explorer.source import Folder, Stories
from explorer.sources.activations import read_activations
from explorer.sources.intervention import intervention
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from explorer.sources.stream import linear_of
from explorer.sources.truths import deciding_words
from explorer.target import MaskedWord, NextWord
from explorer.trace import Token
from tests.models.tiny import tiny_model
from tests.models.writers import run_of, save_writer

STORY = "Mia and Tom live near the garden. Mia has a red ball, and Tom has two green kites."
# The model and what is read of it work in float32, the hand in float64, on numbers of about 1.
TOLERANCE = 1e-5
FAMILIES = ("gpt2", "llama", "qwen3", "mistral", "gpt_neox", "gemma2", "gemma3_text", "gpt_oss")
FAMILIES += ("opt", "phi", "granite", "olmo2", "cohere")


def numbers(tensor):
    return tensor.detach().double().numpy()


def layer_normed(x, norm):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt(x.var(-1, keepdims=True) + norm.eps)
    return scaled * numbers(norm.weight) + numbers(norm.bias)


def gpt2_by_hand(block, x):
    """Values ``[head, token, d_v]``; the output map by head, ``[head, d_v, d]``; its bias."""
    d, heads = x.shape[1], block.attn.num_heads
    weight, bias = numbers(block.attn.c_attn.weight), numbers(block.attn.c_attn.bias)
    v = layer_normed(x, block.ln_1) @ weight[:, 2 * d :] + bias[2 * d :]
    out = numbers(block.attn.c_proj.weight).reshape(heads, -1, d)
    return v.reshape(len(x), heads, -1).transpose(1, 0, 2), out, numbers(block.attn.c_proj.bias)


def llama_by_hand(block, x):
    """The same of a norm without a mean, and of keys and values that several heads share."""
    norm, attn = block.input_layernorm, block.self_attn
    read = x / np.sqrt((x**2).mean(-1, keepdims=True) + norm.variance_epsilon)
    v = read * numbers(norm.weight) @ numbers(attn.v_proj.weight).T
    width, shared = attn.head_dim, attn.num_key_value_groups
    v = v.reshape(len(x), -1, width).transpose(1, 0, 2).repeat(shared, axis=0)
    out = numbers(attn.o_proj.weight).T.reshape(len(v), width, -1)
    return v, out, np.zeros(x.shape[1])


def by_hand(model, ids, of_block, blocks):
    """Of each layer x, T_ij ``[query, key, d]``, with x_i added to i = j, and the bias."""
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        out = model(input_ids=ids, output_attentions=True, output_hidden_states=True)
    found = []
    for block, x, a in zip(blocks, out.hidden_states, out.attentions, strict=False):
        x, a = numbers(x[0]), numbers(a[0])
        values, maps, bias = of_block(block, x)
        moved = np.einsum("hij,hjv,hvd->ijd", a, values, maps)
        found.append((x, moved, moved + np.eye(len(x))[:, :, None] * x, bias))
    return found


@pytest.fixture(scope="module", params=["gpt2", "llama", "stories"])
def pair(request, tmp_path_factory):
    """What is read of a model's attention, and the same by hand."""
    if request.param == "stories":
        run = Run(STORY, source=Stories())
        model = load_model(run.source, silent).private().network
    else:
        folder = tmp_path_factory.mktemp(request.param)
        model, run = save_writer(request.param, folder), run_of(folder)
        model = model.base_model
    them = read_activations(run)
    loaded = load_model(run.source, silent)
    ids = loaded.tokenizer(run.text, return_tensors="pt")["input_ids"]
    llama = request.param == "llama"
    blocks = model.layers if llama else model.h
    return them, by_hand(model, ids, llama_by_hand if llama else gpt2_by_hand, blocks)


def close(got, want):
    return np.abs(got - want).max() <= TOLERANCE * max(1, np.abs(want).max())


def test_norms_are_those_of_the_plain_formula_with_every_vector_formed(pair):
    them, hands = pair
    plain, kept = attention_norms(them), attention_norms(them, residual=True)
    for layer, (x, moved, with_own, _) in enumerate(hands):
        assert close(them.inputs[layer], x)
        assert close(plain[layer], np.linalg.norm(moved, axis=-1))
        assert close(kept[layer], np.linalg.norm(with_own, axis=-1))
    # No norm is left to go through behind the sum.
    assert (attention_norms(them, residual=True, layer_norm=True) == kept).all()
    n = len(x)
    own = np.linalg.norm(with_own[range(n), range(n)], axis=-1)
    others = np.linalg.norm(with_own.sum(axis=1) - with_own[range(n), range(n)], axis=-1)
    assert close(mixing_ratio(them)[layer], others / (others + own))
    assert head_norms(them).shape == them.weights.shape


def test_alti_is_that_of_the_plain_formula(pair):
    them, hands = pair
    found = alti(them)
    for layer, (_, _, with_own, bias) in enumerate(hands):
        y = with_own.sum(axis=1) + bias
        assert close(them.outputs[layer], y)
        c = np.maximum(0, np.abs(y).sum(-1)[:, None] - np.abs(y[:, None] - with_own).sum(-1))
        assert close(found[layer], c / c.sum(-1, keepdims=True))
    rolled = alti_rollout(found)
    assert rolled.sum(axis=-1) == pytest.approx(1)
    assert np.abs(np.triu(rolled[-1], 1)).max() == 0  # a decoder looks at nothing behind


@pytest.mark.parametrize("family", FAMILIES)
def test_the_parts_and_the_bias_add_up_to_what_the_attention_block_gives_out(family, tmp_path):
    """Whatever stands before, behind or beside attention; the output is that of hooks."""
    model = save_writer(family, tmp_path)
    them = read_activations(run_of(tmp_path))
    layers = next(
        m for m in model.base_model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 4
    )
    for i, layer in enumerate(layers):
        parts = parts_of(them, i)
        total = np.einsum("hij,hjd->id", them.weights[i].astype(float), parts.moved)
        whole = total / parts.by_moved[:, None] + parts.own / parts.by_own[:, None]
        bias = bias_of(layer, them.w_o[i], model.config)
        norm = them.added[i]
        if norm is not None:
            bias = norm.undivided(bias) / norm.scale[:, None] + norm.shift
        assert close(whole + bias, them.outputs[i])
        if i + 1 < len(layers) and family in ("gpt2", "llama", "mistral", "qwen3"):
            assert not close(them.outputs[i], them.inputs[i])


def bias_of(layer, weight, config):
    """The bias of the map behind the heads, found by its weight."""
    factor = getattr(config, "residual_multiplier", 1.0)
    maps = [found for m in layer.modules() if (found := linear_of(m)) is not None]
    (bias,) = (
        b
        for w, b in maps
        if w.shape == weight.shape and np.allclose(factor * w.detach().numpy(), weight, atol=1e-6)
    )
    return np.zeros(len(weight)) if bias is None else factor * numbers(bias)


def test_what_attention_adds_is_what_the_next_norm_of_the_layer_reads(tmp_path):
    """An independent word on the output: GPT-2’s second norm reads x and what attention added."""
    model = save_writer("gpt2", tmp_path)
    read = []
    hooks = [
        block.ln_2.register_forward_pre_hook(lambda _m, given: read.append(numbers(given[0][0])))
        for block in model.transformer.h
    ]
    run = run_of(tmp_path)
    ids = load_model(run.source, silent).tokenizer(run.text, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        model(input_ids=ids)
    for hook in hooks:
        hook.remove()
    them = read_activations(run)
    for got, want in zip(them.outputs, read, strict=True):
        assert close(got, want)


def test_a_head_that_is_off_moves_nothing_and_the_others_what_they_do(tmp_path):
    save_writer("gpt2", tmp_path)
    run = replace(run_of(tmp_path), edits=Edits(off=((1, 2),), even=((3, 0),)))
    them = read_activations(run)
    assert (them.weights[1, 2] == 0).all()
    assert them.weights[1, 1].sum(-1) == pytest.approx(1, abs=1e-6)
    n = len(them.tokens)
    even = np.tril(np.ones((n, n))) / np.arange(1, n + 1)[:, None]
    assert np.abs(them.weights[3, 0] - even).max() <= 1e-6
    plain = read_activations(run_of(tmp_path))
    assert (them.inputs[:2] == plain.inputs[:2]).all()  # before the head writes
    assert not close(them.inputs[2], plain.inputs[2])


def test_a_masked_word_is_read_masked_by_what_describes_attention_too(tmp_path):
    run = Run("the cat sat on the mat", source=Folder(str(tiny_model("MaskedLM", tmp_path))))
    asked = intervention(run, MaskedWord(2))
    plain = read_activations(run)
    assert not close(asked.activations().inputs[0][2], plain.inputs[0][2])
    assert close(asked.activations().weights, asked.weights())


@pytest.mark.parametrize(
    ("family", "words"),
    [
        ("bloom", "does not go through the interface"),
        ("gemma3n_text", "built in another way than can be taken apart here"),
    ],
)
def test_layers_of_another_build_are_refused_in_words(family, words, tmp_path):
    save_writer(family, tmp_path)
    with pytest.raises(ExplorerError, match=words):
        read_activations(run_of(tmp_path))


def test_every_method_explains_little_stories_and_the_grammar_says_what_decides():
    found = explain(intervention(Run(STORY, source=Stories()), NextWord(guess="They")), how="cut")
    missing = {s.method.key: s.reason for s in found.scores if s.values is None}
    assert set(missing) <= {"norms_residual", "norms_layer_norm", "integrated_pad"}
    assert "the norm stands before the attention" in missing["norms_layer_norm"]
    decides = [found.tokens[i].text for u in found.deciding for i in found.units[u]]
    assert decides == ["Mia", "Tom", "Mia", "Tom"]
    assert "decides “They” by whom it stands for: “Mia” “Tom” “Mia” “Tom”" in truth_line(found)[0]
    for score in found.scores:
        if score.values is not None:
            assert score.pointing == pointing(score.values, found.deciding)
    assert found.points == pointing(found.removal, found.deciding)


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("The cat sat on the mat", "They"),  # no story
        (STORY, "zebra"),  # no word that can come there
        (STORY.removesuffix("."), "."),  # bound to nothing
    ],
)
def test_where_the_grammar_does_not_say_it_nothing_is_claimed(text, guess):
    asked = deciding_words(Run(text, source=Stories()), story_tokens(text), len(split(text)), guess)
    assert asked == ((), "")


def story_tokens(text):
    return tuple(Token(word, None, None, 0, False) for word in ("[START]", *split(text)))
