"""What of a model is loaded, and what is not: parts, hybrids, encoders alone, true refusals."""

import json
import re
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.models.auto.configuration_auto import (
    CONFIG_MAPPING_NAMES,
    model_type_to_module_name,
)
from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

import explorer
from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Folder
from explorer.sources import families, trace_run
from explorer.sources.checking import _check_read
from explorer.sources.layertraces import trace_layer
from explorer.sources.loading import load_model
from explorer.sources.pictures import picture_of
from explorer.sources.progress import silent
from tests.models.tiny import AGAINST_EAGER, byte_level, drawing, png_of, tiny_writer

TEXT = "the cats naïve."
SIZES = {
    "vocab_size": 300,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "initializer_range": 0.5,  # so that heads differ
}
IDS = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
PLACES = SIZES | IDS | {"max_position_embeddings": 40}
GROUPED = SIZES | IDS | {"num_key_value_heads": 1, "head_dim": 8}
PATCHES = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 4}
PATCHES |= {"intermediate_size": 16, "image_size": 32, "patch_size": 8}
CLIP = {"text_config": PLACES, "vision_config": PATCHES}


def saved(maker, folder, **settings):
    """A random model in a folder, with a tokenizer of 290 pieces."""
    torch.manual_seed(0)
    maker = getattr(transformers, maker)
    model = maker(maker.config_class(**settings)).eval()
    model.save_pretrained(folder)
    byte_level().save_pretrained(folder)
    return model


def source_of(folder):
    return f"path:{folder}"


def change(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def eager_weights(network, **more):
    network.set_attn_implementation("eager")
    ids = byte_level()(TEXT, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        out = network(input_ids=ids, output_attentions=True, **more)
    return torch.cat([a for a in out.attentions if a is not None]).numpy()


def near(trace, want):
    assert trace.weights.shape == want.shape
    assert np.abs(trace.weights - want).max() <= AGAINST_EAGER


# --- parts --------------------------------------------------------------------------------------

QWEN = GROUPED | {"rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]}}
QWEN |= {"num_key_value_heads": 1}
SEES = {"depth": 1, "hidden_size": 16, "num_heads": 2, "intermediate_size": 16}
NESTED = {
    "CLIPModel": (CLIP, "text_model"),
    "SiglipModel": (CLIP, "text_model"),
    "Gemma3ForConditionalGeneration": (
        {"text_config": GROUPED | {"sliding_window": 3}, "vision_config": PATCHES}
        | {"mm_tokens_per_image": 4},
        "model.language_model",
    ),
    "Qwen2_5_VLForConditionalGeneration": (
        {"text_config": QWEN, "vision_config": SEES | {"out_hidden_size": 16}},
        "model.language_model",
    ),
    "LlavaForConditionalGeneration": (
        {
            "text_config": {"model_type": "llama"} | GROUPED,
            "vision_config": {"model_type": "clip_vision_model"} | PATCHES,
        },
        "model.language_model",
    ),
}


@pytest.mark.parametrize("maker", NESTED)
def test_a_text_is_read_by_the_part_of_a_model_that_reads_texts(maker, tmp_path):
    settings, part = NESTED[maker]
    model = saved(maker, tmp_path, **settings)
    trace = explorer.trace(TEXT, source=source_of(tmp_path))
    near(trace, eager_weights(model.get_submodule(part)))
    assert trace.model.d_model == 16


def test_a_model_of_texts_and_pictures_reads_either_by_its_own_part(tmp_path):
    model = saved("CLIPModel", tmp_path, **CLIP)
    transformers.CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(tmp_path)
    picture = picture_of(png_of(drawing()))
    source = Folder(str(tmp_path))
    seen = trace_run(Run(picture=picture, source=source))
    assert (seen.model.n_layers, seen.model.n_heads, seen.patches.rows) == (3, 4, 4)
    read = trace_run(Run(TEXT, source=source))
    near(read, eager_weights(model.text_model))
    loaded = load_model(source, silent)
    assert loaded.nbytes == sum(p.nbytes for p in model.parameters())  # both parts are kept


def test_a_part_whose_files_are_missing_is_named_and_the_other_one_works(tmp_path):
    saved("CLIPModel", tmp_path, **CLIP)
    picture = picture_of(png_of(drawing()))
    with pytest.raises(ExplorerError, match=r"has no preprocessor_config\.json"):
        trace_run(Run(picture=picture, source=Folder(str(tmp_path))))
    assert trace_run(Run(TEXT, source=Folder(str(tmp_path)))).model.n_layers == 2


def test_a_part_that_alone_looks_another_way_says_so(tmp_path):
    sees = {"model_type": "siglip_vision_model"} | PATCHES
    reads = {"model_type": "gemma"} | GROUPED
    saved("PaliGemmaForConditionalGeneration", tmp_path, text_config=reads, vision_config=sees)
    trace = explorer.trace(TEXT, source=source_of(tmp_path))
    assert "Behind a picture" in trace.model.notes[0]
    assert np.triu(trace.weights, 1).max() == 0


# --- encoders, decoders -------------------------------------------------------------------------

T5 = {"vocab_size": 300, "d_model": 16, "num_layers": 2, "num_heads": 2, "d_ff": 16, "d_kv": 8}


@pytest.mark.parametrize("maker", ["T5EncoderModel", "UMT5EncoderModel", "MT5EncoderModel"])
@pytest.mark.parametrize("named", ["EncoderModel", "ForConditionalGeneration"])
def test_an_encoder_saved_without_its_decoder_is_a_model_of_text(maker, named, tmp_path):
    model = saved(maker, tmp_path, **T5)
    change(tmp_path, is_encoder_decoder=True, architectures=[f"{maker[:-12]}{named}"])
    trace = explorer.trace(TEXT, source=source_of(tmp_path))
    near(trace, eager_weights(model))
    assert trace.model.part is None
    again = explorer.trace(TEXT, model=model, tokenizer=byte_level())
    assert np.abs(again.weights - trace.weights).max() <= AGAINST_EAGER


PAIRS = {
    "T5GemmaForConditionalGeneration": {"encoder": GROUPED, "decoder": GROUPED},
    "EncoderDecoderModel": {
        "encoder": {"model_type": "bert"} | PLACES,
        "decoder": {"model_type": "bert"} | PLACES | {"is_decoder": True}
        | {"add_cross_attention": True, "num_attention_heads": 4},
        "decoder_start_token_id": 0,
        "pad_token_id": 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("maker", PAIRS)
def test_an_encoder_and_a_decoder_with_sizes_of_their_own_are_a_pair(maker, tmp_path):
    model = saved(maker, tmp_path, **PAIRS[maker])
    model.set_attn_implementation("eager")
    ids = [byte_level()(text, return_tensors="pt")["input_ids"] for text in (TEXT, "a cat")]
    written = torch.cat([torch.tensor([[0]]), ids[1][:, :-1]], dim=1)  # without its closing mark
    with torch.inference_mode():
        out = model(
            input_ids=ids[0], decoder_input_ids=written, output_attentions=True, use_cache=False
        )
    for part in ("encoder", "cross", "decoder"):
        trace = trace_run(Run(TEXT, "a cat", Folder(str(tmp_path)), part))
        near(trace, torch.cat(getattr(out, f"{part}_attentions")).numpy())


# --- what has not every layer, or another number of them ----------------------------------------

FOUR = GROUPED | {"num_hidden_layers": 4, "num_key_value_heads": 2}
LINEAR = {f"linear_{a}_{b}": 2 if "num" in a else 8 for a, b in [
    ("num_key", "heads"), ("num_value", "heads"), ("key_head", "dim"), ("value_head", "dim")
]}  # fmt: skip
HYBRIDS = {
    "Lfm2ForCausalLM": ((1, 3), {"layer_types": ["conv", "full_attention"] * 2}),
    "Qwen3NextForCausalLM": (
        (1, 3),
        {"layer_types": ["linear_attention", "full_attention"] * 2, "num_experts": 2}
        | {"num_experts_per_tok": 1, "moe_intermediate_size": 16} | LINEAR
        | {"shared_expert_intermediate_size": 16},
    ),
    "RecurrentGemmaForCausalLM": (
        (2,),
        {"block_types": ["recurrent", "recurrent", "attention"], "lru_width": 16}
        | {"num_key_value_heads": 1},
    ),
    "AlbertForMaskedLM": (
        tuple(range(8)),  # each of the four is two
        {"inner_group_num": 2, "embedding_size": 8},
    ),
}  # fmt: skip


@pytest.mark.parametrize("maker", HYBRIDS)
def test_the_layers_with_attention_keep_the_models_own_numbers(maker, tmp_path):
    numbers, settings = HYBRIDS[maker]
    model = saved(maker, tmp_path, **(FOUR | settings))
    trace = explorer.trace(TEXT, source=source_of(tmp_path))
    assert trace.numbers == numbers
    assert trace.model.n_layers == len(numbers)
    near(trace, eager_weights(model.base_model))


def test_a_model_with_fewer_heads_than_its_configuration_says_shows_those_that_it_has(tmp_path):
    model = saved("ConvBertModel", tmp_path, **(PLACES | {"num_attention_heads": 4}))
    trace = explorer.trace(TEXT, source=source_of(tmp_path))
    assert trace.model.n_heads == 2  # the other half are convolutions
    near(trace, eager_weights(model))


def test_bigbird_is_read_as_far_as_it_looks_at_every_token(tmp_path):
    places = PLACES | {"max_position_embeddings": 128, "block_size": 4, "num_random_blocks": 1}
    model = saved("BigBirdModel", tmp_path, **places)
    assert model.config.attention_type == "block_sparse"
    trace = explorer.trace(TEXT * 9, source=source_of(tmp_path))
    assert trace.model.max_tokens == len(trace.query_tokens) == 28  # (5 + 2 · 1) · 4
    assert trace.n_cut[0] > 0
    ids = byte_level()(TEXT * 9, truncation=True, max_length=28, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        own = model(ids).last_hidden_state  # which goes over to all tokens by itself
        ours = load_model(Folder(str(tmp_path)), silent).network(ids).last_hidden_state
    assert (own - ours).abs().max() <= AGAINST_EAGER


# --- refusals -----------------------------------------------------------------------------------

OTHERWISE = {
    "LongformerModel": (PLACES | {"attention_window": [4, 4]}, "looks through a window"),
    "MambaModel": ({"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 2}, "no attention"),
    "FNetModel": (PLACES, "has no attention"),
    "ShieldGemma2ForImageClassification": (
        {"text_config": GROUPED, "vision_config": PATCHES, "mm_tokens_per_image": 4},
        "has no plain network",
    ),
    "ResNetModel": ({"hidden_sizes": [8, 8, 8, 8]}, "has no attention"),
}


@pytest.mark.parametrize("maker", OTHERWISE)
def test_a_model_whose_attention_is_none_or_a_part_of_one_is_refused_with_the_reason(
    maker, tmp_path
):
    settings, words = OTHERWISE[maker]
    saved(maker, tmp_path, **settings)
    with pytest.raises(ExplorerError, match=rf"{words}.*[Cc]hoose a"):
        explorer.trace(TEXT, source=source_of(tmp_path))


def test_weights_of_attention_that_transformers_leaves_out_are_no_small_matter(tmp_path):
    saved("BertModel", tmp_path, **PLACES)
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    place = "encoder.layer.0.attention.self"
    harmless = {f"{place}.rotary.inv_freq": torch.ones(4), "embeddings.position_ids": torch.ones(4)}
    save_file(weights | harmless, path, {"format": "pt"})
    assert explorer.trace(TEXT, source=source_of(tmp_path)).model.n_layers == 2

    folder = tmp_path / "another"
    folder.mkdir()
    saved("BertModel", folder, **PLACES)
    more = {f"{place}.distance_embedding.weight": torch.ones(79, 8)}
    save_file(weights | more, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ExplorerError, match=re.escape(f"{place}.distance_embedding.weight")):
        explorer.trace(TEXT, source=source_of(folder))


UNREAD = {
    ("bert", "position_embedding_type"): ("relative_key", "relative_key_query", "alibi"),
    **{
        (kind, "position_embedding_type"): ("relative_key", "relative_key_query")
        for kind in ("albert", "camembert", "electra", "ernie", "esm", "roberta", "xlm-roberta")
    },
    ("roberta", "attention_window"): ([512] * 12,),
    ("gpt2", "rotary"): (True,),
    ("llama", "attn_logit_softcapping"): (50.0,),
    ("llama", "sliding_window"): (8,),
    ("llama", "clip_qkv"): (0.1,),
    ("llama", "partial_rotary_factor"): (0.5,),
    ("llama", "nope_layer_interval"): (2,),
    ("llama", "no_rope_layer_interval"): (1, 4),
    ("llama", "use_logn"): (True,),
    ("llama", "use_dynamic_ntk"): (True,),
    ("mistral", "partial_rotary_factor"): (0.25,),
    ("qwen2", "use_mrope"): (True,),
    ("opt", "alibi"): (True,),
    ("distilbert", "rope_theta"): (10000.0,),
    ("vit", "use_relative_position_bias"): (True,),
    ("qwen2", "use_attention_sinks"): (True,),
}


@pytest.mark.parametrize(("kind", "key"), UNREAD)
def test_a_setting_of_attention_that_nobody_reads_is_refused_by_name(kind, key):
    for value in UNREAD[kind, key]:
        with pytest.raises(ExplorerError, match=f"“{key}” in its config.json is .*“{kind}” model"):
            _check_read({"model_type": kind, key: value}, kind, "x")
        _check_read({"model_type": kind, key: None}, kind, "x")


@pytest.mark.parametrize("place", ["rope_parameters", "rope_scaling"])
def test_a_part_that_is_not_turned_is_refused_wherever_it_is_said(place):
    part = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}
    for said in (part, {"full_attention": part}):
        with pytest.raises(
            ExplorerError, match=r"“partial_rotary_factor” in its config.json is 0.5"
        ):
            _check_read({"model_type": "llama", place: said}, "llama", "x")
    _check_read({"model_type": "phi", place: part}, "phi", "x")


def test_no_class_is_taken_to_have_relative_positions_that_its_source_does_not_name():
    home = Path(transformers.__file__).parent / "models"
    asked = set()
    for kind in CONFIG_MAPPING_NAMES:
        room = home / model_type_to_module_name(kind)
        sources = "".join(path.read_text("utf-8") for path in room.glob("*.py"))
        if "position_embedding_type" in sources and "relative_key" not in sources:
            asked.add(kind)
            for said in ("relative_key", "relative_key_query"):
                with pytest.raises(ExplorerError, match=f'is "{said}", which Transformers'):
                    _check_read({"model_type": kind, "position_embedding_type": said}, kind, "x")
    assert {"esm", "granitemoehybrid"} <= asked


# As their authors publish them: what is said of attention, and is no matter.
PUBLISHED = {
    "bert": {"position_embedding_type": "absolute", "attention_probs_dropout_prob": 0.1}
    | {"pooler_num_attention_heads": 12, "pooler_size_per_head": 128, "directionality": "bidi"},
    "gpt2": {"attn_pdrop": 0.1, "n_ctx": 1024, "n_head": 12, "scale_attn_weights": True},
    "gptj": {"rotary": True, "rotary_dim": 64, "scale_attn_weights": True, "n_ctx": 2048},
    "gpt_neo": {"attention_types": [[["global", "local"], 12]], "window_size": 256}
    | {"attention_layers": ["global", "local"] * 12, "attention_dropout": 0},
    "gpt_neox": {"rotary_pct": 0.25, "rotary_emb_base": 10000, "use_parallel_residual": True},
    "bloom": {"attention_softmax_in_fp32": True, "masked_softmax_fusion": True, "n_head": 16}
    | {"offset_alibi": 100, "attention_dropout": 0.0},
    "falcon": {"alibi": False, "multi_query": True, "parallel_attn": True},
    "mpt": {"attn_config": {"alibi": True, "attn_impl": "torch", "qk_ln": False}},
    "llama": {"rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}
    | {"attention_bias": False, "num_key_value_heads": 8, "head_dim": 64},
    "mistral": {"sliding_window": 4096, "attention_dropout": 0.0},
    "qwen2": {"use_sliding_window": False, "sliding_window": 32768, "max_window_layers": 28},
    "phi3": {"sliding_window": 2047, "original_max_position_embeddings": 4096}
    | {"_flash_attn_2_enabled": True, "partial_rotary_factor": 1.0},
    "gemma2": {"attn_logit_softcapping": 50.0, "query_pre_attn_scalar": 256}
    | {"final_logit_softcapping": 30.0, "sliding_window": 4096, "cache_implementation": "hybrid"},
    "gemma3": {"text_config": {"model_type": "gemma3_text", "sliding_window": 1024}
    | {"sliding_window_pattern": 6, "rope_local_base_freq": 10000.0}},
    "t5": {"relative_attention_num_buckets": 32, "relative_attention_max_distance": 128}
    | {"n_positions": 512},
    "bart": {"static_position_embeddings": False, "extra_pos_embeddings": 2}
    | {"encoder_attention_heads": 12, "decoder_attention_heads": 12, "num_heads": 12},
    "marian": {"static_position_embeddings": True, "attention_dropout": 0.0},
    "deberta-v2": {"relative_attention": True, "position_buckets": 256, "pos_att_type": ["p2c"]}
    | {"share_att_key": True, "position_biased_input": False, "max_relative_positions": -1},
    "albert": {"inner_group_num": 1, "position_embedding_type": "absolute", "gap_size": 0},
    "mpnet": {"relative_attention_num_buckets": 32},
    "big_bird": {"attention_type": "block_sparse", "rescale_embeddings": False},
    "modernbert": {"local_attention": 128, "global_attn_every_n_layers": 3}
    | {"position_embedding_type": "absolute", "local_rope_theta": 10000.0},
    "cohere2": {"position_embedding_type": "rope_gptj", "rotary_pct": 1.0, "layer_switch": 4}
    | {"sliding_window_pattern": 4, "sliding_window": 4096, "use_qk_norm": False},
    "qwen3_next": {"full_attention_interval": 4, "partial_rotary_factor": 0.25},
    "bamba": {"attn_layer_indices": [9, 18], "attn_rotary_emb": 64},
    "recurrent_gemma": {"block_types": ["recurrent", "recurrent", "attention"]}
    | {"attention_window_size": 2048, "logits_soft_cap": 30.0, "partial_rotary_factor": 0.5},
    "lfm2": {"full_attn_idxs": [2, 5], "block_ff_dim": 6656, "use_pos_enc": True},
    "nemotron_h": {"hybrid_override_pattern": "M-M*", "attention_head_dim": 128},
    "granitemoehybrid": {"position_embedding_type": "nope", "attention_multiplier": 0.0078125},
    "gpt_oss": {"sliding_window": 128, "initial_context_length": 4096, "attention_bias": True},
    "zamba2": {"use_shared_attention_adapter": False, "use_mem_rope": True, "rope_theta": 10000},
    "exaone4": {"sliding_window_pattern": "LLLG", "sliding_window": 4096},
    "smollm3": {"no_rope_layers": [1, 1, 1, 0], "no_rope_layer_interval": 4},
    "hunyuan_v1_dense": {"use_rotary_pos_emb": True, "use_qk_norm": True, "use_cla": False},
    "layoutlmv3": {"has_relative_attention_bias": True, "max_2d_position_embeddings": 1024},
    "codegen": {"scale_attn_weights": True, "rotary_dim": 32, "attn_pdrop": 0.0},
    "esm": {"position_embedding_type": "rotary", "token_dropout": True},
    "xlnet": {"attn_type": "bi", "bi_data": False},
    "prophetnet": {"relative_max_distance": 128, "num_buckets": 32},
    "clip": {"text_config": {"num_attention_heads": 8, "cross_attention_hidden_size": None}},
    "qwen2_vl": {"use_sliding_window": False, "sliding_window": 32768, "num_key_value_heads": 2}
    | {"rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}, "max_window_layers": 28},
    "nomic_bert": {"rotary_emb_fraction": 1.0, "rotary_emb_base": 1000, "qkv_proj_bias": False},
    "jina_embeddings_v3": {"position_embedding_type": "rotary"},
    "modernbert-decoder": {"position_embedding_type": "sans_pos"},
    "minimax_m2": {"use_qk_norm": True, "rotary_dim": 64},
    "stablelm": {"partial_rotary_factor": 0.25, "use_qkv_bias": True, "qk_layernorm": False},
    "qwen3_vl": {"text_config": {"model_type": "qwen3_vl_text", "rope_theta": 5e6}
    | {"rope_scaling": {"mrope_interleaved": True, "mrope_section": [24, 20, 20]}}},
    "glm4v": {"text_config": {"model_type": "glm4v_text", "partial_rotary_factor": 0.5}
    | {"rope_scaling": {"type": "default", "mrope_section": [8, 12, 12]}}},
    "deepseek_v3": {"qk_nope_head_dim": 128, "rope_interleave": True, "kv_lora_rank": 512}
    | {"rope_scaling": {"type": "yarn", "mscale_all_dim": 1.0, "beta_fast": 32}},
    "olmo": {"clip_qkv": 8.0},
    "dbrx": {"attn_config": {"clip_qkv": 8, "kv_n_heads": 8, "rope_theta": 500000}},
    "gemma3n_text": {"num_kv_shared_layers": 15},
    "falcon_h1": {"key_multiplier": 0.5, "attention_in_multiplier": 1.0},
    "whisper": {"encoder_attention_heads": 6, "decoder_attention_heads": 6},
}  # fmt: skip


@pytest.mark.parametrize("kind", PUBLISHED)
def test_what_published_models_say_of_attention_is_no_reason_to_refuse_them(kind):
    _check_read({"model_type": kind} | PUBLISHED[kind], kind, "x")


def test_how_attention_is_to_be_computed_is_decided_here(tmp_path):
    model = saved("CLIPModel", tmp_path, **CLIP)
    asks = {f"{a}attn_implementation": "flash_attention_2" for a in ("", "_")}
    asks |= {"_attn_implementation_internal": "flash_attention_2", "use_flash_attn": True}
    said = json.loads((tmp_path / "config.json").read_text())
    change(tmp_path, **asks, text_config=said["text_config"] | asks)
    near(explorer.trace(TEXT, source=source_of(tmp_path)), eager_weights(model.text_model))


def test_the_layers_of_an_encoder_and_of_its_decoder_are_counted_apart(tmp_path):
    tiny_writer("T5", tmp_path)  # two layers of an encoder and three of a decoder
    source = Folder(str(tmp_path))
    assert trace_layer(Run(TEXT, TEXT, source, "decoder"), 2).numbers == (0, 1, 2)
    with pytest.raises(ExplorerError, match="has the layers 0 to 1"):
        trace_layer(Run(TEXT, TEXT, source, "encoder"), 2)


# --- positions ----------------------------------------------------------------------------------

KINDS = {kind: f for kind, f in families._FAMILIES.items() if f.after_padding}


_TOWERS = {
    "altclip_text_model": "AltCLIPTextModel",
    "bridgetower_text_model": "models.bridgetower.modeling_bridgetower.BridgeTowerTextModel",
    "clap_text_model": "ClapTextModel",
}
_ANY = PLACES | {"hidden_size": 24, "image_size": 16, "patch_size": 8, "visual_embed": False}
_ANY |= {"coordinate_size": 4, "shape_size": 4, "attention_window": 4, "entity_vocab_size": 9}
_ANY |= {"languages": ["en_XX"], "default_language": "en_XX", "project_dim": 16}


@pytest.mark.parametrize("kind", KINDS)
def test_positions_are_where_the_table_says_that_a_family_counts_from(kind):
    maker = transformers.CONFIG_MAPPING[kind]
    config = maker(**{k: v for k, v in _ANY.items() if k in maker.__dataclass_fields__})
    name = _TOWERS.get(kind) or MODEL_MAPPING_NAMES[kind]
    torch.manual_seed(0)
    model = attrgetter(name)(transformers)(config).eval()
    ids = torch.randint(3, 290, (1, 9), generator=torch.Generator().manual_seed(1))
    first = families.first_position(config)
    counted = torch.arange(first, first + 9)[None]
    with torch.inference_mode():
        own_way, given = (
            model(ids, **p).last_hidden_state for p in ({}, {"position_ids": counted})
        )
        other = model(ids, position_ids=counted + 1).last_hidden_state
        most = families.most_positions(config)
        model(ids[:, :1].expand(1, most))
        with pytest.raises((IndexError, RuntimeError)):
            model(ids[:, :1].expand(1, most + 1))
    assert torch.equal(own_way, given)
    assert not torch.equal(own_way, other)


def test_a_pair_takes_what_both_its_sides_take_and_mpt_says_it_in_its_own_way():
    sides = {side: {"model_type": "bert"} | PLACES for side in ("encoder", "decoder")}
    for side, most in (("encoder", 30), ("decoder", 20)):
        sides[side] = sides[side] | {"max_position_embeddings": most}
    assert families.most_positions(transformers.EncoderDecoderConfig(**sides)) == 20
    assert families.most_positions(transformers.MptConfig(max_seq_len=77)) == 77
    chunks = {"lsh_attn_chunk_length": 64, "local_attn_chunk_length": 32}
    reformer = transformers.ReformerConfig(max_position_embeddings=160, **chunks)
    assert families.most_positions(reformer) == 128  # a longer text would be filled up to 192
    assert families.most_positions(transformers.T5Config()) is None  # its positions are relative
