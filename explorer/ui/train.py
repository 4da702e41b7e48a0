"""The page “Train”: the from-scratch layer learns a task while the reader watches."""

import time
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

import streamlit as st

from explorer import export, language
from explorer.errors import ExplorerError
from explorer.history import TrainingHistory
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.about import About, file_name
from explorer.instrument.wire.request import Head, Page, Request
from explorer.instrument.wire.trace import Report, pack
from explorer.lesson import LIMITS, TASKS, Trained
from explorer.run import LINK_BYTES, Run
from explorer.source import source_from_query, source_to_query
from explorer.ui import controls, messages, place, state
from explorer.ui.answers import answers, offer_npz
from explorer.ui.scheduler import Job, scheduler
from explorer.ui.show import PATIENCE, name_of
from explorer.ui.speaking import say, t
from explorer.ui.work import Learning, Recording

MOST_SEQUENCE = 400  # characters
_LABEL = 24  # characters of a sequence on a button
LOOK_AGAIN = 0.6  # seconds between two looks at a training that runs
WAYS = (
    (language.t("Explore it"), "explore"),
    (language.t("Step by step"), "step"),
    (language.t("Compare it"), "compare"),
)


@dataclass(frozen=True, eq=False)
class Film:
    """What is on screen.

    Attributes:
        lesson: What is learned.
        sequence: The reader's own; empty for one that was held out.
        history: What the layer made of it.
    """

    lesson: Trained
    sequence: str
    history: TrainingHistory


def ask() -> None:
    """The task, its settings and Start."""
    _open()
    with st.container(key="ask"):
        task, settings, start = st.columns([3, 2, 1], vertical_alignment="bottom", gap="small")
        with task:
            controls.task()
        with settings.popover(t("Settings"), width="stretch"):
            controls.lesson()
        start.button(t("Start"), key="train", type="primary", width="stretch", on_click=_start)
        controls.corpus()
        st.text(say(TASKS[st.session_state.t_task].says))


def _open() -> None:
    """On a first visit the link's training, or the first task, begins at once."""
    session = st.session_state
    if "lesson" in session:
        return
    session.lesson, session.learning, session.sequence = None, None, ""
    session.training_requests, session.train_trouble, session.film = None, None, None
    query = st.query_params.to_dict()
    if query.get("source") != "trained":
        _begin(Trained())
        return
    try:
        asked = source_from_query(query)
        assert isinstance(asked, Trained)
    except ExplorerError as error:
        session.train_trouble = language.t(
            "This link cannot be opened as it is. {error}", error=str(error)
        )
        return
    session.sequence = query.get("sequence", "")[:MOST_SEQUENCE]
    state.fill_lesson(asked)
    _begin(asked)


def _begin(lesson: Trained) -> None:
    session = st.session_state
    session.lesson, session.train_trouble = lesson, None
    session.learning = scheduler().ask(Learning(lesson), _reader())
    session.asked_times += 1  # the inputs fold
    session.learned_at = None


def _start() -> None:
    session = st.session_state
    try:
        lesson = state.lesson_from_inputs()
    except ExplorerError as error:
        session.train_trouble = str(error)
        return
    if session.lesson and (lesson.task, lesson.text) != (session.lesson.task, session.lesson.text):
        session.sequence = ""
    _begin(lesson)


def _stop() -> None:
    scheduler().leave(_reader())
    st.session_state.learning, st.session_state.learned_at = None, time.time()


def _continue() -> None:
    """To the steps that were asked for, or as many again if they are done."""
    session = st.session_state
    lesson: Trained = session.lesson
    same = _asks_for(lesson)
    wanted, done = session.t_steps if same else lesson.steps or 0, session.done
    steps = wanted if wanted > done else min(done + wanted, LIMITS["steps"][1])
    if same:
        session.t_steps = steps
    _begin(replace(lesson, steps=steps))


def _asks_for(lesson: Trained) -> bool:
    """Whether the inputs ask for this training, be it of more or fewer steps."""
    try:
        return _is_same(state.lesson_from_inputs(), lesson)
    except ExplorerError:
        return True  # they ask for what cannot be; Start says so


def _is_same(one: Trained, other: Trained) -> bool:
    return replace(one, steps=1) == replace(other, steps=1)


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
    _bar()
    # One part of the page, looked at again while it learns: what a browser asks for in the moment
    # in which that ends finds it still.
    st.fragment(_watch, run_every=LOOK_AGAIN if session.learning else None)()


def _bar() -> None:
    """The reader's own sequence, Stop or Continue, and the ways on with what was learned."""
    session = st.session_state
    running = session.learning is not None
    lesson: Trained = session.lesson
    with st.container(horizontal=True, key="training_bar", gap="small"):
        st.text_input(
            t("Try your own sequence"),
            key="sequence",
            placeholder=t("Try your own sequence; empty: one held out"),
            max_chars=MOST_SEQUENCE,
            persist_state="session",
            label_visibility="collapsed",
            width=380,
        )
        for i, (text, why) in enumerate(TASKS[lesson.task].tries):
            st.button(
                text if len(text) <= _LABEL else f"…{text[-_LABEL:].partition(' ')[2]}",
                key=f"try_{i}",
                type="tertiary",
                help=say(why),
                on_click=_try,
                args=(text,),
            )
        if running:
            st.button(t("Stop"), key="stop_training", on_click=_stop)
        else:
            st.button(
                t("Continue"),
                key="continue",
                on_click=_continue,
                help=t("Go on from where it stopped."),
            )
        with st.popover(t("Use this layer"), disabled=running):
            if TASKS[lesson.task].writes:
                st.button(
                    t("Let it write"), key="use_writing", width="stretch", on_click=_let_write
                )
            for title, page in WAYS:
                st.button(
                    say(title),
                    key=f"use_{page}",
                    width="stretch",
                    on_click=place.go,
                    args=(page,),
                    kwargs={"beside": True},
                )


def _let_write() -> None:
    """To Explore with so much of the sequence that there is room to write behind it."""
    session = st.session_state
    film: Film | None = session.film
    if film and session.get("aside"):
        session.aside = replace(session.aside, text=film.history.begun)
        session.place_aside = replace(session.place_aside, run=session.aside)
    place.go("explore", beside=True)


def _try(text: str) -> None:
    st.session_state.sequence = text


def _watch() -> None:
    """The training as far as it has come, and its end."""
    session = st.session_state
    job: Job | None = session.learning
    if job and job.future.done():
        session.learning, session.learned_at = None, time.time()
        error = job.future.exception()
        session.train_trouble = str(error) if isinstance(error, ExplorerError) else None
        st.rerun()
    if job:
        scheduler().look(job)
    _draw(job)


def _draw(job: Job | None) -> None:
    """The film, under what must be said of it."""
    session = st.session_state
    notes = st.container()
    film, trouble = _film()
    session.film = film
    with notes:
        if trouble:
            messages.note("sequence", trouble)
        if film is None:
            if job is not None:
                with st.container(key="busy"):
                    messages.progress(job.doing, job.share)
            return
        n_cut = film.history.trace.n_cut[0]
        if n_cut:
            messages.note(
                "cut",
                language.t(
                    "This layer learned from sequences of {length} tokens and reads as many: the "
                    "last {n_cut} were cut.",
                    length=film.history.length,
                    n_cut=n_cut,
                ),
            )
    if _is_same(film.lesson, session.lesson):
        session.done = film.history.steps[-1]
    _show(film, job.doing if job else "")


def _film() -> tuple[Film | None, str]:
    """What to show, and what is wrong with what was asked for.

    The last film stays where there is no new one: a sequence that the layer cannot read leaves the
    one before it, which goes on learning.
    """
    session = st.session_state
    lesson, last = session.lesson, session.film
    try:
        return _history_of(lesson, session.sequence), ""
    except NotYet:
        return last, ""
    except ExplorerError as error:
        sentence = str(error)
    same = last is not None and _is_same(last.lesson, lesson)
    try:
        return _history_of(lesson, last.sequence if same else ""), sentence
    except (NotYet, ExplorerError):
        return last, sentence


def _history_of(lesson: Trained, sequence: str) -> Film:
    """A training on a sequence, as far as it has come.

    Raises:
        NotYet: It takes longer; the next look will find it.
        ExplorerError: The layer cannot read it.
    """
    wish, reader = Recording(lesson, sequence or None), f"{_reader()} history"
    if st.session_state.learning is None:
        return Film(lesson, sequence, scheduler().wait(wish, reader))
    return Film(lesson, sequence, scheduler().ask(wish, reader).future.result(PATIENCE))


def _stale(film: Film) -> str:
    """What the film is of, where that is no longer what is asked for; else nothing."""
    session = st.session_state
    title = TASKS[film.lesson.task].title
    if not _is_same(film.lesson, session.lesson):
        return language.t("This is still: {title}.", title=title)
    if not _asks_for(film.lesson):
        other = film.lesson.task != session.t_task
        if other:
            return language.t("This is still: {title}. Press Start.", title=title)
        return language.t("This is still: {title}, as it was set before. Press Start.", title=title)
    if film.sequence != session.sequence:
        return language.t("This is still the sequence {texts}", texts=film.history.trace.texts[0])
    return ""


def _show(film: Film, doing: str) -> None:
    session = st.session_state
    lesson, history = film.lesson, film.history
    request: Request | None = session.training_requests
    session.training_requests = request and request.without_page()
    trace = history.trace
    link = source_to_query(_in_link(film, session.learning and session.lesson))
    if film.sequence:
        link |= {"sequence": film.sequence}

    if session.learning is None and len(urlencode(link)) <= LINK_BYTES:
        _write_address(link)

    def page_of(page: Page, report: Report) -> str:
        return export.to_html(trace, opening=page.view, history=history, about=about, report=report)

    run = Run(trace.texts[0], source=replace(lesson, steps=max(history.steps[-1], 1)))
    trace_id = name_of(replace(run, source=replace(lesson, steps=1)))
    about = _about(film, run, doing)
    payload = pack(
        trace,
        trace_id=trace_id,
        layers=[],
        opening=place.aside(run, trace),
        about=about,
        link=link,
        answers=answers("training", trace, trace_id, request, Head(), page_of),
        history=history,
        stale=_stale(film),
    )

    def on_request(new: Request) -> None:
        session.training_requests = new

    component.show(
        "explore",
        payload,
        key="training",
        request=heard(Request.of, on_request),
    )
    size = 2 * history.weights.nbytes
    name = file_name(about, "npz")
    offer_npz(name, lambda report: export.history_to_npz(history, report), size, id(history))


def _in_link(film: Film, learning: Trained | None) -> Trained:
    """The training that a link begins: while it goes on, all the steps that were asked for.

    Args:
        film: What is on screen.
        learning: What is being learned; None where nothing is.
    """
    if learning is not None and _is_same(film.lesson, learning):
        return learning
    return replace(film.lesson, steps=max(film.history.steps[-1], 1))


def _about(film: Film, run: Run, doing: str) -> About:
    """What is learned, by what, how far it has come and how well it does."""
    lesson, history = film.lesson, film.history
    layers, heads = lesson.n_layers or 1, lesson.n_heads or 1
    share = history.accuracy[-1]
    right = {"share": f"{100 * share:.{int(0.995 < share < 1)}f}"}
    if doing:
        how_well = language.t("{share} % right so far", **right)
    else:  # the slider below may stand elsewhere
        how_well = language.t("{share} % right in the end", **right)
    sizes = {
        "layers": language.tn("{n} layer", "{n} layers", layers),
        "heads": language.tn("{n} head", "{n} heads", heads),
    }
    if layers > 1:
        built = language.t("{layers} of {heads}", **sizes)
    else:
        built = language.t("{layers}, {heads}", **sizes)
    return replace(
        About.of(history.trace, run),
        title=history.task,
        asked=st.session_state.asked_times,
        made=st.session_state.learned_at,
        facts=(
            built,
            doing
            or language.t(
                "{steps} of {until} steps trained",
                steps=f"{history.steps[-1]:,}",
                until=f"{history.until:,}",
            ),
            how_well,
        ),
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
