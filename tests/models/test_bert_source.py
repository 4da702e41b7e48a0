"""A real BERT as a source: the model's own numbers, tokens that point back, refusals in words."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    ResNetConfig,
    T5Config,
)

import explorer
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Embedded, Folder
from explorer.sources import EXAMPLES, catalogue, loading, stored_trace
from tests.models.tiny import AGAINST_EAGER

CAT = "The cat sat on the mat because it was tired."
SIXTY = (
    "The old lighthouse had not been lit for thirty years. Its keeper, a quiet woman named Ada, "
    "still climbed the stairs every evening, because she liked to watch the ships. One night the "
    "fog came in so fast that the harbour disappeared before she reached the top of the tower."
)
TEXTS = {
    "short": (CAT,),
    "pair": ("Who wrote it?", "She wrote it in 1843."),
    "60 tokens": (SIXTY,),
    "512 tokens": ((SIXTY + " ") * 10,),
    "odd punctuation": ("“Wait”—what?! (no… really): don't; it's 3.5% [sic] <b>$x$</b>",),
    "emoji": ("I ❤️ pizza 🍕 and 👨‍👩‍👧 naïve café ß ﬁ 猫",),
}


@pytest.fixture(scope="session")
def reference():
    """The same files through transformers alone."""
    folder = catalogue.embedded_folder()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True, attn_implementation="eager")
    return tokenizer, model.eval()


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_weights_are_those_of_transformers(reference, texts):
    tokenizer, model = reference
    inputs = tokenizer(*texts, return_tensors="pt", truncation=True, max_length=512)
    with torch.inference_mode():
        want = torch.stack(model(**inputs, output_attentions=True).attentions)[:, 0].numpy()
    trace = explorer.trace(*texts)
    assert trace.weights.dtype == np.float32
    assert trace.weights.shape == want.shape
    assert texts is not TEXTS["512 tokens"] or trace.weights.shape[-1] == 512
    assert np.abs(trace.weights - want).max() <= AGAINST_EAGER


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_spans_point_back_at_the_pasted_characters(reference, texts):
    tokenizer, _ = reference
    for token in explorer.trace(*texts).query_tokens:
        if token.special or token.span is None:
            assert token.special
            continue
        pasted = texts[token.segment][slice(*token.span)]
        assert pasted
        if token.text != "[UNK]":
            # What the tokenizer makes of these characters alone is the token (or its end).
            again = "".join(p.removeprefix("##") for p in tokenizer.tokenize(pasted))
            assert token.text.removeprefix("##") in again


def test_tokens_say_what_they_are():
    tokens = explorer.trace("Lovelace wrote", "it.").query_tokens
    assert [t.text for t in tokens] == [
        "[CLS]",
        "love",
        "##lace",
        "wrote",
        "[SEP]",
        "it",
        ".",
        "[SEP]",
    ]
    assert [t.special for t in tokens] == [True, False, False, False, True, False, False, True]
    assert [t.segment for t in tokens] == [0, 0, 0, 0, 0, 1, 1, 1]
    assert [t.word for t in tokens] == [None, 0, 0, 1, None, 2, 3, None]


def test_a_typed_sep_is_shown_as_the_real_special_token_that_it_becomes():
    typed = explorer.trace("a [SEP] b").query_tokens[2]
    assert (typed.text, typed.special, typed.span) == ("[SEP]", True, (2, 7))


def test_what_does_not_fit_is_cut_and_counted():
    trace = explorer.trace("word " * 700)
    assert len(trace.query_tokens) == 512
    assert trace.n_cut == (700 - 510,)
    assert trace.cut_at(0) == 510 * 5 - 1


def test_of_a_pair_each_texts_cut_is_counted():
    trace = explorer.trace("word " * 400, "other " * 400)
    assert sum(trace.n_cut) == 800 - 509
    assert min(trace.n_cut) > 0


def test_unknown_words_are_marked_with_the_characters_they_stand_for():
    trace = explorer.trace("鰻鱺 ok")
    unknown = [t for t in trace.query_tokens if t.text == trace.model.unknown_token]
    assert [t.span for t in unknown] == [(0, 1), (1, 2)]


def test_a_text_whose_every_character_the_tokenizer_drops_is_refused():
    with pytest.raises(ExplorerError, match="no token in this text"):
        explorer.trace("\N{REPLACEMENT CHARACTER}")


def test_the_same_text_gives_the_same_trace():
    assert np.array_equal(explorer.trace(CAT).weights, explorer.trace(CAT).weights)


def test_the_model_is_loaded_once():
    assert loading.load_model(Embedded(), print) is loading.load_model(Embedded(), print)


def test_the_shipped_first_example_is_what_the_live_model_gives():
    run = EXAMPLES[0].run
    shipped, live = stored_trace(run), explorer.trace(run.text)
    assert shipped.query_tokens == live.query_tokens
    differences = {"passport": None}  # of this processor and of the one that made the file
    assert replace(shipped.model, **differences) == replace(live.model, **differences)
    assert shipped.model.passport.form == live.model.passport.form
    # Another processor may order the sums of a product differently, in six layers one after the
    # other: 1.01e-6 was seen. A shown digit needs 5e-5.
    assert np.abs(shipped.weights - live.weights).max() <= 5e-6
    assert stored_trace(Run("Another text.")) is None


def test_every_example_runs_and_opens_where_something_is():
    for example in EXAMPLES:
        from explorer.sources import trace_run

        trace = trace_run(example.run)
        assert 0 <= example.opening["layer"] < trace.model.n_layers
        assert all(0 <= h < trace.model.n_heads for h in example.opening["heads"])
        assert 0 <= example.opening.get("query", 0) < len(trace.query_tokens)


def test_cls_takes_about_half_of_the_attention_in_the_middle_layers_as_the_guide_says():
    texts = [SIXTY, CAT, *(e.run.text for e in EXAMPLES if e.run.source == Embedded())]
    shares = [explorer.trace(t).weights[1:5, ..., 0].mean() for t in texts]
    assert 0.4 < np.mean(shares) < 0.6


def test_the_first_example_shows_what_it_says():
    """*it* looks at *cat* clearly more than the other words do."""
    trace = stored_trace(EXAMPLES[0].run)
    opening = EXAMPLES[0].opening
    words = [t.text for t in trace.query_tokens]
    weights = trace.weights[opening["layer"], opening["heads"][0]]
    to_cat = weights[:, words.index("cat")]
    assert words[opening["query"]] == "it"
    assert to_cat[words.index("it")] > 3 * np.delete(to_cat, words.index("it")).mean()


# --- models that must not be loaded -------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path):
    """A folder with a tiny random BERT and its tokenizer."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s", "."]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=12,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(tmp_path)
    return tmp_path


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_local_folder_is_a_source(tiny):
    trace = explorer.trace("The cats.", source=f"path:{tiny}")
    assert [t.text for t in trace.query_tokens] == ["[CLS]", "the", "cat", "##s", ".", "[SEP]"]
    model = BertModel.from_pretrained(tiny, attn_implementation="eager").eval()
    with torch.inference_mode():
        want = model(torch.tensor([[2, 5, 6, 7, 8, 3]]), output_attentions=True).attentions
    assert np.abs(trace.weights - torch.cat(want).numpy()).max() <= AGAINST_EAGER


def test_a_models_own_limit_is_kept(tiny):
    trace = explorer.trace("cat " * 30, source=f"path:{tiny}")
    assert len(trace.query_tokens) == 12
    assert trace.n_cut == (20,)


def test_attention_is_there_even_if_the_config_asks_for_a_kernel_without(tiny):
    change_config(tiny, _attn_implementation="sdpa")
    assert explorer.trace("The cat.", source=f"path:{tiny}").weights.shape[0] == 2


def pickle_only(folder):
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def index_names(name):
    def spoil(folder):
        (folder / "model.safetensors").unlink()
        index = {"metadata": {}, "weight_map": {"embeddings.x": name}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    return spoil


def cut_short(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def other_config(config):
    return lambda folder: config.save_pretrained(folder)


def remote_code(folder):
    change_config(folder, model_type="own", auto_map={"AutoConfig": "evil.Config"})
    (folder / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\nclass Config: pass\n")


SPOILED = {
    "no config": (lambda f: (f / "config.json").unlink(), "no config.json"),
    "config is no JSON": (lambda f: (f / "config.json").write_text("{"), "damaged"),
    "pickle only": (pickle_only, "no safetensors"),
    "index names a pickle": (index_names("pytorch_model.bin"), "unsafe list"),
    "index leaves the folder": (index_names("../../x.safetensors"), "unsafe list"),
    "cut short": (cut_short, "damaged"),
    "remote code": (remote_code, "does not know"),
    "no tokenizer": (lambda f: (f / "vocab.txt").unlink(), "no tokenizer files"),
    "weights of another shape": (lambda f: change_config(f, hidden_size=32), "lacks|do not fit"),
    "more layers than weights": (lambda f: change_config(f, num_hidden_layers=3), "random"),
    "a million layers": (lambda f: change_config(f, num_hidden_layers=10**6), "at most 48"),
    "a huge width": (lambda f: change_config(f, hidden_size=600_000), "at most 8,192"),
    "the config of another model": (other_config(T5Config(num_layers=1)), "do not fit"),
    "a billion labels": (lambda f: change_config(f, num_labels=10**9), "at most 100,000"),
    "a number beyond all": (lambda f: change_config(f, whatever=[{"x": 10**13}]), "at most"),
    "a config as deep as a well": (
        lambda f: (f / "config.json").write_text("[" * 10**5),
        "damaged",
    ),
    "a vast vocabulary": (lambda f: change_config(f, vocab_size=1_900_000), "do not fit"),
    "a picture model": (other_config(ResNetConfig()), "has no attention: it sees by convolutions"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILED.values(), ids=SPOILED)
def test_a_folder_that_is_no_safe_model_is_refused_in_words(tiny, spoil, words):
    spoil(tiny)
    with pytest.raises(ExplorerError, match=words):
        explorer.trace("The cat.", source=f"path:{tiny}")
    assert not (tiny / "ran").exists(), "a model's own code was run"


def test_configurations_that_ask_for_the_moon_are_refused_without_taking_memory(tiny):
    import psutil

    process = psutil.Process()
    config = (tiny / "config.json").read_text()
    explorer.trace("The cat.", source=f"path:{tiny}")  # what is loaded once is not counted
    before = process.memory_info().rss
    for bomb in (
        {"num_hidden_layers": 10**6},
        {"hidden_size": 600_000},
        {"num_labels": 10**9},
        {"vocab_size": 1_900_000, "hidden_size": 8192},
        {"max_position_embeddings": 2_000_000, "hidden_size": 8192},
    ):
        (tiny / "config.json").write_text(config)
        change_config(tiny, **bomb)
        loading._loaded.pop(Folder(str(tiny)), None)
        with pytest.raises(ExplorerError):
            explorer.trace("The cat.", source=f"path:{tiny}")
    assert process.memory_info().rss - before < 50e6


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(ExplorerError, match="no folder “/nowhere/at/all”"):
        explorer.trace("x", source="path:/nowhere/at/all")


def test_nan_weights_are_refused(tiny):
    model = BertModel.from_pretrained(tiny)
    with torch.no_grad():
        model.encoder.layer[0].attention.self.query.weight.fill_(float("nan"))
    model.save_pretrained(tiny)
    with pytest.raises(ExplorerError, match="not numbers"):
        explorer.trace("The cat.", source=f"path:{tiny}")


def test_an_exchanged_embedded_model_is_refused(tmp_path):
    fake = tmp_path / "model.safetensors"
    fake.write_bytes(b"something else")
    with pytest.raises(ExplorerError, match=hashlib.sha256(b"something else").hexdigest()[:12]):
        catalogue.check_weights(fake)


def test_without_the_package_the_same_model_is_asked_of_the_hub(monkeypatch, tmp_path):
    asked = []

    def hub(source, progress):
        asked.append(source.name)
        copy = tmp_path / "copy"
        shutil.copytree(catalogue.embedded_folder(), copy)
        return copy

    monkeypatch.setattr(loading, "embedded_folder", lambda: None)
    monkeypatch.setattr(loading, "hub_folder", hub)
    folder, name = loading._find(Embedded(), print)
    assert asked == ["sentence-transformers/all-MiniLM-L6-v2"]
    assert name == "all-MiniLM-L6-v2"
    shutil.rmtree(folder)
    monkeypatch.setattr(catalogue, "_SHA256", "0" * 64)
    with pytest.raises(ExplorerError, match="damaged or was exchanged"):
        loading._find(Embedded(), print)
