"""Explain before models of many builds: what stands in for words, where a head reads, batches."""

import copy

import numpy as np
import pytest
import torch
import transformers

from explorer.errors import ExplorerError
from explorer.lesson import Trained
from explorer.run import Run
from explorer.source import Folder
from explorer.sources import trace_run
from explorer.sources.intervention import intervention
from explorer.target import ClassScore, Likeness, MaskedWord, OutputVector
from tests.models.test_explanation import explained, score
from tests.models.tiny import SIZES, byte_level, one_mark, tiny_model, tiny_of

TEXT = "the cat naïve 猫 mat."
COMMON = SIZES | {"vocab_size": 300, "initializer_range": 0.2}
MARKS = {"bos_token_id": 2, "eos_token_id": 2, "pad_token_id": None}
GPT2 = MARKS | {"vocab_size": 300, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}
GPT2 |= {"initializer_range": 0.2}
DECODERS = {
    "GPT2": (GPT2, "LMHeadModel"),
    "GPTNeoX": (COMMON | MARKS, "ForCausalLM"),
    "Qwen2": (COMMON | MARKS | {"num_key_value_heads": 1}, "ForCausalLM"),
}
TOLERANCE = 5e-6  # float32 sums in another order, in a batch or alone


def config_of(name, sizes):
    return getattr(transformers, f"{name}Config")(**sizes)


def plain(folder, maker="AutoModel"):
    """Transformers' own model of a folder, with eager attention."""
    loader = getattr(transformers, maker)
    return loader.from_pretrained(folder, attn_implementation="eager").eval()


def mean_of(model, ids):
    with torch.inference_mode():
        return model(input_ids=ids[None]).last_hidden_state[0].double().mean(0)


def cosine(model, ids, reference):
    return float(torch.nn.functional.cosine_similarity(mean_of(model, ids), reference, dim=0))


def classifier(name, folder, tokenizer, **sizes):
    """A model with three classes; the run before it, and Transformers' own logits of some ids."""
    config = config_of(name, sizes | {"num_labels": 3})
    tiny_of(config, folder, tokenizer, "ForSequenceClassification")
    own = plain(folder, "AutoModelForSequenceClassification")

    def logits(ids):
        with torch.inference_mode():
            return own(input_ids=torch.tensor(ids)[None]).logits[0]

    return Run(TEXT, source=Folder(str(folder))), logits


# — what stands in for a word —


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_without_start_or_mask_is_explained_by_the_token_that_it_has(name, tmp_path):
    sizes, ending = DECODERS[name]
    tokenizer = one_mark()
    folder = tiny_of(config_of(name, sizes), tmp_path, tokenizer, ending)
    own, run = plain(folder), Run(TEXT, source=Folder(str(folder)))
    ids, other = (torch.tensor(tokenizer(t)["input_ids"]) for t in (TEXT, "the mat"))
    reference = mean_of(own, other)
    found = explained(run, Likeness("the mat"), by_word=False)
    assert found.instead == "</s>"
    assert "“</s>” stands in the place of a word" in found.notes[0]
    assert [s.method.name for s in found.scores if s.method.key == "integrated_mask"] == [
        "integrated gradients, baseline </s>"
    ]
    for i, (unit,) in enumerate(found.units):
        changed = ids.clone()
        changed[unit] = 2
        wanted = cosine(own, ids, reference) - cosine(own, changed, reference)
        assert found.removal[i] == pytest.approx(wanted, abs=TOLERANCE)
    layers = ("norms", "norms_residual", "norms_layer_norm", "alti", "integrated_pad")
    assert all(s.values is not None for s in found.scores if s.method.key not in layers)
    if name != "Qwen2":  # its tokenizer's class brings one along
        assert score(found, "integrated_pad").reason == f"{tmp_path.name} has no [PAD] token."
    assert score(found, "rollout").curves is not None
    assert found.head_effects.shape == (2, 2)
    dropped = explained(run, Likeness("the mat"), how="drop")
    assert dropped.instead is None
    assert dropped.notes == ()
    assert dropped.empty == pytest.approx(cosine(own, torch.tensor([2]), reference), abs=TOLERANCE)


def test_without_any_token_to_stand_in_words_are_dropped_and_it_is_said(tmp_path):
    bare = transformers.PreTrainedTokenizerFast(tokenizer_object=one_mark().backend_tokenizer)
    folder = tiny_of(config_of("GPT2", GPT2), tmp_path, bare)
    run = Run(TEXT, source=Folder(str(folder)))
    found = explained(run, Likeness("the mat"))
    assert found.instead is None
    assert "has no [MASK] and no other token" in found.notes[0]
    assert np.isfinite(found.empty)  # the first word stays: something must be read
    with pytest.raises(ExplorerError, match="drop words instead"):
        intervention(run, Likeness("the mat")).without([{1}], "replace")


def test_the_token_that_is_asked_about_stays_where_there_is_no_start_token(tmp_path):
    folder = tiny_of(config_of("GPT2", GPT2), tmp_path, one_mark())
    run = Run(TEXT, source=Folder(str(folder)))
    asked = intervention(run, OutputVector(0))
    assert 0 not in asked.removable
    assert np.isfinite(asked.without([{1}, set(asked.removable)], "drop")).all()
    assert 0 not in intervention(run, Likeness("the mat", first=True)).removable


# — heads —


@pytest.mark.parametrize("name", ["GPT2", "Qwen2"])
def test_a_head_of_a_decoder_is_off_as_if_its_rows_of_the_output_map_were_nought(name, tmp_path):
    sizes, ending = DECODERS[name]
    folder = tiny_of(config_of(name, sizes), tmp_path, one_mark(), ending)
    own, run = plain(folder), Run(TEXT, source=Folder(str(folder)))
    ids, other = (torch.tensor(one_mark()(t)["input_ids"]) for t in (TEXT, "the mat"))
    reference = mean_of(own, other)
    asked = intervention(run, Likeness("the mat"))
    got = asked.heads_off([[(0, 1)], [(1, 0)], [(0, 1), (1, 0)]])
    for value, off in zip(got, ([(0, 1)], [(1, 0)], [(0, 1), (1, 0)]), strict=True):
        changed = copy.deepcopy(own)
        for layer, head in off:
            part = slice(head * 8, (head + 1) * 8)
            with torch.no_grad():
                if name == "GPT2":
                    changed.h[layer].attn.c_proj.weight[part] = 0
                else:
                    changed.layers[layer].self_attn.o_proj.weight[:, part] = 0
        assert value == pytest.approx(cosine(changed, ids, reference), abs=TOLERANCE)
    assert abs(got[0] - asked.value) > 1e-4


def test_heads_of_a_hybrid_are_named_by_the_models_own_layers(tmp_path):
    """LFM2 has attention in its layers 1 and 3; the others are convolutions."""
    kinds = {"layer_types": ["conv", "full_attention"] * 2, "num_hidden_layers": 4}
    config = config_of("Lfm2", COMMON | MARKS | kinds | {"num_key_value_heads": 2})
    folder = tiny_of(config, tmp_path, one_mark())
    run = Run(TEXT, source=Folder(str(folder)))
    found = explained(run, OutputVector(3))
    assert found.numbers == (1, 3)
    assert found.head_effects.shape == (2, 2)
    asked = intervention(run, OutputVector(3))
    off = asked.heads_off([[(3, 1)]])[0] - asked.value
    assert found.head_effects[1, 1] == pytest.approx(off, abs=TOLERANCE)
    with pytest.raises(ExplorerError, match="has no head L0·H1"):
        asked.heads_off([[(0, 1)]])


# — where a head reads, and texts side by side —


@pytest.mark.parametrize("name", ["GPT2", "Llama"])
def test_a_class_of_a_decoder_without_padding_is_read_at_the_last_token(name, tmp_path):
    sizes = GPT2 if name == "GPT2" else COMMON | MARKS
    run, logits = classifier(name, tmp_path, one_mark(), **sizes)
    ids = one_mark()(TEXT)["input_ids"]
    asked, last = intervention(run, ClassScore(1)), len(ids) - 1
    assert asked.rows == [last]
    assert asked.notes("drop") == (
        f"The head reads the vector of “{asked.tokens[last].text}” (token {last}): attention is "
        "read there.",
    )
    choices = [{0}, {1, 2}, {last}, {3, last}]
    for how in ("replace", "drop"):
        for value, gone in zip(asked.without(choices, how), choices, strict=True):
            kept = [i for i in range(len(ids)) if i not in gone]
            read = (
                [ids[i] for i in kept]
                if how == "drop"
                else [2 if i in gone else n for i, n in enumerate(ids)]
            )
            assert value == pytest.approx(float(logits(read)[1]), abs=TOLERANCE)
    found = explained(run, ClassScore(1), by_word=False)
    row = trace_run(run).weights[-1].mean(axis=0)[last]
    wanted = row[[i for unit in found.units for i in unit]]
    assert score(found, "attention").values == pytest.approx(wanted, abs=TOLERANCE)
    assert score(found, "attention").values.min() > 0


BERT_LIKE = COMMON | {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
READS = {
    "Roberta": (BERT_LIKE, "first"),
    "DistilBert": (
        {"vocab_size": 300, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 16}
        | {"max_position_embeddings": 40, "initializer_range": 0.2},
        "first",
    ),
    "ModernBert": (
        BERT_LIKE
        | {"classifier_pooling": "mean", "cls_token_id": 0, "sep_token_id": 2}
        | {"global_attn_every_n_layers": 1, "local_attention": 8},
        "all",
    ),
    "XLNet": (
        {"vocab_size": 300, "d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 16}
        | {"initializer_range": 0.2, "summary_type": "last"},
        "last",
    ),
}


@pytest.mark.parametrize("name", READS)
def test_attention_is_read_at_the_tokens_that_the_head_of_a_class_reads(name, tmp_path):
    sizes, where = READS[name]
    run, logits = classifier(name, tmp_path, byte_level(), **sizes)
    ids = byte_level()(TEXT)["input_ids"]
    asked = intervention(run, ClassScore(2))
    rows = {"first": [0], "last": [len(ids) - 1], "all": list(range(len(ids)))}[where]
    assert asked.rows == rows
    assert asked.value == pytest.approx(float(logits(ids)[2]), abs=TOLERANCE)
    gone = asked.without([{1}, {2, 3}], "drop")
    wanted = [float(logits([*ids[:1], *ids[2:]])[2]), float(logits([*ids[:2], *ids[4:]])[2])]
    assert gone == pytest.approx(wanted, abs=TOLERANCE)
    found = explained(run, ClassScore(2), by_word=False)
    weights = trace_run(run).weights[-1].mean(axis=0)[rows].mean(axis=0)
    units = [i for unit in found.units for i in unit]
    assert score(found, "attention").values == pytest.approx(weights[units], abs=TOLERANCE)


def test_gradients_are_told_by_token_where_a_model_keeps_its_batch_behind_them(tmp_path):
    """XLNet looks its words up as ``[token, text]``."""
    run, _ = classifier("XLNet", tmp_path, byte_level(), **READS["XLNet"][0])
    own = plain(tmp_path, "AutoModelForSequenceClassification")
    ids = torch.tensor(byte_level()(TEXT)["input_ids"])[None]
    vectors = own.transformer.word_embedding(ids).detach().requires_grad_()
    value = own(inputs_embeds=vectors).logits[0, 1]
    (slope,) = torch.autograd.grad(value, vectors)
    asked = intervention(run, ClassScore(1))
    assert asked.slopes().norm == pytest.approx(slope[0].norm(dim=-1).numpy(), abs=TOLERANCE)
    found = asked.integrated_gradients("pad")
    assert found.error < 1e-3 * max(abs(found.change), 0.01)


def test_a_classifier_of_two_parts_is_explained_as_far_as_that_goes(tmp_path):
    """BART reads both texts in its encoder, and once more in its decoder."""
    bart = {"vocab_size": 300, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2}
    bart |= dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2)
    bart |= {"encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "max_position_embeddings": 60}
    bart |= {"init_std": 0.2, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
    alone, logits = classifier("Bart", tmp_path, byte_level(), **bart)
    run = Run("the cat", "the mat naïve the mat", alone.source)
    ids = byte_level()(*run.texts)["input_ids"]
    asked = intervention(run, ClassScore(1))
    assert asked.value == pytest.approx(float(logits(ids)[1]), abs=TOLERANCE)
    gone = asked.without([{1}], "drop")[0]
    assert gone == pytest.approx(float(logits([*ids[:1], *ids[2:]])[1]), abs=TOLERANCE)
    found = explained(run, ClassScore(1))
    assert found.removal is not None
    assert found.whole
    for key in ("attention", "rollout", "relevance"):
        assert "is an encoder-decoder" in score(found, key).reason
    for key in ("gradient", "gradient_input", "integrated_pad", "integrated_mask"):
        assert score(found, key).values is not None
    for baseline in ("pad", "mask"):
        whole = asked.integrated_gradients(baseline)
        assert whole.error < 1e-3 * max(abs(whole.change), 0.01)
    assert "is an encoder-decoder" in found.heads_reason
    with pytest.raises(ExplorerError, match="its class can be explained"):
        intervention(run, Likeness("the mat"))
    shown = trace_run(run)  # what Explore shows of it: its second text as what is written
    assert len(shown.query_tokens) != len(shown.key_tokens)


# — integrated gradients —

XMOD = {"languages": ["en_XX"], "default_language": "en_XX"}
AFTER_PADDING = {
    "Roberta": {},
    "XLMRoberta": {},
    "XLMRobertaXL": {},
    "Camembert": {},
    "RobertaPreLayerNorm": {},
    "Data2VecText": {},
    "MPNet": {},
    "Xmod": XMOD,
    "Luke": {"entity_vocab_size": 4, "entity_emb_size": 8},
}


@pytest.mark.parametrize("name", AFTER_PADDING)
def test_a_baseline_of_padding_moves_no_token_to_another_position(name, tmp_path):
    """Families that find positions by what is no padding; against vectors given to them."""
    config = config_of(name, BERT_LIKE | AFTER_PADDING[name])
    tiny_of(config, tmp_path, byte_level())
    asked = intervention(Run(TEXT, source=Folder(str(tmp_path))), Likeness("the mat"))
    found = asked.integrated_gradients("pad")
    own = plain(tmp_path)
    reference = mean_of(own, torch.tensor(byte_level()("the mat")["input_ids"]))
    ids = torch.tensor(byte_level()(TEXT)["input_ids"])
    ids[asked.removable] = 1
    vectors = own.get_input_embeddings()(ids)[None].detach()
    with torch.inference_mode():
        out = own(inputs_embeds=vectors, attention_mask=torch.ones(1, len(ids)))
    blank = out.last_hidden_state[0].double().mean(0)
    wanted = asked.value - float(torch.nn.functional.cosine_similarity(blank, reference, dim=0))
    assert found.change == pytest.approx(wanted, abs=TOLERANCE)
    assert found.scores.sum() == pytest.approx(found.change, abs=2e-3 * abs(wanted) + 1e-5)


# — sentences —


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda folder: tiny_of(config_of("GPT2", GPT2), folder, one_mark(), "LMHeadModel"),
            "is of a family that predicts the next word from those before it",
        ),
        (
            lambda folder: tiny_model("SequenceClassification", folder),
            "chooses between classes, so it guesses no masked word",
        ),
        (lambda folder: tiny_model("Model", folder), "has no head that predicts masked words"),
    ],
)
def test_why_no_masked_word_can_be_guessed_is_said_truly(make, says, tmp_path):
    run = Run("the cat sat on the mat", source=Folder(str(make(tmp_path))))
    with pytest.raises(ExplorerError, match=says):
        intervention(run, MaskedWord(2))


def test_the_trained_layer_is_said_to_have_answers_alone():
    with pytest.raises(ExplorerError, match="its answer at a token is all"):
        intervention(Run("3 1 2", source=Trained("reverse")), Likeness("1"))


def test_what_goes_wrong_inside_a_model_is_said_in_its_own_words(tmp_path):
    folder = tiny_of(config_of("GPT2", GPT2), tmp_path, one_mark())
    asked = intervention(Run(TEXT, source=Folder(str(folder))), Likeness("the mat"))

    def fail(_module, _inputs):
        raise RuntimeError("the rotor is stuck")

    asked._loaded.network.register_forward_pre_hook(fail)
    for ask in (
        lambda: asked.without([{1}], "replace"),
        asked.slopes,
        asked.weights,
        lambda: asked.integrated_gradients("mask"),
        lambda: asked.heads_off([[(0, 0)]]),
    ):
        with pytest.raises(ExplorerError, match="the rotor is stuck"):
            ask()
