"""The page “Efficiency”: what each head could do without, and what cheaper attention costs."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from explorer import export, language
from explorer.analysis.survival import Survival
from explorer.cheaper import Cheap
from explorer.code import python_of_survival
from explorer.errors import ExplorerError
from explorer.headname import head_name
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.about import About, file_name
from explorer.instrument.wire.efficiency import Tried, pack_efficiency, way_of
from explorer.instrument.wire.request import CheapWish, view_of
from explorer.run import Run
from explorer.source import InMemory, Model
from explorer.trace import AttentionTrace
from explorer.ui import background, messages, offer, place, state
from explorer.ui.answers import file, offer_npz
from explorer.ui.scheduler import scheduler
from explorer.ui.show import LOOK_AGAIN, about_of, name_of
from explorer.ui.speaking import t
from explorer.ui.work import Cheapening, Replacing, Timing
from explorer.views.efficiency import costs_figure, memory_figure

MOST_TRIED = 8


@dataclass(frozen=True)
class Shown:
    """What survives of a run, as far as it is known.

    Attributes:
        run: The run.
        trace: Its trace.
        found: What survives.
        whole: Whether the ranks are known too.
    """

    run: Run
    trace: AttentionTrace
    found: Survival
    whole: bool


def result() -> None:
    """Draw what survives of what is wanted, or of the last run."""
    session = st.session_state
    if "cheap_wish" not in session:
        session.cheap_wish, session.cheap_tried, session.cheap_work = None, (), None
        session.cheap_of, session.cheap_trouble, session.cheap_asked = None, "", False
    messages.as_it_is(state.as_it_is())
    run: Run | None = session.wanted or session.shown
    outcome = background.outcome("efficiency", run and Cheapening(run))
    if outcome:
        work, (trace, found, whole) = outcome
        if session.cheap_of != work.run:  # what was tried belongs to the last text
            _leave_off()
            session.cheap_of, session.cheap_tried, session.cheap_wish = work.run, (), None
            session.cheap_trouble = ""
        state.write_address()
        offer.of_others((trace, work.run))
        _put_in_place(work.run, trace)
        _drawn(Shown(work.run, trace, found, whole))
    scheduler().warm_up()


def _leave_off() -> None:
    st.session_state.cheap_work = None
    scheduler().leave(f"{st.session_state.reader} replacing")


def _put_in_place(run: Run, trace: AttentionTrace) -> None:
    """What is being put in place, and what came of it."""
    session = st.session_state
    with st.container(key="cheap_messages"):
        work: Replacing | None = session.cheap_work
        if work:
            job = scheduler().ask(work, f"{session.reader} replacing")
            if job.future.done():
                session.cheap_work = None
                try:
                    said = _said(trace, work, job.future.result())
                    kept = [one for one in session.cheap_tried if one[0] != work]
                    session.cheap_tried = ((work, said), *kept)[:MOST_TRIED]
                    session.cheap_trouble = ""
                except ExplorerError as error:
                    session.cheap_trouble = str(error)
            else:
                _progress()
        if session.cheap_trouble:
            messages.trouble(session.cheap_trouble, "_of_replacing")


@st.fragment(run_every=LOOK_AGAIN)
def _progress() -> None:
    session = st.session_state
    if messages.was_stopped() or session.cheap_work is None:
        st.rerun()
    job = scheduler().ask(session.cheap_work, f"{session.reader} replacing")
    scheduler().look(job)
    if job.future.done():
        st.rerun()
    messages.stoppable(job.doing, job.share, "cheap_stop", _leave_off, "_of_replacing")


def _said(trace: AttentionTrace, work: Replacing, found: Any) -> Tried:
    """What an output did, in words and numbers."""
    least = int(found.cosine.argmin())
    names = [head_name(*head) for head in work.heads or ()]
    tells = found.divergence is not None
    return Tried(
        language.t(way_of(trace, work.cheap.kind).given, **{"": work.cheap.budget}),
        ", ".join(names) or language.t("all {n} heads", n=found.heads),
        found.pooled,
        float(found.cosine[least]),
        found.tokens[least].text,
        float(found.divergence.mean()) if tells else None,
        float(found.agrees.mean()) if tells else None,
    )


@st.fragment
def _drawn(shown: Shown) -> None:
    session = st.session_state
    if session.cheap_asked:
        session.cheap_asked = False
        st.rerun()
    run, trace, found = shown.run, shown.trace, shown.found
    view, session.cheap_file = session.get("cheap_file"), None  # a file is handed out once
    opening, wish = place.opening(run, trace), session.cheap_wish
    at = _seen(trace, found, wish) if wish else None
    tried = tuple(said for _, said in session.cheap_tried)
    about = replace(about_of(trace, run), code=_python(run, trace, at))
    payload = pack_efficiency(
        trace,
        found,
        efficiency_id=name_of(Cheapening(run)),
        link=run.to_query() if run.fits_link() else None,
        about=about,
        place=place.here(),
        shown=at,
        tried=tried,
        can_try=_why_not(run, trace),
        whole=shown.whole,
        page=_page(shown, about, at, tried, {**opening, **view} if view is not None else None),
    )

    def on_wish(wish: CheapWish) -> None:
        session.cheap_wish = wish
        place.look(layer=wish.head.layer, heads=(wish.head.head,))
        if wish.put and not _why_not(run, trace):
            _, head, cheap = _seen(trace, found, wish) or (0, 0, wish.cheap)
            heads = ((trace.nearest(wish.head.layer), head),) if wish.put == "head" else None
            session.cheap_work = Replacing(run, cheap, heads, found.everywhere)
            session.cheap_asked = True

    def on_file(view: Mapping[str, str]) -> None:
        session.cheap_file = view

    component.show(
        "efficiency",
        payload,
        key="efficiency_view",
        request=heard(CheapWish.of, on_wish),
        page=heard(view_of, on_file),
    )
    make = partial(export.survival_to_npz, trace, found)
    offer_npz(file_name(about, "npz", "efficiency"), make, 2**24, id(found))


def _seen(trace: AttentionTrace, found: Survival, wish: CheapWish) -> tuple[int, int, Cheap] | None:
    """The head and the way that are looked at, as this text has them."""
    if wish.cheap.kind not in found.curves:
        return None
    budgets = found.curves[wish.cheap.kind].budgets
    cheap = replace(wish.cheap, budget=min(max(wish.cheap.budget, budgets[0]), budgets[-1]))
    head = min(wish.head.head, trace.model.n_heads - 1)
    return trace.nearest(wish.head.layer), head, cheap


def _why_not(run: Run, trace: AttentionTrace) -> str:
    """Why nothing can really be put in place; empty if it can."""
    if not isinstance(run.source, Model | InMemory) or run.picture is not None:
        return language.t("Only in a pretrained model that reads a text can heads be replaced.")
    if trace.model.part is not None:
        return language.t("In a model of several parts no head can be replaced here.")
    passport = trace.model.passport
    if passport and passport.form != "scores":
        return language.t("Its heads cannot be replaced: {reason}.", reason=passport.reason)
    return ""


def _python(run: Run, trace: AttentionTrace, at: tuple[int, int, Cheap] | None) -> str:
    here = place.here()
    number, head, cheap = at or (trace.nearest(here.layer), here.head, Cheap("window", 1))
    tried = [(work.cheap, work.heads) for work, _ in st.session_state.cheap_tried]
    return python_of_survival(run, cheap, (number, head), tried)


def _page(
    shown: Shown,
    about: About,
    at: tuple[int, int, Cheap] | None,
    tried: tuple[Tried, ...],
    view: Mapping[str, str] | None,
) -> str:
    """All this as a file, if one is wanted."""
    if view is None:
        return ""
    to_html = partial(export.survival_to_html, shown.trace, shown.found, about=about)
    return file(view, lambda _: to_html(opening=view, shown=at, tried=tried))


def costs() -> None:
    """Time and memory over the length, which a reader measures here and now."""
    with st.container(key="experiment_costs"), st.expander(t("Experiment: where does each pay?")):
        _costs()


@st.fragment
def _costs() -> None:
    st.markdown(
        t(
            "One head of width 64, without any model, on random numbers: *eager* makes all "
            "weights; *sdpa* makes the same numbers tile by tile and writes no weight to "
            "memory, as FlashAttention does (Dao et al. 2022); *window* looks at 128 "
            "tokens to each side, in blocks; *linear* never makes a pair. Measure it on "
            "the machine that runs this app."
        )
    )
    session = st.session_state
    if st.button(t("Measure now"), key="measure_costs"):
        session.timing = uuid.uuid4().hex
    if not session.get("timing"):
        return
    for found in _timed() or ():
        _measured(found)


def _measured(found: Any) -> None:
    """What was measured on one device."""
    if found.device != "cpu":
        st.markdown(
            t(
                "On the GPU of this machine, {name}: {heads} heads in bfloat16.",
                name=found.device,
                heads=found.heads,
            )
        )
    config = {"displayModeBar": False}
    left, right = st.columns(2, gap="large")
    with left:
        st.plotly_chart(
            costs_figure(found.lengths, found.seconds),
            config=config,
            key=f"time_{found.device}",
            alt=t("Time of one pass over the number of tokens, both logarithmic, for each way."),
        )
    with right:
        st.plotly_chart(
            memory_figure(found.lengths, found.memory),
            config=config,
            key=f"memory_{found.device}",
            alt=t("Memory of one pass over the number of tokens, both logarithmic, for each way."),
        )
    st.dataframe(_table(found), hide_index=True)
    st.text(
        t(
            "The slope is that of time on these two axes from 1,024 tokens on: 1 is "
            "linear, 2 the square. A way pays where it is faster at that length and at all "
            "longer ones. Memory is what the tensors of a pass take at once, beside q, k "
            "and v; what sdpa keeps inside its own code is not seen, and is a few tiles."
        )
    )


def _timed() -> Any:
    """The measured costs; None while they are not there."""
    session = st.session_state
    reader = f"{session.reader} timing"
    job = scheduler().ask(Timing(session.timing), reader)
    if not job.future.done():
        _timing(session.timing)
        return None
    try:
        return job.future.result()
    except ExplorerError as error:
        messages.trouble(str(error), "_of_timing")
        return None


@st.fragment(run_every=LOOK_AGAIN)
def _timing(name: str) -> None:
    reader = f"{st.session_state.reader} timing"
    if messages.was_stopped() or st.session_state.timing != name:
        st.rerun()
    job = scheduler().ask(Timing(name), reader)
    scheduler().look(job)
    if job.future.done():
        st.rerun()

    def stop() -> None:
        scheduler().leave(reader)
        st.session_state.timing = None

    messages.stoppable(job.doing, job.share, "costs_stop", stop, "_of_timing")


def _table(found: Any) -> dict[str, list[str]]:
    longest = f"{found.lengths[-1]:,}"
    names = list(found.seconds)
    return {
        t("way"): names,
        t("slope"): [f"{found.slopes[name]:.2f}" for name in names],
        t("time at {n} tokens", n=longest): [
            f"{1e3 * found.seconds[name][-1]:.3g} ms" for name in names
        ],
        t("memory at {n} tokens", n=longest): [
            f"{found.memory[name][-1] / 2**20:,.1f} MB" for name in names
        ],
        t("faster than eager from"): [_from(found, name, "eager") for name in names],
        t("faster than sdpa from"): [_from(found, name, "sdpa") for name in names],
    }


def _from(found: Any, name: str, other: str) -> str:
    if name == other:
        return "—"
    length = found.pays[name][other]
    return t("not up to here") if length is None else t("{n} tokens", n=f"{length:,}")
