"""The folders that a page may open, by name, and those that it writes for its readers.

A name is never a path: it is looked up among what is there. What a page writes lies below one
directory, a reader's runs beside each other, and is bounded in number and in bytes.
"""

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from explorer.corpus.folder import CorpusFolder, folders_below
from explorer.corpus.headvis import HeadVisTree, is_tree
from explorer.corpus.running import RUN, read_about
from explorer.corpus.sentences import MANY, sentences
from explorer.corpus.shards import put
from explorer.corpus.texts import Text
from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.limits import CORPORA_MB, CORPUS_RUNS
from explorer.visible import visible

SHIPPED = "sentences"
SHIPPED_FOLDER = Path(__file__).parent / "shipped"
_NAME = re.compile(r"[a-z0-9-]{1,40}-[0-9a-f]{12}")
_ENDINGS = (".txt", ".jsonl", ".csv", ".parquet")
_SEEN = 500  # folders of a place that are looked at

Opened = CorpusFolder | HeadVisTree


class Sentences(CorpusFolder):
    """What the embedded model's heads do over our own sentences: it comes with the app.

    Its tables are those of a run, with fewer examples, tokens and weights, so that it is small
    (`docs/sentences.py`); its texts are told anew.
    """

    def __init__(self) -> None:
        super().__init__(SHIPPED_FOLDER)

    def texts(self) -> Iterator[Text]:
        """All its texts, in order."""
        return (Text(i, (said,)) for i, said in enumerate(sentences(MANY)))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader has asked to be read.

    Attributes:
        file: What the file was called.
        ending: Of what kind it is.
        model: Its reader's short name.
        column: Which column holds the texts.
        second: Which holds second texts; None for none.
        limit: How many texts are read.
        length: How many tokens of each.
        chat: Whether they are conversations.
    """

    file: str
    ending: str
    model: str
    column: str = "text"
    second: str | None = None
    limit: int | None = None
    length: int = 512
    chat: bool = False


@dataclass(frozen=True, slots=True)
class OnShelf:
    """A folder that is there.

    Attributes:
        name: By which a link calls it.
        kind: ``sentences``, ``own`` of what this page wrote, ``run``, or ``tree`` of HeadVis.
        path: Where it is.
        model, corpus: What its file says.
        n_texts: How many texts were read; None where it does not say.
        complete: Whether it can be opened; what is not can be gone on with if it is one's own.
    """

    name: str
    kind: str
    path: Path
    model: str
    corpus: str
    n_texts: int | None
    complete: bool = True


class Shelf:
    """All folders that one reader may open.

    Args:
        kept: The directory below which the page writes.
        owner: The reader; letters and digits.
        places: Folders in which the operator has put some.
    """

    def __init__(self, kept: Path, owner: str, places: Sequence[str] = ()) -> None:
        self._kept, self._places = kept, places
        self._own = kept / re.sub("[^a-z0-9]", "", owner)[:40]

    def listed(self) -> list[OnShelf]:
        """What there is: our own sentences, the reader's runs, then what the operator has."""
        own = [self._listed(name, path) for name, path in self._runs()]
        return [_sentences(), *own, *_unlike(_found_in(self._places))]

    def find(self, name: str) -> OnShelf:
        """What a link means by a name; of others' runs only who has the link knows the name.

        Raises:
            ExplorerError: There is nothing of this name.
        """
        for one in self.listed():
            if one.name == name:
                return one
        if _NAME.fullmatch(name):
            for path in self._kept.glob(f"*/runs/{name}"):
                return self._listed(name, path)
        raise ExplorerError(
            t(
                "There is no corpus “{name}” here: it was deleted, or is on another server. "
                "Choose one of those that are listed, or start one from a file.",
                name=visible(name[:60]),
            )
        )

    def begin(self, asked: Asked, data: bytes) -> str:
        """Keep what is to be read; its new name.

        Raises:
            ExplorerError: There is no room for it.
        """
        self._check_number()
        self.check_room(len(data))
        stem = re.sub("[^a-z0-9]+", "-", Path(asked.file).stem.lower()).strip("-")[:40].strip("-")
        name = f"{stem or 'texts'}-{secrets.token_hex(6)}"
        self._write(name, asked, data)
        return name

    def _write(self, name: str, asked: Asked, data: bytes) -> None:
        with refusing(t("The file could not be kept{why}. Nothing was begun.")):
            put(self._own / "asked" / f"{name}{asked.ending}", data)
            put(self._own / "asked" / f"{name}.json", json.dumps(asdict(asked)).encode())

    def asked(self, name: str) -> tuple[Asked, Path, Path] | None:
        """What a run of the reader's own reads, the file, and the folder that it goes into.

        None where it is not his, or its file is gone.
        """
        if not _NAME.fullmatch(name):
            return None
        try:
            said = json.loads((self._own / "asked" / f"{name}.json").read_text("utf-8"))
            asked = Asked(**said)
        except (OSError, ValueError, TypeError):
            return None
        file = self._own / "asked" / f"{name}{asked.ending}"
        there = asked.ending in _ENDINGS and file.is_file()
        return (asked, file, self._own / "runs" / name) if there else None

    def delete(self, name: str) -> None:
        """Delete one of the reader's own runs, and the file that it was read from."""
        if not _NAME.fullmatch(name):
            return
        shutil.rmtree(self._own / "runs" / name, ignore_errors=True)
        for file in (self._own / "asked").glob(f"{name}.*"):
            file.unlink(missing_ok=True)

    def _runs(self) -> Iterable[tuple[str, Path]]:
        """The reader's runs, the newest first."""
        try:
            asked = sorted(
                (self._own / "asked").glob("*.json"), key=lambda p: p.stat().st_mtime, reverse=True
            )
        except OSError:
            return
        for path in asked:
            if _NAME.fullmatch(path.stem):
                yield path.stem, self._own / "runs" / path.stem

    def _listed(self, name: str, path: Path) -> OnShelf:
        said = self.asked(name)
        file = visible(said[0].file[:60]) if said else name
        model = said[0].model if said else ""
        nothing = OnShelf(name, "own", path, model, file, None, complete=False)
        if not (path / RUN).is_file():
            return nothing
        try:
            about = read_about(path)
        except ExplorerError:
            return nothing
        n_texts = about["corpus"].get("n_texts")
        whole = bool(about.get("complete"))
        title = str(about["model"].get("name"))
        return replace(nothing, model=title, n_texts=n_texts, complete=whole)

    def _check_number(self) -> None:
        runs = len(list(self._runs()))
        if runs >= CORPUS_RUNS:
            raise ExplorerError(
                t(
                    "You keep {n} corpora here, the most that one reader may "
                    "(EXPLORER_CORPUS_RUNS). Delete one of them first.",
                    n=runs,
                )
            )

    def check_room(self, more: int = 0) -> None:
        """Refuse to write more than there is room for.

        Raises:
            ExplorerError: There is no room for so many bytes.
        """
        most = CORPORA_MB * 2**20
        if bytes_in(self._own) + more > most // 2 or bytes_in(self._kept) + more > most:
            raise ExplorerError(
                t(
                    "There is no more room for corpora here: all readers together may keep "
                    "{most} MB, and one of them half of that (EXPLORER_CORPORA_MB). Delete one, "
                    "or read a shorter file. What is read is kept.",
                    most=f"{CORPORA_MB:,}",
                )
            )


def bytes_in(folder: Path) -> int:
    """Bytes that all files below a folder take."""
    total = 0
    for top, _, files in os.walk(folder):
        for file in files:
            try:
                total += (Path(top) / file).stat().st_size
            except OSError:
                continue  # it has just gone
    return total


def _sentences() -> OnShelf:
    about: dict[str, Any] = read_about(SHIPPED_FOLDER)
    n_texts = int(about["corpus"]["n_texts"])
    model = str(about["model"]["name"])
    return OnShelf(SHIPPED, "sentences", SHIPPED_FOLDER, model, t("our own sentences"), n_texts)


def _found_in(places: Sequence[str]) -> Iterator[OnShelf]:
    """Runs, and trees of HeadVis, in some places and one level below them."""
    for listed in folders_below(places):
        yield OnShelf(
            listed.path.name,
            "run",
            listed.path,
            visible(listed.model),
            visible(listed.corpus),
            listed.n_texts,
            listed.complete,
        )
    for place in places:
        top = Path(place).expanduser()
        try:
            inside = sorted(Path(entry) for entry in os.scandir(top) if entry.is_dir())
            found = [path for path in [top, *inside[:_SEEN]] if is_tree(path)]
        except OSError:
            continue
        for path in found:
            yield OnShelf(path.name, "tree", path, "", t("a tree of HeadVis"), None)


def _unlike(found: Iterable[OnShelf]) -> Iterator[OnShelf]:
    """The same with another name for each."""
    taken = {SHIPPED}
    for one in found:
        name, n = one.name, 1
        while name in taken:
            n += 1
            name = f"{one.name}~{n}"
        taken.add(name)
        yield replace(one, name=name)


def opened(one: OnShelf) -> Opened:
    """A folder that can be asked.

    Raises:
        ExplorerError: It cannot be opened; the sentence says why.
    """
    if one.kind == "sentences":
        return Sentences()
    return HeadVisTree(one.path) if one.kind == "tree" else CorpusFolder(one.path)
