"""Positions of tokens as links write them: ``3.7-9``."""

import re
from collections.abc import Sequence

MOST_PINNED = 4096  # tokens on one side, as view.js
_TOKENS = re.compile(r"\d{1,5}(-\d{1,5})?(\.\d{1,5}(-\d{1,5})?)*", re.ASCII)


def write_tokens(tokens: Sequence[int]) -> str:
    """Positions, ascending, as a link writes them: ``3.7-9``."""
    runs: list[list[int]] = []
    for i in tokens:
        if runs and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return ".".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)


def read_tokens(text: str) -> tuple[int, ...]:
    """The positions that a link writes; none where it writes something else."""
    if not _TOKENS.fullmatch(text):
        return ()
    found: set[int] = set()
    left = MOST_PINNED  # counted, not the set's size: a link may name the same ones for ever
    for part in text.split("."):
        first, _, last = part.partition("-")
        for i in range(int(first), min(int(last or first), int(first) + left - 1) + 1):
            found.add(i)
            left -= 1
    return tuple(sorted(found))
