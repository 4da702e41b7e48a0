"""Models of other families: tiny random ones, each against Transformers' own attentions.

Tolerance: sums of float32 in another order, handed on by layers whose weights are large.
"""

import io

import numpy as np
import pytest
import torch
import transformers

import explorer
from explorer import export
from explorer.errors import ExplorerError
from explorer.run import PARTS, Run
from explorer.source import Folder
from explorer.sources import trace_run
from explorer.sources.own import own_weights
from explorer.sources.pictures import picture_of
from tests.models import tiny
from tests.models.tiny import READ, byte_level, drawing, png_of, tiny_vision, tiny_writer

TOLERANCE = 2e-5
SIZES = tiny.SIZES | {"vocab_size": 300}
IDS = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
RELATIVE = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_buckets": 8,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "position_biased_input": False,
    "type_vocab_size": 0,
}
FAMILIES = {
    "Roberta": SIZES | IDS,
    "XLMRoberta": SIZES | IDS,
    "MPNet": SIZES | IDS,
    "Albert": SIZES | IDS | {"embedding_size": 8},
    "Electra": SIZES | {"embedding_size": 16},
    "DistilBert": {
        "vocab_size": 300,
        "dim": 16,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 16,
        "max_position_embeddings": 40,
    },
    "DebertaV2": SIZES | RELATIVE,
    "ModernBert": SIZES | IDS | {"cls_token_id": 0, "sep_token_id": 2},
    "GPT2": {"vocab_size": 300, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40} | IDS,
    "Llama": SIZES | IDS | {"num_attention_heads": 4, "num_key_value_heads": 2},
    "Qwen2": SIZES | IDS | {"num_attention_heads": 4, "num_key_value_heads": 2},
}
CAUSAL = ("GPT2", "Llama", "Qwen2")


def off_by(trace, attentions):
    return np.abs(trace.weights - torch.cat(attentions).numpy()).max()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_familys_attention_is_what_transformers_gives(family, tmp_path, record_property):
    torch.manual_seed(0)
    tokenizer = byte_level()
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family])
    model = getattr(transformers, f"{family}Model")(config).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    trace = explorer.trace(*READ, source=f"path:{tmp_path}")

    again = type(model).from_pretrained(tmp_path, attn_implementation="eager").eval()
    inputs = tokenizer(*READ, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        want = again(**inputs, output_attentions=True).attentions
    record_property("largest difference", float(off_by(trace, want)))
    assert off_by(trace, want) <= TOLERANCE
    assert (np.triu(trace.weights, 1).max() == 0) == (family in CAUSAL)

    words = [t.text for t in trace.query_tokens if not t.special]
    assert words == ["the", "cats", "naïve", "猫", ".", "the", "mat"]
    assert [t.segment for t in trace.query_tokens if not t.special] == [0] * 5 + [1] * 2
    for token in trace.query_tokens:
        if token.span:
            assert READ[token.segment][slice(*token.span)].strip() == token.text


def test_a_chinese_bert_reads_character_by_character(tmp_path):
    text = "猫坐在垫子上，因为它累了。A cat"
    characters = sorted(set("猫坐在垫子上，因为它累了。"))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, "cat"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), "utf-8")
    torch.manual_seed(2)
    sizes = SIZES | {"vocab_size": len(words)}
    model = transformers.BertModel(transformers.BertConfig(**sizes)).eval()
    model.save_pretrained(tmp_path)
    trace = explorer.trace(text, source=f"path:{tmp_path}")
    ordinary = [t for t in trace.query_tokens if not t.special]
    assert [t.text for t in ordinary] == [*"猫坐在垫子上，因为它累了。", "[UNK]", "cat"]
    assert [text[slice(*t.span)] for t in ordinary[:13]] == [*"猫坐在垫子上，因为它累了。"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    again = transformers.BertModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    with torch.inference_mode():
        out = again(**tokenizer(text, return_tensors="pt"), output_attentions=True)
    assert off_by(trace, out.attentions) <= TOLERANCE


# --- encoder-decoders ---------------------------------------------------------------------------

TARGET = "die katze war müde."
WRITERS = ("T5", "Bart", "Marian")


@pytest.fixture(scope="module", params=WRITERS)
def writer(request, tmp_path_factory):
    """A family's folder, its tokenizer, and the same model as Transformers loads it."""
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = tiny_writer(request.param, folder)
    maker = transformers.AutoModelForSeq2SeqLM
    return folder, tokenizer, maker.from_pretrained(folder, attn_implementation="eager").eval()


def read_by(writer, text, target_ids):
    """Transformers' own output on a text and what the decoder has read."""
    _, tokenizer, model = writer
    inputs = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        ids = torch.tensor([target_ids])
        return model(**inputs, decoder_input_ids=ids, output_attentions=True, use_cache=False)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_an_encoder_decoder_is_what_transformers_gives(writer, part, record_property):
    folder, tokenizer, model = writer
    text = "the cat sat on the mat."
    trace = trace_run(Run(text, TARGET, Folder(str(folder)), part))
    ids = tokenizer(text_target=TARGET)["input_ids"]
    out = read_by(writer, text, [model.config.decoder_start_token_id, *ids[:-1]])
    want = {"cross": out.cross_attentions, "encoder": out.encoder_attentions}
    want |= {"decoder": out.decoder_attentions}
    record_property("largest difference", float(off_by(trace, want[part])))
    assert off_by(trace, want[part]) <= TOLERANCE
    assert trace.model.part == part
    assert (trace.query_tokens == trace.key_tokens) == (part != "cross")


def test_the_tokens_of_both_sides_stand_where_they_are_in_their_texts(writer):
    folder, _, _ = writer
    text = "the cat sat on the mat."
    trace = trace_run(Run(text, TARGET, Folder(str(folder))))
    assert trace.texts == (text, TARGET)
    for side, segment, whole in ((trace.key_tokens, 0, text), (trace.query_tokens, 1, TARGET)):
        assert {t.segment for t in side} == {segment}
        spans = [t.span for t in side if t.span]
        covered = {i for a, b in spans for i in range(a, b)}  # two bytes of a letter share it
        assert covered >= {i for i, letter in enumerate(whole) if letter != " "}
        assert spans == sorted(spans)
    assert trace.query_tokens[0].special  # the mark that a decoder starts with


def test_without_a_target_the_model_writes_it_greedily(writer):
    folder, tokenizer, model = writer
    trace = trace_run(Run("the cat sat.", source=Folder(str(folder))))
    inputs = tokenizer("the cat sat.", return_tensors="pt", return_token_type_ids=False)
    ids = [model.config.decoder_start_token_id]
    with torch.inference_mode():
        encoder = model.get_encoder()(**inputs)
    while len(ids) < len(trace.query_tokens):
        # One token after the other, by hand: what Transformers' own loop must come to.
        with torch.inference_mode():
            out = model(
                encoder_outputs=encoder,
                attention_mask=inputs["attention_mask"],
                decoder_input_ids=torch.tensor([ids]),
            )
        ids.append(int(out.logits[0, -1].argmax()))
    assert trace.texts[1] == tokenizer.decode(ids, skip_special_tokens=True)
    assert off_by(trace, read_by(writer, "the cat sat.", ids).cross_attentions) <= TOLERANCE


def test_other_pages_say_that_they_need_a_model_of_one_part(writer):
    from explorer.sources.intervention import intervention
    from explorer.target import Likeness

    with pytest.raises(ExplorerError, match="encoder-decoder"):
        intervention(Run("the cat.", source=Folder(str(writer[0]))), Likeness("a dog."))


# --- pictures -----------------------------------------------------------------------------------


def test_the_picture_on_screen_is_the_one_that_the_model_saw(tmp_path):
    from PIL import Image

    processor = tiny_vision("DeiT", tmp_path)
    run = Run(picture=picture_of(png_of(drawing())), source=Folder(str(tmp_path)))
    trace = trace_run(run)
    with Image.open(io.BytesIO(trace.patches.png)) as shown:
        seen = np.asarray(shown)
    assert own_weights(export.to_npz(trace), "again").trace.patches == trace.patches
    raw = processor(drawing(), return_tensors="np", do_normalize=False, do_rescale=False)
    assert np.abs(seen.astype(int) - raw["pixel_values"][0].transpose(1, 2, 0)).max() <= 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no picture at all", "no picture that can be read"),
        (png_of(drawing())[:200], "no picture that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "no picture that can be read"),
        (png_of(drawing().resize((8000, 7000))), "8,000 × 7,000 pixels; at most 50 million"),
    ],
)
def test_a_file_that_is_no_bearable_picture_is_refused(data, words):
    with pytest.raises(ExplorerError, match=words):
        picture_of(data)


def test_a_picture_is_turned_upright_and_its_transparent_parts_become_white():
    turned = drawing()
    exif = turned.getexif()
    exif[0x0112] = 6  # a camera held on its side
    out = io.BytesIO()
    turned.save(out, "JPEG", exif=exif)
    from PIL import Image

    with Image.open(io.BytesIO(picture_of(out.getvalue()).png)) as upright:
        assert upright.size == (60, 90)
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    with Image.open(io.BytesIO(picture_of(png_of(clear)).png)) as flat:
        assert flat.getpixel((0, 0)) == (255, 255, 255)


def test_text_and_picture_models_tell_each_others_readers_what_to_do(tmp_path):
    tiny_vision("ViT", tmp_path)
    with pytest.raises(ExplorerError, match="turn on “Picture” and upload one"):
        explorer.trace("the cat.", source=f"path:{tmp_path}")
    with pytest.raises(ExplorerError, match="reads text, not pictures"):
        trace_run(Run(picture=picture_of(png_of(drawing()))))
