"""Where the hub's client keeps its files, and what is whole, damaged or left over there.

Under ``models--OWNER--NAME``: ``blobs`` holds every file under the hash that names it,
``snapshots/COMMIT`` points to them by their own names, ``refs`` says which commit a revision is.
"""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from explorer.limits import MAX_MODEL_MB

# Every file that holds the vocabulary of one of Transformers' tokenizers, by what is in it: pieces
# and their numbers as JSON; lines of text; SentencePiece's own format.
NUMBERS: tuple[str, ...] = ("vocab.json", "target_vocab.json", "vocab-src.json", "vocab-tgt.json")
LINES: tuple[str, ...] = ("vocab.txt", "merges.txt", "bpe.codes", "dict.txt")
LINES += ("prophetnet.tokenizer",)
PIECES: tuple[str, ...] = (
    *("spiece.model", "tokenizer.model", "sentencepiece.bpe.model", "sentencepiece.model"),
    *("spm.model", "spm_char.model", "tiktoken.model", "source.spm", "target.spm"),
)
VOCABULARIES = {"tokenizer.json", *NUMBERS, *LINES, *PIECES} - {"merges.txt", "target_vocab.json"}
# What some of them read beside it: tables of words, signs and sounds.
TABLES: tuple[str, ...] = ("emoji.json", "byte_maps.json", "word_shape.json")
TABLES += ("word_pronunciation.json",)
# Tokenizers that have none: they read bytes or characters.
_OF_LETTERS = ("ByT5Tokenizer", "CanineTokenizer", "PerceiverTokenizer")
_KINDS_OF_LETTERS = ("canine", "perceiver")
FILES = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    *("tokenizer.json", *NUMBERS, *LINES, *PIECES, *TABLES),
    "model.safetensors.index.json",
    "model.safetensors",
    "model-*.safetensors",
]
_KEPT_DAYS = 3  # as long as a download that was stopped may be gone on with
_LOOK = 0.2  # seconds between two looks whether a lock is free
_CONFIG_BYTES = 2**20
_MOMENT = 0.05  # seconds in which a lock is had that nobody holds


def is_wanted(file: str) -> bool:
    """Whether a file of a repository is fetched; never one that would lie in another folder."""
    plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}", file)
    return bool(plain) and any(fnmatch(file, pattern) for pattern in FILES)


def is_weights(file: str) -> bool:
    """Whether a file holds weights."""
    return file.endswith(".safetensors")


def blob_of(name: str, etag: str) -> Path:
    """Where a file of a model is kept."""
    return _home(name) / "blobs" / etag


def part_of(blob: Path) -> Path:
    """Where a file lies as long as it is not whole."""
    return blob.with_name(f"{blob.name}.incomplete")


def bytes_here(name: str, etag: str | None, size: int | None) -> int:
    """How much of a file is in the cache, wholly or as far as it came."""
    if etag is None:
        return 0
    blob = blob_of(name, etag)
    found = [path.stat().st_size for path in (blob, part_of(blob)) if path.is_file()]
    return found[0] if found and (size is None or found[0] <= size) else 0


def is_hash(etag: str) -> bool:
    """Whether a name says what must be in the file."""
    return bool(re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", etag))


def is_intact(path: Path, etag: str) -> bool:
    """Whether a file has the hash that names it; another kind of name cannot be checked.

    Large files are named by their SHA-256, small ones by git's hash of them, which counts a
    header with their size; a mirror may take their plain SHA-1.
    """
    if not is_hash(etag):
        return True
    made = [hashlib.sha256()]
    if len(etag) == 40:
        made = [hashlib.sha1(b"blob %d\0" % path.stat().st_size), hashlib.sha1()]
    with path.open("rb") as file:
        while chunk := file.read(2**22):
            for one in made:
                one.update(chunk)
    return etag in [one.hexdigest() for one in made]


def lies_whole(folder: Path) -> bool:
    """Whether a snapshot holds what a model needs, as far as that can be seen without the hub."""
    here = {path.name for path in folder.iterdir() if path.is_file()}
    read = {*VOCABULARIES, "preprocessor_config.json"} & here or needs_no_vocabulary(folder)
    return "config.json" in here and bool(read) and _has_weights(folder, here)


def needs_no_vocabulary(folder: Path) -> bool:
    """Whether a tokenizer has no vocabulary, as its files say: it reads letter by letter."""
    said: dict[str, Any] = {}
    for file in ("config.json", "tokenizer_config.json"):
        try:
            found = json.loads((folder / file).read_bytes()[:_CONFIG_BYTES])
        except (OSError, ValueError, RecursionError):
            continue
        said |= found if isinstance(found, dict) else {}
    known = said.get("tokenizer_class"), said.get("model_type")
    return known[0] in _OF_LETTERS or (known[0] is None and known[1] in _KINDS_OF_LETTERS)


def write_list(folder: Path, tree: Mapping[str, Any]) -> None:
    """Note down what the hub has in a snapshot, where its client looks for that."""
    from huggingface_hub._tree_cache import TreeCacheEntry, write_tree_cache

    entries = {file: TreeCacheEntry.from_json(noted) for file, noted in tree.items()}
    write_tree_cache(str(folder.parents[1]), folder.name, entries)


def _has_weights(folder: Path, here: set[str]) -> bool:
    index = "model.safetensors.index.json"
    if "model.safetensors" in here or index not in here:
        return any(is_weights(file) for file in here)
    try:
        named = set(json.loads((folder / index).read_text("utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return True  # it is damaged: loading finds that out, and has it fetched anew
    return named <= here


def is_listed(folder: Path) -> bool:
    """Whether it is known what the hub has in a snapshot, so that nothing can be missing."""
    return _list_of(folder) is not None


def _list_of(folder: Path) -> Any:
    from huggingface_hub._tree_cache import read_tree_cache

    return read_tree_cache(str(folder.parents[1]), folder.name)


def _etag_of(path: Path) -> str:
    """The hash of a file of a snapshot; some other text if it is not known."""
    if path.is_symlink():
        return path.resolve().name
    noted = (_list_of(path.parent) or {}).get(path.name)  # a system without symbolic links
    return noted.lfs_sha256 or noted.blob_id if noted else path.name


def discard_damaged(folder: Path, weights: bool = True) -> bool:
    """Throw away those files of a cached model that are not as the hub had them.

    A file that was altered or cut short in the cache is never noticed otherwise.

    Args:
        folder: Its snapshot.
        weights: Whether the weights are looked at, too, which may take seconds.

    Returns:
        Whether there were any.
    """
    files = [path for path in folder.iterdir() if is_wanted(path.name)]
    files = [path for path in files if weights or not is_weights(path.name)]
    damaged = [p for p in files if not (p.is_file() and is_intact(p, _etag_of(p)))]
    for path in damaged:
        if path.is_symlink():
            path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    return bool(damaged)


def place(name: str, revision: str | None, commit: str, blobs: Mapping[str, Path]) -> Path:
    """Let a snapshot point to its files, and a revision to it; what points rightly stays."""
    folder = _home(name) / "snapshots" / commit
    folder.mkdir(parents=True, exist_ok=True)
    for file, blob in blobs.items():
        pointer = folder / file
        if pointer.is_symlink() and pointer.resolve() == blob.resolve():
            continue
        new = folder / f".{file}.{os.getpid()}"  # exchanged in one step: somebody may be reading
        new.unlink(missing_ok=True)
        try:
            new.symlink_to(os.path.relpath(blob, folder))
        except OSError:  # a system without symbolic links
            shutil.copyfile(blob, new)
        new.replace(pointer)
    revision = revision or "main"
    if revision != commit:
        ref = _home(name) / "refs" / revision
        ref.parent.mkdir(parents=True, exist_ok=True)
        new = ref.with_name(f"{ref.name}.{os.getpid()}.tmp")
        new.write_text(commit)
        new.replace(ref)
    return folder


@contextmanager
def alone_with(blob: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Be the only one who writes a file, in any process that uses this cache.

    Args:
        blob: Where it is kept.
        waiting: Called now and then as long as somebody else writes it.
    """
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(_lock(blob.name, blob.parents[1], _LOOK))
                break
            except TimeoutError:
                waiting()
        yield


def _lock(etag: str, home: Path, seconds: float) -> ExitStack:
    from huggingface_hub.utils import WeakFileLock

    path = home.parent / ".locks" / home.name / f"{etag}.lock"  # as the hub's client names it
    path.parent.mkdir(parents=True, exist_ok=True)
    lock: ExitStack = WeakFileLock(path, timeout=seconds)
    return lock


def sweep(name: str, wanted: Mapping[str, int | None]) -> None:
    """Throw away what no download will go on with; what others are writing is left alone.

    Args:
        name: The model that is to be downloaded.
        wanted: Names of its files in ``blobs``, with their sizes where the hub tells them.
    """
    own = _home(name) / "blobs"
    for old in own.glob("*.lock"):  # earlier versions of this app left them
        old.unlink(missing_ok=True)
    room = MAX_MODEL_MB * 2**20
    for age, size, part in _parts():
        etag = part.name.partition(".")[0]
        ours = part.name == f"{etag}.incomplete"  # the hub's client never goes on with its own
        if part.parent == own:
            useful = etag in wanted and size <= (wanted[etag] or size)
        else:
            useful = age < _KEPT_DAYS * 86400 and 0 < size <= room
            room -= size * (ours and useful)
        if not (ours and useful):
            with suppress(TimeoutError, OSError), _lock(etag, part.parents[1], _MOMENT):
                part.unlink()


def _parts() -> list[tuple[float, int, Path]]:
    """All files of the cache that are not whole: age in seconds, bytes, path; the newest first."""
    found = []
    for part in _home("x").parent.glob("models--*/blobs/*.incomplete"):
        with suppress(OSError):
            about = part.stat()
            found.append((time.time() - about.st_mtime, about.st_size, part))
    return sorted(found)


def _home(name: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE, f"models--{name.replace('/', '--')}")
