"""A model's folder on this machine: where in it the model lies, and whether it was saved anew.

No torch.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.source import Folder, InMemory, Own

Stamp = tuple[tuple[str, int, int], ...]
_FILES = (".json", ".jinja", ".safetensors", ".txt", ".model", ".spm", ".codes", ".tokenizer")
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".ckpt")
_MOST = 2000  # files of a folder that are looked at
_ADAPTER = "adapter_config.json"
_ADAPTER_BYTES = 2**20


def opened(folder: Path, name: str) -> tuple[Path, str]:
    """Where in a folder the model lies, and its shown name.

    A folder of the hub's cache holds it in the snapshot that its main revision names, and an older
    one of sentence-transformers in the part that its modules.json names first.

    Raises:
        ExplorerError: There is none in it; if another folder has it, or an adapter lies there, that
            is said.
    """
    home = folder.resolve()
    if home.parent.name == "snapshots":
        name = _hub_name(home.parents[1]) or name
    if _is_file(folder / "config.json") or os.path.lexists(folder / "config.json"):
        _check_whole(folder, name)
        return folder, name
    inner = _snapshot(folder) or _first_module(folder)
    if inner is not None:
        if not inner.resolve().is_relative_to(home):
            raise ExplorerError(
                t(
                    "“{name}” was not loaded: its {name2} is a link that leads out of the "
                    "model’s folder. Put the folder itself there.",
                    name=name,
                    name2=inner.name,
                )
            )
        return inner, _hub_name(home) or name
    if _is_file(folder / _ADAPTER):
        raise ExplorerError(_of_adapter(folder, name))
    raise ExplorerError(_elsewhere(folder, name))


def _check_whole(folder: Path, name: str) -> None:
    """Refuse a folder with a configuration whose only weights are an adapter's, or a checkpoint's.

    Raises:
        ExplorerError: It is one.
    """
    adapter = _is_file(folder / _ADAPTER)
    if adapter and not any(n.startswith("model") for n in _names(folder, ".safetensors")):
        raise ExplorerError(_of_adapter(folder, name))
    steps = _checkpoints(folder)
    if steps and not _names(folder, _WEIGHTS):
        raise ExplorerError(
            t(
                "“{name}” holds no weights yet. Its folder {steps} does{steps2}: open that one.",
                name=name,
                steps=steps[-1],
                steps2=_of(steps),
            )
        )


def _of_adapter(folder: Path, name: str) -> str:
    base: str = t("the model that it was trained on")
    try:
        with (folder / _ADAPTER).open("rb") as file:
            said = json.loads(file.read(_ADAPTER_BYTES))
        found = said.get("base_model_name_or_path") if isinstance(said, dict) else None
    except (OSError, ValueError, RecursionError):
        found = None
    if isinstance(found, str) and re.fullmatch(r"[\w.-]{1,96}(/[\w.-]{1,96})?", found):
        base = f"“{found}”"
    return t(
        "“{name}” holds an adapter (such as LoRA), which is no whole model: it "
        "changes {base}. Join them with peft, "
        "AutoPeftModel.from_pretrained(folder).merge_and_unload().save_pretrained(new"
        " folder), save the tokenizer there too, and open the new folder.",
        name=name,
        base=base,
    )


def _elsewhere(folder: Path, name: str) -> str:
    """That there is no model, and which folder within holds one: a training's last checkpoint."""
    steps = _checkpoints(folder)
    if steps:
        return t(
            "“{name}” is no model: it has no config.json. Its folder {steps} "
            "does{steps2}: open that one.",
            name=name,
            steps=steps[-1],
            steps2=_of(steps),
        )
    inner = [n for n in _names(folder, "") if _is_file(folder / n / "config.json")]
    if inner:
        return t(
            "“{name}” is no model: it has no config.json. Its folder {inner} does: open that one.",
            name=name,
            inner=inner[0],
        )
    cached = [n for n in _names(folder, "") if _snapshot(folder / n) is not None]
    if cached:
        return t(
            "“{name}” is no model: it has no config.json. Its folder {cached} holds"
            " a model of the hub: open such a one.",
            name=name,
            cached=cached[0],
        )
    if _names(folder, ".gguf"):
        return t(
            "“{name}” is no model that can be read here: it holds GGUF files, whose"
            " numbers are packed for llama.cpp. Choose the model that they were "
            "made from, with safetensors weights.",
            name=name,
        )
    return t("“{name}” is no model: it has no config.json.", name=name)


def _of(steps: list[str]) -> str:
    return t(", the last of {n} checkpoints", n=len(steps)) if len(steps) > 1 else ""


def _checkpoints(folder: Path) -> list[str]:
    """The folders that a training saves as it goes on, the last one last."""
    found = [n for n in _names(folder, "") if re.fullmatch(r"checkpoint-\d{1,18}", n)]
    whole = [n for n in found if _is_file(folder / n / "config.json")]
    return sorted(whole, key=lambda n: int(n.rpartition("-")[2]))


def _snapshot(folder: Path) -> Path | None:
    """The snapshot of a folder of the hub's cache: that of main, or the only one."""
    if not _hub_name(folder.resolve()):
        return None
    try:
        commit = (folder / "refs" / "main").read_text("utf-8")[:64].strip()
    except (OSError, ValueError):
        commit = ""
    found = [n for n in _names(folder / "snapshots", "") if n == commit]
    found = found or _names(folder / "snapshots", "")
    return folder / "snapshots" / found[0] if len(found) == 1 else None


def _hub_name(folder: Path) -> str | None:
    """The name of the hub's model that a folder of its cache belongs to."""
    owner, _, model = folder.name.removeprefix("models--").partition("--")
    return (f"{owner}/{model}" if model else owner) if folder.name.startswith("models--") else None


def _first_module(folder: Path) -> Path | None:
    """The part of a sentence-transformers model that holds its network."""
    found = [n for n in _names(folder, "") if re.fullmatch(r"0_[A-Za-z]{1,64}", n)]
    modules = _is_file(folder / "modules.json")
    return folder / found[0] if modules and len(found) == 1 else None


def _names(folder: Path, ending: str | tuple[str, ...]) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in islice(entries, _MOST) if e.name.endswith(ending))
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # where Path.is_file fails on too long a name


# --- saved anew ----------------------------------------------------------------------------------


def stamp_of(asked: Any) -> Stamp:
    """The size and time of every file of the folders that something asked for is read from.

    Args:
        asked: A source, or anything that has sources in it: a run, a piece of work.

    Returns:
        For each file its path, bytes, and nanoseconds; nothing where no folder is asked for.
    """
    return tuple(entry for source in _folders_in(asked) for entry in _stamp(source))


def _folders_in(asked: Any) -> Iterator[Folder]:
    if isinstance(asked, Folder):
        yield asked
    elif isinstance(asked, tuple):
        for part in asked:
            yield from _folders_in(part)
    elif is_dataclass(asked) and not isinstance(asked, Own | InMemory):
        for part in fields(asked):
            yield from _folders_in(getattr(asked, part.name))


def _stamp(source: Folder) -> Iterator[tuple[str, int, int]]:
    try:
        folder = source.place()
    except ExplorerError:  # it can be nowhere, which is said where it is opened
        return
    inner = (_snapshot(folder) or _first_module(folder)) if os.path.isdir(folder) else None
    for place in filter(None, (folder, inner)):
        for name in _names(place, _FILES):
            try:
                about = os.stat(place / name)
            except OSError:
                continue
            yield str(place / name), about.st_size, about.st_mtime_ns
