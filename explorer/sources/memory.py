"""How much memory there is, and whether something fits: asked before it is taken."""

from pathlib import Path

import psutil

from explorer.errors import ExplorerError

_CGROUP = Path("/sys/fs/cgroup")
_SHARE = 0.85  # of what is free that one piece of work may take


def available() -> int:
    """Bytes that can still be taken: of the machine, or of the container if that has less."""
    free = int(psutil.virtual_memory().available)
    try:
        most = int((_CGROUP / "memory.max").read_text())  # "max" where there is no limit
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    return max(min(free, most - used), 0)


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
            f"{what} takes about {size / 2**30:.1f} GB of memory, and {available() / 2**30:.1f} GB "
            f"are free here. {instead}"
        )
