"""From the wanted run to the picture on the page: wait, say what is happening, draw."""

import hashlib
from concurrent.futures import TimeoutError as NotYet
from dataclasses import replace

import streamlit as st

from explorer import export, language
from explorer.edits import NO_EDITS
from explorer.errors import ExplorerError
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.about import About, file_name
from explorer.instrument.wire.request import Head, Request, Written
from explorer.instrument.wire.trace import layers_to_send, pack
from explorer.run import Run
from explorer.sources import has_template, known_languages, stored_trace
from explorer.sources.folders import stamp_of
from explorer.trace import AttentionTrace
from explorer.ui import log, messages, place, state, writing
from explorer.ui.answers import answers, offer_npz
from explorer.ui.scheduler import scheduler
from explorer.ui.speaking import t
from explorer.visible import visible

PATIENCE = 1.0  # seconds that a page waits before it says that it is waiting
LOOK_AGAIN = 0.4  # seconds
MOST_SAID = 80  # letters of what was left out


def result() -> AttentionTrace | None:
    """Draw the wanted run if it is ready, else the last good one under a note of progress.

    Returns:
        What is drawn; None while there is nothing yet.
    """
    trace = current(writing.arrived())
    with st.container(key="writing"):  # always there, or the picture would be taken down and up
        if writing.now().job:
            _writing()
    with st.container(key="left_out"):
        if left := writing.was_left():
            _left_out(left.words)
    if trace:
        _instrument(trace, st.session_state.shown)
        name = file_name(about_of(trace, st.session_state.shown), "npz")
        offer_npz(name, lambda report: export.to_npz(trace, report), 2 * trace.nbytes, id(trace))
    scheduler().warm_up()
    return trace


def current(written: AttentionTrace | None = None) -> AttentionTrace | None:
    """The trace to show now, after what must be said; None while there is none yet.

    Args:
        written: That of a text as far as it is being written.
    """
    session = st.session_state
    slot = st.container(key="messages")
    trace = written or (_arrived_trace() if session.wanted else _trace_of(session.shown))
    with slot:
        if trouble := state.trouble():
            messages.trouble(trouble)
        if session.wanted:
            _progress()
    if trace:
        state.write_address()
        if trace.model.part and session.shown.source not in session.with_parts:
            session.with_parts.add(session.shown.source)
            session.with_languages[session.shown.source] = known_languages(session.shown.source)
            st.rerun()  # the inputs stand above, and now have one more
        if session.shown.source not in session.with_templates and has_template(
            session.shown.source
        ):
            session.with_templates.add(session.shown.source)
            st.rerun()
    return trace


def about_of(trace: AttentionTrace, run: Run) -> About:
    """Whose picture it is, and since when."""
    session = st.session_state
    return About.of(trace, run, asked=session.asked_times, made=session.arrived_at)


def name_of(run: object) -> str:
    """A short name of a run, or of other work, for the browser; of a model saved anew another."""
    return hashlib.blake2b(repr((run, stamp_of(run))).encode(), digest_size=8).hexdigest()


def _arrived_trace() -> AttentionTrace | None:
    """The wanted run's trace if it comes soon; else that of the run shown so far."""
    session = st.session_state
    wanted: Run = session.wanted
    try:
        trace = _compute(wanted)
    except NotYet:
        return _trace_of(session.shown)
    except ExplorerError as error:
        state.failed(str(error))
        return _trace_of(session.shown) or _shown_with_less(wanted, str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, the page must go on
        log.failure(error)
        state.failed(
            language.t(
                "Something went wrong inside the app while reading this text; the log says "
                "what. Try again, or another text or model."
            )
        )
        return _trace_of(session.shown)
    state.arrived(wanted)
    writing.pin_clicked(wanted, trace)
    _say_less(wanted)
    return trace


def _shown_with_less(run: Run, why: str) -> AttentionTrace | None:
    """Of a link that changes, or writes, what cannot be: the same without, under a note."""
    if run.edits:
        less, says = replace(run, edits=NO_EDITS), language.t("The model is shown unchanged.")
    elif run.written:
        less, says = (
            replace(run, written=()),
            language.t("The text is shown without what was written."),
        )
    else:
        return None
    st.session_state.wanted = less
    st.session_state.less = (
        less,
        language.t("This link cannot be opened as it is. {why} {says}", why=why, says=says),
    )
    return _arrived_trace()


def _say_less(run: Run) -> None:
    """What a link asked for beyond what has arrived is said."""
    less, says = st.session_state.pop("less", None) or (None, "")
    if less == run:
        state.went_wrong(says)


def _compute(run: Run) -> AttentionTrace:
    # On a first visit the first example is painted from its stored trace, before torch is loaded.
    stored = stored_trace(run) if st.session_state.shown is None else None
    if stored is not None:
        return stored
    return scheduler().ask(run, st.session_state.reader).future.result(PATIENCE)


def _trace_of(run: Run | None) -> AttentionTrace | None:
    """The trace of what is already shown; computed again if the cache has let it go."""
    if run is None:
        return None
    # Asked for under another name, so that it does not take the place of what is wanted.
    return stored_trace(run) or scheduler().wait(run, f"{st.session_state.reader} shown")


@st.fragment(run_every=LOOK_AGAIN)
def _progress() -> None:
    if messages.was_stopped():
        st.rerun()
    run: Run | None = st.session_state.wanted
    if run is None:
        return
    job = scheduler().ask(run, st.session_state.reader)
    if job.future.done():
        st.rerun()
    messages.stoppable(job.doing, job.share, "stop", _stop)


@st.fragment(run_every=LOOK_AGAIN)
def _writing() -> None:
    if writing.goes_on():
        st.rerun()


def _stop() -> None:
    scheduler().leave(st.session_state.reader)
    st.session_state.wanted = None


def _left_out(words: str) -> None:
    """What a click on a token left out, and the way to take it back."""
    said = words if len(words) <= MOST_SAID else f"{words[:MOST_SAID]}…"
    says, back = st.columns([6, 1], vertical_alignment="center")
    with says:
        messages.note(
            "left_out",
            language.t("Behind the new token “{said}” was left out.", said=visible(said)),
        )
    back.button(t("Take back"), key="take_back", width="stretch", on_click=writing.take_back)


@st.fragment
def _instrument(trace: AttentionTrace, run: Run) -> None:
    session = st.session_state
    if session.pop("written_wish", False):
        st.rerun()
    request: Request | None = session.browser_requests
    session.browser_requests = request and request.without_page()  # a file is handed out once

    trace_id, view = name_of(run), place.opening(run, trace)
    seen = Head(place.here().layer, place.here().head)
    asked = request is not None and request.trace_id == trace_id
    about = about_of(trace, run)
    payload = pack(
        trace,
        trace_id=trace_id,
        # What is asked for may come before the place is told.
        layers=layers_to_send(trace, request.layer if request and asked else seen.layer),
        opening={**(session.opening or {}), **view, "example": session.opening is not None},
        about=about,
        link=run.to_query() if run.fits_link() else None,
        answers=answers("instrument", trace, trace_id, request, seen, run=run, about=about),
        striking=True,
        hand=writing.hand_of(run, trace),
        more=asked and request is not None and request.known,
    )

    def on_request(new: Request) -> None:
        session.browser_requests = new

    def on_write(wish: Written) -> None:
        session.written_wish = True  # the whole page is run anew
        writing.asked(wish, run, trace)

    component.show(
        "explore",
        payload,
        key="instrument",
        request=heard(Request.of, on_request),
        write=heard(Written.of, on_write),
    )
