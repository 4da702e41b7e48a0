"""The page “Explain”: one output, every method, and what really happens when words go."""

from typing import Any, Literal

import streamlit as st

from explorer.analysis.explanation import Explanation
from explorer.errors import ExplorerError
from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.about import passport_words
from explorer.instrument.wire.explain import Changed, Predictions, pack_explain
from explorer.instrument.wire.request import change_of, position_of
from explorer.limits import EXPLAIN_TOKENS
from explorer.run import Run
from explorer.target import (
    ClassScore,
    Likeness,
    MaskedWord,
    OutputVector,
    Target,
    target_from_query,
    target_to_query,
)
from explorer.ui import background, controls, messages, state
from explorer.ui.scheduler import scheduler
from explorer.ui.show import name_of
from explorer.ui.work import Changing, Explaining

_KINDS = {
    "like": "how like another text it is",
    "word": "a masked word",
    "class": "a class",
    "vector": "a token’s output vector",
}
_HOW = {"replace": "another token in its place", "drop": "dropped"}
_OTHER = "A tired animal rests."
_LAST_TOKEN, _LAST_CLASS = EXPLAIN_TOKENS - 1, 999
_NOTHING: tuple[frozenset[tuple[int, int]], frozenset[int]] = (frozenset(), frozenset())


def ask() -> None:
    """The inputs of the run, and of what shall be explained."""
    controls.ask()
    _open()
    session = st.session_state
    if session.ask_at is not None:  # set here, because a fragment cannot set an input outside it
        session.target_at, session.ask_at = min(session.ask_at, _LAST_TOKEN), None
    st.pills(
        "Explain",
        list(_KINDS),
        key="target_kind",
        format_func=_KINDS.__getitem__,
        required=True,
        persist_state="session",
    )
    rest, more = st.columns([5, 2], vertical_alignment="bottom", gap="medium")
    with rest:
        _details(session.target_kind)
    with more.popover("How words go", width="stretch"):
        st.pills(
            "A word that is taken away is",
            list(_HOW),
            key="away",
            format_func=_HOW.__getitem__,
            required=True,
            persist_state="session",
            help="[MASK] stands in its place where a model has one; else the token that its "
            "tokenizer has for unknown words, or for the end of a text.",
        )
        st.toggle("The pieces of a word count as one", key="whole_words", persist_state="session")
        st.toggle(
            "Attention flow also where it takes minutes",
            key="whole_flow",
            persist_state="session",
            help="For a mean over all positions it takes a maximum flow for every two tokens.",
        )


def _open() -> None:
    """What the link asks for, when the page is opened."""
    session = st.session_state
    if "target_kind" in session:
        return
    target: Target | None = None
    session.target_trouble = ""
    query = st.query_params.to_dict()
    try:
        target = target_from_query(query)
    except ExplorerError as error:
        session.target_trouble = f"This link cannot be opened as it is. {error}"
    kinds = {Likeness: "like", MaskedWord: "word", ClassScore: "class", OutputVector: "vector"}
    session.target_kind = kinds[type(target)] if target else "like"
    session.target_other = getattr(target, "other", _OTHER)
    session.target_first = getattr(target, "first", False)
    session.target_at = min(getattr(target, "at", 1), _LAST_TOKEN)
    session.target_guess = getattr(target, "guess", None) or ""
    label = getattr(target, "label", None)
    session.target_label = -1 if label is None else min(label, _LAST_CLASS)
    session.away = "drop" if query.get("away") == "drop" else "replace"
    session.whole_words = query.get("pieces") != "1"
    session.whole_flow = query.get("flow") == "1"
    session.explain_id, session.heads_off, session.words_gone = None, *_NOTHING
    session.ask_at = None


def _details(kind: str) -> None:
    """What else the chosen kind of target needs."""
    if kind == "like":
        st.text_input("The other text", key="target_other", persist_state="session")
    elif kind == "class":
        st.number_input(
            "Number of the class (−1: the likeliest)",
            -1,
            _LAST_CLASS,
            key="target_label",
            persist_state="session",
        )
    else:
        where, what = st.columns(2) if kind == "word" else (st.container(), None)
        where.number_input(
            "Number of the token",
            0,
            _LAST_TOKEN,
            key="target_at",
            persist_state="session",
            help="Or click a word in the first line of scores below.",
        )
        if what:
            what.text_input(
                "Probability of (empty: what stood there)",
                key="target_guess",
                persist_state="session",
            )


def _target() -> Target:
    """What the inputs ask for.

    Raises:
        ExplorerError: They ask for nothing that can be.
    """
    session = st.session_state
    if session.target_kind == "like":
        return Likeness(session.target_other, session.target_first)
    if session.target_kind == "word":
        return MaskedWord(session.target_at, session.target_guess.strip() or None)
    if session.target_kind == "class":
        return ClassScore(None if session.target_label < 0 else session.target_label)
    return OutputVector(session.target_at)


def result() -> None:
    """Draw the explanation of what is wanted, or the last one."""
    session = st.session_state
    run: Run | None = session.wanted or session.shown
    how: Literal["replace", "drop"] = session.away
    slot = st.container(key="target_messages")
    try:
        target = _target()
    except ExplorerError as error:
        session.target_trouble = str(error)
        target = session.get("target_last", Likeness(_OTHER))
    else:
        session.target_last = target
    if session.target_trouble:
        with slot:
            messages.trouble(session.target_trouble, "_of_target")
        session.target_trouble = ""
    options = (target, how, session.whole_words, session.whole_flow)
    found = background.outcome("explain", run and Explaining(run, *options))
    if found:
        explaining, (explanation, predictions) = found
        if not session.explain_job and not explanation.whole:
            explanation = explanation.left_off()
        state.write_address()
        with st.container(key="about_explain"):
            trace = scheduler().wait(explaining.run, f"{session.reader} about")
            messages.about(trace, explaining.run, marked=False)
        title = [trace.model.name, passport_words(trace.model)]
        _explanation(explaining, explanation, predictions, " · ".join(filter(None, title)))
    scheduler().warm_up()


@st.fragment
def _explanation(
    work: Explaining, found: Explanation, predictions: Predictions, title: str
) -> None:
    session = st.session_state
    if session.ask_at is not None:
        st.rerun()
    explain_id = name_of(work)
    if session.explain_id != explain_id:  # what was off or gone belongs to the last explanation
        session.explain_id, session.heads_off, session.words_gone = explain_id, *_NOTHING
    off, gone = session.heads_off, session.words_gone
    wish = Changing(work.run, work.target, off, gone, work.how) if off or gone else None
    answer = background.aside("changing", wish)
    changed = Changed(sorted(off), sorted(gone), *answer) if answer else None
    payload = pack_explain(
        found,
        explain_id=explain_id,
        returns=session.get("explain_returns", 0),
        title=title,
        asks_at=isinstance(work.target, MaskedWord | OutputVector),
        predictions=predictions,
        changed=changed,
        link=_link(work),
    )

    def on_change(wish: tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]) -> None:
        heads, gone = wish
        session.heads_off = frozenset((h[0], h[1]) for h in heads)
        session.words_gone = frozenset(gone)

    def on_at(position: int) -> None:
        session.ask_at = position

    component.show(
        "explain",
        payload,
        key="explain_view",
        request=heard(change_of, on_change),
        at=heard(position_of, on_at),
    )


def _link(work: Explaining) -> dict[str, str] | None:
    if not work.run.fits_link():
        return None
    options: dict[str, Any] = {
        "away": "drop" if work.how == "drop" else None,
        "pieces": None if work.by_word else "1",
        "flow": "1" if work.whole_flow else None,
    }
    told = {name: value for name, value in options.items() if value}
    return work.run.to_query() | target_to_query(work.target) | told
