"""What is made of what is shown: answers to a browser, and files; in turn with all other work."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer import language
from explorer.errors import ExplorerError
from explorer.export.html import page_memory, to_html
from explorer.instrument.wire.about import About
from explorer.instrument.wire.container import of_bytes
from explorer.instrument.wire.lens import POSITIONS
from explorer.instrument.wire.longtext import is_long
from explorer.instrument.wire.request import Draw, Edge, Head, Lens, Page, Request
from explorer.instrument.wire.striking import measure_of
from explorer.instrument.wire.trace import Block, Report, answers_to, first_head
from explorer.layers import Doubles
from explorer.prediction import Predictions
from explorer.residual import EdgeVectors
from explorer.run import Run
from explorer.sources.memory import take
from explorer.target import MOST_OTHER, Likeness, OutputVector
from explorer.trace import AttentionTrace
from explorer.ui import messages, state
from explorer.ui.scheduler import scheduler
from explorer.ui.speaking import t
from explorer.ui.work import making
from explorer.ui.writing import sampling_of

if TYPE_CHECKING:
    from explorer.sources.stream import Stream

_AS_A_FILE = language.t("This page as a file")
NO_FILE = "\n"  # in place of a file that cannot be made; save/files.js knows it


def made(name: str, make: Callable[[Report], Any], *of: object, lets_go: bool = False) -> Any:
    """Something made for this page alone, waited for.

    Args:
        name: What it is, among all that a page has made.
        make: Makes it; told how to report.
        of: What it is made of, as far as that may change.
        lets_go: Whether to wait no longer as soon as the reader asks for something else.

    Raises:
        AskedElseError: It lets go, and the reader has asked for something else.
        ExplorerError: It cannot be made.
    """
    reader = st.session_state.reader
    work = making((reader, name, *of), make)
    return scheduler().wait(work, f"{reader} {name}", _let_go if lets_go else lambda: None)


class AskedElseError(Exception):
    """The reader has asked for something else meanwhile."""


def _let_go() -> None:
    """Raise `AskedElseError` if so: by itself Streamlit lets a fragment's run end first."""
    if state.is_asked_again():
        raise AskedElseError


def file(view: Mapping[str, str], make: Callable[[Report], str]) -> str:
    """A page as a file of its own; `NO_FILE`, and said why, where it cannot be made.

    Args:
        view: The view that it opens with.
        make: Makes it; told how to report.
    """
    try:
        return str(made("file", make, tuple(view.items())))
    except ExplorerError as error:
        messages.trouble(str(error), "_of_file")
        return NO_FILE


def offer_npz(name: str, make: Callable[[Report], bytes], size: int, *of: object) -> None:
    """What the page shows as NPZ, for programs; made when the instrument's Save asks for it.

    Args:
        name: What the file is called.
        make: Makes it; told how to report.
        size: Bytes that making it takes.
        of: What it is made of.
    """
    reader = st.session_state.reader  # what is made on a click has no session

    def made_now(report: Report) -> bytes:
        take(size, language.t("This file"), language.t("Choose a shorter text."))
        return make(report)

    work = making((reader, "npz", *of), made_now)
    st.download_button(
        t("All numbers as NPZ"),
        lambda: scheduler().wait(work, f"{reader} npz"),
        name,
        "application/zip",
        key="npz",
        on_click="ignore",
        help=t("For numpy: arrays by name, and “about”, which says what they are of."),
    )


def _begins(request: Request, trace: AttentionTrace) -> bool:
    """Whether a browser has nothing of a long text and asks for nothing of it: it has just come."""
    return is_long(trace) and not request.known and not request.asks()


def answers(
    name: str,
    trace: AttentionTrace,
    trace_id: str,
    request: Request | None,
    seen: Head,
    page_of: Callable[[Page, Report], str] | None = None,
    run: Run | None = None,
    about: About | None = None,
) -> Sequence[Block]:
    """What a browser asked for beyond layers of a trace; made once for as long as it is wanted.

    Args:
        name: Which of the page's pictures asks.
        trace: What it shows.
        trace_id: The trace's name; what is asked of another is left out.
        request: What is asked for.
        seen: The head in sight: of a long text it is sent before anything is asked.
        page_of: Makes a file; None for one of the trace alone.
        run: What the trace is of, where heads may be switched off in it.
        about: Whose picture a file is of.
    """
    if request is None or request.trace_id != trace_id or _begins(request, trace):
        heads = first_head(trace, seen)
        request = Request(trace_id, seen.layer, heads=heads, summaries=heads, thumbs=heads)
    if not request.asks():
        return ()
    known = st.session_state.get(f"{name}_answers")
    if known and known[0] == request:
        return known[1]

    def file_of(page: Page, report: Report) -> str:
        take(page_memory(trace, page), _AS_A_FILE, language.t("Save fewer layers or heads."))
        return (page_of or partial(_page_of, trace, about))(page, report)

    def answer(report: Report) -> Sequence[Block]:
        effects = partial(effects_of, run, trace, report) if run else None
        expects = partial(_expected, run, report) if run else None
        files = partial(file_of, report=report)
        stream = cache(partial(_stream_of, run, report)) if run else None  # one serves both
        reads = partial(_read_through, stream, report) if stream else None
        takes = partial(_taken_apart, stream) if stream else None
        return answers_to(trace, request, files, report, effects, expects, reads, takes)

    try:
        found: Sequence[Block] = made(
            f"{name} answers", answer, trace_id, repr(request), lets_go=request.page is None
        )
    except AskedElseError:
        scheduler().leave(f"{st.session_state.reader} {name} answers")
        return ()  # the run of the page that comes next answers what was asked last
    except ExplorerError as error:
        messages.trouble(str(error), f"_of_{name}")
        return _no_file(request)
    # A file is handed out once; an answer is, as long as nothing else is asked.
    st.session_state[f"{name}_answers"] = (request, found) if request.page is None else None
    return found


def _no_file(request: Request) -> Sequence[Block]:
    """What tells a browser that its file does not come; nothing if it waits for none."""
    if request.page is None:
        return ()
    return (of_bytes({"kind": "page", "ticket": request.page.ticket}, NO_FILE.encode()),)


def _expected(run: Run, report: Report, draw: Draw) -> Predictions:
    """What comes next in a run's text."""
    import explorer.sources.loading  # noqa: F401  # first, as below
    from explorer.sources.expecting import expect

    return expect(run, draw.at, sampling_of(draw), report)


def _stream_of(run: Run, report: Report) -> "Stream":
    """What every layer of a run's model adds."""
    import explorer.sources.loading  # noqa: F401  # first, as below
    from explorer.sources.stream import Stream

    return Stream(run, report)


def _taken_apart(read: Callable[[], "Stream"], edge: Edge) -> EdgeVectors:
    """What both vectors of an edge are made of."""
    stream = read()
    from explorer.sources.edges import edge_vectors

    return edge_vectors(stream, *edge)


def _read_through(read: Callable[[], "Stream"], report: Report, wish: Lens) -> Any:
    """How a prediction comes about, as `wire.lens.Reads` says it."""
    from explorer.analysis.lens import lens, lens_map

    stream = read()
    at = min(wish.at, stream.last)
    row = lens(stream, at)
    tokens = [int(row.ids[-1][0]) if wish.token is None else wish.token]
    tokens += [] if wish.other is None else [wish.other]
    places = range(max(at + 1 - POSITIONS, 0), at + 1)
    doing = language.t("Reading each layer as the last")
    whole = lens_map(stream, places, report=lambda share: report(doing, share))
    names = tuple(stream.text(at, token) for token in tokens)
    try:
        return whole, row, stream.at(at, tokens), names
    except ExplorerError as error:
        return whole, row, str(error), names


def _page_of(trace: AttentionTrace, about: About | None, page: Page, report: Report) -> str:
    """A trace as a file of its own."""
    view, kept, heads = page.view, page.layers, page.heads
    return to_html(trace, opening=view, layers=kept, heads=heads, about=about, report=report)


def effects_of(run: Run, trace: AttentionTrace, report: Report, layer: int) -> Doubles:
    """How far the model's answer moves with each head of a layer off alone, ``[head]``.

    Of one text: by how much the cosine of its vector and its vector as it was falls below 1, as a
    number below 0. Of two: the same for the length of the first token's output vector along its
    direction as it was, as a share of that length.

    Raises:
        ExplorerError: This cannot be done with this model or text.
    """
    # First: its import waits for that of the warming up, and two of transformers at once fail.
    import explorer.sources.loading  # noqa: F401
    from explorer.sources.intervention import intervention

    text = trace.texts[0]
    if len(text) > MOST_OTHER:
        raise ExplorerError(
            language.t(
                "Heads are switched off one by one in texts of up to {most_other} characters; "
                "this one has {text}. Take a part of it.",
                most_other=f"{MOST_OTHER:,}",
                text=f"{len(text):,}",
            )
        )
    of_text = measure_of(trace) == "text"
    asked = intervention(run, Likeness(text) if of_text else OutputVector(0), report)
    heads = [[(layer, head)] for head in range(trace.model.n_heads)]
    off = asked.heads_off(heads, lambda share: report(language.t("Switching heads off"), share))
    moved: Doubles = (off - asked.value) / abs(asked.value)
    return moved
