"""A shard as two files: its sums, and its texts. A file is there whole, or it is not there.

A file of sums is Parquet with an array a row, each in a row group of its own, so that one can be
read without the others; what it was made of stands in its metadata.
"""

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from explorer.corpus.merging import Part
from explorer.corpus.sums import Sums
from explorer.corpus.texts import Text
from explorer.errors import ExplorerError, own_words
from explorer.language import t

if TYPE_CHECKING:
    from explorer.corpus.census import Shard
    from explorer.corpus.reading import Read

_BY_LAYER = ("received", "given")
_MADE_OF = b"explorer.shard"
_TEXTS = pa.schema(
    [
        ("number", pa.int64()),
        ("name", pa.uint64()),
        ("text", pa.string()),
        ("second", pa.string()),
        ("n_tokens", pa.int32()),
        ("n_cut", pa.int32()),
        ("tokens", pa.list_(pa.string())),
    ]
)


def sums_as_bytes(sums: Sums | None, made_of: str) -> bytes:
    """The file of a shard's sums; of a shard without any text that could be read, an empty one."""
    arrays: list[tuple[str, Any]] = []
    for field in fields(Sums) if sums is not None else ():
        array = getattr(sums, field.name)
        if field.name in _BY_LAYER:
            arrays += [(f"{field.name}/{i}", layer) for i, layer in enumerate(array)]
        elif field.name != "types":
            arrays.append((field.name, array))
    types = [] if sums is None else [str(t) for t in sums.types]
    table = pa.table(
        {
            "array": pa.array([name for name, _ in arrays] + ["types"]),
            "kind": pa.array([a.dtype.str for _, a in arrays] + ["text"]),
            "shape": pa.array(
                [list(a.shape) for _, a in arrays] + [[len(types)]], pa.list_(pa.int64())
            ),
            "bytes": pa.array(
                [np.ascontiguousarray(a).tobytes() for _, a in arrays] + [b""], pa.large_binary()
            ),
            "texts": pa.array([None] * len(arrays) + [types], pa.list_(pa.string())),
        }
    )
    return _written(table.replace_schema_metadata({_MADE_OF: made_of.encode()}), rows=1)


def texts_as_bytes(texts: Sequence[Text], read: "Sequence[Read]") -> bytes:
    """The file of a shard's texts."""
    columns = {
        "number": [t.number for t in texts],
        "name": [t.name for t in texts],
        "text": [t.parts[0] for t in texts],
        "second": [t.parts[1] if len(t.parts) > 1 else None for t in texts],
        "n_tokens": [len(r.tokens) for r in read],
        "n_cut": [r.n_cut for r in read],
        "tokens": [[t.text for t in r.tokens] for r in read],
    }
    return _written(pa.table(columns, schema=_TEXTS), rows=1024)


def as_files(shard: "Shard", made_of: str) -> tuple[bytes, bytes]:
    """Both files of a shard: sums, texts."""
    return sums_as_bytes(shard.sums, made_of), texts_as_bytes(shard.texts, shard.read)


def _written(table: pa.Table, rows: int) -> bytes:
    out = io.BytesIO()
    pq.write_table(
        table, out, row_group_size=rows, compression="zstd", write_page_checksum=True, version="2.6"
    )
    return out.getvalue()


def put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: under another name first, which is then given up.

    Raises:
        ExplorerError: The disk is full, or does not let it be written.
    """
    other = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with other.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(other, path)
    except OSError as error:
        with suppress(OSError):
            other.unlink(missing_ok=True)
        raise ExplorerError(
            t(
                "“{name}” cannot be written ({error}). What was written before it is "
                "kept: make room, and run the same command again.",
                name=path.name,
                error=own_words(error, 120),
            )
        ) from error


class SumsFile:
    """A file of sums, of which arrays are read by their names; it is open only while it is read.

    Args:
        path: The file.

    Attributes:
        made_of: What it was made of.
        empty: Whether none of its texts could be read.

    Raises:
        ExplorerError: It was cut short, or is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as file:
            self.made_of = (file.schema_arrow.metadata or {})[_MADE_OF].decode()
            names = file.read(columns=["array"])["array"].to_pylist()
        self._rows = {name: i for i, name in enumerate(names)}
        self.empty = len(names) <= 1

    def __call__(self, names: Iterable[str]) -> dict[str, Any]:
        """Some arrays.

        Args:
            names: Theirs; the texts of tokens come as a list.

        Raises:
            ExplorerError: The file is damaged.
        """
        found = {}
        with self._opened() as file:
            for name in names:
                row = file.read_row_group(self._rows[name]).to_pylist()[0]
                if row["kind"] == "text":
                    found[name] = row["texts"]
                else:
                    flat = np.frombuffer(row["bytes"], dtype=row["kind"])
                    found[name] = flat.reshape(row["shape"])
        return found

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        try:
            with pq.ParquetFile(self._path, page_checksum_verification=True) as file:
                yield file
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise ExplorerError(
                t(
                    "“{name}” is damaged or cut short. Run the same command again: it alone"
                    " is made anew.",
                    name=self._path.name,
                )
            ) from error


def part_of(sums: Sums) -> Part:
    """What a file of these sums would give, without a file."""

    def array(name: str) -> Any:
        field, _, layer = name.partition("/")
        found = getattr(sums, field)
        return found[int(layer)] if layer else found

    return lambda names: {name: array(name) for name in names}


def texts_in(path: Path, chat: bool = False) -> list[Text]:
    """The texts of a shard, which may be conversations.

    Raises:
        ExplorerError: Their file is damaged.
    """
    try:
        table = pq.read_table(path, columns=["number", "text", "second"])
    except (OSError, pa.ArrowException) as error:
        raise ExplorerError(
            t(
                "“{name}” is damaged or cut short. Run its command again: it alone is made anew.",
                name=path.name,
            )
        ) from error
    return [as_text(row, chat) for row in table.to_pylist()]


def as_text(row: dict[str, Any], chat: bool = False) -> Text:
    """A text of a row that holds one."""
    parts = (row["text"],) if row["second"] is None else (row["text"], row["second"])
    return Text(row["number"], parts, chat)


def is_whole(path: Path) -> bool:
    """Whether a Parquet file is there with all that it holds."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):
                file.read_row_group(group)
    except (OSError, pa.ArrowException):
        return False
    return True
