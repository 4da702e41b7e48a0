"""The place that all pages look at: kept in the session, told by whatever picture is on screen."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.request import Told, place_of
from explorer.language import spoken
from explorer.place import Place
from explorer.run import Run
from explorer.trace import AttentionTrace
from explorer.ui import speaking, state

PAGES = (
    *("explore", "step", "train", "compare", "heads", "explain", "efficiency"),
    *("article", "guide"),
)


def here() -> Place:
    """What is looked at."""
    place: Place = st.session_state.place
    return place


def look(**changes: Any) -> None:
    """Look at another layer, other heads or tokens, by the names of `Place`."""
    st.session_state.place = replace(here(), **changes)


def opening(run: Run, trace: AttentionTrace) -> dict[str, str]:
    """The view that a picture of a run opens with: the place, brought over from where it was."""
    st.session_state.place = here().in_trace(run, trace)
    return here().to_query()


def keep(place: Place, *, beside: bool = False) -> None:
    """A picture tells where its reader looks now; ``beside`` as in `aside`."""
    session, before = st.session_state, here()
    if not place.queries and not before.queries:  # a text without words keeps the one before
        place = replace(place, words=(before.words[0], place.words[1]))
    if beside:
        session.place_aside = replace(place, run=session.aside)
    else:
        session.place = replace(place, run=session.shown)


def aside(run: Run, trace: AttentionTrace) -> dict[str, str]:
    """A page shows a run of its own beside that of the others; the view that it opens with."""
    session = st.session_state
    session.aside = run
    session.place_aside = (session.get("place_aside") or Place()).in_trace(run, trace)
    found: Place = session.place_aside
    return found.to_query()


def go(page: str, query: Mapping[str, str] | None = None, *, beside: bool = False) -> None:
    """To another page, at the place, as soon as this part of the page is run.

    Args:
        page: The page.
        query: What it opens with.
        beside: Whether it shall show the run that was shown `aside`.
    """
    session = st.session_state
    if page not in PAGES:
        return
    session.go_to = {"page": page, "query": dict(query or {}), "way": uuid.uuid4().hex}
    if beside and session.get("aside"):
        state.fill_inputs(session.aside)
        state.want(session.aside)
        session.place = session.place_aside


@st.fragment
def keeper() -> None:
    """What hears of every look. It is drawn alone when it does, so a look costs next to nothing."""
    # How often something was heard is sent, so that the browser knows that it was.
    told = {"times": st.session_state.get("places_heard", 0), "go": _way()}
    told |= {"speaks": spoken(), "chosen": speaking.is_chosen()}
    component.show("place", json.dumps(told).encode(), key="keeper", place=heard(place_of, _heard))
    if component.are_left():
        st.rerun()


def _heard(told: Told) -> None:
    st.session_state.places_heard = st.session_state.get("places_heard", 0) + 1
    beside = told.source in ("train", "article") and bool(st.session_state.get("aside"))
    if told.place and (beside or not _is_of_before(told)):
        keep(told.place, beside=beside)
    if told.page:
        go(told.page, told.query, beside=beside and not told.named)


def _is_of_before(told: Told) -> bool:
    """Whether a look is at a text that a model has gone on with since."""
    run: Run | None = st.session_state.shown
    behind = run and ".".join(map(str, run.written))
    return told.written is not None and told.written != behind


def is_leaving() -> bool:
    """Whether another page is wanted, which the browser opens as soon as it hears of it."""
    return st.session_state.go_to is not None


def _way() -> dict[str, Any] | None:
    """Where the browser shall go: Streamlit's own way would be two steps of its history."""
    wanted: dict[str, Any] | None = st.session_state.go_to
    if wanted is None:
        return None
    run = here().run
    link = run.to_query() if run and run.fits_link() else {}
    return wanted | {"query": link | here().to_query() | wanted["query"]}
