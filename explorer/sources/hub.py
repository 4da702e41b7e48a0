"""What the process does that talks to the hub for `download.py`.

One request is a line of JSON, and so is every report. The hub's client does not go on with a file
that was cut short, tells no progress of small ones and waits for ever for a slow hub, so all files
are fetched here, into the place where the client keeps them.
"""

import errno
import json
import os
import re
import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from explorer.limits import HUB_SILENCE_SECONDS, MAX_MODEL_MB
from explorer.sources import hub_cache
from explorer.sources.hub_line import Answer, Line, Patience, RefusalError, check_hub, report
from explorer.sources.hub_listing import File, Listing, read_listing

_MOST = MAX_MODEL_MB * 2**20
_LISTING_BYTES = 16 * 2**20  # a repository of 50,000 files
_DISK_LEFT = 64 * 2**20  # bytes that are never taken from the disk


def _main(
    what: str, name: str, revision: str | None, patience: Patience | None = None
) -> dict[str, Any]:
    """Do what was asked; the answer, or the kind of trouble.

    The operator's token goes out only if the hub refuses a stranger, so most requests never carry
    it, and never to another host.
    """
    line = Line(False, patience or Patience(HUB_SILENCE_SECONDS))
    while True:
        try:
            return (_size if what == "size" else _fetch)(name, revision, line)
        except Exception as error:  # noqa: BLE001  # its client raises over a dozen classes
            kind = _kind_of(error)
            own = os.environ.get("HF_TOKEN")
            if kind not in ("gated", "hidden", "not_found") or line.token or not own:
                return {"error": "not_found" if kind == "hidden" else kind}
            line.token = own


def _size(name: str, revision: str | None, line: Line) -> dict[str, Any]:
    listing = _listing(name, revision, line)
    here = sum(hub_cache.bytes_here(name, file.etag, file.size) for file in listing.files)
    return {"size": {"bytes": listing.size, "here": here, "parameters": listing.parameters}}


def _fetch(name: str, revision: str | None, line: Line) -> dict[str, Any]:
    """Fetch a model's files, going on where an earlier download stopped."""
    listing = _listing(name, revision, line)
    before, blobs = 0, {}
    for file in listing.files:
        most = file.size if file.size is not None else _MOST - max(before, listing.told)
        one = _Download(name, listing, file, line, before, most)
        blobs[file.name] = one.blob()
        before += blobs[file.name].stat().st_size
    folder = hub_cache.place(name, revision, listing.commit, blobs)
    if listing.tree is not None:
        hub_cache.write_list(folder, listing.tree)
    return {"folder": str(folder)}


def _listing(name: str, revision: str | None, line: Line) -> Listing:
    """What the hub says of a model that can be fetched; what lies about of it is cleared up."""
    from huggingface_hub import constants

    check_hub(constants.ENDPOINT)
    url = f"{constants.ENDPOINT}/api/models/{name}"
    url += f"/revision/{quote(revision, safe='')}" if revision else ""
    wanted: dict[str, int | None] = {}
    try:
        listing = read_listing(line.read_json(f"{url}?blobs=true", _LISTING_BYTES))
        if not any(hub_cache.is_weights(file.name) for file in listing.files):
            raise RefusalError("unsafe")
        files = [_completed(name, listing.commit, file, line) for file in listing.files]
        listing = replace(listing, files=files)
        if listing.told > _MOST:
            raise RefusalError("too_big")
        wanted |= {file.etag: file.size for file in listing.files if file.etag}
    except RefusalError as error:
        if str(error) in ("unsafe", "too_big"):
            hub_cache.sweep(name, {})
        raise
    hub_cache.sweep(name, wanted)
    here = sum(hub_cache.bytes_here(name, file.etag, file.size) for file in listing.files)
    if listing.told > here:
        _check_disk(listing.told - here)
    return listing


def _completed(name: str, commit: str, file: File, line: Line) -> File:
    """A file with its size and name, asked for one by one where the listing does not tell them."""
    if file.etag is not None and file.size is not None:
        return file
    try:
        with line.ask("HEAD", _url(name, commit, file.name)) as answer:
            etag, size = file.etag or answer.etag, file.size or answer.size
    except Exception as error:  # noqa: BLE001  # some hubs cannot answer this question
        if _kind_of(error) in ("gated", "hidden"):
            raise RefusalError("gated") from None
        return file
    safe = etag is not None and re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", etag)
    empty = not size and hub_cache.is_weights(file.name)
    return File(file.name, etag if safe else None, None if empty else size)


def _url(name: str, commit: str, file: str) -> str:
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{name}/resolve/{commit}/{file}"


def _check_disk(more: int) -> None:
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    if more + _DISK_LEFT > shutil.disk_usage(cache).free:
        raise RefusalError("disk")


@dataclass
class _Download:
    """One file on its way.

    Attributes:
        name: The model.
        listing: What the hub says of the model.
        file: The file.
        line: The way to the hub.
        before: Bytes of the files before it.
        most: Bytes that it may have.
    """

    name: str
    listing: Listing
    file: File
    line: Line
    before: int
    most: int

    def blob(self) -> Path:
        """The file in its place: it was there, or is fetched."""
        if self.file.etag is None:
            raise RefusalError("garbled")
        blob = hub_cache.blob_of(self.name, self.file.etag)
        blob.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as alone:
            with self.line.patience.aside():
                alone.enter_context(hub_cache.alone_with(blob, lambda: report(waiting=True)))
            if blob.is_file() and not self._is_intact(blob):
                blob.unlink()
            if not blob.is_file():
                self._fetch(hub_cache.part_of(blob))
                hub_cache.part_of(blob).replace(blob)
        return blob

    def _fetch(self, part: Path) -> None:
        if part.is_file() and part.stat().st_size > self.most:
            part.unlink()
        try:
            resumed = part.is_file() and part.stat().st_size > 0
            if not self._is_filled(part):
                part.unlink()
                # What was here from before may be to blame: once more, from the first byte on.
                if not (resumed and self._is_filled(part)):
                    raise RefusalError("damaged")
        except Exception as error:
            # Nobody can go on from these, and a full disk is everybody's trouble.
            lost = _kind_of(error) in ("damaged", "more", "too_big", "disk")
            if part.is_file() and (lost or not part.stat().st_size):
                part.unlink()
            raise

    def _is_filled(self, part: Path) -> bool:
        """Append to a file what is still missing of it; whether it is then what it should be."""
        with part.open("ab", buffering=0) as out:
            if out.tell() != self.file.size:
                self._ask(out)
        return self._is_intact(part)

    def _ask(self, out: IO[bytes]) -> None:
        start, size = out.tell(), self.file.size
        url = _url(self.name, self.listing.commit, self.file.name)
        try:
            with self.line.ask("GET", url, start) as answer:
                if answer.status != 206:  # the server does not go on: it begins again
                    out.seek(0)
                    out.truncate()
                self._take(answer, out)
        except RefusalError as error:
            if str(error) == "nothing_more":
                return  # what came of it says its hash
            # The hub has listed the file: it is not the model that is unknown.
            kind = {"not_found": "lost", "no_revision": "lost", "hidden": "gated"}
            raise RefusalError(kind.get(str(error), str(error))) from None
        if size is not None and start < out.tell() < size and not answer.is_counted:
            raise RefusalError("cut")

    def _take(self, answer: Answer, out: IO[bytes]) -> None:
        told = 0.0
        for chunk in answer.body:
            if out.tell() + len(chunk) > self.most:
                raise RefusalError("too_big" if self.file.size is None else "more")
            out.write(chunk)
            if time.monotonic() - told > 0.1:
                told = time.monotonic()
                _check_disk(0)
                report(bytes=self.before + out.tell(), of=self.listing.size)

    def _is_intact(self, path: Path) -> bool:
        assert self.file.etag is not None
        if not hub_cache.is_hash(self.file.etag):
            return self.file.size in (None, path.stat().st_size)
        with self.line.patience.aside():
            return hub_cache.is_intact(path, self.file.etag)


def _kind_of(error: BaseException | None) -> str:
    """What went wrong, from an error or from what caused it."""
    if isinstance(error, RefusalError):
        return str(error)
    while error is not None:
        name = type(error).__name__
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            return "disk"
        if getattr(error, "errno", None) in (errno.EACCES, errno.EROFS):
            return "locked"
        if name in ("ReadError", "RemoteProtocolError", "ReadTimeout"):
            return "cut"
        if "Connect" in name or isinstance(error, ConnectionError):
            return "offline"
        error = error.__cause__ or error.__context__
    return "other"


def _serve() -> None:
    """Do the one thing that the process is for."""
    what, name, revision, seconds = json.loads(sys.stdin.readline())
    from huggingface_hub.utils import get_session

    get_session()  # to load the client takes a second or more, for which no hub is to blame
    patience = Patience(seconds)
    patience.watch()
    report(**_main(what, name, revision, patience))


if __name__ == "__main__":
    _serve()
