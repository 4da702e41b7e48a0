"""A page's one large piece of work: asked for, waited for, stopped; the last good result stays."""

from concurrent.futures import TimeoutError as NotYet
from functools import partial
from typing import Any

import streamlit as st

from explorer import language
from explorer.errors import ExplorerError
from explorer.ui import log, messages, state
from explorer.ui.scheduler import Job, scheduler
from explorer.ui.show import LOOK_AGAIN, PATIENCE
from explorer.ui.speaking import t
from explorer.ui.work import Work


def outcome(
    page: str, wanted: Work | None, *, patience: float = PATIENCE, arrives: bool = True
) -> tuple[Any, Any] | None:
    """Say what must be said of a piece of work, and give its result, or what is known of it.

    While nothing is known yet, it is the last one that was done.

    Args:
        page: The page's own name, for what it keeps.
        wanted: What the page should show; None where there is no run yet.
        patience: Seconds to wait for it before it is said that it is waited for.
        arrives: Whether it is what the reader has asked for, which is there with it.

    Returns:
        The work that is shown and its result; None while there is none yet.
    """
    session = st.session_state
    if f"{page}_asked" not in session or session[f"{page}_asked"] != wanted:
        session[f"{page}_asked"], session[f"{page}_trouble"] = wanted, None
        session[f"{page}_job"] = wanted and scheduler().ask(wanted, _reader(page))
        session[f"{page}_partial"] = None, None
    slot = st.container(key="messages")
    found = _found(page, patience, arrives)
    with slot:
        own = session[f"{page}_trouble"]
        if told := own or state.trouble():
            messages.trouble(told)
        if own:
            st.button(t("Try again"), key=f"{page}_again", on_click=_again, args=(page,))
        if session[f"{page}_job"]:
            _progress(page)
    return found


def aside(key: str, wanted: Work | None) -> Any:
    """The result of a small piece of work, waited for; None, and said why, where there is none."""
    with st.container(key=key):  # always there, so that what follows keeps its place
        try:
            return wanted and scheduler().wait(wanted, f"{st.session_state.reader} {key}")
        except ExplorerError as error:
            messages.trouble(str(error), f"_of_{key}")
            return None


def beside(key: str, wanted: Work) -> tuple[Any, str]:
    """A larger piece of work that a page's picture asks for beside the page's own.

    Args:
        key: Its name.
        wanted: The work.

    Returns:
        The result, None while there is none; and the sentence that says why there will be none.
    """
    session = st.session_state
    if session.get(f"{key}_asked") != wanted:
        session[f"{key}_asked"], session[f"{key}_trouble"] = wanted, ""
        session[f"{key}_partial"] = None
        session[f"{key}_job"] = scheduler().ask(wanted, _reader(key))
    with st.container(key=key):  # always there, so that what follows keeps its place
        found = _soon(key, wanted)
        if session[f"{key}_job"]:
            _beside_progress(key)
    return found, session[f"{key}_trouble"]


def so_far(key: str) -> Any:
    """What is known of it while it is being done; None where nothing is."""
    job: Job | None = st.session_state.get(f"{key}_job")
    st.session_state[f"{key}_partial"] = found = job.partial if job else None
    return found


def ask_again(key: str) -> None:
    """What went wrong, or was stopped, is asked for again."""
    if st.session_state.get(f"{key}_trouble"):
        del st.session_state[f"{key}_asked"]


def _soon(key: str, wanted: Work) -> Any:
    """What was asked for beside the page's own, if it comes soon."""
    session = st.session_state
    job: Job | None = session[f"{key}_job"]
    try:
        if job is not None:
            done = job.future.result(PATIENCE)
            session[f"{key}_job"] = None
            return done
        return None if session[f"{key}_trouble"] else scheduler().wait(wanted, _reader(key))
    except NotYet:
        return None
    except ExplorerError as error:
        sentence = str(error)
    except Exception as error:  # noqa: BLE001  # whatever it is, the page must go on
        log.failure(error)
        sentence = language.t("Something went wrong inside the app; the log says what.")
    session[f"{key}_job"], session[f"{key}_trouble"] = None, sentence
    return None


@st.fragment(run_every=LOOK_AGAIN)
def _beside_progress(key: str) -> None:
    if messages.was_stopped():
        st.rerun()
    job: Job | None = st.session_state[f"{key}_job"]
    if job is None:
        return
    scheduler().look(job)
    if job.future.done() or job.partial is not st.session_state.get(f"{key}_partial"):
        st.rerun()
    stop = partial(_stop_beside, key)
    messages.stoppable(job.doing, job.share, f"{key}_stop", stop, f"_of_{key}")


def _stop_beside(key: str) -> None:
    session = st.session_state
    scheduler().leave(_reader(key))
    session[f"{key}_job"], session[f"{key}_trouble"] = (
        None,
        language.t("Stopped. Nothing was changed."),
    )


def _again(page: str) -> None:
    del st.session_state[f"{page}_asked"]


def _found(page: str, patience: float, arrives: bool) -> tuple[Any, Any] | None:
    """The wanted result if it comes soon, else the last one."""
    session = st.session_state
    job: Job | None = session[f"{page}_job"]
    if job is not None:
        try:
            # What is known so far is shown at once, and the rest as it comes.
            done = job.future.result(patience if job.partial is None else 0)
        except NotYet:
            scheduler().look(job)
            session[f"{page}_partial"] = job.work, job.partial
            if job.partial is not None:
                return job.work, job.partial
        except ExplorerError as error:
            _failed(page, str(error))
        except Exception as error:  # noqa: BLE001  # whatever it is, the page must go on
            log.failure(error)
            _failed(page, language.t("Something went wrong inside the app; the log says what."))
        else:
            session[f"{page}_job"], session[f"{page}_shown"] = None, job.work
            session[f"{page}_partial"] = None, None
            if session.wanted is not None and arrives:
                state.arrived(session.wanted)
            return job.work, done
    shown = session.get(f"{page}_shown")
    if shown:
        # Asked for under another name, so that it does not take the place of what is wanted.
        return shown, scheduler().wait(shown, f"{_reader(page)} shown")
    work, partial = session[f"{page}_partial"]
    return (work, partial) if partial is not None else None  # stopped: what had come stays


def _failed(page: str, sentence: str) -> None:
    """The wanted work cannot be had; what is shown stays, and so does the wish."""
    session = st.session_state
    session[f"{page}_job"], session[f"{page}_trouble"] = None, sentence
    session[f"{page}_returns"] = session.get(f"{page}_returns", 0) + 1


def _reader(page: str) -> str:
    return f"{st.session_state.reader} {page}"


@st.fragment(run_every=LOOK_AGAIN)
def _progress(page: str) -> None:
    if messages.was_stopped():
        st.rerun()
    job: Job | None = st.session_state[f"{page}_job"]
    if job is None:
        return
    scheduler().look(job)
    if job.future.done() or job.partial is not st.session_state[f"{page}_partial"][1]:
        st.rerun()
    messages.stoppable(job.doing, job.share, f"{page}_stop", lambda: _stop(page))


def _stop(page: str) -> None:
    scheduler().leave(_reader(page))
    _failed(page, language.t("Stopped. Nothing was changed."))
