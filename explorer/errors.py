"""The one error that a reader sees, and how others become one."""

from collections.abc import Iterator
from contextlib import contextmanager


class ExplorerError(Exception):
    """A refusal; its message is the sentence that the page shows."""


_WORDS = 300  # characters of what a library says


def own_words(error: BaseException) -> str:
    """What a library says of its failure, on one line and not at length."""
    return " ".join(str(error).split())[:_WORDS] or type(error).__name__


@contextmanager
def refusing(sentence: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes a refusal, but for one that says more already.

    A panic in a library's Rust code is caught too, which is no Exception; but where memory runs
    out, it is not the file or the text that is at fault.
    """
    try:
        yield
    except (ExplorerError, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        raise ExplorerError(sentence) from error
