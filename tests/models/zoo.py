"""One tiny random model of every architecture that is checked, and what Transformers makes of it.

A configuration is its class's own with every size made small by its name; what a class needs
beside that stands in the tables below. Every window is 8 tokens, far shorter than the text.
"""

from dataclasses import dataclass

import numpy as np
import torch
import transformers
from transformers import CONFIG_MAPPING, PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_MAPPING

from explorer.layers import FromScores, GivenWeights
from explorer.run import PARTS, Run
from explorer.source import Folder
from explorer.sources import trace_run
from explorer.sources.loading import load_model
from explorer.sources.pictures import picture_of
from explorer.sources.progress import silent
from tests.models.tiny import byte_level, drawing, png_of

TEXT = "a cat sat on the mat because it was tired."  # 34 tokens
TARGET = "die katze war müde."
SIDE = 32  # pixels

# --- small sizes --------------------------------------------------------------------------------

_SIZES = {
    400: "vocab_size decoder_vocab_size vocab_size_per_layer_input src_vocab_size tgt_vocab_size",
    160: "max_position_embeddings n_positions n_ctx max_seq_len max_target_positions",
    32: "hidden_size d_model n_embd dim embedding_size emb_dim embed_dim lru_width image_size "
    "projection_dim true_hidden_size hidden_size_per_layer_input input_embedding_size mlp_dim "
    "intermediate_size d_ff hidden_dim encoder_ffn_dim decoder_ffn_dim ffn_dim d_inner "
    "ffn_hidden_size moe_intermediate_size shared_expert_intermediate_size "
    "moe_shared_expert_intermediate_size expert_ffn_hidden_size shared_intermediate_size "
    "intermediate_size_mlp dense_intermediate_size pronunciation_vocab_size shape_vocab_size",
    16: "adapter_rank mamba_d_head mamba_head_dim entity_vocab_size",
    8: "head_dim d_kv d_head global_head_dim kv_channels attention_head_size patch_size "
    "linear_key_head_dim linear_value_head_dim linear_head_dim mamba_d_state ssm_state_size "
    "mamba_chunk_size chunk_size mamba_dt_rank lora_rank q_lora_rank kv_lora_rank block_size "
    "qk_rope_head_dim qk_nope_head_dim index_head_dim index_topk laurel_rank entity_emb_size "
    "sliding_window local_attention attention_window_size window_size attention_chunk_size "
    "local_radius",
    6: "v_head_dim",  # not that of the keys
    4: "num_hidden_layers encoder_layers decoder_layers num_layers num_decoder_layers n_layers "
    "n_layer num_encoder_layers depth num_attention_heads encoder_attention_heads num_heads "
    "decoder_attention_heads n_heads n_head num_encoder_attention_heads rotary_dim "
    "num_decoder_attention_heads num_experts num_local_experts n_routed_experts moe_num_experts "
    "attention_heads linear_num_heads index_n_heads linear_num_key_heads linear_num_value_heads "
    "n_mamba_heads mamba_n_heads mamba_num_heads num_detection_tokens",
    2: "num_key_value_heads num_kv_heads kv_n_heads num_global_key_value_heads moe_top_k moe_topk "
    "num_experts_per_tok moe_k num_experts_per_token top_k",
    1: "n_group topk_group num_mtp_layers n_shared_experts moe_num_shared_experts mamba_n_groups "
    "n_groups first_k_dense_replace zero_expert_num",
    64: "mamba_d_ssm",
}
SMALL = {name: size for size, names in _SIZES.items() for name in names.split()}
_IDS = {"bos": 0, "pad": 1, "eos": 2, "cls": 0, "sep": 2, "mask": 4, "decoder_start": 2}

_MLA = {"num_key_value_heads": 4}  # as latent attention has it: keys for every head
_GRANITE = {"attention_multiplier": 0.3}  # 1 by default, and a hundredth in checkpoints
_EXPERTS = {"num_experts_per_tok": 2, "n_shared_experts": 1, "n_routed_experts": 4}
_MIXED = {"layer_types": ["linear_attention", "full_attention"] * 2}
_WINDOW = {"sliding_window": 8}
_CONVOLVED = {"layer_types": ["conv", "full_attention"] * 2}
_THREE = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}
_AXES = {"rope_parameters": _THREE}  # time, height and width of what stands in a picture

ENCODERS = {
    "albert": {"inner_group_num": 2},
    "bert": {},
    "bert as a decoder": {"is_decoder": True},
    "bert-generation": {},
    "big_bird": {"attention_type": "original_full"},
    "camembert": {},
    "convbert": {},
    "data2vec-text": {},
    "deberta": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "deberta-v2": {
        "relative_attention": True,
        "pos_att_type": ["c2p", "p2c"],
        "position_buckets": 8,
    },
    "distilbert": {},
    "dpr": {},
    "electra": {},
    "ernie": {},
    "esm": {"vocab_size": 400, "pad_token_id": 1, "mask_token_id": 4},
    "esmc": _MLA,
    "eurobert": {},
    "flaubert": {},
    "gte": {},
    "ibert": {},
    "jina_embeddings_v3": {},
    "layoutlm": {},
    "luke": {},
    "markuplm": {},
    "megatron-bert": {},
    "mobilebert": {"normalization_type": "layer_norm"},
    "modernbert": {},
    "mpnet": {},
    "nomic_bert": {},
    "nystromformer": {},
    "openai_privacy_filter": {},
    "reformer": {"axial_pos_embds_dim": [16, 16], "axial_pos_shape": [8, 8]},
    "rembert": {},
    "roberta": {},
    "roberta-prelayernorm": {},
    "roc_bert": {},
    "roformer": {},
    "splinter": {},
    "tapas": {},
    "ultrabert": {},
    "visual_bert": {},
    "xlm": {},
    "xlm-roberta": {},
    "xlm-roberta-xl": {},
    "xlnet": {},
    "xmod": {"default_language": "en_XX"},
}
DECODERS = {
    "afmoe": {},
    "apertus": {},
    "arcee": {},
    "biogpt": {},
    "bitnet": {},
    "bloom": {},
    "codegen": {},
    "cohere": {},
    "cohere2": {},
    "cohere2_moe": {},
    "ctrl": {"dff": 32},
    "cwm": {},
    "dbrx": {
        "attn_config": {"kv_n_heads": 2, "clip_qkv": 8, "rope_theta": 1e4},
        "ffn_config": {"ffn_hidden_size": 32, "moe_num_experts": 4, "hidden_size": 32},
    },
    "deepseek_v2": _MLA | _EXPERTS,
    "deepseek_v3": _MLA,
    "diffllama": {},
    "doge": {},
    "dots1": _EXPERTS,
    "ernie4_5": {},
    "ernie4_5_moe": {},
    "exaone4": {"sliding_window_pattern": 2},
    "exaone_moe": {},
    "falcon": {},
    "falcon alibi": {"alibi": True},
    "falcon of many key heads": {"new_decoder_architecture": True},
    "falcon one by one": {"multi_query": False, "num_kv_heads": 4},
    "flex_olmo": {},
    "gemma": {},
    "gemma2": {},
    "gemma3_text": {"layer_types": ["sliding_attention", "full_attention"] * 2},
    "gemma3n_text": {
        "num_kv_shared_layers": 2,
        "intermediate_size": 32,
        "activation_sparsity_pattern": [0.0] * 4,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
    },
    "gemma4_text": {},
    "glm": {},
    "glm4": {},
    "glm4_moe": {},
    "glm4_moe_lite": _MLA,
    "gpt2": {},
    "gpt2 scaled by layer": {"scale_attn_by_inverse_layer_idx": True},
    "gpt_bigcode": {},
    "gpt_bigcode of many key heads": {"multi_query": False},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "gpt_neox": {},
    "gpt_neox_japanese": {},
    "gpt_oss": {},
    "gptj": {},
    "granite": _GRANITE,
    "granitemoe": _GRANITE,
    "granitemoeshared": _GRANITE,
    "helium": {},
    "hrm_text": {},
    "hunyuan_v1_dense": {"head_dim": 8},
    "hunyuan_v1_moe": {"head_dim": 8, "num_experts": 4},
    "hy_v3": {},
    "jais2": {},
    "jetmoe": {},
    "llama": {},
    "llama4_text": {},
    "longcat_flash": _MLA,
    "mimo_v2_flash": {},
    "minicpm3": _MLA,
    "minimax_m2": {},
    "minimax_m3_vl_text": {},
    "ministral": {"head_dim": 8},
    "ministral3": {},
    "mistral": {},
    "mistral4": _MLA,
    "mixtral": {},
    "mixtral with a window": _WINDOW,
    "modernbert-decoder": {},
    "mpt": {},
    "nanochat": {},
    "nemotron": {"num_key_value_heads": 2},
    "olmo": {},
    "olmo2": {},
    "olmo3": {},
    "olmoe": {},
    "openai-gpt": {},
    "opt": {},
    "persimmon": {},
    "phi": {},
    "phi3": {},
    "phi3 with a window": _WINDOW,
    "phimoe": {},
    "qwen2": {},
    "qwen2 with a window": _WINDOW | {"use_sliding_window": True, "max_window_layers": 2},
    "qwen2_moe": {},
    "qwen3": {},
    "qwen3_moe": {"num_experts": 4},
    "seed_oss": {},
    "smollm3": {},
    "solar_open": {},
    "stablelm": {},
    "starcoder2": {},
    "vaultgemma": {},
    "xglm": {},
    "youtu": _MLA,
}
# Only some of their layers, or a part of each, are attention.
HYBRIDS = {
    "bamba": {"attn_layer_indices": [1, 3]},
    "falcon_h1": {},
    "granitemoehybrid": _GRANITE | _MIXED,
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "kimi_linear": _MLA | _MIXED | _EXPERTS | {"num_local_experts": 4},
    "lfm2": _CONVOLVED,
    "lfm2_moe": _CONVOLVED,
    "lfm3": {},
    "minimax": {},
    "nemotron_h": {},
    "olmo_hybrid": {},
    "qwen3_5_moe_text": {},
    "qwen3_5_text": {},
    "qwen3_next": {},
    "recurrent_gemma": {},
    "zamba": {"layer_types": ["linear_attention", "hybrid"] * 2},
    "zamba2": {"layers_block_type": ["linear_attention", "hybrid"] * 2},
}
# The text part of a model that also reads pictures or sound.
TEXT_PARTS = {
    "altclip": {},
    "aria": {},
    "chinese_clip": {},
    "clip": {},
    "clip_text_model": {},
    "clipseg": {},
    "deepseek_vl": {},
    "fuyu": {},
    "gemma3": {"text_config": {"layer_types": ["sliding_attention", "full_attention"] * 2}},
    "git": {},
    "granite_speech": {},
    "idefics2": {},
    "idefics3": {},
    "internvl": {},
    "lfm2_vl": {},
    "llava": {},
    "llava_next": {},
    "llava_next_video": {},
    "llava_onevision": {},
    "metaclip_2": {},
    "mistral3": {},
    "mllama": {},
    "modernvbert": {},
    "ovis2": {},
    "paligemma": {},
    "qwen2_5_vl": {"text_config": _AXES, "vision_config": {"out_hidden_size": 32}},
    "qwen2_audio": {},
    "qwen2_vl": {"text_config": _AXES, "vision_config": {"num_heads": 2}},
    "qwen3_5": {},
    "qwen3_vl": {},
    "siglip": {},
    "siglip2": {},
    "smolvlm": {},
    "video_llama_3": {},
    "video_llava": {},
    "vipllava": {},
    "voxtral": {},
}
PAIRS = {
    "bart": {},
    "blenderbot": {},
    "blenderbot-small": {},
    "bigbird_pegasus": {"attention_type": "original_full"},
    "encoder-decoder": {},
    "fsmt": {},
    "m2m_100": {},
    "marian": {},
    "mbart": {},
    "mt5": {},
    "mvp": {},
    "nllb-moe": {},
    "pegasus": {},
    "plbart": {},
    "switch_transformers": {},
    "t5": {},
    "t5gemma": {},
    "umt5": {},
}
PICTURES = {
    "beit": {"use_relative_position_bias": True},
    "clip": {},
    "clip_vision_model": {},
    "data2vec-vision": {"use_relative_position_bias": True},
    "deit": {},
    "dinov2": {},
    "dinov2_with_registers": {},
    "dinov3_vit": {},
    "ijepa": {},
    "siglip": {},
    "siglip_vision_model": {},
    "vit": {},
    "vit_mae": {"mask_ratio": 0.0},
    "vit_msn": {},
    "yolos": {},
}

# What the app refuses: what is given to read, what the class needs, and words of the sentence.
_NOT_ALL = "returns no attention of every token on every token"
_NONE = "has no attention"
_SOUND = "reads sound"
REFUSED: dict[str, tuple[str, dict[str, object], str]] = {
    "canine": ("text", {}, _NOT_ALL),
    "convnext": ("picture", {"hidden_sizes": [8] * 4, "depths": [1] * 4}, _NONE),
    "deepseek_v4": ("text", {}, _NOT_ALL),
    "fnet": ("text", {}, _NONE),
    "funnel": ("text", {}, _NOT_ALL),
    "imagegpt": ("text", {}, "which token stands for which patch cannot be said"),
    "led": ("pair", {}, "looks through a window"),
    "longformer": ("text", {}, "looks through a window"),
    "longt5": ("pair", {}, "looks through a window"),
    "mamba": ("text", {}, _NONE),
    "moshi": ("text", {}, _SOUND),
    "mra": ("text", {}, _NOT_ALL),
    "pegasus_x": ("pair", {}, _NOT_ALL),
    "prophetnet": ("pair", {}, _NOT_ALL),
    "rwkv": ("text", {}, _NONE),
    "squeezebert": ("text", {}, "hands out scores"),
    "swin": (
        "picture",
        {"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2]},
        "window by window",
    ),
    "wav2vec2": ("text", {"conv_dim": [8] * 7}, _SOUND),
    "whisper": ("text", {}, _SOUND),
    "yoso": ("text", {}, _NOT_ALL),
}
GROUPS: dict[str, tuple[str, dict[str, dict[str, object]]]] = {
    "encoders": ("text", ENCODERS),
    "decoders": ("text", DECODERS),
    "hybrids": ("text", HYBRIDS),
    "text parts": ("text", TEXT_PARTS),
    "encoder-decoders": ("pair", PAIRS),
    "pictures": ("picture", PICTURES),
}


# How many keys a query sees at most, in models whose layers do not all see the whole text.
_EIGHT = "afmoe cohere2 cohere2_moe cwm exaone4 exaone_moe gemma2 gemma3 gemma3_text gemma3n_text "
_EIGHT += "gemma4_text gpt_neo gpt_oss idefics2 llama4_text mimo_v2_flash ministral mistral "
_EIGHT += "mistral3 olmo3 recurrent_gemma t5gemma vaultgemma"
WINDOWS = dict.fromkeys(_EIGHT.split(), 8) | {"modernbert": 9, "modernbert-decoder": 4}
WINDOWS |= {"modernvbert": 9, "openai_privacy_filter": 17, "ultrabert": 17}
WINDOWS |= {name: 8 for name in DECODERS if name.endswith("with a window")}


def config_of(name, own):
    """A small configuration of a model type, the first word of a name, with what it needs."""
    kind = name.split()[0]
    if kind == "encoder-decoder":
        reads = config_of("bert", {})
        writes = config_of("bert", {"is_decoder": True, "add_cross_attention": True})
        parts = {"encoder": reads.to_dict(), "decoder": writes.to_dict()}
        return transformers.EncoderDecoderConfig(**parts, pad_token_id=1)
    return _small(CONFIG_MAPPING[kind], own)


def _small(cls, own):
    default = cls()
    found = {}
    for name in cls.__dataclass_fields__:
        value = vars(default).get(name)
        token = name.removesuffix("_token_id")
        if isinstance(value, PreTrainedConfig):
            found[name] = _small(type(value), own.get(name, {}))
        elif token != name and token in _IDS and value is not None:
            found[name] = _IDS[token]
        elif name in SMALL and type(value) is int:
            found[name] = SMALL[name]
    parts = {key for key, value in found.items() if isinstance(value, PreTrainedConfig)}
    return cls(**(found | {key: value for key, value in own.items() if key not in parts}))


def build(name, own, seed=0):
    """A model of a name: random numbers of a size that makes heads differ."""
    config = config_of(name, own)
    config._attn_implementation = "eager"
    if config.is_encoder_decoder:
        config.decoder_start_token_id = 2  # every checkpoint says it
    if name == "encoder-decoder":
        maker = transformers.EncoderDecoderModel
    else:
        maker = MODEL_MAPPING[type(config)]
        maker = maker[0] if isinstance(maker, tuple) else maker
    model = maker(config)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad and p.is_floating_point():
                noise = torch.randn(p.shape, generator=draw)
                p.copy_(0.12 * noise if p.ndim > 1 else p + 0.1 * noise)
    return model.eval()


# --- the model itself, and what the app shows of it ---------------------------------------------

# What reads, in models that have one part for text and another for pictures.
_READERS = {"text": "text_model", "picture": "vision_model"}
_BY_ITSELF = ("altclip", "chinese_clip", "clip", "clipseg", "metaclip_2", "siglip", "siglip2")
_SHOWN = {"encoder": "encoder_attentions", "decoder": "decoder_attentions"}
_SHOWN |= {"cross": "cross_attentions"}
_KINDS = ("layer_types", "layers_block_type", "block_types")
_NO_ATTENTION = ("linear_attention", "conv", "mamba", "recurrent", "moe", "mlp")


@dataclass(frozen=True)
class Checked:
    """What came of one model.

    Attributes:
        cls: The class of the model.
        form: How its attention is kept: ``scores`` or ``weights``.
        layers: Numbers of the layers shown, by part.
        tokens: How many tokens were read.
        window: From the first key to the last that a query sees, at most, in the layer where that
            is least; None if in every layer some query sees from the first key to the last.
        score: The largest score of a query and a key; 0 of given weights.
        weights: The largest difference of a weight.
        output: The largest difference of the last hidden state, relative to its largest number.
    """

    cls: str
    form: str
    layers: dict[str, tuple[int, ...]]
    tokens: int
    window: int | None
    score: float
    weights: float
    output: float


def save(model, reads, folder):
    """A folder with a model and what it reads with."""
    model.save_pretrained(folder)
    if reads == "picture":
        size = {"height": SIDE, "width": SIDE}
        transformers.ViTImageProcessorPil(size=size).save_pretrained(folder)
    else:
        byte_level().save_pretrained(folder)


def inputs_of(model, reads, folder):
    """What the model is called with, made by Transformers' own tokenizer or processor."""
    if reads == "picture":
        processor = transformers.ViTImageProcessorPil(size={"height": SIDE, "width": SIDE})
        pixels = processor(drawing(), return_tensors="pt")["pixel_values"]
        if model.config.model_type == "vit_mae":  # it reads patches in the order of a noise
            return {"pixel_values": pixels, "noise": torch.arange(16.0)[None]}
        return {"pixel_values": pixels}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    inputs = dict(tokenizer(TEXT, return_tensors="pt", return_token_type_ids=False))
    if reads == "pair":
        ids = tokenizer(TARGET)["input_ids"][:-1]
        start = model.config.decoder_start_token_id
        inputs |= {"decoder_input_ids": torch.tensor([[start, *ids]]), "use_cache": False}
    return inputs


def eager(model, reads, folder):
    """The last hidden state of a model's own eager attention, and its weights by part."""
    inputs = inputs_of(model, reads, folder)
    if model.config.model_type in _BY_ITSELF:
        model = getattr(model, _READERS[reads])
    with torch.inference_mode():
        out = model(**inputs, output_attentions=True)
    if reads == "pair":
        return out[0], {part: _whole(out[_SHOWN[part]]) for part in PARTS}
    return out[0], {"": _whole(out.attentions)}


def _whole(attentions):
    """Those that are of every token on every token, ``[head, query, key]`` each."""
    found = [a[0].float().numpy() for a in attentions if a is not None and a.dim() == 4]
    sides = max(a.shape[1:] for a in found)
    return [a for a in found if a.shape[1:] == sides]


def numbers_of(model, n):
    """The numbers of the layers with attention, as a model's configuration tells them."""
    config = model.config.get_text_config()
    kinds = next((getattr(config, k) for k in _KINDS if getattr(config, k, None)), None) or []
    found = [i for i, kind in enumerate(kinds) if kind not in _NO_ATTENTION]
    return tuple(found) if len(found) == n else tuple(range(n))


def check(name, own, reads, folder):
    """Hold what the app shows of a model against the model itself.

    Raises:
        ExplorerError: The app refuses it.
    """
    model = build(name, own)
    save(model, reads, folder)
    traces = {
        part: trace_run(_run(reads, part, folder)) for part in (PARTS if reads == "pair" else ("",))
    }
    hidden, wanted = eager(model, reads, folder)
    off, score, spans = 0.0, 0.0, []
    for part, trace in traces.items():
        assert trace.numbers == numbers_of(model, len(wanted[part])), (
            trace.numbers,
            len(wanted[part]),
        )
        for layer, want in zip(trace.layers, wanted[part], strict=True):
            off = max(off, float(np.abs(layer.weights() - want).max()))
            score = max(score, _score(layer))
            spans += [_span(want)] if _span(want) < want.shape[2] else []
    loaded = load_model(Folder(str(folder)), silent)
    network = loaded.whole if reads == "pair" else loaded.network
    with torch.inference_mode():
        ours = network(**inputs_of(model, reads, folder))[0]
    forms = {type(layer) is FromScores for trace in traces.values() for layer in trace.layers}
    return Checked(
        type(model).__name__,
        " and ".join("scores" if f else "weights" for f in sorted(forms, reverse=True)),
        {part: trace.numbers for part, trace in traces.items()},
        max(len(trace.key_tokens) for trace in traces.values()),
        min(spans, default=None),
        score,
        off,
        float((ours - hidden).abs().max() / hidden.abs().max()),
    )


def _score(layer):
    """The largest score in a layer, by the weight that came of it."""
    if isinstance(layer, GivenWeights):
        return 0.0
    heads = range(layer.n_heads)
    return max(float((np.log(layer.rows(h).max(-1)) + layer.log_sum_exp(h)).max()) for h in heads)


def _span(weights):
    """From the first key to the last that a query sees, at most."""
    seen = (weights > 0).any(0)
    ends = seen.shape[1] - seen[:, ::-1].argmax(-1)
    return int((ends - seen.argmax(-1)).max())


def _run(reads, part, folder):
    source = Folder(str(folder))
    if reads == "picture":
        return Run(picture=picture_of(png_of(drawing())), source=source)
    return Run(TEXT, TARGET, source, part) if reads == "pair" else Run(TEXT, source=source)
