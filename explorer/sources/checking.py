"""What is looked at before a model is loaded: its files, and every JSON file of it.

A model's files are data that a stranger wrote. Transformers hands every key of them on to the
classes that it builds, and some of those open what they are given. So no library sees the files
themselves: they are read here, and only known keys with bounded values are written anew
(`staging.py`). Whatever else there is, is left out, or refused by the key's name.
"""

import functools
import json
import math
import re
import stat
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.limits import MAX_MODEL_MB
from explorer.sources.families import (
    family_of,
    means_attention,
    parts_of,
    sizes_of,
    why_refused,
)

MAX_LAYERS, MAX_HEADS, MAX_WIDTH = 48, 64, 8192
MAX_SIDE = 2048  # pixels that a processor may make a picture's side
PIECES = 2_000_000  # of a vocabulary
PIECE_LENGTH = 1024  # characters of one of them: runs of spaces come to a few hundred
_VOCABULARY_BYTES = 64 * 2**20  # a vocabulary of a quarter of a million pieces takes 20 MB
_CONFIG_BYTES = 2**20
_WEIGHTS_HEADER = 4 * 2**20  # bytes in which a file of weights says what is in it
# What does no more than scale, crop, fill up and colour pictures, by the settings below.
_PROCESSORS: tuple[str, ...] = ("ViTImageProcessor", "DeiTImageProcessor", "BeitImageProcessor")
_PROCESSORS += ("BitImageProcessor", "CLIPImageProcessor", "ChineseCLIPImageProcessor")
_PROCESSORS += ("SiglipImageProcessor", "Siglip2ImageProcessor", "DINOv3ViTImageProcessor")
_PROCESSORS += ("YolosImageProcessor", "BlipImageProcessor", "LlavaImageProcessor")
_PROCESSORS += ("Gemma3ImageProcessor", "GotOcr2ImageProcessor", "OwlViTImageProcessor")
_PROCESSORS += ("Owlv2ImageProcessor", "ConvNextImageProcessor")
_SETTINGS_BYTES = 8 * 2**20  # a tokenizer's settings repeat its added tokens
_PARTS = 4_000_000  # brackets and commas of one file: each becomes an object in memory
_DEPTH = 32

# The largest value of a number in config.json, by the names that families give to it.
_LIMITS = (
    (r"(num_)?(hidden_|encoder_|decoder_)?layers?|n_layers?|depth", MAX_LAYERS),
    (r"(num_|n_)?((encoder_|decoder_)?attention_|key_value_)?heads?", MAX_HEADS),
    (r"hidden_size|d_model|n_embd|dim|embedding_size|d_kv|head_dim", MAX_WIDTH),
    (r"intermediate_size|d_ff|n_inner|hidden_dim|(encoder|decoder)_ffn_dim", 16 * MAX_WIDTH),
    (r"(decoder_)?vocab_size", PIECES),
    (r"max_position_embeddings|n_positions|n_ctx", PIECES),
    (r"num_labels|type_vocab_size|num_buckets|position_buckets", 100_000),
    (r"image_size|patch_size", 4096),
    (r"num_channels", 16),
)
_LARGEST = 2**40  # of any other whole number
_LARGEST_KNOWN = 2**22  # of one that a model's class knows, but for bases of frequencies

NO_SAFE_WEIGHTS = t(
    "“{name}” has no safetensors weights. Older formats can run hidden code"
    " when they are opened, so only safetensors files are loaded: choose a "
    "model that has them."
)
_GGUF = t(
    "“{name}” has no safetensors weights, but GGUF files, whose numbers are"
    " packed for llama.cpp. Choose the model that they were made from."
)

# --- files --------------------------------------------------------------------------------------


def check_files(folder: Path, name: str) -> int:
    """Refuse a folder without a configuration or without safe weights of a bearable size.

    Returns:
        Bytes of its weights.

    Raises:
        ExplorerError: It is no safe model.
    """
    if own_file(folder, "config.json", name) is None:
        raise ExplorerError(t("“{name}” is no model: it has no config.json.", name=name))
    size = sum(shard.stat().st_size for shard in weights_of(folder, name).values())
    if size > MAX_MODEL_MB * 2**20:
        raise ExplorerError(
            t(
                "“{name}” has {value} MB of weights; at most {max_model_mb} MB can be "
                "loaded here (EXPLORER_MAX_MODEL_MB).",
                name=name,
                value=f"{size / 2**20:,.0f}",
                max_model_mb=f"{MAX_MODEL_MB:,}",
            )
        )
    return size


def own_file(folder: Path, file: str, name: str) -> Path | None:
    """Where a file of a model really lies; None if there is none.

    Raises:
        ExplorerError: It is a link that leads out of the model's folder.
    """
    path = folder / file
    try:
        real = path.resolve(strict=True)
        plain = stat.S_ISREG(real.stat().st_mode)  # a pipe or a device would never end
    except (OSError, RuntimeError, ValueError):
        return None
    home = folder.resolve()
    # The hub's cache keeps the files of all revisions of a model beside its revisions.
    if home.parent.name == "snapshots" and home.parents[1].name.startswith("models--"):
        home = home.parents[1]
    if not real.is_relative_to(home):
        raise ExplorerError(
            t(
                "“{name}” was not loaded: its {file} is a link that leads out of the "
                "model’s folder. Put the file itself there.",
                name=name,
                file=file,
            )
        )
    return real if plain else None


def weights_of(folder: Path, name: str) -> dict[str, Path]:
    """The safetensors files of a model, each with where it really lies.

    Raises:
        ExplorerError: There are none, or a list of them names something else.
    """
    names: Iterable[str] = ["model.safetensors"]
    index = own_file(folder, "model.safetensors.index.json", name)
    if own_file(folder, "model.safetensors", name) is None and index is not None:
        names = set(weight_index(folder, name).values())
    found = {file: own_file(folder, file, name) for file in sorted(names)}
    shards = {file: path for file, path in found.items() if path is not None}
    if len(shards) < len(found):
        raise ExplorerError(_without(folder, name, [file for file in found if file not in shards]))
    for file, path in shards.items():
        _check_shard(path, file, name)
    return shards


def _without(folder: Path, name: str, missing: list[str]) -> str:
    """That files of weights are not there, and what is there in their place."""
    if (folder / "model.safetensors.index.json").is_file():
        return t(
            "“{name}” lacks {n} of the files of weights that its "
            "model.safetensors.index.json names, such as {missing}. Put what is "
            "missing into its folder, or download the model again.",
            name=name,
            n=len(missing),
            missing=missing[0],
        )
    there = sorted(path.name for path in islice(folder.glob("*.safetensors"), 1000))
    if any(re.fullmatch(r"model-\d+-of-\d+\.safetensors", file) for file in there):
        return t(
            "“{name}” has parts of its weights, and no "
            "model.safetensors.index.json, which says what is in which. Put that "
            "file into its folder, or download the model again.",
            name=name,
        )
    variant = next((f for f in there if re.fullmatch(r"model\.[\w-]{1,40}\.safetensors", f)), None)
    if variant:
        return t(
            "“{name}” has no model.safetensors, but {variant}, and weights are "
            "looked for under the first name alone. Rename the file to "
            "model.safetensors.",
            name=name,
            variant=variant,
        )
    if there:
        return t(
            "“{name}” has no model.safetensors, but {shown}, whose weights may have"
            " other names than Transformers gives them. Load it with the program "
            "that it was made for, have its model saved with save_pretrained, and "
            "open the new folder.",
            name=name,
            shown=_shown(there[0]),
        )
    gguf = any(islice(folder.glob("*.gguf"), 1))
    return (_GGUF if gguf else NO_SAFE_WEIGHTS).format(name=name)


def _check_shard(path: Path, file: str, name: str) -> None:
    """Refuse a file of weights that is a pointer to one, or holds numbers that are packed.

    Raises:
        ExplorerError: It is, or its header is too long.
    """
    header = _header(path, file, name)
    packed = re.search(rb'"dtype"\s*:\s*"((?:F8|F4|F6)_[A-Z0-9_]{1,16})"', header)
    # As GPTQ and AWQ, compressed-tensors, Quanto, HQQ, and bitsandbytes call them.
    packed = packed or re.search(
        rb"\.(qweight|qzeros|weight_packed|weight_scale|weight_scale_inv|weight_scales|W_q"
        rb'|weight_zero_point|weight\._data|SCB|absmax)"\s*:',
        header,
    )
    if packed:
        raise _packed(packed[1].decode(), file, name)


def _packed(kind: str, file: str, name: str) -> ExplorerError:
    return ExplorerError(
        t(
            "“{name}” was not loaded: its {file} holds numbers of the kind {kind}, "
            "which are quantised: packed by code that is not here. {unpacked}",
            name=name,
            file=file,
            kind=kind,
            unpacked=_UNPACKED,
        )
    )


def _header(path: Path, file: str, name: str) -> bytes:
    """What a safetensors file says of the numbers in it: JSON, if it is not damaged.

    Raises:
        ExplorerError: It is a pointer, or says more than any does.
    """
    with path.open("rb") as opened:
        start = opened.read(64)
        _check_pointer(start, file, name)
        size = int.from_bytes(start[:8], "little")
        if size > _WEIGHTS_HEADER:
            raise refuse(
                name,
                file,
                "header",
                t("takes more than {weights_header} bytes", weights_header=f"{_WEIGHTS_HEADER:,}"),
            )
        return (start[8:] + opened.read(max(size + 8 - len(start), 0)))[:size]


def check_matrices(folder: Path, parameters: Iterable[tuple[str, Any]], name: str) -> None:
    """Refuse weights whose matrices hold whole numbers: they are multiples of a scale, as int8 is.

    Transformers would take each number for the weight itself. Tables of whole numbers that a model
    keeps beside its weights (positions, masks) are none of its parameters.

    Args:
        folder: Where its files lie, after `check_files`.
        parameters: Those of its class, each with its name.
        name: The model's name.

    Raises:
        ExplorerError: There is such a matrix.
    """
    matrices = {key.rpartition(".")[2] for key, values in parameters if values.dim() > 1}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            said = parse(_header(path, path.name, name))
        except (ValueError, RecursionError):
            continue  # whoever loads it says that it is damaged
        for key, about in said.items() if isinstance(said, dict) else ():
            kind = about.get("dtype") if isinstance(about, dict) else None
            shape = about.get("shape") if isinstance(about, dict) else None
            whole = re.fullmatch(r"[IU]\d{1,3}|BOOL", kind) if isinstance(kind, str) else None
            of_class = key.rpartition(".")[2] in matrices and not _HARMLESS_WEIGHTS.search(key)
            if whole and of_class and isinstance(shape, list) and len(shape) > 1:
                raise _packed(whole[0], path.name, name)


def _check_pointer(data: bytes, file: str, name: str) -> None:
    """Refuse what git-lfs leaves in place of a large file.

    Raises:
        ExplorerError: It is that.
    """
    if data.startswith(b"version ") and b"git-lfs" in data[:64]:
        raise ExplorerError(
            t(
                "“{name}” was not loaded: its {file} is a pointer of git-lfs, which "
                "stands for the file and is not it. Run “git lfs pull” in its folder, "
                "or download the model again.",
                name=name,
                file=file,
            )
        )


def weight_index(folder: Path, name: str) -> dict[str, str]:
    """Which weight lies in which file; an index may name any file, one outside the folder too.

    Raises:
        ExplorerError: It is damaged, or names what is no weight file of this folder.
    """
    damaged = t(
        "“{name}” has a damaged or unsafe list of weight files; it was not loaded.", name=name
    )
    said = read_json(folder, "model.safetensors.index.json", name, _SETTINGS_BYTES, damaged)
    listed = said.get("weight_map") if isinstance(said, dict) else None
    if not isinstance(listed, dict) or not 0 < len(listed) <= 100_000:
        raise ExplorerError(damaged)
    for file in listed.values():
        if not isinstance(file, str) or not re.fullmatch(r"[\w-][\w.-]{0,99}\.safetensors", file):
            raise ExplorerError(damaged)
    return listed


def read_bytes(folder: Path, file: str, name: str, most: int = _VOCABULARY_BYTES) -> bytes | None:
    """A small file of a model; None if there is none.

    Raises:
        ExplorerError: It is a link that leads out of the folder, or too large.
    """
    path = own_file(folder, file, name)
    if path is None:
        return None
    with path.open("rb") as opened:
        data = opened.read(most + 1)
    _check_pointer(data, file, name)
    if len(data) > most:
        raise ExplorerError(
            t(
                "“{name}” has a {file} of more than {value} MB: none is so large.",
                name=name,
                file=file,
                value=most >> 20,
            )
        )
    return data


# --- JSON ---------------------------------------------------------------------------------------


def read_json(
    folder: Path,
    file: str,
    name: str,
    most: int = _VOCABULARY_BYTES,
    damaged: str = "",
) -> Any:
    """What a JSON file of a model says; None if there is none.

    Args:
        folder: The model's folder.
        file: The file's name.
        name: The model's name.
        most: Bytes that it may have.
        damaged: What to say if it cannot be read, in place of the usual sentence.

    Raises:
        ExplorerError: It is damaged, or more than a model's file ever is.
    """
    data = read_bytes(folder, file, name, most)
    if data is None:
        return None
    try:
        return parse(data)
    except (ValueError, RecursionError) as error:
        why = (
            t("names a key twice")
            if isinstance(error, _TwiceError)
            else t("cannot be read as JSON")
        )
        raise ExplorerError(
            damaged
            or t(
                "“{name}” was not loaded: its {file} {why}, or holds more than any model’s.",
                name=name,
                file=file,
                why=why,
            )
        ) from error


class _TwiceError(ValueError):
    """A key stands twice: libraries differ in which one they believe."""


def parse(data: bytes) -> Any:
    """JSON, as strictly as it is written down.

    Raises:
        ValueError: It is none: no UTF-8, not finite, a key twice, too many parts, too deep.
        RecursionError: It is far too deep.
    """
    if sum(map(data.count, (b"[", b"{", b","))) > _PARTS:
        raise ValueError("too many parts")
    said = json.loads(
        data.decode("utf-8"),
        parse_constant=_finite,
        parse_float=_finite,
        object_pairs_hook=_once,
    )
    _check_depth(said)
    return said


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    # A vocabulary may spell a piece twice; every library takes the last one.
    if len(found) < len(pairs) and not all(type(value) is int for _, value in pairs):
        raise _TwiceError
    return found


def _check_depth(said: Any) -> None:
    level, depth = [said], 0
    while level:
        depth += 1
        if depth > _DEPTH:
            raise ValueError("too deep")
        inner = (part.values() if isinstance(part, dict) else part for part in level)
        level = [
            v
            for values in inner
            if isinstance(values, list | type({}.values()))
            for v in values
            if isinstance(v, dict | list)
        ]


def _shown(text: str) -> str:
    """A stranger's word as it stands in a sentence: without signs, and not long."""
    return re.sub(r"[^\w .\[\]-]", "?", text)[:80]


# --- keys ---------------------------------------------------------------------------------------


def refuse(name: str, file: str, key: str, why: str) -> ExplorerError:
    """The refusal of a key; ``why`` ends the sentence that begins with its name."""
    return ExplorerError(
        t(
            "“{name}” was not loaded: “{key}” in its {file} {why}. Correct the "
            "file, or choose another model.",
            name=name,
            key=_shown(key),
            file=file,
            why=why,
        )
    )


def check_text(text: str, name: str, file: str, key: str) -> str:
    """A word of a configuration: the name of a choice, never that of a file.

    Raises:
        ExplorerError: It could name a file or an address, or is no word.
    """
    if len(text) > 200 or not text.isprintable():
        raise refuse(name, file, key, t("is a text that is no name of a choice"))
    ending = r"|\.[A-Za-z]" if key != "transformers_version" else ""  # which is 5.23.0.dev0, say
    if re.search(r"[/\\~]|^\.|\.\." + ending, text):
        raise refuse(name, file, key, t("names a file or an address, which no configuration may"))
    return text


def check_number(key: str, value: int, name: str, most: int = _LARGEST) -> None:
    """Refuse a number that would take all memory or time.

    Raises:
        ExplorerError: It is too large.
    """
    limit = next((limit for names, limit in _LIMITS if re.fullmatch(names, key)), most)
    if abs(value) > limit:
        said = f"{value:,}" if abs(value) < 10**30 else t("a number of more than 30 digits")
        raise ExplorerError(
            t(
                "“{name}” has {key} = {said}; at most {limit} can be shown.",
                name=name,
                key=key,
                said=said,
                limit=f"{limit:,}",
            )
        )


def _check_numbers(said: Any, name: str, key: str = "", most: int = _LARGEST) -> None:
    """Every whole number in a configuration, those inside other things too."""
    if isinstance(said, dict):
        for inner, value in said.items():
            _check_numbers(value, name, inner, most)
    elif isinstance(said, list):
        for value in said:
            _check_numbers(value, name, key, most)
    elif type(said) is int:
        check_number(key, said, name, 2**40 if re.search("theta|base|freq", key) else most)


# --- config.json --------------------------------------------------------------------------------

# What Transformers would open, fetch or build code from.
_REFUSED = {
    **dict.fromkeys(
        ("transformers_weights", "extra_files", "extra_config_files", "gguf_file"),
        t("names other files than the model’s own"),
    ),
    **dict.fromkeys(
        ("backbone", "backbone_kwargs", "use_timm_backbone", "use_pretrained_backbone"),
        t("names another model, which would be fetched"),
    ),
    **dict.fromkeys(("fusion_config", "kernel_config"), t("names code that would be run")),
}
_QUANTISED = ("quantization_config", "compression_config")
_UNPACKED = t(
    "Choose the model that it was made from. Or have Transformers unpack it"
    " where the code for it is installed, with dequantize() if its way has "
    "that, save it with save_pretrained, and open the new folder."
)
# What real checkpoints carry, and what is decided here in any case: never handed on.
_LEFT_OUT = {"auto_map", "custom_pipelines", "_name_or_path", "name_or_path", "_commit_hash"}
_LEFT_OUT |= {"task_specific_params", "prefix", "dtype", "torch_dtype", "token", "revision"}
_LEFT_OUT |= {"cache_dir", "local_files_only", "force_download", "subfolder", "proxies"}
_LEFT_OUT |= {"trust_remote_code", "attn_implementation", "_attn_implementation"}
_LEFT_OUT |= {"_attn_implementation_internal", "experts_implementation", "torchscript"}
_LEFT_OUT |= {"_experts_implementation", "_experts_implementation_internal", "pruned_heads"}
_LEFT_OUT |= {"output_attentions", "output_hidden_states", "return_dict", "use_return_dict"}
_LEFT_OUT |= {"adapter_path", "repo_id", "_from_auto", "return_unused_kwargs"}
# Older names that every class of Transformers still takes.
_LEGACY = {"num_labels", "rope_theta", "rope_scaling", "partial_rotary_factor", "rope_type", "type"}
_LEGACY |= {
    "tokenizer_class",
    "is_decoder",
    "is_causal",
    "per_layer_config",
    "add_cross_attention",
    "tie_word_embeddings",
}
_LEGACY |= {
    "__float__",
    "force_bos_token_to_be_generated",
    "image_processor_type",
}
_LABELS = ("id2label", "label2id", "label_names")
_FOREIGN = ("timm_wrapper", "timm_backbone")  # these take their code and weights from elsewhere

# What a checkpoint may say about writing, as lists of tokens and as plain numbers.
_WRITING_TOKENS: tuple[str, ...] = (
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
    "decoder_start_token_id",
)
_WRITING_TOKENS += ("forced_bos_token_id", "forced_eos_token_id", "suppress_tokens")
_WRITING_TOKENS += ("begin_suppress_tokens", "bad_words_ids")
_WRITING_NUMBERS = {"max_length": 2**31, "min_length": 2**31, "no_repeat_ngram_size": 1000}
_WRITING_NUMBERS |= {"encoder_no_repeat_ngram_size": 1000, "repetition_penalty": 1000}
_WRITING_NUMBERS |= {"encoder_repetition_penalty": 1000, "length_penalty": 1000}
_WRITING_SIGNS = ("renormalize_logits", "remove_invalid_values", "_from_model_config")


def model_config(folder: Path, name: str) -> dict[str, Any]:
    """What a model's config.json says, of what its class knows.

    Raises:
        ExplorerError: It is damaged or of an unknown kind, a number in it is too large, or it
            names a file, a class or code.
    """
    unknown = t(
        "“{name}” is of a kind that Transformers does not know, or its config.json is damaged.",
        name=name,
    )
    said = read_json(folder, "config.json", name, _CONFIG_BYTES, unknown)
    if not isinstance(said, dict):
        raise ExplorerError(unknown)
    _check_numbers(said, name)
    kind = said.get("model_type")
    if not isinstance(kind, str) or kind in _FOREIGN or kind not in _kinds():
        raise ExplorerError(unknown)
    _check_why(family_of(kind).refused, kind, name)
    _check_read(said, kind, name)
    kept = _known_part(said, _known_keys(kind), name)
    if kept.get("tokenizer_class") is not None:
        kept["tokenizer_class"] = tokenizer_class(kept["tokenizer_class"], name, "config.json")
    _check_numbers(kept, name, most=_LARGEST_KNOWN)
    return kept | _writing_part(said, name, "config.json")


def _kinds() -> Iterable[str]:
    from transformers import CONFIG_MAPPING

    return CONFIG_MAPPING


@functools.cache
def _known_keys(kind: str) -> frozenset[str]:
    """The keys that the class of a model type, and the classes of its parts, have a use for.

    A class has fields, and takes older names that only its source tells; its network asks for some
    that it need not have. All of them stand in the sources of the family, in quotes or as a field.
    """
    import transformers
    from transformers import PreTrainedConfig

    rope = Path(transformers.__file__).parent / "modeling_rope_utils.py"
    known = _read_keys(kind) | _words_of([rope]) | set(PreTrainedConfig.__dataclass_fields__)
    for part in _parts_of_kind(kind):
        known |= _read_keys(part)
    return frozenset(known | _LEGACY) - _LEFT_OUT


@functools.cache
def _read_keys(kind: str) -> frozenset[str]:
    """The keys that the class of a model type itself, or its network, asks for."""
    import transformers
    from transformers import CONFIG_MAPPING, PreTrainedConfig

    config = CONFIG_MAPPING[kind]
    home = Path(transformers.__file__).parent
    words: set[str] = set()
    for base in config.__mro__:  # a class may come from another family's
        if base.__module__.startswith("transformers.models."):
            room = home.joinpath(*base.__module__.split(".")[1:-1])
            own, networks = (sorted(room.glob(f"{what}_*.py")) for what in _SOURCES)
            words |= _words_of([*own, *networks])
            words |= _words_of(own, r"\bself\.(\w+)") | _words_of(networks, r"\bconfig\.(\w+)")
    fields = set(config.__dataclass_fields__) - set(PreTrainedConfig.__dataclass_fields__)
    if "rope_parameters" in words | fields:
        fields |= _words_of([home / "modeling_rope_utils.py"]) - {"partial_rotary_factor"}
        fields |= {"rope_theta", "rope_scaling"}  # and networks that turn a part read the part
    return frozenset(words | fields | set(config.attribute_map))


_SOURCES = ("configuration", "modeling")
_NAMED = r"(?<=[\"'])[A-Za-z_]\w*(?=[\"'])|^    \w+(?=:)"  # in quotes, or the field of a class


def _words_of(sources: Iterable[Path], pattern: str = _NAMED) -> set[str]:
    """The names that sources of Transformers use in one way, but for those about writing."""
    from transformers import GenerationConfig

    text = "\n".join(source.read_text("utf-8") for source in sources)
    words = re.findall(pattern, text, re.MULTILINE)
    return {word.strip() for word in words} - set(vars(GenerationConfig()))


def _parts_of_kind(kind: str) -> list[str]:
    """The model types that the parts of a model are taken to be, where they do not say theirs."""
    from transformers import CONFIG_MAPPING

    parts = [spec.model_type for spec in CONFIG_MAPPING[kind].sub_configs_defaults.values()]
    return [part for part in parts if part in _kinds()]


_ROTATIONS = ("rope_parameters", "rope_scaling")


def _dicts(said: Any) -> list[dict[str, Any]]:
    """A part of a configuration, and the parts in it: of layers of one kind, say."""
    parts = [said] if isinstance(said, dict) else []
    return parts + [inner for part in parts for inner in part.values() if isinstance(inner, dict)]


def _check_read(said: dict[str, Any], kind: str, name: str) -> None:
    """Refuse a setting of attention that Transformers would drop without a word.

    The class of a model type ignores what it does not know. A checkpoint that was trained with
    such a setting would then be drawn with an attention that is not its own.

    Raises:
        ExplorerError: There is one.
    """
    from transformers import CONFIG_MAPPING, AutoConfig

    read = _read_keys(kind).union(*map(_read_keys, _parts_of_kind(kind)))  # older files are flat
    rotates = "rope_parameters" in read
    of_rotation = (part for key in _ROTATIONS for part in _dicts(said.get(key)))
    for key, value in (item for part in (said, *of_rotation) for item in part.items()):
        # A class that reads what kind of attention there is may not have the kind that is said.
        kind_of = re.search(r"(attn|attention|position)\w*_type$", key)
        known = key in read and not (kind_of and isinstance(value, str) and value not in read)
        if not known and means_attention(kind, key, value, rotates=rotates):
            raise refuse(
                name,
                "config.json",
                key,
                t(
                    "is {value}, which Transformers does not read for a “{kind}” model: the"
                    " attention shown would not be this checkpoint’s",
                    value=json.dumps(value)[:60],
                    kind=kind,
                ),
            )
    for key, spec in CONFIG_MAPPING[kind].sub_configs_defaults.items():
        part = said.get(key)
        if isinstance(part, dict):
            own = part.get("model_type") if spec.config_class is AutoConfig else None
            of_part = own if isinstance(own, str) else spec.model_type
            if of_part in _kinds():
                _check_read(part, of_part, name)


def _known_part(said: dict[str, Any], known: frozenset[str], name: str) -> dict[str, Any]:
    """What a configuration, or a part of it, says of what is known; the rest is left out."""
    if isinstance(said.get("model_type"), str) and said["model_type"] in _kinds():
        if said["model_type"] in _FOREIGN:
            raise refuse(name, "config.json", "model_type", t("is of a kind that fetches its code"))
        known |= _known_keys(said["model_type"])
    allowed = known - _REFUSED.keys() - set(_QUANTISED)
    kept: dict[str, Any] = {}
    for key, value in said.items():
        if key in _QUANTISED and value not in (None, False, {}):
            raise _quantised(name, key, value)
        if key in _REFUSED and value not in (None, False, {}):
            raise refuse(name, "config.json", key, _REFUSED[key])
        if key in _LABELS:
            kept[key] = _labels(value, name, key)
        elif key in allowed or key == "model_type" or key.isdecimal():
            kept[key] = _known_value(value, key, known, name)
        elif key in _WRITING_TOKENS and _are_tokens(value):  # a part may say its own
            kept[key] = value
    return kept


def _quantised(name: str, key: str, said: Any) -> ExplorerError:
    """The refusal of weights that are packed into fewer bits, with what is said of how."""
    said = said if isinstance(said, dict) else {}
    bits = next((n for n in (4, 8) if said.get(f"load_in_{n}bit") is True), said.get("bits"))
    method = said.get("quant_method", "bitsandbytes" if bits in (4, 8) else None)
    known = isinstance(method, str) and re.fullmatch(r"[\w.-]{1,40}", method)
    many = t(", {bits} bits", bits=bits) if type(bits) is int and 0 < bits < 64 else ""
    by = f" ({method}{many})" if known else ""
    return ExplorerError(
        t(
            "“{name}” was not loaded: “{key}” in its config.json says that its "
            "weights are quantised{by}: packed by code that is not here. {unpacked}",
            name=name,
            key=key,
            by=by,
            unpacked=_UNPACKED,
        )
    )


def _known_value(value: Any, key: str, known: frozenset[str], name: str) -> Any:
    if isinstance(value, dict):
        return _known_part(value, known, name)
    if isinstance(value, list):
        return [_known_value(v, key, known, name) for v in value]
    return check_text(value, name, "config.json", key) if isinstance(value, str) else value


def _labels(value: Any, name: str, key: str) -> Any:
    """The names of classes are shown, and nothing else is done with them: any text may be one."""
    flat = list(value.values()) if isinstance(value, dict) else value
    if value is not None and (
        not isinstance(flat, list)
        or len(flat) > 100_000
        or any(isinstance(v, dict | list) for v in flat)
    ):
        raise refuse(name, "config.json", key, t("is no list of at most 100,000 names"))
    return value


# --- generation_config.json, preprocessor_config.json -------------------------------------------


def writing_config(folder: Path, name: str) -> dict[str, Any] | None:
    """What a model's generation_config.json says of tokens; None if there is none.

    Raises:
        ExplorerError: It is damaged, or a value in it is impossible.
    """
    said = read_json(folder, "generation_config.json", name, _CONFIG_BYTES)
    if said is None:
        return None
    if not isinstance(said, dict):
        raise refuse(name, "generation_config.json", "{", t("is missing: it holds no keys"))
    return _writing_part(said, name, "generation_config.json")


def _writing_part(said: dict[str, Any], name: str, file: str) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in said.items():
        if value is None:
            continue
        if key in _WRITING_TOKENS:
            if not _are_tokens(value):
                raise refuse(name, file, key, t("is no number of a token, nor a list of such"))
            kept[key] = value
        elif key in _WRITING_NUMBERS:
            most = _WRITING_NUMBERS[key]
            kept[key] = bounded(value, -most, most, name, file, key)
        elif key in _WRITING_SIGNS and isinstance(value, bool):
            kept[key] = value
        elif key == "transformers_version" and isinstance(value, str):
            kept[key] = check_text(value, name, file, key)
    return kept


def _are_tokens(value: Any, depth: int = 0) -> bool:
    if isinstance(value, list):
        return depth < 2 and len(value) <= 10_000 and all(_are_tokens(v, depth + 1) for v in value)
    return type(value) is int and -1 <= value <= PIECES


def bounded(value: Any, least: float, most: float, name: str, file: str, key: str) -> Any:
    """A number within bounds.

    Raises:
        ExplorerError: It is none.
    """
    if type(value) not in (int, float) or not least <= value <= most:
        raise refuse(
            name,
            file,
            key,
            t("must be a number from {least} to {most}", least=f"{least:,}", most=f"{most:,}"),
        )
    return value


_PICTURE_SIGNS: tuple[str, ...] = (
    "do_resize",
    "do_rescale",
    "do_normalize",
    "do_center_crop",
    "do_convert_rgb",
)
_PICTURE_SIGNS += ("default_to_square", "offset", "do_flip_channel_order", "do_pad")
_PICTURE_SIZES = ("size", "crop_size", "pad_size")
_PICTURE_COLOURS = ("image_mean", "image_std")
_PICTURE_NUMBERS = {"rescale_factor": 1000, "resample": 5, "crop_pct": 100, "size_divisor": 4096}
_PICTURE_NUMBERS |= {"patch_size": 256, "max_num_patches": 65_536}


def picture_config(folder: Path, name: str) -> dict[str, Any] | None:
    """How a model wants its pictures, as its preprocessor_config.json says; None if there is none.

    Raises:
        ExplorerError: It is damaged, asks for pictures that are too large, or names a processor
            that is none of Transformers'.
    """
    file = "preprocessor_config.json"
    said = read_json(folder, file, name, _CONFIG_BYTES)
    if said is None:  # newer checkpoints say it beside what their tokenizer wants
        file = "processor_config.json"
        whole = read_json(folder, file, name, _CONFIG_BYTES)
        said = whole.get("image_processor") if isinstance(whole, dict) else None
    if said is None:
        return None
    if not isinstance(said, dict):
        raise refuse(name, file, "{", t("is missing: it holds no keys"))
    kept: dict[str, Any] = {}
    for key, value in said.items():
        if value is None:
            continue
        if key in ("image_processor_type", "feature_extractor_type"):
            kept[key] = _processor_class(value, name, file, key)
        elif key in _PICTURE_SIGNS:
            kept[key] = either(value, name, file, key)
        elif key in _PICTURE_SIZES:
            kept[key] = _sides(value, name, file, key)
        elif key in _PICTURE_NUMBERS:
            kept[key] = bounded(value, 0, _PICTURE_NUMBERS[key], name, file, key)
        elif key in _PICTURE_COLOURS:
            values = value if isinstance(value, list) else [value]
            kept[key] = [bounded(v, -1e6, 1e6, name, file, key) for v in values[:5]]
    return kept


def either(value: Any, name: str, file: str, key: str) -> bool:
    """A value that is true or false."""
    if not isinstance(value, bool):
        raise refuse(name, file, key, t("must be true or false"))
    return value


def _sides(value: Any, name: str, file: str, key: str) -> Any:
    """A size, as one number, two, or by the names of sides."""
    if isinstance(value, dict):
        known = ("height", "width", "shortest_edge", "longest_edge", "max_height", "max_width")
        return {k: _sides(v, name, file, f"{key}.{k}") for k, v in value.items() if k in known}
    if isinstance(value, list):
        return [_sides(v, name, file, key) for v in value[:3]]
    return bounded(value, 1, MAX_SIDE, name, file, key)


def _processor_class(value: Any, name: str, file: str, key: str) -> str:
    """A processor that scales and crops; others start programs, or look for more than a picture."""
    plain = re.sub(r"(Fast|Pil)$", "", value) if isinstance(value, str) else ""
    if plain.replace("FeatureExtractor", "ImageProcessor") not in _PROCESSORS:
        raise refuse(name, file, key, t("must be one of {join}", join=", ".join(_PROCESSORS)))
    return str(value)


# --- the class of a tokenizer -------------------------------------------------------------------


def tokenizer_class(value: Any, name: str, file: str) -> str:
    """A class of Transformers' own tokenizers, by the name that a checkpoint gives.

    A tokenizer with code of its own, or one that Transformers has given up, is read from its
    tokenizer.json alone, as Transformers does.

    Raises:
        ExplorerError: It is the name of something else.
    """
    if not isinstance(value, str) or not re.fullmatch(
        r"\w{1,64}(Tokenizer|TokenizerFast|Backend)", value
    ):
        raise refuse(name, file, "tokenizer_class", t("is none of the tokenizers of Transformers"))
    return value if value.removesuffix("Fast") in _tokenizer_classes() else "TokenizersBackend"


@functools.cache
def _tokenizer_classes() -> frozenset[str]:
    import transformers
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

    listed = {str(c).removesuffix("Fast") for c in dict(TOKENIZER_MAPPING_NAMES).values() if c}
    # Some classes belong to no model type; the words are asked for before they are imported.
    named = {n for n in dir(transformers) if n.endswith("Tokenizer") and n != "AutoTokenizer"}
    foreign = {"MistralCommonBackend", "RagTokenizer"}  # these read files of their own choice
    return frozenset(listed | named | {"PreTrainedTokenizer", "BloomTokenizer"}) - foreign


def check_config(config: Any, name: str) -> None:
    """Refuse a model of which no part says its layers, heads and width.

    Raises:
        ExplorerError: None does, or they are impossible.
    """
    refused: list[ExplorerError] = []
    check_kind(config, name)
    parts = parts_of(config).values()
    for part in parts:
        try:
            check_sizes(part, name)
        except ExplorerError as error:
            refused.append(error)
    if len(refused) == len(parts):
        raise refused[0]


def check_kind(config: Any, name: str) -> None:
    """Refuse a model of a kind whose attention cannot be shown, with the reason.

    Raises:
        ExplorerError: It is one.
    """
    _check_why(why_refused(config), config.model_type, name)


def check_sizes(config: Any, name: str) -> None:
    """Refuse a part of a model that does not say its layers, heads and width.

    Raises:
        ExplorerError: It says none, or impossible ones.
    """
    _check_why(family_of(config).refused, config.model_type, name)
    for key, value in sizes_of(config).items():
        if type(value) is not int or value < 1:
            raise ExplorerError(
                t(
                    "“{name}” is a “{model_type}” model, whose config.json gives no one "
                    "number as its {key}. Only models with layers of attention that are "
                    "alike can be shown: choose another model.",
                    name=name,
                    model_type=config.model_type,
                    key=key,
                )
            )
        check_number(key, value, name)


def check_wrapped(unread: Iterable[str], missing: Iterable[str], name: str) -> None:
    """Refuse weights whose names carry what a wrapper of the network put into them.

    Args:
        unread: The names of weights that nothing was done with.
        missing: The names of those that the files lack.
        name: The model's name.

    Raises:
        ExplorerError: They do: without it, the files would have what is missing.
    """
    lacking = set(missing)
    for key in sorted(unread):
        plain = _WRAPPERS.sub("", key)
        if plain != key and any(plain == m or plain.endswith(f".{m}") for m in lacking):
            found = _WRAPPERS.search(key)
            prefix = found[0] if found else ""
            raise ExplorerError(
                t(
                    "“{name}” was not loaded: its files call a weight {key}, where "
                    "“{prefix}” stands for a wrapper in which the network was when it was "
                    "saved. Take it out of the names of all weights, or save the network "
                    "without the wrapper, with save_pretrained.",
                    name=name,
                    key=_shown(key),
                    prefix=prefix,
                )
            )


# What DataParallel, torch.compile, peft, FSDP and gradient checkpointing put in front of names.
_WRAPPERS = re.compile(
    r"(?:(?<=\.)|^)(?:(?:module|_orig_mod|base_model\.model|_fsdp_wrapped_module"
    r"|_checkpoint_wrapped_module)\.)+"
)


def check_unread(unread: Iterable[str], modules: Iterable[str], name: str) -> None:
    """Refuse a model whose files hold weights of its attention that its class has no use for.

    Args:
        unread: The names of weights that nothing was done with.
        modules: The names of the network's modules.
        name: The model's name.

    Raises:
        ExplorerError: There are some: the attention shown would not be this checkpoint's.
    """
    known = set(modules)
    for key in sorted(unread):
        if _HARMLESS_WEIGHTS.search(key):
            continue
        parts = key.split(".")[:-1]
        places = (parts[i:j] for i in range(len(parts)) for j in range(i + 1, len(parts) + 1))
        if any(_ATTENTION_PART.search(p[-1]) and ".".join(p) in known for p in places):
            raise ExplorerError(
                t(
                    "“{name}” was not loaded: its files hold the weights {key}, which "
                    "Transformers does not use for a model of its kind. The attention shown"
                    " would not be this checkpoint’s: choose another model.",
                    name=name,
                    key=key,
                )
            )


# Masks and tables that older versions kept among the weights, and scales of a quantised cache,
# which change no weight: those of queries, keys, values and probabilities.
_HARMLESS_WEIGHTS = re.compile(
    r"(attn|attention)\.(masked_)?bias$|(causal|attn)_mask$|inv_freq$|(cos|sin)(_cached)?$"
    r"|position_ids$|relative_position_index$|\.(q|k|v|kv|prob)_scale$|\.[qkv]_proj\.output_scale$"
)
_ATTENTION_PART = re.compile("attn|attention", re.IGNORECASE)


def _check_why(why: str | None, kind: str, name: str) -> None:
    """Refuse a model of a kind whose attention cannot be shown, if there is a reason."""
    if why:
        raise ExplorerError(
            t("“{name}” is a “{kind}” model, which {why}.", name=name, kind=kind, why=why)
        )


def check_layers(unread: Iterable[str], read: Iterable[str], name: str) -> None:
    """Refuse a model whose files hold more layers than its configuration says.

    Args:
        unread: The names of weights that nothing was done with.
        read: The names of those that the network has.
        name: The model's name.

    Raises:
        ExplorerError: Some of its layers would be left out.
    """

    def layers(keys: Iterable[str]) -> dict[str, int]:
        """Each stack of layers, by its name without what stands before it, and how many it has."""
        found: dict[str, int] = {}
        for key in keys:
            if place := re.match(r"(.*?)\.(\d{1,6})\.", key):
                stack = ".".join(place[1].split(".")[-2:])
                found[stack] = max(found.get(stack, 0), int(place[2]) + 1)
        return found

    own = layers(read)
    for stack, n in layers(unread).items():
        if n > own.get(stack, n):
            raise ExplorerError(
                t(
                    "“{name}” has weights of {n} layers ({stack}), and its config.json says"
                    " {own}: the others would be left out. Set the number of layers in "
                    "config.json to {n}.",
                    name=name,
                    n=n,
                    stack=stack,
                    own=own[stack],
                )
            )
