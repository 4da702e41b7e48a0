"""The place that all pages look at: kept in the session, told by whatever picture is on screen."""

from dataclasses import replace
from typing import Any

import streamlit as st

from explorer.instrument import component
from explorer.instrument.component import heard
from explorer.instrument.wire.request import place_of
from explorer.place import Place
from explorer.run import Run
from explorer.trace import AttentionTrace
from explorer.ui import state

PAGES = ("explore", "step", "train", "compare", "heads", "explain", "guide")


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


def keep(place: Place) -> None:
    """A picture tells where its reader looks now."""
    session = st.session_state
    if session.aside:
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


def go(page: str, **query: str) -> None:
    """To another page, at the place, as soon as this part of the page is run."""
    session = st.session_state
    if page not in PAGES:
        return
    session.go_to = page, query
    if session.aside:  # the other pages look at it, too, from now on
        state.fill_inputs(session.aside)
        state.want(session.aside)
        session.place = session.place_aside


@st.fragment
def keeper() -> None:
    """What hears of every look. It is drawn alone when it does, so a look costs next to nothing."""
    component.show("place", b"", key="keeper", place=heard(place_of, _heard))
    _leave()
    if component.are_left():
        st.rerun()


def _heard(told: tuple[Place | None, str | None, dict[str, str]]) -> None:
    place, page, query = told
    if place:
        keep(place)
    if page:
        go(page, **query)


def _leave() -> None:
    session = st.session_state
    if session.get("go_to"):
        (page, query), session.go_to = session.go_to, None
        run = here().run
        link = run.to_query() if run and run.fits_link() else {}
        st.switch_page(f"pages/{page}.py", query_params=link | here().to_query() | query)
