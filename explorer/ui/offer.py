"""A model that is not on this machine yet: how large it is, whether it fits, and its download."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from explorer import language
from explorer.edits import NO_EDITS
from explorer.errors import ExplorerError
from explorer.instrument.wire.notes import known_elsewhere, unknown_in_words
from explorer.language import say
from explorer.limits import MAX_MODEL_MB
from explorer.run import PARTS, Run
from explorer.source import Hub
from explorer.sources import absent_model
from explorer.sources.catalogue import Known
from explorer.trace import AttentionTrace
from explorer.ui import messages, state
from explorer.ui.scheduler import Job, scheduler
from explorer.ui.show import LOOK_AGAIN
from explorer.ui.speaking import t
from explorer.ui.work import Fetching, Sizing

if TYPE_CHECKING:
    from explorer.sources.download import HubSize


@dataclass
class Offer:
    """A download that a reader may begin.

    Attributes:
        model: The model.
        then: What the reader wanted it for; called when it is here.
        job: The question for its size, or the download.
    """

    model: Hub
    then: Callable[[], None]
    job: Job


def lacks(runs: tuple[Run, ...], then: Callable[[], None]) -> bool:
    """Whether a model of some runs is not on this machine; if so, the reader is told its size.

    Args:
        runs: What is wanted.
        then: Called when the model is here.
    """
    session = st.session_state
    session.offer = None
    for model in filter(None, (absent_model(run.source) for run in runs)):
        session.offer = Offer(model, then, scheduler().ask(Sizing(model), _reader()))
        state.went_wrong(None)
        break
    return session.offer is not None


def of_another(trace: AttentionTrace | None) -> None:
    """The button that reads a text with a model that knows its words, where that is offered.

    It is out of sight: the reading view has one of its own, which presses it.
    """
    if trace and known_elsewhere(trace):
        run: Run = st.session_state.shown
        st.button(
            t("Read it with another model"),
            key="read_other",
            on_click=_read,
            args=(known_elsewhere(trace), run),
        )


def of_others(*shown: tuple[AttentionTrace, Run], then: Callable[[], None] | None = None) -> None:
    """The same in sight, for pages that have no reading view: above the picture, with its reason.

    Args:
        shown: What the page shows; of two the second one is B's.
        then: Called when the inputs say the other model; nothing asks for the run itself.
    """
    # Always there, or the picture below would be taken down and up.
    with st.container(key="read_others"):
        for (trace, run), side in zip(shown, ("", state.B), strict=False):
            known, says = known_elsewhere(trace), unknown_in_words(trace)
            if known is None:
                continue
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(say(says))
                st.button(
                    _way_to(known),
                    key=f"{side}read_it",
                    on_click=_read,
                    args=(known, run, side, then),
                )


def _way_to(known: Known) -> str:
    from explorer.sources.download import is_downloaded

    short = known.name.rpartition("/")[2]
    if is_downloaded(Hub(known.name)):
        return t("Read it with {model}", model=short)
    return t("Read it with {model} ({n} MB)", model=short, n=f"{known.megabytes:,}")


def _read(known: Known, shown: Run, side: str = "", then: Callable[[], None] | None = None) -> None:
    run = replace(
        shown,
        source=Hub(known.name),
        part=PARTS[0],
        source_language=None,
        target_language=None,
        written=(),
        chat=False,
        edits=NO_EDITS,
    )
    state.fill_inputs(run, side)
    if then:
        then()
    elif not lacks((run,), lambda: state.want(run)):
        state.want(run)


def draw() -> None:
    """What is offered, if something is; always there, so that what follows keeps its place."""
    with st.container(key="offer"):
        if st.session_state.offer:
            _draw()


@st.fragment(run_every=LOOK_AGAIN)
def _draw() -> None:
    if messages.was_stopped():
        st.rerun()
    session = st.session_state
    offer: Offer | None = session.offer
    if offer is None:
        return
    job = offer.job
    scheduler().look(job)
    if not job.future.done():
        messages.stoppable(
            job.doing, job.share, "stop_download", lambda: _stop(job), place="_of_offer"
        )
        return
    try:
        found = job.future.result()
    except ExplorerError as error:
        session.offer = None
        state.went_wrong(str(error))
        st.rerun()
    if isinstance(job.work, Fetching):
        session.offer = None
        offer.then()
        st.rerun()
    _choice(offer, found)


def _stop(job: Job) -> None:
    scheduler().leave(_reader())
    kept = language.t("What was downloaded is kept: press Run to go on from there.")
    st.session_state.offer = None
    is_begun = isinstance(job.work, Fetching)
    state.went_wrong(language.sentences(language.t("Stopped."), kept if is_begun else ""))


def _choice(offer: Offer, size: object) -> None:
    from explorer.sources.download import HubSize
    from explorer.sources.memory import fits

    assert isinstance(size, HubSize)
    fit = size.memory is None or fits(size.memory)
    words, yes, no = st.columns([5, 1.2, 1], vertical_alignment="center")
    with words:
        too_much = "" if fit else language.t("That is too much: choose a smaller model.")
        messages.note("offer", language.sentences(sentence(offer.model.name, size), too_much))
    yes.button(
        t("Download"),
        key="download",
        type="primary",
        width="stretch",
        on_click=_go,
        disabled=not fit,
    )
    no.button(t("Cancel"), key="no_download", width="stretch", on_click=_cancel)


def sentence(name: str, size: "HubSize") -> str:
    """What a download brings and takes, as far as the hub tells."""
    from explorer.sources.download import size_in_words
    from explorer.sources.memory import available

    free = size_in_words(available())
    if size.memory is None:
        room = language.t("{free} are free.", free=free)
    else:
        memory = size_in_words(size.memory)
        room = language.t(
            "Loaded it takes about {memory} of memory; {free} are free.", memory=memory, free=free
        )
    return language.sentences(_to_download(name, size), room)


def _to_download(name: str, size: "HubSize") -> str:
    """What there is to download."""
    from explorer.sources.download import size_in_words

    if size.bytes is None:
        return language.t(
            "“{name}” is not on this machine yet, and the hub does not tell its size: at most "
            "{most} MB are downloaded.",
            name=name,
            most=f"{MAX_MODEL_MB:,}",
        )
    if size.here >= size.bytes:
        return language.t(
            "Every known file of “{name}” is here; a download looks whether one is missing.",
            name=name,
        )
    whole = size_in_words(size.bytes)
    if not size.here:
        return language.t(
            "“{name}” is not on this machine yet: {whole} to download.", name=name, whole=whole
        )
    return language.t(
        "“{name}” is not on this machine yet: {whole} to download ({here} of them are here "
        "already).",
        name=name,
        whole=whole,
        here=size_in_words(size.here),
    )


def _go() -> None:
    offer: Offer = st.session_state.offer
    offer.job = scheduler().ask(Fetching(offer.model), _reader())


def _cancel() -> None:
    scheduler().leave(_reader())
    st.session_state.offer = None


def _reader() -> str:
    return f"{st.session_state.reader} download"
