"""Sentences on the page.

They may quote the reader, so all of them are shown as plain text: even escaped Markdown would turn
an address into a link.
"""

import unicodedata
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.errors import FragmentHandledException

from explorer.errors import ExplorerError
from explorer.limits import MAX_TOKENS
from explorer.run import Run
from explorer.trace import AttentionTrace
from explorer.ui import log
from explorer.visible import visible

UNKNOWN_SHARE = 0.2  # from this share of unknown tokens on a reader should be told


def _box(key: str, sentence: str) -> None:
    with st.container(key=f"note_{key}", border=True):
        st.text(sentence)


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
        sentence = (
            "Something went wrong inside the app; the log says what. Reload the page, or try "
            "another text or model."
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


def progress(doing: str, share: float | None, place: str = "") -> None:
    """What is being done now, and how far it is; ``place`` as in `trouble`."""
    _box(f"progress{place}", f"{doing}…")
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
        stop.button("Stop", key=key, width="stretch", on_click=_stop, args=(on_stop,))


def _stop(on_stop: Callable[[], None]) -> None:
    on_stop()
    st.session_state.was_stopped = True


def was_stopped() -> bool:
    """Whether something was stopped just now, so that the whole page must be drawn anew."""
    return bool(st.session_state.pop("was_stopped", False))


def _cut(trace: AttentionTrace, segment: int) -> str:
    """Whose limit it is that a text was cut at, and what was read of it."""
    model, which = trace.model, ("text", "second text")[segment]
    kept = sum(t.segment == segment and not t.special for t in trace.tokens)
    end = "last" if model.truncation_side == "left" else "first"
    read = f"{end} {kept:,} of the {which} were read, {trace.n_cut[segment]:,} were cut."
    if model.max_tokens == MAX_TOKENS < (model.own_tokens or MAX_TOKENS + 1):
        own = f"takes {model.own_tokens:,}" if model.own_tokens else "sets no limit"
        return (
            f"This server reads at most {model.max_tokens:,} tokens at once, and {model.name} "
            f"itself {own}: whoever runs the server may raise EXPLORER_MAX_TOKENS and start it "
            f"again. The {read}"
        )
    return f"{model.name} takes at most {model.max_tokens:,} tokens: the {read}"


def about(trace: AttentionTrace, run: Run, marked: bool) -> None:
    """What a reader should know: how far the numbers were checked, what was cut and the like.

    Args:
        trace: What is shown.
        run: What it is the trace of.
        marked: Whether the page marks the place of a cut.
    """
    for number, sentence in enumerate(trace.model.notes):
        _box(f"model_{number}", sentence)
    for segment, n_cut in enumerate(trace.n_cut):
        if n_cut:
            place = " A ✂ marks the place in the text below." * marked
            _box(f"cut_{segment}", _cut(trace, segment) + place)
    unknown = [t for t in trace.tokens if t.span and t.text == trace.model.unknown_token]
    read = [t for t in trace.tokens if not t.special]
    if unknown and len(unknown) >= UNKNOWN_SHARE * len(read):
        start, end = unknown[0].span or (0, 0)
        first = trace.texts[unknown[0].segment][start:end]
        chinese = any(unicodedata.name(c, "").startswith("CJK UNIFIED") for c in first)
        other = "bert-base-chinese" if chinese else "bert-base-multilingual-cased"
        _box(
            "unknown",
            f"{len(unknown)} of {len(read)} tokens are {trace.model.unknown_token}: this "
            f"model’s vocabulary has no “{visible(first[:20])}”. Try the hub model "
            f"google-bert/{other}; the from-scratch layer takes any script.",
        )
    if trace.model.part in ("cross", "decoder") and run.second is None:
        _box(
            "written",
            f"{trace.model.name} wrote the second text itself, always taking the likeliest token. "
            "Turn on “Second text” to give it another.",
        )
    if run.is_of_a_file():
        _box("link", "This shows a file of yours: a shared address will not carry it.")
    elif not run.fits_link():
        _box("link", "This text is too long for a link: a shared address will not carry it.")
