"""The from-scratch layer as a source of traces."""

import itertools
import math
import threading

import numpy as np
import pytest
import regex
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import explorer
from explorer.errors import ExplorerError
from explorer.run import Run, is_blank
from explorer.scratch.encoder import Encoder, embed, sinusoidal_positions, tokenize
from explorer.source import Scratch
from explorer.sources import trace_run
from explorer.sources.layertraces import trace_layer

TEXT = "The cat sat on the mat."


def words(text):
    return [text[a:b] for a, b in tokenize(text)]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The cat's mat, e.g. 3.5!", "The|cat's|mat|,|e|.|g|.|3|.|5|!"),
        ("猫坐在垫子上。", "猫|坐|在|垫|子|上|。"),
        ("日本語のテスト", "日|本|語|の|テ|ス|ト"),
        ("BERT模型v2", "BERT|模|型|v2"),
        ("привет мир שלום مرحبا", "привет|мир|שלום|مرحبا"),
        ("मैं कि", "मैं|कि"),
        ("한국어 문장", "한국어|문장"),
        ("👨‍👩‍👧 🇩🇪 é", "👨‍👩‍👧|🇩🇪|é"),
        ("a\u200bb \x00 \u202e c", "a|b|c"),
        ("'quoted' rock'n'roll", "'|quoted|'|rock'n'roll"),
        ("<b>$x$</b>", "<|b|>|$|x|$|<|/|b|>"),
    ],
)
def test_the_tokenizer_cuts_any_script_as_its_text_says(text, tokens):
    assert words(text) == tokens.split("|")


@given(st.text(max_size=80))
def test_tokens_lie_in_the_text_in_order_and_lose_nothing_visible(text):
    spans = tokenize(text)
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(b <= c for (_, b), (c, _) in itertools.pairwise(spans))
    covered = {i for a, b in spans for i in range(a, b)}
    lost = "".join(c for i, c in enumerate(text) if i not in covered)
    assert is_blank(lost)


@given(st.text(st.sampled_from("🇩🇪🇦x \u200d\u0301\u0903🏽猫"), max_size=12))
def test_flags_are_cut_as_unicode_cuts_them(text):
    flags = [m.span() for m in regex.finditer(r"\X", text) if "🇦" <= m.group()[0] <= "🇿"]
    inside = [
        cut for start, end in tokenize(text) for cut in [(start, end)] if "🇦" <= text[start] <= "🇿"
    ]
    assert inside == flags


def test_private_and_new_characters_are_tokens_and_what_nobody_sees_is_none():
    text = "\ue000 \U0001fae9 \u3164 \ufe0f\U000e0041 a"
    assert [text[a:b] for a, b in tokenize(text)] == ["\ue000", "\U0001fae9", "a"]


def test_positions_are_the_papers_formula():
    table = sinusoidal_positions(4, 6)
    for position in range(4):
        for i in range(3):
            angle = position / 10_000 ** (2 * i / 6)
            assert table[position, 2 * i] == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[position, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-6)


def test_an_odd_width_has_positions_too():
    assert sinusoidal_positions(3, 5).shape == (3, 5)


def test_a_word_has_one_vector_in_every_text_and_another_for_every_seed():
    one, two = embed(["cat", "dog"], 16, 0), embed(["dog", "a", "cat"], 16, 0)
    assert torch.equal(one[0], two[2])
    assert not torch.equal(one[0], embed(["cat"], 16, 1)[0])


def test_the_trace_is_what_the_options_say():
    trace = explorer.trace(TEXT, source="scratch", d_model=512, n_heads=8, n_layers=3, seed=4)
    assert trace.weights.shape == (3, 8, 7, 7)
    assert trace.weights.dtype == np.float32
    assert (trace.model.d_model, trace.model.n_layers) == (512, 3)
    assert [TEXT[slice(*t.span)] for t in trace.query_tokens] == [
        t.text for t in trace.query_tokens
    ]


def test_one_layer_is_the_articles_module_and_nothing_else():
    options = Scratch(d_model=16, n_heads=2, n_layers=1, seed=3)
    layer = Encoder(options).layers[0]
    x = embed(words(TEXT), 16, 3) + sinusoidal_positions(7, 16)
    _, want = layer(x[None], x[None], x[None], return_weights=True)
    trace = explorer.trace(TEXT, source="scratch", d_model=16, n_heads=2, n_layers=1, seed=3)
    assert np.allclose(trace.weights[0], want[0].detach().numpy(), atol=1e-7)


def test_stacked_layers_are_joined_by_residual_and_layernorm():
    encoder = Encoder(Scratch(d_model=16, n_heads=2, n_layers=2)).eval()
    x = torch.randn(1, 5, 16)
    first, second = encoder.layers
    after = torch.nn.functional.layer_norm(x + first(x, x, x), (16,))
    _, want = second(after, after, after, return_weights=True)
    with torch.inference_mode():
        _, weights = encoder(x)
    assert torch.allclose(weights[1], want, atol=1e-6)


def test_causal_looks_only_backwards():
    weights = explorer.trace(TEXT, source="scratch", causal=True).weights
    assert np.triu(weights, 1).max() == 0
    assert weights[..., 0, 0].min() == 1


def test_without_positions_the_order_of_the_words_does_not_matter():
    one = explorer.trace("a b c", source="scratch", positions=False).weights
    two = explorer.trace("c a b", source="scratch", positions=False).weights
    assert np.allclose(two, one[:, :, [2, 0, 1]][..., [2, 0, 1]], atol=1e-6)
    moved = explorer.trace("c a b", source="scratch").weights
    kept = explorer.trace("a b c", source="scratch").weights
    assert not np.allclose(moved, kept[:, :, [2, 0, 1]][..., [2, 0, 1]], atol=1e-2)


def test_the_same_run_gives_the_same_numbers_also_from_many_threads():
    want = explorer.trace(TEXT, source="scratch", seed=11).weights
    found = []

    def work():
        torch.manual_seed(0)  # another reader disturbing the global generator
        found.append(Encoder(Scratch(seed=11)).layers[0].W_Q.weight.detach().clone())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(torch.equal(f, found[0]) for f in found)
    assert np.array_equal(explorer.trace(TEXT, source="scratch", seed=11).weights, want)


def test_a_pair_is_read_one_after_the_other():
    trace = explorer.trace("One two.", "Three four.", source="scratch")
    assert [t.segment for t in trace.query_tokens] == [0, 0, 0, 1, 1, 1]
    assert trace.query_tokens[3].span == (0, 5)


@pytest.mark.parametrize(
    ("first", "second", "cut"), [(600, 0, (88,)), (600, 100, (188, 0)), (400, 400, (144, 144))]
)
def test_what_does_not_fit_is_cut_from_the_longer_text_and_counted(first, second, cut, monkeypatch):
    monkeypatch.setattr("explorer.sources.scratch.MAX_TOKENS", 512)
    trace = explorer.trace("a " * first, "b " * second, source="scratch", n_layers=1)
    assert trace.n_cut == cut
    assert len(trace.query_tokens) == 512


def test_thousands_of_tokens_are_read_and_step_by_step_says_what_it_takes():
    run = Run("a b c. " * 300, source=Scratch(d_model=8, n_heads=2))
    trace = trace_run(run)
    assert trace.shape == (2, 2, 1200, 1200)
    assert trace.rows(0, 1, [1199]).sum() == pytest.approx(1, abs=1e-5)
    with pytest.raises(ExplorerError, match=r"Step by step takes texts of at most 512 .* 1,200"):
        trace_layer(run, 0)


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=40))
def test_any_text_gives_a_trace_or_a_sentence(text):
    try:
        trace = explorer.trace(text, source="scratch", d_model=8, n_heads=2, n_layers=1)
    except explorer.ExplorerError as error:
        assert str(error).endswith(".")  # noqa: PT017
    else:
        assert np.allclose(trace.weights.sum(-1), 1, atol=1e-5)
