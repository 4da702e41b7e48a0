"""What the hub says of a model: its files, their sizes and hashes. A hub may say anything."""

import re
from dataclasses import dataclass
from typing import Any

from explorer.sources import hub_cache
from explorer.sources.hub_line import RefusalError

_MOST_FILES = 500
_EMPTY = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"  # git's name of a file without a byte


@dataclass(frozen=True)
class File:
    """A file that the hub lists.

    Attributes:
        name: Its name in the repository.
        etag: Its name in the cache: a hash of what is in it. None if the hub does not tell.
        size: Bytes; None if the hub does not tell.
    """

    name: str
    etag: str | None
    size: int | None


@dataclass(frozen=True)
class Listing:
    """What the hub says of a model.

    Attributes:
        commit: The commit that the revision means.
        files: The files that are fetched, weights first: they take long and fail most.
        parameters: Numbers in the weights; None if the hub does not tell.
        tree: All files, in the form in which the hub's client keeps them; None if something lacks.
    """

    commit: str
    files: list[File]
    parameters: int | None
    tree: dict[str, Any] | None

    @property
    def size(self) -> int | None:
        """Bytes of all files that are fetched; None if one is not told."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(filter(None, sizes))

    @property
    def told(self) -> int:
        """Bytes of those files whose size is told."""
        return sum(file.size or 0 for file in self.files)


def read_listing(said: Any) -> Listing:
    """What a hub sent, as far as it makes sense.

    Raises:
        RefusalError: It makes none, or there are more files than any model has.
    """
    if not isinstance(said, dict) or not isinstance(said.get("siblings"), list):
        raise RefusalError("garbled")
    commit = said.get("sha")
    if not isinstance(commit, str) or not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise RefusalError("garbled")
    entries = {
        entry["rfilename"]: entry
        for entry in said["siblings"]
        if isinstance(entry, dict) and isinstance(entry.get("rfilename"), str)
    }
    names = sorted(entries, key=lambda file: (not hub_cache.is_weights(file), file))
    files = [_read_file(entries[file]) for file in names if hub_cache.is_wanted(file)]
    if len(files) > _MOST_FILES:
        raise RefusalError("too_long")
    weights = said.get("safetensors")
    count = _count(weights.get("total")) if isinstance(weights, dict) else None
    tree = {file: _tree_entry(entry) for file, entry in entries.items()}
    return Listing(commit, files, count, None if None in tree.values() else tree)


def _read_file(entry: dict[str, Any]) -> File:
    large = entry.get("lfs")
    etag = large.get("sha256") if isinstance(large, dict) else entry.get("blobId")
    length = 64 if isinstance(large, dict) else 40
    known = isinstance(etag, str) and re.fullmatch(rf"[0-9a-f]{{{length}}}", etag)
    size = 0 if etag == _EMPTY else _count(entry.get("size"))
    return File(entry["rfilename"], etag if known else None, size)


def _tree_entry(entry: dict[str, Any]) -> dict[str, Any] | None:
    """A file as the hub's client notes it down; None if the hub does not tell enough."""
    size, blob, large = entry.get("size"), entry.get("blobId"), entry.get("lfs")
    if type(size) is not int or not isinstance(blob, str):
        return None
    noted: dict[str, Any] = {"size": size, "blob_id": blob}
    if isinstance(large, dict):
        noted |= {"lfs_sha256": large.get("sha256"), "lfs_size": large.get("size")}
        told = isinstance(noted["lfs_sha256"], str) and type(noted["lfs_size"]) is int
        return noted if told else None
    return noted


def _count(said: Any) -> int | None:
    """A number of bytes or weights; hubs that do not know it say nothing, null or 0."""
    return said if type(said) is int and said > 0 else None
