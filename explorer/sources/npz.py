"""NPZ files of strangers: what their arrays take in memory is counted before one is unpacked."""

import io
import math
import zipfile
from collections.abc import Callable, Collection, Mapping
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.sources.memory import take
from explorer.visible import visible

Arrays = Mapping[str, npt.NDArray[Any]]

MAX_BYTES = 256 * 2**20  # of all arrays together; all heads of bert-base on 512 tokens are 151 MB
_CELL = 4  # bytes of a number as this app keeps it, and of a character: no array is read as less
_MOST_ENTRIES = 1000  # files in the archive
_ENTRY = b"PK\x01\x02"  # begins each of them in the archive's list
_MOST_HEADER = 10_000  # bytes before an array's numbers; numpy itself takes no more
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # other ways may want gigabytes to unpack


def arrays_of(
    data: bytes, wanted: Callable[[str], bool], most: int = MAX_BYTES
) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an NPZ file that are asked for, as far as it has them; others stay packed.

    Args:
        data: The file.
        wanted: Whether an array is, by its name without ``.npy``.
        most: Bytes of them together.

    Raises:
        ExplorerError: They would take more memory than is given, or hold Python objects.
        Exception: The file is damaged, in one of many ways.
    """
    if data.count(_ENTRY) > _MOST_ENTRIES:  # before the list is read: each takes half a kilobyte
        raise ExplorerError(
            t(
                "This file holds more than {most_entries} arrays. Save “weights” and "
                "the tokens alone.",
                most_entries=f"{_MOST_ENTRIES:,}",
            )
        )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        entries = {e.filename.removesuffix(".npy"): e for e in listed}
        if len(entries) < len(listed):
            raise ValueError("two arrays of one name")
        asked = {name: entry for name, entry in entries.items() if wanted(name)}
        size = sum(_size(archive, entry, most) for entry in asked.values())
        if size > most:
            raise ExplorerError(too_large(size))
        check_room(size)
        return {name: _unpacked(archive, entry) for name, entry in asked.items()}


def names_in(data: bytes) -> list[str]:
    """The names of the arrays in an NPZ file that `arrays_of` has read."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sorted(name.removesuffix(".npy") for name in archive.namelist())


def check_room(size: int) -> None:
    """Refuse arrays of so many bytes if they, and their numbers as float32, would not fit here.

    Raises:
        ExplorerError: They would not.
    """
    take(2 * size, t("What is in this file"), t("Save fewer layers, or fewer tokens."))


def size_of(shape: Collection[int], dtype: "np.dtype[Any]") -> int:
    """Bytes that an array takes, as it is or as this app keeps it, whichever is more."""
    return math.prod(shape) * max(dtype.itemsize, _CELL)


def too_large(size: int) -> str:
    """What is said of arrays of so many bytes."""
    return t(
        "This file unpacks to {value} MB, with {cell} bytes for each number; at"
        " most {value2} MB can be shown. Save fewer layers, or fewer tokens. "
        "From Python explorer.load opens it.",
        value=f"{size / 2**20:,.0f}",
        cell=_CELL,
        value2=MAX_BYTES // 2**20,
    )


def _size(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> int:
    """Bytes that an array will take, by what its own beginning says."""
    if entry.compress_type not in _PLAIN:
        raise ValueError(f"packed in the way {entry.compress_type}")
    if entry.file_size > most:  # said by the archive, and kept by its reader
        raise ExplorerError(too_large(entry.file_size))
    with archive.open(entry) as file:
        shape, dtype = _header(file)
    if dtype.hasobject:
        raise ExplorerError(
            t(
                "“{visible}” holds Python objects, which can run hidden code when they "
                "are opened. Save tokens as texts: numpy.array(tokens, dtype=str).",
                visible=visible(entry.filename[:40]),
            )
        )
    return size_of(shape, dtype)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], "np.dtype[Any]"]:
    """The shape and kind of an array, from the beginning of its file."""
    start = file.read(12)
    version = tuple(start[6:8])
    length = int.from_bytes(start[8 : 10 if version == (1, 0) else 12], "little")
    if length > _MOST_HEADER:  # numpy would read all of it first
        raise ValueError("a long header")
    beginning = io.BytesIO(start + file.read(length))
    layout = np.lib.format
    first = layout.read_magic(beginning) == (1, 0)
    read = layout.read_array_header_1_0 if first else layout.read_array_header_2_0
    shape, _, dtype = read(beginning)
    if any(type(n) is not int or n < 0 for n in shape):
        raise ValueError("a shape of other than numbers")
    return shape, dtype


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(entry) as file:
        array: npt.NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array
