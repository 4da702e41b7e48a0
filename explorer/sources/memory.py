"""How much memory there is, and whether something fits: asked before it is taken."""

import ctypes
from pathlib import Path

import psutil

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.sources.progress import worker

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_SHARE = 0.85  # of what is free that one piece of work may take


def available() -> int:
    """Bytes that can still be taken: of the machine, or of a container that has less."""
    free = int(psutil.virtual_memory().available)
    return max(min([free, *(most - used for most, used in _containers())]), 0)


def _containers() -> list[tuple[int, int]]:
    """The limit and the use, in bytes, of every control group round this process.

    There are two kinds: one tree for everything, and older, one for memory alone. A limit may stand
    at any folder on the way up.
    """
    found = []
    for folder in _groups("", _CGROUPS):
        found.append(_bounds(folder, "memory.max", "memory.current", "inactive_file"))
    for folder in _groups("memory", _CGROUPS / "memory"):
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        found.append(_bounds(folder, *names))
    return [both for both in found if both]


def _groups(kind: str, root: Path) -> list[Path]:
    """The folder of this process in a tree of control groups, and all above it."""
    try:
        lines = [line.split(":", 2) for line in _OWN.read_text().splitlines()]
    except OSError:
        lines = []
    own = next((path for _, kinds, path in lines if kind in kinds.split(",")), "/")
    folder = root / own.lstrip("/")
    # Inside a container its own group is often the root, whatever is said of the way there.
    return [root, *(f for f in (folder, *folder.parents) if root in f.parents)]


def _bounds(folder: Path, most: str, used: str, spare: str) -> tuple[int, int] | None:
    try:
        limit = int((folder / most).read_text())  # "max" where there is none
        taken = int((folder / used).read_text())
        about = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return limit, taken - int(about.get(spare, 0))  # files in memory can be let go of


def fits(size: int) -> bool:
    """Whether so many bytes can be taken without starving whoever else is here."""
    return size <= _SHARE * available()


def check_fits(size: int, what: str, instead: str) -> None:
    """Refuse what would not fit.

    Args:
        size: Bytes that it takes, about.
        what: What it is, as the beginning of a sentence.
        instead: What to do.

    Raises:
        ExplorerError: It does not fit.
    """
    if not fits(size):
        raise ExplorerError(
            t(
                "{what} takes about {value} GB of memory, and {value2} GB are free here. {instead}",
                what=what,
                value=f"{size / 2**30:.1f}",
                value2=f"{available() / 2**30:.1f}",
                instead=instead,
            )
        )


def take(size: int, what: str, instead: str) -> None:
    """Refuse work that would not fit, and wait while others' work takes what it needs.

    Args:
        size: Bytes that the work takes while it is done, about.
        what: What it is, as the beginning of a sentence.
        instead: What to do.

    Raises:
        ExplorerError: It does not fit, or is more than one reader may take.
    """
    check_fits(size, what, instead)
    found = worker()
    if found:
        found.claim(size)


def give_back() -> None:
    """Let the system have what was freed: the C library keeps it, 700 MB after some photographs."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
    if trim:
        trim(0)
