"""From Python: what is in memory is read as it is and left as it was; wrong calls are told so.

Tolerance 1e-6: the same float32 operations, called in another order.
"""

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import explorer
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import InMemory
from explorer.sources.intervention import intervention
from explorer.target import Likeness
from tests.models.test_tokens import translator
from tests.models.tiny import READ, byte_level, drawing, tiny_model, tiny_vision, tiny_writer
from tests.models.writers import save_talker

IDS = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
SIZES = IDS | {
    "vocab_size": 300,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 700,
    "initializer_range": 0.2,
}
MADE = {  # a family through the tap, one beside it, and heads of several kinds
    "BertForMaskedLM": SIZES,
    "LlamaForCausalLM": SIZES,
    "RobertaForSequenceClassification": SIZES,
    "MPNetModel": SIZES,
    "BloomForCausalLM": {"vocab_size": 300, "hidden_size": 16, "n_layer": 2, "n_head": 2} | IDS,
    "ProphetNetModel": {"vocab_size": 300, "hidden_size": 16, "num_encoder_layers": 1} | IDS,
}
SHOWN = [name for name in MADE if name != "ProphetNetModel"]


@pytest.fixture(scope="module")
def tokenizer():
    return byte_level()


def made(name="BertForMaskedLM", **options):
    torch.manual_seed(0)
    maker = getattr(transformers, name)
    return maker(maker.config_class(**MADE.get(name, SIZES) | options))


def state_of(model):
    """Everything that a run could leave behind in a model."""
    return (
        [module.training for module in model.modules()],
        [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
        [(id(p), p.dtype, p.device, p.requires_grad, p.sum().item()) for p in model.parameters()],
        model.config._attn_implementation,
        json.dumps(model.config.to_dict(), default=str),
    )


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("name", SHOWN)
def test_a_model_in_memory_is_shown_as_it_is_and_left_as_it_was(name, implementation, tokenizer):
    model = made(name).train()
    if model._can_set_attn_implementation():
        model.set_attn_implementation(implementation)
    seen = []
    model.base_model.register_forward_hook(lambda *_: seen.append(1))
    before = state_of(model)
    trace = explorer.trace(*READ[:1], model=model, tokenizer=tokenizer)
    assert state_of(model) == before
    assert seen, "a hook of one's own is called as ever"

    model.eval()
    if model._can_set_attn_implementation():
        model.set_attn_implementation("eager")
    with torch.inference_mode():
        inputs = tokenizer(READ[0], return_tensors="pt", return_token_type_ids=False)
        want = model.base_model(**inputs, output_attentions=True).attentions
    assert np.abs(trace.weights - torch.cat(want).numpy()).max() <= 1e-6
    assert trace.model.name == name
    assert trace.model.passport is not None


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["BertForMaskedLM", "BloomForCausalLM"])
def test_a_model_in_half_precision_is_read_in_it(name, dtype, tokenizer):
    model = made(name).to(dtype)
    trace = explorer.trace(READ[0], model=model, tokenizer=tokenizer)
    assert model.dtype == dtype
    assert np.abs(trace.weights.sum(-1) - 1).max() < 1e-5
    whole = explorer.trace(READ[0], model=model.float(), tokenizer=tokenizer)
    # The weights of a model were rounded to half precision before both: what is off is its steps.
    assert 0 < np.abs(trace.weights - whole.weights).max() < 0.01


def test_a_text_may_be_as_long_as_the_model_reads_and_no_longer(tokenizer):
    text = "the cats " * 400
    trace = explorer.trace(text, model=made(), tokenizer=tokenizer)
    assert len(trace.query_tokens) == 700
    assert trace.n_cut[0] > 0
    assert trace.model.max_tokens == 700


def test_a_text_longer_than_pages_take_is_read_from_python(tokenizer):
    text = "the cats " * 30_000
    with pytest.raises(ExplorerError, match="at most 200,000 can be read"):
        explorer.trace(text)
    trace = explorer.trace(text, model=made(), tokenizer=tokenizer)
    assert len(trace.query_tokens) == 700


def test_an_encoder_decoder_in_memory_shows_its_parts(tmp_path):
    tokenizer = tiny_writer("Bart", tmp_path)
    model = transformers.BartForConditionalGeneration.from_pretrained(tmp_path)
    trace = explorer.trace(*READ, model=model, tokenizer=tokenizer)
    saved = explorer.trace(*READ, source=f"path:{tmp_path}")
    assert np.array_equal(trace.weights, saved.weights)
    assert trace.query_tokens == saved.query_tokens


def test_a_picture_is_read_by_a_model_in_memory(tmp_path):
    processor = tiny_vision("ViT", tmp_path)
    model = transformers.ViTModel.from_pretrained(tmp_path)
    drawing().save(tmp_path / "cat.png")
    trace = explorer.trace(picture=tmp_path / "cat.png", model=model, processor=processor)
    saved = explorer.trace(picture=tmp_path / "cat.png", source=f"path:{tmp_path}")
    assert np.array_equal(trace.weights, saved.weights)
    half = explorer.trace(picture=tmp_path / "cat.png", model=model.half(), processor=processor)
    assert 0 < np.abs(half.weights - saved.weights).max() < 0.01
    with pytest.raises(ExplorerError, match="looks at pictures: give picture= and"):
        explorer.trace("A cat.", model=model, tokenizer=byte_level())


def test_a_model_of_texts_and_pictures_reads_whichever_is_given(tmp_path, tokenizer):
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    config = transformers.CLIPConfig(
        text_config=sizes | IDS | {"vocab_size": 300, "num_hidden_layers": 2},
        vision_config=sizes | {"num_hidden_layers": 3, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    model = transformers.CLIPModel(config)
    before = state_of(model)
    square = {"height": 32, "width": 32}
    pictures = transformers.CLIPImageProcessorPil(size=square, crop_size=square)
    both = transformers.CLIPProcessor(pictures, tokenizer)
    drawing().save(tmp_path / "cat.png")
    for given in ({"tokenizer": tokenizer, "processor": pictures}, {"processor": both}):
        assert explorer.trace("the mat", model=model, **given).model.n_layers == 2
        picture = explorer.trace(picture=tmp_path / "cat.png", model=model, **given)
        assert len(picture.query_tokens) == 17
        assert picture.model.n_layers == 3
    with pytest.raises(ExplorerError, match="reads text, and there is no tokenizer"):
        explorer.trace("the mat", model=model, processor=pictures)
    assert state_of(model) == before


def test_a_hybrid_in_memory_keeps_the_numbers_of_its_layers(tokenizer):
    model = made("Lfm2ForCausalLM", num_key_value_heads=2, layer_types=["conv", "full_attention"])
    trace = explorer.trace("the mat", model=model, tokenizer=tokenizer)
    assert trace.numbers == (1,)
    assert trace.show(layer=1).opening == {"layer": "1", "heads": "0"}


def test_a_model_that_looks_at_blocks_looks_at_all_tokens_here_and_at_blocks_after(tokenizer):
    model = made("BigBirdModel", attention_type="block_sparse", max_position_embeddings=1000)
    before, drawn = state_of(model), torch.get_rng_state()
    trace = explorer.trace("the mat", model=model, tokenizer=tokenizer)
    assert trace.rows(0, 0).shape == (len(trace.query_tokens),) * 2
    assert state_of(model) == before
    assert torch.equal(torch.get_rng_state(), drawn)
    assert type(model.encoder.layer[0].attention.self).__name__ == "BigBirdBlockSparseAttention"


def test_pegasus_that_looks_at_blocks_looks_at_all_tokens_here(tmp_path):
    tokenizer = tiny_writer("Bart", tmp_path)
    options = {"attention_type": "block_sparse", "block_size": 4, "num_random_blocks": 1}
    model = made("BigBirdPegasusForConditionalGeneration", **WRITES | options)
    before = state_of(model), torch.get_rng_state()
    for part in ("encoder", "decoder", "cross"):
        trace = explorer.trace(*READ, model=model, tokenizer=tokenizer, part=part)
        assert trace.rows(0, 0).shape == (len(trace.query_tokens), len(trace.key_tokens))
    assert state_of(model) == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    layer = model.model.encoder.layers[0].self_attn.self
    assert type(layer).__name__ == "BigBirdPegasusBlockSparseAttention"


DECODES = {"is_decoder": True, "add_cross_attention": True}
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
WRITES = IDS | {
    "vocab_size": 300,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "decoder_start_token_id": 0,
}
SWIN = {"image_size": 32, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4}
NOT_SHOWN = {
    "MambaForCausalLM": ({**SMALL, "state_size": 4}, "has no attention: it mixes its tokens"),
    "SwinModel": (SWIN, "looks at a picture window by window"),
    "VideoMAEModel": ({**SMALL, "image_size": 32}, "reads videos: several pictures at a time"),
    "ViltModel": (SMALL, "reads a text only with a picture, and both at once cannot be given"),
    "ASTModel": (SMALL, "reads sound: it needs a recording"),
    "WhisperForConditionalGeneration": (WRITES | {"pad_token_id": 1}, "reads sound: it needs a"),
    "SqueezeBertModel": (SMALL | {"embedding_size": 16}, "hands out scores in Transformers"),
}


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_a_model_in_memory_that_cannot_be_shown_is_told_why_whatever_it_is_given(
    name, tokenizer, tmp_path
):
    options, words = NOT_SHOWN[name]
    maker = getattr(transformers, name)
    if name == "SqueezeBertModel":
        parts = ("q", "k", "v", "post_attention", "intermediate", "output")
        options = options | {f"{part}_groups": 1 for part in parts}
    with torch.device("meta"):
        model = maker(maker.config_class(**options))
    model = model.to_empty(device="cpu")
    drawing().save(tmp_path / "cat.png")
    pictures = transformers.ViTImageProcessorPil()
    for given in (
        {"text": "the mat", "tokenizer": tokenizer},
        {"picture": tmp_path / "cat.png", "processor": pictures},
        {"picture": tmp_path / "cat.png", "processor": pictures, "tokenizer": tokenizer},
    ):
        with pytest.raises(ExplorerError, match=f"model, which {words}"):
            explorer.trace(model=model, **given)


def test_scores_that_a_model_hands_out_for_weights_are_told_from_them(tmp_path):
    tokenizer = tiny_writer("Bart", tmp_path)
    sizes = {"num_decoder_layers": 1, "decoder_start_token_id": 0}
    heads = {"num_encoder_attention_heads": 2, "num_decoder_attention_heads": 2}
    model = made("ProphetNetModel", **sizes, **heads, encoder_ffn_dim=16, decoder_ffn_dim=16)
    with pytest.raises(ExplorerError, match="ProphetNetModel hands out scores in Transformers"):
        explorer.trace(*READ, model=model, tokenizer=tokenizer, part="encoder")


def test_a_masked_autoencoder_in_memory_reads_every_patch(tmp_path):
    sizes = {**SMALL, "intermediate_size": 16, "image_size": 32, "patch_size": 8}
    decoder = {f"decoder_{name}": n for name, n in sizes.items() if name in (*SMALL, "inter")}
    model = made("ViTMAEForPreTraining", **sizes | decoder, decoder_intermediate_size=16)
    before, drawn = state_of(model), torch.get_rng_state()
    drawing().save(tmp_path / "cat.png")
    pictures = transformers.ViTImageProcessorPil(size={"height": 32, "width": 32})
    trace = explorer.trace(picture=tmp_path / "cat.png", model=model, processor=pictures)
    assert len(trace.query_tokens) == 17
    assert "here it reads all of them" in trace.model.notes[0]
    assert state_of(model) == before
    assert torch.equal(torch.get_rng_state(), drawn)


def test_a_model_that_is_set_to_return_other_things_returns_its_attention(tmp_path, tokenizer):
    for name in ("BertForMaskedLM", "BloomForCausalLM"):
        model = made(name, return_dict=False)
        trace = explorer.trace(READ[0], model=model, tokenizer=tokenizer)
        same = explorer.trace(READ[0], model=made(name), tokenizer=tokenizer)
        assert np.array_equal(trace.weights, same.weights)
        assert model.config.return_dict is False
    tokenizer = tiny_writer("Bart", tmp_path)
    plain = transformers.BartForConditionalGeneration.from_pretrained(tmp_path)
    model = transformers.BartForConditionalGeneration.from_pretrained(tmp_path)
    model.config.return_dict = False
    for said in ("return_dict_in_generate", "output_scores", "output_attentions"):
        setattr(model.generation_config, said, True)
    trace, same = (explorer.trace(READ[0], model=m, tokenizer=tokenizer) for m in (model, plain))
    assert trace.texts == same.texts
    assert np.array_equal(trace.weights, same.weights)


@pytest.mark.parametrize("name", ["Bart", "Pegasus", "Blenderbot", "PLBart"])
def test_a_decoder_with_more_layers_than_its_encoder_is_shown(name, tokenizer):
    model = made(f"{name}ForCausalLM", **WRITES)
    trace = explorer.trace(READ[0], model=model, tokenizer=tokenizer)
    assert trace.numbers == (0, 1, 2)
    inputs = tokenizer(READ[0], return_tensors="pt", return_token_type_ids=False)
    model.eval().set_attn_implementation("eager")
    with torch.inference_mode():
        want = model(**inputs, output_attentions=True, use_cache=False).attentions
    assert np.abs(trace.weights - torch.cat(want).numpy()).max() <= 1e-6


def test_a_layer_that_serves_twice_is_shown_twice(tokenizer):
    model = made("LlamaForCausalLM")
    model.model.layers[1] = model.model.layers[0]
    trace = explorer.trace(READ[0], model=model, tokenizer=tokenizer)
    model.eval().set_attn_implementation("eager")
    inputs = tokenizer(READ[0], return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        want = model(**inputs, output_attentions=True, use_cache=False).attentions
    assert np.abs(trace.weights - torch.cat(want).numpy()).max() <= 1e-6


def test_an_encoder_beside_the_tap_is_shown_before_a_decoder_that_goes_by_it(tmp_path):
    tokenizer = tiny_writer("Bart", tmp_path)
    model = transformers.EncoderDecoderModel(
        encoder=made("DebertaV2Model"), decoder=made("BertLMHeadModel", **DECODES)
    )
    model.config.decoder_start_token_id = 0
    ways = {}
    for part in ("encoder", "decoder", "cross"):
        trace = explorer.trace(*READ, model=model, tokenizer=tokenizer, part=part)
        ways[part] = trace.model.passport.form
        assert trace.layers
    assert ways == {"encoder": "weights", "decoder": "scores", "cross": "scores"}
    trace = explorer.trace(*READ, model=model, tokenizer=tokenizer, part="encoder")
    ids = tokenizer(READ[0], return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        want = model.eval().encoder(ids, output_attentions=True).attentions
    assert np.abs(trace.weights - torch.cat(want).numpy()).max() <= 1e-6


def test_a_slow_tokenizer_reads_for_a_model_in_memory(tmp_path):
    tokenizer = tiny_writer("Marian", tmp_path)
    assert not tokenizer.is_fast
    model = transformers.MarianMTModel.from_pretrained(tmp_path)
    assert explorer.trace("the cat sat", model=model, tokenizer=tokenizer, part="encoder").layers


class Around:
    """What somebody has wrapped round a tokenizer, as a processor or of their own."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer


HANDED = {
    "a tokenizer": lambda t: {"tokenizer": t},
    "a tokenizer in another": lambda t: {"tokenizer": Around(t)},
    "a processor": lambda t: {"processor": Around(t)},
}


@pytest.mark.parametrize("handed", HANDED.values(), ids=HANDED)
def test_a_fast_tokenizer_is_left_as_it_was_whatever_it_came_in(handed, tokenizer):
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(5)
    backend.enable_padding(pad_id=1, pad_token="<pad>", length=9)
    before = (backend.truncation, backend.padding)
    try:
        trace = explorer.trace("the cats " * 400, model=made(), **handed(tokenizer))
        assert len(trace.query_tokens) == 700
        assert (backend.truncation, backend.padding) == before
    finally:
        backend.no_truncation()
        backend.no_padding()


def test_a_compiled_model_is_the_model_in_it(tokenizer):
    model = made()
    wrapped = torch.nn.DataParallel(model)
    one, other = (explorer.trace(READ[0], model=m, tokenizer=tokenizer) for m in (model, wrapped))
    assert np.array_equal(one.weights, other.weights)


def test_a_failing_model_leaves_the_callers_as_it_was(tokenizer):
    model = made().train()

    def fails(*_):
        raise ValueError("no such luck")

    model.bert.encoder.register_forward_hook(fails)
    before = state_of(model)
    with pytest.raises(ExplorerError, match="failed while it was reading this: “no such luck”"):
        explorer.trace(READ[0], model=model, tokenizer=tokenizer)
    assert state_of(model) == before


def test_what_explains_a_prediction_takes_a_model_in_memory(tokenizer):
    source = InMemory(made(), tokenizer)
    asked = intervention(Run("the cats naïve", source=source), Likeness("the mat"))
    assert np.isfinite(asked.value)


def test_several_texts_are_read_by_one_model_in_order(tokenizer):
    told = []
    texts = [READ[0], (READ[0], READ[1]), READ[1]]
    found = explorer.traces(
        texts, model=made(), tokenizer=tokenizer, progress=lambda *n: told.append(n)
    )
    assert [trace.texts for trace in found] == [READ[:1], READ, READ[1:]]
    assert told == [(1, 3), (2, 3), (3, 3)]
    alone = explorer.trace(READ[1], model=made(), tokenizer=tokenizer)
    assert np.array_equal(found[2].weights, alone.weights)


def test_progress_is_printed_where_it_is_wanted(capsys, tokenizer):
    explorer.traces(READ, model=made(), tokenizer=tokenizer, progress=True)
    assert capsys.readouterr().err.endswith("2 of 2 texts\n")


def test_a_text_that_cannot_be_read_is_named_before_any_is_run(tokenizer):
    told = []
    with pytest.raises(ExplorerError, match=r"Text 2 of 3 \(“ ”\): There is no text to read"):
        explorer.traces(
            ["the mat", " ", "x"],
            model=made(),
            tokenizer=tokenizer,
            progress=lambda *n: told.append(n),
        )
    assert not told


TENSOR = torch.eye(3)[None, None]
WRONG = {
    "a name as a model": ({"model": "bert-base-uncased"}, "it must be a model in memory"),
    "another module": ({"model": torch.nn.Linear(2, 2)}, "of the type Linear; it must be a model"),
    "a list of modules": ({"model": torch.nn.Sequential()}, "Of a SentenceTransformer give"),
    "no tokenizer": ({"model": "made"}, "reads text, and there is no tokenizer"),
    "a name as a tokenizer": ({"model": "made", "tokenizer": "bert"}, "tokenizer= is of the type"),
    "a tokenizer alone": ({"tokenizer": "made"}, "give model= too"),
    "two models": ({"model": "made", "source": "scratch"}, "There are two models"),
    "a model as a source": ({"source": TENSOR}, "A model in memory is model="),
    "an option of another source": ({"model": "made", "seed": 1}, "takes no option “seed”"),
    "no picture": ({"picture": "nowhere.png"}, "“nowhere.png” cannot be read"),
}


@pytest.mark.parametrize(("given", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_told_what_is_wrong_and_what_to_give(given, words, tokenizer):
    ready = {"model": made, "tokenizer": lambda: tokenizer}
    given = {n: ready[n]() if isinstance(v, str) and v == "made" else v for n, v in given.items()}
    with pytest.raises(ExplorerError, match=words):
        explorer.trace("the mat", **given)


def test_a_text_of_another_type_is_told_so():
    with pytest.raises(ExplorerError, match=r"type list; it must be a str\. Several texts are"):
        explorer.trace(["a", "b"])
    with pytest.raises(ExplorerError, match="These texts are one text: give a list"):
        explorer.traces("a b")
    with pytest.raises(ExplorerError, match="The texts are a set, which has no order"):
        explorer.traces({"a", "b"})
    with pytest.raises(ExplorerError, match=r"Text 1 of 1 \(“7”\): It is neither a text nor two"):
        explorer.traces([7])


def test_a_model_without_numbers_is_told_so(tokenizer):
    with torch.device("meta"):
        empty = made()
    with pytest.raises(ExplorerError, match="on the device “meta”"):
        explorer.trace("the mat", model=empty, tokenizer=tokenizer)


README = Path(__file__).parents[2] / "README.md"


def code_of_readme():
    """What stands in the README under "From Python" as code."""
    section = README.read_text("utf-8").split("## From Python\n")[1].split("\n## ")[0]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    return "\n".join(line for line in lines if not line.startswith("python -m "))


def test_every_line_of_the_readme_for_python_runs(tmp_path, tokenizer, monkeypatch):
    folders = {name: tmp_path / name for name in ("bert", "t5", "vit", "talker")}
    for folder in folders.values():
        folder.mkdir()
    tiny_model("Model", folders["bert"])
    tiny_writer("T5", folders["t5"])
    save_talker(folders["talker"])
    processor = tiny_vision("ViT", folders["vit"])
    drawing().save(tmp_path / "cat.jpg")
    monkeypatch.chdir(tmp_path)
    code = code_of_readme().replace('task="reverse"', 'task="reverse", steps=10')
    # Languages are test_tokens.py's: a tokenizer that knows any takes seconds to be made.
    code, n_left_out = re.subn(r"trace = [^=]*=.hf:facebook/m2m100_418M[^)]*\)", "", code)
    assert n_left_out == 1
    for name, folder in {
        "hf:google-bert/bert-base-uncased": "bert",
        "path:/models/my-bert": "bert",
        "hf:google-t5/t5-small": "t5",
        "hf:google/vit-base-patch16-224": "vit",
        "hf:HuggingFaceTB/SmolLM2-135M-Instruct": "talker",
    }.items():
        assert name in code
        code = code.replace(name, f"path:{folders[folder]}")
    ready = {
        "model": made("BertForMaskedLM", attn_implementation="eager").eval(),
        "tokenizer": tokenizer,
        "vit": transformers.ViTModel.from_pretrained(folders["vit"]),
        "processor": processor,
        "bert": made("BertModel", num_hidden_layers=4),
        "weights": torch.full((2, 3, 3, 3), 1 / 3),
    }
    exec(code, ready)
    assert (tmp_path / "attention.html").stat().st_size > 100_000
    assert ready["trace"].query_tokens


# --- weights at hand ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outputs(tokenizer):
    model = made("BertForMaskedLM", attn_implementation="eager").eval()
    inputs = tokenizer(READ[0], return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        return inputs, model(**inputs, output_attentions=True, output_hidden_states=True)


def attentions_of(outputs):
    return torch.cat(outputs[1].attentions)


SHAPES = {
    "a list of layers with a batch": lambda o: list(o[1].attentions),
    "a tuple of layers": lambda o: tuple(a[0] for a in o[1].attentions),
    "arrays of numpy": lambda o: [a[0].numpy() for a in o[1].attentions],
    "one tensor": attentions_of,
    "stacked": lambda o: torch.stack(o[1].attentions),
    "a batch before the layers": lambda o: attentions_of(o)[None],
    "in a graph": lambda o: attentions_of(o).clone().requires_grad_() * 1,
    "double": lambda o: attentions_of(o).double(),
    "plain lists": lambda o: attentions_of(o).tolist(),
    "sparse": lambda o: attentions_of(o).to_sparse(),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_weights_at_hand_are_shown_whatever_they_came_in(shape, outputs):
    shown = explorer.show(shape(outputs), outputs[0])
    assert np.array_equal(shown.trace.weights, attentions_of(outputs).numpy())
    assert [t.text for t in shown.trace.query_tokens] == outputs[0].tokens()
    batch = any("a batch of one text: this is" in note for note in shown.trace.model.notes)
    assert batch == (shape in [SHAPES[n] for n in SHAPES if "batch" in n or n == "stacked"])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rows_that_rounding_has_changed_are_divided_by_their_sums_and_that_is_said(dtype, outputs):
    rounded = attentions_of(outputs).to(dtype)
    trace = explorer.show(rounded).trace
    want = rounded.double() / rounded.double().sum(-1, keepdim=True)
    assert np.abs(trace.weights - want.numpy()).max() < 1e-7
    name = str(dtype).removeprefix("torch.")
    assert re.search(rf"off by up to 0\.00.*as those of {name} are by rounding", *trace.model.notes)


def test_one_layer_and_one_head_are_shown(outputs):
    weights = attentions_of(outputs)
    layer = explorer.show(weights[1]).trace
    assert np.array_equal(layer.weights, weights[1:].numpy())
    assert "shown as the heads of one layer" in layer.model.notes[0]
    head = explorer.show(weights[1, 0]).trace
    assert np.array_equal(head.weights[0, 0], weights[1, 0].numpy())
    assert [t.text for t in head.query_tokens[:2]] == ["0", "1"]


def test_layers_without_attention_keep_their_numbers_free(outputs):
    first, second = outputs[1].attentions
    assert explorer.show([None, first, None, second]).trace.numbers == (1, 3)


def test_keys_may_have_names_of_their_own():
    weights = torch.full((1, 1, 2, 3), 1 / 3)
    trace = explorer.show(weights, ["x", "y"], ["a", "b", "c"]).trace
    assert [t.text for t in trace.query_tokens] == ["x", "y"]
    assert [t.text for t in trace.key_tokens] == ["a", "b", "c"]


EYE = torch.eye(4).expand(2, 3, 4, 4)
REFUSED = {
    "a list of batches": ([EYE, EYE], "[2, 3, 4, 4], a batch of 2 texts. Choose one: [layer[0]"),
    "a batch": (EYE[None].expand(5, 2, 3, 4, 4), "weights[:, 0] is the first, if the second"),
    "seven numbers": (EYE[None, None, None], "Here: weights[0, 0, 0]"),
    "what generate returns": ([[EYE]], "a list of lists of tensors, as generate() returns"),
    "no attention": ((), "models with fast attention kernels return none"),
    "none of any layer": ([None], "models with fast attention kernels return none"),
    "layers of two sizes": ([EYE[0], EYE[0, :2]], "shapes, such as [2, 4, 4] and [3, 4, 4]"),
    "nothing": (None, "of the type NoneType, which cannot be read as numbers"),
    "a text": ("weights", "of the type str, which cannot be read as numbers"),
    "a dictionary": ({"a": EYE}, "all outputs of a model; give its attention alone"),
    "scores": (5 * EYE, "from before the softmax? Or weights of a model in training"),
    "negative scores": (-EYE, "give torch.softmax(scores, dim=-1)"),
    "turned round": (torch.softmax(torch.arange(16.0).reshape(4, 4).sin(), 0), "swapaxes(-1, -2)"),
    "heads at the end": (
        torch.softmax(torch.rand(2, 4, 4, 3), 2),
        "torch.moveaxis(weights, -1, -3)",
    ),
    "rows with sinks": (EYE * 0.5, "the model has attention sinks"),
    "truth values": (EYE > 0, "holds bool; it must hold numbers"),
}


@pytest.mark.parametrize(("weights", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_attention_is_told_what_it_is_and_what_to_give(weights, words):
    with pytest.raises(ExplorerError, match=re.escape(words)):
        explorer.show(weights)


CAME = {
    "an array": lambda w: w.numpy(),
    "a tensor": lambda w: w,
    "a batch of one": lambda w: w[:, None],
    "the heads of a layer": lambda w: w[0],
    "one head": lambda w: w[0, 0],
    "a list of layers": list,
    "a list of batches of one": lambda w: [layer[None].numpy() for layer in w],
    "a list with a gap": lambda w: [None, *w],
    "plain lists": lambda w: w.tolist(),
}
LOST = {"the end": [3, 4], "the beginning": [0], "one between": [2], "some between": [0, 2, 4]}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
@pytest.mark.parametrize("came", CAME.values(), ids=CAME)
def test_the_way_to_cut_rows_of_padding_works_for_weights_in_any_shape(came, lost):
    real = [i for i in range(5) if i not in lost]
    weights = torch.zeros(2, 3, 5, 5)
    weights[:, :, :, real] = torch.softmax(torch.rand(2, 3, 5, len(real)), -1)
    want = explorer.show(came(weights[:, :, real][..., real])).trace.weights
    weights[:, :, lost] = torch.nan
    with pytest.raises(ExplorerError, match="a mask left these queries no key") as refused:
        explorer.show(came(weights))
    way = re.search(
        r"(?:Cut them off: |all positions but [^,]*(?:, \d+)*(?: and \d+)?, )(.+?)"
        r",? and (?:their|tokens)",
        str(refused.value),
    )[1]
    found = eval(way, {"weights": came(weights), "real": real, "numpy": np, "torch": torch})
    assert np.array_equal(explorer.show(found).trace.weights, want)


def test_of_attention_on_another_text_the_queries_alone_are_cut():
    weights = torch.full((2, 3, 4, 5), 0.2)
    weights[:, :, 3] = torch.nan
    cut = re.escape("Cut them off: weights[..., :3, :] and the query tokens[:3].")
    with pytest.raises(ExplorerError, match=cut):
        explorer.show(weights, list("abcd"), list("vwxyz"))
    weights = torch.full((2, 3, 4, 4), 0.25)
    weights[:, :, 1] = torch.nan
    cut = re.escape("positions but 1, weights[..., real, :], and their query tokens.")
    with pytest.raises(ExplorerError, match=cut):
        explorer.show(weights, list("abcd"), list("wxyz"))


@pytest.mark.parametrize("came", CAME.values(), ids=CAME)
def test_the_way_to_turn_weights_round_works_for_weights_in_any_shape(came):
    right = torch.softmax(3 * torch.rand(2, 3, 5, 5), -1)
    with pytest.raises(ExplorerError, match="Their columns do") as refused:
        explorer.show(came(right.transpose(-1, -2)))
    way = re.search(r"Give (.+)\.$", str(refused.value))[1]
    found = eval(way, {"weights": came(right.transpose(-1, -2)), "numpy": np, "torch": torch})
    assert np.array_equal(
        explorer.show(found).trace.weights, explorer.show(came(right)).trace.weights
    )


def test_what_is_shown_stays_when_the_callers_array_is_changed():
    for weights in (np.full((1, 1, 2, 2), 0.5, np.float32), np.full((1, 1, 2, 2), 0.5)):
        arrays = weights, [weights[0]], torch.from_numpy(weights)
        shown = [explorer.show(array) for array in arrays]
        weights[:] = (1, 0)
        assert all((one.trace.weights == 0.5).all() for one in shown)


def test_all_outputs_of_a_model_are_told_which_of_them_to_give(outputs):
    with pytest.raises(ExplorerError, match=r"alone: outputs\.attentions\. Is there none"):
        explorer.show(outputs[1])


NAMES = {
    "numbers": (torch.arange(4), "tokenizer.convert_ids_to_tokens(inputs[“input_ids”][0])"),
    "a batch of numbers": ([[0, 1, 2, 3]], "must be a list of texts, and nothing else"),
    "inputs of a slow tokenizer": ({"input_ids": [0, 1]}, "tokenizer.convert_ids_to_tokens("),
    "one text": ("the cat sat down", "The tokens are one text, “the cat sat down”, and no list"),
    "too few": (["a"], "There are 1 query tokens, and “weights” has 4 on that side"),
    "a set": ({"a", "b", "c", "d"}, "The tokens are a set, which has no order"),
    "nothing of the kind": (object(), "must be a list of texts, one for each position"),
}


@pytest.mark.parametrize(("tokens", "words"), NAMES.values(), ids=NAMES)
def test_tokens_that_nobody_can_read_are_told_how_to_name_them(tokens, words):
    with pytest.raises(ExplorerError, match=re.escape(words)):
        explorer.show(EYE, tokens)


# --- places, and files --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cat():
    return explorer.trace("The cat sat, unbelievably. The dog ran.")


PLACES = {
    "a layer and a head": ({"layer": 3, "head": 1}, {"layer": "3", "heads": "1"}),
    "a head alone": ({"head": 2}, {"layer": "0", "heads": "2"}),
    "a token": ({"query": "cat"}, {"query": "2"}),
    "the first of equal ones": ({"query": "the"}, {"query": "1"}),
    "a word as it was typed": ({"query": "The"}, {"query": "1"}),
    "a word of several pieces": ({"query": "unbelievably"}, {"query": "5-9"}),
    "a mark": ({"query": "[SEP]"}, {"query": "15"}),
    "a position": ({"query": np.int64(4)}, {"query": "4"}),
    "all that is switched": (
        {"layer": 2, "head": 1, "query": 3, "view": {"heads": "1.9", "specials": "hidden"}},
        {"layer": "2", "heads": "1.9", "query": "3", "specials": "hidden"},
    ),
    "nothing": ({}, {}),
}


@pytest.mark.parametrize(("asked", "opening"), PLACES.values(), ids=PLACES)
def test_a_trace_opens_at_the_place_that_was_asked_for(asked, opening, cat):
    assert cat.show(**asked).opening == opening


NOWHERE = {
    "a layer": ({"layer": 6}, "has no attention in layer 6: it has the layers 0 to 5"),
    "a head": ({"layer": 0, "head": 12}, "no head 12: a layer has 0 to 11"),
    "a token": ({"query": "cats"}, "no token or word “cats” that looks. There is “cat”"),
    "a position": ({"query": 99}, "There is no token 99: there are 16, counted from 0"),
    "a fraction": ({"layer": 0.5}, "layer is 0.5; it must be a whole number"),
    "a truth": ({"query": True}, "query is True; it must be a whole number"),
    "a height below 0": ({"height": -5}, "height is -5; it must be a whole number from 0 on"),
    "a switch": ({"view": {"special": "hidden"}}, "A view has no 'special'; it has layer, heads, "),
    "a switch that is no text": ({"view": {"words": 1}}, "it must be texts by their names"),
    "layers that are not there": ({"layers": [0, 9]}, "has no attention in layer 9"),
}


@pytest.mark.parametrize(("asked", "words"), NOWHERE.values(), ids=NOWHERE)
def test_a_place_that_there_is_not_is_told_with_those_that_there_are(asked, words, cat):
    with pytest.raises(ExplorerError, match=words):
        cat.show(**asked)


def test_a_shown_trace_is_saved_as_a_page(cat, tmp_path):
    cat.show(layer=1, layers=[1]).save(tmp_path / "page.html")
    assert "<h1>Attention of all-MiniLM-L6-v2</h1>" in (tmp_path / "page.html").read_text("utf-8")


def test_a_saved_trace_is_loaded_again_however_long(tokenizer, tmp_path):
    trace = explorer.trace("the cats " * 400, model=made(), tokenizer=tokenizer)
    explorer.save(trace, tmp_path / "long.npz")
    again = explorer.load(tmp_path / "long.npz")
    assert again.numbers == trace.numbers
    assert again.query_tokens == trace.query_tokens
    assert again.model == trace.model
    for one, other in zip(again.layers, trace.layers, strict=True):
        assert np.array_equal(one.q, other.q)
        assert np.array_equal(one.rows(1), other.rows(1))
    with pytest.raises(ExplorerError, match=r"“.*nothing\.npz” cannot be read: No such file"):
        explorer.load(tmp_path / "nothing.npz")


def test_a_file_that_cannot_be_written_leaves_what_stood_there(tmp_path):
    trace, file = explorer.trace("A cat."), tmp_path / "a.npz"
    explorer.save(trace, file)
    before = file.read_bytes()
    for wrong in (trace.show(), [trace], "x", None):
        with pytest.raises(ExplorerError, match="not a trace"):
            explorer.save(wrong, file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
    for save in (partial(explorer.save, trace), trace.show().save):
        with pytest.raises(ExplorerError, match="cannot be written: No such file or directory"):
            save(tmp_path / "no" / "a.npz")
        with pytest.raises(ExplorerError, match="must be a path"):
            save(5)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: explorer.load(None), "type NoneType; it must be a path"),
        (lambda: explorer.load("a\0b"), "number 0"),
        (lambda: explorer.trace("A cat.", picture=5), "type int; it must be a path"),
        (lambda: explorer.trace("A cat.", source_language=5), "source language is of the type int"),
        (lambda: explorer.traces(5), "must be a list of texts"),
        (lambda: explorer.trace("A cat.").show(layers=1), "must be a list of numbers"),
        (lambda: explorer.trace("A cat.").show(height="big"), "height is 'big'"),
    ],
)
def test_what_is_no_argument_is_refused_in_words(ask, words):
    with pytest.raises(ExplorerError, match=words):
        ask()


def test_a_picture_that_is_open_is_read_like_its_file(tmp_path):
    tiny_vision("ViT", tmp_path)
    drawing().save(tmp_path / "a.png")
    source = f"path:{tmp_path}"
    open_one = explorer.trace(picture=drawing(), source=source)
    of_file = explorer.trace(picture=tmp_path / "a.png", source=source)
    assert np.array_equal(open_one.weights, of_file.weights)


def test_several_texts_are_translated_into_the_language_that_is_chosen(tmp_path):
    translator("Nllb", tmp_path, None)
    languages = {"source_language": "deu_Latn", "target_language": "fra_Latn"}
    one = explorer.trace("the cat", source=f"path:{tmp_path}", **languages)
    (several,) = explorer.traces(["the cat"], source=f"path:{tmp_path}", **languages)
    assert several.texts == one.texts
    assert [t.text for t in several.tokens] == [t.text for t in one.tokens]
