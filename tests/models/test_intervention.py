"""What the output would be if something were missing, against plain runs of torch."""

import numpy as np
import pytest
import torch
import transformers

from explorer.analysis.gradients import head_importance, relevance
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Embedded, Folder, Scratch
from explorer.sources.intervention import intervention
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from explorer.target import (
    ClassScore,
    Likeness,
    MaskedWord,
    OutputVector,
    target_from_query,
    target_to_query,
)
from tests.models.tiny import eager, tiny_model

CAT = Run("The cat sat on the mat because it was tired.")
OTHER = "A tired cat rests."
# float32 sums in another order, in a batch or alone.
TOLERANCE = 5e-6


@pytest.fixture(scope="module")
def minilm():
    return eager(load_model(Embedded(), silent))


@pytest.fixture(scope="module")
def likeness():
    return intervention(CAT, Likeness(OTHER))


@pytest.fixture(scope="module")
def word_model(tmp_path_factory):
    return tiny_model("MaskedLM", tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="module")
def class_model(tmp_path_factory):
    return tiny_model("SequenceClassification", tmp_path_factory.mktemp("classes"))


def cosine(loaded, ids, reference):
    with torch.inference_mode():
        vector = loaded.network(input_ids=ids[None]).last_hidden_state[0].double().mean(0)
    return float(torch.nn.functional.cosine_similarity(vector, reference, dim=0))


def ids_of(loaded, text):
    return torch.tensor(loaded.tokenizer(text)["input_ids"])


def vector_of(loaded, text):
    with torch.inference_mode():
        ids = ids_of(loaded, text)[None]
        return loaded.network(input_ids=ids).last_hidden_state[0].double().mean(0)


def test_likeness_is_the_cosine_of_two_mean_pooled_vectors(minilm, likeness):
    want = cosine(minilm, ids_of(minilm, CAT.text), vector_of(minilm, OTHER))
    assert likeness.value == pytest.approx(want, abs=TOLERANCE)


def test_another_text_that_is_cut_is_said_to_be(word_model):
    other = "the cat sat on the mat " * 10
    asked = intervention(Run("the cat sat", source=Folder(str(word_model))), Likeness(other))
    (said,) = asked.notes("replace")
    assert "its first 40 tokens were read, 22 were cut" in said
    begun = " ".join(other.split()[:38])
    whole = intervention(Run("the cat sat", source=Folder(str(word_model))), Likeness(begun))
    assert whole.notes("replace") == ()
    assert asked.value == pytest.approx(whole.value, abs=TOLERANCE)


def test_a_text_too_long_to_be_explained_is_refused_before_any_work(monkeypatch):
    monkeypatch.setattr("explorer.sources.intervention.EXPLAIN_TOKENS", 8)
    with pytest.raises(ExplorerError, match=r"Explain takes texts of at most 8 tokens.* has 13"):
        intervention(CAT, Likeness(OTHER))


@pytest.mark.parametrize("how", ["replace", "drop"])
def test_removal_in_one_batch_is_a_run_of_each_text_without_the_token(minilm, likeness, how):
    ids, reference = ids_of(minilm, CAT.text), vector_of(minilm, OTHER)
    choices = [{2}, {3, 4}, {1, 2, 6, 9}, set()]
    got = likeness.without(choices, how)
    for value, removed in zip(got, choices, strict=True):
        changed = ids.clone()
        if how == "replace":
            changed[list(removed)] = minilm.tokenizer.mask_token_id
        else:
            changed = ids[[i for i in range(len(ids)) if i not in removed]]
        assert value == pytest.approx(cosine(minilm, changed, reference), abs=TOLERANCE)


def test_a_head_that_is_off_is_one_whose_weights_are_nought(minilm, likeness):
    """A plain transformers run whose eager attention is given zeros for one head."""
    from transformers.models.bert import modeling_bert

    plain, reference = modeling_bert.eager_attention_forward, vector_of(minilm, OTHER)
    ids = ids_of(minilm, CAT.text)
    off = [(3, 1), (0, 2), (5, 11)]
    got = likeness.heads_off([[one] for one in off] + [off])

    def without(heads):
        def zeroed(module, query, key, value, *args, **options):
            _, weights = plain(module, query, key, value, *args, **options)
            layer = next(
                i for i, b in enumerate(minilm.network.encoder.layer) if b.attention.self is module
            )
            weights = weights.clone()
            for at, head in heads:
                if at == layer:
                    weights[:, head] = 0
            return (weights @ value).transpose(1, 2).contiguous(), weights

        modeling_bert.eager_attention_forward = zeroed
        try:
            return cosine(minilm, ids, reference)
        finally:
            modeling_bert.eager_attention_forward = plain

    want = [without([one]) for one in off] + [without(off)]
    assert got == pytest.approx(want, abs=TOLERANCE)
    assert abs(want[0] - likeness.value) > 1e-4  # the head does something


def test_heads_and_words_can_be_gone_at_once(likeness):
    assert likeness.changed() == pytest.approx(likeness.value, abs=TOLERANCE)
    assert likeness.changed(off=[(3, 1)]) == pytest.approx(
        likeness.heads_off([[(3, 1)]])[0], abs=TOLERANCE
    )
    gone = likeness.without([{2, 9}], "drop")[0]
    assert likeness.changed(removed=[2, 9, 0], how="drop") == pytest.approx(gone, abs=TOLERANCE)
    both = likeness.changed(off=[(3, 1)], removed=[2, 9], how="drop")
    assert both not in (pytest.approx(gone, abs=1e-5), pytest.approx(likeness.value, abs=1e-5))


def test_gradients_of_attention_are_torchs_own(minilm, likeness):
    ids, reference = ids_of(minilm, CAT.text), vector_of(minilm, OTHER)
    out = minilm.network(input_ids=ids[None], output_attentions=True)
    vector = out.last_hidden_state[0].double().mean(0)
    value = torch.nn.functional.cosine_similarity(vector, reference, dim=0)
    want = torch.autograd.grad(value, out.attentions)
    slopes = likeness.slopes()
    assert np.abs(slopes.attention - torch.cat(want).numpy()).max() <= TOLERANCE
    assert np.abs(slopes.weights - torch.cat(out.attentions).detach().numpy()).max() <= TOLERANCE


def test_a_small_change_of_a_head_moves_the_target_as_its_importance_says(likeness):
    """Michel's importance is the derivative by a gate on the head, times 1/n: by finite steps."""
    slopes = likeness.slopes()
    n = len(likeness.tokens)
    signed = np.einsum("lhij,lhij->lh", slopes.weights, slopes.attention, dtype=float)
    assert head_importance(slopes.weights, slopes.attention) == pytest.approx(
        np.abs(signed) / n, abs=1e-9
    )
    layers = likeness._loaded.network.encoder.layer
    step = 1e-2
    for layer, head in ((5, 3), (2, 7)):
        found = []
        for gate in (1 + step, 1 - step):

            def scale(_m, inputs, gate=gate, head=head):
                x = inputs[0].clone()
                x[..., head * 32 : (head + 1) * 32] *= gate
                return (x,)

            hook = layers[layer].attention.output.dense.register_forward_pre_hook(scale)
            found.append(likeness.changed())
            hook.remove()
        slope = (found[0] - found[1]) / (2 * step)
        # A central difference in float32: about 1e-7 / 1e-2 of noise.
        assert slope == pytest.approx(signed[layer, head], abs=5e-5)


def test_relevance_begins_with_the_identity_and_only_adds(likeness):
    slopes = likeness.slopes()
    found = relevance(slopes.weights, slopes.attention)
    assert (found >= np.eye(len(found)) - 1e-12).all()


def test_gradient_times_input_and_norm_are_those_of_the_embeddings(minilm, likeness):
    ids, reference = ids_of(minilm, CAT.text), vector_of(minilm, OTHER)
    table = minilm.network.embeddings.word_embeddings
    embedded = table(ids[None]).detach().requires_grad_()
    out = minilm.network(inputs_embeds=embedded)
    vector = out.last_hidden_state[0].double().mean(0)
    value = torch.nn.functional.cosine_similarity(vector, reference, dim=0)
    (slope,) = torch.autograd.grad(value, embedded)
    slopes = likeness.slopes()
    assert slopes.norm == pytest.approx(slope[0].norm(dim=-1).numpy(), abs=TOLERANCE)
    want = (slope * embedded)[0].sum(-1).detach().numpy()
    assert slopes.times_input == pytest.approx(want, abs=TOLERANCE)


@pytest.mark.parametrize("baseline", ["pad", "mask"])
def test_integrated_gradients_add_up_to_the_change_and_are_a_plain_riemann_sum(
    minilm, likeness, baseline
):
    found = likeness.integrated_gradients(baseline)
    assert found.error == pytest.approx(abs(found.scores.sum() - found.change), abs=1e-5)
    assert found.error < 0.02 * max(abs(found.change), 0.05)
    # The same integral by 400 midpoints, through inputs_embeds.
    ids, reference = ids_of(minilm, CAT.text), vector_of(minilm, OTHER)
    blank = ids.clone()
    blank[likeness.removable] = getattr(minilm.tokenizer, f"{baseline}_token_id")
    table = minilm.network.embeddings.word_embeddings
    start, end = (table(x[None]).detach() for x in (blank, ids))
    total = torch.zeros_like(end)
    for k in range(0, 400, 50):  # 50 of them at once
        shares = (torch.arange(k, k + 50) + 0.5)[:, None, None] / 400
        at = (start + (end - start) * shares).requires_grad_()
        vectors = minilm.network(inputs_embeds=at).last_hidden_state.double().mean(1)
        value = torch.nn.functional.cosine_similarity(vectors, reference[None], dim=-1).sum()
        total += torch.autograd.grad(value, at)[0].sum(0, keepdim=True) / 400
    want = (total * (end - start))[0].sum(-1).numpy()
    assert found.scores == pytest.approx(want, abs=2e-4)  # two ways to sum one integral


def test_special_tokens_and_the_token_asked_about_are_never_taken_away(likeness):
    assert 0 not in likeness.removable
    assert len(likeness.tokens) - 1 not in likeness.removable
    assert 4 not in intervention(CAT, OutputVector(4)).removable


def test_the_length_of_an_output_vector_is_its_own_norm(minilm):
    asked = intervention(CAT, OutputVector(8))
    with torch.inference_mode():
        out = minilm.network(input_ids=ids_of(minilm, CAT.text)[None])
    assert asked.value == pytest.approx(float(out.last_hidden_state[0, 8].norm()), rel=1e-6)
    gone = asked.without([{2}], "drop")[0]  # the token has moved one place to the left
    ids = ids_of(minilm, CAT.text)
    with torch.inference_mode():
        kept = minilm.network(input_ids=ids[[i for i in range(len(ids)) if i != 2]][None])
    direction = out.last_hidden_state[0, 8] / out.last_hidden_state[0, 8].norm()
    assert gone == pytest.approx(float(kept.last_hidden_state[0, 7] @ direction), abs=1e-5)


def test_the_probability_of_a_masked_word_is_transformers_own(word_model):
    run = Run("the cat sat on the mat", source=Folder(str(word_model)))
    asked = intervention(run, MaskedWord(2))
    tokenizer = transformers.AutoTokenizer.from_pretrained(word_model)
    model = transformers.AutoModelForMaskedLM.from_pretrained(
        word_model, attn_implementation="eager"
    ).eval()
    inputs = tokenizer(run.text, return_tensors="pt")
    word = int(inputs["input_ids"][0, 2])
    inputs["input_ids"][0, 2] = tokenizer.mask_token_id
    with torch.inference_mode():
        chances = model(**inputs).logits[0, 2].softmax(-1)
    assert asked.value == pytest.approx(float(chances[word]), abs=TOLERANCE)
    best = asked.predictions(count=3)
    assert [p for _, p in best] == pytest.approx(chances.topk(3).values.tolist(), abs=TOLERANCE)
    assert best[0][0] == tokenizer.convert_ids_to_tokens(int(chances.argmax()))
    assert (
        intervention(run, MaskedWord(2, "mat")).name == "probability of “mat” at the masked token 2"
    )
    changed = asked.predictions(off=[(0, 0), (1, 1)], count=3)
    assert changed != best


def test_the_score_of_a_class_is_transformers_own(class_model):
    run = Run("the cat sat on the mat", source=Folder(str(class_model)))
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        class_model, attn_implementation="eager"
    ).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(class_model)
    with torch.inference_mode():
        logits = model(**tokenizer(run.text, return_tensors="pt")).logits[0]
    asked = intervention(run, ClassScore())
    assert asked.value == pytest.approx(float(logits.max()), abs=TOLERANCE)
    assert intervention(run, ClassScore(0)).value == pytest.approx(float(logits[0]), abs=TOLERANCE)
    assert [p for _, p in asked.predictions()] == pytest.approx(
        sorted(logits.softmax(-1).tolist(), reverse=True), abs=TOLERANCE
    )


@pytest.mark.parametrize("kind", ["RobertaModel", "DistilBertModel", "ElectraModel"])
def test_other_families_answer_as_a_plain_run_of_theirs_does(kind, tmp_path):
    folder = tiny_model(kind, tmp_path)
    run = Run("the cat sat on the mat", source=Folder(str(folder)))
    asked = intervention(run, Likeness("the dog"))
    loaded = load_model(run.source, silent)
    reference = vector_of(loaded, "the dog")
    ids = ids_of(loaded, run.text)
    changed = ids.clone()
    changed[3] = loaded.tokenizer.mask_token_id
    assert asked.value == pytest.approx(cosine(loaded, ids, reference), abs=TOLERANCE)
    assert asked.without([{3}], "replace")[0] == pytest.approx(
        cosine(loaded, changed, reference), abs=TOLERANCE
    )
    assert asked.heads_off([[(0, 1)]])[0] != pytest.approx(asked.value, abs=1e-9)
    found = asked.integrated_gradients("pad")  # of so rough a model an honest error may be large
    assert found.error == pytest.approx(abs(found.scores.sum() - found.change), abs=1e-5)


@pytest.mark.parametrize(
    ("run", "target", "says"),
    [
        (CAT, MaskedWord(2), "has no head that predicts masked words"),
        (CAT, ClassScore(), "has no head that chooses between classes"),
        (CAT, OutputVector(99), "There is no token 99"),
        (Run("a b", source=Scratch()), Likeness("b"), "predicts nothing"),
        (Run("cat"), OutputVector(1), "no other word in this text"),
    ],
)
def test_a_target_that_a_model_does_not_have_is_refused_in_words(run, target, says):
    with pytest.raises(ExplorerError, match=says):
        intervention(run, target)


def test_a_word_of_several_tokens_and_a_special_token_cannot_be_asked_for(word_model):
    run = Run("the cat sat", source=Folder(str(word_model)))
    with pytest.raises(ExplorerError, match="is not a token of the vocabulary"):
        intervention(run, MaskedWord(2, "zebra fish"))
    with pytest.raises(ExplorerError, match="special tokens stay"):
        intervention(run, MaskedWord(0))


def test_asking_leaves_the_model_as_it_was(likeness):
    network = likeness._loaded.network

    def hooks():  # Transformers leaves some of its own where anything was asked for before
        return [list(m._forward_hooks.values()) for m in network.modules()]

    were, before = hooks(), likeness.without([set()], "replace")
    likeness.heads_off([[(0, 0)]])
    likeness.slopes()
    assert likeness.without([set()], "replace") == before
    assert hooks() == were


@pytest.mark.parametrize(
    "target",
    [
        Likeness("a & b"),
        Likeness("x", first=True),
        MaskedWord(),
        MaskedWord(3),
        MaskedWord(3, "cat"),
        ClassScore(),
        ClassScore(2),
        OutputVector(),
        OutputVector(4),
    ],
)
def test_a_target_comes_back_from_its_link(target):
    assert target_from_query(target_to_query(target)) == target


@pytest.mark.parametrize(
    "query",
    [
        {"target": "magic"},
        {"target": "word", "at": "x"},
        {"target": "word", "at": "-1"},
        {"target": "like", "other": " "},
        {"target": "like", "other": "x" * 2001},
        {"target": "class", "label": "x"},
    ],
)
def test_an_impossible_target_in_a_link_is_refused(query):
    with pytest.raises(ExplorerError):
        target_from_query(query)
