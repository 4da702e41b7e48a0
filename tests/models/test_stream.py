"""The lens and who wrote a word: against hidden states of Transformers, hooks, and sums by hand."""

import numpy as np
import pytest
import torch

from explorer.analysis.attribution import attribution
from explorer.analysis.lens import lens, lens_map
from explorer.errors import ExplorerError
from explorer.prediction import log_softmax
from explorer.run import Run
from explorer.source import Folder
from explorer.sources.predicting import predict
from explorer.sources.stream import Stream
from tests.models.tiny import tiny_writer
from tests.models.writers import ids_of, plain, run_of, save_writer

# Float32 sums of the model against float64 sums of parts. Measured: 9e-7 of logits up to 30.
TOLERANCE = 1e-5
AT = 3
# With norms before and behind their parts, parts side by side, factors, caps, experts, biases, and
# attention that does not come through the tap.
NAMES = ["gpt2", "llama", "qwen3", "gemma2", "gemma3_text", "gpt_oss", "mistral", "gpt_neox"]
NAMES += ["falcon", "bloom", "cohere", "granite", "olmo2", "phi", "opt", "minicpm3", "gemma4_text"]


@pytest.fixture(scope="module", params=NAMES)
def read(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    model = save_writer(request.param, folder)
    return model, run_of(folder), Stream(run_of(folder))


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt2")
    model = save_writer("gpt2", folder)
    return model, run_of(folder), Stream(run_of(folder))


def test_the_lens_reads_each_layers_hidden_state_through_norm_and_table(read):
    model, run, stream = read
    with torch.inference_mode():
        out = model(input_ids=torch.tensor([ids_of(run)]), output_hidden_states=True)
    logits = stream.layer_logits([AT])[:, 0]
    last = predict(run, AT).logits
    assert np.abs(logits[-1] - last).max() <= TOLERANCE * max(1, np.abs(last).max())
    body = model.base_model
    norm = (
        next(getattr(body, n) for n in _NORMS if hasattr(body, n))
        if model.config.model_type != "opt"
        else body.decoder.final_layer_norm
    )
    for hidden, got in zip(out.hidden_states[:-1], logits[:-1], strict=True):
        with torch.inference_mode():
            want = model.get_output_embeddings()(norm(hidden[0, AT]))
        # What follows the table (a cap, a factor) leaves the order as it is.
        raw, order = want.numpy(), np.argsort(-got, kind="stable")
        assert (np.diff(raw[order]) <= TOLERANCE * np.abs(raw).max()).all()
        if type(model).__name__ in ("GPT2LMHeadModel", "LlamaForCausalLM", "Qwen3ForCausalLM"):
            assert np.abs(got - raw).max() <= TOLERANCE * np.abs(raw).max()


_NORMS = ("norm", "ln_f", "final_layer_norm", "final_layernorm")


def test_the_parts_sum_to_the_stream_and_to_the_logit(read):
    model, run, stream = read
    logits = plain(model, run)[AT].astype(float)
    top = np.argsort(-logits)[:2]
    found = stream.at(AT, [int(top[0]), int(top[1])])
    scale = max(1, np.abs(found.stream).max())
    assert np.abs(found.vectors.sum(0) - found.stream).max() <= TOLERANCE * scale
    for other in (None, 1):
        said = attribution(found, 0, other)
        assert said.values.sum() + said.constant + said.rest == pytest.approx(said.logit)
        assert abs(said.rest) <= TOLERANCE
        want = logits[top[0]] - (0 if other is None else logits[top[1]])
        assert said.shown == pytest.approx(want, abs=TOLERANCE * max(1, abs(want)))
    kinds = {part.kind for part in found.parts}
    assert {"head", "mlp"} <= kinds
    assert len(said.heads()) == 16


def test_each_head_gives_what_its_slice_of_the_output_map_does(gpt2):
    model, run, stream = gpt2
    kept = []
    attn = model.transformer.h[2].attn
    hook = attn.c_proj.register_forward_hook(lambda _m, x, _y: kept.append(x[0][0, AT]))
    plain(model, run)
    hook.remove()
    found = stream.at(AT, [5])
    weight = attn.c_proj.weight.detach().double()  # [heads · d, d_model]
    for head in range(4):
        at = next(i for i, p in enumerate(found.parts) if (p.layer, p.head) == (2, head))
        some = slice(8 * head, 8 * head + 8)
        want = kept[0][some].double() @ weight[some]
        assert np.abs(found.vectors[at] - want.numpy()).max() <= 1e-6
    kinds = [part.kind for part in found.parts[:2]]
    assert kinds == ["token", "position"]
    words = model.transformer.wte.weight[ids_of(run)[AT]].detach().numpy()
    assert np.abs(found.vectors[0] - words).max() <= 1e-7


def test_a_head_that_is_removed_by_hand_changes_the_frozen_logit_by_its_part(gpt2):
    """The last norm frozen, the stream without one head, the table of words: all by hand."""
    model, run, stream = gpt2
    token = int(predict(run, AT).ids[0])
    found = stream.at(AT, [token])
    said = attribution(found)
    norm = model.transformer.ln_f
    x = torch.from_numpy(found.stream)
    spread = torch.sqrt(x.var(unbiased=False) + norm.eps)
    weight = model.lm_head.weight[token].detach().double()

    def frozen(vector):
        made = (vector - vector.mean()) / spread * norm.weight.detach() + norm.bias.detach()
        return float(made @ weight)

    for i in (0, 1, 3, 9, len(found.parts) - 1):
        without = x - torch.from_numpy(found.vectors[i])
        assert frozen(x) - frozen(without) == pytest.approx(said.values[i], abs=1e-6)


def test_the_map_has_the_rows_of_the_lens_at_every_position(gpt2):
    _, run, stream = gpt2
    whole = lens_map(stream)
    assert whole.positions == tuple(range(stream.n_tokens))
    one = lens(stream, AT, count=3)
    at = whole.positions.index(AT)
    assert whole.ids[:, at].tolist() == one.ids[:, 0].tolist()
    assert whole.probabilities[:, at] == pytest.approx(one.probabilities[:, 0], abs=1e-7)
    assert [row[at] for row in whole.texts] == [row[0] for row in one.texts]
    assert one.chosen == one.ids[-1, 0]
    assert whole.chosen_probabilities[:, at] == pytest.approx(one.chosen_probabilities, abs=1e-7)
    followed = lens_map(stream, [AT], chosen=7).chosen_probabilities[:, 0]
    want = [np.exp(log_softmax(row)[7]) for row in stream.layer_logits([AT])[:, 0]]
    assert followed == pytest.approx(want, abs=1e-7)
    assert predict(run, AT).probability(7) == pytest.approx(followed[-1], abs=1e-6)


@pytest.mark.parametrize("family", ["T5", "Marian"])
def test_the_stream_of_an_encoder_decoders_decoder(family, tmp_path):
    tiny_writer(family, tmp_path)
    run = Run("the cats sat", "die katze", Folder(str(tmp_path)))
    stream = Stream(run)
    own = predict(run, AT)
    row = lens(stream, AT)
    assert row.ids[-1].tolist() == list(own.ids[:5])
    assert row.probabilities[-1] == pytest.approx(own.probabilities[:5], abs=1e-6)
    if family == "T5":
        found = stream.at(AT, own.ids[:2])
        for other in (None, 1):
            assert abs(attribution(found, 0, other).rest) <= TOLERANCE
    else:  # a norm over both: Marian, BART
        with pytest.raises(ExplorerError, match="does not add to what it reads"):
            stream.at(AT, own.ids[:2])


def test_what_is_not_one_stream_is_refused(tmp_path):
    save_writer("gemma3n_text", tmp_path)
    with pytest.raises(ExplorerError, match="do not hand one stream of vectors on"):
        Stream(run_of(tmp_path))
