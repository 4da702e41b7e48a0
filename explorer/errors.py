"""The one error that a reader sees, and how others become one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.language import Said, t


class ExplorerError(Exception):
    """A refusal; its message is the sentence that the page shows."""


def own_words(error: BaseException, most: int = 300) -> str:
    """What a library says of its own failure, in one line; its class where it says nothing."""
    said = re.sub(r"\S*/explorer-\w+/", "", " ".join(str(error).split()))  # a folder of our own
    return (said if len(said) <= most else said[: most - 1] + "…") or type(error).__name__


@contextmanager
def refusing(sentence: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes a refusal, but for one that says more already.

    In the sentence, ``{why}`` becomes a colon and what the library itself says.
    A panic in a library's Rust code is caught too, which is no Exception; but where memory runs
    out, it is not the file or the text that is at fault.
    """
    try:
        yield
    except (ExplorerError, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        if isinstance(error, RuntimeError) and "alloc" in str(error):
            raise  # PyTorch's way to say that memory ran out
        why = t(": “{words}”", words=own_words(error))
        raise ExplorerError(_with(sentence, why)) from error


def _with(sentence: str, why: Said) -> str:
    return (
        sentence.format(why=why) if isinstance(sentence, Said) else sentence.replace("{why}", why)
    )
