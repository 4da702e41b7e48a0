"""Sentences on the page.

They may quote the reader, so all of them are shown as plain text: even escaped Markdown would turn
an address into a link.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.errors import FragmentHandledException

from explorer import language
from explorer.errors import ExplorerError
from explorer.ui import log
from explorer.ui.speaking import say, t


def _box(key: str, sentence: str) -> None:
    with st.container(key=f"note_{key}", border=True):
        st.text(say(sentence))


def trouble(sentence: str, place: str = "") -> None:
    """What is wrong and what to do; what was shown before stays below it.

    Args:
        sentence: The sentence.
        place: Where it stands, if another may stand on the same page.
    """
    _box(f"trouble{place}", sentence)


def went_wrong(error: Exception) -> None:
    """Something failed that nobody thought of: say so, and let the log know where."""
    sentence = str(error)
    if not isinstance(error, ExplorerError):
        log.failure(error)
        sentence = language.t(
            "Something went wrong inside the app; the log says what. Reload the page, or "
            "try another text or model."
        )
    trouble(sentence, f"_{uuid.uuid4().hex[:8]}")  # several parts of a page may fail


@contextmanager
def caught() -> Iterator[None]:
    """The last net: whatever fails inside becomes a sentence of the app's own."""
    try:
        yield
    except FragmentHandledException:
        raise  # has been told where it happened
    except Exception as error:  # noqa: BLE001  # whatever it is, the reader is told
        went_wrong(error)


def note(key: str, sentence: str) -> None:
    """What a reader should know."""
    _box(key, sentence)


def as_it_is(put_aside: bool) -> None:
    """That a page shows the model without the changes that a reader made, where there are some."""
    with st.container(key="as_it_is"):  # always there, or the picture would be taken down and up
        if put_aside:
            note(
                "as_it_is",
                language.t(
                    "This page shows the model as it is, without the changes made on Explore. They "
                    "are kept there."
                ),
            )


def progress(doing: str, share: float | None, place: str = "") -> None:
    """What is being done now, and how far it is; ``place`` as in `trouble`."""
    _box(f"progress{place}", language.t("{doing}…", doing=doing))
    if share is not None:
        st.progress(share)


def stoppable(
    doing: str, share: float | None, key: str, on_stop: Callable[[], None], place: str = ""
) -> None:
    """The same beside a button, named ``key``, that stops it.

    What is to be done then is done before any of the page is drawn: a page that found something new
    to show in that moment would never come to the button, and the click would be lost.
    """
    with st.container(key=f"busy{place}" if place else "busy"):
        words, stop = st.columns([6, 1], vertical_alignment="center")
        with words:
            progress(doing, share, place)
        stop.button(t("Stop"), key=key, width="stretch", on_click=_stop, args=(on_stop,))


def _stop(on_stop: Callable[[], None]) -> None:
    on_stop()
    st.session_state.was_stopped = True


def was_stopped() -> bool:
    """Whether something was stopped just now, so that the whole page must be drawn anew."""
    return bool(st.session_state.pop("was_stopped", False))
