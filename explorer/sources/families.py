"""All that is known of families of models, each fact said once: every other file asks this one.

A family is what a config.json calls ``model_type``. One that is not in the table is taken to be of
the standard shape: a model of text, with its sizes where everybody has them and positions that
begin at 0. So a new decoder of standard shape needs no row, and a new fact needs a field here.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.limits import MAX_TOKENS

Form = Literal["text", "pair", "picture"]
Marks = tuple[tuple[str, int | str], ...]


# Names of settings that decide which keys a query sees and how a score is made.
_OF_ATTENTION = re.compile(
    r"attn|attention|rope|rotary|alibi|sliding|window|softcap|sink|causal|qk_|kv_heads|key_value"
    r"|relative_|position_embedding|position_bias|layer_types|block_types|clip_qkv|nope_|logn|ntk"
    r"|yarn|xpos|pos_att|rel_pos|rel_att|softmax_scale|key_multiplier|prefix_lm|index_topk|use_cla"
    r"|kv_shared"
)
# Of those, what changes no weight: dropout and precision, how it is computed, what the shapes of
# weights tell anyhow, what belongs to a pooler, and tables of positions that a family has or not.
_HARMLESS = re.compile(
    r"drop|pooler|flash|sdpa|xformers|memory_efficient|implementation|attn_impl$|fp32|upcast"
    r"|^output_attentions$|^use_return|^final_|^max_|^original_max|^num_key_value_heads$"
    r"|^attention_bias$|^attn_bias$|^cross_attention_hidden_size$|^add_cross_attention$"
    r"|^is_causal$|^static_position_embeddings$"
    r"|^per_layer_config$|head_dim$"
)
# Of those, what says no more than that queries and keys are turned by their positions, all of each.
_TURNS = re.compile(
    r"(use_)?(rotary|rope)(_emb|_pos_emb|_embeddings?|_position_embeddings?)?"
    r"|(rotary|rope)_(emb_)?(pct|percent|fraction)|partial_rotary_factor|position_embedding_type"
)
# Of those, the values that say what every plain attention does, however old the file is.
_PLAIN_VALUES = {
    "position_embedding_type": ("absolute",),
    "attention_type": ("original_full", "full", "softmax", "multihead_attention"),
    "scale_attn_weights": (True,),
    "use_absolute_position_embeddings": (True,),
    "causal": (True,),
}


def means_attention(kind: str, key: str, value: Any, *, rotates: bool = False) -> bool:
    """Whether a setting of a config.json, by its name and value, decides how attention looks.

    Args:
        kind: The model type.
        key: The setting's name.
        value: What is said of it.
        rotates: Whether its class turns queries and keys by their positions in any case.
    """
    if value in (None, False, "", 0, [], {}) or not _OF_ATTENTION.search(key):
        return False
    turns = _TURNS.fullmatch(key)
    if rotates and turns and (value in (True, 1) or str(value).startswith(("rope", "rotary"))):
        return False
    followed = family_of(kind).followed
    if key in followed or (key, value) in followed:
        return False
    if re.search("window|sliding", key) and type(value) is int and value >= MAX_TOKENS:
        return False  # no text that is read here is longer
    return not _HARMLESS.search(key) and value not in _PLAIN_VALUES.get(key, ())


@dataclass(frozen=True)
class PlainLayers:
    """Where the parts of a layer are whose attention is one plain ``softmax(QKᵀ/√d_k)V``.

    That is: four linear maps with biases, as wide as the model, and nothing added to the scores.
    The from-scratch layer computes the same, so such a layer can be walked through step by step,
    transplanted, and taken apart into what each token brings.

    Attributes:
        layers: The list of layers, below the head that a model may have.
        maps: In a layer: the linear maps to query, key and value, and that of the output.
        norm: In a layer: the LayerNorm behind the residual connection round its attention.
    """

    layers: str
    maps: tuple[str, str, str, str]
    norm: str


@dataclass(frozen=True)
class Sight:
    """What a vision model reads of a picture: patches, row by row, and marks beside them.

    Each kind of mark stands here with how many of it there are, or with the name by which
    config.json says so. The order is the model's own.

    Attributes:
        before: The marks before the patches.
        after: The marks behind them.
        settings: What its configuration must say for the whole picture to be read.
    """

    before: Marks = ()
    after: Marks = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """What is known of a family beyond the standard shape.

    Attributes:
        form: What it reads, if it is no encoder-decoder: a ``text`` or a ``picture``.
        sight: What it reads of a picture, if it reads one.
        after_padding: Whether positions are counted from after the padding token, and by what is no
            padding: the first token of a text stands at ``pad_token_id + 1``.
        followed: Settings that its class follows in any case, though it does not read them: each by
            its name, or with the one value that is followed.
        note: What a reader should know of its attention as it is shown here.
        refused: Why its attention cannot be shown, as the end of a sentence, and what can.
        plain: Where its layers are, if their attention is the plain one.
        no_next: Whether its head for words predicts no next word, though its class is called so.
    """

    form: Form = "text"
    sight: Sight | None = None
    after_padding: bool = False
    plain: PlainLayers | None = None
    followed: tuple[str | tuple[str, Any], ...] = ()
    note: str | None = None
    refused: str | None = None
    no_next: bool = False


_BERT = PlainLayers(
    "encoder.layer",
    (
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
        "attention.output.dense",
    ),
    "attention.output.LayerNorm",
)
_DISTILBERT = PlainLayers(
    "transformer.layer",
    ("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"),
    "sa_layer_norm",
)
_STANDARD = Family()


def _seeing(*before: tuple[str, int | str], note: str | None = None, **more: Any) -> Family:
    return Family(form="picture", sight=Sight(before, **more), note=note)


def _refused(why: str, *kinds: str) -> dict[str, Family]:
    return dict.fromkeys(kinds, Family(refused=f"{why}. {_OTHERS}"))


_OTHERS = t(
    "Choose a model of text, such as google-bert/bert-base-uncased, or of "
    "pictures, such as google/vit-base-patch16-224 or facebook/dinov2-base"
)


_CLS = ("[CLS]", 1)
_REGISTERS = ("[REG]", "num_register_tokens")
_WITH_CLS = _seeing(_CLS)
_PATCHES_ALONE = _seeing()  # where a model pools by attention, that is no layer of it
_WINDOWS = t(
    "looks through a window, and Transformers returns the weights of that "
    "window alone, not those of every token on every token. Choose a model "
    "that reads as long texts another way, such as "
    "answerdotai/ModernBERT-base"
)
_FAMILIES = {
    "bert": Family(plain=_BERT),
    "electra": Family(plain=_BERT),
    "distilbert": Family(plain=_DISTILBERT),
    "roberta": Family(plain=_BERT, after_padding=True),
    "xlm-roberta": Family(plain=_BERT, after_padding=True),
    "camembert": Family(plain=_BERT, after_padding=True),
    **dict.fromkeys(
        (
            "altclip_text_model",
            "bridgetower_text_model",
            "clap_text_model",
            "data2vec-text",
            "esm",
            "ibert",
            "layoutlmv3",
            "lilt",
            "luke",
            "markuplm",
            "mpnet",
            "roberta-prelayernorm",
            "xlm-roberta-xl",
            "xmod",
        ),
        Family(after_padding=True),
    ),
    "longformer": Family(after_padding=True, refused=_WINDOWS),
    "led": Family(refused=_WINDOWS),
    "longt5": Family(refused=_WINDOWS),
    "squeezebert": Family(
        refused=t(
            "hands out scores in Transformers, where other models hand out "
            "attention weights. {others}",
            others=_OTHERS,
        )
    ),
    **dict.fromkeys(
        ("idefics", "vilt"),
        Family(
            refused=t(
                "reads a text only with a picture, and both at once cannot be given "
                "here. Choose a model that reads texts alone, such as "
                "HuggingFaceTB/SmolVLM-256M-Instruct"
            )
        ),
    ),
    "gptj": Family(followed=("rotary",)),
    "bamba": Family(followed=("attn_rotary_emb",)),  # which is half of a head in all of them
    "hunyuan_v1_dense": Family(followed=("use_qk_norm",)),
    "hunyuan_v1_moe": Family(followed=("use_qk_norm",)),
    "nomic_bert": Family(followed=(("rotary_emb_base", 1000),)),
    "minimax_m2": Family(followed=("use_qk_norm",)),
    # They fill in words that are left out, or read the words of a text in another order.
    **dict.fromkeys(("xlnet", "xlm", "flaubert"), Family(no_next=True)),
    "bloom": Family(followed=("offset_alibi",)),
    # Both turn queries and keys, and have no table of positions beside that.
    "modernbert": Family(followed=(("position_embedding_type", "sans_pos"),)),
    "modernbert-decoder": Family(followed=(("position_embedding_type", "sans_pos"),)),
    "granitemoehybrid": Family(followed=(("position_embedding_type", "nope"),)),
    **dict.fromkeys(
        ("mamba", "mamba2", "falcon_mamba", "rwkv", "xlstm", "fnet"),
        Family(
            refused=t(
                "has no attention: it mixes its tokens in another way. Choose a model "
                "with attention, such as google-bert/bert-base-uncased"
            )
        ),
    ),
    "paligemma": Family(
        note=t(
            "Its part for texts is read alone, where each token looks only at "
            "itself and at those before it. Behind a picture the tokens of a "
            "question look at all others too."
        )
    ),
    # What reads pictures as a plain grid of patches.
    "vit": _WITH_CLS,
    "deit": _seeing(_CLS, ("[DIST]", 1)),  # it also comes as the classes of ViT
    "vit_msn": _WITH_CLS,
    "vit_mae": _seeing(
        _CLS,
        note=t(
            "It was trained on pictures of which most patches were hidden; here it "
            "reads all of them, in their order."
        ),
        settings={"mask_ratio": 0.0},
    ),
    "ijepa": _PATCHES_ALONE,
    "beit": _WITH_CLS,
    "data2vec-vision": _WITH_CLS,
    "dinov2": _WITH_CLS,
    "dinov2_with_registers": _seeing(_CLS, _REGISTERS),
    "dinov3_vit": _seeing(_CLS, _REGISTERS),
    "pixio": _seeing(("[CLS]", "n_cls_tokens")),
    "yolos": _seeing(_CLS, after=(("[DET]", "num_detection_tokens"),)),
    "clip_vision_model": _WITH_CLS,
    "chinese_clip_vision_model": _WITH_CLS,
    "altclip_vision_model": _WITH_CLS,
    "metaclip_2_vision_model": _WITH_CLS,
    "clipseg_vision_model": _WITH_CLS,
    "owlvit_vision_model": _WITH_CLS,
    "owlv2_vision_model": _WITH_CLS,
    "blip_vision_model": _WITH_CLS,
    "blip_2_vision_model": _WITH_CLS,
    "mlcd_vision_model": _WITH_CLS,
    "aimv2_vision_model": _PATCHES_ALONE,
    "internvl_vision": _WITH_CLS,
    "siglip_vision_model": _PATCHES_ALONE,
    "siglip2_vision_model": _PATCHES_ALONE,
    # What looks at pictures in another way, and what reads neither text nor a picture.
    **_refused(
        t("looks at a picture window by window, so no patch has attention on all others"),
        *("swin", "swinv2", "swin2sr", "donut-swin", "maskformer-swin", "hiera", "vitdet"),
        *("sam", "sam_vision_model", "sam_hq", "sam_hq_vision_model", "dinat"),
    ),
    **_refused(
        t("has no attention: it sees by convolutions and the like"),
        *("convnext", "convnextv2", "dinov3_convnext", "resnet", "regnet", "bit", "mobilenet_v1"),
        *("mobilenet_v2", "efficientnet", "poolformer", "focalnet", "textnet", "superpoint"),
    ),
    **_refused(
        t("looks at smaller and smaller copies of a picture, so its layers have different tokens"),
        *("segformer", "pvt", "pvt_v2", "cvt", "glpn", "levit", "mobilevit", "mobilevitv2"),
        *("swiftformer",),
    ),
    **_refused(
        t("looks at what a network of convolutions has made of a picture, not at its patches"),
        *("detr", "conditional_detr", "deformable_detr", "table-transformer", "rt_detr"),
        *("maskformer", "mask2former", "oneformer"),
    ),
    **_refused(
        t(
            "cuts every picture into patches of another number, and reads them with"
            " the text that is printed into it"
        ),
        *("pix2struct", "pix2struct_vision_model"),
    ),
    **_refused(
        t("reads videos: several pictures at a time, and one is too few"),
        *("videomae", "vivit", "timesformer", "vjepa2", "xclip", "xclip_vision_model"),
    ),
}


def why_refused(config: Any) -> str | None:
    """Why a model's attention cannot be shown, as the end of a sentence; None if it may be shown.

    Of an encoder-decoder that is put together of two models, also why its encoder's cannot.
    """
    parts = [config, *filter(None, [_inner(config, "encoder")])]
    for part in parts:
        if why := family_of(part).refused:
            return why
    if _hears(parts):
        return t(
            "reads sound: it needs a recording, not a text or a picture, and "
            "recordings cannot be given here yet. {others}",
            others=_OTHERS,
        )
    return f"{_UNREAD}. {_OTHERS}" if _only_looks(config) else None


def why_unseen(config: Any, name: str) -> str | None:
    """Why the part for pictures of a model of texts cannot be shown; None if it can, or has none.

    The sentence is for somebody who gave a picture.
    """
    for part in filter(None, (_inner(config, key) for key in _PICTURE_PARTS)):
        if family_of(part).form != "picture":
            why = family_of(part).refused or f"{_UNREAD}. {_OTHERS}"
            return t(
                "The part of “{name}” for pictures is a “{model_type}” model, which {why}.",
                name=name,
                model_type=part.model_type,
                why=why,
            )
    return None


_UNREAD = t(
    "is of a kind that is not known here, so which token stands for which patch cannot be said"
)


def _only_looks(config: Any) -> bool:
    """Whether a model reads pictures alone, in a way that nobody here has read."""
    from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

    kind = config.model_type
    looks = kind in IMAGE_PROCESSOR_MAPPING_NAMES and kind not in TOKENIZER_MAPPING_NAMES
    whole = not any(_inner(config, key) for key in ("text_config", "encoder", *_PICTURE_PARTS))
    return looks and whole and family_of(kind).form != "picture"


def _hears(parts: list[Any]) -> bool:
    """Whether a model reads sound alone; one that also reads texts is a model of text here."""
    from transformers import FEATURE_EXTRACTOR_MAPPING, MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING

    known = any(type(part) in FEATURE_EXTRACTOR_MAPPING for part in parts)
    writes = type(parts[0]) in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING
    texts = any(_inner(parts[0], name) for name in ("text_config", "text_encoder"))
    return known and not writes and not texts


def family_of(config: Any) -> Family:
    """What is known of the family that a configuration, or the name of a model type, belongs to."""
    kind = config if isinstance(config, str) else config.model_type
    return _FAMILIES.get(kind, _STANDARD)


def _inner(config: Any, name: str) -> Any:
    """The configuration of a part; None if there is none of this name."""
    part = getattr(config, name, None)
    return part if hasattr(part, "model_type") else None


def form_of(config: Any) -> Form:
    """What a model or a part of one reads: a text, a picture, a text and what is written of it."""
    return "pair" if getattr(config, "is_encoder_decoder", False) else family_of(config).form


def parts_of(config: Any) -> dict[Form, Any]:
    """The parts of a model that can be shown: what each reads, and its configuration.

    A model of texts and pictures (CLIP, Gemma 3, Qwen-VL) says the sizes of both parts apart; most
    others are one part, and their configuration is that part's.
    """
    encoder = _inner(config, "encoder")
    if encoder is not None and form_of(encoder) == "picture":  # it writes what it sees, as TrOCR
        return {"picture": encoder}
    text = _inner(config, "text_config")
    if text is None and form_of(config) != "text":
        return {form_of(config): config}
    text = text or config
    found = {form_of(text): text}
    for picture in filter(None, (_inner(config, name) for name in _PICTURE_PARTS)):
        if form_of(picture) == "picture":
            found["picture"] = picture
    return found


def parts_in(network: Any) -> dict[Form, Any]:
    """The parts of a network that can be shown: an encoder without its decoder reads a text."""
    found = parts_of(network.config)
    return {"text": found["pair"]} if "pair" in found and _is_encoder(network) else found


def _is_encoder(network: Any) -> bool:
    """Whether a network is the encoder of an encoder-decoder alone, whatever its config says."""
    return network.get_decoder() is network


_PICTURE_PARTS = ("vision_config", "image_config")


def reads_pictures(said: dict[str, Any]) -> bool:
    """Whether a model, or a part of it, reads pictures, by what its config.json says."""
    from transformers import CONFIG_MAPPING

    encoder = said.get("encoder")
    kinds = [said["model_type"]]
    if isinstance(encoder, dict) and isinstance(encoder.get("model_type"), str):
        kinds.append(encoder["model_type"])
    defaults = CONFIG_MAPPING[said["model_type"]].sub_configs_defaults
    for name in _PICTURE_PARTS:
        if name in defaults:
            part = said.get(name)
            own = part.get("model_type") if isinstance(part, dict) else None
            kinds.append(own or defaults[name].model_type)
    return any(family_of(kind).form == "picture" for kind in kinds)


def part_in(network: Any, part: Any) -> Any:
    """The module of a network that belongs to a part of its configuration.

    Raises:
        ExplorerError: There is none: a class of its own joins the parts.
    """
    if type(network.config) is type(part):
        return network
    for module in network.modules():
        if type(getattr(module, "config", None)) is type(part) and hasattr(module, "base_model"):
            return module
    raise ExplorerError(
        t(
            "A “{model_type}” model has no part that reads texts or pictures alone,"
            " so there is nothing that could be shown. Choose another model.",
            model_type=network.config.model_type,
        )
    )


def sizes_of(config: Any) -> dict[str, Any]:
    """How many layers and heads a part has, and its width; None for what it does not say.

    Of an encoder-decoder those of its encoder; where layers differ, the most heads of any.
    """
    config = reader_of(config)

    def said(key: str) -> Any:
        if getattr(config, "is_heterogeneous", False) and key != "num_hidden_layers":
            return max(getattr(layer, key, None) or 0 for layer in config.per_layer_config)
        return getattr(config, key, None)

    return {key: said(key) for key in ("num_hidden_layers", "num_attention_heads", "hidden_size")}


def reader_of(config: Any) -> Any:
    """The configuration of what reads the text: the encoder's, where it has one of its own."""
    encoder = _inner(config, "encoder") or config
    return _inner(encoder, "text_config") or encoder


def sight_of(config: Any) -> Sight:
    """What a vision model reads of a picture."""
    return family_of(config).sight or Sight()


def set_sight(network: Any, config: Any) -> None:
    """Let a vision model read a picture as it is shown: whole, and in its order (MAE)."""
    for key, value in sight_of(config).settings.items():
        setattr(network.config, key, value)


def marks_beside(config: Any) -> tuple[list[str], list[str]]:
    """The marks that a vision model puts before and behind its patches, one by one."""
    sight = sight_of(config)

    def all_of(marks: Marks) -> list[str]:
        counted = [(mark, getattr(config, n) if isinstance(n, str) else n) for mark, n in marks]
        return [mark for mark, n in counted for _ in range(n)]

    return all_of(sight.before), all_of(sight.after)


def first_position(config: Any) -> int:
    """The number that a model gives to the position of a text's first token."""
    return (config.pad_token_id or 0) + 1 if family_of(config).after_padding else 0


def may_remember(config: Any) -> bool:
    """Whether an encoder-decoder may keep keys and values while it writes.

    Transformers counts the layers of T5's encoder when it makes room for its decoder's.
    """
    decoder_layers = getattr(config, "num_decoder_layers", None)
    return decoder_layers is None or decoder_layers == config.num_hidden_layers


def look_at_all(config: Any) -> None:
    """Let a model look at every token, as it does in short texts, before it is built.

    BigBird and Reformer look at blocks of tokens, and at every token in texts up to a length: only
    there is a weight of every token on every token. `most_positions` then says that length.
    """
    if config.model_type == "reformer":
        config.all_up_to = min(config.lsh_attn_chunk_length, config.local_attn_chunk_length)
    if getattr(config, "attention_type", None) == "block_sparse":
        config.attention_type = "original_full"
        # As BigBirdModel.forward counts it.
        config.all_up_to = (5 + 2 * config.num_random_blocks) * config.block_size


def windows_of(config: Any) -> list[int]:
    """How many keys a query sees at most in the layers that do not see the whole text."""
    text = config.get_text_config()
    names = ("sliding_window", "local_attention", "attention_window_size", "attention_chunk_size")
    return [w for w in (getattr(text, name, None) for name in names) if isinstance(w, int)]


def most_positions(config: Any) -> int | None:
    """The most tokens that a model itself takes, as far as its configuration says it.

    Of an encoder-decoder what both take.
    """
    limits = []
    for part in filter(None, (reader_of(config), _inner(config, "decoder"))):
        limits.append(getattr(part, "all_up_to", None))
        for name in ("max_position_embeddings", "max_seq_len"):  # the second is MPT's
            positions = getattr(part, name, None)
            if isinstance(positions, int) and positions > 0:
                whole = positions - positions % _chunk(part)
                limits.append(max(whole - first_position(part), 1))
    return min(filter(None, limits), default=None)


def _chunk(config: Any) -> int:
    """Of how many tokens a model makes its texts multiples: Reformer fills them up to whole chunks.

    Its two kinds of layers have chunks of their own.
    """
    names = ("lsh_attn_chunk_length", "local_attn_chunk_length")
    return math.lcm(*(getattr(config, name, None) or 1 for name in names))


def decoder_start(config: Any) -> int | None:
    """The token with which an encoder-decoder's decoder starts; None if it says none."""
    own = getattr(config, "decoder_start_token_id", None)
    if own is None:  # T5Gemma says it as a decoder alone does
        own = getattr(_inner(config, "decoder"), "bos_token_id", None)
    return own if type(own) is int else None


def plain_layers(network: Any) -> Any:
    """The layers of a model whose attention is plain, as a list of modules.

    Raises:
        ExplorerError: Its attention is built in another way than the from-scratch layer's.
    """
    body = getattr(network, network.base_model_prefix, network)  # below a head, if there is one
    return attrgetter(_plain(network).layers)(body)


def projections(network: Any, layer: int) -> tuple[Any, Any, Any, Any]:
    """The four linear maps of a layer's attention: query, key, value, output.

    Raises:
        ExplorerError: There is no such layer, or its attention is built in another way.
    """
    layers = plain_layers(network)
    if not 0 <= layer < len(layers):
        raise ExplorerError(
            t(
                "There is no layer {layer}: this model has the layers 0 to {value}.",
                layer=layer,
                value=len(layers) - 1,
            )
        )
    found = attrgetter(*_plain(network).maps)(layers[layer])
    width = network.config.hidden_size
    if any(m.weight.shape != (width, width) or m.bias is None for m in found):
        raise ExplorerError(_other_kind(network))
    return found


def layer_norm(network: Any, layer: int) -> Any:
    """The LayerNorm behind the residual connection round a layer's attention.

    Raises:
        ExplorerError: Its attention is built in another way than the from-scratch layer's.
    """
    return attrgetter(_plain(network).norm)(plain_layers(network)[layer])


def _plain(network: Any) -> PlainLayers:
    plain = family_of(network.config).plain
    if plain is None:
        raise ExplorerError(_other_kind(network))
    return plain


def _other_kind(network: Any) -> str:
    return t(
        "The attention of a “{model_type}” model is built in another way than "
        "the from-scratch layer’s, so it cannot be walked through or "
        "transplanted step by step. BERT, RoBERTa, XLM-RoBERTa, CamemBERT, "
        "ELECTRA and DistilBERT can.",
        model_type=network.config.model_type,
    )
