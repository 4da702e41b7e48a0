"""Files written whole or not at all: what stood there stays until the new one is complete."""

import os
import tempfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from explorer.errors import ExplorerError
from explorer.language import t


def path_of(file: Any) -> Path:
    """The path that somebody names.

    Raises:
        ExplorerError: It is none.
    """
    if not isinstance(file, str | PathLike):
        raise ExplorerError(
            t(
                "The file is of the type {name}; it must be a path, such as “attention.npz”.",
                name=type(file).__name__,
            )
        )
    path = Path(file)
    if "\0" in str(path):
        raise ExplorerError(t("A path must not hold the character of the number 0."))
    return path


def write_whole(file: str | PathLike[str], write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, and put it there once it is complete.

    Args:
        file: Where to.
        write: Writes it.

    Raises:
        ExplorerError: The place is no path, or cannot be written to.
    """
    path = path_of(file)
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with os.fdopen(handle, "wb") as out:
            write(out)
        os.chmod(beside, _usual_rights())
        os.replace(beside, path)
    except BaseException as error:
        Path(beside).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _refused(path, error) from error
        raise


def _usual_rights() -> int:
    """The rights that a new file has here: a temporary one has fewer."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _refused(path: Path, error: OSError) -> ExplorerError:
    return ExplorerError(
        t(
            "“{path}” cannot be written: {strerror}. Check the path and its folder.",
            path=path,
            strerror=error.strerror or error,
        )
    )
