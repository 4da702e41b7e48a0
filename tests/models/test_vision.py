"""Vision models: tiny random ones, each against Transformers' own attentions on a picture.

Tolerance 1e-6: the same float32 operations, called in another order.
"""

import io
import json

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Folder
from explorer.sources import loading, silent, trace_run
from explorer.sources.intervention import intervention
from explorer.sources.loading import load_model
from explorer.sources.patches import DINOv3Processor, prepare
from explorer.sources.pictures import picture_of
from explorer.target import Likeness
from tests.models.tiny import (
    TWO_PARTS,
    VISION,
    byte_level,
    drawing,
    png_of,
    tiny_of_two_parts,
    tiny_vision,
)

TOLERANCE = 1e-6
REGISTERS = ["[CLS]", "[REG0]", "[REG1]", "[REG2]", "[REG3]"]
MARKS = {
    "DeiT": ["[CLS]", "[DIST]"],
    "IJepa": [],
    "Dinov2WithRegisters": REGISTERS,
    "DINOv3ViT": REGISTERS,
    "Pixio": [f"[CLS{i}]" for i in range(8)],
    "Yolos": ["[CLS]", *(f"[DET{i}]" for i in range(5))],
    "SiglipVision": [],
    "Siglip2Vision": [],
    "Aimv2Vision": [],
}
WIDE = ("IJepa", "Beit", "DINOv3ViT", "Yolos", "Siglip2Vision")


def seen_by(folder):
    return trace_run(Run(picture=picture_of(png_of(drawing())), source=Folder(str(folder))))


def own_attentions(model, inputs):
    """Transformers' own weights, ``[layer, head, query, key]``."""
    with torch.inference_mode():
        found = model(**inputs, output_attentions=True).attentions
    return torch.cat(found).numpy()


@pytest.mark.parametrize("family", VISION)
def test_a_picture_is_read_as_transformers_reads_it(family, tmp_path, record_property):
    processor = tiny_vision(family, tmp_path)
    trace = seen_by(tmp_path)
    maker = getattr(transformers, f"{family}Model")
    model = maker.from_pretrained(tmp_path, attn_implementation="eager").eval()
    if processor is None:
        loaded = load_model(Folder(str(tmp_path)), silent)
        inputs = {"pixel_values": loaded.tokenizer(drawing(), return_tensors="pt")["pixel_values"]}
    else:
        inputs = {k: v for k, v in processor(drawing(), return_tensors="pt").items() if k in KEYS}
    if family == "ViTMAE":  # the whole picture, in its order
        model.config.mask_ratio = 0.0
        inputs["noise"] = torch.arange(16.0)[None]
    if family in ("IJepa", "Beit"):
        inputs["interpolate_pos_encoding"] = True
    n = len(trace.query_tokens)
    want = own_attentions(model, inputs)[..., :n, :n]  # SigLIP 2 fills up with empty patches
    off = float(np.abs(trace.weights - want).max())
    record_property("largest difference", off)
    assert off <= TOLERANCE
    assert (trace.patches.rows, trace.patches.columns) == (4, 6 if family in WIDE else 4)
    assert [t.text for t in trace.query_tokens if t.special] == MARKS.get(family, ["[CLS]"])
    ordinary = [t.text for t in trace.query_tokens if not t.special]
    assert ordinary[:2] == ["0·0", "0·1"]
    assert ordinary[-1] == ("3·5" if family in WIDE else "3·3")
    with Image.open(io.BytesIO(trace.patches.png)) as shown:
        assert shown.size == (8 * trace.patches.columns, 8 * trace.patches.rows)


KEYS = ("pixel_values", "pixel_attention_mask", "spatial_shapes")


def test_detection_tokens_stand_behind_the_patches(tmp_path):
    tiny_vision("Yolos", tmp_path)
    special = [t.special for t in seen_by(tmp_path).query_tokens]
    assert special == [True] + [False] * 24 + [True] * 5


def test_masked_training_is_said_of_mae_and_the_same_picture_is_read_the_same_twice(tmp_path):
    tiny_vision("ViTMAE", tmp_path)
    trace = seen_by(tmp_path)
    assert "most patches were hidden; here it reads all of them" in trace.model.notes[0]
    assert np.array_equal(trace.weights, seen_by(tmp_path).weights)


def test_a_picture_of_another_size_than_trained_is_shown_and_that_is_said(tmp_path):
    processor = tiny_vision("ViT", tmp_path)
    processor.size = {"height": 50, "width": 34}  # six rows of four patches, and a rest
    processor.save_pretrained(tmp_path)
    trace = seen_by(tmp_path)
    assert (trace.patches.rows, trace.patches.columns) == (6, 4)
    with Image.open(io.BytesIO(trace.patches.png)) as shown:
        assert shown.size == (32, 48)  # what no patch covers is not shown
    assert "speaks of pictures of 32 × 32 pixels; this one was made 50 × 34" in trace.model.notes[0]
    model = transformers.ViTModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    pixels = processor(drawing(), return_tensors="pt")["pixel_values"]
    want = own_attentions(model, {"pixel_values": pixels, "interpolate_pos_encoding": True})
    assert np.abs(trace.weights - want).max() <= TOLERANCE


def test_a_picture_that_was_made_smaller_says_so(tmp_path):
    tiny_vision("ViT", tmp_path)
    source = Folder(str(tmp_path))
    large = drawing().resize((1000, 500))
    exif = large.getexif()
    exif[0x0112] = 6  # taken with the camera on its side
    for options, said in (({}, "1,000 × 500"), ({"exif": exif}, "500 × 1,000")):
        out = io.BytesIO()
        large.save(out, "PNG", **options)
        trace = trace_run(Run(picture=picture_of(out.getvalue()), source=source))
        kept = "768 × 384" if not options else "384 × 768"
        said = f"This picture of {said} pixels was made {kept} before {trace.model.name} got it"
        assert said in " ".join(trace.model.notes)
    whole = picture_of(png_of(drawing().resize((768, 384))))
    assert whole.made_from is None
    assert "was made" not in " ".join(trace_run(Run(picture=whole, source=source)).model.notes)


def test_dinov3_scales_colours_before_it_makes_a_picture_small():
    """Against a float64 computation by hand: the mean of each 2 × 2 block, for a picture halved.

    Bilinear with antialiasing gives a pixel's neighbours 1/8, 3/8, 3/8 and 1/8 when it halves.
    """
    picture = np.asarray(drawing(16, 16)).astype(np.float64)
    sized = DINOv3Processor(size={"height": 8, "width": 8}, resample=2)
    found = sized(Image.fromarray(picture.astype(np.uint8)), return_tensors="pt")["pixel_values"][0]
    halve = np.zeros((8, 16))
    for i in range(8):
        for step, share in zip(range(-1, 3), (1, 3, 3, 1), strict=True):
            if 0 <= 2 * i + step < 16:
                halve[i, 2 * i + step] = share
    halve /= halve.sum(1, keepdims=True)
    small = np.einsum("ai,bj,ijc->cab", halve, halve, picture / 255)
    mean, std = (np.array(n)[:, None, None] for n in (sized.image_mean, sized.image_std))
    assert np.abs(found.numpy() - (small - mean) / std).max() <= 1e-6


@pytest.mark.parametrize("family", TWO_PARTS)
def test_a_model_of_texts_and_pictures_reads_a_picture_by_its_part_for_pictures(family, tmp_path):
    whole, processor = tiny_of_two_parts(family, tmp_path)
    trace = seen_by(tmp_path)
    tower = type(load_model(Folder(str(tmp_path)), silent).part("picture").network)
    again = type(whole).from_pretrained(tmp_path, attn_implementation="eager").eval()
    part = next(module for module in again.modules() if type(module) is tower)
    pixels = processor(drawing(), return_tensors="pt")["pixel_values"]
    want = own_attentions(part, {"pixel_values": pixels})
    assert np.abs(trace.weights - want).max() <= TOLERANCE
    assert (trace.model.n_layers, trace.patches.rows) == (2, 4)
    assert trace_run(Run("the cats", source=Folder(str(tmp_path)))).model.n_layers == 3
    asked = Run(picture=picture_of(png_of(drawing())), source=Folder(str(tmp_path)))
    with pytest.raises(ExplorerError, match=r"The part of .* for pictures is shown on Explore"):
        intervention(asked, Likeness("the mat"))


def test_a_model_that_writes_what_it_sees_shows_how_it_sees(tmp_path):
    torch.manual_seed(7)
    sees = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    sees.image_size, sees.patch_size = 32, 8
    writes = transformers.TrOCRConfig(
        vocab_size=300, d_model=16, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=16
    )
    maker = transformers.VisionEncoderDecoderConfig
    model = transformers.VisionEncoderDecoderModel(maker.from_encoder_decoder_configs(sees, writes))
    model.save_pretrained(tmp_path)
    byte_level().save_pretrained(tmp_path)
    transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    assert seen_by(tmp_path).weights.shape == (2, 2, 17, 17)


def test_a_processor_that_newer_checkpoints_keep_elsewhere_is_found(tmp_path):
    tiny_vision("Dinov2", tmp_path)
    whole = seen_by(tmp_path)
    said = json.loads((tmp_path / "preprocessor_config.json").read_text())
    (tmp_path / "preprocessor_config.json").unlink()
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": said}))
    loading._loaded.clear()
    assert np.array_equal(seen_by(tmp_path).weights, whole.weights)


# --- what cannot be shown ------------------------------------------------------------------------

SOUND = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 300}
SOUND |= {"intermediate_size": 16, "conv_dim": [8] * 3, "conv_kernel": [3] * 3}
SOUND |= {"conv_stride": [2] * 3, "num_feat_extract_layers": 3, "num_conv_pos_embeddings": 4}
SOUND |= {"num_conv_pos_embedding_groups": 2}
WHISPER = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "vocab_size": 300}
WHISPER |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16}
WHISPER |= {"decoder_ffn_dim": 16, "num_mel_bins": 8, "max_source_positions": 20}
WHISPER |= {"max_target_positions": 20, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
WHISPER |= {"decoder_start_token_id": 0}
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SMALL |= {"intermediate_size": 16, "image_size": 32, "patch_size": 8}
SOUNDS = (
    "reads sound: it needs a recording, not a text or a picture, and recordings cannot be given"
)
REFUSED = {
    "Wav2Vec2": (SOUND, SOUNDS),
    "Hubert": (SOUND, SOUNDS),
    "Whisper": (WHISPER, SOUNDS),
    "Swin": (
        {"image_size": 32, "patch_size": 4, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2]},
        "looks at a picture window by window",
    ),
    "ConvNext": ({"hidden_sizes": [8] * 4, "depths": [1] * 4}, "has no attention: it sees by conv"),
    "Segformer": ({"hidden_sizes": [8] * 4, "depths": [1] * 4}, "its layers have different tokens"),
    "VideoMAE": (SMALL, "reads videos: several pictures at a time"),
    "DPT": (SMALL, "is of a kind that is not known here"),
}


@pytest.mark.parametrize("family", REFUSED)
def test_what_cannot_be_shown_is_refused_with_its_reason_and_with_what_can(family, tmp_path):
    sizes, why = REFUSED[family]
    maker = getattr(transformers, f"{family}Model")
    maker(maker.config_class(**sizes)).save_pretrained(tmp_path)
    byte_level().save_pretrained(tmp_path)
    asked = [Run("the cats", source=Folder(str(tmp_path)))]
    asked += [Run("the cats", "the mat", source=Folder(str(tmp_path)))]
    asked += [Run(picture=picture_of(png_of(drawing())), source=Folder(str(tmp_path)))]
    for run in asked:
        with pytest.raises(ExplorerError, match=why) as refusal:
            trace_run(run)
        assert "google/vit-base-patch16-224" in str(refusal.value)


def test_a_picture_of_very_many_patches_is_refused(tmp_path):
    tiny_vision("ViT", tmp_path, side=520)
    with pytest.raises(ExplorerError, match=r"65 × 65 patches; at most 2,000"):
        seen_by(tmp_path)


def test_what_a_model_says_of_its_failure_is_in_the_sentence(tmp_path):
    tiny_vision("Aimv2Vision", tmp_path)
    said = json.loads((tmp_path / "preprocessor_config.json").read_text())
    said["crop_size"] = {"height": 48, "width": 32}  # its positions are of one size
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    with pytest.raises(ExplorerError, match=r"failed .*“The size of tensor a \(24\) must match"):
        seen_by(tmp_path)


def test_a_picture_that_is_cut_into_several_pictures_is_a_sentence(tmp_path):
    tiny_vision("ViT", tmp_path)
    loaded = load_model(Folder(str(tmp_path)), silent)

    class Crops:
        do_resize = False

        def __call__(self, image, return_tensors):
            return {"pixel_values": torch.zeros(3, 3, 32, 32)}

    with pytest.raises(ExplorerError, match=r"cut into several pictures: \(3, 3, 32, 32\)"):
        prepare(Crops(), loaded.network, "x", drawing())
