"""What the process does that talks to the hub for `download.py`.

One request is a line of JSON, and so is every report. The hub's client does not go on with a file
that was cut short, so weights, which are large, are fetched here, into the place where the client
keeps them.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any

from explorer.limits import MAX_MODEL_MB

_WEIGHTS = ("model.safetensors", "model-*.safetensors")
FILES = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "tokenizer.model",
    "sentencepiece.bpe.model",
    "source.spm",
    "target.spm",
    "model.safetensors.index.json",
    *_WEIGHTS,
]


class _RefusalError(Exception):
    """A download that must not, or cannot, be done; its text is the kind of trouble."""


def _main(what: str, name: str, revision: str | None) -> dict[str, Any]:
    """Do what was asked; the answer, or the kind of trouble.

    The operator's token goes out only if the hub refuses a stranger, so most requests never carry
    it, and never to another host.
    """
    token: str | bool = False
    while True:
        try:
            return (_size if what == "size" else _fetch)(name, revision, token)
        except Exception as error:  # noqa: BLE001  # its client raises over a dozen classes
            kind = _kind_of(error)
            own = os.environ.get("HF_TOKEN")
            if kind not in ("gated", "not_found") or token or not own:
                return {"error": kind}
            token = own


def _size(name: str, revision: str | None, token: str | bool) -> dict[str, Any]:
    info, sizes = _files_of(name, revision, token)
    parameters = info.safetensors.total if info.safetensors else None
    here = sum(_bytes_here(name, size, info, file) for file, size in sizes.items())
    return {"size": {"bytes": sum(sizes.values()), "here": here, "parameters": parameters}}


def _files_of(name: str, revision: str | None, token: str | bool) -> tuple[Any, dict[str, int]]:
    """What the hub says of a model, and the size of each file that would be fetched."""
    from huggingface_hub import HfApi, constants

    info = HfApi(token=token).model_info(name, revision=revision, files_metadata=True, timeout=20)
    sizes = {
        file.rfilename: file.size or 0
        for file in info.siblings or []
        if any(fnmatch(file.rfilename, pattern) for pattern in FILES)
    }
    if not any(fnmatch(file, pattern) for file in sizes for pattern in _WEIGHTS):
        raise _RefusalError("unsafe")
    if sum(sizes.values()) > MAX_MODEL_MB * 2**20:
        raise _RefusalError("too_big")
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    if sum(sizes.values()) > shutil.disk_usage(cache).free:
        raise _RefusalError("disk")
    return info, sizes


def _bytes_here(name: str, size: int, info: Any, file: str) -> int:
    """How much of a file is in the cache, wholly or as far as it came."""
    entry = next(f for f in info.siblings if f.rfilename == file)
    etag = entry.lfs.sha256 if entry.lfs else entry.blob_id
    blob = _blob(name, etag or "none")
    part = _part(blob)
    return size if blob.is_file() else part.stat().st_size if part.is_file() else 0


def _blob(name: str, etag: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE, f"models--{name.replace('/', '--')}", "blobs", etag)


def _part(blob: Path) -> Path:
    return blob.with_name(f"{blob.name}.incomplete")


def _fetch(name: str, revision: str | None, token: str | bool) -> dict[str, Any]:
    """Fetch a model's files: the weights here, going on where an earlier download stopped."""
    from huggingface_hub import snapshot_download

    info, sizes = _files_of(name, revision, token)
    done, total = 0, sum(sizes.values())
    for file in sorted(sizes):
        if any(fnmatch(file, pattern) for pattern in _WEIGHTS):
            _fetch_weights(name, info.sha, file, token, done, total)
        done += sizes[file]
    folder = snapshot_download(name, revision=revision, allow_patterns=FILES, token=token)
    return {"folder": folder}


def _fetch_weights(
    name: str, commit: str, file: str, token: str | bool, before: int, total: int
) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import WeakFileLock

    url = hf_hub_url(name, file, revision=commit)
    about = get_hf_file_metadata(url, token=token, timeout=20)
    if not about.etag or Path(about.etag).name != about.etag or about.size is None:
        raise _RefusalError("other")
    blob = _blob(name, about.etag)
    part = _part(blob)
    blob.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(part.with_suffix(".lock")):
        if blob.is_file():
            return
        with part.open("ab", buffering=0) as out:
            if out.tell() < about.size:
                _stream(about.location, url, token, out, before, total)
            found = out.tell()
        if found < about.size:
            raise _RefusalError("cut")
        if found > about.size or not is_intact(part, about.etag):
            part.unlink()
            raise _RefusalError("damaged")
        part.rename(blob)


def _stream(
    location: str, url: str, token: str | bool, out: IO[bytes], before: int, total: int
) -> None:
    """Append to a file what is still missing of it."""
    from urllib.parse import urlsplit

    from huggingface_hub.utils import build_hf_headers, get_session

    # The files lie on another host, whose address is a secret of its own: no token goes there.
    own = urlsplit(location).netloc == urlsplit(url).netloc
    headers = build_hf_headers(token=token if own else False)
    headers |= {"Range": f"bytes={out.tell()}-", "Accept-Encoding": "identity"}
    with get_session().stream("GET", location, headers=headers, timeout=20) as answer:
        answer.raise_for_status()
        if answer.status_code != 206:  # the server does not go on: it begins again
            out.truncate(0)
        told = 0.0
        for chunk in answer.iter_raw():
            out.write(chunk)
            if time.monotonic() - told > 0.1:
                told = time.monotonic()
                print(json.dumps({"bytes": before + out.tell(), "of": total}), flush=True)


def is_intact(path: Path, etag: str) -> bool:
    """Whether a file has the SHA-256 that names it; another kind of name cannot be checked."""
    if len(etag) != 64:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == etag


def _kind_of(error: BaseException | None) -> str:
    """What went wrong, from an error or from what caused it."""
    if isinstance(error, _RefusalError):
        return str(error)
    while error is not None:
        name = type(error).__name__
        status = getattr(getattr(error, "response", None), "status_code", None)
        if name == "RevisionNotFoundError":
            return "no_revision"
        if name == "GatedRepoError" or status == 403:
            return "gated"
        if status in (401, 404):  # the hub hides private models from strangers
            return "not_found"
        if status:
            return "busy" if status == 429 or status >= 500 else "other"
        if getattr(error, "errno", None) == 28:
            return "disk"
        if name in ("ReadError", "RemoteProtocolError", "ReadTimeout"):
            return "cut"
        if "Connect" in name or isinstance(error, ConnectionError):
            return "offline"
        error = error.__cause__ or error.__context__
    return "other"


if __name__ == "__main__":
    print(json.dumps(_main(*json.loads(sys.stdin.readline()))), flush=True)
