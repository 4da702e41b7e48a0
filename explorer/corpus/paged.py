"""A corpus that a page has read: looked into before, and read with words of how far it is."""

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pyarrow.parquet

from explorer.corpus.engines import Here
from explorer.corpus.overview import Overview, overview_so_far
from explorer.corpus.running import Progress, Settings, run
from explorer.corpus.shelf import Asked
from explorer.corpus.texts import Corpus
from explorer.errors import ExplorerError, refusing
from explorer.language import Said, t

SHARD_TEXTS = 128  # of a page's run: what it tells and shows comes as often
_LOOKED_AT = 200  # lines that are looked into for the names of columns
Tell = Callable[[str, float | None], None]


def columns_in(data: bytes, ending: str) -> list[str]:
    """The columns of a file that may hold texts; none of one that has a text a line.

    Args:
        data: The file.
        ending: Of what kind it is.

    Raises:
        ExplorerError: It cannot be read.
    """
    with refusing(t("This file cannot be read{why}. Save it anew, or choose another one.")):
        return list(dict.fromkeys(islice(_columns(data, ending), 100)))


def _columns(data: bytes, ending: str) -> Iterator[str]:
    if ending == ".parquet":
        yield from pyarrow.parquet.read_schema(io.BytesIO(data)).names
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ExplorerError(t("This file is UTF-16. Save it as UTF-8."))
    elif ending == ".csv":
        begin = data[: 2**20].decode("utf-8-sig", "replace")
        yield from next(csv.reader(io.StringIO(begin, newline="")), [])
    elif ending == ".jsonl":
        yield from _keys(data)


def _keys(data: bytes) -> Iterator[str]:
    for line in islice(io.BytesIO(data), _LOOKED_AT):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue  # it is counted when the file is read
        if isinstance(row, dict):
            yield from row


def read_corpus(
    asked: Asked,
    file: Path,
    folder: Path,
    tell: Tell,
    show: Callable[[Overview], None] = lambda so_far: None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Read a corpus into a folder; what is there already is not read again.

    Args:
        asked: What is to be read.
        file: The texts.
        folder: Where what is found goes.
        tell: Told what is being done, and how far it is; may raise to end it.
        show: Told what is known so far: after the first texts, and whenever they are twice as many.
        check: Raises where there is no more room.

    Raises:
        ExplorerError: It cannot be read, or no further; what is done is kept.
    """
    corpus = Corpus(file, asked.column, asked.second, asked.limit, chat=asked.chat)
    settings = Settings(asked.model, asked.length, shard_texts=SHARD_TEXTS)
    telling = Telling(corpus.about_how_many())
    shown = 0

    def report(progress: Progress) -> None:
        nonlocal shown
        if progress.n_shards >= max(2 * shown, 1):
            shown = progress.n_shards
            so_far = overview_so_far(folder)
            if so_far:
                show(so_far)
        check()
        tell(*telling.of(progress))

    run(corpus, folder, settings, Here(), report)
    shutil.rmtree(folder / "shards", ignore_errors=True)  # nothing goes on from a whole one


class Telling:
    """How far a run is, in words.

    Args:
        n_texts: About how many texts there are.
    """

    def __init__(self, n_texts: int) -> None:
        self._n_texts = n_texts

    def of(self, progress: Progress) -> tuple[Said, float | None]:
        """What is said, and how far it is."""
        n, of = f"{progress.n_texts:,}", f"{max(self._n_texts, progress.n_texts):,}"
        share = min(progress.n_texts / max(self._n_texts, 1), 1.0) if progress.n_texts else None
        if progress.doing != "Reading":
            told = (
                t("Putting together what {n} texts say", n=n)
                if progress.n_texts and progress.doing == "Putting together"
                else t("Loading the model, and looking for what is read already")
            )
            return told, share
        if not progress.new_tokens or not progress.seconds:
            return t("Reading: {n} of about {of} texts", n=n, of=of), share
        rate = progress.new_tokens / progress.seconds
        left = max(self._n_texts - progress.n_texts, 0) * progress.n_tokens / progress.n_texts
        said = t(
            "Reading: {n} of about {of} texts, {rate} tokens a second, {left} left",
            n=n,
            of=of,
            rate=f"{rate:,.0f}",
            left=clock(left / rate),
        )
        return said, share


def clock(seconds: float) -> str:
    """A length of time, such as 0:42 or 1:02:03."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
