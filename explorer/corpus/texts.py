"""Texts of a file, one after the other, in memory for a few; what is wrong with some is counted.

A file is .txt (a text a line), .jsonl (an object a line), .csv or .parquet (a named column). A text
may be a conversation: then it is kept as a reader writes one (`conversation.py`), whatever form its
turns have there.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow
import pyarrow.parquet

from explorer.conversation import Turn, as_text, cut, turns_in, turns_of
from explorer.errors import ExplorerError, own_words, refusing
from explorer.language import Said, t, tn
from explorer.limits import MAX_CHARACTERS
from explorer.visible import visible

COLUMN = "text"
_LIST = re.compile(r"\s*\[\s*[{\]]")  # how a list of turns begins, written as JSON
_LONE = re.compile("[\ud800-\udfff]")  # a byte that is no letter, as it is read
_GROUP = 2**29  # bytes of a group of rows of a Parquet file
_LINE = 2**24  # bytes of a line that are read; what a longer one has beyond is let go
_BROKEN, _CODE, _EMPTY = "broken", "not UTF-8", "empty"
_LACKING, _NO_TEXT, _TWICE, _CUT = "lacking", "textless", "duplicate", "cut"
_CHAT, _NO_TURNS, _UNCLEAR = "chat", "turns", "unclear"
_SAID = {
    _BROKEN: t("{lines} broken, skipped (first: {first})."),
    _CODE: t("{lines} not UTF-8, skipped (first: {first})."),
    _EMPTY: t("{lines} empty, skipped (first: {first})."),
    _LACKING: t("{lines} without the column, skipped (first: {first})."),
    _NO_TEXT: t("{lines} of which the column holds no text, skipped (first: {first})."),
    _CHAT: t(
        "{lines} of which the column holds turns, skipped (first: {first}): they are read with "
        "--chat, on the page “As conversations”."
    ),
    _NO_TURNS: t("{lines} of which the turns are broken, skipped (first: {first})."),
    _UNCLEAR: t(
        "{lines} in which a line within a turn begins with “user:” or another speaker, as a new "
        "turn does, skipped (first: {first})."
    ),
    _TWICE: t("{lines} the same as an earlier one, skipped (first: {first})."),
    _CUT: t("{lines} cut to {most} characters (first: {first})."),
}
Parts = tuple[str, ...]
Row = tuple[int, Any]  # the number of a line or row, from 1; what stands there


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a corpus.

    Attributes:
        number: How many texts that count stand before it.
        parts: The text, and a second one where they are read as pairs.
        chat: Whether it is a conversation, whose turns the model's own template writes.
    """

    number: int
    parts: Parts
    chat: bool = False

    @property
    def name(self) -> int:
        """64 bits that only depend on what it says: the same in every corpus."""
        return name_of(self.parts)


def name_of(parts: Parts) -> int:
    """64 bits of some texts' letters."""
    said = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "big")


@dataclass
class Troubles:
    """What was wrong with lines or rows: how many of each kind, and the first of them.

    Attributes:
        counts: How many.
        first: The number of the first, from 1.
    """

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)

    def note(self, kind: str, number: int) -> None:
        self.counts[kind] += 1
        self.first.setdefault(kind, number)

    def sentences(self, unit: str) -> list[str]:
        """What is to be said of them, one kind a sentence; ``unit`` is ``line`` or ``row``."""
        return [
            t(_SAID[kind].message, lines=_so_many(unit, n), first=at, most=f"{MAX_CHARACTERS:,}")
            for kind, n in self.counts.items()
            for at in [_number(unit, self.first[kind])]
        ]

    def kept(self) -> list[tuple[str, int, int]]:
        """The same as a file keeps it: each kind, how many, and the first."""
        return [(kind, n, self.first[kind]) for kind, n in self.counts.items()]

    @classmethod
    def of(cls, kept: object) -> "Troubles | None":
        """What a file kept; None where it did not, or what it did cannot be read."""
        found = cls()
        for one in kept if isinstance(kept, list) else ():
            match one:
                case [str(kind), int(n), int(first)] if kind in _SAID:
                    found.counts[kind], found.first[kind] = n, first
                case _:
                    return None
        return found if found.counts else None


def _so_many(unit: str, n: int) -> Said:
    if unit == "row":
        return tn("{count} row", "{count} rows", n, count=f"{n:,}")
    return tn("{count} line", "{count} lines", n, count=f"{n:,}")


def _number(unit: str, number: int) -> Said:
    at = f"{number:,}"
    return t("row {number}", number=at) if unit == "row" else t("line {number}", number=at)


class Corpus:
    """The texts of a file, or of a list: read anew whenever they are asked for.

    Args:
        path: The file; None for ``lines``.
        column: Which column or key holds the texts.
        second: Which holds second texts, read as pairs with them; None for none.
        limit: How many texts at most; None for all.
        lines: Pasted lines in place of a file.
        chat: Whether they are conversations: lists of turns, or texts as a reader writes them.

    Raises:
        ExplorerError: There is no such file, or it is of no kind that is read here.
    """

    def __init__(
        self,
        path: Path | None,
        column: str = COLUMN,
        second: str | None = None,
        limit: int | None = None,
        lines: Iterable[str] = (),
        chat: bool = False,
    ) -> None:
        self.path, self.column, self.second, self.limit = path, column, second, limit
        self._lines, self.chat = list(lines), chat
        if path is not None:
            self._reader = _reader_of(path)
        if chat and second is not None:
            raise ExplorerError(
                t("A conversation is one text: leave out --second, or read texts without --chat.")
            )
        if second is not None and (path is None or path.suffix == ".txt"):
            raise ExplorerError(
                t("A second text needs a column of its own: give a .jsonl, .csv or .parquet file.")
            )

    @property
    def unit(self) -> str:
        """What a text is in its file."""
        return (
            "row" if self.path is not None and self.path.suffix in (".csv", ".parquet") else "line"
        )

    def about_how_many(self) -> int:
        """How many texts there are, about: lines or rows, whatever is wrong with them."""
        if self.path is None:
            n = len(self._lines)
        elif self.path.suffix.lower() == ".parquet":
            with refusing(t("“{name}” cannot be read{why}.", name=visible(self.path.name))):
                n = pyarrow.parquet.read_metadata(self.path).num_rows
        else:
            with self.path.open("rb") as file:
                n = sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))
        return n if self.limit is None else min(n, self.limit)

    def texts(self, troubles: Troubles) -> Iterator[Text]:
        """Every text that is not empty and was not there before, up to the limit.

        Args:
            troubles: Told what is wrong with others.

        Raises:
            ExplorerError: The file cannot be read, or has no such column.
        """
        known: set[int] = set()
        found = self._whole(troubles, known)
        for number, parts in enumerate(islice(found, self.limit)):
            yield Text(number, parts, self.chat)

    def _whole(self, troubles: Troubles, known: set[int]) -> Iterator[Parts]:
        for line, row in self._rows(troubles):
            parts = self._parts(row, line, troubles)
            if parts is None:
                continue
            name = name_of(parts)
            if name in known:
                troubles.note(_TWICE, line)
                continue
            known.add(name)
            yield parts

    def _rows(self, troubles: Troubles) -> Iterator[Row]:
        if self.path is None:
            yield from enumerate(self._lines, 1)
            return
        try:
            yield from self._reader(self, self.path, troubles)
        except (OSError, ValueError, csv.Error, pyarrow.ArrowException) as error:
            raise ExplorerError(
                t(
                    "“{name}” cannot be read: “{error}”.",
                    name=visible(self.path.name),
                    error=own_words(error),
                )
            ) from error

    def _parts(self, row: Any, line: int, troubles: Troubles) -> Parts | None:
        """The texts of a row, cut where they are too long; None for one that does not count."""
        found: list[str] = []
        for column in [self.column, *([self.second] if self.second else [])]:
            if isinstance(row, dict) and column not in row:
                troubles.note(_LACKING, line)
                return None
            said = row[column] if isinstance(row, dict) else row
            there = (_spoken if self.chat else _plain)(said)
            said = there.text
            if there.wrong is not None:
                troubles.note(there.wrong, line)
                return None
            if _LONE.search(said):
                troubles.note(_CODE, line)
                return None
            if not said.strip():
                troubles.note(_EMPTY, line)
                return None
            if there.longer:
                troubles.note(_CUT, line)
            found.append(said.strip("\r\n"))
        return tuple(found)

    def columns(self) -> list[str]:
        """The columns that a reader may mean."""
        return [self.column, *([self.second] if self.second else [])]

    def check_columns(self, there: Iterable[str]) -> None:
        """Refuse a file that lacks a column.

        Raises:
            ExplorerError: It does.
        """
        has = list(there)
        lacking = [c for c in self.columns() if c not in has]
        if lacking:
            some = ", ".join(f"“{visible(str(c)[:40])}”" for c in has[:12]) or "none"
            raise ExplorerError(
                t(
                    "There is no column “{visible}” in this file. It has: {some}. Name one "
                    "with --column.",
                    visible=visible(lacking[0]),
                    some=some,
                )
            )


@dataclass(frozen=True, slots=True)
class _Found:
    """A text that a row holds, or what is wrong with it; and whether it was longer."""

    text: str = ""
    wrong: str | None = None
    longer: bool = False


def _plain(said: Any) -> _Found:
    """A text as it stands."""
    if said is None or isinstance(said, str):
        whole = said or ""
        return _Found(whole[:MAX_CHARACTERS], longer=len(whole) > MAX_CHARACTERS)
    return _Found(wrong=_CHAT if turns_in(said) else _NO_TEXT)


def _spoken(said: Any) -> _Found:
    """A conversation, its turns as a reader writes them."""
    if isinstance(said, str) and _LIST.match(said):
        try:
            said = json.loads(said)
        except (ValueError, RecursionError):
            return _Found(wrong=_NO_TURNS)
    if said is None or isinstance(said, str):
        whole = said or ""
        turns: tuple[Turn, ...] | None = turns_of(whole[:MAX_CHARACTERS])
        longer = len(whole) > MAX_CHARACTERS
    else:
        turns, longer = turns_in(said), False
    if turns is None:
        return _Found(wrong=_NO_TURNS)
    read = cut(turns, MAX_CHARACTERS)
    text = as_text(read) if any(turn.content for turn in read) else ""
    unclear = bool(text) and turns_of(text) != read
    return _Found(text, _UNCLEAR if unclear else None, longer or read != turns)


def _reader_of(path: Path) -> Callable[[Corpus, Path, Troubles], Iterator[Row]]:
    readers = {".txt": _lines, ".jsonl": _objects, ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if not path.is_file():
        raise ExplorerError(t("There is no file “{visible}”.", visible=visible(str(path))))
    if reader is None:
        raise ExplorerError(
            t(
                "“{name}” is of no kind that is read here: give a .txt file with a text"
                " in each line, or a .jsonl, .csv or .parquet file with a column of "
                "texts.",
                name=visible(path.name),
            )
        )
    return reader


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file as bytes, each up to a length."""
    with path.open("rb") as file:
        _check_code(file, path)
        number = 0
        while line := file.readline(_LINE):
            number += 1
            yield number, line
            while len(line) == _LINE and not line.endswith(b"\n"):
                line = file.readline(_LINE)


def _check_code(file: BinaryIO, path: Path) -> None:
    """Refuse UTF-16, of which no line would be a line; step over the mark of UTF-8."""
    head = file.read(3)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ExplorerError(t("“{name}” is UTF-16. Save it as UTF-8.", name=visible(path.name)))
    file.seek(3 if head == b"\xef\xbb\xbf" else 0)


def _lines(corpus: Corpus, path: Path, troubles: Troubles) -> Iterator[Row]:
    for number, line in _raw_lines(path):
        yield number, line.decode("utf-8", "surrogateescape")


def _objects(corpus: Corpus, path: Path, troubles: Troubles) -> Iterator[Row]:
    seen: set[str] = set()
    some = False
    for number, line in _raw_lines(path):
        if not line.strip():
            troubles.note(_EMPTY, number)
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            troubles.note(_CODE, number)
            continue
        except (ValueError, RecursionError):
            troubles.note(_BROKEN, number)
            continue
        if isinstance(row, str):
            row = {COLUMN: row}
        if not isinstance(row, dict):
            troubles.note(_BROKEN, number)
            continue
        seen.update(islice(row, 20) if len(seen) < 20 else ())
        some = some or all(c in row for c in corpus.columns())
        yield number, row
    if not some and seen:
        corpus.check_columns(seen - set(corpus.columns()))


def _csv(corpus: Corpus, path: Path, troubles: Troubles) -> Iterator[Row]:
    csv.field_size_limit(_LINE)
    with path.open("rb") as raw:
        _check_code(raw, path)
        rows = csv.reader(TextIOWrapper(raw, "utf-8", "surrogateescape", newline=""))
        names = next(rows, [])
        corpus.check_columns(names)
        number = 1
        while True:
            number += 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error:
                troubles.note(_BROKEN, number)
                continue
            if not row:
                troubles.note(_EMPTY, number)
            elif len(row) != len(names):
                troubles.note(_BROKEN, number)
            else:
                yield number, dict(zip(names, row, strict=True))


def _parquet(corpus: Corpus, path: Path, troubles: Troubles) -> Iterator[Row]:
    """The rows of a Parquet file, one text at a time.

    A file of a few bytes may hold one long text a million times. So a text is kept once for all
    rows that have it, and no row is made before the one before it is done with.
    """
    columns = corpus.columns()
    with pyarrow.parquet.ParquetFile(path, read_dictionary=_leaves(path, columns)) as file:
        corpus.check_columns(file.schema_arrow.names)
        _check_size(file, columns)
        number = 0
        for batch in file.iter_batches(batch_size=1024, columns=columns):
            found = [batch.column(name) for name in columns]
            for row in range(batch.num_rows):
                number += 1
                values = (_value(column[row]) for column in found)
                yield number, dict(zip(columns, values, strict=True))


def _leaves(path: Path, columns: list[str]) -> list[str]:
    """What a file holds of some columns: a column itself, or what its lists hold."""
    schema = pyarrow.parquet.read_metadata(path).schema
    there = (schema.column(i).path for i in range(len(schema)))
    return [leaf for leaf in there if _is_of(leaf, columns)]


def _is_of(leaf: str, columns: list[str]) -> bool:
    return leaf in columns or leaf.startswith(tuple(f"{column}." for column in columns))


def _value(cell: Any) -> Any:
    """What stands in a cell; of a list no more than is read of a text."""
    if not isinstance(cell, pyarrow.ListScalar) or cell.values is None:
        return cell.as_py()
    found, size = [], 0
    for one in cell.values:
        found.append(one.as_py())
        said = found[-1].values() if isinstance(found[-1], dict) else [found[-1]]
        size += 1 + sum(len(value) for value in said if isinstance(value, str))
        if size > MAX_CHARACTERS:
            break
    return found


def _check_size(file: "pyarrow.parquet.ParquetFile", columns: list[str]) -> None:
    """Refuse a file that unpacks to more than is read at once.

    Raises:
        ExplorerError: It does.
    """
    about = file.metadata
    for group in range(about.num_row_groups):
        for i in range(about.num_columns):
            chunk = about.row_group(group).column(i)
            if _is_of(chunk.path_in_schema, columns) and chunk.total_uncompressed_size > _GROUP:
                raise ExplorerError(
                    t(
                        "Row group {n} of this file unpacks to {size} MB of texts; at most {most} "
                        "are read at once. Write it with smaller row groups.",
                        n=group + 1,
                        size=f"{chunk.total_uncompressed_size // 2**20:,}",
                        most=_GROUP // 2**20,
                    )
                )
