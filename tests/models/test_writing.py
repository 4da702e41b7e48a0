"""What comes next, and texts that are written on: against plain runs of Transformers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers

from explorer.errors import ExplorerError
from explorer.prediction import log_softmax
from explorer.run import Run
from explorer.sampling import Sampling
from explorer.source import Embedded, Folder, Scratch
from explorer.sources import trace_run
from explorer.sources.predicting import predict
from explorer.sources.writing import Writing, remembers
from tests.models.tiny import byte_level, one_mark, tiny_model, tiny_of, tiny_writer
from tests.models.writers import TEXT, ids_of, plain, run_of, save_writer

# Float32 sums, token by token or all at once; measured: 5e-7 of a weight, 2e-6 of a logit.
TOLERANCE = 1e-6
LOGITS = 1e-5
DRAWN = Sampling(1.0, 50, 3)
# Of every kind of attention: with a window, soft cap, sinks, shared keys, q/k norm; and ALiBi,
# whose attention does not come through the tap.
NAMES = ["gpt2", "llama", "qwen3", "gemma2", "gemma3_text", "gpt_oss", "mistral", "bloom"]


@pytest.fixture(scope="module", params=NAMES)
def writer(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param.split()[0])
    return save_writer(request.param, folder), folder


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt2")
    return save_writer("gpt2", folder), folder


def largest(one, other):
    """The largest difference of a weight between two traces."""
    pairs = zip(one.layers, other.layers, strict=True)
    return max(np.abs(a.weights() - b.weights()).max() for a, b in pairs)


def test_a_prediction_is_the_models_own_logits_at_any_position(writer):
    model, folder = writer
    run = run_of(folder)
    wanted = plain(model, run)
    for at in (3, None):
        found = predict(run, at, count=5)
        want = wanted[-1 if at is None else at]
        assert np.abs(found.logits - want).max() <= LOGITS
        order = np.argsort(-found.logits, kind="stable")[:5]
        assert list(found.ids) == order.tolist()
        assert found.probabilities == pytest.approx(np.exp(log_softmax(want))[order], abs=1e-6)
        assert found.position == (len(wanted) - 1 if at is None else at)


def test_what_is_written_token_by_token_has_the_attention_of_the_whole_text(writer):
    _, folder = writer
    writing = Writing(run_of(folder), DRAWN)
    assert remembers(writing._loaded)  # so that a token costs one row
    tokens = list(writing.write(14))  # longer than every window
    whole = trace_run(writing.run)
    grown = writing.trace()
    assert (grown.tokens, grown.texts, grown.n_written) == (whole.tokens, whole.texts, 14)
    assert whole.n_written == 14
    assert largest(grown, whole) <= TOLERANCE
    for token in tokens:
        assert len(token.rows) == len(whole.layers)
        for row in token.rows:
            want = whole.layer(row.number).weights()[:, token.position, : token.position + 1]
            assert np.abs(row.weights - want).max() <= TOLERANCE
    assert np.abs(writing.prediction().logits - predict(writing.run).logits).max() <= LOGITS


def test_the_likeliest_is_written_as_generate_writes_it(gpt2):
    model, folder = gpt2
    writing = Writing(run_of(folder))
    written = [token.id for token in writing.write(12)]
    ids = torch.tensor([ids_of(run_of(folder))])
    wanted = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12
    )
    assert written == wanted[0, ids.shape[1] :].tolist()


def test_each_written_token_says_how_likely_it_was(gpt2):
    model, folder = gpt2
    writing = Writing(run_of(folder), DRAWN)
    for token in writing.write(6):
        before = replace(writing.run, written=writing.run.written[:-1])
        logits = plain(model, before)[-1].astype(float)
        chances = np.exp(log_softmax(logits))
        assert token.probability == pytest.approx(chances[token.id], abs=1e-6)
        assert token.rank == (logits > logits[token.id] + 1e-6).sum()
        top = np.sort(chances)[-50:]
        assert token.drawn_with == pytest.approx(chances[token.id] / top.sum(), abs=1e-5)
        assert token.rank < 50


def test_writing_that_was_stopped_goes_on_as_if_it_had_not_been(gpt2):
    _, folder = gpt2
    whole = Writing(run_of(folder), DRAWN)
    wanted = [token.id for token in whole.write(9)]
    begun = Writing(run_of(folder), DRAWN)
    stream = begun.write(9)
    for _ in range(4):
        next(stream)
    stream.close()  # the reader presses Stop
    assert list(begun.run.written) == wanted[:4]
    again = Writing(begun.run, DRAWN)
    list(again.write(5))
    assert list(again.run.written) == wanted
    assert largest(again.trace(), whole.trace()) <= TOLERANCE


def test_a_token_that_a_reader_chooses_stands_behind_the_text(gpt2):
    _, folder = gpt2
    writing = Writing(run_of(folder))
    found = writing.append(writing.prediction().ids[3])
    assert (found.drawn_with, found.rank) == (None, 3)
    assert writing.trace().n_written == 1
    assert Run.from_query(writing.run.to_query()) == writing.run
    with pytest.raises(ExplorerError, match="has no token 400"):
        writing.append(400)


@pytest.mark.parametrize("second", [None, "die katze"])
@pytest.mark.parametrize("family", ["T5", "Bart"])
def test_encoder_decoders_write_with_all_their_attentions(family, second, tmp_path):
    tiny_writer(family, tmp_path)
    run = Run("the cats sat on the mat.", second, Folder(str(tmp_path)))
    writing = Writing(run, Sampling(1.0, 20, 1))
    list(writing.write(6))
    for part in ("cross", "decoder", "encoder"):
        writing.run = replace(writing.run, part=part)
        grown, whole = writing.trace(), trace_run(writing.run)
        assert largest(grown, whole) <= 2 * TOLERANCE  # their scores are three times as large
        assert (grown.tokens, grown.texts) == (whole.tokens, whole.texts)
        assert grown.n_written == whole.n_written == (0 if part == "encoder" else 6)
    assert np.abs(writing.prediction().logits - predict(writing.run).logits).max() <= LOGITS


# --- ends, and what cannot be -------------------------------------------------------------------


def test_the_mark_of_the_end_ends_what_is_written(tmp_path):
    model = save_writer("gpt2", tmp_path)
    first = predict(run_of(tmp_path)).ids[0]
    settings = transformers.GenerationConfig(eos_token_id=[399, first])
    model.generation_config = settings
    model.save_pretrained(tmp_path)
    writing = Writing(run_of(tmp_path))
    assert list(writing.write(5)) == []
    assert "ended the text here" in writing.ended
    assert writing.run.written == ()
    writing.append(7)  # a reader may go on nevertheless
    assert writing.ended == ""


def test_a_text_that_is_full_says_so_and_keeps_what_was_written(tmp_path):
    save_writer("gpt2", tmp_path, max_position_embeddings=24, n_positions=24)
    writing = Writing(run_of(tmp_path))
    n = len(ids_of(run_of(tmp_path)))
    assert len(list(writing.write(50))) == 24 - n
    assert "no room for another token: it reads at most 24" in writing.ended
    assert writing.trace().n_written == 24 - n
    with pytest.raises(ExplorerError, match="no room for another token"):
        writing.append(5)
    with pytest.raises(ExplorerError, match="no room for another token"):
        Writing(writing.run)


def test_a_part_of_a_character_stands_with_the_rest_of_it(gpt2):
    _, folder = gpt2
    cat = byte_level()("猫", add_special_tokens=False)["input_ids"]
    parts = [i for one in "äß" for i in byte_level()(one, add_special_tokens=False)["input_ids"]]
    trace = trace_run(run_of(folder, written=(*cat, *parts)))
    assert trace.texts == (TEXT + "猫äß",)
    n = len(TEXT)
    spans = [token.span for token in trace.query_tokens[-len(cat) - len(parts) :]]
    assert set(spans[: len(cat)]) == {(n, n + 1)}
    assert set(spans[len(cat) :]) == {(n + 1, n + 2), (n + 2, n + 3)}
    half = trace_run(run_of(folder, written=tuple(parts[:1])))
    assert half.texts == (TEXT + "\N{REPLACEMENT CHARACTER}",)


def test_models_without_a_next_word_say_what_they_have_instead(tmp_path):
    (tmp_path / "class").mkdir()
    (tmp_path / "bare").mkdir()
    tiny_model("SequenceClassification", tmp_path / "class")
    config = transformers.GPT2Config(vocab_size=300, n_embd=16, n_layer=2, n_head=2)
    tiny_of(config, tmp_path / "bare", one_mark())
    for source, words in (
        (Embedded(), "no head that predicts words"),
        (Folder(str(tmp_path / "class")), "chooses between classes and predicts no words"),
        (Folder(str(tmp_path / "bare")), "those of a GPT2Model"),
        (Scratch(), "from-scratch layer predicts no next word"),
    ):
        with pytest.raises(ExplorerError, match=words):
            predict(Run("the cat", source=source))


def test_a_masked_model_is_sent_to_explain(tmp_path):
    run = Run("the cat", source=Folder(str(tiny_model("MaskedLM", tmp_path))))
    with pytest.raises(ExplorerError, match="reads in both directions and fills in words"):
        Writing(run)


def test_a_prediction_that_is_no_number_is_refused(tmp_path):
    model = save_writer("llama", tmp_path, tie_word_embeddings=False)
    with torch.no_grad():
        model.lm_head.weight[5] = torch.nan
    model.save_pretrained(tmp_path)
    with pytest.raises(ExplorerError, match="not a number"):
        predict(run_of(tmp_path))


@pytest.mark.parametrize("tied", [True, False])
def test_a_head_may_be_the_table_of_words_or_one_of_its_own(tied, tmp_path):
    model = save_writer("llama", tmp_path, tie_word_embeddings=tied)
    assert (model.lm_head.weight is model.model.embed_tokens.weight) == tied
    run = run_of(tmp_path)
    assert np.abs(predict(run).logits - plain(model, run)[-1]).max() <= LOGITS


def test_temperature_and_top_k_are_applied(gpt2):
    _, folder = gpt2
    found = predict(run_of(folder), temperature=0.5, top_k=3)
    raw = found.logits.astype(float) / 0.5
    kept = np.argsort(-raw, kind="stable")[:3]
    want = np.exp(raw[kept]) / np.exp(raw[kept]).sum()
    assert found.probabilities == pytest.approx(want)
    assert list(found.ids) == kept.tolist()
    assert found.probability(int(np.argmin(raw))) == 0
