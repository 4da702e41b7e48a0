"""The page “Train”: the from-scratch layer learns a task while the reader watches."""

from concurrent.futures import TimeoutError as NotYet
from dataclasses import fields, replace

import streamlit as st

from explorer import export
from explorer.errors import ExplorerError
from explorer.history import TrainingHistory
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.request import Head, Page, Request
from explorer.instrument.wire.trace import Report, pack
from explorer.lesson import LIMITS, TASKS, Trained
from explorer.run import Run
from explorer.source import source_from_query, source_to_query
from explorer.ui import controls, messages, state
from explorer.ui.answers import answers
from explorer.ui.scheduler import Job, scheduler
from explorer.ui.show import PATIENCE, name_of
from explorer.ui.work import Learning, Recording

LOOK_AGAIN = 0.6  # seconds between two looks at a training that runs


def ask() -> None:
    """The task, its settings, Start, Stop and Continue."""
    _open()
    session = st.session_state
    task, settings, buttons = st.columns([3, 2, 3], vertical_alignment="bottom", gap="small")
    with task:
        controls.task()
    with settings.popover("Settings", width="stretch"):
        controls.lesson()
    running, lesson = session.learning is not None, session.lesson
    with buttons.container(horizontal=True):
        st.button("Start", key="train", type="primary", on_click=_start, disabled=running)
        st.button("Stop", key="stop_training", on_click=_stop, disabled=not running)
        st.button(
            "Continue",
            key="continue",
            on_click=_continue,
            disabled=running or lesson is None,
            help="Go on from where it stopped.",
        )
    st.text(TASKS[session.t_task].says)


def _open() -> None:
    """On a first visit the link's training, or the first task, begins at once."""
    session = st.session_state
    if "lesson" in session:
        return
    session.lesson, session.learning, session.sequence = None, None, ""
    session.training_requests, session.train_trouble = None, None
    query = st.query_params.to_dict()
    if query.get("source") != "trained":
        _begin(Trained())
        return
    try:
        asked = source_from_query(query)
        assert isinstance(asked, Trained)
    except ExplorerError as error:
        session.train_trouble = f"This link cannot be opened as it is. {error}"
        return
    session.sequence = query.get("sequence", "")[:200]
    state.fill_lesson(asked)
    _begin(asked)


def _begin(lesson: Trained) -> None:
    session = st.session_state
    session.lesson, session.train_trouble = lesson, None
    session.learning = scheduler().ask(Learning(lesson), _reader())


def _start() -> None:
    session = st.session_state
    try:
        lesson = state.lesson_from_inputs()
    except ExplorerError as error:
        session.train_trouble = str(error)
        return
    if session.lesson and lesson.task != session.lesson.task:
        session.sequence = ""
    _begin(lesson)


def _stop() -> None:
    scheduler().leave(_reader())
    st.session_state.learning = None


def _continue() -> None:
    """To the steps that were asked for, or as many again if they are done."""
    session = st.session_state
    lesson: Trained = session.lesson
    wanted, done = session.t_steps, session.done
    steps = wanted if wanted > done else min(done + wanted, LIMITS["steps"][1])
    session.t_steps = steps
    _begin(replace(lesson, steps=steps))


def _reader() -> str:
    return f"{st.session_state.reader} training"


def result() -> None:
    """What has been learned so far, and the reader's own sequence on it."""
    session = st.session_state
    # Always there: an element that comes and goes before the picture would take it down and up.
    with st.container(key="messages"):
        if session.train_trouble:
            messages.trouble(session.train_trouble)
    if session.lesson is None:
        return
    _sequence()
    if session.learning is None:
        _history()
    else:
        _watch()
    _uses()


def _sequence() -> None:
    st.text_input(
        "Try your own sequence",
        key="sequence",
        placeholder="Empty: a sequence that was held out of the training",
        max_chars=200,
        persist_state="session",
    )


@st.fragment(run_every=LOOK_AGAIN)
def _watch() -> None:
    session = st.session_state
    job: Job | None = session.learning
    if job is None:
        return
    scheduler().look(job)
    if job.future.done():
        session.learning = None
        error = job.future.exception()
        session.train_trouble = str(error) if isinstance(error, ExplorerError) else None
        st.rerun()
    _draw_history(job)


@st.fragment
def _history() -> None:
    _draw_history(None)


def _draw_history(job: Job | None) -> None:
    session = st.session_state
    _go()
    notes = st.container()
    if job is not None:
        with notes:
            messages.progress(job.doing, job.share)
    lesson: Trained = session.lesson
    wish = Recording(lesson, session.sequence or None)
    try:
        history: TrainingHistory = (
            scheduler().ask(wish, f"{_reader()} history").future.result(PATIENCE)
        )
    except NotYet:
        if session.learning is None:
            history = scheduler().wait(wish, f"{_reader()} history")
        else:
            return  # the next look will find it
    except ExplorerError as error:
        with notes:
            messages.trouble(str(error), "_of_training")
        return
    session.done = history.steps[-1]
    if history.trace.n_cut[0]:
        with notes:
            messages.note(
                "cut",
                f"This layer learned from sequences of {lesson.length} tokens and reads as many: "
                f"the last {history.trace.n_cut[0]} were cut.",
            )
    _show(history, lesson)


def _show(history: TrainingHistory, lesson: Trained) -> None:
    session = st.session_state
    request: Request | None = session.training_requests
    session.training_requests = request and request.without_page()
    trace = history.trace
    link = source_to_query(replace(lesson, steps=max(history.steps[-1], 1)))
    if session.sequence:
        link |= {"sequence": session.sequence}

    if session.learning is None:
        _write_address(link)

    def page_of(page: Page, report: Report) -> str:
        return export.to_html(trace, opening=page.view, history=history, report=report)

    trace_id = name_of(Run(trace.texts[0], source=replace(lesson, steps=1)))
    payload = pack(
        trace,
        trace_id=trace_id,
        layers=[],
        link=link,
        answers=answers("training", trace, trace_id, request, Head(), page_of),
        history=history,
    )

    def on_request(new: Request) -> None:
        session.training_requests = new

    component.show(
        "explore",
        payload,
        key="training",
        request=heard(Request.of, on_request),
    )


def _write_address(link: dict[str, str]) -> None:
    """Let the address name what was learned; the view in it is the instrument's own."""
    now = st.query_params
    if link == source_to_query(Trained()) and "source" not in now:
        return  # a first visit keeps its plain address
    for name in ("source", "sequence", *(f.name for f in fields(Trained))):
        if name in link and now.get(name) != link[name]:
            now[name] = link[name]
        elif name not in link and name in now:
            del now[name]


def _uses() -> None:
    """The ways to other pages with what was learned."""
    session = st.session_state
    if session.learning is not None or not session.get("done"):
        return
    st.text(f"Use this layer, as it is after {session.done:,} steps:")
    with st.container(horizontal=True):
        for title, page in (
            ("Explore it", "pages/explore.py"),
            ("Step by step", "pages/step.py"),
            ("Compare it", "pages/compare.py"),
        ):
            st.button(title, key=f"use_{page}", on_click=_use, args=(page,))
    _go()


def _go() -> None:
    """To the page that a button asked for."""
    session = st.session_state
    if session.get("go_to"):
        page, session.go_to = session.go_to, None
        st.switch_page(page, query_params={})


def _use(page: str) -> None:
    session = st.session_state
    lesson = replace(session.lesson, steps=max(session.done, 1))
    text = session.sequence or _example(lesson)
    run = Run(text, source=lesson)
    state.fill_inputs(run)
    state.want(run)
    session.go_to = page


def _example(lesson: Trained) -> str:
    wish = Recording(lesson, None)
    history: TrainingHistory = scheduler().wait(wish, f"{_reader()} history")
    return str(history.trace.texts[0])
