"""The page “Explain”: one output, every method, and what really happens when words go."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from explorer import export, language
from explorer.analysis.explanation import Explanation
from explorer.code import python_of_explanation
from explorer.edits import NO_EDITS
from explorer.errors import ExplorerError
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.about import About, file_name
from explorer.instrument.wire.explain import (
    Changed,
    Predictions,
    Wish,
    bar_of,
    explained_of,
    first_kind,
    pack_explain,
)
from explorer.instrument.wire.next import may_predict
from explorer.instrument.wire.request import Written, change_of, view_of
from explorer.place import content_word, word_at
from explorer.run import Run
from explorer.source import Stories, Trained
from explorer.target import Likeness, Target, target_to_query
from explorer.trace import AttentionTrace
from explorer.ui import background, controls, messages, offer, place, state
from explorer.ui.answers import file, offer_npz
from explorer.ui.scheduler import scheduler
from explorer.ui.show import about_of, name_of
from explorer.ui.work import Changing, Choosing, Explaining
from explorer.ui.writing import can_write, edits_of

_NOTHING: tuple[frozenset[tuple[int, int]], frozenset[int]] = (frozenset(), frozenset())
Outcome = tuple[Explanation, Predictions, Predictions]  # and the last of the model as it is
Found = tuple[Explaining, Outcome]


def ask() -> None:
    """The inputs of the run; what shall be explained is asked in the bar above the result."""
    controls.ask(computes=True)
    _open()


def _open() -> None:
    """What the link asks for, when the page is opened."""
    session = st.session_state
    if "explain_wish" in session:
        return
    session.explain_wish, session.explain_trouble = Wish(), ""
    session.explain_run = None
    session.wish_chosen = "target" in st.query_params
    session.explain_id, session.heads_off, session.words_gone = None, *_NOTHING
    session.wish_changed = False
    try:
        session.explain_wish = Wish.from_query(st.query_params.to_dict())
    except ExplorerError as error:
        session.explain_trouble = language.t(
            "This link cannot be opened as it is. {error}", error=str(error)
        )


def result() -> None:
    """Draw the explanation of what is wanted, or the last one, under what is asked for."""
    session = st.session_state
    run: Run | None = session.wanted or session.shown
    slot = st.container(key="target_messages")
    target = _target(run)
    if session.explain_trouble:
        with slot:
            messages.trouble(session.explain_trouble, "_of_target")
        session.explain_trouble = ""
    wish: Wish = session.explain_wish
    wanted = run and _explaining(run, target, wish)
    found: Found | None = background.outcome("explain", wanted)
    if run and session.explain_trouble and not session.wish_chosen:
        _open_on_another(run, found)
    if found:
        found = _as_it_stands(*found)
        state.write_address()
        shown = found[0].run
        offer.of_others((scheduler().wait(shown, f"{session.reader} about"), shown))
    if run:
        _drawn(run, wanted, found)
    scheduler().warm_up()


def _explaining(run: Run, target: Target, wish: Wish) -> Explaining:
    neutral = wish.neutral.strip() if wish.how == "replace" else ""
    return Explaining(run, target, wish.how, wish.by_word, wish.whole_flow, neutral)


def _target(run: Run | None) -> Target:
    """The target that is asked for; the last one where that is none that can be."""
    session = st.session_state
    run = run and replace(run, edits=NO_EDITS)
    if run != session.explain_run:
        if session.explain_run is not None:  # a place in the last text means nothing in this one
            session.explain_wish = replace(session.explain_wish, at=None)
        session.explain_run = run
        if not session.wish_chosen:
            kind = "next" if _writes(run) else Wish.kind
            session.explain_wish = replace(session.explain_wish, kind=kind)
    session.wish_stands = True  # whether it can be asked for
    wish: Wish = session.explain_wish
    if wish.at is None and wish.kind in ("word", "vector"):
        wish = replace(wish, at=_pinned(run))
    try:
        session.target_last = wish.target()
    except ExplorerError as error:
        session.explain_trouble, session.wish_stands = str(error), False
        session.setdefault("target_last", Likeness(Wish.other))
    found: Target = session.target_last
    return found


def _open_on_another(run: Run, found: Found | None) -> None:
    """Where nobody chose a target and the model has not the usual one: the first that it has."""
    session = st.session_state
    possible, wish = _possible(run, found), session.explain_wish
    kind = wish.kind if possible is None else first_kind(possible.reasons, wish.kind)
    if kind != wish.kind:
        session.explain_wish, session.explain_trouble = replace(wish, kind=kind), ""
        st.rerun()


def _writes(run: Run | None) -> bool:
    """Whether a run's model is known to predict the next word: then that is explained first."""
    if run is None or isinstance(run.source, Stories | Trained):
        return run is not None
    shown: Run | None = st.session_state.shown
    if shown is None or run != replace(shown, edits=NO_EDITS) or not can_write(run):
        return False
    trace = scheduler().wait(shown, f"{st.session_state.reader} about")
    return may_predict(trace)


def _pinned(run: Run | None) -> int | None:
    """The word that is asked about at first: the one that is pinned, else one of content."""
    session = st.session_state
    shown: Run | None = session.shown
    if run is None or shown is None or run != replace(shown, edits=NO_EDITS) or run.picture:
        return None  # nobody knows its tokens yet
    trace = scheduler().wait(shown, f"{session.reader} about")
    if trace.model.part in ("cross", "decoder"):
        return None  # what looks are tokens of another text
    pinned = place.here().in_trace(run, trace).query
    if pinned is not None and not trace.query_tokens[pinned].special:
        return pinned
    return next(iter(content_word(trace)), None)


def _as_it_stands(work: Explaining, found: Outcome) -> Found:
    """What was found; of what was stopped, said that nothing more will come."""
    explanation, predictions, before = found
    if not st.session_state.explain_job and not explanation.whole:
        explanation = explanation.left_off()
    return work, (explanation, predictions, before)


def _possible(run: Run, found: Found | None) -> Any:
    """What can be explained of a run; None while its model may still be on its way."""
    session = st.session_state
    if session.explain_job and not (found and found[0].run == run):
        return None
    try:
        plain = Choosing(replace(run, edits=NO_EDITS))
        return scheduler().wait(plain, f"{session.reader} choosing")
    except ExplorerError:
        return None  # the sentence that says why stands on the page already


@st.fragment
def _drawn(run: Run, wanted: Explaining | None, found: Found | None) -> None:
    session = st.session_state
    if session.wish_changed:
        session.wish_changed = False
        st.rerun()
    stale = found is not None and not (session.wish_stands and found[0] == wanted)
    bar = bar_of(session.explain_wish, _possible(run, found), stale=stale)
    view, session.explain_file = session.get("explain_file"), None  # a file is handed out once
    told = found and _told_of(*found)
    payload = pack_explain(
        bar,
        found and told and _explained(*found, *told),
        _page(*found, *told, view) if found and told and view is not None else "",
    )

    def on_change(wish: tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]) -> None:
        heads, gone = wish
        session.heads_off = frozenset((h[0], h[1]) for h in heads)
        session.words_gone = frozenset(gone)

    def on_file(view: Mapping[str, str]) -> None:
        session.explain_file = view

    def on_wish(wish: Wish) -> None:
        session.explain_wish, session.wish_changed, session.wish_chosen = wish, True, True

    def on_edit(wish: Written) -> None:
        if wish.act == "edit" and found is not None:
            state.want(replace(found[0].run, edits=wish.edits))
            session.wish_changed = True

    component.show(
        "explain",
        payload,
        key="explain_view",
        request=heard(change_of, on_change),
        wish=heard(Wish.of, on_wish),
        written=heard(Written.of, on_edit),
        page=heard(view_of, on_file),
    )
    if found and told:
        make = partial(export.explanation_to_npz, found[1][0])
        offer_npz(file_name(told[0], "npz", "explain"), make, 2**24, id(found[1][0]))


def _told_of(work: Explaining, found: Outcome) -> tuple[About, Changed | None]:
    """Whose explanation it is, and what comes of the heads and words that are off or gone."""
    session = st.session_state
    explain_id = name_of(work)
    if session.explain_id != explain_id:  # what was off or gone belongs to the last explanation
        session.explain_id, session.heads_off, session.words_gone = explain_id, *_NOTHING
    off, gone = session.heads_off, session.words_gone
    what = (off, gone, work.how, work.neutral)
    wish = Changing(work.run, work.target, *what) if off or gone else None
    answer = background.aside("changing", wish)
    trace = scheduler().wait(work.run, f"{session.reader} about")
    place.opening(work.run, trace)  # which brings it over
    _look_at(session.explain_wish.at, work.run, trace)
    code = python_of_explanation(
        work.run,
        work.target,
        found[0].how,
        by_word=work.by_word,
        whole_flow=work.whole_flow,
        neutral=work.neutral,
    )
    about = replace(about_of(trace, work.run), code=code)
    return about, Changed(sorted(off), sorted(gone), *answer) if answer else None


def _page(
    work: Explaining,
    found: Outcome,
    about: About,
    changed: Changed | None,
    view: Mapping[str, str],
) -> str:
    """All this as a file."""
    explanation, predictions, before = found
    make = partial(
        export.explanation_to_html,
        explanation,
        scheduler().wait(work.run, f"{st.session_state.reader} about").model,
        about=about,
        opening=view,
        predictions=predictions,
        before=before,
        changed=changed,
    )
    return file(view, lambda _: make())


def _explained(
    work: Explaining,
    found: Outcome,
    about: About,
    changed: Changed | None,
) -> dict[str, Any]:
    explanation, predictions, before = found
    return explained_of(
        explanation,
        explain_id=name_of(work),
        returns=st.session_state.get("explain_returns", 0),
        about=about,
        predictions=predictions,
        before=before,
        changed=changed,
        link=_link(work, explanation.at),
        edits=_edits(work.run),
        place=_place(),
    )


def _edits(run: Run) -> str | None:
    """What is changed in the model's attention, as links say it; None where nothing can be."""
    return edits_of(run, scheduler().wait(run, f"{st.session_state.reader} about"))


def _place() -> dict[str, Any]:
    """The head and words that the reader looks at, as views name them."""
    here = place.here()
    return {name: getattr(here, name) for name in ("layer", "heads", "queries", "keys")}


def _look_at(at: int | None, run: Run, trace: AttentionTrace) -> None:
    """The word that was clicked is the one that other pages look at, too."""
    if at is None or at >= len(trace.query_tokens) or place.here().queries == (at,):
        return
    words = (word_at(trace, trace.query_tokens, (at,)), "")
    place.look(run=run, queries=(at,), keys=(), words=words)


def _link(work: Explaining, at: int | None) -> dict[str, str] | None:
    if not work.run.fits_link():
        return None
    word = {} if at is None else {"at": str(at)}
    told = Wish(
        how=work.how, by_word=work.by_word, whole_flow=work.whole_flow, neutral=work.neutral
    ).to_query()
    asked = target_to_query(work.target) | word | told
    return work.run.to_query() | place.here().to_query() | asked
