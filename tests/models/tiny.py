"""Tiny random models with a real tokenizer, made on the spot."""

import io
import json

import numpy as np
import sentencepiece
import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

# Ours goes by sdpa, the reference by eager: sums in another order, handed on from layer to layer.
# Measured on MiniLM: 1.6e-6; a shown digit needs 5e-5.
AGAINST_EAGER = 5e-6
WORDS = ["the", "a", "cat", "dog", "mat", "sat", "ran", "on", "under", "it", "was", "tired"]
WORDS += ["because", ".", ",", "big", "red"]
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 40,
    "initializer_range": 0.5,  # so that heads differ
}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 16, "max_position_embeddings": 40}
READ = ("the cats naïve 猫.", "the mat")  # what the byte-level tokenizer has learned


def tiny_model(kind, folder):
    """Save a model: a BERT with a head (``MaskedLM``), or an encoder of a family by its class."""
    torch.manual_seed(1)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(words))
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    name = {"Model": "BertModel"}.get(kind) or (
        kind if kind.endswith("Model") else f"BertFor{kind}"
    )
    maker = getattr(transformers, name)
    sizes = DISTIL | {"initializer_range": 0.5} if name.startswith("Distil") else dict(SIZES)
    if name.startswith("Electra"):
        sizes["embedding_size"] = 16
    config = maker.config_class(vocab_size=len(words), pad_token_id=0, **sizes)
    maker(config).eval().save_pretrained(folder)
    return folder


def eager(loaded):
    """A loaded model whose network is Transformers' own, with eager attention: the reference."""
    own = loaded.private()
    own.network.set_attn_implementation("eager")
    return own


def byte_level():
    """A byte-level BPE as RoBERTa has it: spaces and letters are spelled as other letters."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=290, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator([" ".join(READ)] * 5, trainer)
    bpe.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = {"bos": "<s>", "eos": "</s>", "sep": "</s>", "cls": "<s>", "unk": "<unk>"}
    names |= {"pad": "<pad>", "mask": "<mask>"}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe, **{f"{k}_token": v for k, v in names.items()}
    )


def one_mark():
    """The same as decoders often have it: no start, no mask, no padding; one mark for the rest."""
    bpe = byte_level().backend_tokenizer
    bpe.post_processor = processors.ByteLevel(trim_offsets=False)
    mark = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "</s>")
    return transformers.PreTrainedTokenizerFast(tokenizer_object=bpe, **mark)


def tiny_of(config, folder, tokenizer, ending="Model"):
    """Save a model of a configuration by the ending of its class's name; with its tokenizer."""
    torch.manual_seed(4)
    maker = getattr(transformers, type(config).__name__.removesuffix("Config") + ending)
    maker(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


_BART = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "max_position_embeddings": 40,
    "init_std": 0.5,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
}
_T5 = {"d_model": 16, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4, "d_ff": 16}
_T5 |= {"d_kv": 4, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}


def tiny_writer(family, folder):
    """Save an encoder-decoder: ``T5``, ``Bart`` or ``Marian``; its tokenizer."""
    torch.manual_seed(3)
    if family == "Marian":
        tokenizer = _marian_tokenizer(folder)
        ids = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
        sizes = _BART | ids | {"decoder_start_token_id": tokenizer.pad_token_id}
        sizes |= {"vocab_size": len(tokenizer), "forced_eos_token_id": tokenizer.eos_token_id}
        maker = transformers.MarianMTModel
    else:
        tokenizer = byte_level()
        sizes = {"vocab_size": 300} | (_T5 if family == "T5" else _BART)
        maker = getattr(transformers, f"{family}ForConditionalGeneration")
    tokenizer.save_pretrained(folder)
    maker(maker.config_class(**sizes)).eval().save_pretrained(folder)
    return tokenizer


def _marian_tokenizer(folder):
    """Two SentencePiece models and the vocabulary of both: the one kind without offsets."""
    lines = ["the cat sat on the mat because it was tired.", "die katze war müde."]
    (folder / "lines.txt").write_text("\n".join(lines * 50))
    for side in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            input=str(folder / "lines.txt"),
            model_prefix=str(folder / side),
            vocab_size=60,
            hard_vocab_limit=False,
            minloglevel=2,
            **{"unk_id": 2, "bos_id": -1, "eos_id": 0, "pad_id": 1},
        )
        (folder / f"{side}.model").rename(folder / f"{side}.spm")
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    names = ["</s>", "<unk>", *map(pieces.id_to_piece, range(pieces.get_piece_size())), "<pad>"]
    vocabulary = {name: i for i, name in enumerate(dict.fromkeys(names))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    spm = [str(folder / f"{side}.spm") for side in ("source", "target")]
    return transformers.MarianTokenizer(*spm, str(folder / "vocab.json"))


_SQUARE, _WIDE = {"height": 32, "width": 32}, {"height": 32, "width": 48}
_CROPPED = {"size": {"shortest_edge": 36}, "crop_size": _SQUARE}
_DECODER = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
_DECODER |= {"intermediate_size": 16}
# Vision models: what their configuration says beside the sizes, and how their pictures are made.
VISION = {
    "ViT": ({}, "ViT", {"size": _SQUARE}),
    "DeiT": ({}, "DeiT", {"size": {"height": 40, "width": 40}, "crop_size": _SQUARE}),
    "ViTMSN": ({}, "ViT", {"size": _SQUARE}),
    "ViTMAE": ({f"decoder_{k}": v for k, v in _DECODER.items()}, "ViT", {"size": _SQUARE}),
    "IJepa": ({}, "ViT", {"size": _WIDE}),
    "Beit": ({"use_relative_position_bias": True}, "Beit", {"size": _WIDE}),
    "Data2VecVision": ({"use_shared_relative_position_bias": True}, "Beit", {"size": _SQUARE}),
    "Dinov2": ({}, "Bit", _CROPPED),
    "Dinov2WithRegisters": ({}, "Bit", _CROPPED),
    "DINOv3ViT": ({"num_register_tokens": 4}, "DINOv3ViT", {"size": _WIDE}),
    "Pixio": ({}, "Bit", _CROPPED),
    "Yolos": (
        {"image_size": [32, 48], "num_detection_tokens": 5},
        "Yolos",
        {"size": {"shortest_edge": 32, "longest_edge": 64}},
    ),
    "CLIPVision": ({}, "CLIP", _CROPPED),
    "SiglipVision": ({}, "Siglip", {"size": _SQUARE}),
    "Siglip2Vision": (
        {"image_size": None, "num_patches": 16},
        "Siglip2",
        {"patch_size": 8, "max_num_patches": 30},
    ),
    "MLCDVision": ({}, "CLIP", _CROPPED),
    "Aimv2Vision": ({}, "CLIP", _CROPPED),
}


def tiny_vision(family, folder, side=32, patch=8):
    """Save a vision model for small pictures; 4 × 4 patches if nobody says otherwise."""
    torch.manual_seed(5)
    more, kind, settings = VISION[family]
    sizes = {k: v for k, v in SIZES.items() if k != "max_position_embeddings"}
    sizes |= {"image_size": side, "patch_size": patch} | more
    maker = getattr(transformers, f"{family}Model")
    model = maker(maker.config_class(**{k: v for k, v in sizes.items() if v is not None})).eval()
    for name, values in model.named_parameters():
        if any(part in name for part in ("position", "token", "relative")):
            torch.nn.init.normal_(values, std=0.5)  # many begin as zeros, and would hide mistakes
    model.save_pretrained(folder)
    if side != 32:
        settings = {"size": {"height": side, "width": side}}
    if kind == "DINOv3ViT":  # Transformers has its processor for torchvision alone
        said = {"image_processor_type": "DINOv3ViTImageProcessorFast", "resample": 2, **settings}
        (folder / "preprocessor_config.json").write_text(json.dumps(said))
        return None
    processor = getattr(transformers, f"{kind}ImageProcessorPil")(**settings)
    processor.save_pretrained(folder)
    return processor


_TOWER = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
_TOWER |= {"intermediate_size": 16}
_READER = _TOWER | {"num_hidden_layers": 3, "num_key_value_heads": 2, "head_dim": 8}
_READER |= {"vocab_size": 300, "max_position_embeddings": 40}
_TOWER |= {"image_size": 32, "patch_size": 8}
# Models of texts and pictures: the kinds of their parts, where they may differ, and of pictures.
TWO_PARTS = {
    "CLIP": (None, None, "CLIP", _CROPPED),
    "Siglip": (None, None, "Siglip", {"size": _SQUARE}),
    "OwlViT": (None, None, "OwlViT", {"size": _SQUARE, "crop_size": _SQUARE}),
    "Llava": ("clip_vision_model", "llama", "CLIP", _CROPPED),
    "Gemma3": ("siglip_vision_model", "gemma3_text", "Gemma3", {"size": _SQUARE}),
}


def tiny_of_two_parts(family, folder):
    """Save a model of texts (3 layers) and pictures (2 layers, 4 × 4 patches)."""
    torch.manual_seed(6)
    sees, reads, kind, settings = TWO_PARTS[family]
    vision = _TOWER | ({"model_type": sees} if sees else {})
    text = _READER | ({"model_type": reads} if reads else {})
    name = family if sees is None else f"{family}ForConditionalGeneration"
    config = getattr(transformers, f"{family}Config")(vision_config=vision, text_config=text)
    model = getattr(transformers, name if sees else f"{family}Model")(config).eval()
    model.save_pretrained(folder)
    byte_level().save_pretrained(folder)
    processor = getattr(transformers, f"{kind}ImageProcessorPil")(**settings)
    processor.save_pretrained(folder)
    return model, processor


def drawing(width=90, height=60):
    """A picture: a red disc on a field that grows lighter to the right."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    field = np.stack([x * 255 / width, np.full(x.shape, 90.0), y * 255 / height], axis=-1)
    field[(x - width / 3) ** 2 + (y - height / 2) ** 2 < 200] = (220, 30, 30)
    return Image.fromarray(field.astype(np.uint8))


def png_of(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
