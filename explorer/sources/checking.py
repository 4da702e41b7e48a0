"""What is looked at before a model is loaded: its files, and whether its numbers can be true."""

import json
import re
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError
from explorer.limits import MAX_MODEL_MB

MAX_LAYERS, MAX_HEADS, MAX_WIDTH = 48, 64, 8192
_SMALL_FILE = 64 * 2**20  # a vocabulary of a quarter of a million pieces takes 20 MB
_CONFIG_BYTES = 2**20
_PIECES = 2_000_000

# The largest value of a number in config.json, by the names that families give to it.
_LIMITS = (
    (r"(num_)?(hidden_|encoder_|decoder_)?layers?|n_layers?|depth", MAX_LAYERS),
    (r"(num_|n_)?((encoder_|decoder_)?attention_|key_value_)?heads?", MAX_HEADS),
    (r"hidden_size|d_model|n_embd|dim|embedding_size|d_kv|head_dim", MAX_WIDTH),
    (r"intermediate_size|d_ff|n_inner|hidden_dim|(encoder|decoder)_ffn_dim", 16 * MAX_WIDTH),
    (r"(decoder_)?vocab_size", _PIECES),
    (r"max_position_embeddings|n_positions|n_ctx", _PIECES),
    (r"num_labels|type_vocab_size|num_buckets|position_buckets", 100_000),
    (r"image_size|patch_size", 4096),
    (r"num_channels", 16),
)
_LARGEST = 2**40  # of any other whole number

NO_SAFE_WEIGHTS = (
    "“{name}” has no safetensors weights. Older formats can run hidden code when they are opened, "
    "so only safetensors files are loaded: choose a model that has them."
)


def check_files(folder: Path, name: str) -> int:
    """Refuse a folder without a configuration or without safe weights of a bearable size.

    Returns:
        Bytes of its weights.

    Raises:
        ExplorerError: It is no safe model.
    """
    if not (folder / "config.json").is_file():
        raise ExplorerError(f"“{name}” is no model: it has no config.json.")
    shards = [folder / "model.safetensors"]
    index = folder / "model.safetensors.index.json"
    if not shards[0].is_file() and index.is_file():
        shards = _shards_of(index, name)
    if not all(s.is_file() for s in shards):
        raise ExplorerError(NO_SAFE_WEIGHTS.format(name=name))
    size = sum(s.stat().st_size for s in shards)
    if size > MAX_MODEL_MB * 2**20:
        raise ExplorerError(
            f"“{name}” has {size / 2**20:,.0f} MB of weights; at most {MAX_MODEL_MB:,} MB can be "
            "loaded here (EXPLORER_MAX_MODEL_MB)."
        )
    for path in folder.iterdir():
        large = path.suffix in (".json", ".txt", ".model", ".spm")
        if large and path.is_file() and path.stat().st_size > _SMALL_FILE:
            raise ExplorerError(f"“{name}” has a {path.name} of more than 64 MB: none is so large.")
    return size


def _shards_of(index: Path, name: str) -> list[Path]:
    """The weight files that an index names; it may name any file, one outside the folder too."""
    try:
        names = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        safe = all(Path(n).name == n and n.endswith(".safetensors") for n in names)
        shards = [index.with_name(n) for n in names]
    except (ValueError, KeyError, AttributeError, TypeError):
        safe = False
    if not safe:
        raise ExplorerError(
            f"“{name}” has a damaged or unsafe list of weight files; it was not loaded."
        )
    return shards


def check_numbers(folder: Path, name: str) -> None:
    """Refuse a configuration that would take all memory as soon as a library reads it.

    Raises:
        ExplorerError: It is damaged, or a number in it is too large.
    """
    path = folder / "config.json"
    try:
        if path.stat().st_size > _CONFIG_BYTES:
            raise ValueError
        said = json.loads(path.read_text("utf-8"))
        if not isinstance(said, dict):
            raise TypeError
    except (ValueError, TypeError, RecursionError) as error:
        raise ExplorerError(
            f"“{name}” is of a kind that Transformers does not know, or its config.json is damaged."
        ) from error
    for key, value in _whole_numbers(said):
        _check_number(key, value, name)


def _check_number(key: str, value: int, name: str) -> None:
    limit = next((most for names, most in _LIMITS if re.fullmatch(names, key)), _LARGEST)
    if abs(value) > limit:
        raise ExplorerError(f"“{name}” has {key} = {value:,}; at most {limit:,} can be shown.")


def _whole_numbers(said: Any, key: str = "") -> list[tuple[str, int]]:
    """Every whole number in a configuration with its name, those inside other things too."""
    if isinstance(said, dict):
        return [pair for k, value in said.items() for pair in _whole_numbers(value, k)]
    if isinstance(said, list):
        return [pair for value in said for pair in _whole_numbers(value, key)]
    return [(key, said)] if type(said) is int else []


def check_config(config: Any, name: str) -> None:
    """Refuse a model that does not say its layers, heads and width, or impossible ones.

    Raises:
        ExplorerError: It is no model with attention.
    """
    for key in ("num_hidden_layers", "num_attention_heads", "hidden_size"):
        value = getattr(config, key, None)
        if type(value) is not int or value < 1:
            raise ExplorerError(
                f"“{name}” does not say its {key}: it is no model of text or pictures with "
                "attention."
            )
        _check_number(key, value, name)
