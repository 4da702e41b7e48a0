"""A model's folder made anew, with nothing in it that was not looked at: what libraries get to see.

Transformers opens whatever it finds beside a model: templates, code, adapters, other vocabularies.
So it gets a folder of its own, which holds a closed list of files: JSON written anew from allowed
keys (`checking.py`, `vocabulary.py`), vocabularies as they were read and checked, and links to the
safetensors files.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.sources.checking import (
    model_config,
    parse,
    picture_config,
    read_bytes,
    read_json,
    refuse,
    weight_index,
    weights_of,
    writing_config,
)
from explorer.sources.families import reads_pictures
from explorer.sources.hub_cache import LINES, NUMBERS, PIECES, TABLES
from explorer.sources.vocabulary import check_pieces, check_tokenizer, numbers_of, settings_of

# The files of every tokenizer of Transformers that hold no vocabulary.
_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json")
_NUMBERS = ("added_tokens.json", *NUMBERS)
_OTHER_TABLES = ("entity_vocab.json", "normalizer.json")
_SETTINGS_BYTES = 8 * 2**20
_LONGEST_LINE = 4096


@contextmanager
def staged(folder: Path, name: str) -> Iterator[Path]:
    """A folder with what may be read of a model, for as long as it is being loaded.

    Args:
        folder: Where the model's own files are.
        name: Its shown name.

    Raises:
        ExplorerError: A file is damaged, leads out of the folder, or says what none may say.
    """
    unreadable = t(
        "The files of “{name}” cannot be read: they are damaged, or this "
        "machine has no room to check them.",
        name=name,
    )
    with refusing(unreadable):
        place = tempfile.TemporaryDirectory(prefix="explorer-", ignore_cleanup_errors=True)
    with place as path:
        with refusing(unreadable):
            _stage_configs(folder, Path(path), name)
            _stage_tokenizer(folder, Path(path), name)
            _stage_weights(folder, Path(path), name)
        yield Path(path)


def _write(place: Path, file: str, said: Any) -> None:
    if said is not None:
        (place / file).write_text(json.dumps(said), "utf-8")


def _stage_configs(folder: Path, place: Path, name: str) -> None:
    config = model_config(folder, name)
    _write(place, "config.json", config)
    _write(place, "generation_config.json", writing_config(folder, name))
    if reads_pictures(config):
        _write(place, "preprocessor_config.json", picture_config(folder, name))


def _stage_tokenizer(folder: Path, place: Path, name: str) -> None:
    for file in _SETTINGS:
        said = read_json(folder, file, name, _SETTINGS_BYTES)
        _write(place, file, None if said is None else settings_of(said, name, file))
    for file in _NUMBERS:
        said = read_json(folder, file, name)
        _write(place, file, None if said is None else numbers_of(said, name, file))
    for file in (*TABLES, *_OTHER_TABLES):
        _write(place, file, read_json(folder, file, name, _SETTINGS_BYTES))
    for file in LINES:
        data = read_bytes(folder, file, name)
        if data is not None and max(map(len, data.split(b"\n"))) > _LONGEST_LINE:
            raise refuse(
                name,
                file,
                "line",
                t("has more than {longest_line} letters", longest_line=f"{_LONGEST_LINE:,}"),
            )
        _copy(place, file, data)
    for file in PIECES:
        data = read_bytes(folder, file, name)
        if data is not None:
            check_pieces(data, name, file)
        _copy(place, file, data)
    _copy(place, "tokenizer.json", _checked_tokenizer(folder, name))


def _checked_tokenizer(folder: Path, name: str) -> bytes | None:
    """A tokenizer.json as it is: no library reads strict JSON in another way."""
    data = read_bytes(folder, "tokenizer.json", name)
    if data is None:
        return None
    try:
        said = parse(data)
    except (ValueError, RecursionError) as error:
        raise ExplorerError(
            t(
                "“{name}” was not loaded: its tokenizer.json cannot be read as JSON, or"
                " holds more than any model’s.",
                name=name,
            )
        ) from error
    check_tokenizer(said, name)
    return data


def _copy(place: Path, file: str, data: bytes | None) -> None:
    if data is not None:
        (place / file).write_bytes(data)


def _stage_weights(folder: Path, place: Path, name: str) -> None:
    shards = weights_of(folder, name)
    for file, path in shards.items():
        (place / file).symlink_to(path)
    if "model.safetensors" not in shards:
        index = {"metadata": {}, "weight_map": weight_index(folder, name)}
        _write(place, "model.safetensors.index.json", index)
