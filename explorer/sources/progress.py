"""How a long piece of work tells what it is doing."""

from collections.abc import Callable

Progress = Callable[[str, float | None], None]
"""Told what is being done, and how far it is (0 to 1; None where that cannot be known)."""


def silent(what: str, share: float | None) -> None:
    """The listener for callers that do not listen."""
